package app

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"lobstead/api/cloud"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/instances"
)

// Instances are the deployed agents: pages and the cloud API's JSON from the same handlers.
type Instances struct{ *App }

// Index lists them.
func (h *Instances) Index(c *Ctx) (Reply, error) {
	if c.wantsJSON() {
		list, err := h.everywhere(c)
		return data(list), err
	}
	rows, err := c.Scope.Instances(c)
	if err != nil {
		return nil, err
	}
	p, err := h.indexProps(c, c.Scope, c.Principal, filterInstances(rows, c.Query("q")))
	if err != nil {
		return nil, err
	}
	p.Frame, p.Query = c.frame("Instances", "/instances", "/live/instances?after=0"), c.Query("q")
	if p.Query != "" {
		p.Frame.LiveURL = "" // the stream would bring back what was filtered out
	}
	return page(instances.Index(*p)).partial(instances.Rows(*p)), nil
}

func (a *App) indexProps(ctx context.Context, sc *models.Scope, p *models.Principal, rows []models.Instance) (*instances.IndexProps, error) {
	names, err := a.Door.Labels(ctx, sc, rows)
	return &instances.IndexProps{Instances: rows, Models: names, MayCreate: p.May(models.CanCreateInstances), BaseURL: a.PublicURL}, err
}

func filterInstances(rows []models.Instance, q string) []models.Instance {
	if q == "" {
		return rows
	}
	q = strings.ToLower(strings.TrimSpace(q))
	out := []models.Instance{}
	for _, i := range rows {
		if strings.Contains(strings.ToLower(i.Name+" "+i.Region+" "+string(i.Tier)+" "+string(i.State)), q) {
			out = append(out, i)
		}
	}
	return out
}

// everywhere lists the instances of all organizations of a signed-in person, newest first; a key has one.
func (h *Instances) everywhere(c *Ctx) ([]cloud.InstanceListItem, error) {
	places := []models.Principal{*c.Principal}
	if c.Principal.SignInID != "" {
		var err error
		if places, err = h.Store.AsSystem("a person's organizations").OrganizationsOf(c, c.Principal.User.ID); err != nil {
			return nil, err
		}
	}
	out := []cloud.InstanceListItem{}
	for n := range places {
		p := &places[n]
		if !p.May(models.CanView) {
			continue
		}
		sc := h.Store.In(p.Organization.ID).As(p.Actor())
		rows, err := sc.Instances(c)
		if err != nil {
			return nil, err
		}
		list, err := h.listed(sc, &p.Organization, rows)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	if len(places) > 1 {
		slices.SortStableFunc(out, func(a, b cloud.InstanceListItem) int { return cmp.Compare(b.CreatedAt, a.CreatedAt) })
	}
	return out, nil
}

func (h *Instances) listed(sc *models.Scope, o *models.Organization, rows []models.Instance) ([]cloud.InstanceListItem, error) {
	out := make([]cloud.InstanceListItem, len(rows))
	for n := range rows {
		g, err := h.gateway(sc, &rows[n])
		if err != nil {
			return nil, err
		}
		out[n] = cloud.NewInstanceListItem(&rows[n], o, g)
	}
	return out, nil
}

// gateway is where an instance is reached; nil until it runs.
func (a *App) gateway(sc *models.Scope, i *models.Instance) (*cloud.Gateway, error) {
	if i.State != models.Running {
		return nil, nil
	}
	token, err := sc.GatewayToken(i)
	if err != nil {
		return nil, err
	}
	return &cloud.Gateway{URL: a.PublicURL + "/api/gateway/v1", Token: token.Reveal()}, nil
}

// New shows the form.
func (h *Instances) New(c *Ctx) (Reply, error) {
	return h.form(c, models.NewInstance{Region: "local", Tier: models.Starter}, nil, 200)
}

func (h *Instances) form(c *Ctx, n models.NewInstance, errs map[string]string, status int) (Reply, error) {
	plans, err := c.Scope.Plans(c)
	if err != nil {
		return nil, err
	}
	return page(instances.New(instances.NewProps{Frame: c.frame("Deploy instance", "/instances", ""), Name: n.Name, Region: n.Region,
		Tier: string(n.Tier), Errors: errs, Plans: plans, BaseURL: h.PublicURL})).with(status), nil
}

// refused are the faults of a creation that the form tells beside what was typed.
var refused = map[string]bool{"instance.limit": true, "organization.suspended": true}

// Create writes the wish for a new one; the reconciler does the rest.
func (h *Instances) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	n, err := cloud.ReadNewInstance(f)
	var i *models.Instance
	if err == nil {
		i, err = h.create(c, n)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		return h.form(c, n, errs, 422)
	}
	if e := fault.As(err); err != nil && refused[e.Code] && !c.wantsJSON() {
		return h.form(c, n, map[string]string{"": sentence(e)}, statuses[e.Kind])
	}
	if fault.KindOf(err) == fault.Internal && err != nil {
		err = fault.Wrap(err, fault.Internal, "instance.create", "Failed to create instance")
	}
	if err != nil {
		return nil, err
	}
	return redirect("/instances/" + i.ID).json(cloud.NewInstanceCreated(i, nil)).with(201), nil
}

