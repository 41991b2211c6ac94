// Package memories are the pages of what an instance remembers: /instances/:id/memory and what is below it.
package memories

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"lobstead/models"
	"lobstead/views/instances"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// Source is the conversation behind a memory.
type Source struct{ SessionID, Title string }

// IndexProps is the list at /instances/:id/memory.
type IndexProps struct {
	Frame    layout.FrameProps
	Instance *models.Instance
	Filter   models.MemoryFilter
	Rows     []models.Memory
	More     string // address of the next page
	Tray     []models.MemoryVersion
	TrayLeft int               // held for review beyond those of Tray
	Sources  map[string]Source // by turn
	Sessions []models.Session  // to choose one for the working tier
	New      models.NewMemory  // what was typed, when it came back with Errors
	Errors   map[string]string
	Undo     *models.MemoryVersion // a deletion that just happened
	BaseURL  string
}

// ShowProps is one memory with its history.
type ShowProps struct {
	Frame    layout.FrameProps
	Instance *models.Instance
	Memory   *models.Memory
	Versions []models.MemoryVersion
	Sources  map[string]Source
	Errors   map[string]string
}

// HistoryProps is what happened to all memories of an instance.
type HistoryProps struct {
	Frame    layout.FrameProps
	Instance *models.Instance
	Versions []models.MemoryVersion
	Sources  map[string]Source
}

func path(i *models.Instance, more string) string { return "/instances/" + i.ID + "/memory" + more }

// tabs are the views of an instance that have addresses.
func tabs(f layout.FrameProps, i *models.Instance, current string, waiting int) []ui.TabItem {
	return append(instances.Tabs(f, i, current, waiting),
		ui.TabItem{Text: "Memory history", Href: path(i, "/history"), Icon: ui.IconHistory, Current: current == "history"})
}

func (p IndexProps) waiting() int { return len(p.Tray) + p.TrayLeft }

func (p IndexProps) filtered() bool {
	f := p.Filter
	return f.Query != "" || f.Tier != "" || f.Category != "" || f.Origin != ""
}

var tierWords = map[models.MemoryTier]string{models.SemanticMemory: "Facts", models.EpisodicMemory: "What happened", models.WorkingMemory: "Notes of a conversation"}

var tierNotes = map[models.MemoryTier]string{models.SemanticMemory: "kept under a key, for good", models.EpisodicMemory: "an event, for good", models.WorkingMemory: "ends with its conversation"}

var originWords = map[models.Origin]string{models.FromPerson: "a person", models.FromProgram: "the API", models.FromModel: "the agent", models.FromTool: "a tool's answer",
	models.FromWeb: "a web page", models.FromFile: "an uploaded file", models.FromChannel: "a message from outside"}

var originIcons = map[models.Origin]ui.Icon{models.FromPerson: ui.IconUser, models.FromProgram: ui.IconCode, models.FromModel: ui.IconBot, models.FromTool: ui.IconWrench,
	models.FromWeb: ui.IconGlobe, models.FromFile: ui.IconPaperclip, models.FromChannel: ui.IconInbox}

func tierOptions(all string) []ui.Option {
	out := []ui.Option{}
	if all != "" {
		out = append(out, ui.Option{Text: all})
	}
	for _, t := range models.MemoryTiers {
		o := ui.Option{Value: string(t), Text: tierWords[t]}
		if all == "" {
			o.Text += ": " + tierNotes[t]
		}
		out = append(out, o)
	}
	return out
}

// categories are the words that a tier knows; the episodic one takes any.
func categories(tier models.MemoryTier) []string {
	switch tier {
	case models.SemanticMemory:
		return models.MemoryCategories
	case models.WorkingMemory:
		return models.EntryTypes
	}
	return nil
}

func categoryOptions() []ui.Option {
	out := []ui.Option{{Text: "Any category"}}
	for _, c := range all() {
		out = append(out, ui.Option{Value: c, Text: words(c)})
	}
	return out
}

func all() []string {
	out := slices.Clone(models.MemoryCategories)
	for _, c := range models.EntryTypes {
		if !slices.Contains(out, c) {
			out = append(out, c)
		}
	}
	return append(out, "event")
}

func originOptions() []ui.Option {
	out := []ui.Option{{Text: "Any source"}}
	for _, o := range models.Origins {
		out = append(out, ui.Option{Value: string(o), Text: "From " + originWords[o]})
	}
	return out
}

func sessionOptions(rows []models.Session) []ui.Option {
	out := []ui.Option{{Text: "None"}}
	for _, s := range rows {
		out = append(out, ui.Option{Value: s.ID, Text: s.Title})
	}
	return out
}

// written is where a memory, or what was to be one, comes from.
type written struct {
	origin models.Origin
	note   string
	turn   *string
	at     time.Time
}

func ofMemory(m *models.Memory, at time.Time) written {
	return written{m.Origin, m.OriginNote, m.TurnID, at}
}

func ofVersion(v *models.MemoryVersion) written {
	return written{v.Origin, v.OriginNote, v.TurnID, v.CreatedAt}
}

// source is the conversation that it was written in; nil for none, and for one that is gone.
func (w written) source(sources map[string]Source) *Source {
	if w.turn == nil || sources[*w.turn].SessionID == "" {
		return nil
	}
	s := sources[*w.turn]
	return &s
}

// words makes a name of the wire readable.
func words(s string) string { return strings.ReplaceAll(s, "_", " ") }

// name is what a memory is called in a list.
func name(tier models.MemoryTier, key, category string) string {
	if tier == models.SemanticMemory {
		return key
	}
	return words(category)
}

// short is the beginning of a text, for a line.
func short(s string) string {
	if r := []rune(s); len(r) > 400 {
		return string(r[:400]) + "…"
	}
	return s
}

func noted(note string) string {
	if note == "" {
		return ""
	}
	return " (" + note + ")"
}

// turnHref leads to the turn in its conversation.
func turnHref(s Source, turn string) string { return "/chat/" + s.SessionID + "#turn-" + turn }

// Address is the list's with a filter.
func Address(i *models.Instance, f models.MemoryFilter, offset int) string {
	v := url.Values{}
	for name, value := range map[string]string{"q": f.Query, "tier": string(f.Tier), "category": f.Category, "source": string(f.Origin)} {
		if value != "" {
			v.Set(name, value)
		}
	}
	if offset > 0 {
		v.Set("offset", strconv.Itoa(offset))
	}
	if len(v) == 0 {
		return path(i, "")
	}
	return path(i, "?"+v.Encode())
}

var actWords = map[models.MemoryAct]string{models.WriteMemory: "Written", models.DeleteMemory: "Deleted", models.RestoreMemory: "Restored"}

func acted(v *models.MemoryVersion) string {
	switch {
	case v.State == models.VersionRejected:
		return "Rejected by " + v.DecidedBy
	case v.DecidedBy != "":
		return "Accepted by " + v.DecidedBy
	case v.MadeBy != "":
		return actWords[v.Act] + " by " + v.MadeBy
	}
	return actWords[v.Act]
}

func weight(m *models.Memory) string {
	out := "importance " + strconv.Itoa(m.Importance)
	if m.Confidence < 1 {
		out += " · " + strconv.Itoa(int(m.Confidence*100)) + " % sure"
	}
	return out
}

func plain(values []string) []ui.Option {
	out := []ui.Option{}
	for _, v := range values {
		out = append(out, ui.Option{Value: v, Text: words(v)})
	}
	return out
}
