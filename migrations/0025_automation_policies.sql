-- Automations that can be edited: what happens to missed and overlapping times, a spread of starting times, all of them held
-- back at once, calls that are kept and can be repeated, a trigger's second secret, and what each run cost.

-- +goose Up
ALTER TABLE automations ADD COLUMN fire_at TIMESTAMPTZ; -- next_at and its share of the jitter; null while it is held back
ALTER TABLE automations ADD COLUMN missed_policy TEXT NOT NULL DEFAULT 'once' CHECK (missed_policy IN ('skip', 'once', 'all'));
ALTER TABLE automations ADD COLUMN overlap TEXT NOT NULL DEFAULT 'skip' CHECK (overlap IN ('queue', 'skip', 'allow'));
ALTER TABLE automations ADD COLUMN jitter_seconds INTEGER NOT NULL DEFAULT 0;
ALTER TABLE automations ADD COLUMN description TEXT NOT NULL DEFAULT '';
ALTER TABLE automations ADD COLUMN action TEXT NOT NULL DEFAULT 'task' CHECK (action IN ('task', 'log', 'noop')); -- task: a turn with the prompt
ALTER TABLE automations ADD COLUMN payload TEXT NOT NULL DEFAULT ''; -- of the runtime API: JSON as it was given
ALTER TABLE automations ADD COLUMN allowed_from TEXT NOT NULL DEFAULT ''; -- of webhook: networks, one a line; '' = from everywhere
ALTER TABLE automations ADD COLUMN strict BOOLEAN NOT NULL DEFAULT FALSE; -- of webhook: one signed body is one call, whatever its id
ALTER TABLE automations ADD COLUMN old_secret_sealed BYTEA; -- of webhook: still valid until
ALTER TABLE automations ADD COLUMN old_secret_until TIMESTAMPTZ;
DROP INDEX automations_due;
UPDATE automations SET fire_at = next_at;
UPDATE automations SET overlap = 'queue' WHERE kind = 'webhook'; -- a call is never left out
CREATE INDEX automations_due ON automations (fire_at) WHERE state = 'active' AND fire_at IS NOT NULL;

ALTER TABLE organizations ADD COLUMN automations_held_at TIMESTAMPTZ; -- nothing runs by itself since
ALTER TABLE organizations ADD COLUMN automations_held_by TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN automations_held_at TIMESTAMPTZ;
ALTER TABLE instances ADD COLUMN automations_held_by TEXT NOT NULL DEFAULT '';

CREATE TABLE trigger_calls (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    automation_id   TEXT NOT NULL,
    source          TEXT NOT NULL CHECK (source IN ('call', 'console')),
    address         TEXT NOT NULL DEFAULT '',
    headers         TEXT NOT NULL DEFAULT '{}', -- JSON: name to value, secrets taken out
    body            BYTEA NOT NULL,
    repeats         INTEGER NOT NULL DEFAULT 0, -- how often it came again and started nothing
    repeated_at     TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, automation_id) REFERENCES automations (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX trigger_calls_list ON trigger_calls (organization_id, automation_id, id);
CREATE INDEX trigger_calls_old ON trigger_calls (created_at);

ALTER TABLE automation_runs RENAME TO automation_runs_before;
DROP INDEX automation_runs_due;
DROP INDEX automation_runs_list;
DROP INDEX automation_runs_turn;
DROP INDEX automation_runs_open;
DROP INDEX automation_runs_old;
CREATE TABLE automation_runs (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    automation_id   TEXT NOT NULL,
    cause           TEXT NOT NULL CHECK (cause IN ('due', 'now', 'call', 'replay', 'test')),
    due_at          TIMESTAMPTZ NOT NULL, -- the time it was for; of a call or a press of a button, when that was
    until_at        TIMESTAMPTZ, -- of times that were skipped one after the other: the last of them
    missed          INTEGER NOT NULL DEFAULT 0, -- other due times that it stands for too
    delivery        TEXT, -- what repetitions of a call are told by
    call_id         TEXT NOT NULL DEFAULT '', -- the call that it was started by
    replay_of       TEXT NOT NULL DEFAULT '', -- the run that it repeats
    state           TEXT NOT NULL CHECK (state IN ('running', 'produced', 'quiet', 'failed', 'skipped')),
    reason          TEXT NOT NULL DEFAULT '', -- why it failed or was skipped
    session_id      TEXT NOT NULL DEFAULT '',
    turn_id         TEXT NOT NULL DEFAULT '',
    cost_nanos      BIGINT NOT NULL DEFAULT 0,
    created_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, automation_id, delivery),
    FOREIGN KEY (organization_id, automation_id) REFERENCES automations (organization_id, id) ON DELETE CASCADE
);
INSERT INTO automation_runs (id, organization_id, automation_id, cause, due_at, missed, delivery, state, reason, session_id, turn_id, cost_nanos, created_at, ended_at)
SELECT r.id, r.organization_id, r.automation_id, r.cause, r.due_at, r.missed, r.delivery, r.state, r.reason, r.session_id, r.turn_id, coalesce(t.cost_nanos, 0), r.created_at, r.ended_at
FROM automation_runs_before r LEFT JOIN turns t ON t.organization_id = r.organization_id AND t.id = r.turn_id AND r.turn_id <> '';
DROP TABLE automation_runs_before;
-- One run for each due time, whatever the number of workers.
CREATE UNIQUE INDEX automation_runs_due ON automation_runs (automation_id, due_at) WHERE cause = 'due';
CREATE INDEX automation_runs_list ON automation_runs (organization_id, automation_id, id);
CREATE INDEX automation_runs_turn ON automation_runs (turn_id) WHERE turn_id <> '';
CREATE INDEX automation_runs_open ON automation_runs (automation_id) WHERE state = 'running';
CREATE INDEX automation_runs_call ON automation_runs (organization_id, call_id) WHERE call_id <> '';
CREATE INDEX automation_runs_month ON automation_runs (organization_id, created_at);
CREATE INDEX automation_runs_old ON automation_runs (ended_at);

