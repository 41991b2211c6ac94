package app

import (
	"context"
	"errors"
	"io"
	"maps"
	"slices"

	"lobstead/api/fleet"
	"lobstead/api/wire"
	"lobstead/engine/files"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

// FleetAgentEdit makes and changes agents in the fleet API's spelling.
type FleetAgentEdit struct{ *App }

// Create deploys one. All that it was given is judged first, and written with it.
func (h *FleetAgentEdit) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := fleet.ReadAgentCreate(f)
	if err != nil {
		return nil, err
	}
	if err := h.vet(c, "", &in); err != nil {
		return nil, err
	}
	tier, err := h.tierFor(c, in.SizeMB)
	if err != nil {
		return nil, err
	}
	in.Equipment.Profile.Settings = in.Settings
	n := models.NewInstance{Name: fleet.Slug(*in.Profile.Title), Region: "local", Tier: tier, Agent: &in.Equipment}
	if in.Model != nil {
		n.Model = *in.Model
	}
	change, err := h.rewired(c, &models.Instance{Model: n.Model}, &in)
	if err != nil {
		return nil, err
	}
	if n.Key = change.Key; change.Model != nil { // the key's service does not have the one that was named
		n.Model = *change.Model
	}
	i, err := (&Instances{h.App}).create(c, n)
	if err != nil {
		return nil, err
	}
	if err := h.answerBy(c, i, &in); err != nil {
		_, undo := h.Desk.Delete(context.WithoutCancel(c), c.Scope, i.ID)
		return nil, errors.Join(err, undo)
	}
	if i, err = c.Scope.Instance(c, i.ID); err != nil {
		return nil, err
	}
	whole, err := (&FleetAgents{h.App}).whole(c, i)
	return data(fleet.NewAgentCreated(whole, h.PublicURL)).with(201), err
}

// tierFor is the smallest size whose workspace holds what was asked for.
func (h *FleetAgentEdit) tierFor(c *Ctx, sizeMB int) (models.Tier, error) {
	plans, err := c.Scope.Plans(c)
	if err != nil {
		return "", err
	}
	for _, p := range plans {
		if p.StorageMB >= sizeMB {
			return p.Tier, nil
		}
	}
	var is fault.Issues
	is.Custom("pvc_size", "pvc_size is more than the largest agent has")
	return "", is.Err()
}

// vet judges what can be judged before anything is written: what the caller may, who is there, what the bots are given. instanceID is ""
// for a new agent.
func (h *FleetAgentEdit) vet(c *Ctx, instanceID string, in *fleet.AgentInput) error {
	for _, ask := range []struct {
		said bool
		can  models.Can
	}{{instanceID != "" && in.Balance != nil, models.CanManageBudgets}, {instanceID != "" && len(in.Files)+len(in.Delete) > 0, models.CanWriteFiles},
		{in.Webhooks != nil, models.CanManageWebhooks}, {len(in.Accounts) > 0, models.CanEditSettings}} {
		if ask.said {
			if err := c.May(ask.can); err != nil {
				return err
			}
		}
	}
	if len(in.Delete) > 0 && h.Workspaces == nil {
		return fault.New(fault.Unavailable, "files.elsewhere", "The files of this agent are on another host")
	}
	for _, kind := range slices.Sorted(maps.Keys(in.Accounts)) {
		if values := in.Accounts[kind]; values != nil {
			if err := h.Channels.Vet(c, c.Scope, instanceID, models.ChannelKind(kind), values); err != nil {
				return within(kind+"_bot_token", err)
			}
		}
	}
	return nil
}

// within says in which field of the request an account's values stood.
func within(field string, err error) error {
	e := fault.As(err)
	if len(e.Fields) == 0 {
		return err
	}
	var is fault.Issues
	for _, i := range e.Fields {
		is.Custom(field, i.Message)
	}
	return is.Err()
}

// refile removes and writes files: in the workspace that runs, else they are kept with the rest until it does.
func (h *FleetAgentEdit) refile(c *Ctx, i *models.Instance, in *fleet.AgentInput, kept *models.Equipment) error {
	for _, p := range in.Delete {
		if _, err := h.Workspaces.Stat(c, i, p); err != nil {
			return err
		}
	}
	for _, p := range in.Delete {
		if _, err := h.Workspaces.Delete(c, c.Scope, i, p, true); err != nil {
			return err
		}
	}
	if i.State != models.Running || h.Workspaces == nil {
		kept.Files = in.Files
		return nil
	}
	for _, f := range in.Files {
		if _, err := h.Workspaces.Put(c, i, files.Write{Path: f.Path, Data: f.Data}); err != nil {
			return err
		}
	}
	return nil
}

