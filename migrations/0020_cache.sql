-- Answers that an instance gives again, when its owner wants that.

-- +goose Up
CREATE TABLE response_caches (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    enabled         BOOLEAN NOT NULL,
    semantic        BOOLEAN NOT NULL, -- messages that mean about the same are answered alike
    threshold       INTEGER NOT NULL CHECK (threshold BETWEEN 80 AND 100), -- percent
    embedding_model TEXT NOT NULL DEFAULT '', -- '': the service's usual one
    life_hours      INTEGER NOT NULL CHECK (life_hours BETWEEN 1 AND 720),
    max_entries     INTEGER NOT NULL CHECK (max_entries BETWEEN 1 AND 10000),
    hits            BIGINT NOT NULL DEFAULT 0, -- since counted_since
    semantic_hits   BIGINT NOT NULL DEFAULT 0, -- of hits
    misses          BIGINT NOT NULL DEFAULT 0,
    counted_since   TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, instance_id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE cached_answers (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    digest          TEXT NOT NULL, -- of all that decided the answer
    frame           TEXT NOT NULL, -- the same without the last message
    place           BYTEA, -- of the last message among others, null: not asked for
    embedding_model TEXT NOT NULL DEFAULT '', -- that placed it
    answer          TEXT NOT NULL, -- JSON of the door
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, instance_id, digest),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX cached_answers_age ON cached_answers (expires_at);
CREATE INDEX cached_answers_frame ON cached_answers (organization_id, instance_id, frame, created_at);

ALTER TABLE decisions ADD COLUMN cached TEXT NOT NULL DEFAULT ''; -- exact, semantic
ALTER TABLE gateway_calls ADD COLUMN cached BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE turn_steps ADD COLUMN cached TEXT NOT NULL DEFAULT '';
ALTER TABLE turns ADD COLUMN tokens_saved INTEGER NOT NULL DEFAULT 0; -- above 0: the answer came from the cache
ALTER TABLE usage_quarters ADD COLUMN cached BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_quarters ADD COLUMN cached_nanos BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_days ADD COLUMN cached BIGINT NOT NULL DEFAULT 0;
ALTER TABLE usage_days ADD COLUMN cached_nanos BIGINT NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE usage_days DROP COLUMN cached_nanos;
ALTER TABLE usage_days DROP COLUMN cached;
ALTER TABLE usage_quarters DROP COLUMN cached_nanos;
ALTER TABLE usage_quarters DROP COLUMN cached;
ALTER TABLE turns DROP COLUMN tokens_saved;
ALTER TABLE turn_steps DROP COLUMN cached;
ALTER TABLE gateway_calls DROP COLUMN cached;
ALTER TABLE decisions DROP COLUMN cached;
DROP TABLE cached_answers;
DROP TABLE response_caches;
