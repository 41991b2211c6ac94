package models

import (
	"context"
	"strconv"
	"time"

	"gorm.io/gorm"
)

// A turn that waits for a person tells them by letter: whose message it answers, and who may decide where that person may
// not, or where everybody's money is meant. Letters are rows of the outbox, written in the transaction that parks the
// turn. They leave a minute later: who is looking has decided by then, and a decision takes the letter back.

const (
	letterWait    = time.Minute
	aboutApproval = "approval"
	aboutBudget   = "budget"
)

// SetLetters says whether a person wants a letter when something waits for them.
func (sy *System) SetLetters(ctx context.Context, userID string, wanted bool) error {
	_, err := changed(sy.write(ctx).Model(&User{}).Where("id = ?", userID), map[string]any{"no_letters": !wanted, "updated_at": sy.store.now()})
	return err
}

// tellOfApproval writes to whose turn it is; to those who may approve when that person may not.
func (sc *Scope) tellOfApproval(tx *gorm.DB, letter *Mail, a *Approval) error {
	t, err := first[Turn](tx.Select("created_by").Where("id = ?", a.TurnID))
	if err != nil {
		return err
	}
	team, err := sc.team(tx)
	if err != nil {
		return err
	}
	able := false
	for _, m := range team {
		able = able || m.User.ID == t.CreatedBy && m.Membership.Role.May(CanApprove)
	}
	return sc.tell(tx, letter, team, newDelivery{aboutKind: aboutApproval, aboutID: a.ID, key: aboutApproval + "-" + a.ID, expires: &a.ExpiresAt},
		func(m *TeamMember) bool {
			return m.User.ID == t.CreatedBy || !able && m.Membership.Role.May(CanApprove)
		})
}

// tellOfBudget writes to whose turn it is and to all who may change budgets, once a day for each period and change of the
// budget, however many turns wait for it: a budget in total can be met again long after somebody stopped the first turn.
func (sc *Scope) tellOfBudget(tx *gorm.DB, letter *Mail, turnID string, b *Budget, until *time.Time) error {
	t, err := first[Turn](tx.Select("created_by").Where("id = ?", turnID))
	if err != nil {
		return err
	}
	team, err := sc.team(tx)
	if err != nil {
		return err
	}
	key := aboutBudget + "-" + b.ID + "-" + strconv.FormatInt(b.UpdatedAt.UnixMicro(), 36) + "-" + sc.store.now().Format(time.DateOnly)
	if until != nil {
		key += "-" + strconv.FormatInt(until.Unix(), 36)
	}
	return sc.tell(tx, letter, team, newDelivery{aboutKind: aboutBudget, aboutID: b.ID, key: key, expires: until},
		func(m *TeamMember) bool {
			return m.User.ID == t.CreatedBy || m.Membership.Role.May(CanManageBudgets)
		})
}

// tell writes a letter to those of the team whom it concerns and who want letters: once under one key.
func (sc *Scope) tell(tx *gorm.DB, letter *Mail, team []TeamMember, n newDelivery, concerns func(*TeamMember) bool) error {
	key := n.key
	n.kind, n.payload, n.after = MailDelivery, letter, letterWait
	for i := range team {
		u := &team[i].User
		if u.NoLetters || u.BlockedAt != nil || !concerns(&team[i]) {
			continue
		}
		n.to, n.key = u.Email, key+"-"+u.ID
		if _, err := sc.deliver(tx, n); err != nil {
			return err
		}
	}
	return nil
}
