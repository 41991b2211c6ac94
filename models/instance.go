package models

import (
	"context"
	"regexp"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/kit/secret"
)

// Instance is one deployed agent: what is wanted of it and what was observed.
type Instance struct {
	ID                 string
	OrganizationID     string
	Name               string
	Region             string
	Tier               Tier
	MemoryMB           int
	StorageMB          int
	Processes          int     // as many at once
	CPUs               float64 `gorm:"column:cpus"`
	ProviderID         *string // nil = the organization's default
	Model              string  // "" = the provider's
	Desired            Desired
	Generation         int64 // bumped by every wish
	ObservedGeneration int64 // the wish that the state answers to
	State              InstanceState
	StateSince         time.Time
	Reason             string // why it is in that state, for people
	Attempts           int    // failed tries since the last wish
	RetryAt            *time.Time
	LeaseOwner         string
	LeaseUntil         *time.Time
	EnvSealed          []byte     // JSON object: what its sandbox finds in the environment; see Scope.Env
	PausedAt           *time.Time // its turns wait since then
	AsleepFor          int64      // the wish under which its sandbox sleeps, negative while it wakes; see Asleep
	Isolation          string     // JSON of the driver's layers
	GatewayTokenHash   string
	GatewayTokenSealed []byte
	LastActiveAt       *time.Time
	CreatedBy          string
	CreatedAt          time.Time
	UpdatedAt          time.Time
	AutomationsHeldAt  *time.Time // nothing of it runs by itself since
	AutomationsHeldBy  string
}

var instanceName = regexp.MustCompile(`^[a-z0-9-]{1,50}$`)

// NewInstance is what a person says of a new one.
type NewInstance struct {
	Name   string
	Region string
	Tier   Tier
	Model  string
	Key    *OwnKey    // of its own; nil = it asks the organization's services
	Agent  *Equipment // what it begins with; nil = nothing more
}

// CheckInstanceName notes what is wrong with a name, in the contract's words.
func CheckInstanceName(is *fault.Issues, name string) {
	switch {
	case name == "":
		is.TooSmall("name", 1)
	case len([]rune(name)) > 50:
		is.TooBig("name", 50)
	case !instanceName.MatchString(name):
		is.BadString("name", "regex")
	}
}

// CheckTier notes an unknown tier.
func CheckTier(is *fault.Issues, t Tier) {
	if _, ok := t.Size(); !ok {
		is.NotOneOf("tier", string(t), TierNames...)
	}
}

// CreateInstance writes a new instance that wants to run; the reconciler does the rest. Forbidden instance.limit when the
// plan allows no more, Payment or Forbidden organization.suspended while the organization stands still.
func (sc *Scope) CreateInstance(ctx context.Context, n NewInstance) (*Instance, error) {
	var is fault.Issues
	CheckInstanceName(&is, n.Name)
	n.Region = validName(&is, "region", n.Region, 64)
	CheckTier(&is, n.Tier)
	CheckText(&is, "model", n.Model, 200)
	if n.Key != nil {
		n.Key.check(&is)
	}
	if err := is.Err(); err != nil {
		return nil, err
	}
	if err := n.Agent.check(); err != nil {
		return nil, err
	}
	plans, err := sc.store.plans(ctx)
	if err != nil {
		return nil, err
	}
	plan, err := planOf(plans, n.Tier)
	if err != nil {
		return nil, err
	}
	now := sc.store.now()
	token, hash := secret.Token("gw_")
	row := &Instance{ID: id.New(), OrganizationID: sc.Org, Name: n.Name, Region: n.Region, Tier: n.Tier, Model: n.Model,
		MemoryMB: plan.MemoryMB, StorageMB: plan.StorageMB, Processes: plan.Processes, CPUs: plan.CPUs, Desired: WantRunning, Generation: 1, State: Provisioning,
		StateSince: now, Isolation: "[]", GatewayTokenHash: hash, CreatedBy: sc.Actor.UserID, CreatedAt: now, UpdatedAt: now}
	if row.GatewayTokenSealed, err = sc.store.box.Seal([]byte(token.Reveal()), row.ID); err != nil {
		return nil, err
	}
	err = sc.holding(ctx, func(tx *gorm.DB) error {
		if n.Agent != nil { // its balance
			if _, err := sc.ownLedger(tx); err != nil {
				return err
			}
		}
		if err := sc.mayAddInstance(tx, plans); err != nil {
			return err
		}
		if err := tx.Create(row).Error; err != nil {
			return err
		}
		if err := sc.giveKey(tx, row, n.Key); err != nil {
			return err
		}
		if err := sc.equip(tx, row, n.Agent); err != nil {
			return err
		}
		if err := sc.log(tx, row.ID, LogInfo, "Created by "+sc.Actor.label()); err != nil {
			return err
		}
		return sc.audit(tx, act{name: "instance.created", kind: "instance", id: row.ID, of: row.Name, after: map[string]any{"tier": row.Tier, "region": row.Region}})
	})
	if err != nil {
		return nil, err
	}
	return row, nil
}

