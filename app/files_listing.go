package app

import (
	"cmp"
	"path"
	"slices"
	"strconv"
	"strings"

	"lobstead/engine/files"
	"lobstead/kit/filename"
	"lobstead/models"
	filesview "lobstead/views/files"
)

const maxRows = 200 // of a directory on a page: a browser has to draw them

// entries fills in the page of a directory that the address names, or what a search found below it.
func (h *Files) entries(c *Ctx, i *models.Instance, p *filesview.IndexProps) error {
	p.Entries = []filesview.Entry{}
	if strings.TrimSpace(p.Query) != "" {
		return h.found(c, i, p)
	}
	list, more, err := h.Workspaces.List(c, i, p.Path, false)
	p.More = more
	for _, e := range list {
		p.Entries = append(p.Entries, fileEntry(e, nil))
	}
	by, down := strings.CutPrefix(c.Query("sort"), "-")
	if fileOrders[by] == nil {
		by, down = "name", false
	}
	p.Sort, p.Down = by, down
	inOrder(p.Entries, fileOrders[by], down)
	p.Total = len(p.Entries)
	if !c.wantsJSON() {
		last := max(p.Total-1, 0) / maxRows
		asked, _ := strconv.Atoi(c.Query("page"))
		p.Page = min(max(asked-1, 0), last) + 1
		p.From = (p.Page - 1) * maxRows
		p.Entries = p.Entries[p.From:min(p.From+maxRows, p.Total)]
	}
	return err
}

func (h *Files) found(c *Ctx, i *models.Instance, p *filesview.IndexProps) error {
	found, more, err := h.Workspaces.Search(c, i, files.Query{Text: p.Query, Path: p.Path, Names: p.In != "content", Content: p.In != "names", Max: 200})
	p.More = more
	for _, f := range found {
		p.Entries = append(p.Entries, fileEntry(f.Entry, f.Lines[:min(len(f.Lines), 3)]))
	}
	return err
}

func byName(a, b filesview.Entry) int { return filename.Compare(path.Base(a.Path), path.Base(b.Path)) }

var fileOrders = map[string]func(a, b filesview.Entry) int{
	"name":    byName,
	"size":    func(a, b filesview.Entry) int { return cmp.Compare(a.Size, b.Size) },
	"changed": func(a, b filesview.Entry) int { return a.Changed.Compare(b.Changed) },
}

// inOrder sorts a list, directories first; what is equal by the names.
func inOrder(list []filesview.Entry, order func(a, b filesview.Entry) int, down bool) {
	slices.SortFunc(list, func(a, b filesview.Entry) int {
		switch {
		case a.Dir && !b.Dir:
			return -1
		case b.Dir && !a.Dir:
			return 1
		}
		n := order(a, b)
		if down {
			n = -n
		}
		return cmp.Or(n, byName(a, b))
	})
}
