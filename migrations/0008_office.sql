-- What staff decide and keep: features that are on or off, for everybody or for one organization, and backups.

-- +goose Up
CREATE TABLE feature_flags (
    name       TEXT PRIMARY KEY,
    enabled    BOOLEAN NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE organization_flags (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    name            TEXT NOT NULL,
    enabled         BOOLEAN NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, name)
);

-- A copy of the whole database; its file lies in the data directory of the host that made it.
CREATE TABLE backups (
    id             TEXT PRIMARY KEY,
    state          TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'done', 'failed')),
    dialect        TEXT NOT NULL,
    host           TEXT NOT NULL DEFAULT '',
    file           TEXT NOT NULL DEFAULT '', -- name in the folder of backups
    bytes          BIGINT NOT NULL DEFAULT 0,
    sha256         TEXT NOT NULL DEFAULT '',
    schema_version BIGINT NOT NULL DEFAULT 0,
    row_counts     JSONB NOT NULL, -- rows by table, counted in the copy's own moment
    problem        TEXT NOT NULL DEFAULT '',
    rehearsal      TEXT NOT NULL DEFAULT '' CHECK (rehearsal IN ('', 'waiting', 'running', 'passed', 'failed')),
    report         JSONB NOT NULL, -- what the last rehearsal found
    asked_by       TEXT NOT NULL,
    created_at     TIMESTAMPTZ NOT NULL,
    finished_at    TIMESTAMPTZ,
    rehearsed_at   TIMESTAMPTZ
);

-- +goose Down
DROP TABLE backups;
DROP TABLE organization_flags;
DROP TABLE feature_flags;
