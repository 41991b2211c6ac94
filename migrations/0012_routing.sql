-- Which model was chosen for a call and why, what an organization decided about the choice, what an operator ordered about a
-- provider, and what an administrator knows better than the catalogue.

-- +goose Up
CREATE TABLE decisions (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    call_id         TEXT NOT NULL DEFAULT '', -- of the ledger: the attempt that answered, or the last one
    purpose         TEXT NOT NULL,
    instance_id     TEXT NOT NULL DEFAULT '',
    session_id      TEXT NOT NULL DEFAULT '',
    turn_id         TEXT NOT NULL DEFAULT '',
    requested       TEXT NOT NULL DEFAULT '',
    routed          BOOLEAN NOT NULL DEFAULT FALSE,
    shadow          BOOLEAN NOT NULL DEFAULT FALSE, -- decided, but served as without a router
    complexity      INTEGER NOT NULL DEFAULT 0,
    tier            TEXT NOT NULL DEFAULT '',
    reason          TEXT NOT NULL DEFAULT '',
    chosen          TEXT NOT NULL DEFAULT '', -- provider/model that the router would take; differs from what served in shadow and after a fallback
    features        JSONB NOT NULL DEFAULT '[]',
    candidates      JSONB NOT NULL DEFAULT '[]',
    attempts        JSONB NOT NULL DEFAULT '[]',
    provider        TEXT NOT NULL DEFAULT '', -- that served
    model           TEXT NOT NULL DEFAULT '', -- that served
    failure         TEXT NOT NULL DEFAULT '', -- the kind of error that the caller saw
    baseline_model  TEXT NOT NULL DEFAULT '',
    baseline_reason TEXT NOT NULL DEFAULT '',
    baseline_nanos  BIGINT, -- NULL = nobody can say
    cost_nanos      BIGINT NOT NULL DEFAULT 0,
    created_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX decisions_time ON decisions (organization_id, id);
CREATE INDEX decisions_turn ON decisions (organization_id, turn_id);
CREATE INDEX decisions_age ON decisions (created_at);

CREATE TABLE routings (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    shadow          BOOLEAN NOT NULL DEFAULT FALSE,
    hedge_ms        INTEGER NOT NULL DEFAULT 0, -- silence after which a second model is asked too; 0 = never
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id)
);

-- The newest order about a provider: it stays open until somebody resets it, in every process.
CREATE TABLE breaker_orders (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    provider        TEXT NOT NULL,
    forced_open     BOOLEAN NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, provider)
);

-- Prices in micro-dollars for one million tokens; NULL = as the catalogue says.
CREATE TABLE catalogue_edits (
    id          TEXT PRIMARY KEY,
    provider    TEXT NOT NULL,
    model       TEXT NOT NULL,
    tier        TEXT NOT NULL DEFAULT '',
    input       BIGINT,
    output      BIGINT,
    cache_read  BIGINT,
    cache_write BIGINT,
    context     INTEGER,
    created_at  TIMESTAMPTZ NOT NULL,
    UNIQUE (provider, model)
);

-- +goose Down
DROP TABLE catalogue_edits;
DROP TABLE breaker_orders;
DROP TABLE routings;
DROP TABLE decisions;
