package admin

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// Where the pages are.
const (
	HealthPath        = "/admin"
	UsersPath         = "/admin/users"
	OrganizationsPath = "/admin/organizations"
	InstancesPath     = "/admin/instances"
	JobsPath          = "/admin/jobs"
	DeliveriesPath    = "/admin/deliveries"
	FlagsPath         = "/admin/flags"
	PlansPath         = "/admin/plans"
	ModelsPath        = "/admin/models"
	AuditPath         = "/admin/audit"
	BackupsPath       = "/admin/backups"
)

// tabs of the back office, in order.
var tabs = []ui.TabItem{
	{Text: "Health", Href: HealthPath}, {Text: "Users", Href: UsersPath}, {Text: "Organizations", Href: OrganizationsPath},
	{Text: "Instances", Href: InstancesPath}, {Text: "Jobs", Href: JobsPath}, {Text: "Deliveries", Href: DeliveriesPath}, {Text: "Flags", Href: FlagsPath}, {Text: "Plans", Href: PlansPath},
	{Text: "Models", Href: ModelsPath}, {Text: "Sign-in", Href: signInPath}, {Text: "Audit", Href: AuditPath}, {Text: "Backups", Href: BackupsPath},
}

func tabsAt(current string) []ui.TabItem {
	out := slices.Clone(tabs)
	for i := range out {
		out[i].Current = out[i].Href == current
	}
	return out
}

// Form is what came back of an act that was refused; zero for a fresh form.
type Form struct {
	Act    string            // what was asked
	Values map[string]string // what was typed
	Errors map[string]string // by field; "" = of the whole
}

// of gives the form when it came back from one of the acts, else a fresh one.
func (f Form) of(acts ...string) Form {
	if slices.Contains(acts, f.Act) {
		return f
	}
	return Form{}
}

// Act is one button of a form.
type Act struct {
	Value, Text string
	Icon        ui.Icon
	Danger      bool
}

// ActsProps is a form with one reason and the buttons that it may stand for.
type ActsProps struct {
	ID, Action string // ID prefixes the ids of the fields
	Hint       string // what happens
	Acts       []Act
	Hidden     map[string]string
	Form       Form
}

// Search is what stands in the search form of a list.
type Search struct {
	Path, Text   string
	Placeholder  string
	Name         string // of the select, "" for none
	Label        string // of the select
	Choice       string
	Choices      []ui.Option
	Also         []Choice // further selects
	Before, Next string   // ids: where this page begins, and the next one
}

// Choice is a further select of a search; one without Options is only kept, and shown as its Text.
type Choice struct {
	Name, Label string
	Value, Text string
	Options     []ui.Option
}

func (s Search) address(before string) string {
	v := url.Values{}
	for k, text := range map[string]string{"q": s.Text, s.Name: s.Choice, "before": before} {
		if k != "" && text != "" {
			v.Set(k, text)
		}
	}
	for _, c := range s.Also {
		if c.Value != "" {
			v.Set(c.Name, c.Value)
		}
	}
	if len(v) == 0 {
		return s.Path
	}
	return s.Path + "?" + v.Encode()
}

func (s Search) newest() string {
	if s.Before == "" {
		return ""
	}
	return s.address("")
}

func (s Search) older() string {
	if s.Next == "" {
		return ""
	}
	return s.address(s.Next)
}

func (s Search) narrowed() bool {
	return s.Text != "" || s.Choice != "" || slices.ContainsFunc(s.Also, func(c Choice) bool { return c.Value != "" })
}

// AuditFilter is what was typed.
type AuditFilter struct{ Text, Act, Since, Until string }

// AuditProps is a part of a chain.
type AuditProps struct {
	Frame   layout.FrameProps
	Chain   string // "installation" or an organization
	Name    string // of the organization
	Filter  AuditFilter
	Entries []models.AuditEntry
	Before  int64                // where this page begins, 0 for the first
	Next    int64                // where the next one begins, 0 for none
	Reports []models.AuditReport // when verification was asked for
	Names   map[string]string    // of the organizations in them
}

// path gives an address with the filter kept; more are further names and values.
func (p AuditProps) path(below string, more ...string) string {
	v := url.Values{}
	for k, s := range map[string]string{"chain": p.Chain, "q": p.Filter.Text, "act": p.Filter.Act, "since": p.Filter.Since, "until": p.Filter.Until} {
		if s != "" && s != models.InstallationChain {
			v.Set(k, s)
		}
	}
	for i := 0; i+1 < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	if len(v) == 0 {
		return AuditPath + below
	}
	return AuditPath + below + "?" + v.Encode()
}

func (p AuditProps) newest() string {
	if p.Before == 0 {
		return ""
	}
	return p.path("")
}

func (p AuditProps) older() string {
	if p.Next == 0 {
		return ""
	}
	return p.path("", "before", strconv.FormatInt(p.Next, 10))
}

func (p AuditProps) chainName(chain string) string {
	if chain == models.InstallationChain {
		return "Installation"
	}
	if n := p.Names[chain]; n != "" {
		return n
	}
	return chain
}

// chainPath is where a chain is shown.
func chainPath(chain string) string {
	if chain == models.InstallationChain {
		return AuditPath
	}
	return AuditPath + "?chain=" + url.QueryEscape(chain)
}

// actorWords says what kind of actor it was, and from where: "staff, 127.0.0.1".
func actorWords(e *models.AuditEntry) string {
	if e.Address == "" {
		return string(e.ActorKind)
	}
	return string(e.ActorKind) + ", " + e.Address
}

// node is the process of a lease's owner, without the number of the try.
func node(owner string) string {
	if at := strings.LastIndexByte(owner, '/'); at > 0 {
		return owner[:at]
	}
	return owner
}

// isolation says how many of the layers hold.
func isolation(i *models.Instance) string {
	all := i.Layers()
	if len(all) == 0 {
		return "none seen yet"
	}
	n := 0
	for _, l := range all {
		if l.Applied {
			n++
		}
	}
	return strconv.Itoa(n) + " of " + ui.Plural(len(all), "layer", "layers")
}
