-- The outbox: everything that the product sends, written in the transaction of what it tells of.

-- +goose Up
CREATE TABLE deliveries (
    id              TEXT PRIMARY KEY,
    organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE, -- NULL: the installation's
    kind            TEXT NOT NULL,
    destination     TEXT NOT NULL,
    lane            TEXT NOT NULL, -- what is delivered in order: organization, kind and destination
    about_kind      TEXT NOT NULL, -- what it tells of; it outlives that
    about_id        TEXT NOT NULL,
    idempotency_key TEXT NOT NULL, -- what the other side tells repetitions by
    payload         TEXT NOT NULL, -- JSON, with a mark where the secret goes
    secret_sealed   BYTEA, -- until the end
    has_secret      BOOLEAN NOT NULL,
    state           TEXT NOT NULL CHECK (state IN ('pending', 'sent', 'dead', 'dropped')),
    reason          TEXT NOT NULL DEFAULT '', -- why it is dead or dropped
    attempts        INTEGER NOT NULL DEFAULT 0,
    max_attempts    INTEGER NOT NULL CHECK (max_attempts > 0),
    next_at         TIMESTAMPTZ NOT NULL,
    expires_at      TIMESTAMPTZ, -- of no use from then on
    lease_owner     TEXT NOT NULL DEFAULT '',
    lease_until     TIMESTAMPTZ,
    last_error      TEXT NOT NULL DEFAULT '',
    response        TEXT NOT NULL DEFAULT '', -- the last words of the other side
    tries           TEXT NOT NULL DEFAULT '[]', -- JSON: each attempt
    created_at      TIMESTAMPTZ NOT NULL,
    ended_at        TIMESTAMPTZ, -- when it was sent, died or was dropped
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, idempotency_key)
);
CREATE INDEX deliveries_due ON deliveries (next_at) WHERE state = 'pending';
CREATE INDEX deliveries_lane ON deliveries (lane, id) WHERE state = 'pending';
CREATE INDEX deliveries_about ON deliveries (about_kind, about_id);
CREATE INDEX deliveries_ended ON deliveries (ended_at);

-- +goose Down
DROP TABLE deliveries;
