// Package files is the pages of an instance's workspace: /instances/:id/files. It knows no handler; props are plain data.
package files

import (
	"net/url"
	"path"
	"strconv"
	"strings"
	"time"

	"lobstead/kit/filename"
	"lobstead/kit/size"
	"lobstead/models"
	"lobstead/views/instances"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// Place is what every page of a workspace has.
type Place struct {
	Frame     layout.FrameProps
	Instance  *models.Instance
	Path      string // relative to the workspace, "." for itself
	Write     bool   // the person may change files, and the instance runs
	Note      string // why nothing can be changed
	Startable bool   // starting the instance solves it
	Undo      []models.TrashedFile
	Form
}

// Form is what a refused one of the page comes back with.
type Form struct {
	Errors map[string]string // by field; "picked" is of the acts on what is ticked
	Typed  map[string]string
	Picked []string // that was ticked
}

// Entry is a line of a list.
type Entry struct {
	Path    string // relative to the workspace
	Dir     bool
	Link    string
	Special bool
	Size    int64
	Changed time.Time
	Lines   []string // that a search found
}

// IndexProps is a directory, or what a search found below it.
type IndexProps struct {
	Place
	Entries  []Entry
	More     bool   // there is more than could be listed or found
	Sort     string // name, size, changed
	Down     bool   // the other way round
	Page     int    // from 1 on
	From     int    // entries before this page
	Total    int
	Query    string
	In       string // names, content, both
	Problem  string // why there is no list
	Uploads  []models.FileUpload
	BaseURL  string
	Storage  int
	MaxPiece int
	Tree     *Tree // of all directories; nil: it was not asked for
}

// FileProps is a file.
type FileProps struct {
	Place
	Entry
	Kind     string
	Stamp    string
	Text     string // what is in it; of an edit that came back, what was typed
	IsText   bool
	HTML     string // coloured, safe
	Large    bool   // too large to be shown
	Searched int64  // bytes of the largest file that a search reads
	Edit     bool
	Theirs   bool          // somebody wrote meanwhile
	Lines    []ui.DiffLine // then, what saving would change of theirs
	Error    string
}

// listing is the address of a page of this directory in an order.
func (p *IndexProps) listing(sort string, down bool, page int) string {
	q := url.Values{}
	if p.Path != "." {
		q.Set("path", p.Path)
	}
	if down {
		sort = "-" + sort
	}
	if sort != "name" && sort != "" {
		q.Set("sort", sort)
	}
	if page > 1 {
		q.Set("page", strconv.Itoa(page))
	}
	if len(q) == 0 {
		return at(p.Instance)
	}
	return at(p.Instance) + "?" + q.Encode()
}

// act is where a form of this list goes: with the address of the list, so that a refused one comes back to it.
func (p *IndexProps) act(verb string) string {
	_, q, _ := strings.Cut(p.listing(p.Sort, p.Down, p.Page), "?")
	if p.Query != "" {
		q = url.Values{"path": {p.Path}, "q": {p.Query}, "in": {p.In}}.Encode()
	}
	if q == "" {
		return p.at(verb)
	}
	return p.at(verb + "?" + q)
}

// pages are the addresses of the page before and of the next one, and what this one shows.
func (p *IndexProps) pages() (previous, next, shown string) {
	end := p.From + len(p.Entries)
	if p.Page > 1 {
		previous = p.listing(p.Sort, p.Down, p.Page-1)
	}
	if end < p.Total {
		next = p.listing(p.Sort, p.Down, p.Page+1)
	}
	return previous, next, strconv.Itoa(p.From+1) + "–" + strconv.Itoa(end) + " of " + strconv.Itoa(p.Total)
}

// fileSorts are the orders, each as it is first wanted: sizes and times from the top down.
var fileSorts = []struct {
	by, text string
	down     bool
}{{"name", "Name", false}, {"size", "Size", true}, {"changed", "Changed", true}}

// large says what can be done with a file that is not shown.
func (p *FileProps) large() string {
	if p.Size > p.Searched {
		return "Download it, or look at a part of it in the terminal."
	}
	return "Download it, or search in it, if it is text: lines that match are shown."
}

// unsaved tells that an edit came back: what was typed is kept by this page alone.
func (p *FileProps) unsaved() bool { return p.Theirs || p.Error != "" }

// TrashProps is what was deleted.
type TrashProps struct {
	Place
	Rows []models.TrashedFile
}

func at(i *models.Instance) string { return "/instances/" + i.ID + "/files" }

// Address is the page of a path.
func Address(i *models.Instance, p string) string {
	if p == "." || p == "" {
		return at(i)
	}
	return at(i) + "?path=" + url.QueryEscape(p)
}

func (p Place) at(rest string) string { return at(p.Instance) + rest }

func (p Place) raw(of string, inline bool) string {
	s := p.at("/raw?path=" + url.QueryEscape(of))
	if inline {
		s += "&inline=true"
	}
	return s
}

func (p Place) title() string {
	if p.Path == "." {
		return "Files"
	}
	return path.Base(p.Path)
}

// crumbs lead to the directories above.
func (p Place) crumbs() []ui.Crumb {
	out := []ui.Crumb{{Text: "Instances", Href: "/instances"}, {Text: p.Instance.Name, Href: "/instances/" + p.Instance.ID}}
	if p.Path == "." {
		return out
	}
	out = append(out, ui.Crumb{Text: "Files", Href: at(p.Instance)})
	parts := strings.Split(p.Path, "/")
	for n := range parts[:len(parts)-1] {
		out = append(out, ui.Crumb{Text: shown(parts[n]), Href: Address(p.Instance, path.Join(parts[:n+1]...))})
	}
	return out
}

func (p Place) tabs(current string) []ui.TabItem {
	return append(instances.Tabs(p.Frame, p.Instance, current, 0),
		ui.TabItem{Text: "Changes", Href: p.at("/changes"), Icon: ui.IconGitCompare, Current: current == "changes"},
		ui.TabItem{Text: "Trash", Href: p.at("/trash"), Icon: ui.IconTrash2, Current: current == "trash"})
}

func (e Entry) icon() ui.Icon {
	switch {
	case e.Dir:
		return ui.IconFolder
	case e.Link != "":
		return ui.IconLink
	case strings.HasSuffix(e.Path, ".png"), strings.HasSuffix(e.Path, ".jpg"), strings.HasSuffix(e.Path, ".jpeg"), strings.HasSuffix(e.Path, ".gif"), strings.HasSuffix(e.Path, ".webp"):
		return ui.IconImage
	case archive(e.Path):
		return ui.IconPackage
	}
	return ui.IconFileText
}

// name is what a list calls an entry: a path below what is listed where a search found it.
func (p *IndexProps) name(e Entry) string {
	if p.Query == "" {
		return shown(path.Base(e.Path))
	}
	return shown(strings.TrimPrefix(e.Path, strings.TrimPrefix(p.Path+"/", "./")))
}

// shown writes names that are no text as a shell would.
func shown(s string) string {
	s = filename.Bytes(s)
	if q := strconv.QuoteToGraphic(s); strings.Contains(q[1:len(q)-1], `\`) {
		return q
	}
	return s
}

func archive(p string) bool {
	for _, end := range []string{".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2"} {
		if strings.HasSuffix(strings.ToLower(p), end) {
			return true
		}
	}
	return false
}

func (e Entry) facts() string {
	switch {
	case e.Link != "":
		return "link to " + shown(e.Link)
	case e.Dir:
		return "directory"
	case e.Special:
		return "pipe, socket or device"
	}
	return size.Of(e.Size)
}

// image tells whether a browser may show a file: pictures that hold no script.
func (p *FileProps) image() bool { return Picture(p.Kind) }

// Picture tells whether a media type is a picture that holds no script.
func Picture(kind string) bool {
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return true
	}
	return false
}

var searchIn = []ui.Option{{Value: "both", Text: "Names and content"}, {Value: "names", Text: "Names"}, {Value: "content", Text: "Content"}}

var uploadOver = []ui.Option{{Value: "keep", Text: "Keep both"}, {Value: "replace", Text: "Replace it"}}

var formats = []ui.Option{{Value: "zip", Text: "zip"}, {Value: "tar.gz", Text: "tar.gz"}, {Value: "tar.bz2", Text: "tar.bz2"}, {Value: "tar", Text: "tar"}}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
