package models

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// Automation is something that an agent does by itself: at times (a schedule), or when it is called from outside (a
// trigger). When a schedule is due is engine/automate's to know; NextAt holds the answer, and whoever moves it on has the run.
type Automation struct {
	ID              string
	OrganizationID  string
	InstanceID      string
	SessionID       string // the conversation of its runs; "" until the first one
	Name            string
	Prompt          string
	Kind            AutomationKind
	Expression      string     // of cron five fields, of every "45 minutes"
	StartsAt        *time.Time // of once when, of every the first time
	TimeZone        string     // IANA
	State           AutomationState
	NextAt          *time.Time // when it is due; nil: never, or while it is held back
	FireAt          *time.Time // when it starts then: NextAt and its share of the jitter
	MissedPolicy    MissedPolicy
	Overlap         Overlap
	JitterSeconds   int
	Description     string
	Action          AutomationAction
	Payload         string // of the runtime API: JSON as it was given
	AllowedFrom     string // of a trigger: networks that may call it, one a line; "" = all
	Strict          bool   // of a trigger: one signed body is one call, whatever id it comes with
	SecretSealed    []byte // of a trigger
	OldSecretSealed []byte // of a trigger: those before, valid until
	OldSecretUntil  *time.Time
	CreatedBy       string
	CreatedName     string
	KeyID           string
	CreatedAt       time.Time
	UpdatedAt       time.Time
}

// AutomationKind is what makes an automation run.
type AutomationKind string

// The kinds: three of schedules, and a trigger's.
const (
	AutomationCron    AutomationKind = "cron"
	AutomationEvery   AutomationKind = "every"
	AutomationOnce    AutomationKind = "once"
	AutomationWebhook AutomationKind = "webhook"
)

// AutomationState is whether an automation goes on.
type AutomationState string

// The states. A schedule that is never due again is done.
const (
	AutomationActive AutomationState = "active"
	AutomationPaused AutomationState = "paused"
	AutomationDone   AutomationState = "done"
)

const (
	// MaxAutomations is how many an organization can have.
	MaxAutomations = 1000
	// MaxPrompt is how long what an agent is told may be, in bytes.
	MaxPrompt = 16 << 10
	// MaxJitter is how far starts can be spread, in seconds.
	MaxJitter = 3600
	// MaxNetworks is how many networks may be named that a trigger is called from.
	MaxNetworks = 50
	// TriggerSecretPrefix starts the secret of every trigger.
	TriggerSecretPrefix = "whs_"
)

// NewAutomation is what may be said of one, new or changed; the times were read and checked by engine/automate. What is
// empty of the policies and the action has its default: once, skip (of a trigger queue), a task.
type NewAutomation struct {
	InstanceID    string // of a new one
	Name          string
	Description   string
	Prompt        string
	Kind          AutomationKind
	Expression    string
	StartsAt      *time.Time
	TimeZone      string
	NextAt        *time.Time // nil for a trigger
	Paused        bool       // a new one begins so, and may have no next time
	MissedPolicy  MissedPolicy
	Overlap       Overlap
	JitterSeconds int
	Action        AutomationAction
	Payload       string
	AllowedFrom   string
	Strict        bool
	Stamp         string // of an edit: of what it changes, see Automation.Stamp; "" = of whatever is there
}

func (n *NewAutomation) check() error {
	var is fault.Issues
	n.MissedPolicy, n.Action = cmp.Or(n.MissedPolicy, MissedOnce), cmp.Or(n.Action, ActionTask)
	if n.Overlap == "" && n.Kind == AutomationWebhook {
		n.Overlap = OverlapQueue
	}
	n.Overlap = cmp.Or(n.Overlap, OverlapSkip)
	n.Name = validName(&is, "name", n.Name, 255)
	CheckText(&is, "description", n.Description, 1000)
	CheckText(&is, "payload", n.Payload, MaxPrompt)
	CheckText(&is, "prompt", n.Prompt, MaxPrompt)
	if strings.TrimSpace(n.Prompt) == "" && n.Action == ActionTask {
		is.Required("prompt", "string")
	}
	CheckText(&is, "expression", n.Expression, 200)
	oneOf(&is, "kind", n.Kind, AutomationCron, AutomationEvery, AutomationOnce, AutomationWebhook)
	oneOf(&is, "missed", n.MissedPolicy, MissedSkip, MissedOnce, MissedAll)
	oneOf(&is, "overlap", n.Overlap, OverlapQueue, OverlapSkip, OverlapAllow)
	oneOf(&is, "action", n.Action, ActionTask, ActionLog, ActionNoop)
	if n.Kind == AutomationWebhook && n.Overlap == OverlapSkip {
		is.Custom("overlap", "A call is never left out: calls wait for each other, or run at the same time")
	}
	if n.JitterSeconds < 0 {
		is.NumberTooSmall("jitter", 0)
	}
	if n.JitterSeconds > MaxJitter {
		is.NumberTooBig("jitter", MaxJitter)
	}
	if n.Kind == AutomationWebhook && n.NextAt != nil || n.Kind != AutomationWebhook && n.NextAt == nil && !n.Paused {
		is.Custom("kind", "A schedule has a next time, and a trigger has none")
	}
	if _, err := time.LoadLocation(n.TimeZone); err != nil || n.TimeZone == "" {
		is.Custom("time_zone", "This is no time zone; one is called Europe/Berlin")
	}
	n.AllowedFrom = checkNetworks(&is, n.AllowedFrom)
	return is.Err()
}

