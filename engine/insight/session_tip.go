package insight

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

type sessionRule struct {
	name, category string
	judge          func(all []Figures) found
}

// sessionRules are the ten of a session, in the contract's order. Turns come oldest first.
var sessionRules = []sessionRule{
	{"context_drift", "budget", contextDrift},
	{"frequent_escalation", "quality", frequentEscalation},
	{"cost_acceleration", "cost", costAcceleration},
	{"underutilized_memory", "memory", underutilizedMemory},
	{"tool_success_rate", "tools", toolSuccessRate},
	{"model_churn", "quality", modelChurn},
	{"quality_declining", "quality", qualityDeclining},
	{"cost_quality_mismatch", "cost", costQualityMismatch},
	{"memory_helps", "memory", memoryHelps},
	{"low_coverage_warning", "quality", lowCoverage},
}

// SessionTips says what stands out in a session as a whole.
func SessionTips(all []Figures) []Tip {
	out := []Tip{}
	for _, r := range sessionRules {
		if w := r.judge(all); w.severity != "" {
			out = append(out, Tip{w.severity, r.category, r.name, w.message, w.suggestion})
		}
	}
	return out
}

// halves gives the averages of the first and the second half of at least four values.
func halves(values []float64) (first, second float64, ok bool) {
	if len(values) < 4 {
		return 0, 0, false
	}
	n := len(values) / 2
	return average(values[:n]), average(values[n:]), true
}

func average(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	if len(values) == 0 {
		return 0
	}
	return sum / float64(len(values))
}

// The use of the room grew by more than 15 points from the first half to the second.
func contextDrift(all []Figures) found {
	var used []float64
	for i := range all {
		if all[i].Room > 0 {
			used = append(used, share(all[i].prompt(), all[i].Room))
		}
	}
	first, second, ok := halves(used)
	if !ok || second <= first+.15 {
		return found{}
	}
	return found{warning, fmt.Sprintf("Prompts grew from %s to %s of the room", percent(first), percent(second)),
		"Start a new conversation for a new topic, before this one has to be summarised."}
}

// More than 40 % of the judged turns were complex (L2 or L3).
func frequentEscalation(all []Figures) found {
	complex, judged := 0, 0
	for i := range all {
		if all[i].Complexity >= 0 {
			judged++
			if l := all[i].Level(); l == "L2" || l == "L3" {
				complex++
			}
		}
	}
	if part := share(complex, judged); part > .40 {
		return found{warning, fmt.Sprintf("%s of the turns (%d of %d) were judged complex", percent(part), complex, judged),
			"Complex messages call for dearer models. Split large tasks into plain steps where you can."}
	}
	return found{}
}

// Turns of the second half cost more than half as much again.
func costAcceleration(all []Figures) found {
	var costs []float64
	for i := range all {
		costs = append(costs, float64(all[i].CostNanos))
	}
	first, second, ok := halves(costs)
	if !ok || first <= 0 || second <= first*1.5 {
		return found{}
	}
	return found{warning, fmt.Sprintf("A turn costs %s on average in the second half, %s in the first", dollars(int64(second)), dollars(int64(first))),
		"Each turn sends the conversation again. A new conversation starts small."}
}

// No prompt of the session had a memory in it.
func underutilizedMemory(all []Figures) found {
	known := 0
	for i := range all {
		if all[i].Room > 0 {
			known++
		}
		if all[i].Memory > 0 {
			return found{}
		}
	}
	if known == 0 {
		return found{}
	}
	return found{info, fmt.Sprintf("None of %d prompts had a memory in it (0 tokens)", known),
		"Tell the agent what to remember, or add it on the instance's memory page."}
}

// Fewer than 80 % of at least five calls succeeded; below 50 % is critical.
func toolSuccessRate(all []Figures) found {
	calls, failures := 0, 0
	for i := range all {
		calls, failures = calls+all[i].Calls, failures+all[i].Failures
	}
	if calls < 5 {
		return found{}
	}
	rate := 1 - share(failures, calls)
	if rate >= .80 {
		return found{}
	}
	return found{graver(rate < .50, critical, warning), fmt.Sprintf("%s of the tool calls succeeded (%d of %d failed)", percent(rate), failures, calls),
		"Look at the calls that failed most often: a missing program or a wrong path can be mended once for all."}
}

