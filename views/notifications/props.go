// Package notifications shows a person what they were told in an organization, and lets them choose by which ways.
package notifications

import (
	"slices"
	"strconv"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// Where the pages are.
const (
	Path            = "/notifications"
	PreferencesPath = "/notifications/preferences"
)

// IndexProps is the page /notifications.
type IndexProps struct {
	Frame   layout.FrameProps
	Rows    []models.Notification
	Unread  int
	Only    bool   // unread ones
	Before  string // an id: where this page begins
	Next    string // the next one
	BaseURL string
}

// PreferencesProps is the page /notifications/preferences.
type PreferencesProps struct {
	Frame     layout.FrameProps
	Choices   []models.NotificationChoice
	Mails     bool                 // a mail server is configured
	NoLetters bool                 // the person wants none at all
	Webhooks  int                  // endpoints that want notifications
	Channels  []models.ChannelKind // by which the person can be written to here
	Errors    map[string]string
}

func (p IndexProps) query(before string) string {
	out := ""
	if p.Only {
		out = "?unread=true"
	}
	if before != "" {
		sign := "?"
		if out != "" {
			sign = "&"
		}
		out += sign + "before=" + before
	}
	return Path + out
}

func (p IndexProps) newest() string {
	if p.Before == "" {
		return ""
	}
	return p.query("")
}

func (p IndexProps) older() string {
	if p.Next == "" {
		return ""
	}
	return p.query(p.Next)
}

func (p IndexProps) tabs() []ui.TabItem {
	return []ui.TabItem{{Text: "All", Href: Path, Current: !p.Only}, {Text: "Unread", Href: Path + "?unread=true", Current: p.Only, Count: p.Unread},
		{Text: "Preferences", Href: PreferencesPath}}
}

var icons = map[models.NotificationKind]ui.Icon{models.NoteRunFailed: ui.IconCalendarClock, models.NoteMessageFailed: ui.IconMessageSquare, models.NoteApproval: ui.IconShieldAlert,
	models.NoteBudget: ui.IconCreditCard, models.NoteAgentError: ui.IconServer, models.NoteHold: ui.IconPause, models.NoteWebhookOff: ui.IconWebhook, models.NoteDeliveryDead: ui.IconSend}

// channels offers no message, the kinds that the person is linked to here, and the one chosen in another organization.
func (p PreferencesProps) channels(chosen models.ChannelKind) []ui.Option {
	out := []ui.Option{{Value: "", Text: "No message"}}
	for _, k := range models.ChannelKinds {
		if k == chosen || slices.Contains(p.Channels, k) {
			out = append(out, ui.Option{Value: string(k), Text: "Message on " + k.Title()})
		}
	}
	return out
}

func icon(k models.NotificationKind) ui.Icon {
	if i, ok := icons[k]; ok {
		return i
	}
	return ui.IconInfo
}

func times(n int) string { return strconv.Itoa(n) + " times" }

func says(k models.NotificationKind) string {
	for _, row := range models.NotificationKinds {
		if row.Kind == k {
			return row.Says
		}
	}
	return string(k)
}

var digests = []ui.Option{{Value: string(models.DigestOnce), Text: "at once"}, {Value: string(models.DigestHourly), Text: "hourly, together"}, {Value: string(models.DigestDaily), Text: "each morning, together"}}
