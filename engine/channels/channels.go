// Package channels lets people reach agents from other services, and agents answer them there. It owns who an account is, when it is
// connected and by whom it is listened to, what is done with what comes in, and how what goes out is cut and sent. Rows, rights and
// order are models'; the protocols are those of the packages below it. What comes in is kept before it is acknowledged, and what goes
// out is a delivery of the outbox: so nothing is lost, and what a service repeats is told.
package channels

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"net/http"
	"slices"
	"strings"

	"lobstead/engine/agent"
	"lobstead/engine/channels/service"
	"lobstead/kit/events"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// Desk is where every edge asks for channels.
type Desk struct {
	Store    *models.Store
	Bus      *events.Bus
	Turns    *agent.Turns
	Services map[models.ChannelKind]service.Service
	Client   *http.Client                  // guarded
	Near     *http.Client                  // for services whose address the operator gave: it may be inside the network; nil = Client
	Dial     service.Dialer                // guarded
	BaseURLs map[models.ChannelKind]string // instead of the services' own addresses
	Public   string                        // where services reach us: scheme and host
	Log      *slog.Logger
}

// topic tells every keeper that an account was changed.
const topic = "channels"

// Kinds lists the services that there are, in reading order.
func (d *Desk) Kinds() []models.ChannelKind {
	return slices.DeleteFunc(slices.Clone(models.ChannelKinds), func(k models.ChannelKind) bool { return d.Services[k] == nil })
}

// Service gives one; NotFound for a kind that there is none of.
func (d *Desk) Service(kind models.ChannelKind) (service.Service, error) {
	s := d.Services[kind]
	if s == nil {
		return nil, fault.NotFoundf("channel")
	}
	return s, nil
}

// Hook is the address that an account's service is to call.
func (d *Desk) Hook(ch *models.Channel) string { return d.Public + "/v1/webhooks/channels/" + ch.ID }

// Account opens an account for its service.
func (d *Desk) Account(ch *models.Channel) (service.Account, error) {
	values, err := d.Store.ChannelValues(ch)
	return d.account(ch.ID, ch.Kind, values), err
}

func (d *Desk) account(id string, kind models.ChannelKind, values map[string]secret.String) service.Account {
	a := service.Account{ID: id, Values: values, Client: d.Client, Dial: d.Dial, BaseURL: d.BaseURLs[kind]}
	if a.BaseURL != "" && d.Near != nil {
		a.Client = d.Near
	}
	return a
}

// hookField is the value by which a service's calls name their account.
const hookField = "webhook_secret"

// Connect takes an account up: what was given is checked, asked of the service itself, and written for a worker to connect. A value that is
// left out stays as it was. The faults name the fields; those of the service say what it said.
func (d *Desk) Connect(ctx context.Context, sc *models.Scope, instanceID string, kind models.ChannelKind, given map[string]secret.String) (*models.Channel, error) {
	return d.connect(ctx, sc, instanceID, kind, given, true)
}

// Adopt is Connect without asking the service first: a worker does, and the account's state tells.
func (d *Desk) Adopt(ctx context.Context, sc *models.Scope, instanceID string, kind models.ChannelKind, given map[string]secret.String) (*models.Channel, error) {
	return d.connect(ctx, sc, instanceID, kind, given, false)
}

// Vet judges what Adopt would be given, and writes nothing; instanceID is "" for an instance that is still to be made.
func (d *Desk) Vet(ctx context.Context, sc *models.Scope, instanceID string, kind models.ChannelKind, given map[string]secret.String) error {
	s, err := d.Service(kind)
	if err == nil {
		_, err = d.values(ctx, sc, instanceID, kind, s, given)
	}
	return err
}

func (d *Desk) connect(ctx context.Context, sc *models.Scope, instanceID string, kind models.ChannelKind, given map[string]secret.String, ask bool) (*models.Channel, error) {
	s, err := d.Service(kind)
	if err != nil {
		return nil, err
	}
	values, err := d.values(ctx, sc, instanceID, kind, s, given)
	if err != nil {
		return nil, err
	}
	if ask {
		if _, err := s.Check(ctx, d.account("", kind, values)); err != nil {
			return nil, refusedBy(kind, err)
		}
	}
	n := models.NewChannel{InstanceID: instanceID, Kind: kind, Settings: map[string]string{}, Secrets: map[string]secret.String{}, HookSecret: values[hookField]}
	for _, f := range s.Fields() {
		if v := values[f.Name]; f.Secret {
			n.Secrets[f.Name] = v
		} else if !v.Empty() {
			n.Settings[f.Name] = v.Reveal()
		}
	}
	ch, err := sc.ConnectChannel(ctx, n)
	if err == nil {
		d.changed(ctx, sc.Org, ch.ID)
	}
	return ch, err
}

