-- Further ways to sign in: services that vouch for people, passkeys, and what this installation allows.

-- +goose Up
ALTER TABLE users ADD COLUMN second_factor BOOLEAN NOT NULL DEFAULT FALSE; -- a passkey after the password

CREATE TABLE sign_in_providers (
    id            TEXT PRIMARY KEY,
    kind          TEXT NOT NULL CHECK (kind IN ('github', 'google', 'oidc')),
    name          TEXT NOT NULL,
    issuer        TEXT NOT NULL, -- whose word counts; of GitHub: the address of the site
    client_id     TEXT NOT NULL,
    secret_sealed BYTEA,
    private       BOOLEAN NOT NULL DEFAULT FALSE, -- staff allowed an address inside the network
    enabled       BOOLEAN NOT NULL DEFAULT FALSE,
    tested_at     TIMESTAMPTZ, -- when somebody last came back through it, with these settings
    test_result   TEXT NOT NULL DEFAULT '',
    created_at    TIMESTAMPTZ NOT NULL,
    updated_at    TIMESTAMPTZ NOT NULL,
    UNIQUE (issuer, client_id)
);

CREATE TABLE passkeys (
    id            TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name          TEXT NOT NULL,
    credential_id TEXT NOT NULL UNIQUE, -- base64url, as the authenticator named it
    credential    BYTEA NOT NULL, -- JSON: public key, counter, flags, attestation
    last_used_at  TIMESTAMPTZ,
    created_at    TIMESTAMPTZ NOT NULL
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- What may be used once and was: states of sign-ins and challenges of passkeys, until they would have expired.
CREATE TABLE spent_tokens (
    token_hash TEXT PRIMARY KEY,
    expires_at TIMESTAMPTZ NOT NULL
);

CREATE TABLE installation_settings (
    key        TEXT PRIMARY KEY,
    value      TEXT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
);

-- +goose Down
DROP TABLE installation_settings;
DROP TABLE spent_tokens;
DROP TABLE passkeys;
DROP TABLE sign_in_providers;
ALTER TABLE users DROP COLUMN second_factor;
