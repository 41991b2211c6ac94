package agent

import (
	"context"
	"slices"

	"lobstead/models"
)

// logbook is the part of a session's log that the model may see: what came after the last compaction, without
// the messages that still wait for their own turn. Events never change, so it is read once and then grows by
// what this turn writes.
type logbook struct {
	events []models.Event
	waits  map[string]bool // turns whose message must not be seen yet
}

func (b *logbook) add(rows ...models.Event) { b.events = append(b.events, rows...) }

// turnEvents gives the events of one turn, in order.
func (b *logbook) turnEvents(turn string) []models.Event {
	var out []models.Event
	for _, e := range b.events {
		if e.TurnID != nil && *e.TurnID == turn {
			out = append(out, e)
		}
	}
	return out
}

func (b *logbook) hasUploads(turn string) bool {
	for _, e := range b.turnEvents(turn) {
		if e.Kind == models.KindUser {
			m, err := models.Decode[models.UserMessage](e)
			return err == nil && len(m.Attachments) > 0
		}
	}
	return false
}

// load reads the session, its log and the turns that wait. The log comes before the turns: a message that
// arrives in between is then in neither.
func (x *run) load(ctx context.Context) error {
	var err error
	if x.session, err = x.sc.Session(ctx, x.turn.SessionID); err != nil {
		return err
	}
	events, err := x.sc.Events(ctx, x.session.ID, x.session.CompactedSeq, 0)
	if err != nil {
		return err
	}
	open, err := x.sc.OpenTurns(ctx, x.session.ID)
	if err != nil {
		return err
	}
	waits := map[string]bool{}
	for _, t := range open {
		waits[t.ID] = t.ID != x.turn.ID
	}
	if events, err = x.withQuestions(ctx, events, waits); err != nil {
		return err
	}
	if x.turn.Channel != "" {
		if x.alike, err = x.sc.JoinedTurns(ctx, x.turn.ID); err != nil {
			return err
		}
		if x.profile.Fresh {
			events = x.afresh(events)
		}
	}
	x.book = logbook{events: events, waits: waits}
	x.history = nil
	return nil
}

// afresh leaves what belongs to the messages that are being answered: this agent begins each time without what was said before. A
// summary counts when it is of this turn.
func (x *run) afresh(events []models.Event) []models.Event {
	mine, own := []models.Event{}, false
	for _, e := range events {
		if e.TurnID == nil || *e.TurnID != x.turn.ID && !slices.Contains(x.alike, *e.TurnID) {
			continue
		}
		mine, own = append(mine, e), own || e.Kind == models.KindCompacted
	}
	if !own {
		forgotten := *x.session
		forgotten.Summary = ""
		x.session = &forgotten
	}
	return mine
}

// withQuestions adds the messages that were compacted away while something after them is still visible: a
// message that waited while an earlier turn grew long, or the question of a turn that outgrew the window. What
// is being answered must be seen.
func (x *run) withQuestions(ctx context.Context, events []models.Event, waits map[string]bool) ([]models.Event, error) {
	if x.session.CompactedSeq == 0 {
		return events, nil
	}
	asked, turns := map[string]bool{}, []string{x.turn.ID}
	for _, e := range events {
		if e.TurnID == nil || waits[*e.TurnID] {
			continue
		}
		if e.Kind == models.KindUser {
			asked[*e.TurnID] = true
		} else if e.Kind != models.KindCompacted && !slices.Contains(turns, *e.TurnID) {
			turns = append(turns, *e.TurnID)
		}
	}
	for _, turn := range turns {
		if asked[turn] {
			continue
		}
		log, err := x.sc.TurnEvents(ctx, turn)
		if err != nil {
			return nil, err
		}
		for _, e := range log {
			if e.Kind == models.KindUser {
				events = append(events, e)
			}
		}
	}
	slices.SortStableFunc(events, func(a, b models.Event) int { return int(a.Seq - b.Seq) })
	return events, nil
}

// block is one turn's part of the log.
type block struct {
	turn   string
	events []models.Event // the message first
	at     int64          // where the turn began to run: the seq of its first event after the message
	last   int64          // the highest seq
}

// neverBegan tells of a message that was taken back before any worker claimed it: nobody was asked it.
func (b block) neverBegan() bool {
	return slices.ContainsFunc(b.events, func(e models.Event) bool { return e.Kind == models.KindEnded && e.Attempt == 0 })
}

// blocks sorts a log by turns, in the order in which they ran: a message may have come while an earlier turn
// was still at work, and must not stand between that turn's calls and their results. The current turn is last.
func (b *logbook) blocks(current string) []block {
	var out []block
	index := map[string]int{}
	for _, e := range b.events {
		turn := ""
		if e.TurnID != nil {
			turn = *e.TurnID
		}
		if b.waits[turn] || e.Kind == models.KindCompacted {
			continue
		}
		i, ok := index[turn]
		if !ok || turn == "" {
			i = len(out)
			index[turn] = i
			out = append(out, block{turn: turn, at: 1 << 62})
		}
		k := &out[i]
		if e.Kind != models.KindUser {
			k.at = min(k.at, e.Seq)
		}
		k.last = max(k.last, e.Seq)
		k.events = append(k.events, e)
	}
	for i := range out {
		if out[i].turn == current {
			out[i].at = 1<<62 + 1
		} else if out[i].at == 1<<62 { // nothing but a message: a turn whose end was compacted, or an import
			out[i].at = out[i].last
		}
	}
	slices.SortStableFunc(out, func(a, b block) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
	return out
}
