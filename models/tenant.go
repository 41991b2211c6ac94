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
// organization that its context names, and one whose context names none is refused; raw SQL and statements
// without a model are refused unless the context is the system's or the verb says rawContext.

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
		cb.Update().Before("gorm:update").Register("tenancy:update", narrow),
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
	case st.SQL.Len() > 0 || st.Schema == nil || st.Table != st.Schema.Table:
		if !ok || !t.raw {
			_ = db.AddError(ErrNoTenant)
		}
		return
	}
	if st.Schema.LookUpField(tenantColumn) == nil {
		return
	}
	if !ok || t.org == "" {
		_ = db.AddError(ErrNoTenant)
		return
	}
	st.AddClause(clause.Where{Exprs: []clause.Expression{
		clause.Eq{Column: clause.Column{Table: clause.CurrentTable, Name: tenantColumn}, Value: t.org},
	}})
}

// stamp writes the organization into new rows and refuses rows of another one, and upserts (an upsert can
// take over another organization's row).
func stamp(db *gorm.DB) {
	st := db.Statement
	t, ok := st.Context.Value(tenantKey{}).(tenant)
	if ok && t.reason != "" {
		return
	}
	if st.Schema == nil || st.Table != st.Schema.Table {
		_ = db.AddError(ErrNoTenant)
		return
	}
	field := st.Schema.LookUpField(tenantColumn)
	if field == nil {
		return
	}
	if _, upsert := st.Clauses["ON CONFLICT"]; upsert || !ok || t.org == "" {
		_ = db.AddError(ErrNoTenant)
		return
	}
	eachRow(st.ReflectValue, func(row reflect.Value) {
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

func eachRow(v reflect.Value, f func(reflect.Value)) {
	switch v.Kind() {
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			f(reflect.Indirect(v.Index(i)))
		}
	case reflect.Struct:
		f(v)
	}
}
