package models

import (
	"context"
	"database/sql/driver"
	"errors"

	sqlite "modernc.org/sqlite"
)

// The writer of SQLite runs the same few statements over and over, and parsing one takes longer than running it. Its one
// connection therefore keeps the statements that write. gorm's own cache cannot do it: it holds a lock while it waits for
// the connection, which a transaction that prepares a statement may hold.

const keptStatements = 300 // those of the program are fewer; lists of different lengths make more

// connector opens connections to SQLite, those of the writer such that keep their statements.
type connector struct {
	dsn   string
	keeps bool
}

func (connector) Driver() driver.Driver { return &sqlite.Driver{} }

func (k connector) Connect(context.Context) (driver.Conn, error) {
	c, err := k.Driver().Open(k.dsn)
	if err != nil || !k.keeps {
		return c, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("models: SQLite's driver has changed"), c.Close())
	}
	return &keepingConn{sqliteConn: inner, kept: map[string]driver.StmtExecContext{}}, nil
}

// sqliteConn is what the driver's connections can do, and database/sql asks for.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type keepingConn struct {
	sqliteConn
	kept map[string]driver.StmtExecContext
}

// ExecContext runs a statement that was prepared before, or prepares it. A script of several is not kept.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	s, ok := c.kept[query]
	if !ok {
		if len(args) == 0 || len(c.kept) >= keptStatements {
			return c.sqliteConn.ExecContext(ctx, query, args)
		}
		prepared, err := c.PrepareContext(ctx, query)
		if err != nil {
			return nil, err
		}
		if s, ok = prepared.(driver.StmtExecContext); !ok {
			return nil, errors.Join(errors.New("models: SQLite's driver has changed"), prepared.Close())
		}
		c.kept[query] = s
	}
	return s.ExecContext(ctx, args)
}

// Close gives the statements back before the connection.
func (c *keepingConn) Close() error {
	var failed error
	for _, s := range c.kept {
		if closer, ok := s.(driver.Stmt); ok {
			failed = errors.Join(failed, closer.Close())
		}
	}
	clear(c.kept)
	return errors.Join(failed, c.sqliteConn.Close())
}
