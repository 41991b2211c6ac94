-- What the usage pages count: how each call ended, and sums of the settled ones by quarter of an hour. The same as
-- 0017_usage.sqlite.sql, but for the functions of time and the clustered table (docs/adr/0022-usage-by-quarters.md).

-- +goose Up
ALTER TABLE ledger_entries ADD COLUMN failure TEXT NOT NULL DEFAULT ''; -- of a settled call: the kind of error, 'cancelled' when its caller left
ALTER TABLE ledger_entries ADD COLUMN unpriced BOOLEAN NOT NULL DEFAULT FALSE; -- nobody knows what the model costs
ALTER TABLE ledger_entries ADD COLUMN baseline_nanos BIGINT; -- of a routed call: what its tokens had cost without a router; NULL = nothing to compare with

CREATE TABLE usage_quarters (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    quarter         BIGINT NOT NULL, -- Unix seconds of its beginning; the calls are those that began in it
    provider        TEXT NOT NULL,
    model           TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    member_id       TEXT NOT NULL,
    key_id          TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    calls           BIGINT NOT NULL,
    errors          BIGINT NOT NULL,
    unpriced        BIGINT NOT NULL,
    input_tokens    BIGINT NOT NULL,
    output_tokens   BIGINT NOT NULL,
    cost_nanos      BIGINT NOT NULL,
    compared        BIGINT NOT NULL, -- calls with a baseline
    compared_nanos  BIGINT NOT NULL, -- what those cost
    baseline_nanos  BIGINT NOT NULL, -- what they had cost without a router
    -- Calls that were answered, by how long they took: up to 125 ms, 250 ms, … 128 s, longer.
    took0           BIGINT NOT NULL DEFAULT 0,
    took1           BIGINT NOT NULL DEFAULT 0,
    took2           BIGINT NOT NULL DEFAULT 0,
    took3           BIGINT NOT NULL DEFAULT 0,
    took4           BIGINT NOT NULL DEFAULT 0,
    took5           BIGINT NOT NULL DEFAULT 0,
    took6           BIGINT NOT NULL DEFAULT 0,
    took7           BIGINT NOT NULL DEFAULT 0,
    took8           BIGINT NOT NULL DEFAULT 0,
    took9           BIGINT NOT NULL DEFAULT 0,
    took10          BIGINT NOT NULL DEFAULT 0,
    took11          BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, quarter, provider, model, instance_id, session_id, member_id, key_id, purpose)
);
INSERT INTO usage_quarters (organization_id, quarter, provider, model, instance_id, session_id, member_id, key_id, purpose, calls, errors, unpriced,
    input_tokens, output_tokens, cost_nanos, compared, compared_nanos, baseline_nanos,
    took0, took1, took2, took3, took4, took5, took6, took7, took8, took9, took10, took11)
SELECT organization_id, quarter, provider, model, instance_id, session_id, member_id, key_id, purpose, count(*), 0, 0,
    sum(input_tokens), sum(output_tokens), sum(cost_nanos), 0, 0, 0,
    sum(CASE WHEN ms > 0 AND ms <= 125 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 125 AND ms <= 250 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 250 AND ms <= 500 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 500 AND ms <= 1000 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 1000 AND ms <= 2000 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 2000 AND ms <= 4000 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 4000 AND ms <= 8000 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 8000 AND ms <= 16000 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 16000 AND ms <= 32000 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 32000 AND ms <= 64000 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 64000 AND ms <= 128000 THEN 1 ELSE 0 END),
    sum(CASE WHEN ms > 128000 THEN 1 ELSE 0 END)
FROM (SELECT e.*, CAST(floor(extract(epoch FROM reserved_at) / 900) AS BIGINT) * 900 AS quarter,
    CAST(extract(epoch FROM created_at - reserved_at) * 1000 AS BIGINT) AS ms
    FROM ledger_entries e WHERE kind = 'settle') settled
GROUP BY organization_id, quarter, provider, model, instance_id, session_id, member_id, key_id, purpose;

-- The same by days of the organization's zone and without the conversation, for the pages that show weeks and months. The
-- sweep makes them when usage_zone is not the organization's zone; until then the quarters are read.
CREATE TABLE usage_days (
    organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
    day             BIGINT NOT NULL, -- Unix seconds of its beginning
    provider        TEXT NOT NULL,
    model           TEXT NOT NULL,
    instance_id     TEXT NOT NULL,
    member_id       TEXT NOT NULL,
    key_id          TEXT NOT NULL,
    purpose         TEXT NOT NULL,
    calls           BIGINT NOT NULL,
    errors          BIGINT NOT NULL,
    unpriced        BIGINT NOT NULL,
    input_tokens    BIGINT NOT NULL,
    output_tokens   BIGINT NOT NULL,
    cost_nanos      BIGINT NOT NULL,
    compared        BIGINT NOT NULL, -- calls with a baseline
    compared_nanos  BIGINT NOT NULL, -- what those cost
    baseline_nanos  BIGINT NOT NULL, -- what they had cost without a router
    took0           BIGINT NOT NULL DEFAULT 0,
    took1           BIGINT NOT NULL DEFAULT 0,
    took2           BIGINT NOT NULL DEFAULT 0,
    took3           BIGINT NOT NULL DEFAULT 0,
    took4           BIGINT NOT NULL DEFAULT 0,
    took5           BIGINT NOT NULL DEFAULT 0,
    took6           BIGINT NOT NULL DEFAULT 0,
    took7           BIGINT NOT NULL DEFAULT 0,
    took8           BIGINT NOT NULL DEFAULT 0,
    took9           BIGINT NOT NULL DEFAULT 0,
    took10          BIGINT NOT NULL DEFAULT 0,
    took11          BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (organization_id, day, provider, model, instance_id, member_id, key_id, purpose)
);
ALTER TABLE organizations ADD COLUMN usage_zone TEXT NOT NULL DEFAULT ''; -- that usage_days are made for; '' = not made

ALTER TABLE routings ADD COLUMN ceiling TEXT NOT NULL DEFAULT ''; -- the dearest tier that the router may take; '' = as the plan says

CREATE INDEX gateway_calls_age ON gateway_calls (created_at); -- the sweep forgets old ones

-- +goose Down
ALTER TABLE routings DROP COLUMN ceiling;
DROP INDEX gateway_calls_age;
ALTER TABLE organizations DROP COLUMN usage_zone;
DROP TABLE usage_days;
DROP TABLE usage_quarters;
ALTER TABLE ledger_entries DROP COLUMN baseline_nanos;
ALTER TABLE ledger_entries DROP COLUMN unpriced;
ALTER TABLE ledger_entries DROP COLUMN failure;
