package models

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"

	"lobstead/kit/fault"
)

// SQLite result codes (sqlite.org/rescode.html) and Postgres SQLSTATEs that mean something to a caller.
const (
	sqliteBusy       = 5
	sqliteFull       = 13
	sqliteForeignKey = 787
	sqlitePrimaryKey = 1555
	sqliteUnique     = 2067
	pgForeignKey     = "23503"
	pgUnique         = "23505"
	pgDiskFull       = "53100"
	pgBadText        = "22021" // NUL or invalid UTF-8 in a text
	pgBadJSON        = "22P05" // an escape in JSON that no text can hold
)

// pgBusy are the classes and codes of a server that cannot answer now: connection, resources, shutdown,
// serialization and deadlock, lock timeout.
var pgBusy = []string{"08", "53", "57P", "40001", "40P01", "55P03"}

// translate turns a database error into a fault, once; faults and nil pass through.
func translate(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*fault.Error](err); ok {
		return err
	}
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.Wrap(err, fault.NotFound, "not_found", "Not found")
	}
	switch databaseCode(err) {
	case pgUnique:
		return fault.Wrap(err, fault.Conflict, "duplicate", "Already exists")
	case pgForeignKey: // a parent that is not there, or not yours
		return fault.Wrap(err, fault.NotFound, "not_found", "Not found")
	case pgDiskFull:
		return fault.Wrap(err, fault.Full, "database.full", "The disk of the database is full: nothing was saved")
	case pgBadText, pgBadJSON:
		return fault.Wrap(err, fault.Invalid, "text.unstorable", "The text holds a NUL byte or is not valid UTF-8")
	case busy:
		return fault.Wrap(err, fault.Unavailable, "database.busy", "The database is busy, try again")
	}
	return err
}

const busy = "busy"

// databaseCode names the cause in Postgres's words, whatever the database.
func databaseCode(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		if pg.Code != pgDiskFull && slices.ContainsFunc(pgBusy, func(c string) bool { return strings.HasPrefix(pg.Code, c) }) {
			return busy
		}
		return pg.Code
	}
	if isGone(err) {
		return busy
	}
	if lite, ok := errors.AsType[*sqlite.Error](err); ok {
		switch lite.Code() {
		case sqliteUnique, sqlitePrimaryKey:
			return pgUnique
		case sqliteForeignKey:
			return pgForeignKey
		case sqliteFull:
			return pgDiskFull
		}
		if lite.Code()&0xff == sqliteBusy {
			return busy
		}
	}
	return ""
}

// isGone tells whether the way to the database broke, not our patience.
func isGone(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	_, connect := errors.AsType[*pgconn.ConnectError](err)
	_, network := errors.AsType[*net.OpError](err)
	return connect || network || errors.Is(err, driver.ErrBadConn) || errors.Is(err, io.ErrUnexpectedEOF)
}

// isDuplicate tells whether a row of that key is there already, and not that a rule of ours was met.
func isDuplicate(err error) bool {
	return err != nil && fault.Is(translate(err), fault.Conflict) && fault.As(translate(err)).Code == "duplicate"
}
