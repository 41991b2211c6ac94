-- The model services that an organization connected, and what each paid call cost.

-- +goose Up
CREATE TABLE providers (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL,
    base_url        TEXT NOT NULL DEFAULT '',
    key_sealed      BYTEA,
    key_hint        TEXT NOT NULL DEFAULT '',
    model           TEXT NOT NULL,
    is_default      BOOLEAN NOT NULL DEFAULT FALSE,
    private         BOOLEAN NOT NULL DEFAULT FALSE, -- an operator allowed an address inside the network
    tested_at       TIMESTAMPTZ,
    test_result     TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, kind, base_url)
);
CREATE UNIQUE INDEX providers_one_default ON providers (organization_id) WHERE is_default;

-- Append-only. A call reserves before it is made and settles after; the sum per call is what it cost.
CREATE TABLE ledger_entries (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    call_id         TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('reserve', 'settle')),
    purpose         TEXT NOT NULL,
    instance_id     TEXT NOT NULL DEFAULT '',
    session_id      TEXT NOT NULL DEFAULT '',
    turn_id         TEXT NOT NULL DEFAULT '',
    provider        TEXT NOT NULL,
    model           TEXT NOT NULL,
    input_tokens    INTEGER NOT NULL DEFAULT 0,
    output_tokens   INTEGER NOT NULL DEFAULT 0,
    cost_nanos      BIGINT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, call_id, kind)
);
CREATE INDEX ledger_entries_time ON ledger_entries (organization_id, created_at);
CREATE INDEX ledger_entries_instance ON ledger_entries (instance_id, created_at);
CREATE INDEX ledger_entries_session ON ledger_entries (session_id, kind);

-- +goose Down
DROP TABLE ledger_entries;
DROP TABLE providers;
