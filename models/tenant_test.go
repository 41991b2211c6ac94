package models_test

import (
	"cmp"
	"context"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"lobstead/kit/id"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// owned are all types with an organization column; a test below compares the list with the schema.
var owned = map[string]any{
	"memberships": models.Membership{}, "api_keys": models.APIKey{}, "instances": models.Instance{},
	"invitations": models.Invitation{}, "audit_entries": models.AuditEntry{},
	"instance_steps": models.InstanceStep{}, "instance_logs": models.InstanceLog{}, "instance_metrics": models.InstanceMetric{},
	"sessions": models.Session{}, "turns": models.Turn{}, "events": models.Event{}, "attachments": models.Attachment{},
	"memories": models.Memory{}, "memory_versions": models.MemoryVersion{}, "providers": models.Provider{}, "ledger_entries": models.LedgerEntry{}, "subscriptions": models.Subscription{},
	"organization_flags": models.OrganizationFlag{}, "deliveries": models.Delivery{}, "webhook_endpoints": models.WebhookEndpoint{}, "notifications": models.Notification{},
	"usage_quarters": models.UsageQuarter{}, "usage_days": models.UsageDay{}, "budgets": models.Budget{}, "budget_balances": models.BudgetBalance{},
	"reservations": models.Reservation{}, "message_entries": models.MessageEntry{},
	"decisions": models.Decision{}, "routings": models.Routing{}, "breaker_orders": models.BreakerOrder{},
	"gateway_calls": models.GatewayCall{},
	"context_texts": models.ContextText{}, "turn_steps": models.TurnStep{}, "grades": models.Grade{}, "opinions": models.Opinion{},
	"messages": models.Message{}, "agent_profiles": models.AgentProfile{}, "instance_files": models.InstanceFile{}, "response_caches": models.ResponseCache{}, "cached_answers": models.CachedAnswer{}, "trashed_files": models.TrashedFile{}, "file_uploads": models.FileUpload{}, "checkpoints": models.Checkpoint{}, "channels": models.Channel{}, "channel_bindings": models.ChannelBinding{}, "link_codes": models.LinkCode{}, "channel_events": models.ChannelEvent{}, "channel_buttons": models.ChannelButton{},
	"instance_keys": models.InstanceKey{}, "skill_settings": models.SkillSetting{},
	"policy_rules": models.PolicyRule{}, "policy_decisions": models.PolicyDecision{}, "approvals": models.Approval{}, "approval_grants": models.ApprovalGrant{},
	"automations": models.Automation{}, "automation_runs": models.AutomationRun{}, "trigger_calls": models.TriggerCall{},
}

func fresh(model any) any { return reflect.New(reflect.TypeOf(model)).Interface() }
func list(model any) any  { return reflect.New(reflect.SliceOf(reflect.TypeOf(model))).Interface() }

// statements are the ways to touch a table. The plugin must stop each of them when the context names nobody.
func statements(table string, model any) map[string]func(*gorm.DB) error {
	one := map[string]any{}
	return map[string]func(*gorm.DB) error{
		"find":  func(db *gorm.DB) error { return db.Find(list(model)).Error },
		"first": func(db *gorm.DB) error { return db.First(fresh(model)).Error },
		"take":  func(db *gorm.DB) error { return db.Take(fresh(model)).Error },
		"last":  func(db *gorm.DB) error { return db.Last(fresh(model)).Error },
		"count": func(db *gorm.DB) error { var n int64; return db.Model(fresh(model)).Count(&n).Error },
		"pluck": func(db *gorm.DB) error { var ids []string; return db.Model(fresh(model)).Pluck("id", &ids).Error },
		"scan":  func(db *gorm.DB) error { return db.Model(fresh(model)).Limit(1).Scan(&one).Error },
		"row":   func(db *gorm.DB) error { return rowErr(db.Model(fresh(model)).Select("id")) },
		"rows":  func(db *gorm.DB) error { return rowsErr(db.Model(fresh(model)).Select("id")) },
		"batches": func(db *gorm.DB) error {
			return db.FindInBatches(list(model), 5, func(*gorm.DB, int) error { return nil }).Error
		},
		"or":     func(db *gorm.DB) error { return db.Where("id = ?", "a").Or("id <> ?", "a").Find(list(model)).Error },
		"update": func(db *gorm.DB) error { return db.Model(fresh(model)).Where("1 = 1").Update("id", "x").Error },
		"updates": func(db *gorm.DB) error {
			return db.Model(fresh(model)).Where("1 = 1").Updates(map[string]any{"id": "x"}).Error
		},
		"column": func(db *gorm.DB) error { return db.Model(fresh(model)).Where("1 = 1").UpdateColumn("id", "x").Error },
		"delete": func(db *gorm.DB) error { return db.Where("1 = 1").Delete(fresh(model)).Error },
		"create": func(db *gorm.DB) error { return db.Create(withID(fresh(model))).Error },
		"upsert": func(db *gorm.DB) error {
			return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(withID(fresh(model))).Error
		},
		"save":       func(db *gorm.DB) error { return db.Save(withID(fresh(model))).Error },
		"firstOrNew": func(db *gorm.DB) error { return db.Where("id = ?", "x").FirstOrCreate(withID(fresh(model))).Error },
		"raw":        func(db *gorm.DB) error { return db.Raw("SELECT id FROM " + table).Scan(&one).Error },
		"raw row":    func(db *gorm.DB) error { return rowErr(db.Raw("SELECT id FROM " + table)) },
		"exec":       func(db *gorm.DB) error { return db.Exec("DELETE FROM " + table).Error },
		"table":      func(db *gorm.DB) error { return db.Table(table).Limit(1).Scan(&one).Error },
		"table as":   func(db *gorm.DB) error { return db.Table(table + " AS x").Find(list(model)).Error },
		"table model": func(db *gorm.DB) error {
			return db.Model(fresh(model)).Table("users AS " + table).Limit(1).Scan(&one).Error
		},
		"table insert": func(db *gorm.DB) error { return db.Table(table).Create(map[string]any{"id": id.New()}).Error },
		"joins": func(db *gorm.DB) error {
			return db.Joins("JOIN organizations o ON 1 = 1").Find(list(model)).Error
		},
		"from": func(db *gorm.DB) error {
			return db.Clauses(clause.From{Tables: []clause.Table{{Name: table}}}).Find(list(model)).Error
		},
	}
}

// anyScope are the statements that a scope refuses too: their text cannot be narrowed.
var anyScope = []string{"upsert", "raw", "raw row", "exec", "table", "table as", "table model", "table insert", "joins", "from"}

func rowErr(db *gorm.DB) error {
	if row := db.Row(); row != nil {
		var s string
		return row.Scan(&s)
	}
	return models.ErrNoTenant
}

func rowsErr(db *gorm.DB) error {
	rows, err := db.Rows()
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	return rows.Err()
}

func withID(row any) any {
	if f := reflect.ValueOf(row).Elem().FieldByName("ID"); f.IsValid() { // sums have none
		f.SetString(id.New())
	}
	return row
}

func TestEveryStatementNeedsAScope(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	modelstest.Found(t, store, "Acme")
	before := counts(t, store)
	for table, model := range owned {
		for name, run := range statements(table, model) {
			for who, ctx := range map[string]context.Context{"nobody": t.Context(), "empty": models.TenantContext(t.Context(), "")} {
				require.ErrorIs(t, run(store.Gorm(ctx)), models.ErrNoTenant, "%s %s as %s", table, name, who)
			}
		}
		for _, name := range anyScope {
			err := statements(table, model)[name](store.Gorm(models.TenantContext(t.Context(), "some")))
			require.ErrorIs(t, err, models.ErrNoTenant, "%s %s in a scope", table, name)
		}
	}
	for _, model := range []any{&models.User{}, &models.SignIn{}, &models.SetupLink{}, &models.Identity{}, &models.Passkey{}, &models.SignInProvider{}, &models.SpentToken{},
		&models.InstallationSetting{}, &models.CatalogueEdit{}} {
		for _, ctx := range []context.Context{t.Context(), models.TenantContext(t.Context(), "some")} {
			require.ErrorIs(t, store.Gorm(ctx).Find(list(reflect.ValueOf(model).Elem().Interface())).Error, models.ErrNoTenant)
			require.ErrorIs(t, store.Gorm(ctx).Create(model).Error, models.ErrNoTenant)
			require.ErrorIs(t, store.Gorm(ctx).Where("1 = 1").Delete(model).Error, models.ErrNoTenant)
		}
	}
	require.Equal(t, before, counts(t, store), "nothing was written")
}

func counts(t *testing.T, store *models.Store) map[string]int64 {
	t.Helper()
	out := map[string]int64{}
	for table, model := range owned {
		var n int64
		require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Model(fresh(model)).Count(&n).Error)
		out[table] = n
	}
	return out
}

