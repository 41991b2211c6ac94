-- Channels: accounts at other services by which people reach agents, who is who there, and what came in.

-- +goose Up
CREATE TABLE channels (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    kind            TEXT NOT NULL CHECK (kind IN ('telegram', 'discord', 'slack', 'whatsapp', 'email')),
    name            TEXT NOT NULL DEFAULT '', -- who the account is at its service
    external_id     TEXT NOT NULL DEFAULT '',
    link            TEXT NOT NULL DEFAULT '',
    note            TEXT NOT NULL DEFAULT '', -- what is wrong with it though it works
    settings        TEXT NOT NULL DEFAULT '{}', -- JSON: what may be shown of what was given
    secrets_sealed  BYTEA NOT NULL, -- JSON: the rest
    hook_hash       TEXT, -- of the secret that its service's calls carry, where that names the account
    state           TEXT NOT NULL CHECK (state IN ('connecting', 'connected', 'failed', 'off')),
    generation      BIGINT NOT NULL DEFAULT 1, -- bumped by every change of what was given
    listens         BOOLEAN NOT NULL DEFAULT FALSE, -- a worker keeps its connection; else its service calls us
    last_error      TEXT NOT NULL DEFAULT '',
    attempts        INTEGER NOT NULL DEFAULT 0, -- to connect, since the last change
    retry_at        TIMESTAMPTZ,
    received        BIGINT NOT NULL DEFAULT 0,
    sent            BIGINT NOT NULL DEFAULT 0,
    last_active_at  TIMESTAMPTZ,
    lease_owner     TEXT NOT NULL DEFAULT '', -- who listens
    lease_until     TIMESTAMPTZ,
    created_by      TEXT NOT NULL DEFAULT '',
    created_name    TEXT NOT NULL DEFAULT '',
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, instance_id, kind),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX channels_hook ON channels (hook_hash) WHERE hook_hash IS NOT NULL;
CREATE INDEX channels_work ON channels (state, kind);

CREATE TABLE channel_bindings (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    channel_id      TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    kind            TEXT NOT NULL,
    sender_id       TEXT NOT NULL, -- at the service
    sender_name     TEXT NOT NULL,
    team_id         TEXT NOT NULL DEFAULT '', -- of services that have them
    user_id         TEXT NOT NULL, -- who that is here
    peer            TEXT NOT NULL DEFAULT '', -- JSON: the conversation with that person alone
    queue_mode      TEXT NOT NULL DEFAULT 'collect' CHECK (queue_mode IN ('collect', 'interrupt')),
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, channel_id, sender_id),
    UNIQUE (organization_id, channel_id, user_id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES channels (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);

-- Codes by which somebody shows who they are; a new one takes the older one's place.
CREATE TABLE link_codes (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    channel_id      TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    code_hash       TEXT NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, channel_id, user_id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES channels (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX link_codes_code ON link_codes (channel_id, code_hash);

-- What came in, so that what comes twice is told.
CREATE TABLE channel_events (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    channel_id      TEXT NOT NULL,
    event_id        TEXT NOT NULL, -- the service's
    message_id      TEXT NOT NULL DEFAULT '', -- the service's, of a message
    sender_id       TEXT NOT NULL DEFAULT '',
    outcome         TEXT NOT NULL, -- what came of it
    turn_id         TEXT NOT NULL DEFAULT '', -- that it began
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, channel_id, event_id),
    FOREIGN KEY (organization_id, channel_id) REFERENCES channels (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX channel_events_old ON channel_events (created_at);
CREATE INDEX channel_events_sender ON channel_events (channel_id, sender_id, created_at) WHERE turn_id = '';
CREATE INDEX channel_events_message ON channel_events (channel_id, message_id) WHERE turn_id <> '';

-- Buttons under messages that ask for an approval.
CREATE TABLE channel_buttons (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    channel_id      TEXT NOT NULL,
    approval_id     TEXT NOT NULL,
    user_id         TEXT NOT NULL, -- who alone may press them
    token_hash      TEXT NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    used_at         TIMESTAMPTZ,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (token_hash),
    FOREIGN KEY (organization_id, channel_id) REFERENCES channels (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, approval_id) REFERENCES approvals (organization_id, id) ON DELETE CASCADE
);

-- +goose Down
DROP TABLE channel_buttons;
DROP TABLE channel_events;
DROP TABLE link_codes;
DROP TABLE channel_bindings;
DROP TABLE channels;
