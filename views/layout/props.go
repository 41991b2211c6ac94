// Package layout owns what stands around every page: the document's head, the signed-in frame, the bare frame of setup
// and sign-in, and the error page. It knows no model and no handler; props are plain data.
package layout

import (
	"strings"
	"unicode/utf8"

	"lobstead/views/ui"
)

// Where the frame's own forms post; the app routes them.
const (
	SignOutPath = "/sign-out"
	SearchPath  = "/search" // the palette's page, and with HX-Request its results
	ThemePath   = "/theme"  // form value "theme": sets the cookie "theme" and goes back
)

// FrameProps is what the signed-in frame shows. Only Title is needed everywhere.
type FrameProps struct {
	Title     string // of the document; " · Lobstead" is added
	Active    string // the Href of the current entry in Nav; "/settings" for settings
	OrgName   string
	UserName  string
	UserEmail string
	Theme     string // "system", "light" or "dark", from the cookie "theme"
	LiveURL   string // "/live?…&after=123", or "" for a page without a stream
	Flash     *ui.Flash
	Nav       []NavItem // DefaultNav when nil
	Version   string
	Staff     bool         // runs the installation: the way to the back office is shown
	PageClass string       // a class of <main>, for a page that needs the whole height
	MayAudit  bool         // the settings have the audit log
	MayShell  bool         // instances have a terminal
	Waiting   int          // turns that wait for a budget, on the settings' pages
	Inbox     int          // turns that wait for a person
	Unread    int          // notifications of this person
	MayHook   bool         // the settings have the webhooks
	Notice    Announcement // above every page
}

// Announcement concerns everybody in the organization: what it is, and where to go. Zero for none.
type Announcement struct{ Text, Href, Button string }

// NavItem is one entry of the sidebar. Count is a small figure, hidden at zero; with CountID the stream can replace it.
type NavItem struct {
	Text, Href string
	Icon       ui.Icon
	Count      int
	CountID    string
}

// DefaultNav is the sidebar's content: pages that exist, nothing else.
func DefaultNav() []NavItem {
	return []NavItem{
		{Text: "Overview", Href: "/", Icon: ui.IconHouse},
		{Text: "Instances", Href: "/instances", Icon: ui.IconServer},
		{Text: "Chat", Href: "/chat", Icon: ui.IconMessageSquare},
		{Text: "Automations", Href: "/automations", Icon: ui.IconCalendarClock},
		{Text: "Approvals", Href: "/approvals", Icon: ui.IconInbox, CountID: InboxCount},
		{Text: "Usage", Href: "/usage", Icon: ui.IconChartNoAxesColumn},
	}
}

// The ids of the figures at Approvals and at Notifications.
const (
	InboxCount  = "approvals-count"
	UnreadCount = "notifications-count"
)

func (p FrameProps) nav() []NavItem {
	if p.Nav == nil && p.OrgName != "" { // without an organization none of them leads anywhere
		nav := DefaultNav()
		for n := range nav {
			if nav[n].CountID == InboxCount {
				nav[n].Count = p.Inbox
			}
		}
		return nav
	}
	return p.Nav
}

// BareProps is what a page without a frame shows. Wide gives the card more room.
type BareProps struct {
	Title   string
	Theme   string
	Flash   *ui.Flash
	Version string
	Wide    bool
}

// PlainProps is what a page without any frame shows.
type PlainProps struct{ Title, Theme string }

// ErrorProps is a whole page that says what went wrong and what to do.
type ErrorProps struct {
	Status    int
	Title     string // "This page does not exist"
	Detail    string // what happened, in a sentence
	Advice    string // what to do about it
	RequestID string
	Theme     string
	Home      string // "/" when empty
}

func theme(s string) string {
	switch s {
	case "light", "dark":
		return s
	}
	return "system"
}

// Initial is the first letter of a name, for its mark.
func Initial(name string) string {
	r, _ := utf8.DecodeRuneInString(strings.TrimSpace(name))
	if r == utf8.RuneError {
		return "L"
	}
	return strings.ToUpper(string(r))
}

// initials are at most two letters of a person's name or address.
func initials(name string) string {
	words := strings.FieldsFunc(name, func(r rune) bool { return r == ' ' || r == '.' || r == '@' || r == '-' })
	switch len(words) {
	case 0:
		return "?"
	case 1:
		return Initial(words[0])
	}
	return Initial(words[0]) + Initial(words[1])
}

func (p FrameProps) person() string {
	if p.UserName != "" {
		return p.UserName
	}
	return p.UserEmail
}

// Shortcut is one entry of the catalogue: it is shown by `?` and bound by shortcuts.js from the same markup.
type Shortcut struct {
	Keys   string // alternatives by space: "mod+n c"
	Text   string
	Do     string // "focus", "click", "go", "dialog"; "" only documents
	Target string // selector, address or dialog id
}

// Shortcuts is the catalogue that every signed-in page binds.
func Shortcuts() []Shortcut {
	return []Shortcut{
		{"mod+k", "Search everything, and act", "click", "[data-palette-open]"},
		{"/", "Search on this page", "focus", "[data-search]"},
		{"mod+n c", "New chat", "go", "/chat"},
		{"?", "Show this list", "dialog", "shortcuts"},
		{"Escape", "Close, or stop the running turn", "", ""},
		{"Enter", "Send the message", "", ""},
		{"Shift+Enter", "New line in the message", "", ""},
		{"ArrowUp", "Bring back the last message", "", ""},
	}
}

// keyNames are how keys are shown; "mod" becomes ⌘ on a Mac by shortcuts.js.
var keyNames = map[string]string{"mod": "Ctrl", "Escape": "Esc", "ArrowUp": "↑"}

// caps are the keycaps of one alternative: "mod+n" is Ctrl and N.
func caps(keys string) []string {
	parts := strings.Split(keys, "+")
	for i, p := range parts {
		if n := keyNames[p]; n != "" {
			parts[i] = n
		} else if len(p) == 1 {
			parts[i] = strings.ToUpper(p)
		}
	}
	return parts
}

func isMod(cap string) bool { return cap == "Ctrl" }

// orgName is what stands at the top of the sidebar.
func orgName(name string) string {
	if name == "" {
		return "No organization"
	}
	return name
}
