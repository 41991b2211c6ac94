package channels

import (
	"context"
	"encoding/json"
	"io"
	"time"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Receive takes a call of an account's service: its bytes are verified by the service's rules before anything is read. Each event is kept
// before the reply is given; an error means that the service is to call again. admit is asked once the call is proved, before anything is
// kept.
func (d *Desk) Receive(ctx context.Context, ch *models.Channel, r service.Request, admit func() error) (service.Reply, error) {
	s, err := d.Service(ch.Kind)
	if err != nil {
		return service.Reply{}, err
	}
	if ch.State == models.ChannelOff {
		return service.Reply{}, fault.New(fault.Unavailable, "channel.off", "This channel is switched off")
	}
	a, err := d.Account(ch)
	if err != nil {
		return service.Reply{}, err
	}
	got, err := s.Receive(a, r)
	if err != nil {
		return service.Reply{}, err
	}
	if err := admit(); err != nil {
		return service.Reply{}, err
	}
	for n := range got.Events {
		if err := d.hear(ctx, ch, a, &got.Events[n]); err != nil {
			return service.Reply{}, err
		}
	}
	return got.Reply, nil
}

// hear does what an event asks for; nil once it is kept for good.
func (d *Desk) hear(ctx context.Context, ch *models.Channel, a service.Account, e *service.Event) error {
	if e.Sender.Bot || e.ID == "" {
		return nil
	}
	h, err := heard(e)
	if err != nil {
		return err
	}
	sc := d.Store.In(ch.OrganizationID)
	switch e.Kind {
	case service.Pressed:
		return d.press(ctx, sc, ch, h, e)
	case service.Refused:
		err := sc.RefusedByChannel(ctx, ch.ID, e.Message, e.Text, e.At)
		d.Bus.Publish(ctx, orgTopic(ch), nil)
		return err
	case service.Left:
		d.Log.InfoContext(ctx, "an account was shut out of a conversation", "channel", ch.ID, "peer", e.Peer.ID)
		return nil
	}
	if h.Files, err = d.fetch(ctx, sc, ch, a, e); err != nil {
		return err
	}
	out, err := sc.HearChannel(ctx, ch.ID, h)
	if err != nil {
		return err
	}
	d.heard(ctx, sc, ch, a, e, out)
	return nil
}

func heard(e *service.Event) (models.Heard, error) {
	peer, err := json.Marshal(e.Peer)
	return models.Heard{EventID: string(e.Kind) + " " + e.ID, MessageID: e.Message, Peer: string(peer), Direct: e.Peer.Direct, Called: e.Peer.Direct || e.Peer.Called, Edited: e.Kind == service.Edited,
		SenderID: e.Sender.ID, Sender: e.Sender.Name, TeamID: e.Sender.Team, Text: e.Text}, err
}

// heard wakes who has something to do now. What it loses, sweeps find.
func (d *Desk) heard(ctx context.Context, sc *models.Scope, ch *models.Channel, a service.Account, e *service.Event, out models.HearResult) {
	if out.Nameless {
		d.name(ctx, sc, ch, a, e.Sender.ID)
	}
	switch {
	case out.Turn != nil:
		d.Turns.Accepted(ctx, sc.Org, out.Turn.SessionID, out.Turn.ID)
		if out.Interrupt {
			d.Turns.HearStops(ctx, sc, out.Turn.SessionID)
		}
		if err := d.Services[ch.Kind].Typing(ctx, a, e.Peer, e.Message); err != nil {
			d.Log.DebugContext(ctx, "typing was not shown", "channel", ch.ID, "error", err)
		}
	case out.Stop != "":
		if _, err := d.Turns.StopSession(ctx, sc, out.Stop); err != nil {
			d.Log.WarnContext(ctx, "a stop asked for by a channel did not work", "session", out.Stop, "error", err)
		}
	}
}

// namingLimit is how long a service may take to say what people call somebody: it waits for our answer meanwhile.
const namingLimit = time.Second

// name asks what people call somebody of whom only the id is known. With the next message it is asked again, until there is an answer.
func (d *Desk) name(ctx context.Context, sc *models.Scope, ch *models.Channel, a service.Account, sender string) {
	s, ok := d.Services[ch.Kind].(service.Namer)
	if !ok {
		return
	}
	ask, cancel := context.WithTimeout(ctx, namingLimit)
	defer cancel()
	name, err := s.Name(ask, a, sender)
	if err == nil {
		err = sc.NameSender(ctx, ch.ID, sender, name)
	}
	if err != nil {
		d.Log.InfoContext(ctx, "somebody who is linked has no name", "channel", ch.ID, "error", err)
	}
}

// mostFetched bounds all files of one message, in bytes.
const mostFetched = 48 << 20

// fetch reads the files of an event, of somebody who is linked: strangers' files are not worth a byte. One that cannot be had is told in the
// message instead of losing it.
func (d *Desk) fetch(ctx context.Context, sc *models.Scope, ch *models.Channel, a service.Account, e *service.Event) ([]models.Upload, error) {
	if len(e.Files) == 0 {
		return nil, nil
	}
	known, err := sc.KnowsSender(ctx, ch.ID, e.Sender.ID)
	if err != nil || !known {
		return nil, err
	}
	out, sum := []models.Upload{}, 0
	for n := range e.Files {
		f := &e.Files[n]
		data, err := read(ctx, a, f)
		if fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Upstream) || fault.Is(err, fault.TooMany) || ctx.Err() != nil {
			return nil, err // it may pass: the event comes again
		}
		if sum += len(data); err != nil || sum > mostFetched || n >= models.MaxAttachments {
			why := "it is too large"
			if err != nil {
				why = fault.As(err).Detail
			}
			e.Text += "\n\n(The attached file " + f.Name + " could not be taken: " + why + ")"
			continue
		}
		out = append(out, models.Upload{Name: f.Name, MediaType: f.MediaType, Data: data})
	}
	return out, nil
}

func read(ctx context.Context, a service.Account, f *service.File) ([]byte, error) {
	tooLarge := fault.New(fault.TooLarge, "channel.file", "it is larger than 20 MB")
	if f.Size > models.MaxAttachment {
		return nil, tooLarge
	}
	body, err := f.Open(ctx, a)
	if err != nil {
		return nil, err
	}
	defer func() { _ = body.Close() }()
	data, err := io.ReadAll(io.LimitReader(body, models.MaxAttachment+1))
	if err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "channel.file", "its bytes were cut off")
	}
	if len(data) > models.MaxAttachment {
		return nil, tooLarge
	}
	return data, nil
}

// press decides an approval by a button, once, as the member who may.
func (d *Desk) press(ctx context.Context, sc *models.Scope, ch *models.Channel, h models.Heard, e *service.Event) error {
	p, err := sc.PressedButton(ctx, ch.ID, h.SenderID, e.Token)
	if fault.Is(err, fault.NotFound) || fault.Is(err, fault.Forbidden) {
		return nil // nobody is told what another's button is for
	}
	if err != nil {
		return err
	}
	text := "Denied by " + p.Actor.Name + "."
	if p.Approve {
		text = "Approved by " + p.Actor.Name + "."
	}
	_, err = d.Turns.Resolve(ctx, sc.As(p.Actor), p.Button.ApprovalID, models.Resolution{Approve: p.Approve})
	switch f := fault.As(err); {
	case err == nil:
	case f.Kind == fault.Conflict || f.Kind == fault.Forbidden || f.Kind == fault.NotFound:
		text = f.Detail + "."
	default:
		return err
	}
	return sc.AnswerPress(ctx, ch.ID, h, p.Button.ID, e.Press, text)
}
