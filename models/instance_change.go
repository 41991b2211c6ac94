package models

import (
	"context"

	"gorm.io/gorm"

	"lobstead/kit/fault"
)

// InstanceChange holds the fields to change; nil leaves one as it is.
type InstanceChange struct {
	Name   *string
	Region *string
	Tier   *Tier
	Model  *string
	Key    *OwnKey // of its own
	Agent  *Equipment
	// Rebuild brings the sandbox up anew whatever changed; its files, conversations and memories stay. Conflict
	// instance.rebuilding while that is under way.
	Rebuild bool
}

func (c *InstanceChange) empty() bool {
	return c.Name == nil && c.Region == nil && c.Tier == nil && c.Model == nil && c.Key == nil && c.Agent == nil && !c.Rebuild
}

// Check judges a change before anything is written, where other things are to be done with it.
func (c *InstanceChange) Check() error {
	_, err := c.check()
	return err
}

// check notes what is wrong and gives the columns that need no look at the row.
func (c *InstanceChange) check() (map[string]any, error) {
	var is fault.Issues
	set := map[string]any{}
	if c.Name != nil {
		CheckInstanceName(&is, *c.Name)
		set["name"] = *c.Name
	}
	if c.Region != nil {
		set["region"] = validName(&is, "region", *c.Region, 64)
	}
	if c.Model != nil {
		CheckText(&is, "model", *c.Model, 200)
		set["model"] = *c.Model
	}
	if c.Tier != nil {
		CheckTier(&is, *c.Tier)
	}
	if c.Key != nil {
		c.Key.check(&is)
	}
	if c.empty() {
		is.Custom("", "At least one field is required")
	}
	if err := is.Err(); err != nil {
		return nil, err
	}
	return set, c.Agent.check()
}

// UpdateInstance changes what is said of an instance. A new tier, like a rebuild, is a new wish: the reconciler carries
// it out.
func (sc *Scope) UpdateInstance(ctx context.Context, instanceID string, c InstanceChange) (*Instance, error) {
	set, err := c.check()
	if err != nil {
		return nil, err
	}
	size := Size{}
	if c.Tier != nil {
		plan, err := sc.store.plan(ctx, *c.Tier)
		if err != nil {
			return nil, err
		}
		size = plan.Size
	}
	if c.Key != nil {
		sc.store.learn(c.Key.Key)
	}
	write := func(tx *gorm.DB, i *Instance) (map[string]any, string, error) {
		if i.Desired == WantDeleted {
			return nil, "", fault.New(fault.Invalid, "instance.deleting", "Cannot change an instance that is being deleted")
		}
		if c.Tier != nil && *c.Tier != i.Tier {
			set["tier"], set["memory_mb"], set["storage_mb"] = *c.Tier, size.MemoryMB, size.StorageMB
			set["processes"], set["cpus"], set["generation"] = size.Processes, size.CPUs, i.Generation+1
		}
		if c.Rebuild {
			if err := sc.rebuild(i, set); err != nil {
				return nil, "", err
			}
		}
		if c.Key != nil {
			service, err := sc.setKey(tx, i.ID, *c.Key)
			if err != nil {
				return nil, "", err
			}
			set["provider_id"] = service
		}
		if err := sc.equip(tx, i, c.Agent); err != nil {
			return nil, "", err
		}
		return set, c.line(i) + " by " + sc.Actor.label(), sc.auditChange(tx, i, c)
	}
	var out *Instance
	err = sc.holding(ctx, func(tx *gorm.DB) error {
		if c.Agent != nil { // its balance
			if _, err := sc.ownLedger(tx); err != nil {
				return err
			}
		}
		var err error
		out, err = sc.changeInstanceIn(tx, instanceID, write)
		return err
	})
	return out, err
}

func (sc *Scope) rebuild(i *Instance, set map[string]any) error {
	next, err := i.State.rebuilt()
	if err != nil {
		return err
	}
	if next != i.State {
		set["state"], set["state_since"] = next, sc.store.now()
	}
	set["generation"], set["attempts"], set["retry_at"], set["reason"] = i.Generation+1, 0, nil, ""
	return nil
}

// line is the history's.
func (c *InstanceChange) line(i *Instance) string {
	switch {
	case c.Tier != nil && *c.Tier != i.Tier:
		return "Tier changed to " + string(*c.Tier)
	case c.Name != nil && *c.Name != i.Name:
		return "Renamed to " + *c.Name
	case c.Rebuild:
		return "Rebuild asked"
	}
	return "Changed"
}

// auditChange notes what a change makes of an instance; of a key only its last characters.
func (sc *Scope) auditChange(tx *gorm.DB, i *Instance, c InstanceChange) error {
	before, after := map[string]any{}, map[string]any{}
	note := func(name string, was string, is *string) {
		if is != nil && *is != was {
			before[name], after[name] = was, *is
		}
	}
	note("name", i.Name, c.Name)
	note("region", i.Region, c.Region)
	note("tier", string(i.Tier), (*string)(c.Tier))
	note("model", i.Model, c.Model)
	if c.Key != nil {
		after["key"] = "none"
		if !c.Key.Key.Empty() {
			after["key"] = c.Key.Kind + " " + keyHint(c.Key.Key.Reveal())
		}
	}
	if len(after) == 0 {
		return nil
	}
	return sc.audit(tx, act{name: "instance.changed", kind: "instance", id: i.ID, of: i.Name, before: before, after: after})
}
