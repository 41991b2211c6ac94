package models

import (
	"cmp"
	"context"
	"crypto/rand"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// ChannelBinding says who a person at a service is here. It is the only way in: what anybody else says is not answered.
type ChannelBinding struct {
	ID             string
	OrganizationID string
	ChannelID      string
	InstanceID     string
	Kind           ChannelKind
	SenderID       string // at the service
	SenderName     string
	TeamID         string // of services that have them
	UserID         string
	Peer           string // JSON: the conversation with that person alone
	QueueMode      QueueMode
	CreatedAt      time.Time
}

// LinkCode is by what somebody shows at a service who they are here: single use, and only its hash is kept.
type LinkCode struct {
	ID             string
	OrganizationID string
	ChannelID      string
	UserID         string
	CodeHash       string
	ExpiresAt      time.Time
	CreatedAt      time.Time
}

// LinkLife is how long a code works.
const LinkLife = 10 * time.Minute

// linkLetters have none that look alike; six of them are a billion codes, and tries are few (see channel_receive.go).
const linkLetters = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"

const linkLength = 6

func newLinkCode() string {
	raw, code := make([]byte, linkLength), make([]byte, linkLength)
	_, _ = rand.Read(raw) // never fails
	for n, b := range raw {
		code[n] = linkLetters[int(b)%len(linkLetters)] // 32 letters: no one is likelier
	}
	return string(code)
}

func linkHash(channelID, code string) string {
	return secret.Hash(channelID + " " + strings.ToUpper(strings.TrimSpace(code)))
}

// NewLinkCode makes a code by which the acting person links themselves; an earlier one works no more.
func (sc *Scope) NewLinkCode(ctx context.Context, channelID string) (code string, expires time.Time, err error) {
	if sc.Actor.UserID == "" {
		return "", time.Time{}, fault.New(fault.Forbidden, "forbidden", "Only a person can be linked")
	}
	code = newLinkCode()
	err = sc.tx(ctx, func(tx *gorm.DB) error {
		if _, err := first[Channel](locked(tx).Select("id").Where("id = ?", channelID)); err != nil {
			return err
		}
		if err := tx.Where("channel_id = ? AND user_id = ?", channelID, sc.Actor.UserID).Delete(&LinkCode{}).Error; err != nil {
			return err
		}
		now := sc.store.now()
		expires = now.Add(LinkLife)
		return tx.Create(&LinkCode{ID: id.New(), OrganizationID: sc.Org, ChannelID: channelID, UserID: sc.Actor.UserID, CodeHash: linkHash(channelID, code), ExpiresAt: expires, CreatedAt: now}).Error
	})
	return code, expires, err
}

// Bindings lists who is linked to an instance, by any channel, oldest first.
func (sc *Scope) Bindings(ctx context.Context, instanceID string) ([]ChannelBinding, error) {
	return all[ChannelBinding](sc.read(ctx).Where("instance_id = ?", instanceID).Order("created_at, id"))
}

// BindingOf finds how a person is linked to an instance by a kind of channel.
func (sc *Scope) BindingOf(ctx context.Context, instanceID string, kind ChannelKind, userID string) (*ChannelBinding, error) {
	return first[ChannelBinding](sc.read(ctx).Where("instance_id = ? AND kind = ? AND user_id = ?", instanceID, kind, userID))
}

// BindingSession is the conversation that somebody who is linked has alone with an instance, by their channel.
func (sc *Scope) BindingSession(ctx context.Context, b *ChannelBinding) (*Session, error) {
	var out *Session
	find := func(tx *gorm.DB) (err error) {
		out, err = sc.channelSession(tx, b, b.Peer)
		return err
	}
	err := sc.tx(ctx, find)
	if isDuplicate(err) { // begun by a message in between
		err = sc.tx(ctx, find)
	}
	return out, err
}

// Unlink ends a binding: one's own, or anybody's for who may edit settings.
func (sc *Scope) Unlink(ctx context.Context, bindingID string) (*ChannelBinding, error) {
	var out *ChannelBinding
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		b, err := first[ChannelBinding](locked(tx).Where("id = ?", bindingID))
		if err != nil {
			return err
		}
		if b.UserID != sc.Actor.UserID && !sc.Actor.May(CanEditSettings) {
			return fault.New(fault.Forbidden, "forbidden", "Insufficient permissions")
		}
		out = b
		return sc.unlink(tx, b)
	})
	return out, err
}

