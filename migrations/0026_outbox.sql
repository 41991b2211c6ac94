-- Outgoing webhooks, and what people are told: endpoints, notifications, and each person's choices.

-- +goose Up
ALTER TABLE deliveries ADD COLUMN event TEXT NOT NULL DEFAULT ''; -- of a webhook: message.completed; of others what it is, in a word
ALTER TABLE deliveries ADD COLUMN target_id TEXT NOT NULL DEFAULT ''; -- of a webhook its endpoint, of a channel its account
ALTER TABLE deliveries ADD COLUMN left_lane TEXT NOT NULL DEFAULT ''; -- the lane that it held up for too long and waits beside
ALTER TABLE deliveries ADD COLUMN failing_since TIMESTAMPTZ; -- its first failure
CREATE INDEX deliveries_target ON deliveries (organization_id, target_id, id) WHERE target_id <> '';
CREATE INDEX deliveries_list ON deliveries (organization_id, id);
CREATE INDEX deliveries_dead ON deliveries (organization_id, id) WHERE state = 'dead';
CREATE INDEX deliveries_left ON deliveries (left_lane) WHERE left_lane <> '' AND state = 'pending';

CREATE TABLE webhook_endpoints (
    id                TEXT PRIMARY KEY,
    organization_id   TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    instance_id       TEXT, -- NULL: of all instances
    name              TEXT NOT NULL,
    url               TEXT NOT NULL,
    description       TEXT NOT NULL DEFAULT '',
    events            TEXT NOT NULL, -- words with commas
    active            BOOLEAN NOT NULL,
    off_reason        TEXT NOT NULL DEFAULT '', -- why it was switched off by itself
    private           BOOLEAN NOT NULL DEFAULT FALSE, -- an operator allowed an address inside the network
    managed           BOOLEAN NOT NULL DEFAULT FALSE, -- made by the instance's configuration
    secret_sealed     BYTEA NOT NULL,
    old_secret_sealed BYTEA, -- the one before, which signs too until
    old_secret_until  TIMESTAMPTZ,
    failing_since     TIMESTAMPTZ, -- since when nothing arrived; NULL: the last attempt went
    created_by        TEXT NOT NULL DEFAULT '', -- user
    created_name      TEXT NOT NULL DEFAULT '',
    created_at        TIMESTAMPTZ NOT NULL,
    updated_at        TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);

CREATE TABLE notifications (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    user_id         TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind            TEXT NOT NULL,
    title           TEXT NOT NULL,
    text            TEXT NOT NULL DEFAULT '', -- of the last time
    link            TEXT NOT NULL, -- a path of ours
    about_kind      TEXT NOT NULL, -- what repetitions are told by
    about_id        TEXT NOT NULL,
    count           INTEGER NOT NULL DEFAULT 1, -- how often it happened since it was read
    read_at         TIMESTAMPTZ,
    mail_at         TIMESTAMPTZ, -- when it goes into a letter; NULL: into none
    mailed_at       TIMESTAMPTZ, -- when it, or the one of the same thing before it, did
    created_at      TIMESTAMPTZ NOT NULL, -- the first time
    at              TIMESTAMPTZ NOT NULL, -- the last time
    UNIQUE (organization_id, id)
);
CREATE INDEX notifications_list ON notifications (organization_id, user_id, at);
CREATE INDEX notifications_unread ON notifications (organization_id, user_id) WHERE read_at IS NULL;
CREATE INDEX notifications_about ON notifications (organization_id, about_kind, about_id, user_id);
CREATE INDEX notifications_mail ON notifications (mail_at) WHERE mail_at IS NOT NULL;
CREATE INDEX notifications_old ON notifications (at);

CREATE TABLE notification_choices (
    id      TEXT PRIMARY KEY,
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind    TEXT NOT NULL,
    mail    BOOLEAN NOT NULL,
    webhook BOOLEAN NOT NULL,
    digest  TEXT NOT NULL CHECK (digest IN ('once', 'hourly', 'daily')), -- once: at once
    UNIQUE (user_id, kind)
);

-- +goose Down
DROP TABLE notification_choices;
DROP TABLE notifications;
DELETE FROM deliveries WHERE kind <> 'mail';
DROP TABLE webhook_endpoints;
DROP INDEX deliveries_left;
DROP INDEX deliveries_dead;
DROP INDEX deliveries_list;
DROP INDEX deliveries_target;
ALTER TABLE deliveries DROP COLUMN failing_since;
ALTER TABLE deliveries DROP COLUMN left_lane;
ALTER TABLE deliveries DROP COLUMN target_id;
ALTER TABLE deliveries DROP COLUMN event;
