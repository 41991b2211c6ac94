package models

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/migrations"
)

// SQLite has one writer, and a commit is dear. Many calls at once therefore share commits: those that come while one is
// being written go into the next one together. One that is refused takes nothing from the others, which run once more
// then: they may do nothing but write. Postgres does the like by itself; what nobody waits for is shared there too.

// sharedCommits are the short transactions that wait for the writer.
type sharedCommits struct {
	mu      sync.Mutex
	waiting []*sharedTx
	leading bool          // the leader is writing
	due     bool          // somebody waits for what waits, or it has waited long enough
	wake    chan struct{} // the leader's; nil before the first transaction
	ended   bool
	leader  sync.WaitGroup
}

// sharedTx is one transaction of many in a commit.
type sharedTx struct {
	ctx  context.Context // carries its tenant
	f    func(tx *gorm.DB) error
	done chan error
}

const (
	sharedMost  = 64                    // transactions in one commit
	sharedLimit = 10 * time.Second      // for one commit
	soonWithin  = 10 * time.Millisecond // for what nobody waits for, unless a commit comes by earlier
	soonMost    = 1000                  // transactions that nobody waits for; who brings one more waits
)

// together is tx for short transactions that many callers make at once.
func (sc *Scope) together(ctx context.Context, f func(tx *gorm.DB) error) error {
	s := sc.store
	if s.dialect == migrations.Postgres {
		return sc.tx(ctx, f)
	}
	return translate(<-s.share(tenantContext(ctx, sc.Org), true, f))
}

// together is the same for work over all organizations.
func (sy *System) together(ctx context.Context, f func(tx *gorm.DB) error) error {
	if sy.store.dialect == migrations.Postgres {
		return sy.tx(ctx, f)
	}
	return translate(<-sy.store.share(systemContext(ctx, sy.reason), true, f))
}

// soon writes what tells of something that has happened, without keeping who made it happen waiting. A process that is
// killed takes the last few milliseconds of it along; a failure is logged.
func (sc *Scope) soon(ctx context.Context, what string, f func(tx *gorm.DB) error) {
	ctx = tenantContext(context.WithoutCancel(ctx), sc.Org)
	done := sc.store.share(ctx, false, func(tx *gorm.DB) error {
		err := translate(f(tx))
		if err != nil {
			slog.WarnContext(ctx, "models: "+what+" was not written", "organization", sc.Org, "error", err)
		}
		return err
	})
	if sc.store.shared.many() {
		<-done
	}
}

func (c *sharedCommits) many() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.waiting) > soonMost
}

// caughtUp waits until what was brought so far is written, so that who reads finds it.
func (s *Store) caughtUp(ctx context.Context) {
	c := &s.shared
	c.mu.Lock()
	idle := !c.leading && len(c.waiting) == 0
	c.mu.Unlock()
	if idle {
		return
	}
	select {
	case <-s.share(systemContext(ctx, "wait for what was written"), true, func(*gorm.DB) error { return nil }):
	case <-ctx.Done():
	}
}

// share brings a transaction that is written at once, or with the next that is; the channel gives its result once.
func (s *Store) share(ctx context.Context, atOnce bool, f func(tx *gorm.DB) error) <-chan error {
	job := &sharedTx{ctx: ctx, f: f, done: make(chan error, 1)}
	c := &s.shared
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		job.done <- fault.New(fault.Unavailable, "database.closed", "The database is closed")
		return job.done
	}
	c.waiting = append(c.waiting, job)
	if c.wake == nil {
		c.wake = make(chan struct{}, 1)
		c.leader.Go(s.lead)
	}
	switch {
	case atOnce:
		c.hurry()
	case len(c.waiting) == 1:
		time.AfterFunc(soonWithin, func() {
			c.mu.Lock()
			defer c.mu.Unlock()
			if !c.ended {
				c.hurry()
			}
		})
	}
	return job.done
}

// hurry lets what waits be written now.
func (c *sharedCommits) hurry() {
	c.due = true
	if !c.leading {
		c.leading = true
		c.wake <- struct{}{}
	}
}

// lead writes what waits, until the store closes. It is one goroutine for good: the stack that SQLite needs grows once.
func (s *Store) lead() {
	for range s.shared.wake {
		s.writeWaiting()
	}
}

// end lets what waits be written, and the leader go; what is brought later fails.
func (c *sharedCommits) end() {
	c.mu.Lock()
	if c.wake != nil && !c.ended {
		c.hurry()
		close(c.wake)
	}
	c.ended = true
	c.mu.Unlock()
	c.leader.Wait()
}

func (s *Store) writeWaiting() {
	c := &s.shared
	for {
		c.mu.Lock()
		n := min(len(c.waiting), sharedMost)
		if n == 0 || !c.due {
			c.leading, c.due = false, false
			c.mu.Unlock()
			return
		}
		jobs := c.waiting[:n:n]
		c.waiting = c.waiting[n:]
		c.due = len(c.waiting) > 0
		c.mu.Unlock()
		s.commit(jobs)
	}
}

// commit writes transactions together. An answer goes out after the commit, never before.
func (s *Store) commit(jobs []*sharedTx) {
	ctx := hasty(systemContext(context.Background(), "shared commit"))
	if s.dialect == migrations.Postgres { // SQLite is no further than the disk, and watching each statement costs more than most of them
		limited, cancel := context.WithTimeout(ctx, sharedLimit)
		defer cancel()
		ctx = limited
	}
	results, err := s.write(ctx, jobs, false)
	if err != nil && len(jobs) > 1 {
		results, err = s.write(ctx, jobs, true)
	}
	if s.dialect == migrations.SQLite {
		s.wal.wroteHastily()
	}
	for n, j := range jobs {
		if err != nil {
			results[n] = err
		}
		j.done <- results[n]
	}
}

// write runs transactions in one. Without a savepoint for each, which every page that they change is copied for, the
// first refusal is that of all: they run again then, apart.
func (s *Store) write(ctx context.Context, jobs []*sharedTx, apart bool) ([]error, error) {
	results := make([]error, len(jobs))
	return results, s.w.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for n, j := range jobs {
			if results[n] = j.ctx.Err(); results[n] != nil {
				continue
			}
			if results[n] = j.run(ctx, tx, apart); results[n] != nil && !apart {
				return results[n]
			}
		}
		return nil
	})
}

// run is one transaction inside the commit. Its statements end with the commit's time, not with its caller: half of it
// must not be left: apart, what came since its savepoint is given up, else the commit itself.
func (j *sharedTx) run(ctx context.Context, tx *gorm.DB, apart bool) (err error) {
	const name = "one"
	if apart {
		if err := tx.SavePoint(name).Error; err != nil {
			return err
		}
	}
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fmt.Errorf("panic: %v", p), fault.Internal, "internal", "Server error")
		}
		if err != nil && apart {
			if back := tx.RollbackTo(name).Error; back != nil {
				panic(back) // the commit must not hold half a transaction
			}
		}
	}()
	return j.f(tx.WithContext(context.WithValue(ctx, tenantKey{}, j.ctx.Value(tenantKey{}))))
}
