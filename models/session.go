package models

import (
	"context"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Session is one conversation with an instance.
type Session struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Alias          *string // the id that a client of the agent API chose
	Title          string
	TitledBy       string // default, auto or person: a person's title is never replaced
	Category       string
	Status         string
	Icon           string
	Pinned         bool
	LastSeq        int64
	MessageCount   int
	CompactedSeq   int64
	Summary        string
	CreatedBy      string
	LastMessageAt  *time.Time
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// The enumerations of the contract (agent-api.md, "Enumerations").
var (
	SessionCategories = []string{"general", "task", "research", "support", "automation", "creative", "debug"}
	SessionStatuses   = []string{"active", "completed", "paused", "archived"}
)

// DefaultTitle is what a session is called until it has something to be named after.
const DefaultTitle = "New Session"

// NewSession is what may be said of a new one; empty fields take the defaults.
type NewSession struct {
	InstanceID string
	Alias      string
	Title      string
	Category   string
}

// CreateSession opens a conversation with an instance of the organization.
func (sc *Scope) CreateSession(ctx context.Context, n NewSession) (*Session, error) {
	var is fault.Issues
	if n.Category == "" {
		n.Category = "general"
	}
	if !slices.Contains(SessionCategories, n.Category) {
		is.NotOneOf("category", n.Category, SessionCategories...)
	}
	titledBy := "default"
	if strings.TrimSpace(n.Title) == "" {
		n.Title = DefaultTitle
	} else {
		n.Title, titledBy = validName(&is, "title", n.Title, 100), "person"
	}
	CheckText(&is, "session_id", n.Alias, 200)
	if err := is.Err(); err != nil {
		return nil, err
	}
	now := sc.store.now()
	row := &Session{ID: id.New(), OrganizationID: sc.Org, InstanceID: n.InstanceID, Title: n.Title, TitledBy: titledBy,
		Category: n.Category, Status: "active", CreatedBy: sc.Actor.UserID, CreatedAt: now, UpdatedAt: now}
	if n.Alias != "" {
		row.Alias = &n.Alias
	}
	return row, translate(sc.write(ctx).Create(row).Error)
}

// Session reads one.
func (sc *Scope) Session(ctx context.Context, sessionID string) (*Session, error) {
	return first[Session](sc.read(ctx).Where("id = ?", sessionID))
}

// SessionOf finds a session of an instance by id or by the alias that a client chose, making the latter when
// it is new; "" is the instance's newest session that no automation talks in: what was said there came from elsewhere.
func (sc *Scope) SessionOf(ctx context.Context, instanceID, name string) (*Session, error) {
	q := sc.read(ctx).Where("instance_id = ?", instanceID)
	if name == "" {
		q = q.Where("status = 'active' AND alias IS NULL AND category <> 'automation'").Order("updated_at DESC, id DESC")
	} else {
		q = q.Where("id = ? OR alias = ?", name, name).Order(gormCase("id", name, "created_at DESC"))
	}
	s, err := first[Session](q)
	if !fault.Is(err, fault.NotFound) {
		return s, err
	}
	s, err = sc.CreateSession(ctx, NewSession{InstanceID: instanceID, Alias: name})
	if fault.Is(err, fault.Conflict) { // made by another call in between
		return first[Session](sc.write(ctx).Where("instance_id = ? AND alias = ?", instanceID, name))
	}
	return s, err
}

// SessionFilter narrows a list.
type SessionFilter struct {
	InstanceID string
	Category   string
	Archived   bool   // only archived ones; else none of them
	Search     string // in titles, messages and tool output
	Limit      int
}

// Sessions lists conversations, pinned first, then by newest activity.
func (sc *Scope) Sessions(ctx context.Context, f SessionFilter) ([]Session, error) {
	q := sc.read(ctx).Order("pinned DESC, updated_at DESC, id DESC")
	if f.InstanceID != "" {
		q = q.Where("instance_id = ?", f.InstanceID)
	}
	if f.Category != "" {
		q = q.Where("category = ?", f.Category)
	}
	if f.Archived {
		q = q.Where("status = 'archived'")
	} else {
		q = q.Where("status <> 'archived'")
	}
	if f.Search != "" {
		like := likeAny(f.Search)
		said := sc.read(ctx).Model(&Event{}).Select("1").Where("session_id = sessions.id").
			Where(like.in("data ->> 'text'", "data ->> 'output'", "data ->> 'input'"), like.args(3)...)
		q = q.Where(like.in("title")+" OR EXISTS (?)", append(like.args(1), said)...)
	}
	if f.Limit > 0 {
		q = q.Limit(f.Limit)
	}
	return all[Session](q)
}

// SessionChange holds the fields to change; nil leaves one as it is.
type SessionChange struct {
	Title    *string
	Category *string
	Status   *string
	Icon     *string
	Pinned   *bool
}

// UpdateSession changes what is said of a session; at least one field is required.
func (sc *Scope) UpdateSession(ctx context.Context, sessionID string, c SessionChange) (*Session, error) {
	var is fault.Issues
	set := map[string]any{}
	if c.Title != nil {
		set["title"], set["titled_by"] = validName(&is, "title", *c.Title, 100), "person"
	}
	if c.Category != nil {
		if !slices.Contains(SessionCategories, *c.Category) {
			is.NotOneOf("category", *c.Category, SessionCategories...)
		}
		set["category"] = *c.Category
	}
	if c.Status != nil {
		if !slices.Contains(SessionStatuses, *c.Status) {
			is.NotOneOf("status", *c.Status, SessionStatuses...)
		}
		set["status"] = *c.Status
	}
	if c.Icon != nil {
		CheckText(&is, "icon", *c.Icon, 32)
		set["icon"] = *c.Icon
	}
	if c.Pinned != nil {
		set["pinned"] = *c.Pinned
	}
	if len(set) == 0 {
		return nil, fault.New(fault.Invalid, "session.empty", "At least one field is required")
	}
	if err := is.Err(); err != nil {
		return nil, err
	}
	hit, err := changed(sc.write(ctx).Model(&Session{}).Where("id = ?", sessionID), set)
	if err != nil {
		return nil, err
	}
	if !hit {
		return nil, fault.NotFoundf("session")
	}
	return first[Session](sc.write(ctx).Where("id = ?", sessionID))
}

// TitleSession names a session by its first message, unless somebody or something named it already.
func (sc *Scope) TitleSession(ctx context.Context, sessionID, title string) (bool, error) {
	var is fault.Issues
	title = validName(&is, "title", sc.store.line(strings.Join(strings.Fields(title), " "), 100), 100)
	if err := is.Err(); err != nil {
		return false, err
	}
	return changed(sc.write(ctx).Model(&Session{}).Where("id = ? AND titled_by = 'default'", sessionID),
		map[string]any{"title": title, "titled_by": "auto"})
}

// DeleteSession removes a conversation with its log: Conflict while a turn of it runs.
func (sc *Scope) DeleteSession(ctx context.Context, sessionID string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		if _, err := first[Session](locked(tx).Where("id = ?", sessionID)); err != nil {
			return err
		}
		var open int64
		err := tx.Model(&Turn{}).Where("session_id = ? AND "+isOpen, sessionID).Count(&open).Error
		if err != nil {
			return err
		}
		if open > 0 {
			return fault.New(fault.Conflict, "session.busy", "A turn of this session is still running: stop it first")
		}
		return tx.Where("id = ?", sessionID).Delete(&Session{}).Error
	})
}
