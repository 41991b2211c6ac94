package instances

import (
	"context"
	"io"

	"github.com/a-h/templ"

	"lobstead/models"
	"lobstead/views/ui"
)

// The rows of a list are Go instead of templ: they are the most rendered markup of the product, and so written they
// allocate next to nothing. See BenchmarkRows.

// Row is one line of a list and the patch for it.
func Row(i *models.Instance, model string) templ.Component { return row{i, model} }

// Rows is the body of the list: what the filter and the event stream replace.
func Rows(p IndexProps) templ.Component { return body{"instance-rows", p.Instances, p.Models, p.Query} }

type row struct {
	*models.Instance
	model string
}

type body struct {
	id     string
	list   []models.Instance
	models map[string]string
	query  string
}

// columns is how many cells a row has.
const columns = "6"

// Render writes a <tbody>.
func (b body) Render(ctx context.Context, w io.Writer) error {
	m := markup{w: w}
	m.raw(`<tbody id="`)
	m.text(b.id)
	m.raw(`">`)
	for n := range b.list {
		i := &b.list[n]
		if m.err == nil {
			m.err = row{i, b.models[i.ID]}.Render(ctx, w)
		}
	}
	if len(b.list) == 0 {
		m.raw(`<tr class="none"><td colspan="` + columns + `">`)
		if b.query == "" {
			m.raw(`No instance here.`)
		} else {
			m.raw(`No instance matches “`)
			m.text(brief(b.query, 60))
			m.raw(`”. <a class="link" href="/instances">Show all</a>`)
		}
		m.raw(`</td></tr>`)
	}
	m.raw(`</tbody>`)
	return m.err
}

// Render writes a <tr>.
func (r row) Render(ctx context.Context, w io.Writer) error {
	m := markup{w: w}
	id, name := templ.EscapeString(r.ID), templ.EscapeString(r.Name) // each stands several times
	m.raw(`<tr id="instance-`)
	m.raw(id)
	m.raw(`"><td><a class="name row-link" href="/instances/`)
	m.raw(id)
	m.raw(`">`)
	m.raw(name)
	m.raw(`</a><div class="sub">`)
	m.text(r.Region)
	m.raw(` · `)
	m.text(string(r.Tier))
	m.raw(`</div></td><td>`)
	badge := StateBadge(r.Instance)
	badge.Reason = brief(sentence(badge.Reason), 72)
	m.part(badge.Render(ctx, w))
	m.raw(`</td><td class="hide-s muted">`)
	if r.model == "" {
		m.raw(`<span class="faint">—</span>`)
	} else {
		m.text(r.model)
	}
	m.raw(`</td><td class="hide-s muted num">`)
	m.raw(megabytes(r.MemoryMB))
	m.raw(` · `)
	m.raw(megabytes(r.StorageMB))
	m.raw(`</td><td class="hide-s muted">`)
	var active ui.Time
	if r.LastActiveAt != nil {
		active.At = *r.LastActiveAt
	}
	m.part(active.Render(ctx, w))
	m.raw(`</td><td class="fit">`)
	if r.Desired != models.WantDeleted {
		m.raw(`<a class="btn quiet icon" href="/chat?instance=`)
		m.raw(id)
		m.raw(`" aria-label="Chat with `)
		m.raw(name)
		m.raw(`">`)
		m.part(ui.IconMessageSquare.Render(ctx, w))
		m.raw(`</a>`)
	}
	m.raw(`</td></tr>`)
	return m.err
}

// markup writes and keeps the first error.
type markup struct {
	w   io.Writer
	err error
}

// raw writes markup of ours; never a value from outside.
func (m *markup) raw(s string) {
	if m.err == nil {
		_, m.err = io.WriteString(m.w, s)
	}
}

// text writes a value, escaped for content and quoted attributes alike.
func (m *markup) text(s string) { m.raw(templ.EscapeString(s)) }

func (m *markup) part(err error) {
	if m.err == nil {
		m.err = err
	}
}
