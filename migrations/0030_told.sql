-- What an agent was told before its instructions were changed, and notifications by a linked account.

-- +goose Up
ALTER TABLE agent_profiles ADD COLUMN instructions_before TEXT NOT NULL DEFAULT ''; -- what the last change replaced
ALTER TABLE agent_profiles ADD COLUMN instructions_by TEXT NOT NULL DEFAULT ''; -- whose change that was
ALTER TABLE agent_profiles ADD COLUMN instructions_at TIMESTAMPTZ;

ALTER TABLE notification_choices ADD COLUMN channel TEXT NOT NULL DEFAULT ''; -- the kind of account that a message goes to; '' = to none
ALTER TABLE notifications ADD COLUMN chat_at TIMESTAMPTZ; -- when it goes into a message
ALTER TABLE notifications ADD COLUMN chatted_at TIMESTAMPTZ; -- when it, or the one of the same thing before it, did
CREATE INDEX notifications_chat ON notifications (chat_at) WHERE chat_at IS NOT NULL;

-- +goose Down
DROP INDEX notifications_chat;
ALTER TABLE notifications DROP COLUMN chatted_at;
ALTER TABLE notifications DROP COLUMN chat_at;
ALTER TABLE notification_choices DROP COLUMN channel;
ALTER TABLE agent_profiles DROP COLUMN instructions_at;
ALTER TABLE agent_profiles DROP COLUMN instructions_by;
ALTER TABLE agent_profiles DROP COLUMN instructions_before;
