package models

import (
	"context"
	"time"
	"unicode/utf8"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// ChannelLease is how long a worker may listen for an account without a sign of life.
const ChannelLease = 15 * time.Second

// ErrChannelHeld means that another worker listens for an account, or that it was changed.
var ErrChannelHeld = fault.New(fault.Conflict, "channel.held", "Another worker has this channel, or it was changed")

// ChannelByID reads one of any organization.
func (sy *System) ChannelByID(ctx context.Context, channelID string) (*Channel, error) {
	return first[Channel](sy.read(ctx).Where("id = ?", channelID))
}

// ChannelByHook finds the account that a service's call names by its secret.
func (sy *System) ChannelByHook(ctx context.Context, kind ChannelKind, hook secret.String) (*Channel, error) {
	return first[Channel](sy.read(ctx).Where("hook_hash = ? AND kind = ?", secret.Hash(hook.Reveal()), kind))
}

// ChannelsOf lists the accounts of a kind that receive, at most n: for calls that do not name theirs.
func (sy *System) ChannelsOf(ctx context.Context, kind ChannelKind, n int) ([]Channel, error) {
	return all[Channel](sy.read(ctx).Where("kind = ? AND state <> ?", kind, ChannelOff).Order("id").Limit(n))
}

// IdleChannels lists the accounts that a worker is to take up: to be connected, to be tried again, or listened for by nobody any more.
func (sy *System) IdleChannels(ctx context.Context, limit int) ([]Channel, error) {
	now := sy.store.now()
	return all[Channel](sy.read(ctx).Where("(lease_until IS NULL OR lease_until < ?) AND (state = ? OR (state = ? AND listens = ?) OR (state = ? AND retry_at <= ?))", now,
		ChannelConnecting, ChannelConnected, true, ChannelFailed, now).Order("updated_at, id").Limit(limit))
}

// HoldChannel takes an account for a worker, or keeps it: ErrChannelHeld when it is another's, or was changed since generation.
func (sy *System) HoldChannel(ctx context.Context, channelID, owner string, generation int64) error {
	now := sy.store.now()
	hit, err := changed(sy.write(ctx).Model(&Channel{}).Where("id = ? AND generation = ? AND state <> ? AND (lease_owner = ? OR lease_until IS NULL OR lease_until < ?)", channelID, generation, ChannelOff, owner, now),
		map[string]any{"lease_owner": owner, "lease_until": now.Add(ChannelLease)})
	if err == nil && !hit {
		err = ErrChannelHeld
	}
	return err
}

// DropChannel lets go of an account.
func (sy *System) DropChannel(ctx context.Context, channelID, owner string) error {
	_, err := changed(sy.write(ctx).Model(&Channel{}).Where("id = ? AND lease_owner = ?", channelID, owner), map[string]any{"lease_owner": "", "lease_until": nil})
	return err
}

// ChannelReport is what a worker found out of an account.
type ChannelReport struct {
	State                        ChannelState
	Name, ExternalID, Link, Note string        // of one that is connected
	Listens                      bool          // of one that is connected: by a connection that is kept
	Error                        string        // of one that is not
	Retry                        time.Duration // of a failure that may pass; 0 = somebody must mend it
}

// ReportChannel writes what its holder found out; ErrChannelHeld when it is another's by now.
func (sy *System) ReportChannel(ctx context.Context, channelID, owner string, r ChannelReport) error {
	now := sy.store.now()
	set := map[string]any{"state": r.State, "last_error": sy.store.line(r.Error, 1000), "retry_at": nil}
	if r.State == ChannelConnected {
		set["name"], set["external_id"], set["link"], set["note"], set["attempts"] = clip(cleanText(r.Name), 200), clip(r.ExternalID, 200), clip(r.Link, 500), sy.store.line(r.Note, 1000), 0
		set["listens"] = r.Listens
		if err := sy.hastenChannel(ctx, channelID); err != nil {
			return err
		}
	} else {
		set["attempts"] = gorm.Expr("attempts + 1")
		if r.Retry > 0 {
			set["retry_at"] = now.Add(r.Retry)
		}
	}
	hit, err := changed(sy.write(ctx).Model(&Channel{}).Where("id = ? AND lease_owner = ?", channelID, owner), set)
	if err == nil && !hit {
		err = ErrChannelHeld
	}
	return err
}

// hastenChannel has what waits for an account that did not work sent now that it does.
func (sy *System) hastenChannel(ctx context.Context, channelID string) error {
	now := sy.store.now()
	_, err := changed(sy.write(ctx).Model(&Delivery{}).Where("target_id = ? AND state = ? AND next_at > ? AND lease_until IS NULL", channelID, DeliveryPending, now).
		Where("EXISTS (SELECT 1 FROM channels c WHERE c.id = target_id AND c.state <> ?)", ChannelConnected), map[string]any{"next_at": now})
	return err
}

// FailChannel notes that a service refuses an account's credentials, whoever found out.
func (sy *System) FailChannel(ctx context.Context, channelID, why string) error {
	_, err := changed(sy.write(ctx).Model(&Channel{}).Where("id = ? AND state <> ?", channelID, ChannelOff), map[string]any{"state": ChannelFailed, "last_error": sy.store.line(why, 1000), "retry_at": nil})
	return err
}

// keptEvents is how long what came in is remembered: services repeat for a day.
const keptEvents = 7 * 24 * time.Hour

// TidyChannels forgets what nobody asks for any more.
func (sy *System) TidyChannels(ctx context.Context) error {
	now := sy.store.now()
	db := sy.write(ctx)
	if err := db.Where("created_at < ?", now.Add(-keptEvents)).Delete(&ChannelEvent{}).Error; err != nil {
		return translate(err)
	}
	if err := db.Where("expires_at < ?", now).Delete(&LinkCode{}).Error; err != nil {
		return translate(err)
	}
	return translate(db.Where("expires_at < ?", now.Add(-keptEvents)).Delete(&ChannelButton{}).Error)
}

// BusyPeer is a conversation at a service for which an agent is at work. MessageID is the service's, of what it was asked; "" for what came
// by another way.
type BusyPeer struct{ ChannelID, Peer, MessageID string }

// BusyPeers lists those for which a process is at work, at most n: a turn is its owner's, whose name begins with the process's.
func (sy *System) BusyPeers(ctx context.Context, process string, n int) ([]BusyPeer, error) {
	out, process := []BusyPeer{}, process+"/"
	err := sy.read(ctx).Raw(`SELECT DISTINCT m.channel_id, m.peer, COALESCE(e.message_id, '') AS message_id FROM turns t JOIN messages m ON m.turn_id = t.id AND m.role = 'user'
		LEFT JOIN channel_events e ON e.turn_id = t.id WHERE t.state = 'running' AND t.channel <> '' AND m.channel_id <> '' AND substr(t.lease_owner, 1, ?) = ? LIMIT ?`,
		utf8.RuneCountInString(process), process, n).Scan(&out).Error
	return out, translate(err)
}

// ChannelMark is how far a conversation was heard.
type ChannelMark struct{ Peer, MessageID string }

// ChannelMarks lists the conversations with people who are linked that an account heard of late, the latest first and at most n.
func (sy *System) ChannelMarks(ctx context.Context, channelID string, n int) ([]ChannelMark, error) {
	out := []ChannelMark{}
	err := sy.read(ctx).Raw(`SELECT e.peer, e.message_id FROM channel_events e WHERE e.id IN (SELECT max(id) FROM channel_events WHERE channel_id = ? AND peer <> '' GROUP BY peer)
		AND EXISTS (SELECT 1 FROM channel_events h JOIN channel_bindings b ON b.channel_id = h.channel_id AND b.sender_id = h.sender_id WHERE h.channel_id = e.channel_id AND h.peer = e.peer)
		ORDER BY e.id DESC LIMIT ?`, channelID, n).Scan(&out).Error
	return out, translate(err)
}
