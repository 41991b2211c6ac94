package agent

import (
	"context"

	"lobstead/engine/skills"
)

// readSkills reads which tools the instance may use. The model hears of a change with the next step.
func (x *run) readSkills(ctx context.Context) error {
	now, err := skills.For(ctx, x.sc, x.inst.ID)
	if err != nil {
		return err
	}
	if x.offered == nil || !now.Same(x.skills) {
		x.offered = x.Tools.without(func(name string) bool { _, off := now.Off(name); return off })
		x.system = ""
	}
	x.skills = now
	return nil
}
