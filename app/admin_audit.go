package app

import (
	"context"
	"encoding/json"
	"io"

	"github.com/gofiber/fiber/v2"

	"lobstead/api/cloud"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/admin"
)

// AdminAudit is the audit log: the installation's chain and that of any organization.
type AdminAudit struct{ *App }

// Index shows a chain, filtered; with verify=1 every chain is recomputed first.
func (h *AdminAudit) Index(c *Ctx) (Reply, error) {
	p, filter, err := h.read(c)
	if err != nil {
		return nil, err
	}
	system := h.Store.AsSystem("audit log of any chain")
	p.Before = filter.Before
	filter.Limit = officePage + 1
	if p.Entries, err = system.AuditEntries(c, p.Chain, filter); err != nil {
		return nil, err
	}
	if len(p.Entries) > officePage {
		p.Entries = p.Entries[:officePage]
		p.Next = p.Entries[officePage-1].Seq
	}
	if c.Query("verify") == "1" {
		err = h.verify(c, p)
	}
	p.Frame = c.adminFrame("Audit")
	return page(admin.Audit(*p)), err
}

func (h *AdminAudit) verify(c *Ctx, p *admin.AuditProps) error {
	system := h.Store.AsSystem("audit verify")
	var err error
	if p.Reports, err = system.VerifyAudit(c); err != nil {
		return err
	}
	ids := []string{}
	for _, r := range p.Reports {
		ids = append(ids, r.Chain)
	}
	p.Names, err = system.OrganizationNames(c, ids)
	return err
}

// read takes the chain and the filter from the address; a chain of no organization is NotFound.
func (h *AdminAudit) read(c *Ctx) (*admin.AuditProps, models.AuditFilter, error) {
	p := &admin.AuditProps{Chain: c.Query("chain"), Filter: admin.AuditFilter{Text: c.Query("q"), Act: c.Query("act"), Since: c.Query("since"), Until: c.Query("until")}}
	filter, err := auditFilter(c)
	if p.Chain == "" {
		p.Chain = models.InstallationChain
	}
	if err != nil || p.Chain == models.InstallationChain {
		return p, filter, err
	}
	o, err := h.Store.AsSystem("whose audit log it is").OrganizationByID(c, p.Chain)
	if err == nil {
		p.Name = o.Name
	}
	return p, filter, err
}

// piped answers with lines that are still being written, as a file to keep; the server closes the reader.
type piped struct {
	name, kind string
	from       io.ReadCloser
}

func (r piped) write(c *Ctx) error {
	c.f.Set(fiber.HeaderContentType, r.kind)
	c.f.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'")
	c.f.Set(fiber.HeaderContentDisposition, "attachment; filename*=UTF-8''"+escapeName(r.name))
	c.f.Set(fiber.HeaderCacheControl, "no-store")
	c.f.Context().SetBodyStream(r.from, -1)
	return nil
}

// Export streams the filtered chain as JSON lines, newest first.
func (h *AdminAudit) Export(c *Ctx) (Reply, error) {
	p, filter, err := h.read(c)
	if err != nil {
		return nil, err
	}
	filter.Limit = 1000
	first, err := h.Store.AsSystem("audit export").AuditEntries(c, p.Chain, filter)
	if err != nil {
		return nil, err
	}
	r, w := io.Pipe() // its writer ends when the reader is closed: the caller left
	ctx, store, chain := c.Context, h.Store, p.Chain
	go func() {
		defer func() {
			if p := recover(); p != nil {
				_ = w.CloseWithError(fault.New(fault.Internal, "panic", "Server error"))
			}
		}()
		_ = w.CloseWithError(exportAudit(ctx, store, w, chain, filter, first))
	}()
	return piped{name: "audit-" + chain + ".jsonl", kind: "application/jsonl", from: r}, nil
}

func exportAudit(ctx context.Context, store *models.Store, w io.Writer, chain string, f models.AuditFilter, rows []models.AuditEntry) error {
	out := json.NewEncoder(w)
	for len(rows) > 0 {
		for i := range rows {
			if err := out.Encode(cloud.NewAuditEntry(&rows[i])); err != nil {
				return err
			}
		}
		f.Before = rows[len(rows)-1].Seq
		var err error
		if rows, err = store.AsSystem("audit export").AuditEntries(ctx, chain, f); err != nil {
			return err
		}
	}
	return nil
}
