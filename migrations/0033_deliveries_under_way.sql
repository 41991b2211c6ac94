-- How many deliveries of an organization are on their way: servers of one that never answer hold up nobody else.

-- +goose Up
CREATE INDEX deliveries_under_way ON deliveries (organization_id, lease_until) WHERE state = 'pending' AND lease_until IS NOT NULL;

-- +goose Down
DROP INDEX deliveries_under_way;
