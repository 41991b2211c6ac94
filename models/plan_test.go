package models_test

import (
	"context"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// recorder keeps the statements of a store as they were sent, with their values in place.
type recorder struct {
	mu  sync.Mutex
	sql []string
}

func (r *recorder) watch(t *testing.T, store *models.Store) {
	t.Helper()
	note := func(db *gorm.DB) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if s := db.Statement; !db.DryRun && s.SQL.Len() > 0 && strings.HasPrefix(s.SQL.String(), "SELECT") {
			r.sql = append(r.sql, db.Dialector.Explain(s.SQL.String(), s.Vars...))
		}
	}
	for _, h := range store.Handles() {
		require.NoError(t, h.Callback().Query().After("gorm:query").Register("record:query", note))
		require.NoError(t, h.Callback().Row().After("gorm:row").Register("record:row", note))
		require.NoError(t, h.Callback().Raw().After("gorm:raw").Register("record:raw", note))
	}
}

// big are the tables that only grow: the organization alone is no way to a row of theirs.
var big = regexp.MustCompile(`SEARCH (turns|t|events|e|attachments|ledger_entries) USING INDEX (sqlite_\S+|\w+_(recent|time|session|turn|list)) \(organization_id=\?\)$`)

// No hot query reads a table from end to end.
func TestHotQueriesUseIndexes(t *testing.T) {
	t.Parallel()
	if modelstest.Postgres() {
		t.Skip("SQLite only: Postgres plans by the size of its tables, and these are small")
	}
	store := modelstest.New(t)
	sc, inst, s := conversation(t, store)
	turn := say(t, sc, s.ID, "x")
	rec := &recorder{}
	rec.watch(t, store)
	sy := store.AsSystem("test")
	for name, c := range map[string]struct {
		run func(context.Context)
		may string // a scan or a sort that is meant
	}{
		"instances":       {run: func(ctx context.Context) { _, _ = sc.Instances(ctx) }},
		"instance":        {run: func(ctx context.Context) { _, _ = sc.Instance(ctx, inst.ID) }},
		"default":         {run: func(ctx context.Context) { _, _ = sc.DefaultInstance(ctx) }, may: "ORDER BY"},
		"logs":            {run: func(ctx context.Context) { _, _ = sc.Logs(ctx, inst.ID, 50) }},
		"metrics":         {run: func(ctx context.Context) { _, _ = sc.Metrics(ctx, inst.ID, 100) }},
		"claimable":       {run: func(ctx context.Context) { _, _ = sy.ClaimableTurns(ctx, 10) }, may: "ORDER BY"},
		"events":          {run: func(ctx context.Context) { _, _ = sc.Events(ctx, s.ID, 5, 100) }},
		"latest":          {run: func(ctx context.Context) { _, _ = sc.LatestEvents(ctx, s.ID, 0, 100) }},
		"latest before":   {run: func(ctx context.Context) { _, _ = sc.LatestEvents(ctx, s.ID, 50, 100) }},
		"turn events":     {run: func(ctx context.Context) { _, _ = sc.TurnEvents(ctx, turn.ID) }},
		"sessions":        {run: func(ctx context.Context) { _, _ = sc.Sessions(ctx, models.SessionFilter{Limit: 50}) }},
		"sessions of one": {run: func(ctx context.Context) { _, _ = sc.Sessions(ctx, models.SessionFilter{InstanceID: inst.ID}) }, may: "ORDER BY"},
		"search":          {run: func(ctx context.Context) { _, _ = sc.Sessions(ctx, models.SessionFilter{Search: "x"}) }},
		"session of":      {run: func(ctx context.Context) { _, _ = sc.SessionOf(ctx, inst.ID, s.ID) }, may: "ORDER BY"},
		"search all":      {run: func(ctx context.Context) { _, _ = sc.SearchSessions(ctx, "x", true, 20) }, may: "ORDER BY"},
		"cookie":          {run: func(ctx context.Context) { _, _ = sy.BySignIn(ctx, secret.Of("x")) }, may: "ORDER BY"},
		"key":             {run: func(ctx context.Context) { _, _ = sy.ByAPIKey(ctx, secret.Of("x"), "") }},
		"open turns":      {run: func(ctx context.Context) { _, _ = sc.OpenTurns(ctx, s.ID) }},
		"last turn":       {run: func(ctx context.Context) { _, _ = sc.LastTurn(ctx, s.ID) }},
		"busy sessions":   {run: func(ctx context.Context) { _, _ = sc.BusySessions(ctx) }, may: "GROUP BY"},
		"busy turns":      {run: func(ctx context.Context) { _, _ = sc.BusyTurns(ctx, inst.ID) }},
		"attachments":     {run: func(ctx context.Context) { _, _ = sc.Attachments(ctx, turn.ID) }, may: "ORDER BY"},
		"spend":           {run: func(ctx context.Context) { _, _ = sc.SessionSpend(ctx, s.ID) }},
		"spent":           {run: func(ctx context.Context) { _, _ = sc.SpentSince(ctx, s.CreatedAt) }},
		"month":           {run: func(ctx context.Context) { _, _ = sc.MessagesThisMonth(ctx) }},
		"memories":        {run: func(ctx context.Context) { _, _ = sc.Memories(ctx, inst.ID, "x", 10) }, may: "ORDER BY"},
		"default model":   {run: func(ctx context.Context) { _, _ = sc.DefaultProvider(ctx) }},
		"steps":           {run: func(ctx context.Context) { _, _ = sc.Steps(ctx, inst) }, may: "ORDER BY"},
		"audit log":       {run: func(ctx context.Context) { _, _ = sc.AuditEntries(ctx, models.AuditFilter{}) }},
		"stragglers":      {run: func(ctx context.Context) { _, _ = sy.SuspendStragglers(ctx) }, may: "organizations_suspended"},
		"deletions":       {run: func(ctx context.Context) { _, _ = sy.FinishDeletions(ctx) }, may: "organizations_deleting"},
		"overview":        {run: func(ctx context.Context) { _, _ = sc.Overview(ctx) }, may: "BY"},
	} {
		rec.sql = nil
		c.run(t.Context())
		require.NotEmpty(t, rec.sql, name)
		for _, query := range rec.sql {
			for _, row := range texts(t, store.SQL(), "EXPLAIN QUERY PLAN "+query) {
				step := row[3]
				if big.MatchString(step) {
					t.Errorf("%s reads all of an organization's: %s\n%s", name, step, query)
				}
				if strings.HasPrefix(step, "SCAN (subquery") || strings.Contains(step, "VIRTUAL TABLE INDEX") {
					continue // the full-text index, and the few rows that a search took from it
				}
				if strings.HasPrefix(step, "SCAN") && step != "SCAN CONSTANT ROW" || strings.Contains(step, "TEMP B-TREE") && !strings.Contains(step, "LAST TERM") {
					if c.may == "" || !strings.Contains(step, c.may) {
						t.Errorf("%s: %s\n%s", name, step, query)
					}
				}
			}
		}
	}
}
