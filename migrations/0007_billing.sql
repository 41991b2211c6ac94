-- What plans give and cost, what an organization pays for, and why one stands still.

-- +goose Up
CREATE TABLE plans (
    tier               TEXT PRIMARY KEY CHECK (tier IN ('STARTER', 'PRO', 'BUSINESS')),
    memory_mb          INTEGER NOT NULL CHECK (memory_mb > 0),
    storage_mb         INTEGER NOT NULL CHECK (storage_mb > 0),
    processes          INTEGER NOT NULL CHECK (processes > 0),
    cpus               DOUBLE PRECISION NOT NULL CHECK (cpus > 0),
    instances          INTEGER NOT NULL CHECK (instances >= 0),
    price_month_cents  INTEGER NOT NULL CHECK (price_month_cents >= 0), -- US cents
    price_year_cents   INTEGER NOT NULL CHECK (price_year_cents >= 0),
    stripe_price_month TEXT NOT NULL DEFAULT '', -- id of a price in Stripe; '' = made at the checkout
    stripe_price_year  TEXT NOT NULL DEFAULT '',
    updated_at         TIMESTAMPTZ NOT NULL
);
-- The numbers of the contract: cloud-api.md, "Tiers".
INSERT INTO plans (tier, memory_mb, storage_mb, processes, cpus, instances, price_month_cents, price_year_cents, updated_at) VALUES
    ('STARTER', 512, 1024, 64, 1, 1, 500, 5000, '2026-01-01 00:00:00+00:00'),
    ('PRO', 2048, 10240, 256, 2, 5, 2500, 25000, '2026-01-01 00:00:00+00:00'),
    ('BUSINESS', 8192, 102400, 512, 4, 20, 9900, 99000, '2026-01-01 00:00:00+00:00');

-- An instance keeps the size that it was made with, whatever becomes of its plan.
ALTER TABLE instances ADD COLUMN processes INTEGER NOT NULL DEFAULT 64;
ALTER TABLE instances ADD COLUMN cpus DOUBLE PRECISION NOT NULL DEFAULT 1;
UPDATE instances SET processes = 256, cpus = 2 WHERE tier = 'PRO';
UPDATE instances SET processes = 512, cpus = 4 WHERE tier = 'BUSINESS';

ALTER TABLE organizations ADD COLUMN instance_limit INTEGER; -- NULL: the plan's
ALTER TABLE organizations ADD COLUMN suspended_by TEXT NOT NULL DEFAULT '' CHECK (suspended_by IN ('', 'billing', 'staff'));

-- What Stripe said last of what an organization pays for: absolute values, never sums.
CREATE TABLE subscriptions (
    id                  TEXT PRIMARY KEY,
    organization_id     TEXT NOT NULL UNIQUE REFERENCES organizations (id) ON DELETE CASCADE,
    stripe_customer     TEXT NOT NULL,
    stripe_subscription TEXT NOT NULL,
    status              TEXT NOT NULL, -- Stripe's word
    plan                TEXT NOT NULL CHECK (plan IN ('STARTER', 'PRO', 'BUSINESS')),
    annual              BOOLEAN NOT NULL,
    period_end          TIMESTAMPTZ,
    cancel_at           TIMESTAMPTZ,
    ticket              BIGINT NOT NULL, -- of the fetch that wrote this
    created_at          TIMESTAMPTZ NOT NULL,
    updated_at          TIMESTAMPTZ NOT NULL,
    UNIQUE (organization_id, id)
);
CREATE INDEX subscriptions_customer ON subscriptions (stripe_customer);

-- Events that Stripe sent: one that is done has had its effect, in the same transaction.
CREATE TABLE stripe_events (
    id          TEXT PRIMARY KEY,
    type        TEXT NOT NULL,
    ticket      BIGINT NOT NULL, -- orders what is fetched from Stripe
    received_at TIMESTAMPTZ NOT NULL,
    done_at     TIMESTAMPTZ
);
CREATE INDEX stripe_events_ticket ON stripe_events (ticket);
CREATE INDEX stripe_events_received ON stripe_events (received_at);

-- +goose Down
DROP TABLE stripe_events;
DROP TABLE subscriptions;
ALTER TABLE organizations DROP COLUMN suspended_by;
ALTER TABLE organizations DROP COLUMN instance_limit;
ALTER TABLE instances DROP COLUMN cpus;
ALTER TABLE instances DROP COLUMN processes;
DROP TABLE plans;
