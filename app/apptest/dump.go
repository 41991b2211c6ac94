package apptest

import (
	"fmt"
	"sort"
	"strings"

	"github.com/stretchr/testify/require"
)

// owned are the tables with an organization's rows; TestDumpKnowsEveryTable compares them with the schema.
var owned = []string{"memberships", "invitations", "audit_entries", "api_keys", "instances", "instance_steps", "instance_logs", "instance_metrics", "sessions", "turns",
	"events", "attachments", "memories", "memory_versions", "providers", "ledger_entries", "subscriptions", "organization_flags", "deliveries",
	"budgets", "budget_balances", "reservations", "message_entries", "decisions", "routings", "breaker_orders", "gateway_calls",
	"usage_quarters", "usage_days",
	"context_texts", "turn_steps", "grades", "opinions",
	"instance_keys", "skill_settings", "response_caches", "cached_answers", "trashed_files", "file_uploads", "checkpoints",
	"automations", "automation_runs", "trigger_calls",
	"instance_files", "agent_profiles", "messages",
	"channels", "channel_bindings", "link_codes", "channel_events", "channel_buttons",
	"webhook_endpoints", "notifications",
	"policy_rules", "policy_decisions", "approvals", "approval_grants"}

// seen are the columns that reading alone may change.
var seen = map[string]bool{"last_used_at": true, "last_used_address": true, "lease_until": true}

// Dump gives every row of an organization, to compare before and after.
func (w *World) Dump(org string) string {
	w.T.Helper()
	_, err := w.Store.In(org).Decisions(w.T.Context(), 1) // what nobody waits for is written when one is read
	require.NoError(w.T, err)
	out := []string{}
	for _, table := range owned {
		out = append(out, w.rows(table, org)...)
	}
	sort.Strings(out)
	return strings.Join(out, "\n")
}

func (w *World) rows(table, org string) []string {
	rows, err := w.DB.Query(w.rebind("SELECT * FROM "+table+" WHERE organization_id = ?"), org)
	require.NoError(w.T, err)
	defer func() { _ = rows.Close() }()
	names, err := rows.Columns()
	require.NoError(w.T, err)
	out := []string{}
	for rows.Next() {
		values, ptrs := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			ptrs[i] = &values[i]
		}
		require.NoError(w.T, rows.Scan(ptrs...))
		line := table
		for i, n := range names {
			if !seen[n] {
				line += fmt.Sprintf(" %s=%v", n, values[i])
			}
		}
		out = append(out, line)
	}
	require.NoError(w.T, rows.Err())
	return out
}

// Count counts rows past the store.
func (w *World) Count(query string, args ...any) int {
	w.T.Helper()
	n := 0
	require.NoError(w.T, w.DB.QueryRow(w.rebind(query), args...).Scan(&n))
	return n
}

// CheckOwned fails when the schema has a table of organizations that Dump does not know.
func (w *World) CheckOwned() {
	w.T.Helper()
	query := `SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'organization_id'`
	if w.dialect != "sqlite" {
		query = `SELECT table_name FROM information_schema.columns WHERE column_name = 'organization_id' AND table_schema = current_schema()`
	}
	rows, err := w.DB.Query(query)
	require.NoError(w.T, err)
	defer func() { _ = rows.Close() }()
	have := []string{}
	for rows.Next() {
		name := ""
		require.NoError(w.T, rows.Scan(&name))
		have = append(have, name)
	}
	require.NoError(w.T, rows.Err())
	require.ElementsMatch(w.T, owned, have)
}
