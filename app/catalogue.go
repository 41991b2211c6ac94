package app

import (
	"math"
	"strconv"
	"strings"

	"lobstead/api/wire"
	"lobstead/engine/llm"
	"lobstead/engine/llm/door"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/settings"
)

// Catalogue is the list of models that answer or could, with staff's own say on each.
type Catalogue struct{ *App }

// Index lists them.
func (h *Catalogue) Index(c *Ctx) (Reply, error) { return h.show(c, settings.CatalogueForm{}, 200) }

func (h *Catalogue) show(c *Ctx, form settings.CatalogueForm, status int) (Reply, error) {
	all, err := h.Door.Catalogue(c, c.Scope)
	if err != nil {
		return nil, err
	}
	p := settings.CatalogueProps{Frame: c.frame("Catalogue of models", "/settings", ""), Text: c.Query("q"), Staff: c.Principal.User.Staff && c.Principal.SignInID != "", Form: form}
	p.Source, p.Made = llm.CatalogSource()
	words := strings.ToLower(strings.TrimSpace(p.Text))
	for _, l := range all {
		if p.Form.Model == "" && l.Kind+"/"+l.ID == c.Query("edit") {
			if p.Form, err = h.form(c, &l); err != nil {
				return nil, err
			}
		}
		if strings.Contains(strings.ToLower(l.Kind+" "+l.Service+" "+l.ID+" "+l.Name+" "+string(l.Tier)), words) {
			p.Models = append(p.Models, listedModel(&l))
		}
	}
	return page(settings.Catalogue(p)).with(status), nil
}

func listedModel(l *door.Listed) settings.CatalogueModel {
	return settings.CatalogueModel{Kind: l.Kind, Service: l.Service, ID: l.ID, Name: l.Name, Context: l.Context, Tier: string(l.Tier), Input: l.Input, Output: l.Output,
		Priced: l.Priced, Free: l.Free, Tools: l.Tools, Images: l.Images, Default: l.Default, Edited: l.Edited, Resting: l.Resting, Trial: l.Trial}
}

// form is what staff has said of a model so far.
func (h *Catalogue) form(c *Ctx, l *door.Listed) (settings.CatalogueForm, error) {
	f := settings.CatalogueForm{Kind: l.Kind, Model: l.ID}
	edits, err := c.Scope.CatalogueEdits(c)
	for _, e := range edits {
		if e.Provider != l.Kind || e.Model != strings.ToLower(l.ID) {
			continue
		}
		f.Tier = e.Tier
		if e.Input != nil && e.Output != nil {
			f.Input, f.Output = strings.TrimPrefix(settings.PerMillion(*e.Input), "$"), strings.TrimPrefix(settings.PerMillion(*e.Output), "$")
		}
		if e.Context != nil {
			f.Context = strconv.Itoa(*e.Context)
		}
	}
	return f, err
}

// Update keeps or takes back staff's say on one model.
func (h *Catalogue) Update(c *Ctx) (Reply, error) {
	a, err := c.staffAct("save", "restore")
	if a.fields == nil {
		return nil, err
	}
	form, e := readCatalogueEdit(a.fields)
	form.Reason = a.reason
	if err = a.fields.Err(); err == nil {
		system := h.Store.AsSystem("an act of staff on the catalogue")
		if a.name == "restore" {
			err = system.ForgetCatalogueEdit(c, a.by, e.Provider, e.Model)
		} else {
			err = system.EditCatalogue(c, a.by, e)
		}
	}
	if fault.Is(err, fault.NotFound) {
		err = nil // nothing was said: the catalogue speaks already
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		form.Errors = errs
		return h.show(c, form, 422)
	}
	if err != nil {
		return nil, err
	}
	h.Door.Forget(c.Org())
	return redirect(settings.CataloguePath).say("ok", "What is known of "+e.Model+" is changed"), nil
}

func readCatalogueEdit(f *wire.Fields) (settings.CatalogueForm, models.CatalogueEdit) {
	form := settings.CatalogueForm{Kind: f.Text("kind"), Model: f.Text("model"), Input: f.Text("input"), Output: f.Text("output"), Context: f.Text("context"), Tier: f.Text("tier")}
	e := models.CatalogueEdit{Provider: form.Kind, Model: form.Model, Tier: form.Tier, Input: readPrice(f, "input", form.Input), Output: readPrice(f, "output", form.Output)}
	if form.Context != "" {
		n, ok := figureTyped(form.Context)
		if tokens := int(n); ok && n == math.Trunc(n) && n <= math.MaxInt32 {
			e.Context = &tokens
		} else {
			f.Issues.Custom("context", "This is not a whole number")
		}
	}
	return form, e
}

// readPrice reads dollars for a million tokens; nil for nothing.
func readPrice(f *wire.Fields, name, text string) *int64 {
	if text == "" {
		return nil
	}
	n, ok := figureTyped(text)
	if !ok || n < 0 || n > 1e9 {
		f.Issues.Custom(name, "This is no price; write 1.25")
		return nil
	}
	micro := int64(math.Round(n * 1e6))
	return &micro
}
