package models

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// MessageStatus is how far a message got.
type MessageStatus string

// The statuses: it waits; the agent has it, or it has left to the person; the agent is answering it.
const (
	MessagePending   MessageStatus = "pending"
	MessageDelivered MessageStatus = "delivered"
	MessageRead      MessageStatus = "read"
)

// MessageStatuses lists them in order.
var MessageStatuses = []MessageStatus{MessagePending, MessageDelivered, MessageRead}

// MessageRow is a message with its words and how far it got.
type MessageRow struct {
	Message
	Text   string
	Status MessageStatus
	Given  *time.Time // when it was delivered
	ReadAt *time.Time
}

// MessageFilter narrows a list; zero fields do not.
type MessageFilter struct {
	Before  string // a message's id: those that came earlier, newest first
	After   string // those that came later, oldest first
	Status  MessageStatus
	Channel string
	Limit   int // 0 = 50
}

func (f *MessageFilter) check() error {
	var is fault.Issues
	if f.Status != "" && !slices.Contains(MessageStatuses, f.Status) {
		is.NotOneOf("status", string(f.Status), words(MessageStatuses)...)
	}
	if f.Channel != "" && !slices.Contains(MessageChannels, f.Channel) {
		is.NotOneOf("channel", f.Channel, MessageChannels...)
	}
	if f.Before != "" && f.After != "" {
		is.Custom("before", "before and after exclude each other")
	}
	if f.Limit == 0 {
		f.Limit = 50
	}
	return is.Err()
}

// messageTurns joins a message with the turn that answers it: its own, or the one that answers it together with others.
const messageTurns = ` JOIN turns o ON o.id = m.turn_id JOIN turns t ON t.id = CASE WHEN o.joined_to = '' THEN o.id ELSE o.joined_to END
	WHERE m.organization_id = ? AND m.instance_id = ?`

// runMessages are what schedules and triggers say, until the turn has ended: then they have rows (keepRunMessages). Ten thousand that fall
// due in one second need not be written twice.
const runMessages = `SELECT e.id, r.organization_id, r.instance_id, r.session_id, r.id AS turn_id, e.seq, 'user' AS role, 'api' AS channel, '' AS channel_id,
	r.created_by AS person_id, 'collect' AS queue_mode, '' AS reply_to_id, '{"automation_id":"' || r.automation_id || '"}' AS metadata, '' AS peer, NULL AS delivered_at, e.created_at
	FROM turns r JOIN events e ON e.session_id = r.session_id AND e.seq = r.input_seq WHERE r.automation_id <> '' AND r.` + isOpen

// allMessages are both.
const allMessages = ` FROM (SELECT id, organization_id, instance_id, session_id, turn_id, seq, role, channel, channel_id, person_id, queue_mode, reply_to_id, metadata, peer, delivered_at, created_at
	FROM messages UNION ALL ` + runMessages + `) m`

// keepRunMessages writes the rows of a run's message and of its answer in the transaction that ends its turn.
func (sc *Scope) keepRunMessages(tx *gorm.DB, t *Turn, e TurnEnded) error {
	said, err := first[Event](tx.Where("session_id = ? AND seq = ?", t.SessionID, t.InputSeq))
	if err != nil {
		return err
	}
	asked := Message{ID: said.ID, OrganizationID: sc.Org, InstanceID: t.InstanceID, SessionID: t.SessionID, TurnID: t.ID, Seq: said.Seq, Role: FromUser, Channel: APIChannel,
		PersonID: t.CreatedBy, QueueMode: Collect, Metadata: `{"automation_id":"` + t.AutomationID + `"}`, CreatedAt: said.CreatedAt}
	if err := tx.Create(&asked).Error; err != nil || e.State != TurnDone {
		return err
	}
	_, err = sc.keepAnswer(tx, t, &asked)
	return err
}

// MessageOf names the message that a turn answers.
func (sc *Scope) MessageOf(ctx context.Context, turnID string) (string, error) {
	ids, err := sc.MessagesOf(ctx, []string{turnID})
	return ids[turnID], err
}

// MessagesOf names the messages that turns answer, by turn; of one that is gone there is none.
func (sc *Scope) MessagesOf(ctx context.Context, turnIDs []string) (map[string]string, error) {
	out := map[string]string{}
	if len(turnIDs) == 0 {
		return out, nil
	}
	rows, err := all[Event](sc.read(ctx).Select("id", "turn_id").Where("turn_id IN ? AND kind = ?", turnIDs, KindUser))
	for _, e := range rows {
		out[*e.TurnID] = e.ID
	}
	return out, err
}

