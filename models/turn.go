package models

import (
	"context"
	"path"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Turn is one question and everything done to answer it.
type Turn struct {
	ID             string
	OrganizationID string
	SessionID      string
	InstanceID     string
	Source         string // page, agent-api, …: where it came in
	State          TurnState
	Attempt        int // bumped by every claim: the fencing token of its writer
	LeaseOwner     string
	LeaseUntil     *time.Time
	InputSeq       int64
	Reason         string
	Provider       string
	Model          string
	Steps          int
	InputTokens    int
	OutputTokens   int
	ContextTokens  int
	CostNanos      int64
	ToolCalls      int // that have a result
	ToolFailures   int // of those, in error
	TokensSaved    int // by the cache, which gave the answer when this is not 0
	CreatedBy      string
	KeyID          string     // of the key that sent the message
	AutomationID   string     // whose run it is
	Channel        string     // of a message: by which way it came
	QueueMode      QueueMode  // of a message by a channel
	JoinedTo       string     // the turn that answers its message together with its own
	WaitsFor       WaitReason // of a parked turn
	WaitUntil      *time.Time // when a parked turn is tried again by itself; nil = when somebody decides
	CreatedAt      time.Time
	StartedAt      *time.Time
	FirstTokenAt   *time.Time
	EndedAt        *time.Time
}

// isOpen holds for turns that have not ended, in the words of the index turns_pending.
const isOpen = "state IN ('queued', 'running', 'waiting_approval', 'interrupting')"

// Limits of one message.
const (
	MaxMessage     = 1 << 20  // bytes of text
	MaxAttachment  = 20 << 20 // bytes of one file
	MaxAttachments = 10
	MaxQueued      = 50 // turns that wait in one session
	MaxOwnTurns    = 8  // of an instance at a time that were asked for with its own token
)

// Input is what starts a turn.
type Input struct {
	Text        string
	Attachments []Upload
	Source      string
	Own         bool        // the instance's own token asks: TooMany turn.own while MaxOwnTurns such turns are open
	Message     *NewMessage // it comes by a channel, and its answer leaves by it
	Once        bool        // TooMany message.duplicate while a turn of the session is open that was told the same
}

// Upload is a file that comes with a message.
type Upload struct {
	Name      string
	MediaType string
	Data      []byte
}

// Attachment is a stored upload; the worker puts it into the workspace before the turn.
type Attachment struct {
	ID             string
	OrganizationID string
	SessionID      string
	TurnID         string
	Name           string
	MediaType      string
	Path           string
	Size           int64
	Data           []byte
	CreatedAt      time.Time
}

func (in *Input) check() error {
	var is fault.Issues
	CheckText(&is, "message", in.Text, MaxMessage)
	if strings.TrimSpace(in.Text) == "" && len(in.Attachments) == 0 {
		is.Required("message", "string")
	}
	if len(in.Attachments) > MaxAttachments {
		is.Custom("attachments", "At most 10 files can be attached")
	}
	for _, a := range in.Attachments {
		CheckText(&is, "attachments", a.Name, 255)
		if len(a.Data) > MaxAttachment {
			is.Custom("attachments", "A file can have at most 20 MB")
		}
	}
	if in.Message != nil {
		in.Message.check(&is)
	}
	return is.Err()
}

// StartTurn accepts a message: the turn, its first event and its files are written together or not at all.
// The caller hints the workers after; a lost hint is found by the sweep.
func (sc *Scope) StartTurn(ctx context.Context, sessionID string, in Input) (*Turn, *Event, error) {
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	if err := sc.AgentsOn(ctx); err != nil {
		return nil, nil, err
	}
	now := sc.store.now()
	turn := &Turn{ID: id.New(), OrganizationID: sc.Org, SessionID: sessionID, Source: in.Source, State: TurnQueued,
		CreatedBy: sc.Actor.UserID, KeyID: sc.Actor.KeyID, CreatedAt: now}
	if in.Message != nil {
		turn.Channel, turn.QueueMode = in.Message.Channel, in.Message.QueueMode
	}
	var event *Event
	err := sc.budgeted(ctx, sc.tx, func(tx *gorm.DB) error {
		var err error
		event, err = sc.acceptTurn(tx, turn, in)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	return turn, event, nil
}

// acceptTurn writes a new turn with its first event and its files, inside a transaction that meets budgets.
func (sc *Scope) acceptTurn(tx *gorm.DB, turn *Turn, in Input) (*Event, error) {
	s, err := first[Session](locked(tx).Where("id = ?", turn.SessionID))
	if err != nil {
		return nil, err
	}
	if err := mayQueue(tx, s); err != nil {
		return nil, err
	}
	if in.Own {
		if err := mayAskItself(tx, s, in.Source); err != nil {
			return nil, err
		}
	}
	if in.Once {
		if err := notTwice(tx, s, in.Text); err != nil {
			return nil, err
		}
	}
	turn.InstanceID, turn.InputSeq = s.InstanceID, s.LastSeq+1
	if err := tx.Create(turn).Error; err != nil {
		return nil, err
	}
	if err := sc.countMessage(tx, turn); err != nil {
		return nil, err
	}
	notes, err := sc.attach(tx, turn, in.Attachments)
	if err != nil {
		return nil, err
	}
	events, err := sc.appendEvents(tx, turn.SessionID, &turn.ID, 0, UserMessage{Text: in.Text, Attachments: notes, Source: in.Source, By: sc.Actor.Name})
	if err != nil {
		return nil, err
	}
	if in.Message != nil {
		err = sc.noteMessage(tx, turn, &events[0], in.Message)
	}
	return &events[0], err
}

func mayQueue(tx *gorm.DB, s *Session) error {
	i, err := first[Instance](tx.Select("id", "organization_id", "state", "desired").Where("id = ?", s.InstanceID))
	if err != nil {
		return err
	}
	if i.Desired == WantDeleted {
		return fault.New(fault.Conflict, "instance.deleting", "This instance is being deleted and takes no messages")
	}
	if i.State == Suspended {
		o, err := first[Organization](tx.Where("id = ?", i.OrganizationID))
		if err == nil {
			err = o.stands()
		}
		if err != nil {
			return err
		}
		return fault.New(fault.Conflict, "instance.state", "This instance is suspended and takes no messages")
	}
	if i.Desired == WantStopped {
		return fault.New(fault.Conflict, "instance.stopped", "This instance is stopped").Hinting("Start it, then try again")
	}
	var queued int64
	if err := tx.Model(&Turn{}).Where("session_id = ? AND state = ?", s.ID, TurnQueued).Count(&queued).Error; err != nil {
		return err
	}
	if queued >= MaxQueued {
		return fault.New(fault.TooMany, "session.queue_full", "%d messages are waiting in this session already", queued)
	}
	return nil
}

// mayAskItself keeps an agent that calls itself, and is called by itself again, from going on without an end: a call made with the
// instance's own token may come from inside of another one's turn. Those that wait for a person call nobody.
func mayAskItself(tx *gorm.DB, s *Session, source string) error {
	var open int64
	if err := tx.Model(&Turn{}).Where("instance_id = ? AND source = ? AND created_by = '' AND key_id = '' AND waits_for = '' AND "+isOpen, s.InstanceID, source).Count(&open).Error; err != nil {
		return err
	}
	if open >= MaxOwnTurns {
		return fault.New(fault.TooMany, "turn.own", "This agent is answering %d calls made with its own token already: it may be calling itself", open).
			Hinting("Wait until one has ended. A program that asks for more at a time uses a key.")
	}
	return nil
}

func notTwice(tx *gorm.DB, s *Session, text string) error {
	var open []string
	if err := tx.Model(&Turn{}).Where("session_id = ? AND "+isOpen, s.ID).Pluck("id", &open).Error; err != nil {
		return err
	}
	said, err := all[Event](tx.Where("turn_id IN ? AND kind = ?", open, KindUser))
	if err != nil {
		return err
	}
	for _, e := range said {
		m, err := Decode[UserMessage](e)
		if err != nil {
			return err
		}
		if m.Text == text {
			return fault.New(fault.TooMany, "message.duplicate", "The same message is being answered already")
		}
	}
	return nil
}

func (sc *Scope) attach(tx *gorm.DB, t *Turn, files []Upload) ([]AttachmentNote, error) {
	notes, taken := []AttachmentNote{}, map[string]bool{}
	for _, f := range files {
		row := Attachment{ID: id.New(), OrganizationID: sc.Org, SessionID: t.SessionID, TurnID: t.ID, Name: f.Name, MediaType: f.MediaType,
			Path: uploadPath(f.Name, taken), Size: int64(len(f.Data)), Data: f.Data, CreatedAt: t.CreatedAt}
		if err := tx.Create(&row).Error; err != nil {
			return nil, err
		}
		notes = append(notes, AttachmentNote{ID: row.ID, Name: row.Name, MediaType: row.MediaType, Path: row.Path, Size: row.Size})
	}
	return notes, nil
}

// maxFileName is what file systems take, in bytes.
const maxFileName = 255

// uploadPath gives a file its place in the workspace: a plain name below uploads/, unlike the others.
func uploadPath(name string, taken map[string]bool) string {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	base = strings.Map(func(r rune) rune {
		if r < ' ' || r == '/' || r == 0x7f {
			return -1
		}
		return r
	}, base)
	if strings.Trim(base, ". ") == "" {
		base = "file"
	}
	ext := clip(path.Ext(base), maxFileName/4)
	stem := clip(strings.TrimSuffix(base, path.Ext(base)), maxFileName-len(ext)-len("-10"))
	p := "uploads/" + stem + ext
	for n := 2; taken[p]; n++ {
		p = "uploads/" + stem + "-" + strconv.Itoa(n) + ext
	}
	taken[p] = true
	return p
}

// Attachments reads the files of a turn.
func (sc *Scope) Attachments(ctx context.Context, turnID string) ([]Attachment, error) {
	return all[Attachment](sc.read(ctx).Where("turn_id = ?", turnID).Order("id"))
}

// Attachment reads one file.
func (sc *Scope) Attachment(ctx context.Context, attachmentID string) (*Attachment, error) {
	return first[Attachment](sc.read(ctx).Where("id = ?", attachmentID))
}

// Turn reads one.
func (sc *Scope) Turn(ctx context.Context, turnID string) (*Turn, error) {
	return first[Turn](sc.read(ctx).Where("id = ?", turnID))
}

// OpenTurns lists the turns of a session that have not ended, oldest first: the running one and the queue.
func (sc *Scope) OpenTurns(ctx context.Context, sessionID string) ([]Turn, error) {
	return all[Turn](sc.read(ctx).Where("session_id = ? AND "+isOpen, sessionID).Order("input_seq"))
}

// QueuedTurns names the turns of an instance that wait, oldest first, at most n.
func (sc *Scope) QueuedTurns(ctx context.Context, instanceID string, n int) ([]string, error) {
	ids := []string{}
	err := sc.read(ctx).Model(&Turn{}).Where("instance_id = ? AND state = ?", instanceID, TurnQueued).Order("created_at, id").Limit(n).Pluck("id", &ids).Error
	return ids, translate(err)
}

// QueuedCount is how many messages of an instance wait.
func (sc *Scope) QueuedCount(ctx context.Context, instanceID string) (int, error) {
	var n int64
	err := sc.read(ctx).Model(&Turn{}).Where("instance_id = ? AND state = ?", instanceID, TurnQueued).Count(&n).Error
	return int(n), translate(err)
}

// BusyTurns lists the turns of an instance that a worker holds.
func (sc *Scope) BusyTurns(ctx context.Context, instanceID string) ([]Turn, error) {
	return all[Turn](sc.read(ctx).Where("instance_id = ? AND state <> ? AND "+isOpen, instanceID, TurnQueued))
}

// InterruptTurn asks a turn to stop: a queued one ends at once, a running one when its worker has killed what
// it started. Stopping what has ended changes nothing.
func (sc *Scope) InterruptTurn(ctx context.Context, turnID string) (*Turn, error) {
	var out *Turn
	err := sc.tx(ctx, func(tx *gorm.DB) error {
		t, err := first[Turn](locked(tx).Where("id = ?", turnID))
		if err != nil {
			return err
		}
		if hit, err := sc.interrupt(tx, t, "Stopped by "+sc.Actor.label()); err != nil || !hit {
			out = t
			return err
		}
		out, err = first[Turn](tx.Where("id = ?", turnID))
		return err
	})
	return out, err
}

// interrupt asks a turn to stop inside a transaction; false: it has ended, or was asked already.
func (sc *Scope) interrupt(tx *gorm.DB, t *Turn, reason string) (bool, error) {
	next, ok := TurnMoves[t.State][TurnInterrupt]
	switch {
	case !ok:
		return false, nil
	case t.Parked(): // no worker is there to end it
		next = TurnInterrupted
		if err := sc.withdrawApprovals(tx, t); err != nil {
			return false, err
		}
		fallthrough
	case next.Ended():
		lease := Lease{TurnID: t.ID, SessionID: t.SessionID, Attempt: t.Attempt}
		return true, sc.end(tx, lease, t, TurnEnded{State: next, Reason: reason, Code: "interrupted"})
	}
	_, err := changed(tx.Model(&Turn{}).Where("id = ?", t.ID), map[string]any{"state": next, "reason": reason})
	return true, err
}
