package models

import (
	"context"
	"slices"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// NotificationKind is what a notification tells of.
type NotificationKind string

// The kinds.
const (
	NoteRunFailed     NotificationKind = "run_failed"
	NoteMessageFailed NotificationKind = "message_failed"
	NoteApproval      NotificationKind = "approval_requested"
	NoteBudget        NotificationKind = "budget_reached"
	NoteAgentError    NotificationKind = "agent_error"
	NoteHold          NotificationKind = "automations_held"
	NoteWebhookOff    NotificationKind = "webhook_off"
	NoteDeliveryDead  NotificationKind = "delivery_dead"
)

// NotificationWords is a kind with what it tells of.
type NotificationWords struct {
	Kind NotificationKind
	Says string
}

// NotificationKinds lists them, in the order of the page.
var NotificationKinds = []NotificationWords{
	{NoteRunFailed, "A run of an automation of yours failed"},
	{NoteMessageFailed, "A message of yours ended without an answer"},
	{NoteApproval, "A tool call waits for your decision"},
	{NoteBudget, "A budget stopped an agent in its work"},
	{NoteAgentError, "An instance is in ERROR"},
	{NoteHold, "Automations were paused, or go on again"},
	{NoteWebhookOff, "A webhook was switched off by itself"},
	{NoteDeliveryDead, "Something could not be delivered"},
}

// Digest is how soon a letter comes.
type Digest string

// The digests: at once, with what else happened in the hour, or each morning.
const (
	DigestOnce   Digest = "once"
	DigestHourly Digest = "hourly"
	DigestDaily  Digest = "daily"
)

// Digests lists them.
var Digests = []Digest{DigestOnce, DigestHourly, DigestDaily}

// NotificationChoice is by which ways one person is told of a kind, besides the page, where everything stands.
type NotificationChoice struct {
	ID      string
	UserID  string
	Kind    NotificationKind
	Mail    bool
	Webhook bool        // the organization's endpoints that want notifications
	Channel ChannelKind // by an account that the person is linked to; "" = by none
	Digest  Digest
}

// unchosen is what holds for who has chosen nothing. Who sent a message that failed is mostly looking at it: what they have
// not opened an hour later goes into a letter.
func unchosen(userID string, kind NotificationKind) NotificationChoice {
	c := NotificationChoice{UserID: userID, Kind: kind, Mail: true, Digest: DigestOnce}
	if kind == NoteMessageFailed {
		c.Digest = DigestHourly
	}
	return c
}

// choicesOf gives what people chose for a kind, by their ids.
func choicesOf(tx *gorm.DB, kind NotificationKind, to []TeamMember) (map[string]NotificationChoice, error) {
	ids, out := []string{}, map[string]NotificationChoice{}
	for n := range to {
		ids = append(ids, to[n].User.ID)
		out[to[n].User.ID] = unchosen(to[n].User.ID, kind)
	}
	rows := []NotificationChoice{}
	err := tx.WithContext(rawContext(tx.Statement.Context)).Raw("SELECT * FROM notification_choices WHERE kind = ? AND user_id IN ?", kind, ids).Scan(&rows).Error
	for _, r := range rows {
		out[r.UserID] = r
	}
	return out, translate(err)
}

// NotificationChoices gives what a person chose, for every kind in the order of the page.
func (sy *System) NotificationChoices(ctx context.Context, userID string) ([]NotificationChoice, error) {
	rows, err := all[NotificationChoice](sy.read(ctx).Where("user_id = ?", userID))
	out := make([]NotificationChoice, len(NotificationKinds))
	for n, k := range NotificationKinds {
		out[n] = unchosen(userID, k.Kind)
		if at := slices.IndexFunc(rows, func(c NotificationChoice) bool { return c.Kind == k.Kind }); at >= 0 {
			out[n] = rows[at]
		}
	}
	return out, err
}

// ChooseNotifications keeps what a person chose of some kinds.
func (sy *System) ChooseNotifications(ctx context.Context, userID string, chosen []NotificationChoice) error {
	var is fault.Issues
	for _, c := range chosen {
		if !slices.Contains(Digests, c.Digest) {
			is.NotOneOf("digest", string(c.Digest), string(DigestOnce), string(DigestHourly), string(DigestDaily))
		}
		if c.Channel != "" && !slices.Contains(ChannelKinds, c.Channel) {
			is.NotOneOf("channel", string(c.Channel), words(ChannelKinds)...)
		}
		if !slices.ContainsFunc(NotificationKinds, func(k NotificationWords) bool { return k.Kind == c.Kind }) {
			is.Custom("kind", "There is no such kind")
		}
	}
	if err := is.Err(); err != nil {
		return err
	}
	return sy.tx(ctx, func(tx *gorm.DB) error {
		for _, c := range chosen {
			set := map[string]any{"mail": c.Mail, "webhook": c.Webhook, "channel": c.Channel, "digest": c.Digest}
			hit, err := changed(tx.Model(&NotificationChoice{}).Where("user_id = ? AND kind = ?", userID, c.Kind), set)
			if err == nil && !hit {
				c.ID, c.UserID = id.New(), userID
				err = tx.Create(&c).Error
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
