package models

import (
	"context"
	"database/sql/driver"
	"errors"

	sqlite "modernc.org/sqlite"
)

// The writer of SQLite runs the same few statements over and over, and parsing one takes longer than running it. Its one
// connection therefore keeps its statements. gorm's own cache cannot do it: it holds a lock while it waits for
// the connection, which a transaction that prepares a statement may hold.

const keptStatements = 600 // those of the program are fewer; lists of different lengths make more

// connector opens connections to SQLite, those of the writer such that keep their statements.
type connector struct {
	dsn   string
	wrote func() // hears of each write; nil = a reader, that keeps nothing
}

func (connector) Driver() driver.Driver { return &sqlite.Driver{} }

func (k connector) Connect(context.Context) (driver.Conn, error) {
	c, err := k.Driver().Open(k.dsn)
	if err != nil || k.wrote == nil {
		return c, err
	}
	inner, ok := c.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("models: SQLite's driver has changed"), c.Close())
	}
	return &keepingConn{sqliteConn: inner, kept: map[string]keptStatement{}, wrote: k.wrote}, nil
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
	kept   map[string]keptStatement // those that nobody reads from
	hasty  bool                     // the disk is not waited for
	inside bool                     // a transaction
	wrote  func()
}

type keptStatement interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// statement gives one that was prepared before, or prepares it; nil for a script of several, which is not kept.
func (c *keepingConn) statement(ctx context.Context, query string, args []driver.NamedValue) (keptStatement, error) {
	if s, ok := c.kept[query]; ok {
		return s, nil
	}
	if len(args) == 0 || len(c.kept) >= keptStatements {
		return nil, nil
	}
	return c.keep(ctx, query)
}

// keep prepares a statement for good.
func (c *keepingConn) keep(ctx context.Context, query string) (keptStatement, error) {
	prepared, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s, ok := prepared.(keptStatement)
	if !ok {
		return nil, errors.Join(errors.New("models: SQLite's driver has changed"), prepared.Close())
	}
	c.kept[query] = s
	return s, nil
}

// run is a single statement without values.
func (c *keepingConn) run(ctx context.Context, query string) (err error) {
	s, ok := c.kept[query]
	if !ok {
		if s, err = c.keep(ctx, query); err != nil {
			return err
		}
	}
	_, err = s.ExecContext(ctx, nil)
	return err
}

// ExecContext runs a kept statement.
func (c *keepingConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.beHasty(ctx, false); err != nil {
		return nil, err
	}
	s, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if !c.inside {
		defer c.wrote()
	}
	if s == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	return s.ExecContext(ctx, args)
}

// QueryContext reads from a kept statement. It is away until its rows are closed: the same question may be asked meanwhile.
func (c *keepingConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.beHasty(ctx, false); err != nil {
		return nil, err
	}
	s, err := c.statement(ctx, query, args)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		return nil, err
	}
	delete(c.kept, query)
	return &keptRows{Rows: rows, back: func() error {
		if _, ok := c.kept[query]; ok || len(c.kept) >= keptStatements {
			return s.Close()
		}
		c.kept[query] = s
		return nil
	}}, nil
}

// keptRows are rows that give their statement back.
type keptRows struct {
	driver.Rows
	back func() error
}

func (r *keptRows) Close() error {
	err := r.Rows.Close()
	if r.back != nil {
		err = errors.Join(err, r.back())
		r.back = nil
	}
	return err
}

// Close gives the statements back before the connection.
func (c *keepingConn) Close() error {
	var failed error
	for _, s := range c.kept {
		failed = errors.Join(failed, s.Close())
	}
	clear(c.kept)
	return errors.Join(failed, c.sqliteConn.Close())
}
