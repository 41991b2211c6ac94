package models

import (
	"context"
	"database/sql"
	"strconv"
	"time"

	"gorm.io/gorm"
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
			// Hundreds of rows are looked up by their keys, in tables of millions: it would rather read those whole.
			"SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true) WHERE '' NOT IN " + these,
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
