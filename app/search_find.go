package app

import (
	"slices"
	"strings"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/search"
	"lobstead/views/ui"
)

var powerWords = map[models.Action]string{models.Start: "Start", models.Stop: "Stop", models.Restart: "Restart", models.Recover: "Recover"}

var powerIcons = map[models.Action]ui.Icon{models.Start: ui.IconPlay, models.Stop: ui.IconSquare, models.Restart: ui.IconRotateCw, models.Recover: ui.IconWrench}

// instances are found by name, and each brings what can be done with it in its state.
func (f *finder) instances() error {
	if !f.app.admits(get, "/instances/:id", f.c.Principal) {
		return nil
	}
	rows, err := f.c.Scope.Instances(f.c)
	f.names = map[string]string{}
	for n := range rows {
		i := &rows[n]
		f.names[i.ID] = i.Name
		if f.q == "" {
			continue
		}
		state := strings.ToLower(string(i.State))
		f.offer(get, "/instances/:id", search.Hit{Icon: ui.IconServer, Text: i.Name, Note: state, Kind: "Instance", Href: "/instances/" + i.ID},
			state+" "+i.Region+" "+string(i.Tier))
		for _, a := range i.State.Actions() {
			if a == models.Delete {
				f.offer(get, "/instances/:id/delete", search.Hit{Icon: ui.IconTrash2, Text: "Delete " + i.Name + "…", Kind: "Action", Href: "/instances/" + i.ID + "/delete"}, "remove instance")
				continue
			}
			f.offer(post, "/instances/:id/power", search.Hit{Icon: powerIcons[a], Text: powerWords[a] + " " + i.Name, Kind: "Action",
				Action: "/instances/" + i.ID + "/power", Name: "action", Value: string(a)}, "instance")
		}
		f.offer(get, "/instances/:id/files", search.Hit{Icon: ui.IconFolder, Text: "Files of " + i.Name, Kind: "Page", Href: "/instances/" + i.ID + "/files"}, "workspace upload download browse")
		f.offer(get, "/instances/:id/terminal", search.Hit{Icon: ui.IconTerminal, Text: "Terminal of " + i.Name, Kind: "Page", Href: "/instances/" + i.ID + "/terminal"}, "shell console ssh command line")
		f.offer(get, "/chat", search.Hit{Icon: ui.IconSquarePen, Text: "New chat with " + i.Name, Kind: "Action", Href: "/chat?new=1&instance=" + i.ID}, "message ask")
	}
	return err
}

// chats are found by title and by what was said in them; without words, the newest.
func (f *finder) chats() error {
	if !f.app.admits(get, "/chat/:id", f.c.Principal) {
		return nil
	}
	var rows []models.Session
	var err error
	if f.q == "" {
		rows, err = f.c.Scope.Sessions(f.c, models.SessionFilter{Limit: recentChats})
	} else {
		rows, err = f.c.Scope.SearchSessions(f.c, f.q, len([]rune(f.q)) >= searchSaid, shownHits)
	}
	for _, s := range rows {
		h := search.Hit{Icon: ui.IconMessageSquare, Text: s.Title, Note: f.names[s.InstanceID], Kind: "Chat", Href: "/chat/" + s.ID}
		if s.Status == "archived" {
			h.Note += ", archived"
		}
		r := f.rank(s.Title, "")
		if r == unfit { // the database found it in the conversation, or knows more letters than we do
			r = said
		}
		f.hits = append(f.hits, ranked{h, r})
	}
	return err
}

// automations are found by name.
func (f *finder) automations() error {
	if f.q == "" || !f.app.admits(get, "/automations/:id", f.c.Principal) {
		return nil
	}
	rows, err := f.c.Scope.Automations(f.c, "")
	for n := range rows {
		a := &rows[n]
		f.offer(get, "/automations/:id", search.Hit{Icon: ui.IconCalendarClock, Text: a.Name, Note: f.names[a.InstanceID], Kind: "Automation", Href: "/automations/" + a.ID}, string(a.Kind))
	}
	return err
}

// place is a page that the palette knows. Who may not open it, and whose installation has none, is not offered it.
type place struct {
	text, path, more string
	icon             ui.Icon
}

