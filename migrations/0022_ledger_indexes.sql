-- Each index less makes every call of a model cheaper. What is only reserved is looked for by its call alone, and calls
-- under way are few: their own key is enough.

-- +goose Up
DROP INDEX ledger_entries_time;
DROP INDEX ledger_entries_instance;
DROP INDEX ledger_entries_session;
DROP INDEX ledger_entries_turn;
CREATE INDEX ledger_entries_time ON ledger_entries (organization_id, created_at) WHERE kind = 'settle';
CREATE INDEX ledger_entries_instance ON ledger_entries (organization_id, instance_id, created_at) WHERE kind = 'settle' AND instance_id <> '';
CREATE INDEX ledger_entries_session ON ledger_entries (organization_id, session_id) WHERE kind = 'settle' AND session_id <> '';
CREATE INDEX ledger_entries_turn ON ledger_entries (organization_id, turn_id) WHERE kind = 'settle' AND turn_id <> '';

ALTER TABLE reservations RENAME TO reservations_before;
CREATE TABLE reservations (
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
    PRIMARY KEY (organization_id, call_id)
);
INSERT INTO reservations SELECT organization_id, call_id, turn_id, member_id, key_id, holds, input_tokens, output_tokens, cost_nanos, lease_until, created_at FROM reservations_before;
DROP TABLE reservations_before;

-- +goose Down
ALTER TABLE reservations RENAME TO reservations_after;
CREATE TABLE reservations (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    call_id         TEXT NOT NULL,
    turn_id         TEXT NOT NULL DEFAULT '',
    member_id       TEXT NOT NULL DEFAULT '',
    key_id          TEXT NOT NULL DEFAULT '',
    holds           TEXT NOT NULL,
    input_tokens    INTEGER NOT NULL DEFAULT 0,
    output_tokens   INTEGER NOT NULL DEFAULT 0,
    cost_nanos      BIGINT NOT NULL DEFAULT 0,
    lease_until     TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, call_id)
);
INSERT INTO reservations SELECT call_id, organization_id, call_id, turn_id, member_id, key_id, holds, input_tokens, output_tokens, cost_nanos, lease_until, created_at FROM reservations_after;
DROP TABLE reservations_after;
CREATE INDEX reservations_lease ON reservations (lease_until);
CREATE INDEX reservations_turn ON reservations (organization_id, turn_id);

DROP INDEX ledger_entries_turn;
DROP INDEX ledger_entries_session;
DROP INDEX ledger_entries_instance;
DROP INDEX ledger_entries_time;
CREATE INDEX ledger_entries_time ON ledger_entries (organization_id, created_at);
CREATE INDEX ledger_entries_instance ON ledger_entries (instance_id, created_at);
CREATE INDEX ledger_entries_session ON ledger_entries (session_id, kind);
CREATE INDEX ledger_entries_turn ON ledger_entries (organization_id, turn_id);