func (sc *Scope) unlink(tx *gorm.DB, b *ChannelBinding) error {
	if err := tx.Where("id = ?", b.ID).Delete(&ChannelBinding{}).Error; err != nil {
		return err
	}
	return sc.audit(tx, act{name: "channel.unlinked", kind: "channel", id: b.ChannelID, of: string(b.Kind) + " " + b.SenderName, before: map[string]any{"user": b.UserID, "sender": b.SenderID}})
}

// SetBindingMode says what a linked person's messages mean for the work under way.
func (sc *Scope) SetBindingMode(ctx context.Context, bindingID string, mode QueueMode) (*ChannelBinding, error) {
	if mode != Collect && mode != Interrupt {
		var is fault.Issues
		is.NotOneOf("queue_mode", string(mode), string(Collect), string(Interrupt))
		return nil, is.Err()
	}
	hit, err := changed(sc.write(ctx).Model(&ChannelBinding{}).Where("id = ? AND user_id = ?", bindingID, sc.Actor.UserID), map[string]any{"queue_mode": mode})
	if err == nil && !hit {
		err = fault.NotFoundf("binding")
	}
	if err != nil {
		return nil, err
	}
	return first[ChannelBinding](sc.write(ctx).Where("id = ?", bindingID))
}

// linkSender takes a code and links who sent it; false when no such code is open.
func (sc *Scope) linkSender(tx *gorm.DB, ch *Channel, h *Heard, code string) (*ChannelBinding, bool, error) {
	row, err := first[LinkCode](locked(tx).Where("channel_id = ? AND code_hash = ? AND expires_at > ?", ch.ID, linkHash(ch.ID, code), sc.store.now()))
	if fault.Is(err, fault.NotFound) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	if err := tx.Where("id = ?", row.ID).Delete(&LinkCode{}).Error; err != nil {
		return nil, false, err
	}
	if err := tx.Where("channel_id = ? AND (sender_id = ? OR user_id = ?)", ch.ID, h.SenderID, row.UserID).Delete(&ChannelBinding{}).Error; err != nil {
		return nil, false, err
	}
	b := &ChannelBinding{ID: id.New(), OrganizationID: sc.Org, ChannelID: ch.ID, InstanceID: ch.InstanceID, Kind: ch.Kind, SenderID: h.SenderID, SenderName: clip(cleanText(cmp.Or(h.Sender, h.SenderID)), 200), TeamID: clip(h.TeamID, 200),
		UserID: row.UserID, QueueMode: Collect, Peer: h.directPeer(), CreatedAt: sc.store.now()}
	if err := tx.Create(b).Error; err != nil {
		return nil, false, err
	}
	return b, true, sc.audit(tx, act{name: "channel.linked", kind: "channel", id: ch.ID, of: string(ch.Kind) + " " + b.SenderName, after: map[string]any{"user": b.UserID, "sender": b.SenderID}})
}

// nameless tells that only the id of who is linked is known.
func (b *ChannelBinding) nameless() bool { return b.SenderName == b.SenderID }

// NameSender notes how people at a service call somebody who is linked.
func (sc *Scope) NameSender(ctx context.Context, channelID, senderID, name string) error {
	if name = clip(cleanText(name), 200); name == "" {
		return nil
	}
	_, err := changed(sc.write(ctx).Model(&ChannelBinding{}).Where("channel_id = ? AND sender_id = ?", channelID, senderID), map[string]any{"sender_name": name})
	return err
}

// KnowsSender tells whether somebody at a service is linked.
func (sc *Scope) KnowsSender(ctx context.Context, channelID, senderID string) (bool, error) {
	var n int64
	err := sc.read(ctx).Model(&ChannelBinding{}).Where("channel_id = ? AND sender_id = ?", channelID, senderID).Count(&n).Error
	return n > 0, translate(err)
}
