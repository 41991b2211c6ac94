-- Approvals: rules for tool calls, what they decided, calls that wait for a person, and what people granted beforehand.

-- +goose Up
-- A column's check cannot be widened in place in SQLite: the column is made anew.
ALTER TABLE turns ADD COLUMN waits_on TEXT NOT NULL DEFAULT '' CHECK (waits_on IN ('', 'budget', 'approval'));
UPDATE turns SET waits_on = waits_for WHERE waits_for <> '';
DROP INDEX turns_parked_of;
DROP INDEX turns_parked;
ALTER TABLE turns DROP COLUMN waits_for;
ALTER TABLE turns RENAME COLUMN waits_on TO waits_for;
CREATE INDEX turns_parked ON turns (wait_until) WHERE waits_for <> '';
CREATE INDEX turns_parked_of ON turns (organization_id) WHERE waits_for <> '';

CREATE TABLE policy_rules (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    instance_id     TEXT, -- NULL = every instance, after its own rules
    position        INTEGER NOT NULL, -- within its place, the first that matches holds
    tool            TEXT NOT NULL, -- pattern of the tool's name
    pattern         TEXT NOT NULL, -- of what the tool is given
    verdict         TEXT NOT NULL CHECK (verdict IN ('allow', 'ask', 'deny')),
    reason          TEXT NOT NULL DEFAULT '',
    set_by          TEXT NOT NULL, -- name of who set it last
    created_at      TIMESTAMPTZ NOT NULL,
    updated_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX policy_rules_place ON policy_rules (organization_id, instance_id, position);

-- Append-only: what was decided of each tool call. A call that was asked for has a second row, with the outcome.
CREATE TABLE policy_decisions (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    turn_id         TEXT NOT NULL,
    call_id         TEXT NOT NULL,
    tool            TEXT NOT NULL,
    verdict         TEXT NOT NULL CHECK (verdict IN ('allow', 'ask', 'deny')),
    rule_id         TEXT NOT NULL DEFAULT '', -- of policy_rules; '' for a rule of the program
    rule_name       TEXT NOT NULL,
    reason          TEXT NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX policy_decisions_turn ON policy_decisions (organization_id, turn_id);

CREATE TABLE approvals (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    turn_id         TEXT NOT NULL,
    call_id         TEXT NOT NULL,
    tool            TEXT NOT NULL,
    input           TEXT NOT NULL, -- JSON as the log has it
    fingerprint     TEXT NOT NULL, -- of instance, tool and arguments: a changed call has another one
    rule_name       TEXT NOT NULL,
    reason          TEXT NOT NULL, -- why it is asked
    status          TEXT NOT NULL CHECK (status IN ('pending', 'approved', 'denied', 'timed_out', 'withdrawn')),
    decided_by      TEXT NOT NULL DEFAULT '', -- user
    decided_name    TEXT NOT NULL DEFAULT '',
    note            TEXT NOT NULL DEFAULT '', -- what the person said
    lasts           TEXT NOT NULL DEFAULT '', -- what was granted: once, session, days
    days            INTEGER NOT NULL DEFAULT 0,
    decided_at      TIMESTAMPTZ,
    begun_at        TIMESTAMPTZ, -- the call is run at most once
    expires_at      TIMESTAMPTZ NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    UNIQUE (organization_id, turn_id, call_id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, turn_id) REFERENCES turns (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX approvals_pending ON approvals (organization_id, created_at) WHERE status = 'pending';
CREATE INDEX approvals_decided ON approvals (organization_id, decided_at);
CREATE INDEX approvals_instance ON approvals (organization_id, instance_id);
CREATE INDEX approvals_session ON approvals (organization_id, session_id);

-- What a person allowed beyond one call: exactly this call, for a time or within a conversation. Revoking removes the row.
CREATE TABLE approval_grants (
    id              TEXT PRIMARY KEY,
    organization_id TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    session_id      TEXT, -- NULL = in every conversation with the instance
    fingerprint     TEXT NOT NULL,
    tool            TEXT NOT NULL,
    input           TEXT NOT NULL,
    granted_by      TEXT NOT NULL, -- user
    granted_name    TEXT NOT NULL,
    expires_at      TIMESTAMPTZ, -- NULL = with the conversation
    created_at      TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id),
    FOREIGN KEY (organization_id, instance_id) REFERENCES instances (organization_id, id) ON DELETE CASCADE,
    FOREIGN KEY (organization_id, session_id) REFERENCES sessions (organization_id, id) ON DELETE CASCADE
);
CREATE INDEX approval_grants_shape ON approval_grants (organization_id, instance_id, fingerprint);
CREATE INDEX approval_grants_session ON approval_grants (organization_id, session_id);

-- +goose Down
DROP TABLE approval_grants;
DROP TABLE approvals;
DROP TABLE policy_decisions;
DROP TABLE policy_rules;
DROP INDEX turns_parked_of;
DROP INDEX turns_parked;
ALTER TABLE turns ADD COLUMN waits_on TEXT NOT NULL DEFAULT '' CHECK (waits_on IN ('', 'budget'));
UPDATE turns SET waits_on = waits_for WHERE waits_for = 'budget';
ALTER TABLE turns DROP COLUMN waits_for;
ALTER TABLE turns RENAME COLUMN waits_on TO waits_for;
CREATE INDEX turns_parked ON turns (wait_until) WHERE waits_for <> '';
CREATE INDEX turns_parked_of ON turns (organization_id) WHERE waits_for <> '';
