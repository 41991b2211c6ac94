package models

import (
	"context"

	"gorm.io/gorm"

	"lobstead/migrations"
)

// Scope is the door to one organization's data, for one actor. It is cheap; make one per request.
type Scope struct {
	store *Store
	Org   string
	Actor Actor
	known *Organization // as the request read it
}

// Actor is who acts: it is written into what it makes.
type Actor struct {
	UserID  string
	KeyID   string
	Name    string
	Role    Role
	Scopes  Scopes // of a key; a person has none and may all that the role may
	Staff   bool   // acts for the installation, not as a member
	Address string
	Reason  string // why staff acts
}

// May tells whether the actor has a capability: the role's, and of a key what its scopes leave.
func (a Actor) May(c Can) bool { return a.Role.May(c) && a.Scopes.Allow(c) }

// member tells whether it is somebody of the organization, in person or by a key: who can answer for what runs later.
func (a Actor) member() bool { return a.UserID != "" && !a.Staff }

func (a Actor) kind() ActorKind {
	switch {
	case a.Staff:
		return ActorStaff
	case a.KeyID != "":
		return ActorKey
	case a.UserID != "":
		return ActorPerson
	}
	return ActorSystem
}

// In opens an organization's data for the system itself; As narrows it to a person.
func (s *Store) In(org string) *Scope { return &Scope{store: s, Org: org} }

// As names who acts.
func (sc Scope) As(a Actor) *Scope { sc.Actor = a; return &sc }

// Knowing hands on the organization as the request has read it already: a verb that looks at it need not read it once
// more. Nil and another organization's are passed over.
func (sc Scope) Knowing(o *Organization) *Scope {
	if o != nil && o.ID == sc.Org {
		sc.known = o
	}
	return &sc
}

func (sc *Scope) read(ctx context.Context) *gorm.DB {
	return sc.store.r.WithContext(tenantContext(ctx, sc.Org))
}

// brief is read for a few rows by a key, as every call of a program needs: SQLite has them before anybody could call it off,
// and to watch for that costs two goroutines a statement.
func (sc *Scope) brief(ctx context.Context) *gorm.DB { return sc.read(sc.store.brief(ctx)) }

func (s *Store) brief(ctx context.Context) context.Context {
	if s.dialect == migrations.SQLite {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (sc *Scope) write(ctx context.Context) *gorm.DB {
	return sc.store.w.WithContext(tenantContext(ctx, sc.Org))
}

func (sc *Scope) tx(ctx context.Context, f func(tx *gorm.DB) error) error {
	return sc.store.tx(tenantContext(ctx, sc.Org), f)
}

// holding is tx in which the organization is locked first. Whatever locks an organization does so before anything else of it, so
// that no two transactions wait for each other; audit locks it, so a verb that notes an act begins here.
func (sc *Scope) holding(ctx context.Context, f func(tx *gorm.DB) error) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		if err := sc.lockOrganization(tx); err != nil {
			return err
		}
		return f(tx)
	})
}

// again is tx, repeated when another transaction made the same row in between: Postgres lets two that found
// nothing both write, and refuses the second.
func (sc *Scope) again(ctx context.Context, f func(tx *gorm.DB) error) error {
	var err error
	for range 10 {
		if err = sc.tx(ctx, f); !isDuplicate(err) {
			return err
		}
	}
	return err
}

// System is the door to the rows of all organizations, for sweeps, sign-in and start-up only.
type System struct {
	store  *Store
	reason string
}

// AsSystem says why a piece of work crosses organizations.
func (s *Store) AsSystem(reason string) *System { return &System{store: s, reason: reason} }

func (sy *System) read(ctx context.Context) *gorm.DB {
	return sy.store.r.WithContext(systemContext(ctx, sy.reason))
}

func (sy *System) write(ctx context.Context) *gorm.DB {
	return sy.store.w.WithContext(systemContext(ctx, sy.reason))
}

func (sy *System) tx(ctx context.Context, f func(tx *gorm.DB) error) error {
	return sy.store.tx(systemContext(ctx, sy.reason), f)
}

// first reads one row into a fresh value; a missing one is fault.NotFound.
func first[T any](db *gorm.DB) (*T, error) {
	row := new(T)
	if err := db.Take(row).Error; err != nil {
		if databaseCode(err) == pgBadText { // no column can hold it, so no row has it
			err = gorm.ErrRecordNotFound
		}
		return nil, translate(err)
	}
	return row, nil
}

// all reads rows; never nil. Most lists are short: gorm would begin each with room for twenty.
func all[T any](db *gorm.DB) ([]T, error) {
	rows := make([]T, 0, 4)
	err := db.Find(&rows).Error
	return rows, translate(err)
}

// changed runs an update of chosen columns and tells whether a row was hit.
func changed(db *gorm.DB, columns map[string]any) (bool, error) {
	res := db.Updates(columns)
	return res.RowsAffected > 0, translate(res.Error)
}
