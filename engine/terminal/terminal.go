// Package terminal owns the verb that gives a person a shell in an instance's sandbox. It knows neither HTTP nor who may:
// that is decided before. It runs nothing outside a sandbox and records nothing of what is typed or shown.
package terminal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Host is where sandboxes run; a sandbox.Driver is one.
type Host interface {
	Hands(ctx context.Context, id string) (sandbox.Hands, error)
	Observe(ctx context.Context, id string) (sandbox.Observed, error)
}

// Desk is where the edge asks for terminals.
type Desk struct {
	Host Host                                          // nil = no sandboxes on this host
	Wake func(context.Context, *models.Instance) error // one that sleeps; nil = none does
}

const (
	reviveFor = 6 * time.Second // for a sandbox that just died: the observer looks every few seconds
	revivePer = 100 * time.Millisecond
)

// Ready tells why there can be no terminal now: Conflict terminal.stopped, Unavailable terminal.starting or
// terminal.elsewhere. nil = there can.
func (d *Desk) Ready(ctx context.Context, i *models.Instance) error {
	if i.Desired != models.WantRunning || i.State == models.Suspended {
		return fault.New(fault.Conflict, "terminal.stopped", "The instance is stopped: a terminal needs it running").Hinting("Start it first")
	}
	if d == nil || d.Host == nil {
		return elsewhere()
	}
	if d.Wake != nil && i.Asleep() { // Open wakes it
		return nil
	}
	o, err := d.Host.Observe(ctx, i.ID)
	switch {
	case err != nil:
		return err
	case o.State == sandbox.Running:
		return nil
	case o.State == sandbox.Absent && i.State == models.Running:
		return elsewhere()
	}
	return starting()
}

func elsewhere() error {
	return fault.New(fault.Unavailable, "terminal.elsewhere", "The sandbox of this instance runs on another host than this web server, and terminals do not reach across hosts").
		Hinting("Open the page at the web server of that host")
}

func starting() error {
	return fault.New(fault.Unavailable, "terminal.starting", "The sandbox does not run yet").Hinting("Try again in a moment")
}

// Session names a shell so that only the same person finds it again, whatever name a caller thinks of.
func Session(userID, name string) string {
	sum := sha256.Sum256([]byte(userID + "\x00" + name))
	return hex.EncodeToString(sum[:12])
}

// Open gives the terminal of that session, new or as it was left. A sandbox that should run and just died is waited for.
func (d *Desk) Open(ctx context.Context, i *models.Instance, session string, rows, columns int) (sandbox.Terminal, error) {
	if d != nil && d.Wake != nil && i.Asleep() {
		if err := d.Wake(ctx, i); err != nil {
			return nil, err
		}
	}
	for until := time.Now().Add(reviveFor); ; {
		err := d.Ready(ctx, i)
		if err == nil {
			var t sandbox.Terminal
			if t, err = d.open(ctx, i, session, rows, columns); err == nil {
				return t, nil
			}
			if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.NotFound) {
				err = starting()
			}
		}
		if !fault.Is(err, fault.Unavailable) || fault.As(err).Code == "terminal.elsewhere" || !time.Now().Before(until) {
			return nil, err
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(revivePer):
		}
	}
}

func (d *Desk) open(ctx context.Context, i *models.Instance, session string, rows, columns int) (sandbox.Terminal, error) {
	h, err := d.Host.Hands(ctx, i.ID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = h.Close() }() // a terminal has a connection of its own
	return h.Terminal(ctx, sandbox.TerminalSpec{Session: session, Rows: rows, Columns: columns, Prompt: i.Name})
}
