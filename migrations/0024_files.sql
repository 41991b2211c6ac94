-- Files of a workspace: what was deleted and can come back, uploads that come in pieces, and what turns changed.

-- +goose Up
CREATE TABLE trashed_files (
    id              TEXT PRIMARY KEY, -- also its name in the workspace's own corner
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    path            TEXT NOT NULL, -- where it was, relative to the workspace
    directory       BOOLEAN NOT NULL,
    bytes           BIGINT NOT NULL,
    deleted_by      TEXT NOT NULL, -- a name, for people
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX trashed_files_instance ON trashed_files (organization_id, instance_id, created_at);
CREATE INDEX trashed_files_expiry ON trashed_files (expires_at);

CREATE TABLE file_uploads (
    id              TEXT PRIMARY KEY, -- also its name in the workspace's own corner
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    path            TEXT NOT NULL,
    bytes           BIGINT NOT NULL, -- when it is complete
    overwrite       BOOLEAN NOT NULL,
    created_by      TEXT NOT NULL, -- an id of a user: nobody else goes on with it
    created_at      TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX file_uploads_instance ON file_uploads (organization_id, instance_id);
CREATE INDEX file_uploads_expiry ON file_uploads (expires_at);

CREATE TABLE checkpoints (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    turn_id         TEXT, -- null: somebody put things back
    restored_id     TEXT NOT NULL DEFAULT '', -- the checkpoint that was put back
    note            TEXT NOT NULL DEFAULT '', -- what is not covered, for people
    added           INTEGER NOT NULL DEFAULT 0,
    changed         INTEGER NOT NULL DEFAULT 0,
    removed         INTEGER NOT NULL DEFAULT 0,
    changes         JSONB NOT NULL DEFAULT '[]',
    created_by      TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ, -- null: the turn goes on, or its worker died
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, turn_id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX checkpoints_instance ON checkpoints (organization_id, instance_id, created_at);

-- +goose Down
DROP TABLE checkpoints;
DROP TABLE file_uploads;
DROP TABLE trashed_files;
