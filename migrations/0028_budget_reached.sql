-- Programs are told once of a budget that is used up, for each of its periods, however many calls it refuses.

-- +goose Up
ALTER TABLE budget_balances ADD COLUMN reached_at TIMESTAMPTZ; -- when programs were told; null again after a change

-- +goose Down
ALTER TABLE budget_balances DROP COLUMN reached_at;
