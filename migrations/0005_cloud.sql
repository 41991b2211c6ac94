-- What a team needs: who was asked to join, which organization a browser looks at, and who did what.

-- +goose Up
ALTER TABLE organizations ADD COLUMN suspended_at TIMESTAMPTZ;
ALTER TABLE organizations ADD COLUMN suspended_reason TEXT NOT NULL DEFAULT '';
ALTER TABLE organizations ADD COLUMN deleting_at TIMESTAMPTZ; -- wanted gone: the sweep ends it when its instances are
ALTER TABLE sign_ins ADD COLUMN looks_at TEXT NOT NULL DEFAULT ''; -- the organization that this browser chose

CREATE UNIQUE INDEX memberships_one_owner ON memberships (organization_id) WHERE role = 'OWNER';

CREATE TABLE invitations (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    email           TEXT NOT NULL,
    role            TEXT NOT NULL CHECK (role IN ('ADMIN', 'MEMBER')),
    token_hash      TEXT NOT NULL UNIQUE,
    invited_by      TEXT NOT NULL,
    expires_at      TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, email)
);

-- Append-only, one chain per organization and one for the installation: each entry holds the hash of the one before.
CREATE TABLE audit_entries (
    id              TEXT PRIMARY KEY,
    organization_id TEXT REFERENCES organizations (id) ON DELETE CASCADE, -- NULL: the installation's
    chain           TEXT NOT NULL, -- the organization, or "installation"
    seq             BIGINT NOT NULL,
    act             TEXT NOT NULL,
    actor_kind      TEXT NOT NULL CHECK (actor_kind IN ('person', 'key', 'staff', 'system')),
    actor_id        TEXT NOT NULL,
    actor_name      TEXT NOT NULL,
    address         TEXT NOT NULL,
    target_kind     TEXT NOT NULL,
    target_id       TEXT NOT NULL,
    target_name     TEXT NOT NULL,
    before          TEXT NOT NULL, -- JSON, as it was hashed
    after           TEXT NOT NULL,
    reason          TEXT NOT NULL,
    previous_hash   TEXT NOT NULL,
    hash            TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (chain, seq)
);

-- +goose Down
DROP TABLE audit_entries;
DROP TABLE invitations;
DROP INDEX memberships_one_owner;
ALTER TABLE sign_ins DROP COLUMN looks_at;
ALTER TABLE organizations DROP COLUMN deleting_at;
ALTER TABLE organizations DROP COLUMN suspended_reason;
ALTER TABLE organizations DROP COLUMN suspended_at;
