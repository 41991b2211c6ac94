package models

import (
	"context"
	"math/bits"
	"strconv"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Notification is what one person is told: always here, and by letter, message or webhook as they chose. What happens again to the
// same thing before it is read is counted, not repeated.
type Notification struct {
	ID             string
	OrganizationID string
	UserID         string
	Kind           NotificationKind
	Title          string
	Text           string // of the last time
	Link           string // a path of ours
	AboutKind      string // what repetitions are told by
	AboutID        string
	Count          int // how often since it was read
	ReadAt         *time.Time
	MailAt         *time.Time // when it goes into a letter; nil = into none
	MailedAt       *time.Time // when it, or the one of the same thing before it, did
	ChatAt         *time.Time // when it goes into a message by a channel; nil = into none
	ChattedAt      *time.Time // when it, or the one of the same thing before it, did
	CreatedAt      time.Time
	At             time.Time // the last time
}

const (
	// letterEvery is the shortest time between two letters, or two messages, about the same thing to the same person. While it is not read
	// they come ever more seldom, as long apart as it has lasted, down to one in letterSeldom.
	letterEvery  = time.Hour
	letterSeldom = 24 * time.Hour
	// How long notifications are kept: read ones, and all.
	keptRead          = 30 * 24 * time.Hour
	keptNotifications = 90 * 24 * time.Hour
	dailyLetterHour   = 8 // in the organization's time zone
)

// notice is what is to be told.
type notice struct {
	kind               NotificationKind
	title, text, link  string
	aboutKind, aboutID string
	instance           string // whose webhooks hear of it
	noMail             bool   // its letter is written by the caller, or would fail as what it tells of
	noWebhook          bool
	noChat             bool
}

// notify tells people of something, inside the transaction of what happened: each once, by their own choice.
func (sc *Scope) notify(tx *gorm.DB, n notice, to []TeamMember) error {
	if len(to) == 0 {
		return nil
	}
	n.title, n.text = sc.store.line(n.title, 300), sc.store.line(n.text, 1000)
	chosen, err := choicesOf(tx, n.kind, to)
	if err != nil {
		return err
	}
	for i := range to {
		u := &to[i].User
		if err := sc.notifyOne(tx, n, u, chosen[u.ID]); err != nil {
			return err
		}
	}
	leaveInbox(tx, sc.Org)
	return nil
}

func (sc *Scope) notifyOne(tx *gorm.DB, n notice, u *User, c NotificationChoice) error {
	now := sc.store.now()
	mine := tx.Where("organization_id = ? AND user_id = ? AND kind = ? AND about_kind = ? AND about_id = ?", sc.Org, u.ID, n.kind, n.aboutKind, n.aboutID)
	last, err := first[Notification](locked(mine.Order("at DESC, id DESC").Limit(1)))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	row := Notification{ID: id.New(), OrganizationID: sc.Org, UserID: u.ID, Kind: n.kind, Title: n.title, Text: n.text, Link: n.link,
		AboutKind: n.aboutKind, AboutID: n.aboutID, Count: 1, CreatedAt: now, At: now}
	begun := now
	if err == nil {
		row.MailedAt, row.ChattedAt = last.MailedAt, last.ChattedAt
		if last.ReadAt == nil {
			begun = last.CreatedAt
		}
	}
	if c.Mail && !u.NoLetters && !n.noMail && sc.store.letters != "" {
		if row.MailAt, err = sc.dueTime(tx, c.Digest, letterWait, begun, row.MailedAt); err != nil {
			return err
		}
	}
	if c.Channel != "" && !n.noChat {
		if row.ChatAt, err = sc.dueTime(tx, c.Digest, 0, begun, row.ChattedAt); err != nil {
			return err
		}
	}
	if last != nil && last.ReadAt == nil {
		set := map[string]any{"count": last.Count + 1, "title": n.title, "text": n.text, "link": n.link, "at": now}
		if last.MailAt == nil {
			set["mail_at"] = row.MailAt
		}
		if last.ChatAt == nil {
			set["chat_at"] = row.ChatAt
		}
		if _, err := changed(tx.Model(&Notification{}).Where("organization_id = ? AND id = ?", sc.Org, last.ID), set); err != nil {
			return err
		}
		row.ID, row.Count, row.CreatedAt = last.ID, last.Count+1, last.CreatedAt
	} else if err := tx.Create(&row).Error; err != nil {
		return err
	}
	if !c.Webhook || n.noWebhook {
		return nil
	}
	once := row.ID + "-" + u.ID + "-" + spell(now.Sub(row.CreatedAt))
	return sc.emit(tx, occurrence{event: NotificationCreated, instance: n.instance, aboutKind: "notification", aboutID: row.ID, once: once, data: func() (map[string]any, error) {
		return map[string]any{"notification_id": row.ID, "kind": n.kind, "title": n.title, "text": n.text, "path": n.link, "count": row.Count, "user_id": u.ID, "user_name": u.Name,
			"about": map[string]any{"kind": n.aboutKind, "id": n.aboutID}}, nil
	}})
}

// spell names the part of a time that something lasts in which it is told to programs once: the first hour, the second, the two after it,
// and so on in doubles; then each day.
func spell(lasted time.Duration) string {
	if lasted >= letterSeldom {
		return "day" + strconv.FormatInt(int64(lasted/letterSeldom), 10)
	}
	return strconv.Itoa(bits.Len64(uint64(max(lasted, 0) / letterEvery)))
}

// dueTime is when a letter or a message is due of what began and was not read: what is not for a digest after the wait, for who may be
// looking, and none sooner after the last one about the same thing than letterEvery allows.
func (sc *Scope) dueTime(tx *gorm.DB, d Digest, wait time.Duration, begun time.Time, last *time.Time) (*time.Time, error) {
	now := sc.store.now()
	at := now.Add(wait)
	switch d {
	case DigestHourly:
		at = now.Truncate(time.Hour).Add(time.Hour)
	case DigestDaily:
		zone, _, err := sc.zone(tx)
		if err != nil {
			return nil, err
		}
		y, m, day := now.In(zone).Date()
		for at = time.Date(y, m, day, dailyLetterHour, 0, 0, 0, zone); !at.After(now); day++ {
			at = time.Date(y, m, day+1, dailyLetterHour, 0, 0, 0, zone)
		}
	}
	if last != nil {
		if next := last.Add(min(max(last.Sub(begun), letterEvery), letterSeldom)); at.Before(next) {
			at = next
		}
	}
	at = at.UTC()
	return &at, nil
}

// overAbout marks as read what tells of something that waits no more, and takes back its letters and messages.
func (s *Store) overAbout(tx *gorm.DB, kind string, ids []string) error {
	_, err := changed(tx.Model(&Notification{}).Where("about_kind = ? AND about_id IN ? AND read_at IS NULL", kind, ids),
		map[string]any{"read_at": s.now(), "mail_at": nil, "chat_at": nil})
	return err
}

// Notifications lists the actor's, the newest first, as the page does: before is the last one that was shown.
func (sc *Scope) Notifications(ctx context.Context, unread bool, before string, limit int) ([]Notification, error) {
	q := sc.mine(sc.read(ctx)).Order("at DESC, id DESC").Limit(limit)
	if unread {
		q = q.Where("read_at IS NULL")
	}
	if before != "" {
		last, err := first[Notification](sc.mine(sc.read(ctx)).Where("id = ?", before))
		if err != nil {
			return nil, err
		}
		q = q.Where("(at < ? OR (at = ? AND id < ?))", last.At, last.At, last.ID)
	}
	return all[Notification](q)
}

func (sc *Scope) mine(db *gorm.DB) *gorm.DB { return db.Where("user_id = ?", sc.Actor.UserID) }

// UnreadNotifications counts those that the actor has not read.
func (sc *Scope) UnreadNotifications(ctx context.Context) (int, error) {
	if sc.Actor.UserID == "" {
		return 0, nil
	}
	var n int64
	err := sc.mine(sc.brief(ctx).Model(&Notification{})).Where("read_at IS NULL").Count(&n).Error
	return int(n), translate(err)
}

// ReadNotification marks one of the actor's as read, and gives it; one that was read stays so.
func (sc *Scope) ReadNotification(ctx context.Context, notificationID string) (*Notification, error) {
	n, err := first[Notification](sc.mine(sc.read(ctx)).Where("id = ?", notificationID))
	if err != nil || n.ReadAt != nil {
		return n, err
	}
	now := sc.store.now()
	n.ReadAt, n.MailAt, n.ChatAt = &now, nil, nil
	return n, sc.markRead(ctx, "id = ?", notificationID)
}

// UnreadNotification makes one of the actor's unread again, as something to come back to.
func (sc *Scope) UnreadNotification(ctx context.Context, notificationID string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		hit, err := changed(sc.mine(tx.Model(&Notification{})).Where("id = ?", notificationID), map[string]any{"read_at": nil})
		if err == nil && !hit {
			err = fault.NotFoundf("notification")
		}
		leaveInbox(tx, sc.Org)
		return err
	})
}

