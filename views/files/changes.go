package files

import (
	"strings"

	"lobstead/models"
	"lobstead/views/ui"
)

// ChangesProps is the list of what turns changed.
type ChangesProps struct {
	Place
	Rows   []models.Checkpoint
	Titles map[string]string // of the conversations, by turn
}

// ChangeProps is what one turn changed.
type ChangeProps struct {
	Place
	Row     *models.Checkpoint
	Turn    *models.Turn // nil = somebody put things back
	Title   string       // of the conversation
	Files   []FileDifference
	Problem string
}

// FileDifference is one file of it.
type FileDifference struct {
	models.FileChange
	Lines          []ui.DiffLine
	Added, Removed int
	Why            string
	Can            bool
}

// ChangesAddress is the page of one checkpoint.
func ChangesAddress(i *models.Instance, id string) string { return at(i) + "/changes/" + id }

func (p ChangesProps) title(c models.Checkpoint) string {
	if c.TurnID == nil {
		return "Put back by " + c.CreatedBy
	}
	if t := p.Titles[*c.TurnID]; t != "" {
		return t
	}
	return "A turn"
}

func (p ChangeProps) heading() string {
	if p.Row.TurnID == nil {
		return "What was put back"
	}
	return "What a turn changed"
}

func (p ChangeProps) above() []ui.Crumb {
	out := append(p.crumbs(), ui.Crumb{Text: "Files", Href: at(p.Instance)}, ui.Crumb{Text: "Changes", Href: p.at("/changes")})
	if p.Turn != nil {
		out = append(out, ui.Crumb{Text: p.Title, Href: "/chat/" + p.Turn.SessionID + "#turn-" + p.Turn.ID})
	}
	return out
}

func (p ChangeProps) any() bool {
	for _, f := range p.Files {
		if f.Can {
			return true
		}
	}
	return false
}

// Counts says how many files came, changed and went.
func Counts(c models.Checkpoint) string {
	if c.EndedAt == nil {
		return "not known yet"
	}
	out := []string{}
	for _, n := range []struct {
		n    int
		what string
	}{{c.Added, "added"}, {c.Changed, "changed"}, {c.Removed, "removed"}} {
		if n.n > 0 {
			out = append(out, ui.Plural(n.n, "file", "files")+" "+n.what)
		}
	}
	return strings.Join(out, ", ")
}

var whats = map[string]ui.Badge{
	models.FileAdded:   {Kind: ui.OK, Text: "added"},
	models.FileChanged: {Kind: ui.Info, Text: "changed"},
	models.FileRemoved: {Kind: ui.Bad, Text: "removed"},
}
