package models

import (
	"context"
	"encoding/json"
	"strings"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// dueNotifications is how many one sweep looks at.
const dueNotifications = 500

// way is one by which what is due leaves: the columns that say when, and what writes a delivery of several notifications of one person,
// oldest first; it tells whether there was any.
type way struct {
	due, left string
	write     func(sc *Scope, tx *gorm.DB, to *TeamMember, rows []Notification) (bool, error)
}

var (
	byLetter  = way{"mail_at", "mailed_at", (*Scope).writeLetter}
	byMessage = way{"chat_at", "chatted_at", (*Scope).writeMessages}
)

// WriteNotifications writes the letters and messages of notifications that are due: one for each person and organization, of all that was
// not read meanwhile.
func (sy *System) WriteNotifications(ctx context.Context) error {
	if sy.store.letters != "" {
		if err := sy.writeDue(ctx, byLetter); err != nil {
			return err
		}
	}
	return sy.writeDue(ctx, byMessage)
}

func (sy *System) writeDue(ctx context.Context, w way) error {
	due, err := all[Notification](sy.read(ctx).Where(w.due+" <= ?", sy.store.now()).Order(w.due + ", id").Limit(dueNotifications))
	if err != nil {
		return err
	}
	groups, order := map[[2]string][]string{}, [][2]string{}
	for _, n := range due {
		at := [2]string{n.OrganizationID, n.UserID}
		if groups[at] == nil {
			order = append(order, at)
		}
		groups[at] = append(groups[at], n.ID)
	}
	for _, at := range order {
		if err := sy.store.In(at[0]).writeDue(ctx, w, at[1], groups[at]); err != nil {
			return err
		}
	}
	return nil
}

// writeDue writes what one person is sent by a way, and notes that it was.
func (sc *Scope) writeDue(ctx context.Context, w way, userID string, ids []string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		rows, err := all[Notification](locked(tx).Where("id IN ? AND "+w.due+" <= ? AND read_at IS NULL", ids, sc.store.now()).Order("at, id"))
		if err != nil || len(rows) == 0 {
			return err
		}
		set := map[string]any{w.due: nil}
		m, err := sc.member(tx, userID)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		if err == nil && m.User.BlockedAt == nil { // else they left
			written, err := w.write(sc, tx, m, rows)
			if err != nil {
				return err
			}
			if written {
				set[w.left] = sc.store.now()
			}
		}
		found := make([]string, len(rows))
		for n := range rows {
			found[n] = rows[n].ID
		}
		_, err = changed(tx.Model(&Notification{}).Where("id IN ?", found), set)
		return err
	})
}

// writeLetter writes one letter of them, for who wants letters still.
func (sc *Scope) writeLetter(tx *gorm.DB, to *TeamMember, rows []Notification) (bool, error) {
	if to.User.NoLetters {
		return false, nil
	}
	letter, err := sc.letterOf(tx, rows)
	if err == nil {
		_, err = sc.deliver(tx, newDelivery{kind: MailDelivery, to: to.User.Email, aboutKind: "notification", aboutID: rows[0].ID, payload: letter})
	}
	return err == nil, err
}

// writeMessages writes one message of them for each account by which the person wants to be told of their kinds, as far as they are linked
// to such a one here. A call that they may decide is a message of its own, with buttons.
func (sc *Scope) writeMessages(tx *gorm.DB, to *TeamMember, rows []Notification) (bool, error) {
	texts, first, written := map[ChannelKind][]string{}, map[ChannelKind]string{}, false
	for n := range rows {
		chosen, err := choicesOf(tx, rows[n].Kind, []TeamMember{*to})
		if err != nil {
			return false, err
		}
		kind := chosen[to.User.ID].Channel
		asked, err := sc.askLinked(tx, to, kind, &rows[n])
		if err != nil {
			return false, err
		}
		if written = written || asked; asked {
			continue
		}
		if texts[kind] == nil {
			first[kind] = rows[n].ID
		}
		texts[kind] = append(texts[kind], sc.said(&rows[n]))
	}
	for _, kind := range ChannelKinds {
		if texts[kind] == nil {
			continue
		}
		b, err := sc.reachedBy(tx, to.User.ID, kind)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err == nil {
			err = sc.byChannel(tx, b.ChannelID, kind, ChannelPayload{Peer: json.RawMessage(b.Peer), Markdown: strings.Join(texts[kind], "\n\n")}, newDelivery{aboutKind: "notification", aboutID: first[kind]})
		}
		if err != nil {
			return false, err
		}
		written = true
	}
	return written, nil
}

