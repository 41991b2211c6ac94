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
	Frame    layout.FrameProps
	Instance *models.Instance
	Path     string // relative to the workspace, "." for itself
	Write    bool   // the person may change files, and the instance runs
	Note     string // why nothing can be changed
	Undo     []models.TrashedFile
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
	More     bool
	Query    string
	In       string // names, content, both
	Problem  string // why there is no list
	Uploads  []models.FileUpload
	BaseURL  string
	Errors   map[string]string
	Typed    map[string]string
	Storage  int
	MaxPiece int
	Tree     *Tree // of all directories; nil: it was not asked for
}

// FileProps is a file.
type FileProps struct {
	Place
	Entry
	Kind   string
	Stamp  string
	Text   string // what is in it; of an edit that came back, what was typed
	IsText bool
	HTML   string // coloured, safe
	Large  bool   // too large to be shown
	Edit   bool
	Theirs *string // what somebody wrote meanwhile
	Error  string
}

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

var formats = []ui.Option{{Value: "zip", Text: "zip"}, {Value: "tar.gz", Text: "tar.gz"}, {Value: "tar.bz2", Text: "tar.bz2"}, {Value: "tar", Text: "tar"}}

func join(dir, name string) string {
	if dir == "." {
		return name
	}
	return dir + "/" + name
}
