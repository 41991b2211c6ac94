package models

import (
	"context"
	"errors"
	"reflect"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/schema"
)

// The second tenancy lock. Every statement on a table with an organization column is narrowed to the
// organization that its context names, and one whose context names none is refused; so are raw SQL, joins and
// statements without a model, unless the context is the system's or the verb says rawContext. Tables without an
// owner (people, credentials) are the system's alone.

// ErrNoTenant means that a query was written without a scope: a defect, never a user's fault.
var ErrNoTenant = errors.New("models: statement without an organization scope")

type tenant struct {
	org    string
	reason string // set for the system
	raw    bool
}

type tenantKey struct{}

func tenantContext(ctx context.Context, org string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant{org: org})
}

func systemContext(ctx context.Context, reason string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant{reason: reason, raw: true})
}

// rawContext lets one statement of a scope be raw SQL; that statement names the organization itself.
func rawContext(ctx context.Context) context.Context {
	t, _ := ctx.Value(tenantKey{}).(tenant)
	t.raw = true
	return context.WithValue(ctx, tenantKey{}, t)
}

type tenancy struct{}

func (tenancy) Name() string { return "tenancy" }

func (tenancy) Initialize(db *gorm.DB) error {
	cb := db.Callback()
	return errors.Join(
		cb.Query().Before("gorm:query").Register("tenancy:query", narrow),
		cb.Row().Before("gorm:row").Register("tenancy:row", narrow),
		cb.Update().Before("gorm:update").Register("tenancy:update", keepOwner),
		cb.Delete().Before("gorm:delete").Register("tenancy:delete", narrow),
		cb.Create().Before("gorm:create").Register("tenancy:create", stamp),
		cb.Raw().Before("gorm:raw").Register("tenancy:raw", narrow),
	)
}

const tenantColumn = "organization_id"

func narrow(db *gorm.DB) {
	st := db.Statement
	t, ok := st.Context.Value(tenantKey{}).(tenant)
	switch {
	case ok && t.reason != "":
		return
	case foreign(st):
		if !ok || !t.raw {
			_ = db.AddError(ErrNoTenant)
		}
		return
	}
	column := ownerColumn(st.Schema)
	if column == "" || !ok || t.org == "" {
		_ = db.AddError(ErrNoTenant)
		return
	}
	group(st)
	st.AddClause(clause.Where{Exprs: []clause.Expression{
		clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: column}, Value: t.org},
	}})
}

// foreign holds for what cannot be narrowed: SQL text, Table(), joins and hand-made FROM clauses.
func foreign(st *gorm.Statement) bool {
	_, from := st.Clauses["FROM"]
	return st.SQL.Len() > 0 || st.Schema == nil || st.Table != st.Schema.Table || st.TableExpr != nil || len(st.Joins) > 0 || from
}

// ownerColumn names the column that says whose a row is, "" for the tables of people and credentials: those
// are the system's.
func ownerColumn(s *schema.Schema) string {
	switch {
	case s.LookUpField(tenantColumn) != nil:
		return tenantColumn
	case s.Table == "organizations":
		return "id"
	}
	return ""
}

// group puts the conditions so far into parentheses when there is an OR among them, else the organization
// would be one more alternative.
func group(st *gorm.Statement) {
	c := st.Clauses["WHERE"]
	where, ok := c.Expression.(clause.Where)
	if !ok {
		return
	}
	for _, e := range where.Exprs {
		if _, or := e.(clause.OrConditions); or {
			c.Expression = clause.Where{Exprs: []clause.Expression{clause.And(where.Exprs...)}}
			st.Clauses["WHERE"] = c
			return
		}
	}
}

// keepOwner is narrow for updates, and refuses one that would give rows to another organization.
func keepOwner(db *gorm.DB) {
	narrow(db)
	st := db.Statement
	t, _ := st.Context.Value(tenantKey{}).(tenant)
	if db.Error != nil || t.reason != "" || st.Schema == nil {
		return
	}
	field := st.Schema.LookUpField(tenantColumn)
	if field == nil {
		return
	}
	if set, ok := st.Dest.(map[string]any); ok {
		for _, name := range []string{field.DBName, field.Name} {
			if v, ok := set[name]; ok && v != t.org {
				_ = db.AddError(ErrNoTenant)
			}
		}
		return
	}
	if v := reflect.Indirect(reflect.ValueOf(st.Dest)); v.IsValid() && v.Type() == st.Schema.ModelType {
		if org, zero := field.ValueOf(st.Context, v); !zero && org != t.org {
			_ = db.AddError(ErrNoTenant)
		}
		return
	}
	_ = db.AddError(ErrNoTenant) // columns that we cannot look at
}

// stamp writes the organization into new rows and refuses rows of another one, and upserts (an upsert can
// take over another organization's row).
func stamp(db *gorm.DB) {
	st := db.Statement
	t, ok := st.Context.Value(tenantKey{}).(tenant)
	if ok && t.reason != "" {
		return
	}
	if foreign(st) {
		_ = db.AddError(ErrNoTenant)
		return
	}
	field := st.Schema.LookUpField(tenantColumn)
	if field == nil { // people, credentials and organizations are made by the system
		_ = db.AddError(ErrNoTenant)
		return
	}
	if _, upsert := st.Clauses["ON CONFLICT"]; upsert || !ok || t.org == "" {
		_ = db.AddError(ErrNoTenant)
		return
	}
	eachRow(st.ReflectValue, func(row reflect.Value) {
		if row.Type() != st.Schema.ModelType { // a map, say: we cannot look at it
			_ = db.AddError(ErrNoTenant)
			return
		}
		if err := stampRow(st.Context, field, row, t.org); err != nil {
			_ = db.AddError(err)
		}
	})
}

func stampRow(ctx context.Context, field *schema.Field, row reflect.Value, org string) error {
	v, zero := field.ValueOf(ctx, row)
	if zero {
		return field.Set(ctx, row, org)
	}
	if v != org {
		return ErrNoTenant
	}
	return nil
}

// eachRow calls f with the row, or with each of a slice.
func eachRow(v reflect.Value, f func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			f(reflect.Indirect(v.Index(i)))
		}
	default:
		f(v)
	}
}
