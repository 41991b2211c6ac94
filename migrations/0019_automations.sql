-- Automations: what an agent does by itself, at times or when it is called from outside, and each of its runs.

-- +goose Up
CREATE TABLE automations (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    session_id      TEXT NOT NULL DEFAULT '', -- the conversation of its runs; '' or one that is deleted: the next run opens one
    name            TEXT NOT NULL,
    prompt          TEXT NOT NULL, -- what the agent is told
    kind            TEXT NOT NULL CHECK (kind IN ('cron', 'every', 'once', 'webhook')),
    expression      TEXT NOT NULL DEFAULT '', -- of cron: five fields; of every: "45 minutes"
    starts_at       TIMESTAMPTZ, -- of once: when; of every: the first time
    time_zone       TEXT NOT NULL DEFAULT 'UTC',
    state           TEXT NOT NULL CHECK (state IN ('active', 'paused', 'done')),
    next_at         TIMESTAMPTZ, -- when it is due; null: never, or while it is paused
    secret_sealed   BYTEA, -- of webhook
    created_by      TEXT NOT NULL DEFAULT '', -- user: whose budgets it falls under
    created_name    TEXT NOT NULL DEFAULT '',
    key_id          TEXT NOT NULL DEFAULT '', -- of the key that made it
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX automations_due ON automations (next_at) WHERE state = 'active' AND next_at IS NOT NULL;
CREATE INDEX automations_instance ON automations (organization_id, instance_id);

CREATE TABLE automation_runs (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    automation_id   TEXT NOT NULL,
    cause           TEXT NOT NULL CHECK (cause IN ('due', 'now', 'call')),
    due_at          TIMESTAMPTZ NOT NULL, -- the time it was for; of a call or a press of a button, when that was
    missed          INTEGER NOT NULL DEFAULT 0, -- due times before it that this run stands for too
    delivery        TEXT, -- what repetitions of a call are told by
    state           TEXT NOT NULL CHECK (state IN ('running', 'produced', 'failed', 'skipped')),
    reason          TEXT NOT NULL DEFAULT '', -- why it failed or was skipped
    session_id      TEXT NOT NULL DEFAULT '',
    turn_id         TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ,
    UNIQUE (organization_id, automation_id, delivery),
    FOREIGN KEY (organization_id, automation_id) REFERENCES automations (organization_id, id) ON DELETE CASCADE
);
-- One run for each due time, whatever the number of workers.
CREATE UNIQUE INDEX automation_runs_due ON automation_runs (automation_id, due_at) WHERE cause = 'due';
CREATE INDEX automation_runs_list ON automation_runs (organization_id, automation_id, id);
CREATE INDEX automation_runs_turn ON automation_runs (turn_id) WHERE turn_id <> '';
CREATE INDEX automation_runs_open ON automation_runs (automation_id) WHERE state = 'running';
CREATE INDEX automation_runs_old ON automation_runs (ended_at);

ALTER TABLE turns ADD COLUMN automation_id TEXT NOT NULL DEFAULT ''; -- whose run it is: budgets of schedules count it

-- +goose Down
DELETE FROM budgets WHERE scope = 'schedule';
ALTER TABLE turns DROP COLUMN automation_id;
DROP TABLE automation_runs;
DROP TABLE automations;