// answerBy connects the bots that an agent is to answer by, and disconnects those that were taken away; vet has seen them.
func (h *FleetAgentEdit) answerBy(c *Ctx, i *models.Instance, in *fleet.AgentInput) error {
	for _, kind := range slices.Sorted(maps.Keys(in.Accounts)) {
		if values := in.Accounts[kind]; values != nil {
			if _, err := h.Channels.Adopt(c, c.Scope, i.ID, models.ChannelKind(kind), values); err != nil {
				return err
			}
			continue
		}
		ch, err := c.Scope.ChannelOf(c, i.ID, models.ChannelKind(kind))
		if err == nil {
			err = h.Channels.Disconnect(c, c.Scope, ch.ID)
		}
		if err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
	}
	return nil
}

// rewired is the change of by whom an agent is answered, and of its size.
func (h *FleetAgentEdit) rewired(c *Ctx, i *models.Instance, in *fleet.AgentInput) (models.InstanceChange, error) {
	change := models.InstanceChange{}
	if in.Model != nil && *in.Model != i.Model {
		change.Model = in.Model
	}
	if in.Key != nil {
		if err := c.ownKey(i, *in.Key, "anthropic_api_key", &change); err != nil {
			return change, err
		}
	}
	if i.ID == "" || in.SizeMB == 0 {
		return change, nil
	}
	tier, err := h.tierFor(c, in.SizeMB)
	if err == nil && tier != i.Tier {
		change.Tier = &tier
	}
	return change, err
}

// Update changes one: all is judged, then files are, then rows together, then bots.
func (h *FleetAgentEdit) Update(c *Ctx) (Reply, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := fleet.ReadAgentUpdate(f)
	if err != nil {
		return nil, err
	}
	if err := h.vet(c, i.ID, &in); err != nil {
		return nil, err
	}
	change, err := h.equipped(c, i, &in)
	if err != nil {
		return nil, err
	}
	if err := change.Check(); err != nil {
		return nil, err
	}
	if err := h.refile(c, i, &in, change.Agent); err != nil {
		return nil, err
	}
	if _, err := h.Desk.Update(c, c.Scope, i.ID, change); err != nil {
		return nil, err
	}
	if err := h.answerBy(c, i, &in); err != nil {
		return nil, err
	}
	if i, err = c.Scope.Instance(c, i.ID); err != nil {
		return nil, err
	}
	whole, err := (&FleetAgents{h.App}).whole(c, i)
	return data(fleet.AgentUpdated{Message: "Agent updated successfully", AgentDetail: fleet.NewAgentDetail(whole)}), err
}

// equipped is the change that a request asks of an agent, but for its files.
func (h *FleetAgentEdit) equipped(c *Ctx, i *models.Instance, in *fleet.AgentInput) (models.InstanceChange, error) {
	change, err := h.rewired(c, i, in)
	if err != nil {
		return change, err
	}
	e := in.Equipment
	e.Files, change.Agent = nil, &e
	if in.Settings != nil {
		profile, err := c.Scope.AgentProfile(c, i.ID)
		if err != nil {
			return change, err
		}
		e.Profile.Settings = fleet.Configure(profile.Config(), in.Settings)
	}
	if e.Env != nil {
		was, err := c.Scope.Env(i)
		if err != nil {
			return change, err
		}
		e.Env = fleet.NewEnv(was, e.Env)
	}
	return change, nil
}

// mostCounted bounds how many files are counted.
const mostCounted = 100_000

var errCounted = errors.New("counted enough")

// filesOf counts what lies in an agent's workspace, where this host has it.
func (a *App) filesOf(c *Ctx, i *models.Instance) (fleet.FilesystemSummary, error) {
	out, bytes := fleet.FilesystemSummary{}, int64(0)
	if a.Files == nil {
		return out, nil
	}
	err := a.Files.Walk(c, i.ID, func(e sandbox.Entry, _ io.Reader) error {
		if at := wire.Time(e.Time); out.LastModified == nil || at > *out.LastModified {
			out.LastModified = &at
		}
		out.TotalFiles, bytes = out.TotalFiles+1, bytes+e.Size
		if out.TotalFiles >= mostCounted {
			return errCounted
		}
		return nil
	})
	out.TotalSizeMB = float64(bytes*100/(1<<20)) / 100
	if fault.Is(err, fault.NotFound) || errors.Is(err, errCounted) {
		err = nil
	}
	return out, err
}