-- +goose Down
ALTER TABLE automation_runs RENAME TO automation_runs_after;
DROP INDEX automation_runs_due;
DROP INDEX automation_runs_list;
DROP INDEX automation_runs_turn;
DROP INDEX automation_runs_open;
DROP INDEX automation_runs_call;
DROP INDEX automation_runs_month;
DROP INDEX automation_runs_old;
CREATE TABLE automation_runs (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    automation_id   TEXT NOT NULL,
    cause           TEXT NOT NULL CHECK (cause IN ('due', 'now', 'call')),
    due_at          TIMESTAMPTZ NOT NULL,
    missed          INTEGER NOT NULL DEFAULT 0,
    delivery        TEXT,
    state           TEXT NOT NULL CHECK (state IN ('running', 'produced', 'failed', 'skipped')),
    reason          TEXT NOT NULL DEFAULT '',
    session_id      TEXT NOT NULL DEFAULT '',
    turn_id         TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ,
    UNIQUE (organization_id, automation_id, delivery),
    FOREIGN KEY (organization_id, automation_id) REFERENCES automations (organization_id, id) ON DELETE CASCADE
);
INSERT INTO automation_runs SELECT id, organization_id, automation_id, CASE cause WHEN 'replay' THEN 'call' WHEN 'test' THEN 'call' ELSE cause END, due_at, missed, delivery,
    CASE state WHEN 'quiet' THEN 'produced' ELSE state END, reason, session_id, turn_id, created_at, ended_at FROM automation_runs_after;
DROP TABLE automation_runs_after;
CREATE UNIQUE INDEX automation_runs_due ON automation_runs (automation_id, due_at) WHERE cause = 'due';
CREATE INDEX automation_runs_list ON automation_runs (organization_id, automation_id, id);
CREATE INDEX automation_runs_turn ON automation_runs (turn_id) WHERE turn_id <> '';
CREATE INDEX automation_runs_open ON automation_runs (automation_id) WHERE state = 'running';
CREATE INDEX automation_runs_old ON automation_runs (ended_at);
DROP TABLE trigger_calls;
ALTER TABLE instances DROP COLUMN automations_held_by;
ALTER TABLE instances DROP COLUMN automations_held_at;
ALTER TABLE organizations DROP COLUMN automations_held_by;
ALTER TABLE organizations DROP COLUMN automations_held_at;
DROP INDEX automations_due;
CREATE INDEX automations_due ON automations (next_at) WHERE state = 'active' AND next_at IS NOT NULL;
ALTER TABLE automations DROP COLUMN old_secret_until;
ALTER TABLE automations DROP COLUMN old_secret_sealed;
ALTER TABLE automations DROP COLUMN strict;
ALTER TABLE automations DROP COLUMN allowed_from;
ALTER TABLE automations DROP COLUMN payload;
ALTER TABLE automations DROP COLUMN action;
ALTER TABLE automations DROP COLUMN description;
ALTER TABLE automations DROP COLUMN jitter_seconds;
ALTER TABLE automations DROP COLUMN overlap;
ALTER TABLE automations DROP COLUMN missed_policy;
ALTER TABLE automations DROP COLUMN fire_at;
