package files

import (
	"context"
	"os"
	"syscall"
	"time"

	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	lockWithin = 10 * time.Second // holders look at a workspace, or put it back
	lockPer    = 5 * time.Millisecond
)

// locked runs f on what is kept for an instance, while nobody else has it: the web process and a worker are two, and each
// would sweep what the other one is about to name. Timeout checkpoint.busy when somebody has it for too long.
func (d *Desk) locked(ctx context.Context, i *models.Instance, f func(s *store) error) error {
	s, err := d.store(ctx, i)
	if err != nil {
		return err
	}
	defer func() { _ = s.root.Close() }()
	file, err := s.root.OpenFile("lock", os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // which gives the lock back; so does the end of the process
	ctx, done := context.WithTimeout(ctx, lockWithin)
	defer done()
	for syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) != nil {
		select {
		case <-ctx.Done():
			return fault.Wrap(ctx.Err(), fault.Timeout, "checkpoint.busy", "What was kept of earlier turns is in use")
		case <-time.After(lockPer):
		}
	}
	return f(s)
}
