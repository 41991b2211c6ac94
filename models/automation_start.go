package models

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/id"
)

// Many schedules are due at the same second: on the hour, at nine. So what is due is started many at a time, over all
// organizations, in a few statements each of which writes a row for all of them. What is ordinary goes this way; whatever
// meets a rule goes the way of StartRun, one by one, and so does everything when the rows cannot be written together.

// StartedRuns is what StartDue did.
type StartedRuns struct {
	Runs  []AutomationRun // that began, with a turn that is accepted, or that their policy left out
	Apart []Automation    // to be started by StartRun, each for itself
	Last  *Automation     // the last one that was looked at; nil: nothing is due
}

// MostDue is how many automations one transaction starts at most.
const MostDue = mostAmong

// StartDue starts what is due, the longest due first, after one that was looked at before (nil = from the beginning), at most
// MostDue. plan says what is to be done about each; one with an error is left apart. All are one transaction, like those of
// StartRun: the due times are moved on, and the runs, the turns and their messages are written together or not at all. Several
// workers never wait for each other: what another one holds is passed over. After an error nothing was written, and what was
// due is Apart.
func (sy *System) StartDue(ctx context.Context, after *Automation, plan func(*Automation) (Run, error)) (StartedRuns, error) {
	var out StartedRuns
	var due []dueAutomation
	err := sy.tx(sy.store.brief(ctx), func(tx *gorm.DB) error {
		var err error
		if due, err = sy.takeDue(within(tx), after); err != nil || len(due) == 0 {
			return err
		}
		w := dueRows{store: sy.store}
		for n := range due {
			d := &due[n]
			if r, err := plan(&d.Automation); err != nil || !w.add(d, r) {
				out.Apart = append(out.Apart, d.Automation)
			}
		}
		out.Runs = w.runs
		return w.write(within(tx))
	})
	if len(due) > 0 {
		out.Last = &due[len(due)-1].Automation
	}
	if err != nil {
		out.Runs, out.Apart = nil, nil
		for _, d := range due {
			out.Apart = append(out.Apart, d.Automation)
		}
	}
	return out, err
}

// dueAutomation is one that is due, with what the rules of a run look at.
type dueAutomation struct {
	Automation
	agentsOn   bool
	counted    bool // a budget in messages may count its turn
	instance   Instance
	makerRole  Role    // "" = gone, or blocked
	key        *APIKey // that made it
	lastSeq    *int64  // of its conversation; nil = there is none
	queued     int64   // turns that wait there
	underWayOf *time.Time
	before     *AutomationRun // the run of the last due time up to this one
	newest     *AutomationRun
}

// takeDue locks what is due with its conversations, in the order in which StartRun does, and only then reads.
func (sy *System) takeDue(d direct, after *Automation) ([]dueAutomation, error) {
	where, args := "", []any{sy.store.now()}
	if after != nil {
		where, args = " AND (a.fire_at > ? OR a.fire_at = ? AND a.id > ?)", append(args, after.FireAt, after.FireAt, after.ID)
	}
	ids := []string{}
	err := d.each(func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		ids = append(ids, id)
		return err
	}, "SELECT a.id FROM automations a WHERE a.state = 'active' AND a.fire_at IS NOT NULL AND a.fire_at <= ?"+where+
		" ORDER BY a.fire_at, a.id LIMIT ?"+d.lockFree("a"), append(args, MostDue)...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	these, args := among(ids)
	if d.postgres { // SQLite's transactions follow each other
		for _, lock := range []string{
			"SELECT s.id FROM sessions s JOIN automations a ON a.session_id = s.id AND a.organization_id = s.organization_id WHERE a.id IN " + these + " ORDER BY s.id FOR UPDATE OF s",
			"SELECT pg_advisory_xact_lock_shared(" + strconv.Itoa(ledgerLock) + ", hashtext(o.id)) FROM (SELECT DISTINCT organization_id AS id FROM automations WHERE id IN " + these + " ORDER BY 1) o",
		} {
			if _, err := d.exec(lock, args...); err != nil {
				return nil, err
			}
		}
	}
	due := make([]dueAutomation, 0, len(ids))
	err = d.each(func(scan func(...any) error) error {
		due = append(due, dueAutomation{})
		return due[len(due)-1].read(scan)
	}, dueFacts+these+" ORDER BY a.fire_at, a.id", args...)
	return due, err
}

