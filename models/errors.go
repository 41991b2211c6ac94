package models

import (
	"errors"

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
)

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
	case "busy":
		return fault.Wrap(err, fault.Unavailable, "database.busy", "The database is busy, try again")
	}
	return err
}

// databaseCode names the cause in Postgres's words, whatever the database.
func databaseCode(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pg.Code
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
			return "busy"
		}
	}
	return ""
}

func isDuplicate(err error) bool { return fault.Is(translate(err), fault.Conflict) }
