-- An upload that is complete is remembered for a while: whoever did not get the answer to the last piece asks again.

-- +goose Up
ALTER TABLE file_uploads ADD COLUMN placed_at TIMESTAMPTZ; -- when the file took its place, or was about to

-- +goose Down
ALTER TABLE file_uploads DROP COLUMN placed_at;
