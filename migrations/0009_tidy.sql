-- What the sweeps look for, each minute or second: it must not cost a read of whole tables.

-- +goose Up
CREATE INDEX sign_ins_expiry ON sign_ins (expires_at);
CREATE INDEX spent_tokens_expiry ON spent_tokens (expires_at);
CREATE INDEX invitations_expiry ON invitations (expires_at);
CREATE INDEX organizations_suspended ON organizations (id) WHERE suspended_at IS NOT NULL;
CREATE INDEX organizations_deleting ON organizations (id) WHERE deleting_at IS NOT NULL;

-- +goose Down
DROP INDEX organizations_deleting;
DROP INDEX organizations_suspended;
DROP INDEX invitations_expiry;
DROP INDEX spent_tokens_expiry;
DROP INDEX sign_ins_expiry;