// More than three models answered.
func modelChurn(all []Figures) found {
	var names []string
	for i := range all {
		if m := all[i].Model; m != "" && !slices.Contains(names, m) {
			names = append(names, m)
		}
	}
	if len(names) <= 3 {
		return found{}
	}
	return found{info, fmt.Sprintf("%d models answered in %d turns: %s", len(names), len(all), strings.Join(names, ", ")),
		"Choose one model for the instance when tone and behaviour should stay the same."}
}

// Of at least four grades the second half is more than half a grade lower.
func qualityDeclining(all []Figures) found {
	var grades []float64
	for i := range all {
		if all[i].Grade > 0 {
			grades = append(grades, float64(all[i].Grade))
		}
	}
	first, second, ok := halves(grades)
	if !ok || first-second <= .5 {
		return found{}
	}
	return found{warning, fmt.Sprintf("The average grade went from %.1f to %.1f", first, second),
		"Long conversations lose their thread. Start a new one with what matters, or try another model."}
}

// byModel is what the turns of one model cost and how they were graded.
type byModel struct {
	name   string
	nanos  int64
	turns  int64
	grades []float64
}

func (m *byModel) cost() float64 { return float64(m.nanos) / float64(m.turns) }

// The model that costs most for a turn has lower grades than a cheaper one.
func costQualityMismatch(all []Figures) found {
	var list []*byModel
	for i := range all {
		n := slices.IndexFunc(list, func(m *byModel) bool { return m.name == all[i].Model })
		if n < 0 {
			n, list = len(list), append(list, &byModel{name: all[i].Model})
		}
		m := list[n]
		m.nanos, m.turns = m.nanos+all[i].CostNanos, m.turns+1
		if g := all[i].Grade; g > 0 {
			m.grades = append(m.grades, float64(g))
		}
	}
	list = slices.DeleteFunc(list, func(m *byModel) bool { return len(m.grades) == 0 })
	if len(list) < 2 {
		return found{}
	}
	dear := slices.MaxFunc(list, func(a, b *byModel) int { return cmp.Compare(a.cost(), b.cost()) })
	best := slices.MaxFunc(list, func(a, b *byModel) int { return cmp.Compare(average(a.grades), average(b.grades)) })
	if best.cost() >= dear.cost() || average(best.grades) <= average(dear.grades) {
		return found{}
	}
	return found{warning, fmt.Sprintf("%s costs most for a turn (%s) and is graded %.1f; %s costs less and is graded %.1f",
		dear.name, dollars(int64(dear.cost())), average(dear.grades), best.name, average(best.grades)), "Let " + best.name + " answer more of these."}
}

// Of at least two graded turns each, those with memories are more than half a grade better.
func memoryHelps(all []Figures) found {
	var with, without []float64
	for i := range all {
		switch {
		case all[i].Grade == 0 || all[i].Room == 0:
		case all[i].Memory > 0:
			with = append(with, float64(all[i].Grade))
		default:
			without = append(without, float64(all[i].Grade))
		}
	}
	if len(with) < 2 || len(without) < 2 || average(with) <= average(without)+.5 {
		return found{}
	}
	return found{info, fmt.Sprintf("Turns with memories are graded %.1f, those without %.1f", average(with), average(without)),
		"Keep what the agent should know in its memory."}
}

// Fewer than 20 % of at least fifty turns have a grade.
func lowCoverage(all []Figures) found {
	graded := 0
	for i := range all {
		if all[i].Grade > 0 {
			graded++
		}
	}
	part := share(graded, len(all))
	if len(all) < 50 || part >= .20 {
		return found{}
	}
	return found{info, fmt.Sprintf("%s of the turns have a grade (%d of %d)", percent(part), graded, len(all)),
		"Grade a few more answers: what is said of quality here rests on few."}
}
