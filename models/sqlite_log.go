package models

import (
	"context"
	"database/sql"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// SQLite writes to a log that is folded into the database from time to time. The one writer would do that in between, and
// whoever waits for it would wait for the disk twice more: it is done beside it, on a connection of its own.

const (
	diskWithin = 20 * time.Millisecond // after a hasty commit the disk has it
	foldAfter  = time.Second           // what was written
)

// sqliteLog looks after the log.
type sqliteLog struct {
	db      *sql.DB // the connection that folds
	syncing atomic.Bool
	folding atomic.Bool
	mu      sync.RWMutex // of closed: shared by those who work on the log
	closed  bool
	path    string
	log     *slog.Logger
}

// wrote hears of each commit.
func (l *sqliteLog) wrote() { l.later(&l.folding, foldAfter, l.fold) }

// wroteHastily hears of those that did not wait for the disk.
func (l *sqliteLog) wroteHastily() { l.later(&l.syncing, diskWithin, l.sync) }

// later does something once, however often it is asked for until then.
func (l *sqliteLog) later(due *atomic.Bool, after time.Duration, f func() error) {
	if !due.CompareAndSwap(false, true) {
		return
	}
	time.AfterFunc(after, func() {
		due.Store(false)
		l.mu.RLock()
		defer l.mu.RUnlock()
		if l.closed {
			return
		}
		if err := f(); err != nil && !os.IsNotExist(err) {
			l.log.Warn("models: the disk does not take what was written", "error", err)
		}
	})
}

func (l *sqliteLog) fold() error {
	_, err := l.db.ExecContext(context.Background(), "PRAGMA wal_checkpoint(PASSIVE)")
	return err
}

func (l *sqliteLog) sync() error {
	f, err := os.OpenFile(l.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	err = f.Sync()
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// close ends the work on the log.
func (l *sqliteLog) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.db != nil && !l.closed {
		_ = l.db.Close()
	}
	l.closed = true
}
