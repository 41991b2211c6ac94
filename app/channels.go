package app

import (
	"context"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/views/channels"
)

// Channels are the services by which people reach an agent: their pages.
type Channels struct{ *App }

// channelSays is what each is for.
var channelSays = map[models.ChannelKind]string{
	models.TelegramChannel: "A bot that people write to, alone or in groups.",
	models.DiscordChannel:  "A bot in your servers, and in direct messages.",
	models.SlackChannel:    "An app in your workspace, and in direct messages.",
	models.WhatsAppChannel: "A business number on WhatsApp's Cloud API.",
	models.EmailChannel:    "A mailbox: emails are answered from its address.",
}

// Index lists them for an instance.
func (h *Channels) Index(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	p, err := h.channelList(c, c.Scope, i)
	p.Frame = c.frame("Channels of "+i.Name, "/instances", "/live/instances/"+i.ID+"/channels")
	return page(channels.Index(p)), err
}

// channelList is what the list shows, and its stream.
func (a *App) channelList(ctx context.Context, sc *models.Scope, i *models.Instance) (channels.IndexProps, error) {
	p := channels.IndexProps{Instance: i, BaseURL: a.PublicURL}
	rows, err := sc.Channels(ctx, i.ID)
	if err != nil {
		return p, err
	}
	bindings, err := sc.Bindings(ctx, i.ID)
	for _, kind := range a.Channels.Kinds() {
		r := channels.Row{Kind: kind, Says: channelSays[kind]}
		for n := range rows {
			if rows[n].Kind == kind {
				r.Channel = &rows[n]
			}
		}
		for _, b := range bindings {
			if b.Kind == kind {
				r.Linked++
			}
		}
		p.Rows = append(p.Rows, r)
	}
	return p, err
}

// Show is one of them.
func (h *Channels) Show(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	if o := c.shownOnce(); o.Value != "" {
		p.Code, p.Expires = o.Value, o.Until
		p.Frame.LiveURL += "?code=shown"
	}
	return page(channels.Show(*p)), nil
}

// props reads what is shown of the path's instance and kind.
func (h *Channels) props(c *Ctx) (*channels.ShowProps, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	return h.propsOf(c, i, models.ChannelKind(c.Param("kind")))
}

func (h *Channels) propsOf(c *Ctx, i *models.Instance, kind models.ChannelKind) (*channels.ShowProps, error) {
	p, err := h.channelProps(c, c.Scope, c.Principal, i, kind)
	if err != nil {
		return nil, err
	}
	p.Frame = c.frame(kind.Title()+" of "+i.Name, "/instances", "/live/instances/"+i.ID+"/channels/"+string(kind))
	p.Steps, p.BaseURL = channelSteps[kind], h.PublicURL
	s, err := h.App.Channels.Service(kind)
	if err == nil {
		h.fields(p, s)
	}
	return p, err
}

// channelProps is how an account stands: what its page shows, and its stream.
func (a *App) channelProps(ctx context.Context, sc *models.Scope, who *models.Principal, i *models.Instance, kind models.ChannelKind) (*channels.ShowProps, error) {
	if _, err := a.Channels.Service(kind); err != nil {
		return nil, err
	}
	p := &channels.ShowProps{Instance: i, Kind: kind, MayEdit: who.May(models.CanEditSettings)}
	ch, err := sc.ChannelOf(ctx, i.ID, kind)
	if fault.Is(err, fault.NotFound) {
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.Channel = ch
	if p.Dead, err = sc.Deliveries(ctx, models.DeliveryFilter{Target: ch.ID, State: models.DeliveryDead, Limit: 100}); err != nil {
		return nil, err
	}
	return p, linked(ctx, sc, who, p)
}

// fields are what is asked for; a secret is never given back.
func (h *Channels) fields(p *channels.ShowProps, s service.Service) {
	shown := map[string]string{}
	if p.Channel != nil {
		shown = p.Channel.Shown()
	}
	listener, _ := s.(service.Listener)
	for _, f := range s.Fields() {
		if f.Generate {
			if v := shown[f.Name]; v != "" && p.MayEdit { // to be passed on to the service
				p.Hooked, p.HookValue = f.Label, v
			}
			continue
		}
		if f.Proof {
			p.Proofs = append(p.Proofs, f.Label)
		}
		p.Fields = append(p.Fields, channels.Field{Name: f.Name, Label: f.Label, Hint: f.Hint, Value: shown[f.Name], Secret: f.Secret, Required: f.Required, Set: p.Channel != nil, Options: f.Options})
	}
	_, told := s.(service.Hooked)
	if p.Channel != nil && p.MayEdit && !told && (listener == nil || !p.Channel.Listens) {
		p.Hook = h.App.Channels.Hook(p.Channel)
	}
}

// linked are those who are, with their roles.
func linked(ctx context.Context, sc *models.Scope, who *models.Principal, p *channels.ShowProps) error {
	bindings, err := sc.Bindings(ctx, p.Instance.ID)
	if err != nil {
		return err
	}
	team, err := sc.Members(ctx)
	people := map[string]models.TeamMember{}
	for _, m := range team {
		people[m.User.ID] = m
	}
	for _, b := range bindings {
		if b.ChannelID != p.Channel.ID {
			continue
		}
		m := people[b.UserID]
		one := channels.Binding{ChannelBinding: b, Person: m.User.Name, Role: m.Membership.Role, Mine: b.UserID == who.User.ID}
		if one.Mine {
			p.Mine = &b
		}
		p.Bindings = append(p.Bindings, one)
	}
	return err
}

// Create connects an account: it is asked of its service before anything is kept.
func (h *Channels) Create(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	given := map[string]secret.String{}
	for n := range p.Fields {
		one := &p.Fields[n]
		text := f.Text(one.Name)
		given[one.Name] = secret.Of(text)
		if !one.Secret {
			one.Value = text
		}
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	_, err = h.App.Channels.Connect(c, c.Scope, p.Instance.ID, p.Kind, given)
	if errs, ok := invalid(err); ok {
		for n := range p.Fields {
			p.Fields[n].Error = errs[p.Fields[n].Name]
		}
		p.Error = errs[""]
		return page(channels.Show(*p)).with(422), nil
	}
	if fault.Is(err, fault.Unclear) {
		p.Error = sentence(fault.As(err))
		return page(channels.Show(*p)).with(422), nil
	}
	if err != nil {
		return nil, err
	}
	return redirect(channelPath(p.Instance.ID, p.Kind)).say("ok", p.Kind.Title()+" answered: it is being connected"), nil
}

func channelPath(instance string, kind models.ChannelKind) string {
	return "/instances/" + instance + "/channels/" + string(kind)
}