// refusedBy keeps a service's refusal from looking like one of ours: its words are for the form.
func refusedBy(kind models.ChannelKind, err error) error {
	f := fault.As(err)
	if f.Kind == fault.Internal || len(f.Fields) > 0 {
		return err
	}
	return fault.Wrap(err, fault.Unclear, "channel.refused", "%s", kind.Title()+" says: "+f.Detail).Hinting(f.Hint)
}

// values are what an account has from now on: what was given, else what there was, else what we make.
func (d *Desk) values(ctx context.Context, sc *models.Scope, instanceID string, kind models.ChannelKind, s service.Service, given map[string]secret.String) (map[string]secret.String, error) {
	was := map[string]secret.String{}
	old, err := sc.ChannelOf(ctx, instanceID, kind)
	switch {
	case err == nil:
		if was, err = d.Store.ChannelValues(old); err != nil {
			return nil, err
		}
	case !fault.Is(err, fault.NotFound):
		return nil, err
	}
	out, is := map[string]secret.String{}, fault.Issues{}
	proof, proved := false, false
	for _, f := range s.Fields() {
		v := was[f.Name]
		if g, ok := given[f.Name]; ok && (!g.Empty() || !f.Secret) {
			v = secret.Of(strings.TrimSpace(g.Reveal()))
		}
		if v.Empty() && f.Generate {
			v = secret.Of(random())
		}
		checkField(&is, f, v)
		proof, proved = proof || f.Proof, proved || f.Proof && !v.Empty()
		out[f.Name] = v
	}
	if proof && !proved && len(is) == 0 {
		is.Custom("", "Without what proves that a message is the service's the channel cannot be enabled")
	}
	return out, is.Err()
}

func checkField(is *fault.Issues, f service.Field, v secret.String) {
	most := f.Max
	if most == 0 {
		most = 500
	}
	models.CheckText(is, f.Name, v.Reveal(), most)
	switch {
	case f.Required && v.Empty():
		is.Custom(f.Name, f.Label+" is needed")
	case !v.Empty() && len(f.Options) > 0 && !slices.Contains(f.Options, v.Reveal()):
		is.NotOneOf(f.Name, v.Reveal(), f.Options...)
	}
}

func random() string {
	b := make([]byte, 24)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

// Switch switches an account off or on.
func (d *Desk) Switch(ctx context.Context, sc *models.Scope, channelID string, on bool) (*models.Channel, error) {
	ch, err := sc.SwitchChannel(ctx, channelID, on)
	if err != nil {
		return nil, err
	}
	d.changed(ctx, sc.Org, ch.ID)
	if !on {
		d.unhook(ctx, ch)
	}
	return ch, nil
}

// Disconnect forgets an account.
func (d *Desk) Disconnect(ctx context.Context, sc *models.Scope, channelID string) error {
	ch, err := sc.DisconnectChannel(ctx, channelID)
	if err != nil {
		return err
	}
	d.changed(ctx, sc.Org, ch.ID)
	d.unhook(ctx, ch)
	return nil
}

// unhook asks a service to call no more; that it does is no harm: nobody answers.
func (d *Desk) unhook(ctx context.Context, ch *models.Channel) {
	h, ok := d.Services[ch.Kind].(service.Hooked)
	if !ok {
		return
	}
	a, err := d.Account(ch)
	if err == nil {
		err = h.Unhook(ctx, a)
	}
	if err != nil {
		d.Log.InfoContext(ctx, "a service was not told to call no more", "channel", ch.ID, "kind", ch.Kind, "error", err)
	}
}

// Try asks an account's service anew, and gives who it is there.
func (d *Desk) Try(ctx context.Context, sc *models.Scope, channelID string) (service.Profile, error) {
	ch, err := sc.Channel(ctx, channelID)
	if err != nil {
		return service.Profile{}, err
	}
	s, err := d.Service(ch.Kind)
	if err != nil {
		return service.Profile{}, err
	}
	a, err := d.Account(ch)
	if err != nil {
		return service.Profile{}, err
	}
	p, err := s.Check(ctx, a)
	if err != nil {
		return p, refusedBy(ch.Kind, err)
	}
	return p, nil
}

// changed tells the keepers of an account that it was changed, and who watches its organization.
func (d *Desk) changed(ctx context.Context, org, channelID string) {
	d.Bus.Publish(ctx, topic, []byte(channelID))
	d.Bus.Publish(ctx, agent.OrgTopic(org), nil)
}