func (h *Instances) create(c *Ctx, n models.NewInstance) (*models.Instance, error) {
	tried, err := c.take("creations "+c.Org(), h.Limits.Creations)
	if err != nil {
		return nil, err
	}
	i, err := h.Desk.Create(c, c.Scope, n)
	if err != nil {
		tried.Undo(c)
	}
	return i, err
}

// Show is one with its history.
func (h *Instances) Show(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	p, err := h.showProps(c, c.Scope, c.Principal, instance)
	if err != nil {
		return nil, err
	}
	if c.wantsJSON() {
		list, err := h.listed(c.Scope, &c.Principal.Organization, []models.Instance{*p.Instance})
		if err != nil {
			return nil, err
		}
		return data(cloud.InstanceDetail{InstanceListItem: list[0], Logs: cloud.NewLogs(p.Logs), Metrics: cloud.NewMetrics(p.Metrics)}), nil
	}
	p.Frame = c.frame(p.Instance.Name, "/instances", "/live/instances/"+instance+"?after=0")
	return h.whole(c, p, 200)
}

// whole is the page of one, with what no stream, program or other page asks of it.
func (h *Instances) whole(c *Ctx, p *instances.ShowProps, status int) (Reply, error) {
	var err error
	if p.Automations, err = automated(c, c.Scope, p.Instance.ID); err != nil {
		return nil, err
	}
	return page(instances.Show(*p)).with(status), nil
}

func (a *App) showProps(ctx context.Context, sc *models.Scope, who *models.Principal, instance string) (*instances.ShowProps, error) {
	i, err := sc.Instance(ctx, instance)
	if err != nil {
		return nil, err
	}
	p := &instances.ShowProps{Instance: i, Isolation: i.Layers(), MayUse: who.May(models.CanUseInstances), MayDelete: who.May(models.CanDeleteInstances),
		MayManageKeys: who.May(models.CanManageProviders), BaseURL: a.PublicURL}
	if p.OwnKey, err = sc.OwnKeyHint(ctx, i); err != nil {
		return nil, err
	}
	if p.Logs, err = sc.Logs(ctx, instance, models.ShownLogs); err != nil {
		return nil, err
	}
	if p.Metrics, err = sc.Metrics(ctx, instance, models.ShownMetrics); err != nil {
		return nil, err
	}
	if p.Steps, err = sc.Steps(ctx, i); err != nil {
		return nil, err
	}
	if p.Sessions, err = sc.Sessions(ctx, models.SessionFilter{InstanceID: instance, Limit: 10}); err != nil {
		return nil, err
	}
	if p.Budgets, err = sc.BudgetsOf(ctx, models.Charge{InstanceID: instance}); err != nil {
		return nil, err
	}
	if p.Plans, err = sc.Plans(ctx); err != nil {
		return nil, err
	}
	profile, err := sc.AgentProfile(ctx, instance)
	if err != nil {
		return nil, err
	}
	p.Profile = *profile
	if p.Waiting, err = sc.QueuedCount(ctx, instance); err != nil {
		return nil, err
	}
	labels, err := a.Door.Labels(ctx, sc, []models.Instance{*i})
	if err != nil {
		return nil, err
	}
	p.Model = labels[i.ID]
	g, err := a.gateway(sc, i)
	if g != nil {
		p.GatewayURL, p.GatewayToken = g.URL, g.Token
	}
	return p, err
}

