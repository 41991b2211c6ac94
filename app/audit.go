package app

import (
	"strconv"
	"time"

	"lobstead/api/cloud"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/settings"
)

// Audit is the organization's log of privileged acts.
type Audit struct{ *App }

// auditPage is how many entries a page shows.
const auditPage = 100

// Index lists the entries that fit the filter, newest first.
func (h *Audit) Index(c *Ctx) (Reply, error) {
	f, err := auditFilter(c)
	if err != nil {
		return nil, err
	}
	f.Limit = auditPage + 1
	rows, err := c.Scope.AuditEntries(c, f)
	if err != nil {
		return nil, err
	}
	rows, next := paged(rows, auditPage, func(e models.AuditEntry) int64 { return e.Seq })
	p := settings.AuditProps{Frame: c.frame("Audit log", "/settings", ""), Entries: rows, Text: f.Text, Act: f.Act,
		Since: c.Query("since"), Until: c.Query("until"), Before: f.Before, Next: next}
	return page(settings.Audit(p)).json(cloud.NewAuditEntries(rows)), nil
}

// auditFilter reads the filter of the address: q, act, actor, since and until (dates or moments), before (a seq).
func auditFilter(c *Ctx) (models.AuditFilter, error) {
	f := models.AuditFilter{Text: c.Query("q"), Act: c.Query("act"), Actor: c.Query("actor")}
	var is fault.Issues
	for name, to := range map[string]*time.Time{"since": &f.Since, "until": &f.Until} {
		text := c.Query(name)
		if text == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, text)
		if day, derr := time.Parse(time.DateOnly, text); err != nil && derr == nil {
			at, err = day, nil
			if name == "until" {
				at = day.AddDate(0, 0, 1) // the day counts
			}
		}
		if err != nil {
			is.Custom(name, "Expected a date such as 2026-01-31")
		}
		*to = at
	}
	if text := c.Query("before"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 1 {
			is.WrongType("before", "number", "string")
		}
		f.Before = n
	}
	return f, is.Err()
}

// Export gives every entry that fits the filter as JSON lines, newest first.
func (h *Audit) Export(c *Ctx) (Reply, error) {
	f, err := auditFilter(c)
	if err != nil {
		return nil, err
	}
	return auditFile(c, c.Principal.Organization.Slug+"-"+time.Now().UTC().Format(time.DateOnly), f, c.Scope.AuditEntries)
}
