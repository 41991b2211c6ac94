-- Channels: what a service made of a message of ours, and how far each conversation was heard.

-- +goose Up
ALTER TABLE deliveries ADD COLUMN external_id TEXT NOT NULL DEFAULT ''; -- of a channel: its service's id of the message
CREATE INDEX deliveries_external ON deliveries (target_id, external_id) WHERE external_id <> '';
ALTER TABLE channel_events ADD COLUMN peer TEXT NOT NULL DEFAULT ''; -- JSON: the conversation in which it was said
CREATE INDEX channel_events_peer ON channel_events (channel_id, peer, id) WHERE peer <> '';
CREATE INDEX channel_events_turn ON channel_events (turn_id) WHERE turn_id <> '';

-- +goose Down
DROP INDEX channel_events_turn;
DROP INDEX channel_events_peer;
ALTER TABLE channel_events DROP COLUMN peer;
DROP INDEX deliveries_external;
ALTER TABLE deliveries DROP COLUMN external_id;
