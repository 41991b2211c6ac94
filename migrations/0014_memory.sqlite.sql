-- Memory in three tiers, with its history and a full-text index. The same as 0013_memory.postgres.sql, but for
-- the index: SQLite has FTS5, Postgres tsvector (docs/adr/0019-memory-search.md).

-- +goose Up
CREATE TABLE memories_new (
    doc             INTEGER PRIMARY KEY, -- what the index calls the row: an implicit rowid would change with VACUUM
    id              TEXT NOT NULL UNIQUE,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    tier            TEXT NOT NULL DEFAULT 'semantic' CHECK (tier IN ('working', 'episodic', 'semantic')),
    session_id      TEXT, -- of working memory: it ends with its conversation
    key             TEXT NOT NULL, -- the id, where the tier has no keys
    value           TEXT NOT NULL,
    category        TEXT NOT NULL DEFAULT 'general', -- working: the type of entry; episodic: the classification
    importance      INTEGER NOT NULL DEFAULT 5,
    confidence      DOUBLE PRECISION NOT NULL DEFAULT 1,
    source          TEXT NOT NULL CHECK (source IN ('manual', 'auto')),
    origin          TEXT NOT NULL DEFAULT 'person',
    origin_note     TEXT NOT NULL DEFAULT '',
    turn_id         TEXT,
    words           TEXT NOT NULL DEFAULT '', -- for the index; empty = not made yet
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, instance_id, key),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE
);
INSERT INTO memories_new (id, organization_id, instance_id, key, value, category, source, origin, turn_id, created_at, updated_at)
    SELECT id, organization_id, instance_id, key, value, category, source, CASE source WHEN 'auto' THEN 'model' ELSE 'person' END, turn_id, created_at, updated_at
    FROM memories ORDER BY updated_at, id;
DROP TABLE memories;
ALTER TABLE memories_new RENAME TO memories;
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

-- Every word of a row is written with its instance in front of it (models/memory_words.go), so that the list of a
-- word holds the rows of one instance only. No positions are kept: nothing asks for phrases.
CREATE VIRTUAL TABLE memory_index USING fts5(words, content='', contentless_delete=1, detail=none, tokenize='ascii', prefix='9 10 11 12 13 14');
-- +goose StatementBegin
CREATE TRIGGER memories_index_insert AFTER INSERT ON memories BEGIN
    INSERT INTO memory_index (rowid, words) VALUES (NEW.doc, NEW.words);
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER memories_index_update AFTER UPDATE OF words ON memories BEGIN
    UPDATE memory_index SET words = NEW.words WHERE rowid = NEW.doc;
END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER memories_index_delete AFTER DELETE ON memories BEGIN
    DELETE FROM memory_index WHERE rowid = OLD.doc;
END;
-- +goose StatementEnd
-- The words of rows that were there before are made by Migrate, in Go.
INSERT INTO memory_index (rowid, words) SELECT doc, words FROM memories;

-- +goose Down
CREATE TABLE memories_old (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    key             TEXT NOT NULL,
    value           TEXT NOT NULL,
    category        TEXT NOT NULL DEFAULT 'general',
    source          TEXT NOT NULL CHECK (source IN ('manual', 'auto')),
    turn_id         TEXT,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, instance_id, key),
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
INSERT INTO memories_old (id, organization_id, instance_id, key, value, category, source, turn_id, created_at, updated_at)
    SELECT id, organization_id, instance_id, key, value, category, source, turn_id, created_at, updated_at FROM memories WHERE tier = 'semantic';
DROP TABLE memories;
DROP TABLE memory_index;
DROP TABLE memory_versions;
ALTER TABLE memories_old RENAME TO memories;
