package agent

import (
	"lobstead/engine/llm"
	"lobstead/models"
)

// Assemble gives the messages that a log becomes for the turn current, as the loop builds them.
func Assemble(log []models.Event, waits map[string]bool, current string) ([]llm.Message, error) {
	b := logbook{events: log, waits: waits}
	t := transcript{}
	for _, k := range b.blocks(current) {
		t.thinking = k.turn == current
		if err := t.block(k); err != nil {
			return nil, err
		}
	}
	return t.out, nil
}

// Border gives the seqs that a compaction of the first n blocks would hide, and the seq it hides through.
func Border(log []models.Event, waits map[string]bool, current string, n int) (hidden []int64, through int64) {
	b := logbook{events: log, waits: waits}
	blocks := b.blocks(current)
	n = min(n, len(blocks))
	if n == len(blocks) && n > 0 && blocks[n-1].turn == current {
		n--
	}
	for _, k := range border(blocks, n, current) {
		through = max(through, k.last)
		for _, e := range k.events {
			hidden = append(hidden, e.Seq)
		}
	}
	return hidden, through
}

var (
	UnifiedDiff = unifiedDiff
	Readable    = readable
	PlainTitle  = plainTitle
	ClipMiddle  = clipMiddle
	WholeRunes  = wholeRunes
	Extract     = extract
)

// Measure is what keeping a step does with its messages.
func Measure(m []llm.Message) int { return measure(m).tokens }
