package models

import (
	"context"
	"time"
)

// Trim forgets what is beyond what is kept: readings and log lines of each instance, and what has expired.
func (sy *System) Trim(ctx context.Context) error {
	for table, keep := range map[string]int{"instance_metrics": keptMetrics, "instance_logs": keptLogs} {
		err := sy.write(ctx).Exec(`DELETE FROM `+table+` WHERE id IN (SELECT id FROM (SELECT id,
			row_number() OVER (PARTITION BY instance_id ORDER BY id DESC) AS n FROM `+table+`) ranked WHERE n > ?)`, keep).Error
		if err != nil {
			return translate(err)
		}
	}
	if err := sy.trimAnswers(ctx); err != nil {
		return err
	}
	return sy.trimExpired(ctx)
}

// trimAnswers forgets the oldest answers of a cache that has more than its owner wants.
func (sy *System) trimAnswers(ctx context.Context) error {
	return translate(sy.write(ctx).Exec(`DELETE FROM cached_answers WHERE id IN (SELECT id FROM (SELECT a.id, c.max_entries,
		row_number() OVER (PARTITION BY a.organization_id, a.instance_id ORDER BY a.created_at DESC, a.id DESC) AS n
		FROM cached_answers a JOIN response_caches c ON c.organization_id = a.organization_id AND c.instance_id = a.instance_id) ranked
		WHERE n > max_entries)`).Error)
}

// trimBatch is how many rows of a table one call forgets: the next one takes the rest.
const trimBatch = 1000

// keptInvitations is how long an invitation is shown after it expired, so that it can be sent again.
const keptInvitations = 30 * 24 * time.Hour

// keptStripeEvents is how long the ids of events are kept: Stripe repeats one for three days, and people ask it to for
// thirty.
const keptStripeEvents = 60 * 24 * time.Hour

// keptGatewayCalls is how long calls of programs are kept: their report goes back ninety days.
const keptGatewayCalls = 91 * 24 * time.Hour

// trimExpired forgets what nobody can use any more. A sign-in that was revoked goes when it would have expired.
func (sy *System) trimExpired(ctx context.Context) error {
	now := sy.store.now()
	for _, t := range []struct {
		table, key, time string
		before           time.Time
	}{{"sign_ins", "id", "expires_at", now}, {"setup_links", "id", "expires_at", now}, {"spent_tokens", "token_hash", "expires_at", now},
		{"invitations", "id", "expires_at", now.Add(-keptInvitations)}, {"stripe_events", "id", "received_at", now.Add(-keptStripeEvents)},
		{"gateway_calls", "id", "created_at", now.Add(-keptGatewayCalls)}, {"automation_runs", "id", "ended_at", now.Add(-keptRuns)}, {"trigger_calls", "id", "created_at", now.Add(-keptCalls)},
		{"cached_answers", "id", "expires_at", now}} {
		err := sy.write(ctx).Exec("DELETE FROM "+t.table+" WHERE "+t.key+" IN (SELECT "+t.key+" FROM "+t.table+" WHERE "+t.time+" < ? ORDER BY "+t.time+" LIMIT ?)",
			t.before, trimBatch).Error
		if err != nil {
			return translate(err)
		}
	}
	return nil
}
