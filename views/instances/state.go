package instances

import (
	"slices"
	"strings"
	"unicode/utf8"

	"lobstead/models"
	"lobstead/views/ui"
)

// StateBadge says how an instance is, and what it is about to become while a wish is not yet fulfilled.
func StateBadge(i *models.Instance) ui.Badge {
	b := ui.Badge{Kind: ui.Off, Text: string(i.State), Since: i.StateSince, Reason: i.Reason}
	switch {
	case i.Desired == models.WantDeleted:
		b.Kind, b.Text = ui.Busy, "Deleting"
	case i.State == models.Provisioning:
		b.Kind, b.Text = ui.Busy, "Provisioning"
	case i.State == models.Running:
		b.Kind, b.Text = ui.OK, "Running"
		if i.Desired == models.WantStopped {
			b.Kind, b.Text = ui.Busy, "Stopping"
		} else if waiting(i) {
			b.Kind, b.Text = ui.Busy, "Restarting"
		} else if i.PausedAt != nil {
			b.Kind, b.Text, b.Since = ui.Warn, "Paused", *i.PausedAt
		} else if i.Asleep() {
			b = ui.Badge{Kind: ui.Info, Text: "Asleep", Reason: "Its sandbox wakes when something needs it"} // since when is in the log
		}
	case i.State == models.Stopped:
		b.Text = "Stopped"
		if i.Desired == models.WantRunning {
			b.Kind, b.Text = ui.Busy, "Starting"
		}
	case i.State == models.Errored:
		b.Kind, b.Text = ui.Bad, "Error"
	case i.State == models.Suspended:
		b.Kind, b.Text = ui.Warn, "Suspended"
	}
	return b
}

// waiting tells whether a wish is not yet answered.
func waiting(i *models.Instance) bool { return i.Generation > i.ObservedGeneration }

// powers are the buttons of a page: what the state allows, without what is already under way and without deletion,
// which has a place of its own.
func powers(i *models.Instance) []models.Action {
	if i.Desired == models.WantDeleted {
		return nil
	}
	return slices.DeleteFunc(i.State.Actions(), func(a models.Action) bool {
		return a == models.Delete ||
			a == models.Stop && i.Desired == models.WantStopped ||
			a == models.Start && i.Desired == models.WantRunning ||
			a == models.Restart && waiting(i) && i.Desired == models.WantRunning
	})
}

type power struct {
	text string
	icon ui.Icon
}

var powerWords = map[models.Action]power{
	models.Start:   {"Start", ui.IconPlay},
	models.Stop:    {"Stop", ui.IconSquare},
	models.Restart: {"Restart", ui.IconRotateCw},
	models.Recover: {"Try again", ui.IconRefreshCw},
}

// loopAct is what the button for the loop does: "pause", "resume", or "" when there is none.
func loopAct(i *models.Instance) string {
	switch i.Standing() {
	case models.StandingActive:
		return "pause"
	case models.StandingPaused:
		return "resume"
	}
	return ""
}

// note is what stands as a banner under the head: nothing for a healthy instance.
func note(i *models.Instance) (ui.Kind, string) {
	switch {
	case i.Desired == models.WantDeleted:
		return ui.Info, "It is being deleted. Its processes stop first, then its files are removed."
	case i.State == models.Errored && i.Reason == "":
		return ui.Bad, "It could not be brought up. The steps and the log below tell how far it came."
	case i.State == models.Errored:
		return ui.Bad, i.Reason
	case i.State == models.Suspended && i.Reason == "":
		return ui.Warn, "It is suspended: nothing runs. Its files are kept."
	case i.State == models.Suspended || i.State == models.Running && i.Reason != "":
		return ui.Warn, i.Reason
	case i.Standing() == models.StandingPaused:
		return ui.Info, "It is paused: what it was doing it ends, and it takes messages and lets them wait. Its files and its terminal can be reached."
	}
	return "", ""
}

// sentence is the first one of a reason, without its full stop: more follows it in a cell.
func sentence(s string) string {
	s, _, _ = strings.Cut(s, ". ")
	return strings.TrimSuffix(s, ".")
}

// brief cuts a sentence to n characters, for a cell.
func brief(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	for at := range s {
		if n--; n == 0 {
			return s[:at] + "…"
		}
	}
	return s
}
