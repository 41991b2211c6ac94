package runtime

import (
	"time"

	"lobstead/models"
)

// Quality is what people thought of a model's turns; grades are 1–5.
type Quality struct {
	AvgGrade     float64            `json:"avg_grade"`
	Count        int64              `json:"grade_count"`
	Coverage     float64            `json:"grade_coverage"`         // 0–1, of the model's calls
	CostPerPoint float64            `json:"cost_per_quality_point"` // dollars of an average call for each point of its grade
	ByComplexity map[string]float64 `json:"by_complexity"`          // average grade, by level
	MemoryImpact MemoryImpact       `json:"memory_impact"`
	Trend        string             `json:"trend"`
}

// MemoryImpact is the average grade with memories in the prompt and without them; null where nothing was graded.
type MemoryImpact struct {
	With    *float64 `json:"with_memory"`
	Without *float64 `json:"without_memory"`
}

// mean is an average in the making.
type mean struct{ sum, n float64 }

func (m *mean) add(v int) { m.sum, m.n = m.sum+float64(v), m.n+1 }

func (m *mean) value() float64 {
	if m.n == 0 {
		return 0
	}
	return m.sum / m.n
}

func (m *mean) known() *float64 {
	if m.n == 0 {
		return nil
	}
	v := m.value()
	return &v
}

// newQuality presents a model's grades; nil when there are none. middle parts the earlier half of the period from the later.
func newQuality(graded []models.GradedTurn, middle time.Time, sum *models.UsageSum, spell func(complexity int) string) *Quality {
	if len(graded) == 0 {
		return nil
	}
	var whole, with, without mean
	var halves [2]mean
	levels := map[string]*mean{}
	for _, g := range graded {
		whole.add(g.Grade)
		if g.Remembered {
			with.add(g.Grade)
		} else {
			without.add(g.Grade)
		}
		if g.CreatedAt.Before(middle) {
			halves[0].add(g.Grade)
		} else {
			halves[1].add(g.Grade)
		}
		if level := spell(g.Complexity); level != "" {
			if levels[level] == nil {
				levels[level] = &mean{}
			}
			levels[level].add(g.Grade)
		}
	}
	q := &Quality{AvgGrade: whole.value(), Count: int64(whole.n), CostPerPoint: perCall(sum) / whole.value(), ByComplexity: map[string]float64{},
		MemoryImpact: MemoryImpact{with.known(), without.known()}, Trend: stable}
	if sum.Calls > 0 {
		q.Coverage = min(1, whole.n/float64(sum.Calls))
	}
	for level, m := range levels {
		q.ByComplexity[level] = m.value()
	}
	if halves[0].n > 0 && halves[1].n > 0 {
		q.Trend = trend(halves[0].value(), halves[1].value())
	}
	return q
}
