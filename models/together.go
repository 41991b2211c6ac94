package models

import (
	"context"
	"fmt"
	"sync"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/migrations"
)

// SQLite has one writer, and each commit waits for the disk. Many calls at once therefore share commits: those that
// come while one is being written go into the next one together. Each has a savepoint of its own, so that one that is
// refused takes nothing from the others. Postgres does the like by itself.

// sharedCommits are the short transactions that wait for the writer.
type sharedCommits struct {
	mu      sync.Mutex
	waiting []*sharedTx
	leading bool // somebody is writing, and takes what waits when done
}

// sharedTx is one transaction of many in a commit.
type sharedTx struct {
	ctx  context.Context // carries its tenant
	f    func(tx *gorm.DB) error
	done chan error
}

const (
	sharedMost  = 64               // transactions in one commit
	sharedLimit = 10 * time.Second // for one commit
)

// together is tx for short transactions that many callers make at once.
func (sc *Scope) together(ctx context.Context, f func(tx *gorm.DB) error) error {
	s := sc.store
	if s.dialect == migrations.Postgres {
		return sc.tx(ctx, f)
	}
	job := &sharedTx{ctx: tenantContext(ctx, sc.Org), f: f, done: make(chan error, 1)}
	c := &s.shared
	c.mu.Lock()
	c.waiting = append(c.waiting, job)
	lead := !c.leading
	c.leading = true
	c.mu.Unlock()
	if lead {
		go s.lead()
	}
	return translate(<-job.done)
}

// lead writes what waits until nothing does.
func (s *Store) lead() {
	c := &s.shared
	for {
		c.mu.Lock()
		n := min(len(c.waiting), sharedMost)
		if n == 0 {
			c.leading = false
			c.mu.Unlock()
			return
		}
		jobs := c.waiting[:n:n]
		c.waiting = c.waiting[n:]
		c.mu.Unlock()
		s.commit(jobs)
	}
}

// commit writes transactions together. An answer goes out after the commit, never before.
func (s *Store) commit(jobs []*sharedTx) {
	ctx, cancel := context.WithTimeout(systemContext(context.Background(), "shared commit"), sharedLimit)
	defer cancel()
	results := make([]error, len(jobs))
	err := s.w.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
		for n, j := range jobs {
			if results[n] = j.ctx.Err(); results[n] == nil {
				results[n] = j.run(ctx, tx)
			}
		}
		return nil
	})
	for n, j := range jobs {
		if err != nil {
			results[n] = err
		}
		j.done <- results[n]
	}
}

// run is one transaction inside the commit. Its statements end with the commit's time, not with its caller: half of it
// must not be left.
func (j *sharedTx) run(ctx context.Context, tx *gorm.DB) (err error) {
	const name = "one"
	if err := tx.SavePoint(name).Error; err != nil {
		return err
	}
	defer func() {
		if p := recover(); p != nil {
			err = fault.Wrap(fmt.Errorf("panic: %v", p), fault.Internal, "internal", "Server error")
		}
		if err != nil {
			if back := tx.RollbackTo(name).Error; back != nil {
				panic(back) // the commit must not hold half a transaction
			}
		}
	}()
	t, _ := j.ctx.Value(tenantKey{}).(tenant)
	return j.f(tx.WithContext(tenantContext(ctx, t.org)))
}