// messageStatus is how far a message got. One that only waits for a budget was not taken up.
const messageStatus = `CASE WHEN m.role = 'assistant' THEN CASE WHEN m.delivered_at IS NULL THEN 'pending' ELSE 'delivered' END
	WHEN t.first_token_at IS NOT NULL OR t.ended_at IS NOT NULL THEN 'read'
	WHEN t.started_at IS NOT NULL AND NOT (t.waits_for = 'budget' AND t.steps = 0) THEN 'delivered' ELSE 'pending' END`

// messageRead is a message beside the times of its turn.
type messageRead struct {
	Message
	Status                                       MessageStatus
	TurnStartedAt, TurnFirstTokenAt, TurnEndedAt *time.Time
}

func (r *messageRead) row() MessageRow {
	out := MessageRow{Message: r.Message, Status: r.Status}
	switch {
	case r.Role == FromAssistant:
		out.Given = r.DeliveredAt
	case r.Status != MessagePending:
		out.Given = cmp.Or(r.TurnStartedAt, r.TurnEndedAt)
	}
	if r.Status == MessageRead {
		out.ReadAt = cmp.Or(r.TurnFirstTokenAt, r.TurnEndedAt)
	}
	return out
}

// Messages lists those of an instance, and tells whether there are more beyond.
func (sc *Scope) Messages(ctx context.Context, instanceID string, f MessageFilter) ([]MessageRow, bool, error) {
	if err := f.check(); err != nil {
		return nil, false, err
	}
	where, args := []string{}, []any{sc.Org, instanceID}
	narrow := func(condition string, v string) {
		if v != "" {
			where, args = append(where, condition), append(args, v)
		}
	}
	narrow("m.channel = ?", f.Channel)
	narrow("m.id < ?", f.Before)
	narrow("m.id > ?", f.After)
	narrow(messageStatus+" = ?", string(f.Status))
	order, compare := " ORDER BY m.id DESC LIMIT ?", func(a, b messageRead) int { return cmp.Compare(b.ID, a.ID) }
	if f.After != "" {
		order, compare = " ORDER BY m.id LIMIT ?", func(a, b messageRead) int { return cmp.Compare(a.ID, b.ID) }
	}
	tail := strings.Join(append([]string{""}, where...), " AND ") + order
	list, err := sc.readMessages(ctx, func(one string) string { return one + tail }, append(args, f.Limit+1)...)
	if err != nil {
		return nil, false, err
	}
	slices.SortFunc(list, compare)
	rows := []MessageRow{}
	for n := range list[:min(len(list), f.Limit)] {
		rows = append(rows, list[n].row())
	}
	return rows, len(list) > f.Limit, sc.readWords(ctx, rows)
}

// MessagesWith lists the latest of an instance with each of some people, newest first and at most each of one, by person.
func (sc *Scope) MessagesWith(ctx context.Context, instanceID string, people []string, each int) (map[string][]MessageRow, error) {
	out := map[string][]MessageRow{}
	if len(people) == 0 {
		return out, nil
	}
	args := []any{}
	for _, person := range people {
		args = append(args, sc.Org, instanceID, person, each)
	}
	list, err := sc.readMessages(ctx, func(one string) string {
		some := make([]string, len(people))
		for n := range some {
			some[n] = "SELECT * FROM (" + one + " AND m.person_id = ? ORDER BY m.id DESC LIMIT ?) p" + strconv.Itoa(n)
		}
		return strings.Join(some, " UNION ALL ")
	}, args...)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(list, func(a, b messageRead) int { return cmp.Compare(b.ID, a.ID) })
	rows, counted := []MessageRow{}, map[string]int{}
	for n := range list {
		if counted[list[n].PersonID]++; counted[list[n].PersonID] <= each {
			rows = append(rows, list[n].row())
		}
	}
	if err := sc.readWords(ctx, rows); err != nil {
		return nil, err
	}
	for _, r := range rows {
		out[r.PersonID] = append(out[r.PersonID], r)
	}
	return out, nil
}

// readMessages asks for messages that have rows and for those of runs, each by an index: one query of both would sort all. query makes the
// statement of one that begins it.
func (sc *Scope) readMessages(ctx context.Context, query func(one string) string, args ...any) ([]messageRead, error) {
	list := []messageRead{}
	for _, of := range []string{" FROM messages m", " FROM (" + runMessages + ") m"} {
		some := []messageRead{}
		one := "SELECT m.*, t.started_at AS turn_started_at, t.first_token_at AS turn_first_token_at, t.ended_at AS turn_ended_at, " + messageStatus + " AS status" + of + messageTurns
		if err := sc.raw(ctx).Raw(query(one), args...).Scan(&some).Error; err != nil {
			return nil, translate(err)
		}
		list = append(list, some...)
	}
	return list, nil
}

