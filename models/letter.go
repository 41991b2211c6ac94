package models

import (
	"context"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"
)

// A turn that waits for a person tells them: whose message it answers, and who may decide where that person may
// not, or where everybody's money is meant. They are notified, and letters are rows of the outbox, written in the transaction that
// parks the turn. They leave a minute later: who is looking has decided by then, and a decision takes the letter back.

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

// tellOfApproval tells whose turn it is; those who may approve when that person may not.
func (sc *Scope) tellOfApproval(tx *gorm.DB, letter *Mail, a *Approval) error {
	t, err := first[Turn](tx.Select("created_by").Where("id = ?", a.TurnID))
	if err != nil {
		return err
	}
	if err := sc.approvalRequested(tx, a); err != nil {
		return err
	}
	able := false
	team, err := sc.told(tx, func(m *TeamMember) bool {
		able = able || m.User.ID == t.CreatedBy && m.Membership.Role.May(CanApprove)
		return true
	})
	if err != nil {
		return err
	}
	team = slices.DeleteFunc(team, func(m TeamMember) bool {
		return m.User.ID != t.CreatedBy && (able || !m.Membership.Role.May(CanApprove))
	})
	return sc.tell(tx, letter, team, notice{kind: NoteApproval, title: sc.nameOf(tx, a.InstanceID) + " wants to run " + a.Tool, text: "It waits for a decision.", link: "/approvals", instance: a.InstanceID},
		newDelivery{aboutKind: aboutApproval, aboutID: a.ID, key: aboutApproval + "-" + a.ID, expires: &a.ExpiresAt})
}

// tellOfBudget tells whose turn it is and all who may change budgets. Letters go once a day for each
// period and change of the budget, however many turns wait for it: a budget in total can be met again long after somebody
// stopped the first turn.
func (sc *Scope) tellOfBudget(tx *gorm.DB, letter *Mail, turnID string, b *Budget, until *time.Time) error {
	t, err := first[Turn](tx.Where("id = ?", turnID))
	if err != nil {
		return err
	}
	key := aboutBudget + "-" + b.ID + "-" + strconv.FormatInt(b.UpdatedAt.UnixMicro(), 36) + "-" + sc.store.now().Format(time.DateOnly)
	if until != nil {
		key += "-" + strconv.FormatInt(until.Unix(), 36)
	}
	c := Charge{InstanceID: t.InstanceID, SessionID: t.SessionID, TurnID: t.ID, MemberID: t.CreatedBy, KeyID: t.KeyID, ScheduleID: t.AutomationID}
	if err := sc.budgetReached(tx, &c, b, until); err != nil {
		return err
	}
	team, err := sc.told(tx, func(m *TeamMember) bool {
		return m.User.ID == t.CreatedBy || m.Membership.Role.May(CanManageBudgets)
	})
	if err != nil {
		return err
	}
	return sc.tell(tx, letter, team, notice{kind: NoteBudget, title: sc.nameOf(tx, t.InstanceID) + " has reached a budget", text: "It has paused in the middle of its work.", link: "/approvals", instance: t.InstanceID},
		newDelivery{aboutKind: aboutBudget, aboutID: b.ID, key: key, expires: until})
}

// tell notifies people, and writes the letter to those who want it at once: it says more than a notification does, and is
// taken back by a decision. Who wants a digest has it in there.
func (sc *Scope) tell(tx *gorm.DB, letter *Mail, team []TeamMember, n notice, d newDelivery) error {
	n.aboutKind, n.aboutID = d.aboutKind, d.aboutID
	chosen, err := choicesOf(tx, n.kind, team)
	if err != nil {
		return err
	}
	key := d.key
	d.kind, d.payload, d.after = MailDelivery, letter, letterWait
	for i := range team {
		u := &team[i].User
		c := chosen[u.ID]
		n.noMail = c.Digest == DigestOnce
		if err := sc.notify(tx, n, team[i:i+1]); err != nil {
			return err
		}
		if letter == nil || u.NoLetters || !c.Mail || c.Digest != DigestOnce {
			continue
		}
		d.to, d.key = u.Email, key+"-"+u.ID
		if _, err := sc.deliver(tx, d); err != nil {
			return err
		}
	}
	return nil
}
