package app

import (
	"context"
	"encoding/json"
	"io"

	"lobstead/api/cloud"
	"lobstead/models"
)

// readAudit reads entries of one chain, newest first.
type readAudit func(context.Context, models.AuditFilter) ([]models.AuditEntry, error)

// auditFile answers with all entries that fit as a file of JSON lines, read while they are sent.
func auditFile(c *Ctx, of string, f models.AuditFilter, read readAudit) (Reply, error) {
	probe := f
	probe.Limit = 1
	if _, err := read(c, probe); err != nil { // else it would be a file that ends early
		return nil, err
	}
	return pipe(c, "audit-"+of+".jsonl", "application/jsonl", func(ctx context.Context, w io.Writer) error { return writeAudit(ctx, w, f, read) }), nil
}

// writeAudit writes every entry that fits, one a line.
func writeAudit(ctx context.Context, w io.Writer, f models.AuditFilter, read readAudit) error {
	out := json.NewEncoder(w)
	f.Limit = exportedAtOnce
	for {
		rows, err := read(ctx, f)
		if err != nil {
			return err
		}
		for n := range rows {
			if err := out.Encode(cloud.NewAuditEntry(&rows[n])); err != nil {
				return err
			}
		}
		if len(rows) < f.Limit {
			return nil
		}
		f.Before = rows[len(rows)-1].Seq
	}
}