// askLinked asks a person by their account to decide the call that a notification tells of; false where they may not, or it is decided, or
// they have no such account. Who was asked in the conversation that caused it is not asked twice.
func (sc *Scope) askLinked(tx *gorm.DB, to *TeamMember, kind ChannelKind, n *Notification) (bool, error) {
	if n.AboutKind != aboutApproval || !to.Membership.Role.May(CanApprove) {
		return false, nil
	}
	a, err := first[Approval](tx.Where("id = ? AND status = ?", n.AboutID, ApprovalPending))
	if err != nil {
		return false, unlessNotFound(err)
	}
	b, err := sc.reachedBy(tx, to.User.ID, kind)
	if err != nil {
		return false, unlessNotFound(err)
	}
	var asked int64
	if err := tx.Model(&ChannelButton{}).Where("approval_id = ? AND user_id = ?", a.ID, to.User.ID).Count(&asked).Error; err != nil || asked > 0 {
		return asked > 0, err
	}
	p, d := a.question(sc.nameOf(tx, a.InstanceID) + " would like")
	p.Peer = json.RawMessage(b.Peer)
	if err := sc.putButtons(tx, a, b.ChannelID, to.User.ID, &p, &d); err != nil {
		return false, err
	}
	p.Markdown += "\n\n" + sc.store.public + "/notifications/" + n.ID
	return true, sc.byChannel(tx, b.ChannelID, kind, p, d)
}

func unlessNotFound(err error) error {
	if fault.Is(err, fault.NotFound) {
		return nil
	}
	return err
}

// said is a notification as a message: what others wrote into it stays text.
func (sc *Scope) said(n *Notification) string {
	out := "**" + plainMarkdown.Replace(n.Title) + "**" + times(n.Count)
	if n.Text != "" {
		out += "\n\n" + plainMarkdown.Replace(n.Text)
	}
	return out + "\n\n" + sc.store.public + "/notifications/" + n.ID
}

var plainMarkdown = func() *strings.Replacer {
	pairs := []string{}
	for _, c := range "\\`*_{}[]()<>#+-.!|~@:/" {
		pairs = append(pairs, string(c), "\\"+string(c))
	}
	return strings.NewReplacer(append(pairs, "\n", " ")...)
}()

// reachedBy finds the account by which a person can be written to: one that works before one that does not, then the newest link.
func (sc *Scope) reachedBy(tx *gorm.DB, userID string, kind ChannelKind) (*ChannelBinding, error) {
	links, err := all[ChannelBinding](tx.Where("user_id = ? AND kind = ? AND peer <> ''", userID, kind).Order("created_at DESC, id DESC"))
	if err != nil {
		return nil, err
	}
	var best *ChannelBinding
	for n := range links {
		ch, err := first[Channel](tx.Select("id", "state").Where("id = ?", links[n].ChannelID))
		if err != nil {
			return nil, err
		}
		if ch.State == ChannelConnected {
			return &links[n], nil
		}
		if ch.State != ChannelOff && best == nil {
			best = &links[n]
		}
	}
	if best == nil {
		return nil, fault.NotFoundf("binding")
	}
	return best, nil
}

// LinkedKinds lists by which kinds of channels the actor can be written to here.
func (sc *Scope) LinkedKinds(ctx context.Context) ([]ChannelKind, error) {
	out := []ChannelKind{}
	for _, kind := range ChannelKinds {
		_, err := sc.reachedBy(sc.read(ctx), sc.Actor.UserID, kind)
		if fault.Is(err, fault.NotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		out = append(out, kind)
	}
	return out, nil
}
