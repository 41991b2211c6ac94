package automations

import (
	"net/url"
	"strconv"

	"lobstead/models"
	"lobstead/views/ui"
)

// at is the address of the list, narrowed like this one, at a page.
func (q Query) at(from string, page int) string {
	v := url.Values{}
	for name, text := range map[string]string{"q": q.Text, "kind": q.Kind, "instance": q.Instance, "state": q.State, "outcome": q.Outcome, "owner": q.Owner} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	if len(v) == 0 {
		return from
	}
	return from + "?" + v.Encode()
}

func (q Query) narrowed() bool { return q.at("", 0) != "" }

// Live is where the stream of what is shown is.
func (p IndexProps) Live() string { return p.Query.at("/live/automations", p.Query.Page) }

// Address is where the page is.
func (p IndexProps) Address() string { return p.Query.at(path, p.Query.Page) }

// previous and next are the addresses of the pages before and after, "" without one.
func (p IndexProps) previous() string {
	if p.From == 0 {
		return ""
	}
	return p.Query.at(path, p.Query.Page-1)
}

func (p IndexProps) next() string {
	if p.From+len(p.Lines) >= p.Total {
		return ""
	}
	return p.Query.at(path, p.Query.Page+1)
}

// shown is which of how many.
func (p IndexProps) shown() string {
	return strconv.Itoa(p.From+1) + "–" + strconv.Itoa(p.From+len(p.Lines)) + " of " + strconv.Itoa(p.Total)
}

var entryWords = map[string]string{"schedule": "Schedules", "reminder": "Reminders", "trigger": "Triggers", "channel": "Channels", "active": "Active", "paused": "Paused", "done": "Done", "failed": "Failed",
	"produced": "Produced", "quiet": "Quiet", "skipped": "Skipped", "running": "Running", "none": "None yet"}

// choices offers words, after the one for all.
func choices(all string, names []string) []ui.Option {
	out := []ui.Option{{Text: all}}
	for _, n := range names {
		out = append(out, ui.Option{Value: n, Text: entryWords[n]})
	}
	return out
}

func (p IndexProps) instances() []ui.Option {
	out := []ui.Option{{Text: "All instances"}}
	for n := range p.Instances {
		out = append(out, ui.Option{Value: p.Instances[n].ID, Text: p.Instances[n].Name})
	}
	return out
}

func (p IndexProps) owners() []ui.Option {
	out := []ui.Option{{Text: "Everybody's"}}
	for _, o := range p.Owners {
		out = append(out, ui.Option{Value: o.ID, Text: o.Name})
	}
	return out
}

func (l *Line) icon() ui.Icon {
	if l.Channel != nil {
		return ui.IconSend
	}
	return icons[l.Automation.Kind]
}

func (l *Line) href() string {
	if l.Channel != nil {
		return "/instances/" + l.Channel.InstanceID + "/channels/" + string(l.Channel.Kind)
	}
	return path + "/" + l.Automation.ID
}

// row is the automation of a line, for its badge and its menu.
func (l *Line) row() *Row { return &Row{Automation: l.Automation, Held: l.Held, Failures: l.Failures} }

var channelBadges = map[models.ChannelState]ui.Badge{models.ChannelConnecting: {Kind: ui.Busy, Text: "Connecting"}, models.ChannelConnected: {Kind: ui.OK, Text: "Connected"},
	models.ChannelFailed: {Kind: ui.Bad, Text: "Failed"}, models.ChannelOff: {Kind: ui.Off, Text: "Off"}}

func (l *Line) badge() ui.Badge {
	if l.Channel != nil {
		return channelBadges[l.Channel.State]
	}
	return l.row().badge()
}

// says is what makes it act.
func (l *Line) says() string {
	if l.Channel != nil {
		return "Channel: " + ui.Plural(l.Linked, "person is", "people are") + " linked"
	}
	return kinds[l.Automation.Kind] + ": " + l.When.sentence()
}

// facts are whose it is, when it acts next, and what it costs.
func (l *Line) facts() string {
	_, owner := l.Owner()
	out := l.Instance
	if owner != "" {
		out += " · by " + owner
	}
	if len(l.When.Next) > 0 {
		out += " · next " + at(l.When.Next[0])
	}
	if l.Month.Runs > 0 {
		of := ui.Plural(l.Month.Runs, "run", "runs")
		if l.Channel != nil {
			of = ui.Plural(l.Month.Runs, "message", "messages")
		}
		out += " · " + models.BudgetMoney.FormatAmount(l.Month.CostNanos) + " this month in " + of
	}
	return out
}

// askedBadge is what came of the last message by a channel.
func askedBadge(t *models.Turn) ui.Badge {
	switch {
	case t.State == models.TurnDone:
		return ui.Badge{Kind: ui.OK, Text: "Answered"}
	case t.State == models.TurnFailed:
		return ui.Badge{Kind: ui.Bad, Text: "Failed"}
	case t.State.Ended():
		return ui.Badge{Kind: ui.Off, Text: "Stopped"}
	}
	return ui.Badge{Kind: ui.Busy, Text: "At work"}
}
