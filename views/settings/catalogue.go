package settings

import (
	"math"
	"net/url"
	"strconv"
	"strings"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// CatalogueProps is /settings/models/catalogue?q=&edit=. Posts to itself, from staff: kind, model, input, output, context,
// tier, reason, act (save or restore).
type CatalogueProps struct {
	Frame        layout.FrameProps
	Models       []CatalogueModel
	Text         string
	Source, Made string // of the prices: where from, and the date
	Staff        bool
	Form         CatalogueForm
}

// CatalogueModel is one model that answers, or could.
type CatalogueModel struct {
	Kind, Service, ID, Name     string
	Context                     int
	Tier                        string
	Input, Output               int64 // micro-dollars for one million tokens, when Priced
	Priced, Free, Tools, Images bool
	Default, Edited             bool
	Resting, Trial              bool
}

// CatalogueForm is what staff says of one model; Model "" = nothing is edited.
type CatalogueForm struct {
	Kind, Model, Input, Output, Context, Tier, Reason string
	Errors                                            map[string]string
}

func (m *CatalogueModel) key() string { return m.Kind + "/" + m.ID }

// EditHref is the page with the form of one model.
func (p CatalogueProps) EditHref(m *CatalogueModel) string {
	v := url.Values{"edit": {m.key()}}
	if p.Text != "" {
		v.Set("q", p.Text)
	}
	return CataloguePath + "?" + v.Encode() + "#edit"
}

// PerMillion writes a price: micro-dollars for one million tokens as "$1.25".
func PerMillion(micro int64) string {
	text := strconv.FormatFloat(float64(micro)/1e6, 'f', -1, 64)
	if at := strings.IndexByte(text, '.'); at < 0 {
		text += ".00"
	} else if len(text)-at == 2 {
		text += "0"
	}
	return "$" + text
}

func (m *CatalogueModel) window() string {
	switch {
	case m.Context == 0:
		return "—"
	case m.Context >= 1_000_000:
		return strconv.FormatFloat(math.Round(float64(m.Context)/1e4)/100, 'f', -1, 64) + "M"
	}
	return ui.Thousands(m.Context/1000) + "k"
}

func (m *CatalogueModel) health() (ui.Kind, string) {
	switch {
	case m.Service == "":
		return ui.Off, "Not connected"
	case m.Resting:
		return ui.Bad, "Resting"
	case m.Trial:
		return ui.Warn, "On trial"
	}
	return ui.OK, "Ready"
}

func (p CatalogueProps) sourceText() string {
	return "Prices are dollars for one million tokens, from " + p.Source + " of " + p.Made + ". An administrator's own say goes before it, and what a service tells of its models is added."
}

func tierOptionsOf(first string) []ui.Option {
	out := []ui.Option{{Value: "", Text: first}}
	for _, t := range models.ModelTiers {
		out = append(out, ui.Option{Value: t, Text: strings.ToUpper(t[:1]) + t[1:]})
	}
	return out
}

// RoutingForm is what an organization decides about the choice of models; it posts to /settings/models/routing (shadow,
// hedge_ms, ceiling). Ceiling is the tier that holds now.
type RoutingForm struct {
	Shadow         bool
	Hedge, Ceiling string // as typed
	Holds          string
	Auto, Fixed    int // instances that leave the choice to the router, and that have a model of their own
	Errors         map[string]string
}

// instances says where the router has a say.
func (f RoutingForm) instances() string {
	return ui.Plural(f.Auto, "instance leaves", "instances leave") + " the choice to it, " + ui.Plural(f.Fixed, "has a model of its own", "have models of their own") + "; the others take the default. Each instance's settings say which."
}