// A scope sees, changes and removes its own rows only, whatever the conditions say.
func TestScopeStaysInside(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	a, b := populated(t, store, "Acme"), populated(t, store, "Beta")
	in := func(org string) *gorm.DB { return store.Gorm(models.TenantContext(t.Context(), org)) }
	before := counts(t, store)
	for table, model := range owned {
		rows := list(model)
		require.NoError(t, in(a).Where("organization_id = ?", b).Or("1 = 1").Or("organization_id <> ?", a).Find(rows).Error)
		v := reflect.ValueOf(rows).Elem()
		require.Positive(t, v.Len(), table)
		for i := range v.Len() {
			require.Equal(t, a, v.Index(i).FieldByName("OrganizationID").String(), table)
		}
		require.NotZero(t, before[table], table)
		var n int64
		require.NoError(t, in(a).Model(fresh(model)).Where("organization_id = ?", b).Or("organization_id = ?", b).Count(&n).Error)
		require.Zero(t, n, table)
		column := map[string]string{"instance_steps": "finished_at", "usage_quarters": "calls", "usage_days": "calls"}[table]
		res := in(a).Model(fresh(model)).Where("organization_id = ?", b).Update(cmp.Or(column, "created_at"), nil)
		require.NoError(t, res.Error, table)
		require.Zero(t, res.RowsAffected, table)
		res = in(a).Where("organization_id = ?", b).Or("organization_id = ?", b).Delete(fresh(model))
		require.NoError(t, res.Error, table)
		require.Zero(t, res.RowsAffected, table)
		for _, set := range []any{map[string]any{"organization_id": b}, map[string]any{"OrganizationID": b}, owner(fresh(model), b)} {
			require.ErrorIs(t, in(a).Model(fresh(model)).Where("1 = 1").Updates(set).Error, models.ErrNoTenant, table)
		}
	}
	require.Equal(t, before, counts(t, store))
	orgs := []models.Organization{}
	require.NoError(t, in(a).Find(&orgs).Error)
	require.Len(t, orgs, 1)
	require.Equal(t, a, orgs[0].ID)
	require.ErrorIs(t, in(a).Create(&models.Organization{ID: id.New()}).Error, models.ErrNoTenant)
	require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Find(&orgs).Error)
	require.Len(t, orgs, 2, "the system sees all")
	var n int
	require.NoError(t, store.Gorm(models.SystemContext(t.Context(), "test")).Raw("SELECT count(*) FROM turns").Scan(&n).Error)
	require.Equal(t, 8, n)
	require.NoError(t, store.Gorm(models.RawContext(models.TenantContext(t.Context(), a))).Raw("SELECT 7").Scan(&n).Error, "a verb that says so")
	require.Equal(t, 7, n)
}

