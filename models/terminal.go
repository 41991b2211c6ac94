package models

import (
	"context"
	"time"

	"gorm.io/gorm"
)

// TerminalUse is one stay of a person at a terminal. What was typed and shown is kept nowhere.
type TerminalUse struct {
	Session   string // the same for each stay at one shell
	Resumed   bool   // the shell ran before
	Lasted    time.Duration
	In, Out   int64 // bytes typed and shown
	Ended     string
	ExitCode  int
	HasExited bool
}

// AuditTerminalOpened writes into the audit log that somebody is given a shell in a sandbox, before they have it.
func (sc *Scope) AuditTerminalOpened(ctx context.Context, i *Instance, u TerminalUse) error {
	return sc.holding(ctx, func(tx *gorm.DB) error {
		return sc.audit(tx, act{name: "terminal.opened", kind: "instance", id: i.ID, of: i.Name, after: map[string]any{"session": u.Session, "resumed": u.Resumed}})
	})
}

// AuditTerminalClosed writes that they left it, or that it was taken from them.
func (sc *Scope) AuditTerminalClosed(ctx context.Context, i *Instance, u TerminalUse) error {
	after := map[string]any{"session": u.Session, "seconds": int64(u.Lasted.Round(time.Second) / time.Second), "typed_bytes": u.In, "shown_bytes": u.Out, "ended": u.Ended}
	if u.HasExited {
		after["exit_code"] = u.ExitCode
	}
	return sc.holding(ctx, func(tx *gorm.DB) error {
		return sc.audit(tx, act{name: "terminal.closed", kind: "instance", id: i.ID, of: i.Name, after: after})
	})
}