func oneOf[T ~string](is *fault.Issues, path string, got T, options ...T) {
	if slices.Contains(options, got) {
		return
	}
	words := []string{}
	for _, o := range options {
		words = append(words, string(o))
	}
	is.NotOneOf(path, string(got), words...)
}

// CreateAutomation makes one. A trigger's secret is only ever returned here and when it is changed; the others have an empty one.
func (sc *Scope) CreateAutomation(ctx context.Context, n NewAutomation) (*Automation, secret.String, error) {
	if err := n.check(); err != nil {
		return nil, secret.String{}, err
	}
	now := sc.store.now()
	a := &Automation{ID: id.New(), OrganizationID: sc.Org, InstanceID: n.InstanceID, Kind: n.Kind, State: AutomationActive, CreatedBy: sc.Actor.UserID,
		CreatedName: sc.Actor.label(), KeyID: sc.Actor.KeyID, CreatedAt: now, UpdatedAt: now}
	n.write(a)
	if n.Paused {
		a.State = AutomationPaused
	}
	token, sealed, err := sc.triggerSecret(a)
	if err != nil {
		return nil, secret.String{}, err
	}
	a.SecretSealed = sealed
	err = sc.holding(ctx, func(tx *gorm.DB) error {
		if _, err := first[Instance](tx.Select("id").Where("id = ? AND desired <> ?", a.InstanceID, WantDeleted)); err != nil {
			return err
		}
		var have int64
		if err := tx.Model(&Automation{}).Count(&have).Error; err != nil {
			return err
		}
		if have >= MaxAutomations {
			return fault.New(fault.Conflict, "automation.full", "An organization can have %d automations at most", MaxAutomations)
		}
		held, err := sc.held(tx, a.InstanceID)
		if err != nil {
			return err
		}
		if !n.Paused && !held && n.NextAt != nil {
			at := n.NextAt.UTC()
			fire := at.Add(share(a.ID, a.JitterSeconds, at))
			a.NextAt, a.FireAt = &at, &fire
		}
		if err := tx.Create(a).Error; err != nil {
			return err
		}
		return sc.audit(tx, act{name: "automation.created", kind: "automation", id: a.ID, of: a.Name, after: a.figures()})
	})
	return a, token, err
}

// write puts what was said of an automation into its row; not when it is due.
func (n *NewAutomation) write(a *Automation) {
	a.Name, a.Description, a.Prompt, a.Expression, a.StartsAt, a.TimeZone = n.Name, n.Description, n.Prompt, n.Expression, n.StartsAt, n.TimeZone
	a.Kind, a.MissedPolicy, a.Overlap, a.JitterSeconds = n.Kind, n.MissedPolicy, n.Overlap, n.JitterSeconds
	a.Action, a.Payload, a.AllowedFrom, a.Strict = n.Action, n.Payload, n.AllowedFrom, n.Strict
}

// Said is an automation as it would be made anew: what an edit begins with.
func (a *Automation) Said() NewAutomation {
	return NewAutomation{InstanceID: a.InstanceID, Name: a.Name, Description: a.Description, Prompt: a.Prompt, Kind: a.Kind, Expression: a.Expression, StartsAt: a.StartsAt,
		TimeZone: a.TimeZone, NextAt: a.NextAt, Paused: a.State == AutomationPaused, MissedPolicy: a.MissedPolicy, Overlap: a.Overlap, JitterSeconds: a.JitterSeconds,
		Action: a.Action, Payload: a.Payload, AllowedFrom: a.AllowedFrom, Strict: a.Strict}
}

// Stamp tells whether what is said of an automation is still the same: its runs, its state and its secret do not change it.
func (a *Automation) Stamp() string {
	n := a.Said()
	n.NextAt, n.Paused = nil, false
	said, _ := json.Marshal(n) // text, numbers and a time
	sum := sha256.Sum256(said)
	return hex.EncodeToString(sum[:16])
}

func (a *Automation) figures() map[string]any {
	return map[string]any{"instance": a.InstanceID, "kind": a.Kind, "expression": a.Expression, "starts": a.StartsAt, "zone": a.TimeZone, "prompt": clip(a.Prompt, 500),
		"missed": a.MissedPolicy, "overlap": a.Overlap, "jitter": a.JitterSeconds, "allowed_from": a.AllowedFrom,
		"runs_as": a.CreatedBy, "key": a.KeyID}
}
