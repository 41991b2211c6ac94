package chat

import (
	"net/url"
	"time"

	"lobstead/models"
	"lobstead/views/ui"
)

// group is a stretch of the list under one heading.
type group struct {
	name     string
	sessions []models.Session
}

// groups sorts sessions into pinned, today, yesterday and earlier, in the order in which they come.
func groups(list []models.Session, now time.Time) []group {
	day := now.UTC().Truncate(24 * time.Hour)
	all := []group{{name: "Pinned"}, {name: "Today"}, {name: "Yesterday"}, {name: "Earlier"}}
	for _, s := range list {
		n := 3
		switch at := active(s); {
		case s.Pinned:
			n = 0
		case !at.Before(day):
			n = 1
		case !at.Before(day.Add(-24 * time.Hour)):
			n = 2
		}
		all[n].sessions = append(all[n].sessions, s)
	}
	out := all[:0]
	for _, g := range all {
		if len(g.sessions) > 0 {
			out = append(out, g)
		}
	}
	return out
}

func active(s models.Session) time.Time {
	if s.LastMessageAt != nil {
		return *s.LastMessageAt
	}
	return s.UpdatedAt
}

// href is the list with one thing of its filter changed.
func (p SessionListProps) href(category string, archived bool) string {
	v := url.Values{"new": {"1"}}
	if p.Search != "" {
		v.Set("q", p.Search)
	}
	if category != "" {
		v.Set("category", category)
	}
	if archived {
		v.Set("archived", "1")
	}
	return "/chat?" + v.Encode()
}

func (p SessionListProps) filtered() bool { return p.Search != "" || p.Category != "" || p.Archived }

// busyBadges say what becomes of an open turn, by what it waits for.
var busyBadges = map[models.WaitReason]ui.Badge{
	"":                  {Kind: ui.Busy, Text: "answering"},
	models.WaitApproval: {Kind: ui.Warn, Text: "waits for approval"},
	models.WaitBudget:   {Kind: ui.Warn, Text: "paused"},
	models.WaitResume:   {Kind: ui.Warn, Text: "paused"},
}

// badge is an instance's state in one word.
func badge(i *models.Instance) ui.Badge {
	switch i.State {
	case models.Running:
		if i.PausedAt != nil {
			return ui.Badge{Kind: ui.Warn, Text: "paused"}
		}
		return ui.Badge{Kind: ui.OK, Text: "running"}
	case models.Provisioning:
		return ui.Badge{Kind: ui.Busy, Text: "starting"}
	case models.Errored:
		return ui.Badge{Kind: ui.Bad, Text: "error"}
	case models.Suspended:
		return ui.Badge{Kind: ui.Warn, Text: "suspended"}
	}
	return ui.Badge{Kind: ui.Off, Text: "stopped"}
}
