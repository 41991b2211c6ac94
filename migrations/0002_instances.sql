-- What is deployed: the wanted and the observed side of each instance, and what happened to it.

-- +goose Up
CREATE TABLE instances (
    id                   TEXT PRIMARY KEY,
    organization_id      TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name                 TEXT NOT NULL,
    region               TEXT NOT NULL,
    tier                 TEXT NOT NULL CHECK (tier IN ('STARTER', 'PRO', 'BUSINESS')),
    memory_mb            INTEGER NOT NULL,
    storage_mb           INTEGER NOT NULL,
    provider_id          TEXT,
    model                TEXT NOT NULL DEFAULT '',
    desired              TEXT NOT NULL CHECK (desired IN ('running', 'stopped', 'deleted')),
    generation           BIGINT NOT NULL,
    observed_generation  BIGINT NOT NULL DEFAULT 0,
    state                TEXT NOT NULL CHECK (state IN ('PROVISIONING', 'RUNNING', 'STOPPED', 'ERROR', 'SUSPENDED')),
    state_since          TIMESTAMPTZ NOT NULL,
    reason               TEXT NOT NULL DEFAULT '',
    attempts             INTEGER NOT NULL DEFAULT 0,
    retry_at             TIMESTAMPTZ,
    lease_owner          TEXT NOT NULL DEFAULT '',
    lease_until          TIMESTAMPTZ,
    isolation            JSONB NOT NULL DEFAULT '[]',
    gateway_token_hash   TEXT NOT NULL UNIQUE,
    gateway_token_sealed BYTEA NOT NULL,
    last_active_at       TIMESTAMPTZ,
    created_by           TEXT NOT NULL DEFAULT '',
    created_at           TIMESTAMPTZ NOT NULL,
    updated_at           TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id)
);
CREATE INDEX instances_list ON instances (organization_id, created_at DESC, id DESC);
CREATE INDEX instances_due ON instances (desired, state);

CREATE TABLE instance_steps (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    generation      BIGINT NOT NULL,
    name            TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('running', 'done', 'failed')),
    detail          TEXT NOT NULL DEFAULT '',
    started_at      TIMESTAMPTZ NOT NULL,
    finished_at     TIMESTAMPTZ,
    UNIQUE (instance_id, generation, name),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE instance_logs (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    level           TEXT NOT NULL CHECK (level IN ('INFO', 'WARN', 'ERROR')),
    message         TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX instance_logs_recent ON instance_logs (instance_id, id DESC);

CREATE TABLE instance_metrics (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    cpu_percent     DOUBLE PRECISION NOT NULL,
    cpu_seconds     DOUBLE PRECISION NOT NULL,
    memory_mb       DOUBLE PRECISION NOT NULL,
    disk_mb         DOUBLE PRECISION NOT NULL,
    processes       INTEGER NOT NULL,
    request_count   INTEGER NOT NULL,
    token_count     INTEGER NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX instance_metrics_recent ON instance_metrics (instance_id, id DESC);

-- +goose Down
DROP TABLE instance_metrics;
DROP TABLE instance_logs;
DROP TABLE instance_steps;
DROP TABLE instances;
