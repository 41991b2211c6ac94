-- What an instance has of its own: the key that it reaches models with, and which of its tools it may use.

-- +goose Up
CREATE TABLE instance_keys (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    kind            TEXT NOT NULL, -- of the service, as in providers
    model           TEXT NOT NULL, -- of that service, for an instance that names none
    key_sealed      BYTEA NOT NULL,
    key_hint        TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, instance_id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE skill_settings (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    skill           TEXT NOT NULL,
    enabled         BOOLEAN NOT NULL,
    config_sealed   BYTEA, -- null: nothing is configured
    config_keys     JSONB NOT NULL DEFAULT '[]', -- the names alone: what lists show
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, instance_id, skill),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE skill_settings;
UPDATE instances SET provider_id = NULL WHERE provider_id IN (SELECT id FROM instance_keys);
DROP TABLE instance_keys;
