// Package skills owns which tools an instance may use, and how they are configured: the built-in tools in groups that a
// person switches on and off. It runs no tool and knows no model; the turn loop asks it before it offers or runs one.
package skills

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"lobstead/kit/fault"
	"lobstead/models"
)

// Skill is a group of tools that is switched as one.
type Skill struct {
	ID          string
	Name        string
	Description string
	Tools       []string
	Config      []Field // what can be configured
}

// Field is one thing to configure.
type Field struct {
	Key   string
	Label string
	Hint  string
	// read gives the value as it is kept, or what is wrong with it, in a sentence.
	read func(string) (string, error)
}

// Builtin are the skills that every instance has, all of them on until somebody switches one off.
var Builtin = []Skill{
	{ID: "shell", Name: "Shell", Description: "Runs commands in the instance's own sandbox.", Tools: []string{"bash"}},
	{ID: "files", Name: "Files", Description: "Lists, reads, searches, writes and edits the files of its workspace.",
		Tools: []string{"read_file", "write_file", "edit_file", "list_files", "search_files"}},
	{ID: "web", Name: "Web pages", Description: "Reads public web pages, from the server and not from the sandbox.", Tools: []string{"fetch_url"},
		Config: []Field{{Key: AllowedHosts, Label: "Allowed hosts", Hint: "Only pages of these hosts, separated by commas: example.com, *.example.org. Empty: every public host.", read: readHosts}}},
	{ID: "memory", Name: "Memory", Description: "Writes down what it is told to remember, and looks it up.", Tools: []string{"remember", "recall"}},
}

// State is a skill as it stands for one instance.
type State struct {
	Skill
	Enabled    bool
	Configured []string   // the keys that have a value
	UpdatedAt  *time.Time // nil = nobody decided anything
}

func find(name string) (Skill, error) {
	for _, s := range Builtin {
		if s.ID == name {
			return s, nil
		}
	}
	return Skill{}, fault.New(fault.NotFound, "skill.not_found", "There is no skill %q", name)
}

func state(s Skill, row *models.SkillSetting) State {
	if row == nil {
		return State{Skill: s, Enabled: true, Configured: []string{}}
	}
	return State{Skill: s, Enabled: row.Enabled, Configured: row.Keys(), UpdatedAt: &row.UpdatedAt}
}

// List gives every skill of an instance as it stands.
func List(ctx context.Context, sc *models.Scope, instanceID string) ([]State, error) {
	rows, err := sc.SkillSettings(ctx, instanceID)
	if err != nil {
		return nil, err
	}
	out := make([]State, len(Builtin))
	for n, s := range Builtin {
		out[n] = state(s, setting(rows, s.ID))
	}
	return out, nil
}

func setting(rows []models.SkillSetting, skill string) *models.SkillSetting {
	for n := range rows {
		if rows[n].Skill == skill {
			return &rows[n]
		}
	}
	return nil
}

// Switch turns a skill on or off; a running turn obeys with its next step. NotFound for a skill that there is not.
func Switch(ctx context.Context, sc *models.Scope, instanceID, name string, on bool) (State, error) {
	s, err := find(name)
	if err != nil {
		return State{}, err
	}
	row, err := sc.SetSkill(ctx, instanceID, name, models.SkillChange{Enabled: &on})
	return state(s, row), err
}

// Configure sets the values that are named, and takes away those that are empty. It holds while the skill is off, too.
func Configure(ctx context.Context, sc *models.Scope, instanceID, name string, values map[string]string) (State, error) {
	s, err := find(name)
	if err != nil {
		return State{}, err
	}
	if len(s.Config) == 0 {
		return State{}, fault.New(fault.Invalid, "skill.config", "The skill %s takes no configuration", s.ID)
	}
	rows, err := sc.SkillSettings(ctx, instanceID)
	if err != nil {
		return State{}, err
	}
	config := map[string]string{}
	if old := setting(rows, name); old != nil {
		if config, err = sc.SkillConfig(old); err != nil {
			return State{}, err
		}
	}
	if err := s.merge(config, values); err != nil {
		return State{}, err
	}
	row, err := sc.SetSkill(ctx, instanceID, name, models.SkillChange{Config: config})
	return state(s, row), err
}

func (s Skill) merge(config, values map[string]string) error {
	var is fault.Issues
	for _, key := range slices.Sorted(maps.Keys(values)) {
		n := slices.IndexFunc(s.Config, func(f Field) bool { return f.Key == key })
		if n < 0 {
			is.Custom("config", fmt.Sprintf("The skill %s has no setting %q", s.ID, key))
			continue
		}
		v, err := s.Config[n].read(values[key])
		switch {
		case err != nil:
			is.Custom(key, err.Error())
		case v == "":
			delete(config, key)
		default:
			config[key] = v
		}
	}
	return is.Err()
}

// Allowed is what an instance may use now. The zero value allows everything.
type Allowed struct {
	off    map[string]string            // tool → its skill
	config map[string]map[string]string // tool → what is configured
	stamp  string
}

// For reads what an instance may use.
func For(ctx context.Context, sc *models.Scope, instanceID string) (Allowed, error) {
	rows, err := sc.SkillSettings(ctx, instanceID)
	if err != nil {
		return Allowed{}, err
	}
	a := Allowed{off: map[string]string{}, config: map[string]map[string]string{}}
	for n := range rows {
		r := &rows[n]
		s, err := find(r.Skill)
		if err != nil {
			continue // of a version that had more of them
		}
		config, err := sc.SkillConfig(r)
		if err != nil {
			return Allowed{}, err
		}
		for _, tool := range s.Tools {
			a.config[tool] = config
			if !r.Enabled {
				a.off[tool] = s.ID
			}
		}
		a.stamp += fmt.Sprint(r.Skill, r.Enabled, " ")
	}
	return a, nil
}

// Off tells whether a tool is switched off, and by which skill.
func (a Allowed) Off(tool string) (string, bool) {
	s, off := a.off[tool]
	return s, off
}

// Config is what is configured for a tool.
func (a Allowed) Config(tool string) map[string]string { return a.config[tool] }

// Same tells whether two readings offer the same tools.
func (a Allowed) Same(b Allowed) bool { return a.stamp == b.stamp }

// AllowedHosts is the key of the hosts that pages may be read from.
const AllowedHosts = "allowed_hosts"

const maxHosts = 200

// readHosts reads a list of host names, each perhaps for all below it.
func readHosts(text string) (string, error) {
	var out []string
	for _, h := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(", \t\r\n;", r) }) {
		h = strings.ToLower(strings.TrimSuffix(h, "."))
		if !hostName(strings.TrimPrefix(h, "*.")) {
			return "", fmt.Errorf("%q is no host name: write example.com or *.example.com, without https:// and without a path", h)
		}
		if !slices.Contains(out, h) {
			out = append(out, h)
		}
	}
	if len(out) > maxHosts {
		return "", fmt.Errorf("at most %d hosts", maxHosts)
	}
	return strings.Join(out, ","), nil
}

func hostName(h string) bool {
	if h == "" || len(h) > 253 {
		return false
	}
	for label := range strings.SplitSeq(h, ".") {
		if label == "" || len(label) > 63 || strings.Trim(label, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// HostAllowed tells whether a page of a host may be read under a list; an empty list allows every host.
func HostAllowed(list, host string) bool {
	if list == "" {
		return true
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	for h := range strings.SplitSeq(list, ",") {
		below, all := strings.CutPrefix(h, "*.")
		if h == host || all && strings.HasSuffix(host, "."+below) {
			return true
		}
	}
	return false
}
