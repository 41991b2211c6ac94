-- What programs asked of models through the gateway, and what became of it. The ledger says what it cost.

-- +goose Up
CREATE TABLE gateway_calls (
    id              TEXT PRIMARY KEY, -- of the request
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    door            TEXT NOT NULL,
    key_id          TEXT NOT NULL DEFAULT '',
    instance_id     TEXT NOT NULL DEFAULT '',
    session         TEXT NOT NULL DEFAULT '', -- as the caller named it
    requested       TEXT NOT NULL,
    model           TEXT NOT NULL,
    routed          BOOLEAN NOT NULL,
    streamed        BOOLEAN NOT NULL,
    error           TEXT NOT NULL DEFAULT '', -- the class, '' for an answer
    input_tokens    INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    cost_nanos      BIGINT NOT NULL,
    priced          BOOLEAN NOT NULL,
    first_ms        INTEGER NOT NULL,
    total_ms        INTEGER NOT NULL,
    created_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX gateway_calls_time ON gateway_calls (organization_id, created_at);

-- +goose Down
DROP TABLE gateway_calls;
