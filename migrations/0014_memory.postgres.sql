-- Memory in three tiers, with its history and a full-text index. The same as 0013_memory.sqlite.sql, but for the
-- index: SQLite has FTS5, Postgres tsvector (docs/adr/0019-memory-search.md).

-- +goose Up
ALTER TABLE memories
    ADD COLUMN tier        TEXT NOT NULL DEFAULT 'semantic' CHECK (tier IN ('working', 'episodic', 'semantic')),
    ADD COLUMN session_id  TEXT, -- of working memory: it ends with its conversation
    ADD COLUMN importance  INTEGER NOT NULL DEFAULT 5,
    ADD COLUMN confidence  DOUBLE PRECISION NOT NULL DEFAULT 1,
    ADD COLUMN origin      TEXT NOT NULL DEFAULT 'person',
    ADD COLUMN origin_note TEXT NOT NULL DEFAULT '',
    ADD COLUMN words       TEXT NOT NULL DEFAULT '', -- for the index; empty = not made yet
    ADD CONSTRAINT memories_session_fkey FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE;
UPDATE memories SET origin = 'model' WHERE source = 'auto';
-- Every word of a row is written with its instance in front of it (models/memory_words.go), so that the list of a
-- word holds the rows of one instance only. The beginnings of one to six letters have lists of their own: joining the
-- lists of all words that begin so is what takes long.
-- +goose StatementBegin
CREATE FUNCTION memory_terms(words TEXT) RETURNS tsvector LANGUAGE sql IMMUTABLE PARALLEL SAFE COST 1000 AS $$
    SELECT array_to_tsvector(array_agg(t)) FROM (
        SELECT w AS t FROM unnest(string_to_array(words, ' ')) w WHERE w <> ''
        UNION
        SELECT left(w, n) FROM unnest(string_to_array(words, ' ')) w, generate_series(9, 14) n WHERE w <> ''
    ) terms
$$;
-- +goose StatementEnd
CREATE INDEX memories_terms ON memories USING gin (memory_terms(words)) WITH (fastupdate = off); -- a list of the unsorted newest would be read by each search
CREATE INDEX memories_newest ON memories (organization_id, instance_id, updated_at DESC, id DESC);
CREATE INDEX memories_tier ON memories (organization_id, instance_id, tier, updated_at DESC, id DESC);
CREATE INDEX memories_important ON memories (organization_id, instance_id, tier, importance DESC, updated_at DESC, id DESC);
CREATE INDEX memories_sure ON memories (organization_id, instance_id, tier, confidence DESC, updated_at DESC, id DESC);
CREATE INDEX memories_session ON memories (organization_id, session_id, importance DESC) WHERE session_id IS NOT NULL;
CREATE INDEX memories_unread ON memories (id) WHERE words = '';

CREATE TABLE memory_versions (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    tier            TEXT NOT NULL,
    session_id      TEXT,
    key             TEXT NOT NULL,
    value           TEXT NOT NULL,
    category        TEXT NOT NULL,
    importance      INTEGER NOT NULL,
    confidence      DOUBLE PRECISION NOT NULL,
    act             TEXT NOT NULL CHECK (act IN ('write', 'delete', 'restore')),
    state           TEXT NOT NULL CHECK (state IN ('applied', 'pending', 'rejected')),
    source          TEXT NOT NULL,
    origin          TEXT NOT NULL,
    origin_note     TEXT NOT NULL,
    turn_id         TEXT,
    made_by         TEXT NOT NULL DEFAULT '',
    decided_by      TEXT NOT NULL DEFAULT '',
    decided_at      TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX memory_versions_key ON memory_versions (organization_id, instance_id, key, id);
CREATE INDEX memory_versions_newest ON memory_versions (organization_id, instance_id, id);
CREATE INDEX memory_versions_pending ON memory_versions (organization_id, instance_id, id) WHERE state = 'pending';
CREATE INDEX memory_versions_session ON memory_versions (organization_id, session_id) WHERE session_id IS NOT NULL;
INSERT INTO memory_versions (id, organization_id, instance_id, tier, key, value, category, importance, confidence, act, state, source, origin, origin_note, turn_id, created_at)
    SELECT id, organization_id, instance_id, tier, key, value, category, importance, confidence, 'write', 'applied', source, origin, origin_note, turn_id, updated_at FROM memories;

-- +goose Down
DROP TABLE memory_versions;
DELETE FROM memories WHERE tier <> 'semantic';
DROP INDEX memories_newest;
DROP INDEX memories_tier;
DROP INDEX memories_important;
DROP INDEX memories_sure;
DROP INDEX memories_session;
DROP INDEX memories_unread;
DROP INDEX memories_terms;
DROP FUNCTION memory_terms(TEXT);
ALTER TABLE memories DROP CONSTRAINT memories_session_fkey;
ALTER TABLE memories DROP COLUMN tier, DROP COLUMN session_id, DROP COLUMN importance, DROP COLUMN confidence,
    DROP COLUMN origin, DROP COLUMN origin_note, DROP COLUMN words;
