package channels

import (
	"context"
	"encoding/json"
	"path"
	"regexp"
	"strings"
	"time"

	"lobstead/engine/agent"
	"lobstead/engine/channels/service"
	"lobstead/engine/outbox"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

func orgTopic(ch *models.Channel) string { return agent.OrgTopic(ch.OrganizationID) }

// Sender is the outbox's way out by channels.
type Sender struct {
	Desk   *Desk
	Driver sandbox.Driver // reads what an answer links to; nil = files are not sent
}

var _ outbox.Sender = (*Sender)(nil)

// Send makes pieces of what is Markdown, and hands a piece to its service.
func (s *Sender) Send(ctx context.Context, c *models.Claim) (outbox.Answer, error) {
	p, err := c.Channel()
	if err != nil {
		return outbox.Answer{}, outbox.Permanent(err)
	}
	system := s.Desk.Store.AsSystem("a message leaves")
	ch, err := system.ChannelByID(ctx, c.TargetID)
	switch {
	case fault.Is(err, fault.NotFound):
		return outbox.Answer{}, outbox.Permanent(fault.New(fault.Conflict, "channel.gone", "The channel was disconnected"))
	case err != nil:
		return outbox.Answer{}, err
	case ch.State == models.ChannelOff:
		return outbox.Answer{}, outbox.Permanent(fault.New(fault.Conflict, "channel.off", "The channel is switched off"))
	}
	way, err := s.Desk.Service(ch.Kind)
	if err != nil {
		return outbox.Answer{}, err
	}
	if p.Piece == "" && p.File == "" {
		return outbox.Answer{Text: "made into pieces"}, s.expand(ctx, c, ch, way, p)
	}
	return s.piece(ctx, c, ch, way, p)
}

// expand writes the pieces of something, each a delivery of its own.
func (s *Sender) expand(ctx context.Context, c *models.Claim, ch *models.Channel, way service.Service, p models.ChannelPayload) error {
	markdown, files := p.Markdown, false
	if p.Answer != "" {
		var err error
		if markdown, files, err = s.Desk.Store.In(ch.OrganizationID).ChannelAnswer(ctx, p.Answer); fault.Is(err, fault.NotFound) {
			return outbox.Permanent(fault.New(fault.Conflict, "channel.answer", "The conversation was deleted"))
		} else if err != nil {
			return err
		}
	}
	texts := way.Split(markdown)
	if len(texts) == 0 {
		texts = way.Split("(The answer has no words.)")
	}
	pieces := []models.ChannelPayload{}
	for n, text := range texts {
		one := models.ChannelPayload{Peer: p.Peer, Piece: text}
		if n == 0 {
			one.ReplyTo, one.Change, one.Press = p.ReplyTo, p.Change, p.Press
		}
		pieces = append(pieces, one)
	}
	if files {
		for _, file := range s.linked(ctx, ch, markdown) {
			pieces = append(pieces, models.ChannelPayload{Peer: p.Peer, File: file})
		}
	}
	last := &pieces[len(pieces)-1]
	last.Buttons, last.Ends = p.Buttons, p.Answer
	return s.Desk.Store.AsSystem("pieces of a message").SendPieces(ctx, c, pieces)
}

// localLink is a Markdown link or picture; a target with a scheme is none of the workspace's.
var localLink = regexp.MustCompile(`!?\[[^\]\n]*\]\(<?([^)<>\s]+)>?(?:\s+"[^"\n]*")?\)`)

const mostSent = 10 // files of one answer

// linked gives the files of the workspace that an answer links to: they go along. What is not there is only a link.
func (s *Sender) linked(ctx context.Context, ch *models.Channel, markdown string) []string {
	if s.Driver == nil {
		return nil
	}
	names := []string{}
	for _, m := range localLink.FindAllStringSubmatch(markdown, 4*mostSent) {
		if name := workspaceFile(m[1]); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	hands, err := s.Driver.Hands(ctx, ch.InstanceID)
	if err != nil {
		return nil
	}
	defer func() { _ = hands.Close() }()
	out, seen := []string{}, map[string]bool{}
	for _, name := range names {
		f, err := hands.ReadFile(ctx, name, 0, 1)
		if err == nil && f.Size > 0 && f.Size <= models.MaxAttachment && !seen[name] && len(out) < mostSent {
			out, seen[name] = append(out, name), true
		}
	}
	return out
}

// workspaceFile is a link's target as a path of the workspace, "" for everything else.
func workspaceFile(target string) string {
	target = strings.TrimPrefix(strings.TrimPrefix(target, "file://"), "/workspace/")
	if strings.Contains(target, ":") || strings.HasPrefix(target, "/") || strings.HasPrefix(target, "#") {
		return ""
	}
	if clean := path.Clean(target); clean != "." && clean != ".." && !strings.HasPrefix(clean, "../") {
		return clean
	}
	return ""
}

// piece hands one visible thing over.
func (s *Sender) piece(ctx context.Context, c *models.Claim, ch *models.Channel, way service.Service, p models.ChannelPayload) (outbox.Answer, error) {
	a, err := s.Desk.Account(ch)
	if err != nil {
		return outbox.Answer{}, err
	}
	m := service.Message{Key: c.IdempotencyKey, Text: p.Piece, Change: p.Change, Press: p.Press}
	if err := json.Unmarshal(p.Peer, &m.Peer); err != nil {
		return outbox.Answer{}, outbox.Permanent(err)
	}
	if !m.Peer.Direct || m.Peer.Thread != "" { // alone with somebody there is nothing to point at
		m.ReplyTo = p.ReplyTo
	}
	for _, b := range p.Buttons {
		m.Buttons = append(m.Buttons, service.Button{Label: b.Label, Token: strings.ReplaceAll(b.Token, models.SecretMark, c.Secret.Reveal()), Bad: b.Bad})
	}
	if p.File != "" {
		if m.File, err = s.file(ctx, ch, p.File); err != nil {
			return outbox.Answer{}, s.outcome(ctx, ch, err)
		}
	}
	id, err := way.Send(ctx, a, m)
	if err != nil {
		return outbox.Answer{}, s.outcome(ctx, ch, err)
	}
	err = s.Desk.Store.AsSystem("a message has left").SentByChannel(context.WithoutCancel(ctx), c, id, p.Ends)
	if err != nil {
		s.Desk.Log.WarnContext(ctx, "that a message has left was not noted", "channel", ch.ID, "error", err)
	}
	s.Desk.Bus.Publish(ctx, orgTopic(ch), nil)
	return outbox.Answer{Text: "taken as " + id}, nil
}

func (s *Sender) file(ctx context.Context, ch *models.Channel, name string) (*service.Upload, error) {
	if s.Driver == nil {
		return nil, fault.New(fault.Unavailable, "channel.file", "This worker has no files")
	}
	hands, err := s.Driver.Hands(ctx, ch.InstanceID)
	if err != nil {
		return nil, err
	}
	defer func() { _ = hands.Close() }()
	f, err := hands.ReadFile(ctx, name, 0, models.MaxAttachment+1)
	if err != nil {
		return nil, err
	}
	if f.Size > models.MaxAttachment {
		return nil, fault.New(fault.Invalid, "channel.file", "The file has grown beyond 20 MB")
	}
	return &service.Upload{Name: path.Base(name), MediaType: mediaType(name, f.Data), Data: f.Data}, nil
}

// refusedPause is how long a message waits whose account is refused: somebody must mend that first.
const refusedPause = 15 * time.Minute

// outcome tells the outbox what to make of a failure, and of an account that is refused the page.
func (s *Sender) outcome(ctx context.Context, ch *models.Channel, err error) error {
	f := fault.As(err)
	switch f.Kind {
	case fault.Unauthenticated:
		if err := s.Desk.Store.AsSystem("an account is refused").FailChannel(ctx, ch.ID, f.Detail); err != nil {
			return err
		}
		s.Desk.Bus.Publish(ctx, orgTopic(ch), nil)
		return outbox.RetryAt(err, time.Now().Add(refusedPause))
	case fault.Invalid, fault.Forbidden, fault.NotFound, fault.TooLarge, fault.Unclear:
		return outbox.Permanent(err)
	case fault.TooMany:
		if !f.RetryAt.IsZero() {
			return outbox.RetryAt(err, f.RetryAt)
		}
	}
	return err
}
