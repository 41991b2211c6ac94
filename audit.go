package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"lobstead/kit/config"
)

var errAuditBroken = errors.New("the audit log was changed")

// verifyAudit recomputes the hash chains of the audit log: one line a chain, and an error when one is broken.
func verifyAudit(ctx context.Context, cli *config.CLI) error {
	n, err := newNode(ctx, &cli.Config)
	if err != nil {
		return err
	}
	defer n.close()
	reports, err := n.store.AsSystem("audit verify").VerifyAudit(ctx)
	if err != nil {
		return err
	}
	broken := false
	for _, r := range reports {
		broken = broken || r.Broken > 0
		if cli.Audit.Verify.JSON {
			err = errors.Join(err, json.NewEncoder(os.Stdout).Encode(map[string]any{"chain": r.Chain, "entries": r.Entries, "head": r.Head, "broken_at": r.Broken}))
			continue
		}
		verdict := "whole"
		if r.Broken > 0 {
			verdict = fmt.Sprintf("BROKEN at entry %d", r.Broken)
		}
		fmt.Printf("%-28s %6d entries  %s  head %s\n", r.Chain, r.Entries, verdict, r.Head)
	}
	if broken {
		return errAuditBroken
	}
	return err
}
