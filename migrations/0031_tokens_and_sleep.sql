-- A sign-in is a browser's, or a program's that holds a signed token. An instance whose sandbox nobody needs may sleep.

-- +goose Up
ALTER TABLE sign_ins ADD COLUMN kind TEXT NOT NULL DEFAULT 'browser' CHECK (kind IN ('browser', 'token'));
ALTER TABLE instances ADD COLUMN asleep_for BIGINT NOT NULL DEFAULT 0; -- the wish under which its sandbox sleeps, negative while it wakes; 0 = neither

-- +goose Down
ALTER TABLE instances DROP COLUMN asleep_for;
ALTER TABLE sign_ins DROP COLUMN kind;
