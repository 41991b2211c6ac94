package models

import (
	"context"
	"slices"
	"time"

	"gorm.io/gorm"
)

// Written is what a transaction left for others to look at. It is told after the commit, and it is a hint: what is lost
// of it, sweeps and reloads find.
type Written struct {
	Deliveries []string // that may be sent now
	Inboxes    []string // organizations in which somebody was told something, or has read it
}

type writtenKey struct{}

// OnWritten names who is told, once, before the store is used. It must be quick: who made the transaction waits for it.
func (s *Store) OnWritten(tell func(context.Context, Written)) { s.written = tell }

// leave notes something for OnWritten; in a shared commit nothing is noted.
func leave(tx *gorm.DB, add func(*Written)) {
	if w, ok := tx.Statement.Context.Value(writtenKey{}).(*Written); ok {
		add(w)
	}
}

func leaveDelivery(tx *gorm.DB, d *Delivery, now time.Time) {
	if d.NextAt.After(now) {
		return
	}
	leave(tx, func(w *Written) { w.Deliveries = append(w.Deliveries, d.ID) })
}

func leaveInbox(tx *gorm.DB, org string) {
	leave(tx, func(w *Written) {
		if !slices.Contains(w.Inboxes, org) {
			w.Inboxes = append(w.Inboxes, org)
		}
	})
}

// noting gives a transaction's context, and what tells after its commit.
func (s *Store) noting(ctx context.Context) (context.Context, func()) {
	if s.written == nil {
		return ctx, func() {}
	}
	w := &Written{}
	return context.WithValue(ctx, writtenKey{}, w), func() {
		if len(w.Deliveries)+len(w.Inboxes) > 0 {
			s.written(context.WithoutCancel(ctx), *w)
		}
	}
}
