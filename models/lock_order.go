package models

import (
	"context"
	"strings"

	"gorm.io/gorm"

	"lobstead/migrations"
)

// taken is what a transaction has locked of whole organizations; only where Options.OutOfOrder is set.
type taken struct{ orgs []string }

type takenKey struct{}

func (s *Store) ordering(ctx context.Context) context.Context {
	if s.outOfOrder == nil || s.dialect != migrations.Postgres {
		return ctx
	}
	return context.WithValue(ctx, takenKey{}, &taken{})
}

// inOrder tells Options.OutOfOrder of a transaction that locks an organization after anything else: two such can wait for each
// other. Postgres's own list of locks decides, so that no way around our verbs is missed.
func (s *Store) inOrder(tx *gorm.DB, org string) {
	t, ok := tx.Statement.Context.Value(takenKey{}).(*taken)
	if !ok {
		return
	}
	for _, other := range t.orgs {
		if other == org {
			return
		}
		if other > org {
			s.outOfOrder("the organization " + org + " after " + other)
		}
	}
	t.orgs = append(t.orgs, org)
	if len(t.orgs) > 1 {
		return
	}
	if held, err := heldLocks(tx); err == nil && len(held) > 0 { // of a transaction that is cut off nothing stays
		s.outOfOrder("an organization after " + strings.Join(held, ", "))
	}
}

// heldLocks names the tables of which the transaction has locked rows or written any, and its advisory locks.
func heldLocks(tx *gorm.DB) ([]string, error) {
	rows, err := tx.Statement.ConnPool.QueryContext(tx.Statement.Context, `SELECT DISTINCT CASE WHEN l.locktype = 'advisory' THEN 'an advisory lock' ELSE c.relname END
		FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation AND c.relkind = 'r'
		WHERE l.pid = pg_backend_pid() AND (l.locktype = 'advisory' OR c.oid IS NOT NULL AND l.mode IN ('RowShareLock', 'RowExclusiveLock'))`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		out = append(out, name)
	}
	return out, rows.Err()
}
