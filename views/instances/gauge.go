package instances

import (
	"slices"
	"time"

	"lobstead/models"
	"lobstead/views/ui"
)

// gauge is one reading against its limit, with the way there.
type gauge struct {
	name, now, limit string
	bar              ui.Bar
	spark            ui.Spark
}

// gauges are the readings that the tier limits; there is at least one point.
func (p ShowProps) gauges() []gauge {
	points := slices.Clone(p.Metrics)
	slices.Reverse(points)
	cpus := max(1, p.Instance.CPUs)
	series := func(f func(models.InstanceMetric) float64) []float64 {
		out := make([]float64, len(points))
		for n, m := range points {
			out[n] = f(m)
		}
		return out
	}
	return []gauge{
		newGauge("CPU", series(func(m models.InstanceMetric) float64 { return m.CPUPercent }), 100*cpus, processors(cpus), percent),
		newGauge("Memory", series(func(m models.InstanceMetric) float64 { return m.MemoryMB }), float64(p.Instance.MemoryMB), megabytes(p.Instance.MemoryMB), amount),
		newGauge("Disk", series(func(m models.InstanceMetric) float64 { return m.DiskMB }), float64(p.Instance.StorageMB), megabytes(p.Instance.StorageMB), amount),
	}
}

func newGauge(name string, values []float64, limit float64, of string, say func(float64) string) gauge {
	now := values[len(values)-1]
	return gauge{name: name, now: say(now), limit: of, bar: ui.Bar{Used: now, Limit: limit, Wide: true},
		spark: ui.Spark{Values: values, Accent: name == "CPU", Label: name + ", " + ui.Plural(len(values), "reading", "readings") + ": lowest " +
			say(slices.Min(values)) + ", highest " + say(slices.Max(values)) + ", now " + say(now)}}
}

// counters are the figures without a limit: processes now, and what came in over the points shown.
func (p ShowProps) counters() []ui.Pair {
	requests, tokens := 0, 0
	for _, m := range p.Metrics {
		requests += m.RequestCount
		tokens += m.TokenCount
	}
	newest, oldest := p.Metrics[0].CreatedAt, p.Metrics[len(p.Metrics)-1].CreatedAt
	over := ""
	if d := newest.Sub(oldest); d >= time.Minute {
		over = ", " + span(d)
	}
	return []ui.Pair{{Key: "Processes", Value: ui.Thousands(p.Metrics[0].Processes)},
		{Key: "Model calls" + over, Value: ui.Thousands(requests)}, {Key: "Tokens" + over, Value: ui.Thousands(tokens)}}
}

// span says a duration in its largest unit.
func span(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return ui.Thousands(int(d/(24*time.Hour))) + " d"
	case d >= 2*time.Hour:
		return ui.Thousands(int(d/time.Hour)) + " h"
	}
	return ui.Thousands(int(d/time.Minute)) + " min"
}
