package app

import (
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
	models.EmailChannel:    "A mailbox: letters are answered from its address.",
}

// Index lists them for an instance.
func (h *Channels) Index(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	rows, err := c.Scope.Channels(c, i.ID)
	if err != nil {
		return nil, err
	}
	bindings, err := c.Scope.Bindings(c, i.ID)
	p := channels.IndexProps{Frame: c.frame("Channels of "+i.Name, "/instances", ""), Instance: i, BaseURL: h.PublicURL}
	for _, kind := range h.App.Channels.Kinds() {
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
	return page(channels.Index(p)), err
}

// Show is one of them.
func (h *Channels) Show(c *Ctx) (Reply, error) {
	p, err := h.props(c)
	if err != nil {
		return nil, err
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
	s, err := h.App.Channels.Service(kind)
	if err != nil {
		return nil, err
	}
	p := &channels.ShowProps{Frame: c.frame(kind.Title()+" of "+i.Name, "/instances", ""), Instance: i, Kind: kind, MayEdit: c.Principal.May(models.CanEditSettings), Steps: channelSteps[kind], BaseURL: h.PublicURL}
	ch, err := c.Scope.ChannelOf(c, i.ID, kind)
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	p.Channel = ch
	h.fields(p, s)
	if ch == nil {
		return p, nil
	}
	if p.Dead, err = c.Scope.Deliveries(c, models.DeliveryFilter{Target: ch.ID, State: models.DeliveryDead, Limit: 100}); err != nil {
		return nil, err
	}
	return p, h.linked(c, p)
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
		p.Fields = append(p.Fields, channels.Field{Name: f.Name, Label: f.Label, Hint: f.Hint, Value: shown[f.Name], Secret: f.Secret, Required: f.Required, Set: p.Channel != nil, Options: f.Options})
	}
	_, told := s.(service.Hooked)
	if p.Channel != nil && p.MayEdit && !told && (listener == nil || !p.Channel.Listens) {
		p.Hook = h.App.Channels.Hook(p.Channel)
	}
}

func (h *Channels) linked(c *Ctx, p *channels.ShowProps) error {
	bindings, err := c.Scope.Bindings(c, p.Instance.ID)
	if err != nil {
		return err
	}
	team, err := c.Scope.Members(c)
	names := map[string]string{}
	for _, m := range team {
		names[m.User.ID] = m.User.Name
	}
	for _, b := range bindings {
		if b.ChannelID != p.Channel.ID {
			continue
		}
		one := channels.Binding{ChannelBinding: b, Person: names[b.UserID], Mine: b.UserID == c.Principal.User.ID}
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
