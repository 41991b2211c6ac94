-- What was said and done: sessions, their turns, and the append-only log that everything reads.

-- +goose Up
CREATE TABLE sessions (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    alias           TEXT, -- the id a client of the agent API chose
    title           TEXT NOT NULL DEFAULT '',
    titled_by       TEXT NOT NULL DEFAULT 'default' CHECK (titled_by IN ('default', 'auto', 'person')),
    category        TEXT NOT NULL DEFAULT 'general'
                    CHECK (category IN ('general', 'task', 'research', 'support', 'automation', 'creative', 'debug')),
    status          TEXT NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'completed', 'paused', 'archived')),
    icon            TEXT NOT NULL DEFAULT '',
    pinned          BOOLEAN NOT NULL DEFAULT FALSE,
    last_seq        BIGINT NOT NULL DEFAULT 0,
    message_count   INTEGER NOT NULL DEFAULT 0,
    compacted_seq   BIGINT NOT NULL DEFAULT 0, -- events up to here reach the model as the summary
    summary         TEXT NOT NULL DEFAULT '',
    created_by      TEXT NOT NULL DEFAULT '',
    last_message_at TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, instance_id, alias),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX sessions_list ON sessions (organization_id, pinned DESC, updated_at DESC);

CREATE TABLE turns (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    source          TEXT NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('queued', 'running', 'waiting_approval', 'interrupting', 'done', 'failed', 'interrupted')),
    attempt         INTEGER NOT NULL DEFAULT 0,
    lease_owner     TEXT NOT NULL DEFAULT '',
    lease_until     TIMESTAMPTZ,
    input_seq       BIGINT NOT NULL,
    reason          TEXT NOT NULL DEFAULT '',
    provider        TEXT NOT NULL DEFAULT '',
    model           TEXT NOT NULL DEFAULT '',
    steps           INTEGER NOT NULL DEFAULT 0,
    input_tokens    INTEGER NOT NULL DEFAULT 0,
    output_tokens   INTEGER NOT NULL DEFAULT 0,
    context_tokens  INTEGER NOT NULL DEFAULT 0,
    cost_nanos      BIGINT NOT NULL DEFAULT 0, -- billionths of a dollar
    created_by      TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    started_at      TIMESTAMPTZ,
    first_token_at  TIMESTAMPTZ,
    ended_at        TIMESTAMPTZ,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX turns_session ON turns (session_id, input_seq);
CREATE INDEX turns_instance ON turns (instance_id);
CREATE INDEX turns_recent ON turns (organization_id, created_at);
-- Open turns are few among many: what asks for them says the same words.
CREATE INDEX turns_pending ON turns (organization_id, session_id) WHERE state IN ('queued', 'running', 'waiting_approval', 'interrupting');
CREATE INDEX turns_failed ON turns (organization_id, id) WHERE state = 'failed';
CREATE INDEX turns_open ON turns (state, lease_until);
-- One turn of a session runs at a time, whatever the number of workers.
CREATE UNIQUE INDEX turns_one_running ON turns (session_id) WHERE state IN ('running', 'waiting_approval', 'interrupting');

CREATE TABLE events (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    turn_id         TEXT,
    seq             BIGINT NOT NULL,
    attempt         INTEGER NOT NULL DEFAULT 0,
    kind            TEXT NOT NULL,
    data            JSON NOT NULL, -- not JSONB: what was said stays as it was written, to the byte
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (session_id, seq),
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX events_turn ON events (turn_id, seq);

CREATE TABLE attachments (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    turn_id         TEXT NOT NULL,
    name            TEXT NOT NULL,
    media_type      TEXT NOT NULL,
    path            TEXT NOT NULL, -- in the workspace
    size            BIGINT NOT NULL,
    data            BYTEA NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX attachments_turn ON attachments (organization_id, turn_id, id);
CREATE INDEX attachments_session ON attachments (organization_id, session_id);

CREATE TABLE memories (
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

-- +goose Down
DROP TABLE memories;
DROP TABLE attachments;
DROP TABLE events;
DROP TABLE turns;
DROP TABLE sessions;