var places = []place{
	{"Overview", "/", "home start dashboard", ui.IconHouse},
	{"Instances", "/instances", "agents sandboxes list", ui.IconServer},
	{"Chat", "/chat", "conversations sessions messages", ui.IconMessageSquare},
	{"Automations", "/automations", "schedules reminders triggers webhooks cron jobs runs", ui.IconCalendarClock},
	{"Settings", "/settings", "general organization person account", ui.IconSettings},
	{"Team", "/settings/team", "members people invite roles users", ui.IconUsers},
	{"Who can do what", "/settings/roles", "roles permissions rights", ui.IconShieldCheck},
	{"API keys", "/settings/keys", "tokens credentials make revoke curl", ui.IconKeyRound},
	{"Billing", "/settings/billing", "plan plans pay invoices subscription upgrade stripe", ui.IconCreditCard},
	{"Audit log", "/settings/audit", "history who did what acts export", ui.IconScrollText},
	{"Export everything", "/settings/export", "download archive organization", ui.IconDownload},
	{"Delete this organization…", "/settings/delete", "end remove", ui.IconTrash2},
	{"Organizations", "/organizations", "switch make another new", ui.IconChevronsUpDown},
	{"Models", "/settings/models", "providers openai anthropic gemini ollama keys connect", ui.IconBrain},
	{"Sign-ins", "/settings/sign-ins", "sessions devices browsers security", ui.IconMonitor},
	{"Security", "/settings/security", "password passkeys second factor linked accounts", ui.IconShieldCheck},
	{"How people sign in", "/admin/sign-in", "administration providers oidc github google sso staff", ui.IconKeyRound},
	{"Back office", "/admin", "administration staff health system", ui.IconActivity},
	{"All users", "/admin/users", "back office staff block", ui.IconUsers},
	{"All organizations", "/admin/organizations", "back office staff suspend", ui.IconDatabase},
	{"All instances", "/admin/instances", "back office staff reconcile", ui.IconServer},
	{"Jobs", "/admin/jobs", "back office staff queues retry", ui.IconList},
	{"Deliveries", "/admin/deliveries", "back office staff outbox mail letters dead", ui.IconSend},
	{"Feature flags", "/admin/flags", "back office staff", ui.IconZap},
	{"Plans and prices", "/admin/plans", "back office staff", ui.IconCoins},
	{"All model services", "/admin/models", "back office staff providers", ui.IconBrain},
	{"Installation's audit log", "/admin/audit", "back office staff history verify export", ui.IconScrollText},
	{"Backups", "/admin/backups", "back office staff restore", ui.IconHardDrive},
	{"API reference", "/docs", "documentation openapi curl help", ui.IconCode},
}

// unasked are not shown before somebody types: a slip of the finger would take long to mend.
var unasked = []string{"/settings/export", "/settings/delete"}

func (f *finder) pages() error {
	for _, p := range places {
		if f.q == "" && slices.Contains(unasked, p.path) {
			continue
		}
		f.offer(get, p.path, search.Hit{Icon: p.icon, Text: p.text, Kind: "Page", Href: p.path}, p.more)
	}
	return nil
}

// acts concern the person.
func (f *finder) acts() error {
	if f.q == "" {
		return nil
	}
	for _, t := range []struct {
		text, value string
		icon        ui.Icon
	}{{"Dark theme", "dark", ui.IconMoon}, {"Light theme", "light", ui.IconSun}, {"System theme", "system", ui.IconMonitor}} {
		f.offer(post, layout.ThemePath, search.Hit{Icon: t.icon, Text: t.text, Kind: "Action", Action: layout.ThemePath, Name: "theme", Value: t.value}, "change look appearance mode colours")
	}
	f.offer(post, layout.SignOutPath, search.Hit{Icon: ui.IconLogOut, Text: "Sign out", Kind: "Action", Action: layout.SignOutPath}, "log out leave")
	return nil
}

// organizations are those that the person could look at instead of this one.
func (f *finder) organizations() error {
	who := f.c.Principal
	if f.q == "" || !f.app.admits(post, "/organizations/:id/switch", who) {
		return nil
	}
	rows, err := f.app.Store.AsSystem("own organizations").OrganizationsOf(f.c, who.User.ID)
	for _, p := range rows {
		if o := p.Organization; o.ID != who.Organization.ID {
			f.offer(post, "/organizations/:id/switch", search.Hit{Icon: ui.IconChevronsUpDown, Text: "Switch to " + o.Name, Kind: "Action",
				Action: "/organizations/" + o.ID + "/switch"}, "organization change "+o.Slug)
		}
	}
	return err
}

// people are the organization's members.
func (f *finder) people() error {
	if f.q == "" || !f.app.admits(get, "/settings/team", f.c.Principal) {
		return nil
	}
	rows, err := f.c.Scope.Members(f.c)
	for _, m := range rows {
		f.offer(get, "/settings/team", search.Hit{Icon: ui.IconUser, Text: m.User.Name, Note: m.User.Email, Kind: "Member",
			Href: "/settings/team#member-" + m.Membership.ID}, m.User.Email+" "+string(m.Membership.Role))
	}
	return err
}

// keys are found by name and by how they begin.
func (f *finder) keys() error {
	if f.q == "" || !f.app.admits(get, "/settings/keys", f.c.Principal) {
		return nil
	}
	rows, err := f.c.Scope.APIKeys(f.c)
	for _, k := range rows {
		f.offer(get, "/settings/keys", search.Hit{Icon: ui.IconKeyRound, Text: k.Name, Note: k.Prefix + "…", Kind: "Key", Href: "/settings/keys#key-" + k.ID}, k.Prefix)
	}
	return err
}
