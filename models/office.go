package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/migrations"
)

// Listing narrows a list of the back office; zero fields do not.
type Listing struct {
	Text   string
	State  string // instances: a state, or "unsettled": what is wanted is not what is there; people: "staff" or "blocked"
	Before string // an id: those that came before, for the next page
	Limit  int    // 0 = 50, at most 500
}

func (l Listing) apply(db *gorm.DB, columns ...string) *gorm.DB {
	if l.Text != "" {
		like := likeAny(l.Text)
		db = db.Where(like.in(columns...), like.args(len(columns))...)
	}
	if l.Before != "" {
		db = db.Where("id < ?", l.Before)
	}
	if l.Limit <= 0 {
		l.Limit = 50
	}
	return db.Order("id DESC").Limit(min(l.Limit, 500))
}

// OrganizationRow is an organization with what it has.
type OrganizationRow struct {
	Organization
	Members, Instances int
}

// Organizations lists all, newest first, those that are being deleted too.
func (sy *System) Organizations(ctx context.Context, l Listing) ([]OrganizationRow, error) {
	rows, err := all[Organization](l.apply(sy.read(ctx), "name", "slug", "id"))
	if err != nil {
		return nil, err
	}
	ids, out := make([]string, len(rows)), make([]OrganizationRow, len(rows))
	for i := range rows {
		ids[i], out[i] = rows[i].ID, OrganizationRow{Organization: rows[i]}
	}
	members, err := sy.countBy(ctx, &Membership{}, ids)
	if err != nil {
		return nil, err
	}
	instances, err := sy.countBy(ctx, &Instance{}, ids)
	for i := range out {
		out[i].Members, out[i].Instances = members[out[i].ID], instances[out[i].ID]
	}
	return out, err
}

// countBy counts rows of a table by organization.
func (sy *System) countBy(ctx context.Context, model any, orgs []string) (map[string]int, error) {
	var rows []struct {
		OrganizationID string
		N              int
	}
	err := sy.read(ctx).Model(model).Select("organization_id, count(*) AS n").Where("organization_id IN ?", orgs).Group("organization_id").Scan(&rows).Error
	out := map[string]int{}
	for _, r := range rows {
		out[r.OrganizationID] = r.N
	}
	return out, translate(err)
}

// OrganizationNames gives the names of some organizations by id.
func (sy *System) OrganizationNames(ctx context.Context, ids []string) (map[string]string, error) {
	rows, err := all[Organization](sy.read(ctx).Select("id", "name").Where("id IN ?", ids))
	out := map[string]string{}
	for _, o := range rows {
		out[o.ID] = o.Name
	}
	return out, err
}

// named puts the names of their organizations to rows of several.
func named[T, R any](ctx context.Context, sy *System, rows []T, org func(*T) string, with func(T, string) R) ([]R, error) {
	ids := make([]string, len(rows))
	for i := range rows {
		ids[i] = org(&rows[i])
	}
	names, err := sy.OrganizationNames(ctx, ids)
	out := make([]R, len(rows))
	for i := range rows {
		out[i] = with(rows[i], names[ids[i]])
	}
	return out, err
}

// InstanceRow is an instance with the name of its organization.
type InstanceRow struct {
	Instance
	OrganizationName string
}

// AllInstances lists the instances of all organizations, newest first.
func (sy *System) AllInstances(ctx context.Context, l Listing) ([]InstanceRow, error) {
	db := sy.read(ctx).Omit("gateway_token_hash", "gateway_token_sealed")
	switch l.State {
	case "":
	case "unsettled":
		db = db.Where(unsettled)
	default:
		db = db.Where("state = ?", l.State)
	}
	rows, err := all[Instance](l.apply(db, "name", "id", "organization_id"))
	if err != nil {
		return nil, err
	}
	return named(ctx, sy, rows, func(r *Instance) string { return r.OrganizationID }, func(r Instance, org string) InstanceRow { return InstanceRow{r, org} })
}

