-- What each call to a model was shown, what people thought of turns, and what models were asked about them.

-- +goose Up
-- The texts of prompts, each once a month: a row is forgotten when nothing that is kept can name it any more.
CREATE TABLE context_texts (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    hash            TEXT NOT NULL, -- the month, and a hash of the text
    text            TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, hash)
);
CREATE INDEX context_texts_age ON context_texts (created_at);

-- A turn's calls to a model. The messages are read again from the log: seqs says which events they were.
CREATE TABLE turn_steps (
    id                TEXT PRIMARY KEY,
    organization_id   TEXT NOT NULL,
    turn_id           TEXT NOT NULL,
    step              INTEGER NOT NULL,
    attempt           INTEGER NOT NULL,
    provider          TEXT NOT NULL DEFAULT '', -- that served, or was asked last
    model             TEXT NOT NULL DEFAULT '',
    call_id           TEXT NOT NULL DEFAULT '', -- of the ledger
    room              INTEGER NOT NULL, -- tokens that the prompt could have had
    system_tokens     INTEGER NOT NULL,
    memory_tokens     INTEGER NOT NULL,
    history_tokens    INTEGER NOT NULL,
    tools_tokens      INTEGER NOT NULL,
    messages          INTEGER NOT NULL,
    system_hash       TEXT NOT NULL DEFAULT '',
    tools_hash        TEXT NOT NULL DEFAULT '',
    summary_hash      TEXT NOT NULL DEFAULT '',
    seqs              TEXT NOT NULL DEFAULT '', -- "1-20,23"
    shortened         INTEGER NOT NULL DEFAULT 0, -- tool outputs: 0 whole, 1 older ones, 2 all
    pictures          BOOLEAN NOT NULL DEFAULT FALSE, -- the model could see them
    digest            TEXT NOT NULL DEFAULT '', -- of the messages
    input_tokens      INTEGER NOT NULL DEFAULT 0,
    output_tokens     INTEGER NOT NULL DEFAULT 0,
    cache_read_tokens INTEGER NOT NULL DEFAULT 0,
    reasoning_tokens  INTEGER NOT NULL DEFAULT 0,
    cost_nanos        BIGINT NOT NULL DEFAULT 0,
    attempts          JSONB NOT NULL DEFAULT '[]', -- tries of the door
    failure           TEXT NOT NULL DEFAULT '',
    began_at          TIMESTAMPTZ NOT NULL,
    created_at        TIMESTAMPTZ NOT NULL, -- when it ended
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX turn_steps_turn ON turn_steps (organization_id, turn_id, id);
CREATE INDEX turn_steps_age ON turn_steps (created_at);

CREATE TABLE grades (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    turn_id         TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    grade           INTEGER NOT NULL CHECK (grade BETWEEN 1 AND 5),
    comment         TEXT NOT NULL DEFAULT '',
    source          TEXT NOT NULL,
    created_by      TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, turn_id),
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX grades_session ON grades (organization_id, session_id);

-- What a model said when somebody asked it about a turn, a conversation or the organization's habits, or to answer again.
CREATE TABLE opinions (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL CHECK (kind IN ('analysis', 'answer')),
    turn_id         TEXT,
    session_id      TEXT,
    provider        TEXT NOT NULL,
    model           TEXT NOT NULL,
    text            TEXT NOT NULL,
    input_tokens    INTEGER NOT NULL DEFAULT 0,
    output_tokens   INTEGER NOT NULL DEFAULT 0,
    cost_nanos      BIGINT NOT NULL DEFAULT 0,
    millis          BIGINT NOT NULL DEFAULT 0,
    call_id         TEXT NOT NULL DEFAULT '', -- of the ledger
    asked_by        TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX opinions_turn ON opinions (organization_id, turn_id);
CREATE INDEX opinions_session ON opinions (organization_id, session_id);
CREATE INDEX opinions_age ON opinions (created_at);
-- The inspector adds up a turn's calls.
CREATE INDEX ledger_entries_turn ON ledger_entries (organization_id, turn_id);

ALTER TABLE turns ADD COLUMN tool_calls INTEGER NOT NULL DEFAULT 0;
ALTER TABLE turns ADD COLUMN tool_failures INTEGER NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE turns DROP COLUMN tool_failures;
ALTER TABLE turns DROP COLUMN tool_calls;
DROP INDEX ledger_entries_turn;
DROP TABLE opinions;
DROP TABLE grades;
DROP TABLE turn_steps;
DROP TABLE context_texts;