// raw is for one statement that names the organization itself.
func (sc *Scope) raw(ctx context.Context) *gorm.DB {
	db := sc.read(ctx)
	return db.WithContext(rawContext(db.Statement.Context))
}

// readWords fills in the texts from the log.
func (sc *Scope) readWords(ctx context.Context, rows []MessageRow) error {
	ids := make([]string, len(rows))
	for n := range rows {
		ids[n] = rows[n].ID
	}
	if len(ids) == 0 {
		return nil
	}
	events, err := all[Event](sc.read(ctx).Where("id IN ?", ids))
	if err != nil {
		return err
	}
	texts := map[string]string{}
	for _, e := range events {
		if texts[e.ID], err = e.words(); err != nil {
			return err
		}
	}
	for n := range rows {
		rows[n].Text = texts[rows[n].ID]
	}
	return nil
}

// words is what was said in an event of a message.
func (e *Event) words() (string, error) {
	if e.Kind == KindUser {
		m, err := Decode[UserMessage](*e)
		return m.Text, err
	}
	m, err := Decode[AssistantMessage](*e)
	return m.Text, err
}

// Counterparty is somebody whom an agent talks to by channels, with how much was said.
type Counterparty struct {
	PersonID string // user; "" = a program with the agent's own token
	Name     string
	Total    int
	Unread   int // of theirs, that the agent has not taken up
	LastAt   time.Time
}

// Counterparties lists whom an instance talks to, the latest first, before a time (zero: from now), and tells whether there are more.
func (sc *Scope) Counterparties(ctx context.Context, instanceID string, before time.Time, limit int) ([]Counterparty, bool, error) {
	args, having := []any{sc.Org, instanceID}, ""
	if !before.IsZero() {
		having, args = " HAVING max(m.created_at) < ?", append(args, before)
	}
	list := []struct {
		PersonID, LastID string
		Total, Unread    int
	}{}
	err := sc.raw(ctx).Raw("SELECT m.person_id, max(m.id) AS last_id, count(*) AS total, sum(CASE WHEN m.role = 'user' AND "+messageStatus+" <> 'read' THEN 1 ELSE 0 END) AS unread"+
		allMessages+messageTurns+" GROUP BY m.person_id"+having+" ORDER BY last_id DESC LIMIT ?", append(args, limit+1)...).Scan(&list).Error
	if err != nil {
		return nil, false, translate(err)
	}
	out, last := []Counterparty{}, []string{}
	for _, row := range list[:min(len(list), limit)] {
		out, last = append(out, Counterparty{PersonID: row.PersonID, Total: row.Total, Unread: row.Unread}), append(last, row.LastID)
	}
	said, err := all[Event](sc.read(ctx).Select("id", "created_at").Where("id IN ?", last)) // a maximum of times has no type in SQLite
	if err != nil {
		return nil, false, err
	}
	for _, e := range said {
		out[slices.Index(last, e.ID)].LastAt = e.CreatedAt
	}
	return out, len(list) > limit, sc.namePeople(ctx, out)
}

func (sc *Scope) namePeople(ctx context.Context, list []Counterparty) error {
	team, err := sc.team(sc.read(ctx))
	if err != nil {
		return err
	}
	names := map[string]string{}
	for _, m := range team {
		names[m.User.ID] = strings.TrimSpace(m.User.Name)
	}
	for n := range list {
		list[n].Name = names[list[n].PersonID]
	}
	return nil
}

// CountMessages counts what went in and out of instances by channels, by instance.
func (sc *Scope) CountMessages(ctx context.Context, instanceIDs []string) (map[string]int, error) {
	list := []struct {
		InstanceID string
		N          int
	}{}
	out := map[string]int{}
	if len(instanceIDs) == 0 {
		return out, nil
	}
	err := sc.raw(ctx).Raw("SELECT m.instance_id, count(*) AS n"+allMessages+" WHERE m.organization_id = ? AND m.instance_id IN ? GROUP BY m.instance_id", sc.Org, instanceIDs).Scan(&list).Error
	for _, row := range list {
		out[row.InstanceID] = row.N
	}
	return out, translate(err)
}