// RetryInstance makes an instance be looked at now, whatever pause a failure left; the caller enqueues it.
func (sc *Scope) RetryInstance(ctx context.Context, instanceID string) (*Instance, error) {
	return sc.changeInstance(ctx, instanceID, func(tx *gorm.DB, i *Instance) (map[string]any, string, error) {
		err := sc.audit(tx, act{name: "instance.reconciled", kind: "instance", id: i.ID, of: i.Name,
			before: map[string]any{"state": i.State, "desired": i.Desired, "attempts": i.Attempts}})
		return map[string]any{"retry_at": nil}, "Reconciliation asked by " + sc.Actor.label(), err
	})
}

// ProviderRow is a connected model service with the name of its organization; it has no key.
type ProviderRow struct {
	Provider
	OrganizationName string
}

// AllProviders lists the connected model services of all organizations, newest first.
func (sy *System) AllProviders(ctx context.Context, l Listing) ([]ProviderRow, error) {
	rows, err := all[Provider](l.apply(sy.read(ctx).Omit("key_sealed", "key_hint"), "kind", "base_url", "model", "organization_id"))
	if err != nil {
		return nil, err
	}
	return named(ctx, sy, rows, func(r *Provider) string { return r.OrganizationID }, func(r Provider, org string) ProviderRow { return ProviderRow{r, org} })
}

// OrganizationByID reads one, whoever asks.
func (sy *System) OrganizationByID(ctx context.Context, id string) (*Organization, error) {
	return first[Organization](sy.read(ctx).Where("id = ?", id))
}

// Health is how the database and what it holds fare.
type Health struct {
	Dialect        migrations.Dialect
	Bytes          int64 // of the database
	Ping           time.Duration
	Version        int64 // of the schema
	People, Staff  int
	Organizations  int
	Instances      map[InstanceState]int
	Unsettled      int // instances that are not what is wanted of them
	OpenTurns      int
	FailedTurns24h int
}

// Health reads it.
func (sy *System) Health(ctx context.Context) (*Health, error) {
	began := time.Now()
	if err := sy.store.Ping(ctx); err != nil {
		return nil, err
	}
	h := &Health{Dialect: sy.store.dialect, Ping: time.Since(began), Instances: map[InstanceState]int{}}
	size := "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
	if h.Dialect == migrations.Postgres {
		size = "SELECT pg_database_size(current_database())"
	}
	if err := sy.read(ctx).Raw(size).Scan(&h.Bytes).Error; err != nil {
		return nil, translate(err)
	}
	var err error
	if h.Version, err = sy.store.schemaVersion(ctx); err != nil {
		return nil, err
	}
	return h, sy.countAll(ctx, h)
}

func (sy *System) countAll(ctx context.Context, h *Health) error {
	day := sy.store.now().Add(-24 * time.Hour)
	for _, c := range []struct {
		to *int
		db *gorm.DB
	}{
		{&h.People, sy.read(ctx).Model(&User{})}, {&h.Staff, sy.read(ctx).Model(&User{}).Where("staff = ?", true)},
		{&h.Organizations, sy.read(ctx).Model(&Organization{})}, {&h.Unsettled, sy.read(ctx).Model(&Instance{}).Where(unsettled)},
		{&h.OpenTurns, sy.read(ctx).Model(&Turn{}).Where(isOpen)},
		{&h.FailedTurns24h, sy.read(ctx).Model(&Turn{}).Where("state = ? AND created_at > ?", TurnFailed, day)},
	} {
		var n int64
		if err := c.db.Count(&n).Error; err != nil {
			return translate(err)
		}
		*c.to = int(n)
	}
	var states []struct {
		State InstanceState
		N     int
	}
	err := sy.read(ctx).Model(&Instance{}).Select("state, count(*) AS n").Group("state").Scan(&states).Error
	for _, s := range states {
		h.Instances[s.State] = s.N
	}
	return translate(err)
}

// InstanceByID reads one of any organization.
func (sy *System) InstanceByID(ctx context.Context, id string) (*Instance, error) {
	return first[Instance](sy.read(ctx).Where("id = ?", id))
}