// Update changes what is said of one.
func (h *Instances) Update(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	change, err := cloud.ReadInstanceChange(f)
	if err == nil && c.family == Pages {
		err = h.formKey(c, f, instance, &change)
	}
	if errs, ok := invalid(err); ok && !c.wantsJSON() {
		return h.again(c, instance, errs, models.ProfileChange{})
	}
	if err != nil {
		return nil, err
	}
	i, err := h.Desk.Update(c, c.Scope, instance, change)
	if err != nil {
		return nil, err
	}
	list, err := h.listed(c.Scope, &c.Principal.Organization, []models.Instance{*i})
	if err != nil {
		return nil, err
	}
	return redirect("/instances/"+i.ID).json(list[0]).say("ok", "Saved"), nil
}

// formKey reads from the page's form a key for the instance alone, or that it is to be forgotten.
func (h *Instances) formKey(c *Ctx, f *wire.Fields, instance string, change *models.InstanceChange) error {
	forget := f.OptionalBool("remove_key")
	if !f.Has("api_key") && (forget == nil || !*forget) {
		return nil
	}
	i, err := c.Scope.Instance(c, instance)
	if err != nil {
		return err
	}
	if change.Model != nil && *change.Model == i.Model { // the form always sends it: nobody chose it for this key
		change.Model = nil
	}
	return c.ownKey(i, secret.Of(f.Text("api_key")), "api_key", change)
}

// again shows the page with what is wrong beside the fields, and with what a form said of the agent's profile.
func (h *Instances) again(c *Ctx, instance string, errs map[string]string, typed models.ProfileChange) (Reply, error) {
	p, err := h.showProps(c, c.Scope, c.Principal, instance)
	if err != nil {
		return nil, err
	}
	typed.Fill(&p.Profile)
	p.Frame, p.Errors = c.frame(p.Instance.Name, "/instances", ""), errs
	return h.whole(c, p, 422)
}

// Delete asks once more, on a page of its own.
func (h *Instances) Delete(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	p, err := h.showProps(c, c.Scope, c.Principal, instance)
	if err != nil {
		return nil, err
	}
	p.Frame = c.frame("Delete "+p.Instance.Name, "/instances", "")
	return page(instances.Delete(*p)), nil
}

// Destroy writes the wish that it be gone. A person types the name first.
func (h *Instances) Destroy(c *Ctx) (Reply, error) {
	instance, err := c.ID("id")
	if err != nil {
		return nil, err
	}
	if c.family == Pages {
		if again, err := h.confirmed(c, instance); again != nil || err != nil {
			return again, err
		}
	}
	if _, err := h.Desk.Delete(c, c.Scope, instance); err != nil {
		return nil, err
	}
	return redirect("/instances").json(cloud.Deleted{Success: true}).say("ok", "The instance is being deleted"), nil
}

// confirmed asks again unless the person typed the name.
func (h *Instances) confirmed(c *Ctx, instance string) (Reply, error) {
	p, err := h.showProps(c, c.Scope, c.Principal, instance)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	if name, _ := f.String("confirm"); name == p.Instance.Name {
		return nil, nil
	}
	p.Frame = c.frame("Delete "+p.Instance.Name, "/instances", "")
	p.Errors = map[string]string{"confirm": "Type the instance's name to delete it"}
	return page(instances.Delete(*p)).with(422), nil
}
