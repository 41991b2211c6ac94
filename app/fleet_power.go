package app

import (
	"cmp"
	"strings"

	"lobstead/api/fleet"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

// FleetPower pauses, resumes and stops agents in the fleet API's spelling.
type FleetPower struct{ *App }

// Pause lets an agent's messages wait; what it is doing it ends.
func (h *FleetPower) Pause(c *Ctx) (Reply, error) {
	refuse := map[models.Standing]string{models.StandingPaused: "Agent is already paused", models.StandingStopped: "Agent is stopped", models.StandingError: "Agent is in error state"}
	i, err := h.bring(c, models.StandingPaused, refuse, models.StandingActive)
	if err != nil {
		return nil, err
	}
	now := wire.Time(h.Store.Now())
	return data(fleet.AgentChanged{Message: "Agent paused successfully", ID: i.ID, UUID: i.ID, Status: string(i.Standing()), PausedAt: &now}), nil
}

// Resume lets them be answered.
func (h *FleetPower) Resume(c *Ctx) (Reply, error) {
	i, err := h.bring(c, models.StandingActive, map[models.Standing]string{"": "Agent is not paused"}, models.StandingPaused)
	if err != nil {
		return nil, err
	}
	now := wire.Time(h.Store.Now())
	return data(fleet.AgentChanged{Message: "Agent resumed successfully", ID: i.ID, UUID: i.ID, Status: string(i.Standing()), ResumedAt: &now}), nil
}

// Stop ends an agent's sandbox; its files stay.
func (h *FleetPower) Stop(c *Ctx) (Reply, error) {
	i, err := h.bring(c, models.StandingStopped, map[models.Standing]string{"": "Agent is already stopped"}, models.StandingActive, models.StandingPaused, models.StandingError)
	if err != nil {
		return nil, err
	}
	return data(fleet.AgentChanged{Message: "Agent stopped successfully", ID: i.ID, UUID: i.ID, Status: string(i.Standing())}), nil
}

// Status sets any of the three, from any other.
func (h *FleetPower) Status(c *Ctx) (Reply, error) {
	if _, err := h.agentOf(c); err != nil {
		return nil, err
	}
	f, err := c.Fields()
	if err != nil {
		return nil, err
	}
	to, _ := f.Enum("status", string(models.StandingActive), string(models.StandingPaused), string(models.StandingStopped))
	if err := f.Err(); err != nil {
		return nil, err
	}
	i, err := h.bring(c, models.Standing(to), nil)
	if err != nil {
		return nil, err
	}
	return data(fleet.AgentChanged{Message: "Agent status updated successfully", ID: i.ID, UUID: i.ID, Status: to}), nil
}

// bring brings the path's agent to a standing. refuse has the words for one that it cannot be brought from; "" those of all others.
func (h *FleetPower) bring(c *Ctx, to models.Standing, refuse map[models.Standing]string, from ...models.Standing) (*models.Instance, error) {
	i, err := h.agentOf(c)
	if err != nil {
		return nil, err
	}
	changed, err := h.stand(c, i.ID, to, from...)
	if err == nil {
		return changed, nil
	}
	if met, ok := strings.CutPrefix(fault.As(err).Code, models.MetStanding); ok {
		return nil, fault.New(fault.Invalid, "agent.standing", "%s", cmp.Or(refuse[models.Standing(met)], refuse[""]))
	}
	if fault.Is(err, fault.Conflict) {
		return nil, fault.Wrap(err, fault.Invalid, "agent.standing", "%s", fault.As(err).Detail)
	}
	return nil, err
}
