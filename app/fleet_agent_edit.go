package app

import (
	"context"
	"errors"
	"io"

	"lobstead/api/fleet"
	"lobstead/api/wire"
	"lobstead/engine/files"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

// FleetAgentEdit makes and changes agents in the fleet API's spelling.
type FleetAgentEdit struct{ *App }

// Create deploys one. All that it was given is written with it; what needs another verb and fails takes it back.
func (h *FleetAgentEdit) Create(c *Ctx) (Reply, error) {
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	in, err := fleet.ReadAgentCreate(f)
	if err != nil {
		return nil, err
	}
	tier, err := h.tierFor(c, in.SizeMB)
	if err != nil {
		return nil, err
	}
	in.Profile.Settings = in.Settings
	n := models.NewInstance{Name: fleet.Slug(*in.Profile.Title), Region: "local", Tier: tier, Agent: &models.NewAgent{Profile: in.Profile, Env: in.Env, Files: in.Files, Balance: in.Balance}}
	if in.Model != nil {
		n.Model = *in.Model
	}
	i, err := (&Instances{h.App}).create(c, n)
	if err != nil {
		return nil, err
	}
	err = h.rewire(c, i, &in)
	if err == nil {
		err = h.reach(c, i, &in)
	}
	if err != nil {
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

// equip writes what is said of an agent beyond its size.
func (h *FleetAgentEdit) equip(c *Ctx, i *models.Instance, in *fleet.AgentInput) error {
	profile, err := c.Scope.AgentProfile(c, i.ID)
	if err != nil {
		return err
	}
	if in.Settings != nil {
		in.Profile.Settings = fleet.Merge(profile.Config(), in.Settings)
	}
	if !in.Profile.Empty() {
		if _, err := c.Scope.ChangeProfile(c, i.ID, in.Profile); err != nil {
			return err
		}
	}
	if in.Env != nil {
		was, err := c.Scope.Env(i)
		if err == nil {
			err = c.Scope.SetEnv(c, i.ID, fleet.NewEnv(was, in.Env))
		}
		if err != nil {
			return err
		}
	}
	for _, p := range in.Delete {
		if err := h.remove(c, i, p); err != nil {
			return err
		}
	}
	if err := h.place(c, i, in.Files); err != nil {
		return err
	}
	if in.Balance != nil {
		if _, _, err := c.Scope.ChangeTokenBalance(c, i.ID, models.BalanceSet, *in.Balance); err != nil {
			return err
		}
	}
	if err := h.rewire(c, i, in); err != nil {
		return err
	}
	return h.reach(c, i, in)
}

// place writes files: into the workspace that runs, else before it does.
func (h *FleetAgentEdit) place(c *Ctx, i *models.Instance, list []models.InstanceFile) error {
	if len(list) == 0 {
		return nil
	}
	if err := c.May(models.CanWriteFiles); err != nil {
		return err
	}
	if i.State != models.Running || h.Workspaces == nil {
		return c.Scope.AddInstanceFiles(c, i.ID, list)
	}
	for _, f := range list {
		if _, err := h.Workspaces.Put(c, i, files.Write{Path: f.Path, Data: f.Data}); err != nil {
			return err
		}
	}
	return nil
}

// remove puts a file of the workspace into its trash.
func (h *FleetAgentEdit) remove(c *Ctx, i *models.Instance, path string) error {
	if err := c.May(models.CanWriteFiles); err != nil {
		return err
	}
	if h.Workspaces == nil {
		return fault.New(fault.Unavailable, "files.elsewhere", "The files of this agent are on another host")
	}
	_, err := h.Workspaces.Delete(c, c.Scope, i, path, true)
	return err
}

// reach sets who is told of what an agent does, connects the bots that it is to answer by, and disconnects those that were taken away.
func (h *FleetAgentEdit) reach(c *Ctx, i *models.Instance, in *fleet.AgentInput) error {
	if in.Webhooks != nil {
		if err := c.May(models.CanManageWebhooks); err != nil {
			return err
		}
		if err := c.Scope.SetInstanceWebhooks(c, i.ID, in.Webhooks, false); err != nil {
			return err
		}
	}
	if len(in.Accounts) == 0 {
		return nil
	}
	if err := c.May(models.CanEditSettings); err != nil {
		return err
	}
	for kind, values := range in.Accounts {
		if values != nil {
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

// rewire changes by whom an agent is answered.
func (h *FleetAgentEdit) rewire(c *Ctx, i *models.Instance, in *fleet.AgentInput) error {
	change := models.InstanceChange{}
	if in.Model != nil && *in.Model != i.Model {
		change.Model = in.Model
	}
	if in.Key != nil {
		if err := c.ownKey(i, *in.Key, "anthropic_api_key", &change); err != nil {
			return err
		}
	}
	if change == (models.InstanceChange{}) {
		return nil
	}
	_, err := h.Desk.Update(c, c.Scope, i.ID, change)
	return err
}

// Update changes one.
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
	if in.Balance != nil {
		if err := c.May(models.CanManageBudgets); err != nil {
			return nil, err
		}
	}
	if err := h.resize(c, i, in.SizeMB); err != nil {
		return nil, err
	}
	if err := h.equip(c, i, &in); err != nil {
		return nil, err
	}
	if i, err = c.Scope.Instance(c, i.ID); err != nil {
		return nil, err
	}
	whole, err := (&FleetAgents{h.App}).whole(c, i)
	return data(fleet.AgentUpdated{Message: "Agent updated successfully", AgentDetail: fleet.NewAgentDetail(whole)}), err
}

// resize gives an agent the size that holds a workspace, when that is another one.
func (h *FleetAgentEdit) resize(c *Ctx, i *models.Instance, sizeMB int) error {
	if sizeMB == 0 {
		return nil
	}
	tier, err := h.tierFor(c, sizeMB)
	if err == nil && tier != i.Tier {
		_, err = h.Desk.Update(c, c.Scope, i.ID, models.InstanceChange{Tier: &tier})
	}
	return err
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
