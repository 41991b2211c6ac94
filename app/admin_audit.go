package app

import (
	"context"

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
	rows, err := system.AuditEntries(c, p.Chain, filter)
	if err != nil {
		return nil, err
	}
	p.Entries, p.Next = paged(rows, officePage, func(e models.AuditEntry) int64 { return e.Seq })
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

// Export streams the filtered chain as JSON lines, newest first.
func (h *AdminAudit) Export(c *Ctx) (Reply, error) {
	p, filter, err := h.read(c)
	if err != nil {
		return nil, err
	}
	return auditFile(c, p.Chain, filter, func(ctx context.Context, f models.AuditFilter) ([]models.AuditEntry, error) {
		return h.Store.AsSystem("audit export").AuditEntries(ctx, p.Chain, f)
	})
}
