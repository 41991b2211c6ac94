-- What is only reserved is looked for by its call alone; each index less makes every call of a model cheaper.

-- +goose Up
DROP INDEX ledger_entries_time;
DROP INDEX ledger_entries_instance;
DROP INDEX ledger_entries_session;
DROP INDEX ledger_entries_turn;
CREATE INDEX ledger_entries_time ON ledger_entries (organization_id, created_at) WHERE kind = 'settle';
CREATE INDEX ledger_entries_instance ON ledger_entries (organization_id, instance_id, created_at) WHERE kind = 'settle';
CREATE INDEX ledger_entries_session ON ledger_entries (organization_id, session_id) WHERE kind = 'settle';
CREATE INDEX ledger_entries_turn ON ledger_entries (organization_id, turn_id) WHERE kind = 'settle';

-- +goose Down
DROP INDEX ledger_entries_turn;
DROP INDEX ledger_entries_session;
DROP INDEX ledger_entries_instance;
DROP INDEX ledger_entries_time;
CREATE INDEX ledger_entries_time ON ledger_entries (organization_id, created_at);
CREATE INDEX ledger_entries_instance ON ledger_entries (instance_id, created_at);
CREATE INDEX ledger_entries_session ON ledger_entries (session_id, kind);
CREATE INDEX ledger_entries_turn ON ledger_entries (organization_id, turn_id);
