package models

import (
	"slices"
	"strconv"

	"gorm.io/gorm"
)

// Who is told of what, and in which words. Each of these is called in the transaction of what happened.

const (
	aboutSession    = "session"
	aboutAutomation = "automation"
	aboutInstance   = "instance"
	aboutWebhook    = "webhook"
	aboutMail       = "mail"
)

// told gives those of the organization that a condition names. Blocked people are told nothing.
func (sc *Scope) told(tx *gorm.DB, concerns func(*TeamMember) bool) ([]TeamMember, error) {
	team, err := sc.team(tx)
	if err != nil {
		return nil, err
	}
	out := []TeamMember{}
	for n := range team {
		if team[n].User.BlockedAt == nil && concerns(&team[n]) {
			out = append(out, team[n])
		}
	}
	return out, nil
}

// makerOrOwners gives who made something while they are a member, else the owners: somebody is always reached.
func (sc *Scope) makerOrOwners(tx *gorm.DB, userID string) ([]TeamMember, error) {
	team, err := sc.told(tx, func(m *TeamMember) bool { return m.User.ID == userID || m.Membership.Role == Owner })
	for n := range team {
		if team[n].User.ID == userID {
			return team[n : n+1], err
		}
	}
	if err == nil && len(team) == 0 { // even the owner is blocked
		return sc.told(tx, func(*TeamMember) bool { return true })
	}
	return team, err
}

// runFailed tells of a run that failed, whether it began or not: who made the automation, and programs. People are told by a digest;
// programs of each run, since they may count, and of how many failed in a row, since they may not.
func (sc *Scope) runFailed(tx *gorm.DB, run *AutomationRun) error {
	a, err := first[Automation](tx.Omit(notShown...).Where("id = ?", run.AutomationID))
	if err != nil {
		return err
	}
	err = sc.emit(tx, occurrence{event: RunFailedEvent, instance: a.InstanceID, aboutKind: "run", aboutID: run.ID, data: func() (map[string]any, error) {
		failures, err := sc.failuresOf(tx, a.ID)
		return map[string]any{"failures": failures, "run_id": run.ID, "automation_id": a.ID, "automation_name": a.Name, "instance_id": a.InstanceID, "session_id": run.SessionID, "turn_id": run.TurnID,
			"cause": run.Cause, "due_at": run.DueAt.UTC(), "reason": run.Reason}, err
	}})
	if err != nil {
		return err
	}
	to, err := sc.makerOrOwners(tx, a.CreatedBy)
	if err != nil {
		return err
	}
	return sc.notify(tx, notice{kind: NoteRunFailed, title: "A run of \u201c" + a.Name + "\u201d failed", text: run.Reason, link: "/automations/" + a.ID,
		aboutKind: aboutAutomation, aboutID: a.ID, instance: a.InstanceID}, to)
}

// turnEnded tells programs of a message that was answered or not, and a person of one of theirs that was not. The run of
// an automation is told of as one.
func (sc *Scope) turnEnded(tx *gorm.DB, t *Turn, e TurnEnded) error {
	event := MessageCompleted
	switch e.State {
	case TurnDone:
		if t.JoinedTo != "" || e.Quiet { // another turn answers it, or there is nothing to report
			return nil
		}
	case TurnFailed:
		event = MessageFailed
	default:
		return nil
	}
	err := sc.emit(tx, occurrence{event: event, instance: t.InstanceID, aboutKind: "turn", aboutID: t.ID, data: func() (map[string]any, error) {
		data := aboutTurnOf(t)
		data["model"], data["input_tokens"], data["output_tokens"], data["cost_usd"], data["ms"] = e.Model, e.InputTokens, e.OutputTokens, Dollars(e.CostNanos), e.Millis
		if event == MessageFailed {
			data["reason"], data["code"] = e.Reason, e.Code
			return data, nil
		}
		text, err := sc.answerOf(tx, t.ID)
		data["text"], data["truncated"] = clip(text, webhookText), len(text) > webhookText
		return data, err
	}})
	if err != nil || event != MessageFailed || t.AutomationID != "" || t.CreatedBy == "" || t.KeyID != "" {
		return err
	}
	to, err := sc.told(tx, func(m *TeamMember) bool { return m.User.ID == t.CreatedBy })
	if err != nil {
		return err
	}
	return sc.notify(tx, notice{kind: NoteMessageFailed, title: sc.nameOf(tx, t.InstanceID) + " could not answer you", text: e.Reason, link: "/chat/" + t.SessionID,
		aboutKind: aboutSession, aboutID: t.SessionID, instance: t.InstanceID}, to)
}

// nameOf is an instance's name, for a sentence.
func (sc *Scope) nameOf(tx *gorm.DB, instanceID string) string {
	i, err := first[Instance](tx.Select("id", "name").Where("organization_id = ? AND id = ?", sc.Org, instanceID))
	if err != nil {
		return "An agent"
	}
	return i.Name
}

