package models

import "lobstead/kit/id"

// dueRows are the rows of runs that are started together.
type dueRows struct {
	store                                *Store
	runs                                 []AutomationRun
	moved                                [][]any  // automations
	spoken                               []string // conversations that go on
	opened, turns, counts, events, begun [][]any  // rows that are new
	another                              [][]any  // runs that were left out, and stand for one time more
}

// add takes one in; false: it is to be started apart.
func (w *dueRows) add(d *dueAutomation, r Run) bool {
	now, sc := w.store.now(), w.store.In(d.OrganizationID)
	if !d.fresh(r) {
		return false
	}
	a := &d.Automation
	session := a.SessionID
	beside := d.underWayOf != nil && !r.Waits
	if r.Skip == "" && beside && a.Overlap == OverlapSkip {
		r.Skip = a.underWay(*d.underWayOf)
	}
	switch {
	case r.Skip != "":
		run, again := sc.skipped(a, r, r.Skip, d.newest)
		if again {
			w.another = append(w.another, []any{run.ID, run.UntilAt, run.EndedAt, run.Missed})
		} else {
			w.begun = append(w.begun, run.values())
		}
		w.runs = append(w.runs, *run)
	case !d.accepts(r, now):
		return false
	default:
		own := d.lastSeq
		if beside && a.Overlap == OverlapAllow {
			own = nil
		}
		run := sc.newRun(a, r)
		text, err := w.store.eventText(UserMessage{Text: r.Text, Source: r.Source, By: a.Name})
		if err != nil {
			return false
		}
		w.begin(a, run, r.Source, text, own)
		if d.lastSeq == nil {
			session = run.SessionID
		}
	}
	next := dueColumns(a.ID, a.JitterSeconds, r.Next)
	state := AutomationActive
	if r.Next == nil {
		state = AutomationDone
	}
	w.moved = append(w.moved, []any{a.ID, next["next_at"], next["fire_at"], string(state), session})
	return true
}

// begin adds a run with its turn and the message that begins it. lastSeq is where the log of the automation's conversation
// ends; nil = another one is opened.
func (w *dueRows) begin(a *Automation, run *AutomationRun, source, text string, lastSeq *int64) {
	now := run.CreatedAt
	if lastSeq == nil {
		s := a.newRunSession(now)
		run.SessionID, lastSeq = s.ID, new(int64)
		w.opened = append(w.opened, []any{s.ID, s.OrganizationID, s.InstanceID, s.Title, s.TitledBy, s.Category, s.Status, s.CreatedBy, 1, 1, now, now, now})
	} else {
		run.SessionID = a.SessionID
		w.spoken = append(w.spoken, a.SessionID)
	}
	t := a.newRunTurn(run, source, a.answers())
	t.InstanceID, t.InputSeq, run.TurnID = a.InstanceID, *lastSeq+1, t.ID
	m := t.messageEntry(now)
	w.turns = append(w.turns, []any{t.ID, t.OrganizationID, t.SessionID, t.InstanceID, t.Source, string(t.State), t.InputSeq, t.CreatedBy, t.KeyID, t.AutomationID, t.CreatedAt})
	w.counts = append(w.counts, []any{m.ID, m.OrganizationID, m.TurnID, m.InstanceID, m.SessionID, m.MemberID, m.KeyID, m.ScheduleID, m.CreatedAt})
	w.events = append(w.events, []any{id.New(), t.OrganizationID, t.SessionID, t.ID, t.InputSeq, string(KindUser), text, now})
	w.begun = append(w.begun, run.values())
	w.runs = append(w.runs, *run)
}

func (r *AutomationRun) values() []any {
	return []any{r.ID, r.OrganizationID, r.AutomationID, string(r.Cause), r.DueAt, r.UntilAt, r.Missed, string(r.State), r.Reason, r.SessionID, r.TurnID, r.CreatedAt, r.EndedAt}
}

// The columns of what is written; the others keep what they are born with.
var (
	movedColumns   = columns("id text, next_at timestamptz, fire_at timestamptz, state text, session_id text")
	openedColumns  = columns("id text, organization_id text, instance_id text, title text, titled_by text, category text, status text, created_by text, last_seq bigint, message_count bigint, last_message_at timestamptz, created_at timestamptz, updated_at timestamptz")
	turnColumns    = columns("id text, organization_id text, session_id text, instance_id text, source text, state text, input_seq bigint, created_by text, key_id text, automation_id text, created_at timestamptz")
	countColumns   = columns("id text, organization_id text, turn_id text, instance_id text, session_id text, member_id text, key_id text, schedule_id text, created_at timestamptz")
	eventColumns   = columns("id text, organization_id text, session_id text, turn_id text, seq bigint, kind text, data json, created_at timestamptz")
	begunColumns   = columns("id text, organization_id text, automation_id text, cause text, due_at timestamptz, until_at timestamptz, missed integer, state text, reason text, session_id text, turn_id text, created_at timestamptz, ended_at timestamptz")
	anotherColumns = columns("id text, until_at timestamptz, ended_at timestamptz, missed integer")
)

// write writes all rows, parents first.
func (w *dueRows) write(d direct) error {
	if err := d.updateAll("automations", movedColumns, w.moved); err != nil {
		return err
	}
	if len(w.spoken) > 0 {
		now := w.store.now()
		places, ids := among(w.spoken)
		if _, err := d.exec("UPDATE sessions SET last_seq = last_seq + 1, message_count = message_count + 1, last_message_at = ?, updated_at = ? WHERE id IN "+places,
			append([]any{now, now}, ids...)...); err != nil {
			return err
		}
	}
	for _, t := range []struct {
		table string
		cols  []column
		rows  [][]any
	}{
		{"sessions", openedColumns, w.opened},
		{"turns", turnColumns, w.turns},
		{"message_entries", countColumns, w.counts},
		{"events", eventColumns, w.events},
		{"automation_runs", begunColumns, w.begun},
	} {
		if err := d.insertAll(t.table, t.cols, t.rows); err != nil {
			return err
		}
	}
	return d.updateAll("automation_runs", anotherColumns, w.another)
}
