-- A sign-in is a browser's, or a program's that holds a signed token; and an agent whose sandbox nobody needs may sleep.

-- +goose Up
ALTER TABLE sign_ins ADD COLUMN kind TEXT NOT NULL DEFAULT 'browser' CHECK (kind IN ('browser', 'token'));

-- +goose Down
ALTER TABLE sign_ins DROP COLUMN kind;