// agentFailed tells of an instance that went into ERROR.
func (sc *Scope) agentFailed(tx *gorm.DB, i *Instance, reason string) error {
	reason = sc.store.line(reason, 1000)
	err := sc.emit(tx, occurrence{event: AgentError, instance: i.ID, aboutKind: aboutInstance, aboutID: i.ID, data: func() (map[string]any, error) {
		return map[string]any{"instance_id": i.ID, "instance_name": i.Name, "reason": reason}, nil
	}})
	if err != nil {
		return err
	}
	to, err := sc.makerOrOwners(tx, i.CreatedBy)
	if err != nil {
		return err
	}
	return sc.notify(tx, notice{kind: NoteAgentError, title: i.Name + " is in ERROR", text: reason, link: "/instances/" + i.ID, aboutKind: aboutInstance, aboutID: i.ID, instance: i.ID}, to)
}

// tellOfDead tells an organization's admins that something could not be delivered, and who did not get a letter that they
// would have. None of it goes by letter when a letter is what died, none by a
// channel when that did, and none by webhook.
func (sy *System) tellOfDead(tx *gorm.DB, d *Delivery) error {
	if d.OrganizationID == "" || d.AboutKind == aboutTest {
		return nil
	}
	sc := sy.store.In(d.OrganizationID)
	to, err := sc.told(tx, func(m *TeamMember) bool {
		return m.Membership.Role.May(CanManageWebhooks) || d.Kind == MailDelivery && m.User.Email == d.Destination
	})
	if err != nil {
		return err
	}
	n := notice{kind: NoteDeliveryDead, title: "An email to " + d.Destination + " could not be delivered", text: d.Reason, link: "/deliveries/" + d.ID,
		aboutKind: aboutMail, aboutID: d.Destination, noMail: true, noWebhook: true}
	switch d.Kind {
	case MailDelivery:
	case ChannelDelivery:
		kind, _ := d.Service()
		n.title, n.text = "A message by "+ChannelKind(kind).Title()+" could not be delivered", d.Trouble()
		n.aboutKind, n.aboutID, n.noMail, n.noChat = string(d.Kind), d.TargetID, false, true
	default:
		n.title, n.aboutKind, n.aboutID, n.noMail = "A delivery to "+d.Destination+" failed for good", string(d.Kind), d.TargetID, false
		if d.LastError != "" {
			n.text += ": " + d.LastError
		}
	}
	return sc.notify(tx, n, to)
}

// tellOfWebhookOff tells who made an endpoint that it was switched off.
func (sc *Scope) tellOfWebhookOff(tx *gorm.DB, e *WebhookEndpoint, why string) error {
	to, err := sc.makerOrOwners(tx, e.CreatedBy)
	if err != nil {
		return err
	}
	return sc.notify(tx, notice{kind: NoteWebhookOff, title: "The webhook \u201c" + e.Name + "\u201d was switched off", text: why, link: "/settings/webhooks/" + e.ID,
		aboutKind: aboutWebhook, aboutID: e.ID, noWebhook: true}, to)
}

// tellOfHold tells those whose automations were held back, or go on, and who may change that; not who did it.
func (sc *Scope) tellOfHold(tx *gorm.DB, instanceID, name, what string) error {
	where, args := ofInstance(instanceID)
	makers := []string{}
	if err := tx.Model(&Automation{}).Distinct("created_by").Where("state = ?", AutomationActive).Where(where, args...).Pluck("created_by", &makers).Error; err != nil {
		return err
	}
	to, err := sc.told(tx, func(m *TeamMember) bool {
		return m.User.ID != sc.Actor.UserID && (slices.Contains(makers, m.User.ID) || m.Membership.Role.May(CanEditSettings))
	})
	if err != nil {
		return err
	}
	if instanceID == "" {
		name = "All automations of " + name
	} else {
		name = "The automations of " + name
	}
	return sc.notify(tx, notice{kind: NoteHold, title: name + " " + what, text: "By " + sc.Actor.label() + ".", link: "/automations", aboutKind: "hold", aboutID: holdID(sc.Org, instanceID), instance: instanceID}, to)
}

// approvalRequested tells programs that a call waits. What the call is given stays here: it may hold a secret.
func (sc *Scope) approvalRequested(tx *gorm.DB, a *Approval) error {
	return sc.emit(tx, occurrence{event: ApprovalRequested, instance: a.InstanceID, aboutKind: aboutApproval, aboutID: a.ID, data: func() (map[string]any, error) {
		return map[string]any{"approval_id": a.ID, "instance_id": a.InstanceID, "session_id": a.SessionID, "turn_id": a.TurnID, "tool": a.Tool, "rule": a.RuleName,
			"expires_at": a.ExpiresAt.UTC()}, nil
	}})
}

// letterOf is the letter of some notifications, oldest first.
func (sc *Scope) letterOf(tx *gorm.DB, rows []Notification) (*Mail, error) {
	o, err := first[Organization](tx.Select("id", "name").Where("id = ?", sc.Org))
	if err != nil {
		return nil, err
	}
	m := &Mail{Subject: rows[0].Title + times(rows[0].Count)}
	if len(rows) > 1 {
		m.Subject = strconv.Itoa(len(rows)) + " notifications from " + o.Name
	}
	for _, n := range rows {
		m.Text += n.Title + times(n.Count) + "\n"
		if n.Text != "" {
			m.Text += n.Text + "\n"
		}
		m.Text += sc.store.letters + "/notifications/" + n.ID + "\n\n"
	}
	m.Text += "Choose what you get emails about: " + sc.store.letters + "/notifications/preferences\n"
	return m, nil
}

func times(n int) string {
	if n < 2 {
		return ""
	}
	return " (" + strconv.Itoa(n) + " times)"
}
