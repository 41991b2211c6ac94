package models

import (
	"context"
	"regexp"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// ChannelEvent remembers what came in by an account.
type ChannelEvent struct {
	ID             string
	OrganizationID string
	ChannelID      string
	EventID        string // the service's
	MessageID      string // the service's, of a message
	Peer           string // JSON: the conversation in which it was said
	SenderID       string
	Outcome        HeardOutcome
	TurnID         string // that it began
	CreatedAt      time.Time
}

// Heard is an event of a service as it is taken in.
type Heard struct {
	EventID   string
	MessageID string
	Peer      string // JSON of service.Peer: where answers go
	Direct    bool   // nobody else reads it
	Called    bool   // in a group: it was said to the agent
	Edited    bool   // it is the new text of a message
	SenderID  string
	Sender    string // name
	TeamID    string
	Text      string
	Files     []Upload
}

// HeardOutcome is what came of an event.
type HeardOutcome string

// The outcomes.
const (
	HeardTurn    HeardOutcome = "turn"    // it began a turn
	HeardLinked  HeardOutcome = "linked"  // its sender is known from now on
	HeardCommand HeardOutcome = "command" // it was for us, not for the agent
	HeardWrong   HeardOutcome = "wrong"   // a code that is not open
	HeardUnknown HeardOutcome = "unknown" // of somebody who is not linked
	HeardPassed  HeardOutcome = "passed"  // nothing was to be done
	HeardRefused HeardOutcome = "refused" // the turn could not begin; the sender was told
	HeardAgain   HeardOutcome = "again"   // it came before
)

// HearResult is what a caller must know of it.
type HearResult struct {
	Outcome   HeardOutcome
	Turn      *Turn
	Interrupt bool   // turns of its session were asked to stop
	Stop      string // session whose work the person asked to stop
	Nameless  bool   // who said it is linked, and only their id is known
}

// How often a stranger is told that they are one, and how many codes somebody may try.
const (
	strangerPause = time.Hour
	mostTries     = 10
)

var errChannelOff = fault.New(fault.Unavailable, "channel.off", "This channel is switched off")

// HearChannel takes in what was said by an account, in one transaction: what comes twice is told, and what is taken is never lost. Whoever
// is linked is answered as the member they are; others are told how to be, and nothing that they say reaches an agent.
func (sc *Scope) HearChannel(ctx context.Context, channelID string, h Heard) (HearResult, error) {
	out := HearResult{}
	err := sc.AgentsOn(ctx)
	if err == nil {
		how := sc.tx
		if h.links() {
			how = sc.holding
		}
		err = sc.budgeted(ctx, how, func(tx *gorm.DB) error {
			var err error
			out, err = sc.hear(tx, channelID, &h)
			return err
		})
	}
	if isDuplicate(err) {
		return HearResult{Outcome: HeardAgain}, nil
	}
	if err != nil && refused(err) && fault.As(err).Code != errChannelOff.Code {
		return sc.refuseHeard(ctx, channelID, &h, err)
	}
	return out, err
}

// links tells whether a message may link its sender or end that, which the audit log notes.
func (h *Heard) links() bool {
	word, _ := h.command()
	return word == "/link" || word == "/unlink" || bareCode.MatchString(h.Text)
}

// command gives the first word of a message, in small letters, and what follows it.
func (h *Heard) command() (word, rest string) {
	words := strings.Fields(h.Text)
	if len(words) == 0 {
		return "", ""
	}
	return strings.ToLower(words[0]), strings.Join(words[1:], " ")
}

func (sc *Scope) hear(tx *gorm.DB, channelID string, h *Heard) (HearResult, error) {
	ch, err := first[Channel](tx.Omit("secrets_sealed").Where("id = ?", channelID))
	if err != nil {
		return HearResult{}, err
	}
	if ch.State == ChannelOff {
		return HearResult{}, errChannelOff
	}
	if _, err := first[ChannelEvent](tx.Where("channel_id = ? AND event_id = ?", ch.ID, h.EventID)); !fault.Is(err, fault.NotFound) {
		return HearResult{Outcome: HeardAgain}, err
	}
	row := sc.eventOf(ch, h)
	out, err := sc.answerHeard(tx, ch, h)
	if err != nil {
		return out, err
	}
	row.Outcome = out.Outcome
	if out.Turn != nil {
		row.TurnID = out.Turn.ID
	}
	if err := tx.Create(row).Error; err != nil {
		return out, err
	}
	_, err = changed(tx.Model(&Channel{}).Where("id = ?", ch.ID), map[string]any{"received": gorm.Expr("received + 1"), "last_active_at": row.CreatedAt})
	return out, err
}

// eventOf is the row of an event; its outcome is to come.
func (sc *Scope) eventOf(ch *Channel, h *Heard) *ChannelEvent {
	row := &ChannelEvent{ID: id.New(), OrganizationID: sc.Org, ChannelID: ch.ID, EventID: clip(h.EventID, 300), MessageID: clip(h.MessageID, 300), SenderID: clip(h.SenderID, 200), CreatedAt: sc.store.now()}
	if !h.Edited && h.MessageID != "" {
		row.Peer = readPeer(h.Peer).place()
	}
	return row
}

// bareCode is a line that somebody means as /link: some services keep what begins with a slash for themselves.
var bareCode = regexp.MustCompile(`(?im)^\s*link[\s:]+["'\x60*_]*([a-z0-9]{6})["'\x60*_.]*\s*$`)

// answerHeard decides what is done.
func (sc *Scope) answerHeard(tx *gorm.DB, ch *Channel, h *Heard) (HearResult, error) {
	word, rest := h.command()
	if word == "/link" {
		return sc.hearCode(tx, ch, h, rest)
	}
	if !h.Direct && !h.Called {
		return HearResult{Outcome: HeardPassed}, nil
	}
	b, err := first[ChannelBinding](tx.Where("channel_id = ? AND sender_id = ?", ch.ID, h.SenderID))
	if fault.Is(err, fault.NotFound) {
		if code := bareCode.FindStringSubmatch(h.Text); code != nil { // of who is linked it is a message like any other
			return sc.hearCode(tx, ch, h, code[1])
		}
		return HearResult{Outcome: HeardUnknown}, sc.tellStranger(tx, ch, h)
	}
	if err != nil {
		return HearResult{}, err
	}
	who, err := sc.boundMember(tx, b)
	if err != nil {
		return HearResult{}, err
	}
	sc = sc.As(Actor{UserID: who.User.ID, Name: who.User.Name, Role: who.Membership.Role})
	if h.Direct && b.Peer != h.Peer {
		if _, err := changed(tx.Model(&ChannelBinding{}).Where("id = ?", b.ID), map[string]any{"peer": h.Peer}); err != nil {
			return HearResult{}, err
		}
	}
	if out, mine, err := sc.hearCommand(tx, ch, b, h, word); mine || err != nil {
		return out, err
	}
	return sc.hearMessage(tx, ch, b, h)
}

// boundMember is who a linked person is now; Forbidden when they may not use agents any more.
func (sc *Scope) boundMember(tx *gorm.DB, b *ChannelBinding) (*TeamMember, error) {
	m, err := sc.member(tx, b.UserID)
	if err == nil && m.User.BlockedAt == nil && m.Membership.Role.May(CanUseInstances) {
		return m, nil
	}
	if err != nil && !fault.Is(err, fault.NotFound) {
		return nil, err
	}
	return nil, fault.New(fault.Forbidden, "channel.member", "You are linked to an account that may not use this agent any more")
}

func (sc *Scope) hearCode(tx *gorm.DB, ch *Channel, h *Heard, code string) (HearResult, error) {
	if !h.Direct {
		return HearResult{Outcome: HeardCommand}, sc.tellPeer(tx, ch, h, "Send me the code in a direct message, so that nobody else can use it.")
	}
	var tries int64
	err := tx.Model(&ChannelEvent{}).Where("channel_id = ? AND sender_id = ? AND outcome = ? AND turn_id = '' AND created_at > ?", ch.ID, h.SenderID, HeardWrong, sc.store.now().Add(-strangerPause)).Count(&tries).Error
	if err != nil {
		return HearResult{}, err
	}
	if tries >= mostTries {
		return HearResult{Outcome: HeardWrong}, nil // and not a word
	}
	b, ok, err := sc.linkSender(tx, ch, h, code)
	if err != nil {
		return HearResult{}, err
	}
	if !ok {
		return HearResult{Outcome: HeardWrong}, sc.tellPeer(tx, ch, h, "This code does not work: it was used, or it is older than ten minutes. Make a new one on the agent's page.")
	}
	m, err := sc.boundMember(tx, b)
	if err != nil {
		return HearResult{}, err
	}
	i, err := first[Instance](tx.Select("id", "name").Where("id = ?", ch.InstanceID))
	if err != nil {
		return HearResult{}, err
	}
	return HearResult{Outcome: HeardLinked, Nameless: b.nameless()}, sc.tellPeer(tx, ch, h, "You are linked as "+m.User.Name+". Write to me, and "+i.Name+" answers. /help says what else there is.")
}

// tellStranger says how to be linked: once an hour, and in a group only to who called.
func (sc *Scope) tellStranger(tx *gorm.DB, ch *Channel, h *Heard) error {
	var told int64
	err := tx.Model(&ChannelEvent{}).Where("channel_id = ? AND sender_id = ? AND outcome = ? AND turn_id = '' AND created_at > ?", ch.ID, h.SenderID, HeardUnknown, sc.store.now().Add(-strangerPause)).Count(&told).Error
	if err != nil || told > 0 {
		return err
	}
	return sc.tellPeer(tx, ch, h, "I answer people whom my team knows. If you are one of them, make a code on my page and send me: "+ch.Kind.LinkWord()+" CODE")
}

const channelHelp = "Write to me as you would to a colleague.\n\n- /stop ends what I am doing\n- /new begins a new conversation\n- /unlink makes me forget who you are\n- /help shows this"

// hearCommand does what is for us and not for the agent; false for everything else.
func (sc *Scope) hearCommand(tx *gorm.DB, ch *Channel, b *ChannelBinding, h *Heard, word string) (HearResult, bool, error) {
	out := HearResult{Outcome: HeardCommand}
	switch word {
	case "/start", "/help":
		help := channelHelp
		if ch.Kind == SlackChannel {
			help += "\n\nSlack keeps what begins with a slash for itself: put a space before it."
		}
		return out, true, sc.tellPeer(tx, ch, h, help)
	case "/unlink":
		if err := sc.unlink(tx, b); err != nil {
			return out, true, err
		}
		return out, true, sc.tellPeer(tx, ch, h, "You are not linked any more.")
	case "/new":
		_, err := changed(tx.Model(&Session{}).Where("instance_id = ? AND alias = ?", ch.InstanceID, readPeer(h.Peer).alias(ch.Kind)), map[string]any{"alias": nil})
		if err != nil {
			return out, true, err
		}
		return out, true, sc.tellPeer(tx, ch, h, "A new conversation: I begin without what was said before.")
	case "/stop":
		s, err := first[Session](tx.Where("instance_id = ? AND alias = ?", ch.InstanceID, readPeer(h.Peer).alias(ch.Kind)))
		if err != nil && !fault.Is(err, fault.NotFound) {
			return out, true, err
		}
		if s != nil {
			out.Stop = s.ID
		}
		return out, true, sc.tellPeer(tx, ch, h, "I stop.")
	}
	return out, false, nil
}

// hearMessage begins a turn with what a linked person said.
func (sc *Scope) hearMessage(tx *gorm.DB, ch *Channel, b *ChannelBinding, h *Heard) (HearResult, error) {
	text := h.Text
	if h.Edited {
		var err error
		if text, err = sc.editHeard(tx, ch, h); err != nil || text == "" {
			return HearResult{Outcome: HeardPassed}, err
		}
	}
	in := Input{Text: text, Attachments: h.Files, Source: string(ch.Kind), Message: &NewMessage{Channel: string(ch.Kind), ChannelID: ch.ID, QueueMode: b.QueueMode, Peer: h.Peer}}
	if err := in.check(); err != nil {
		return HearResult{}, err
	}
	s, err := sc.channelSession(tx, b, h.Peer)
	if err != nil {
		return HearResult{}, err
	}
	turn := &Turn{ID: id.New(), OrganizationID: sc.Org, SessionID: s.ID, Source: in.Source, State: TurnQueued, Channel: string(ch.Kind), QueueMode: b.QueueMode, CreatedBy: sc.Actor.UserID, CreatedAt: sc.store.now()}
	if _, err := sc.acceptTurn(tx, turn, in); err != nil {
		return HearResult{}, err
	}
	return HearResult{Outcome: HeardTurn, Turn: turn, Interrupt: b.QueueMode == Interrupt, Nameless: b.nameless()}, nil
}

// editHeard takes back a message that nobody has read yet, or tells the agent of the change; "" when nothing changed.
func (sc *Scope) editHeard(tx *gorm.DB, ch *Channel, h *Heard) (string, error) {
	before, err := first[ChannelEvent](tx.Where("channel_id = ? AND message_id = ? AND turn_id <> ''", ch.ID, h.MessageID).Order("id DESC"))
	if fault.Is(err, fault.NotFound) {
		return h.Text, nil // the message itself never came, or comes later
	}
	if err != nil {
		return "", err
	}
	t, err := first[Turn](locked(tx).Where("id = ?", before.TurnID))
	if fault.Is(err, fault.NotFound) {
		return h.Text, nil
	}
	if err != nil {
		return "", err
	}
	if t.State == TurnQueued {
		_, err := sc.interrupt(tx, t, "The message was edited before it was read")
		return h.Text, err
	}
	said, err := first[Event](tx.Where("turn_id = ? AND kind = ?", t.ID, KindUser))
	if err != nil {
		return "", err
	}
	if words, err := said.words(); err != nil || words == h.Text {
		return "", err
	}
	return "I have changed my message. It says now:\n\n" + h.Text, nil
}

// alias names the conversation of a peer among an instance's sessions.
func (p peer) alias(kind ChannelKind) string { return clip(string(kind)+":"+p.ID+":"+p.Thread, 200) }

// directPeer is where a person alone is reached, "" from a group.
func (h *Heard) directPeer() string {
	if h.Direct {
		return h.Peer
	}
	return ""
}

// channelSession gives the session of somebody's conversation at a service, or begins it.
func (sc *Scope) channelSession(tx *gorm.DB, b *ChannelBinding, where string) (*Session, error) {
	p := readPeer(where)
	alias := p.alias(b.Kind)
	s, err := first[Session](tx.Where("instance_id = ? AND alias = ?", b.InstanceID, alias))
	if !fault.Is(err, fault.NotFound) {
		return s, err
	}
	now := sc.store.now()
	title := b.SenderName
	if !p.Direct && p.Name != "" {
		title = p.Name
	}
	s = &Session{ID: id.New(), OrganizationID: sc.Org, InstanceID: b.InstanceID, Alias: &alias, Title: clip(channelTitles[b.Kind]+": "+cleanText(title), 100), TitledBy: "person", Category: "general", Status: "active",
		CreatedBy: sc.Actor.UserID, CreatedAt: now, UpdatedAt: now}
	return s, tx.Create(s).Error
}

var channelTitles = map[ChannelKind]string{TelegramChannel: "Telegram", DiscordChannel: "Discord", SlackChannel: "Slack", WhatsAppChannel: "WhatsApp", EmailChannel: "E-mail"}

// Title is the service's name, as people write it.
func (k ChannelKind) Title() string { return channelTitles[k] }

// LinkWord is what people send a code with: Slack keeps what begins with a slash for itself.
func (k ChannelKind) LinkWord() string {
	if k == SlackChannel {
		return "link"
	}
	return "/link"
}

// refuseHeard notes what could not begin, and tells the sender why.
func (sc *Scope) refuseHeard(ctx context.Context, channelID string, h *Heard, why error) (HearResult, error) {
	out := HearResult{Outcome: HeardRefused}
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		ch, err := first[Channel](tx.Omit("secrets_sealed").Where("id = ?", channelID))
		if err != nil {
			return err
		}
		row := sc.eventOf(ch, h)
		row.Outcome = HeardRefused
		if err := tx.Create(row).Error; err != nil {
			return err
		}
		f := fault.As(why)
		text := f.Detail + "."
		if len(f.Fields) > 0 {
			text = f.Fields[0].Message + "."
		}
		if f.Hint != "" {
			text += " " + strings.TrimSuffix(f.Hint, ".") + "."
		}
		return sc.tellPeer(tx, ch, h, text)
	})
	if isDuplicate(err) {
		return HearResult{Outcome: HeardAgain}, nil
	}
	return out, err
}
