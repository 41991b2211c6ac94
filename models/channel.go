package models

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// Channel is an account at another service by which people reach one agent. What the account needs is its service's to say
// (engine/channels); here it is values, the secret ones sealed.
type Channel struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Kind           ChannelKind
	Name           string // who the account is at its service: "@lobstead_bot"
	ExternalID     string
	Link           string // where people find it
	Note           string // what is wrong with it though it works
	Settings       string // JSON object: what may be shown of what was given
	SecretsSealed  []byte
	HookHash       *string // of the secret that its service's calls carry
	State          ChannelState
	Generation     int64 // bumped by every change of what was given
	Listens        bool  // a worker keeps its connection; else its service calls us
	LastError      string
	Attempts       int
	RetryAt        *time.Time
	Received, Sent int64
	LastActiveAt   *time.Time
	LeaseOwner     string // who listens
	LeaseUntil     *time.Time
	CreatedBy      string
	CreatedName    string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// ChannelKind is which service it is.
type ChannelKind string

// The kinds.
const (
	TelegramChannel ChannelKind = "telegram"
	DiscordChannel  ChannelKind = "discord"
	SlackChannel    ChannelKind = "slack"
	WhatsAppChannel ChannelKind = "whatsapp"
	EmailChannel    ChannelKind = "email"
)

// ChannelKinds lists them in reading order.
var ChannelKinds = []ChannelKind{TelegramChannel, DiscordChannel, SlackChannel, WhatsAppChannel, EmailChannel}

// ChannelState is how an account stands.
type ChannelState string

// The states. A connecting one is taken up by a worker; a failed one is tried again at RetryAt, and by itself never without it.
const (
	ChannelConnecting ChannelState = "connecting"
	ChannelConnected  ChannelState = "connected"
	ChannelFailed     ChannelState = "failed"
	ChannelOff        ChannelState = "off"
)

// NewChannel is an account to be connected, or what one is to have from now on.
type NewChannel struct {
	InstanceID string
	Kind       ChannelKind
	Settings   map[string]string
	Secrets    map[string]secret.String
	HookSecret secret.String // names the account in its service's calls; empty: nothing does
}

// Shown reads the settings.
func (ch *Channel) Shown() map[string]string {
	out := map[string]string{}
	_ = json.Unmarshal([]byte(ch.Settings), &out) // written by us
	return out
}

// ConnectChannel writes an account for a worker to connect. An instance has one of each kind: a second one takes its place, and those who
// are linked stay so. Its service checked the values.
func (sc *Scope) ConnectChannel(ctx context.Context, n NewChannel) (*Channel, error) {
	if !slices.Contains(ChannelKinds, n.Kind) {
		return nil, fault.NotFoundf("channel")
	}
	settings, err := json.Marshal(n.Settings)
	if err != nil {
		return nil, err
	}
	var out *Channel
	err = sc.holding(ctx, func(tx *gorm.DB) error {
		i, err := first[Instance](locked(tx).Select("id", "name").Where("id = ? AND desired <> ?", n.InstanceID, WantDeleted))
		if err != nil {
			return err
		}
		now := sc.store.now()
		row, err := first[Channel](tx.Where("instance_id = ? AND kind = ?", n.InstanceID, n.Kind))
		fresh := fault.Is(err, fault.NotFound)
		if fresh {
			row, err = &Channel{ID: id.New(), OrganizationID: sc.Org, InstanceID: n.InstanceID, Kind: n.Kind, State: ChannelConnecting, CreatedBy: sc.Actor.UserID, CreatedName: sc.Actor.label(), CreatedAt: now}, nil
		}
		if err != nil {
			return err
		}
		row.Settings, row.UpdatedAt, row.Generation = string(settings), now, row.Generation+1
		if row.SecretsSealed, err = sc.sealValues(row.ID, n.Secrets); err != nil {
			return err
		}
		row.HookHash = nil
		if !n.HookSecret.Empty() {
			hash := secret.Hash(n.HookSecret.Reveal())
			row.HookHash = &hash
		}
		if fresh {
			err = tx.Create(row).Error
		} else {
			_, err = changed(tx.Model(&Channel{}).Where("id = ?", row.ID), map[string]any{"settings": row.Settings, "secrets_sealed": row.SecretsSealed, "hook_hash": row.HookHash, "state": ChannelConnecting,
				"generation": row.Generation, "last_error": "", "attempts": 0, "retry_at": nil, "lease_owner": "", "lease_until": nil, "updated_at": now})
		}
		if err != nil {
			return err
		}
		if out, err = first[Channel](tx.Where("id = ?", row.ID)); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "channel.connected", kind: "channel", id: row.ID, of: string(n.Kind) + " of " + i.Name, after: map[string]any{"settings": n.Settings}})
	})
	return out, err
}

