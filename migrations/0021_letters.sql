-- Who wants no letter when something waits for them.

-- +goose Up
ALTER TABLE users ADD COLUMN no_letters BOOLEAN NOT NULL DEFAULT FALSE;

-- +goose Down
ALTER TABLE users DROP COLUMN no_letters;
