package models

import (
	"context"
	"database/sql/driver"
)

// A commit of SQLite waits for the disk, so that what was answered survives the machine. Commits that many calls of
// models share do not: they survive the process at once, as the system has them, and the machine a moment later
// (docs/adr/0027-the-ledger-and-the-disk.md).

type hastyKey struct{}

// hasty is the context of a transaction whose commit does not wait for the disk.
func hasty(ctx context.Context) context.Context { return context.WithValue(ctx, hastyKey{}, true) }

// BeginTx begins a transaction, a hasty one when its context says so.
func (c *keepingConn) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	if err := c.beHasty(ctx, ctx.Value(hastyKey{}) != nil); err != nil {
		return nil, err
	}
	begin := "BEGIN IMMEDIATE" // else two that read before they write fail at once
	if o.ReadOnly {
		begin = "BEGIN"
	}
	if err := c.run(ctx, begin); err != nil {
		return nil, err
	}
	c.inside = true
	return keptTx{c}, nil
}

// beHasty says whether what comes next waits for the disk; inside of a transaction that was said when it began.
func (c *keepingConn) beHasty(ctx context.Context, want bool) error {
	if c.inside || c.hasty == want {
		return nil
	}
	query := "PRAGMA synchronous=FULL"
	if want {
		query = "PRAGMA synchronous=NORMAL"
	}
	if _, err := c.sqliteConn.ExecContext(ctx, query, nil); err != nil {
		return err
	}
	c.hasty = want
	return nil
}

// keptTx is a transaction of a connection that keeps its statements, those that begin and end one too.
type keptTx struct{ conn *keepingConn }

// Commit ends the transaction; one that cannot be written is taken back.
func (t keptTx) Commit() error {
	t.conn.inside = false
	err := t.conn.run(context.Background(), "COMMIT")
	t.conn.wrote()
	if err != nil {
		_ = t.conn.run(context.Background(), "ROLLBACK") // it may be over already
	}
	return err
}

// Rollback ends the transaction.
func (t keptTx) Rollback() error {
	t.conn.inside = false
	return t.conn.run(context.Background(), "ROLLBACK")
}