// ReadAllNotifications marks all of the actor's as read.
func (sc *Scope) ReadAllNotifications(ctx context.Context) error { return sc.markRead(ctx, "") }

// SawSession marks as read what tells the actor of a conversation that they are looking at.
func (sc *Scope) SawSession(ctx context.Context, sessionID string) error {
	var n int64
	err := sc.mine(sc.brief(ctx).Model(&Notification{})).Where("about_kind = ? AND about_id = ? AND read_at IS NULL", aboutSession, sessionID).Count(&n).Error
	if err != nil || n == 0 || sc.Actor.UserID == "" {
		return translate(err)
	}
	return sc.markRead(ctx, "about_kind = ? AND about_id = ?", aboutSession, sessionID)
}

// markRead reads those of the actor's that a condition names; "" = all.
func (sc *Scope) markRead(ctx context.Context, where string, args ...any) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		q := sc.mine(tx.Model(&Notification{})).Where("read_at IS NULL")
		if where != "" {
			q = q.Where(where, args...)
		}
		leaveInbox(tx, sc.Org)
		_, err := changed(q, map[string]any{"read_at": sc.store.now(), "mail_at": nil, "chat_at": nil})
		return err
	})
}

// TidyNotifications forgets old ones: read ones after a month, all after three.
func (sy *System) TidyNotifications(ctx context.Context) error {
	now := sy.store.now()
	return translate(sy.write(ctx).Where("at < ? AND (read_at IS NOT NULL OR at < ?)", now.Add(-keptRead), now.Add(-keptNotifications)).Delete(&Notification{}).Error)
}