func owner(row any, org string) any {
	reflect.ValueOf(row).Elem().FieldByName("OrganizationID").SetString(org)
	return row
}

// Rows are stamped with the scope's organization, each of a slice, and refused when they carry another's.
func TestStamp(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	a, b := populated(t, store, "Acme"), populated(t, store, "Beta")
	in := store.Gorm(models.TenantContext(t.Context(), a))
	entry := func(org string) models.LedgerEntry {
		return models.LedgerEntry{ID: id.New(), OrganizationID: org, CallID: id.New(), Kind: models.Settled}
	}
	rows := []models.LedgerEntry{entry(""), entry(a), entry("")}
	require.NoError(t, in.Create(&rows).Error)
	pointers := []*models.LedgerEntry{{ID: id.New(), CallID: "p", Kind: models.Settled}}
	require.NoError(t, in.Create(&pointers).Error)
	batch := []models.LedgerEntry{entry(""), entry("")}
	require.NoError(t, in.CreateInBatches(&batch, 1).Error)
	for _, r := range append(append(rows, batch...), *pointers[0]) {
		require.Equal(t, a, r.OrganizationID)
	}
	mixed := []models.LedgerEntry{entry(""), entry(b)}
	require.ErrorIs(t, in.Create(&mixed).Error, models.ErrNoTenant)
	require.ErrorIs(t, in.Create(&models.LedgerEntry{ID: id.New(), OrganizationID: b, Kind: models.Settled}).Error, models.ErrNoTenant)
	require.ErrorIs(t, in.Model(&models.LedgerEntry{}).Create(map[string]any{"id": "m", "organization_id": b, "call_id": "m", "kind": "settle"}).Error, models.ErrNoTenant)
	var n int64
	require.NoError(t, in.Model(&models.LedgerEntry{}).Count(&n).Error)
	require.EqualValues(t, 2+6, n, "none of the mixed ones")
}
