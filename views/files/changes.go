package files

import (
	"strings"

	"lobstead/models"
	"lobstead/views/ui"
)

// ChangesProps is the list of what turns changed.
type ChangesProps struct {
	Place
	Rows  []models.Checkpoint
	Turns map[string]models.TurnPlace
}

// ChangeProps is what one turn changed.
type ChangeProps struct {
	Place
	Row     *models.Checkpoint
	Turn    *models.TurnPlace // nil = somebody put things back, or it is gone
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
	at, ok := p.Turns[*c.TurnID]
	if !ok {
		return "A turn"
	}
	return message(at)
}

// message is what began a turn, on a line.
func message(at models.TurnPlace) string {
	said := []rune(strings.Join(strings.Fields(at.Said.Text), " "))
	switch {
	case len(said) == 0:
		return at.Session.Title
	case len(said) > maxMessage:
		return string(said[:maxMessage]) + "…"
	}
	return string(said)
}

const maxMessage = 120

// conversation is where a turn was, unless its name says no more than its message.
func (p ChangesProps) conversation(c models.Checkpoint) string {
	if c.TurnID == nil || p.Turns[*c.TurnID].Session.Title == p.title(c) {
		return ""
	}
	return p.Turns[*c.TurnID].Session.Title
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
		out = append(out, ui.Crumb{Text: p.Turn.Session.Title, Href: "/chat/" + p.Turn.Session.ID + "#turn-" + p.Turn.Turn.ID})
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
