-- The fleet: agents that are paused, what is said of them beyond their size, messages and how far they got, and budgets that count
-- what is written alone.

-- +goose Up
ALTER TABLE instances ADD COLUMN paused_at TIMESTAMPTZ; -- its turns wait since then
ALTER TABLE instances ADD COLUMN env_sealed BYTEA; -- JSON object: what its sandbox finds in the environment

-- Files that a new instance begins with, until its sandbox has them.
CREATE TABLE instance_files (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    path            TEXT NOT NULL, -- in the workspace
    data            BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, instance_id, path),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE agent_profiles (
    instance_id       TEXT PRIMARY KEY,
    organization_id   TEXT NOT NULL,
    title             TEXT NOT NULL DEFAULT '', -- what programs call it, where its name would not do
    slug              TEXT NOT NULL DEFAULT '', -- the instance's name that the title was given with
    description       TEXT NOT NULL DEFAULT '',
    instructions      TEXT NOT NULL DEFAULT '', -- what the agent is told before anything else
    instructions_mode TEXT NOT NULL DEFAULT 'append' CHECK (instructions_mode IN ('append', 'replace')),
    fresh             BOOLEAN NOT NULL DEFAULT FALSE, -- each message begins without what was said before
    settings          TEXT NOT NULL DEFAULT '{}', -- JSON: the rest, in the fleet API's words
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);

ALTER TABLE turns ADD COLUMN channel TEXT NOT NULL DEFAULT ''; -- of a message: by which way it came; its answer goes there
ALTER TABLE turns ADD COLUMN queue_mode TEXT NOT NULL DEFAULT '';
ALTER TABLE turns ADD COLUMN joined_to TEXT NOT NULL DEFAULT ''; -- the turn that answers this one's message together with its own
CREATE INDEX turns_joined ON turns (organization_id, joined_to) WHERE joined_to <> '';

-- What goes in and out of an agent by a channel. The words are the event's.
CREATE TABLE messages (
    id              TEXT PRIMARY KEY, -- the event's
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    turn_id         TEXT NOT NULL,
    seq             BIGINT NOT NULL, -- of the event
    role            TEXT NOT NULL CHECK (role IN ('user', 'assistant')),
    channel         TEXT NOT NULL,
    channel_id      TEXT NOT NULL DEFAULT '', -- the account it came by; '' for the API's
    person_id       TEXT NOT NULL DEFAULT '', -- user: whom the agent talks to
    queue_mode      TEXT NOT NULL DEFAULT '',
    reply_to_id     TEXT NOT NULL DEFAULT '', -- the message that it answers
    metadata        TEXT NOT NULL DEFAULT '', -- JSON object of the sender's
    peer            TEXT NOT NULL DEFAULT '', -- JSON: where the answer goes
    delivered_at    TIMESTAMPTZ, -- of the assistant's: when it had left
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX messages_list ON messages (organization_id, instance_id, id);
CREATE INDEX messages_person ON messages (organization_id, instance_id, person_id, id);
CREATE INDEX messages_turn ON messages (turn_id);
CREATE INDEX messages_session ON messages (session_id);

-- Budgets have another unit: output_tokens.
CREATE TABLE budgets_new (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    scope           TEXT NOT NULL CHECK (scope IN ('organization', 'member', 'key', 'instance', 'session', 'schedule')),
    target_id       TEXT NOT NULL DEFAULT '',
    unit            TEXT NOT NULL CHECK (unit IN ('money', 'tokens', 'output_tokens', 'messages')),
    period          TEXT NOT NULL CHECK (period IN ('day', 'month', 'total')),
    amount          BIGINT NOT NULL CHECK (amount >= 0),
    warn_percent    INTEGER NOT NULL CHECK (warn_percent >= 0 AND warn_percent <= 100),
    set_by          TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, scope, target_id, unit, period)
);
CREATE TABLE budget_balances_new (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    budget_id       TEXT NOT NULL,
    period_start    TIMESTAMPTZ NOT NULL,
    reserved        BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    spent           BIGINT NOT NULL DEFAULT 0 CHECK (spent >= 0),
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, budget_id, period_start),
    FOREIGN KEY (organization_id, budget_id) REFERENCES budgets_new (organization_id, id) ON DELETE CASCADE
);
INSERT INTO budgets_new SELECT id, organization_id, scope, target_id, unit, period, amount, warn_percent, set_by, created_at, updated_at FROM budgets;
INSERT INTO budget_balances_new SELECT id, organization_id, budget_id, period_start, reserved, spent, created_at FROM budget_balances;
DROP TABLE budget_balances;
DROP TABLE budgets;
ALTER TABLE budgets_new RENAME TO budgets;
ALTER TABLE budget_balances_new RENAME TO budget_balances;

-- +goose Down
CREATE TABLE budgets_old (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    scope           TEXT NOT NULL CHECK (scope IN ('organization', 'member', 'key', 'instance', 'session', 'schedule')),
    target_id       TEXT NOT NULL DEFAULT '',
    unit            TEXT NOT NULL CHECK (unit IN ('money', 'tokens', 'messages')),
    period          TEXT NOT NULL CHECK (period IN ('day', 'month', 'total')),
    amount          BIGINT NOT NULL CHECK (amount >= 0),
    warn_percent    INTEGER NOT NULL CHECK (warn_percent >= 0 AND warn_percent <= 100),
    set_by          TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, scope, target_id, unit, period)
);
CREATE TABLE budget_balances_old (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    budget_id       TEXT NOT NULL,
    period_start    TIMESTAMPTZ NOT NULL,
    reserved        BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    spent           BIGINT NOT NULL DEFAULT 0 CHECK (spent >= 0),
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, budget_id, period_start),
    FOREIGN KEY (organization_id, budget_id) REFERENCES budgets_old (organization_id, id) ON DELETE CASCADE
);
INSERT INTO budgets_old SELECT id, organization_id, scope, target_id, unit, period, amount, warn_percent, set_by, created_at, updated_at FROM budgets WHERE unit <> 'output_tokens';
INSERT INTO budget_balances_old SELECT id, organization_id, budget_id, period_start, reserved, spent, created_at FROM budget_balances WHERE budget_id IN (SELECT id FROM budgets_old);
DROP TABLE budget_balances;
DROP TABLE budgets;
ALTER TABLE budgets_old RENAME TO budgets;
ALTER TABLE budget_balances_old RENAME TO budget_balances;
DROP TABLE messages;
DROP INDEX turns_joined;
ALTER TABLE turns DROP COLUMN joined_to;
ALTER TABLE turns DROP COLUMN queue_mode;
ALTER TABLE turns DROP COLUMN channel;
DROP TABLE agent_profiles;
DROP TABLE instance_files;
ALTER TABLE instances DROP COLUMN env_sealed;
ALTER TABLE instances DROP COLUMN paused_at;
