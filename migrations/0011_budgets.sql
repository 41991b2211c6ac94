-- Budgets: what may be spent, by whom, in which period; what is spent and held of each; and which calls are under way.

-- +goose Up
ALTER TABLE organizations ADD COLUMN time_zone TEXT NOT NULL DEFAULT 'UTC'; -- IANA: when its days and months begin
ALTER TABLE turns ADD COLUMN key_id TEXT NOT NULL DEFAULT ''; -- of the key that sent the message
ALTER TABLE turns ADD COLUMN waits_for TEXT NOT NULL DEFAULT '' CHECK (waits_for IN ('', 'budget')); -- parked: no worker holds it
ALTER TABLE turns ADD COLUMN wait_until TIMESTAMPTZ; -- when it is tried again by itself
CREATE INDEX turns_parked ON turns (wait_until) WHERE waits_for <> '';
CREATE INDEX turns_parked_of ON turns (organization_id) WHERE waits_for <> '';

ALTER TABLE ledger_entries ADD COLUMN member_id TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger_entries ADD COLUMN key_id TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger_entries ADD COLUMN schedule_id TEXT NOT NULL DEFAULT '';
ALTER TABLE ledger_entries ADD COLUMN reserved_at TIMESTAMPTZ; -- the period that a call counts in is that of its beginning
UPDATE ledger_entries SET reserved_at = created_at;
CREATE INDEX ledger_entries_counted ON ledger_entries (organization_id, reserved_at) WHERE kind = 'settle';

-- Append-only, as ledger_entries: every message that was accepted.
CREATE TABLE message_entries (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    turn_id         TEXT NOT NULL,
    instance_id     TEXT NOT NULL DEFAULT '',
    session_id      TEXT NOT NULL DEFAULT '',
    member_id       TEXT NOT NULL DEFAULT '',
    key_id          TEXT NOT NULL DEFAULT '',
    schedule_id     TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, turn_id)
);
CREATE INDEX message_entries_time ON message_entries (organization_id, created_at);
-- What was said before there were budgets counts too; ids of turns are unique, so they serve.
INSERT INTO message_entries (id, organization_id, turn_id, instance_id, session_id, member_id, created_at)
    SELECT id, organization_id, id, instance_id, session_id, created_by, created_at FROM turns;

CREATE TABLE budgets (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    scope           TEXT NOT NULL CHECK (scope IN ('organization', 'member', 'key', 'instance', 'session', 'schedule')),
    target_id       TEXT NOT NULL DEFAULT '', -- whose; '' for the organization's
    unit            TEXT NOT NULL CHECK (unit IN ('money', 'tokens', 'messages')),
    period          TEXT NOT NULL CHECK (period IN ('day', 'month', 'total')),
    amount          BIGINT NOT NULL CHECK (amount >= 0), -- nano-dollars, tokens or messages
    warn_percent    INTEGER NOT NULL CHECK (warn_percent >= 0 AND warn_percent <= 100), -- 0 = no warning
    set_by          TEXT NOT NULL, -- name of who set it last
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, scope, target_id, unit, period)
);

-- Running sums, so that a call asks one row and not the history. They equal the sums of the entries at any time.
CREATE TABLE budget_balances (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    budget_id       TEXT NOT NULL,
    period_start    TIMESTAMPTZ NOT NULL,
    reserved        BIGINT NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    spent           BIGINT NOT NULL DEFAULT 0 CHECK (spent >= 0),
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, budget_id, period_start),
    FOREIGN KEY (organization_id, budget_id) REFERENCES budgets (organization_id, id) ON DELETE CASCADE
);

-- Calls under way. A row goes with its call's settlement; one whose lease ran out is settled by the sweep.
CREATE TABLE reservations (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    call_id         TEXT NOT NULL,
    turn_id         TEXT NOT NULL DEFAULT '',
    member_id       TEXT NOT NULL DEFAULT '',
    key_id          TEXT NOT NULL DEFAULT '',
    holds           TEXT NOT NULL, -- JSON: what it holds of which balance
    input_tokens    INTEGER NOT NULL DEFAULT 0, -- known so far
    output_tokens   INTEGER NOT NULL DEFAULT 0,
    cost_nanos      BIGINT NOT NULL DEFAULT 0,
    lease_until     TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, call_id)
);
CREATE INDEX reservations_lease ON reservations (lease_until);
CREATE INDEX reservations_turn ON reservations (organization_id, turn_id);
-- Calls that a killed process left open: the sweep settles them.
INSERT INTO reservations (id, organization_id, call_id, turn_id, holds, lease_until, created_at)
    SELECT e.id, e.organization_id, e.call_id, e.turn_id, '[]', e.created_at, e.created_at FROM ledger_entries e
    WHERE e.kind = 'reserve' AND NOT EXISTS (SELECT 1 FROM ledger_entries s WHERE s.organization_id = e.organization_id AND s.call_id = e.call_id AND s.kind = 'settle');

-- +goose Down
DROP TABLE reservations;
DROP TABLE budget_balances;
DROP TABLE budgets;
DROP TABLE message_entries;
DROP INDEX ledger_entries_counted;
ALTER TABLE ledger_entries DROP COLUMN reserved_at;
ALTER TABLE ledger_entries DROP COLUMN schedule_id;
ALTER TABLE ledger_entries DROP COLUMN key_id;
ALTER TABLE ledger_entries DROP COLUMN member_id;
DROP INDEX turns_parked_of;
DROP INDEX turns_parked;
ALTER TABLE turns DROP COLUMN wait_until;
ALTER TABLE turns DROP COLUMN waits_for;
ALTER TABLE turns DROP COLUMN key_id;
ALTER TABLE organizations DROP COLUMN time_zone;
