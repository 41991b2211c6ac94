package models

import (
	"context"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// Grade is what a person thought of a turn: one of 1 (poor) to 5 (excellent), and perhaps why. A turn has one.
type Grade struct {
	ID             string
	OrganizationID string
	TurnID         string
	SessionID      string
	Grade          int
	Comment        string
	Source         string // where it was given
	CreatedBy      string
	CreatedAt      time.Time
	UpdatedAt      time.Time
}

// MaxComment is how long the words of a grade may be, in bytes.
const MaxComment = 4096

// GradeFromPeople is the source of a grade that somebody gave.
const GradeFromPeople = "dashboard"

// GradeTurn writes a turn's grade, over an earlier one. With change there must be an earlier one: else NotFound.
func (sc *Scope) GradeTurn(ctx context.Context, turnID string, grade int, comment string, change bool) (*Grade, error) {
	if grade < 1 || grade > 5 {
		return nil, fault.New(fault.Invalid, "grade", "grade must be between 1 and 5")
	}
	var is fault.Issues
	CheckText(&is, "comment", comment, MaxComment)
	if err := is.Err(); err != nil {
		return nil, err
	}
	var out *Grade
	err := sc.again(ctx, func(tx *gorm.DB) error {
		t, err := first[Turn](tx.Where("id = ?", turnID))
		if err != nil {
			return err
		}
		now := sc.store.now()
		set := map[string]any{"grade": grade, "comment": sc.store.line(comment, MaxComment), "created_by": sc.Actor.UserID, "updated_at": now}
		hit, err := changed(tx.Model(&Grade{}).Where("turn_id = ?", turnID), set)
		switch {
		case err != nil:
			return err
		case !hit && change:
			return fault.NotFoundf("feedback")
		case !hit:
			out = &Grade{ID: id.New(), OrganizationID: sc.Org, TurnID: turnID, SessionID: t.SessionID, Grade: grade, Comment: sc.store.line(comment, MaxComment),
				Source: GradeFromPeople, CreatedBy: sc.Actor.UserID, CreatedAt: now, UpdatedAt: now}
			return tx.Create(out).Error
		}
		out, err = first[Grade](tx.Where("turn_id = ?", turnID))
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// TurnGrade reads a turn's; NotFound when it has none.
func (sc *Scope) TurnGrade(ctx context.Context, turnID string) (*Grade, error) {
	return first[Grade](sc.read(ctx).Where("turn_id = ?", turnID))
}

// SessionGrades lists a session's, the oldest first.
func (sc *Scope) SessionGrades(ctx context.Context, sessionID string) ([]Grade, error) {
	return all[Grade](sc.read(ctx).Where("session_id = ?", sessionID).Order("created_at, id"))
}