func (sc *Scope) sealValues(channelID string, values map[string]secret.String) ([]byte, error) {
	plain := map[string]string{}
	for name, v := range values {
		if !v.Empty() {
			sc.store.learn(v)
			plain[name] = v.Reveal()
		}
	}
	text, err := json.Marshal(plain)
	if err != nil {
		return nil, err
	}
	return sc.store.box.Seal(text, channelID)
}

// ChannelValues opens all that was given of an account.
func (s *Store) ChannelValues(ch *Channel) (map[string]secret.String, error) {
	plain, err := s.box.Open(ch.SecretsSealed, ch.ID)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "channel.secrets", "The channel's secrets cannot be opened: their key is not configured any more")
	}
	values, out := ch.Shown(), map[string]secret.String{}
	if err := json.Unmarshal(plain, &values); err != nil {
		return nil, err
	}
	for name, v := range values {
		out[name] = secret.Of(v)
	}
	return out, nil
}

// Channels lists the accounts of an instance, or of all (""), oldest first.
func (sc *Scope) Channels(ctx context.Context, instanceID string) ([]Channel, error) {
	q := sc.read(ctx).Omit("secrets_sealed").Order("created_at, id")
	if instanceID != "" {
		q = q.Where("instance_id = ?", instanceID)
	}
	return all[Channel](q)
}

// Channel reads one.
func (sc *Scope) Channel(ctx context.Context, channelID string) (*Channel, error) {
	return first[Channel](sc.read(ctx).Where("id = ?", channelID))
}

// ChannelOf reads an instance's account of a kind.
func (sc *Scope) ChannelOf(ctx context.Context, instanceID string, kind ChannelKind) (*Channel, error) {
	return first[Channel](sc.read(ctx).Where("instance_id = ? AND kind = ?", instanceID, kind))
}

// SwitchChannel switches an account off, or on again: then it is connected anew, as a failed one is.
func (sc *Scope) SwitchChannel(ctx context.Context, channelID string, on bool) (*Channel, error) {
	var out *Channel
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		ch, err := first[Channel](locked(tx).Where("id = ?", channelID))
		if err != nil {
			return err
		}
		state, name := ChannelOff, "channel.off"
		if on {
			state, name = ChannelConnecting, "channel.on"
		}
		if out = ch; !on && ch.State == ChannelOff || on && ch.State != ChannelOff && ch.State != ChannelFailed {
			return nil
		}
		if _, err := changed(tx.Model(&Channel{}).Where("id = ?", ch.ID), map[string]any{"state": state, "generation": ch.Generation + 1, "attempts": 0, "retry_at": nil, "last_error": "",
			"lease_owner": "", "lease_until": nil, "updated_at": sc.store.now()}); err != nil {
			return err
		}
		if out, err = first[Channel](tx.Where("id = ?", ch.ID)); err != nil {
			return err
		}
		return sc.audit(tx, act{name: name, kind: "channel", id: ch.ID, of: ch.label()})
	})
	return out, err
}

// DisconnectChannel forgets an account, with those who are linked by it; what was said stays.
func (sc *Scope) DisconnectChannel(ctx context.Context, channelID string) (*Channel, error) {
	var out *Channel
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		ch, err := first[Channel](locked(tx).Where("id = ?", channelID))
		if err != nil {
			return err
		}
		out = ch
		if err := tx.Where("id = ?", ch.ID).Delete(&Channel{}).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "channel.disconnected", kind: "channel", id: ch.ID, of: ch.label()})
	})
	return out, err
}

func (ch *Channel) label() string { return strings.TrimSpace(string(ch.Kind) + " " + ch.Name) }