// dueFacts reads automations with what their rules look at. Times come from columns of tables, so that SQLite's driver knows them.
const dueFacts = `SELECT a.id, a.organization_id, a.instance_id, a.session_id, a.name, a.prompt, a.kind, a.expression, a.starts_at, a.time_zone, a.state,
	a.next_at, a.fire_at, a.missed_policy, a.overlap, a.jitter_seconds, a.action, a.created_by, a.created_name, a.key_id,
	coalesce(own.enabled, every.enabled), EXISTS (SELECT 1 FROM budgets b WHERE b.organization_id = a.organization_id AND b.unit = 'messages'),
	i.desired, i.state, m.role, u.blocked_at, k.id, k.revoked_at, k.expires_at, s.last_seq,
	(SELECT count(*) FROM turns t WHERE t.organization_id = a.organization_id AND t.session_id = a.session_id AND t.state = 'queued' AND t.` + isOpen + `),
	g.due_at, d.due_at, d.until_at, l.id, l.state, l.cause, l.reason, l.missed, l.due_at, l.until_at
	FROM automations a
	JOIN instances i ON i.organization_id = a.organization_id AND i.id = a.instance_id
	LEFT JOIN organization_flags own ON own.organization_id = a.organization_id AND own.name = '` + FlagAgents + `'
	LEFT JOIN feature_flags every ON every.name = '` + FlagAgents + `'
	LEFT JOIN memberships m ON m.organization_id = a.organization_id AND m.user_id = a.created_by
	LEFT JOIN users u ON u.id = m.user_id
	LEFT JOIN api_keys k ON k.organization_id = a.organization_id AND k.id = a.key_id
	LEFT JOIN sessions s ON s.organization_id = a.organization_id AND s.id = a.session_id
	LEFT JOIN automation_runs g ON g.id = (SELECT r.id FROM automation_runs r WHERE r.automation_id = a.id AND r.state = 'running' ORDER BY r.id LIMIT 1)
	LEFT JOIN automation_runs d ON d.id = (SELECT r.id FROM automation_runs r WHERE r.automation_id = a.id AND r.cause = 'due' AND r.due_at <= a.next_at ORDER BY r.due_at DESC LIMIT 1)
	LEFT JOIN automation_runs l ON l.id = (SELECT r.id FROM automation_runs r WHERE r.organization_id = a.organization_id AND r.automation_id = a.id ORDER BY r.id DESC LIMIT 1)
	WHERE a.id IN `

func (d *dueAutomation) read(scan func(...any) error) error {
	a := &d.Automation
	var on sql.NullBool
	var role, keyID, newest, state, cause, reason sql.NullString
	var missed sql.NullInt64
	var blocked, revoked, expires, before, beforeUntil, newestDue, newestUntil *time.Time
	err := scan(&a.ID, &a.OrganizationID, &a.InstanceID, &a.SessionID, &a.Name, &a.Prompt, &a.Kind, &a.Expression, &a.StartsAt, &a.TimeZone, &a.State,
		&a.NextAt, &a.FireAt, &a.MissedPolicy, &a.Overlap, &a.JitterSeconds, &a.Action, &a.CreatedBy, &a.CreatedName, &a.KeyID,
		&on, &d.counted, &d.instance.Desired, &d.instance.State, &role, &blocked, &keyID, &revoked, &expires, &d.lastSeq, &d.queued,
		&d.underWayOf, &before, &beforeUntil, &newest, &state, &cause, &reason, &missed, &newestDue, &newestUntil)
	if err != nil {
		return err
	}
	d.agentsOn = !on.Valid || on.Bool
	if blocked == nil {
		d.makerRole = Role(role.String)
	}
	if keyID.Valid {
		d.key = &APIKey{ID: keyID.String, RevokedAt: revoked, ExpiresAt: expires}
	}
	if before != nil {
		d.before = &AutomationRun{DueAt: *before, UntilAt: beforeUntil}
	}
	if newest.Valid {
		d.newest = &AutomationRun{ID: newest.String, OrganizationID: a.OrganizationID, AutomationID: a.ID, State: RunState(state.String), Cause: RunCause(cause.String),
			Reason: reason.String, Missed: int(missed.Int64), DueAt: *newestDue, UntilAt: newestUntil}
	}
	return nil
}

// fresh tells whether a due time is what it was taken for, and had no run before: the clock may have been set back.
func (d *dueAutomation) fresh(r Run) bool {
	return d.NextAt != nil && d.NextAt.Equal(r.Due) && d.agentsOn && (d.before == nil || d.before.covered().Before(r.Due))
}

// accepts tells whether its turn is accepted: no rule refuses or counts it.
func (d *dueAutomation) accepts(r Run, now time.Time) bool {
	in := Input{Text: r.Text, Source: r.Source}
	return d.Action == ActionTask && !d.counted && in.check() == nil && d.mayStillRun(d.makerRole, d.key, now) == nil &&
		d.instance.Desired != WantDeleted && d.instance.Desired != WantStopped && d.instance.State != Suspended && d.queued < MaxQueued
}

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
	t := a.newRunTurn(run, source)
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

// write writes all rows, parents first.
func (w *dueRows) write(d direct) error {
	if err := d.updateAll("automations", []string{"id text", "next_at timestamptz", "fire_at timestamptz", "state text", "session_id text"}, w.moved); err != nil {
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
		table, columns string
		rows           [][]any
	}{
		{"sessions", "id, organization_id, instance_id, title, titled_by, category, status, created_by, last_seq, message_count, last_message_at, created_at, updated_at", w.opened},
		{"turns", "id, organization_id, session_id, instance_id, source, state, input_seq, created_by, key_id, automation_id, created_at", w.turns},
		{"message_entries", "id, organization_id, turn_id, instance_id, session_id, member_id, key_id, schedule_id, created_at", w.counts},
		{"events", "id, organization_id, session_id, turn_id, seq, kind, data, created_at", w.events},
		{"automation_runs", "id, organization_id, automation_id, cause, due_at, until_at, missed, state, reason, session_id, turn_id, created_at, ended_at", w.begun},
	} {
		if err := d.insertAll(t.table, t.columns, t.rows); err != nil {
			return err
		}
	}
	return d.updateAll("automation_runs", []string{"id text", "until_at timestamptz", "ended_at timestamptz", "missed integer"}, w.another)
}
