package app

import "lobstead/api/runtime"

// Policy tells what was decided of each call of a turn; a turn that is not there has none.
func (h *Approvals) Policy(c *Ctx) (Reply, error) {
	turn := c.Param("turn_id")
	rows, err := c.Scope.TurnPolicy(c, turn)
	return data(runtime.NewPolicyAudit(turn, rows)), err
}

// Tools tells what each call of a turn was and what came of it; a turn that is not there has none.
func (h *Approvals) Tools(c *Ctx) (Reply, error) {
	turn := c.Param("turn_id")
	log, err := c.Scope.TurnEvents(c, turn)
	if err != nil {
		return nil, err
	}
	out, err := runtime.NewToolAudit(turn, log)
	return data(out), err
}
