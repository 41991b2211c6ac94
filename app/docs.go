package app

import (
	"encoding/json"
	"sync"

	"lobstead/api/openapi"
	"lobstead/views/docs"
)

// Docs describes the API: a page to read, and the document for tools.
type Docs struct {
	*App
	document func() json.RawMessage // never changes while the process runs
}

func newDocs(a *App) *Docs {
	return &Docs{a, sync.OnceValue(func() json.RawMessage { return openapi.Read().JSON(a.PublicURL, a.Version) })}
}

// Show is the page. It works for guests: a description is no secret, and the source is public.
func (h *Docs) Show(c *Ctx) (Reply, error) {
	q := c.Query("q")
	return page(docs.Show(docs.ShowProps{Theme: c.theme(), Version: h.Version, BaseURL: h.PublicURL, Query: q, SignedIn: c.Principal != nil,
		Book: openapi.Read(), Sections: docs.Sections(q)})), nil
}

// Document is OpenAPI 3.1.
func (h *Docs) Document(*Ctx) (Reply, error) { return data(h.document()), nil }