func (a Actor) label() string {
	if a.Name == "" {
		return "the system"
	}
	return a.Name
}

// GatewayToken opens an instance's own token; it is shown once the instance runs.
func (sc *Scope) GatewayToken(i *Instance) (secret.String, error) {
	plain, err := sc.store.box.Open(i.GatewayTokenSealed, i.ID)
	return secret.Of(string(plain)), err
}

// Instances lists the organization's instances, newest first; one that is being deleted is listed until it
// is gone.
func (sc *Scope) Instances(ctx context.Context) ([]Instance, error) {
	return all[Instance](sc.read(ctx).Omit(notListed...).Order("created_at DESC, id DESC"))
}

// notListed are the columns that no list shows: they were a third of the memory that reading fifty rows takes.
var notListed = []string{"isolation", "gateway_token_hash", "lease_owner", "lease_until", "retry_at", "created_by", "processes", "cpus", "env_sealed"}

// Instance reads one.
func (sc *Scope) Instance(ctx context.Context, instanceID string) (*Instance, error) {
	return first[Instance](sc.read(ctx).Where("id = ?", instanceID))
}

// DefaultInstance is the one that an API call without an id means: the oldest running one, else the oldest.
func (sc *Scope) DefaultInstance(ctx context.Context) (*Instance, error) {
	return first[Instance](sc.read(ctx).Where("desired <> ?", WantDeleted).
		Order(gormCase("state", string(Running), "created_at, id")))
}

// ActOnInstance writes what an action wants; the caller enqueues the reconciler.
func (sc *Scope) ActOnInstance(ctx context.Context, instanceID string, a Action) (*Instance, error) {
	return sc.changeInstance(ctx, instanceID, func(tx *gorm.DB, i *Instance) (map[string]any, string, error) {
		if i.Desired == WantDeleted && a == Delete {
			return map[string]any{}, "", nil
		}
		if i.Desired == WantDeleted {
			return nil, "", fault.New(fault.Invalid, "instance.deleting", "Cannot %s an instance that is being deleted", a)
		}
		want, err := i.State.want(a)
		if err != nil {
			return nil, "", err
		}
		set := map[string]any{"desired": want, "generation": i.Generation + 1, "attempts": 0, "retry_at": nil, "reason": ""}
		if want == WantStopped {
			set["paused_at"] = nil
		}
		if a == Delete {
			err = sc.audit(tx, act{name: "instance.deleted", kind: "instance", id: i.ID, of: i.Name, before: map[string]any{"tier": i.Tier}})
		}
		return set, actionVerb[a] + " by " + sc.Actor.label(), err
	})
}

var actionVerb = map[Action]string{Start: "Started", Stop: "Stopped", Restart: "Restarted", Recover: "Recovery asked", Delete: "Deletion asked"}

// changeInstance reads a row inside a transaction, lets f decide, and writes the columns with a log line.
func (sc *Scope) changeInstance(ctx context.Context, instanceID string,
	f func(*gorm.DB, *Instance) (set map[string]any, line string, err error)) (*Instance, error) {
	var out *Instance
	err := sc.holding(ctx, func(tx *gorm.DB) error {
		var err error
		out, err = sc.changeInstanceIn(tx, instanceID, f)
		return err
	})
	return out, err
}

// changeInstanceIn is changeInstance in a transaction that holds the organization.
func (sc *Scope) changeInstanceIn(tx *gorm.DB, instanceID string,
	f func(*gorm.DB, *Instance) (set map[string]any, line string, err error)) (*Instance, error) {
	i, err := first[Instance](locked(tx).Where("id = ?", instanceID))
	if err != nil {
		return nil, err
	}
	set, line, err := f(tx, i)
	if err != nil {
		return nil, err
	}
	if len(set) > 0 {
		set["updated_at"] = sc.store.now()
		if _, err := changed(tx.Model(&Instance{}).Where("id = ?", instanceID), set); err != nil {
			return nil, err
		}
	}
	if line != "" {
		if err := sc.log(tx, instanceID, LogInfo, line); err != nil {
			return nil, err
		}
	}
	return first[Instance](tx.Where("id = ?", instanceID))
}
