package provision

import (
	"context"
	"fmt"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

// drive does the steps of the row's wish and gives what there is to observe at their end.
func (h *hold) drive(ctx context.Context, rec *recorder) (models.Observed, error) {
	saw := models.Observed{Generation: rec.generation}
	switch {
	case h.row.Desired == models.WantDeleted:
		return saw, rec.step(ctx, "Remove files", func(ctx context.Context) (string, error) {
			return "", h.Driver.Destroy(ctx, h.row.ID)
		})
	case h.row.Asleep():
		return models.Observed{Generation: rec.generation}, h.sleep(ctx)
	case !wantsProcess(h.row):
		saw.Saw, saw.Reason = models.SawStopped, suspendedReason(h.row)
		return saw, h.stop(ctx, rec)
	}
	return h.run(ctx, rec, saw)
}

// suspendedReason keeps why an instance is suspended; other reasons end with a success.
func suspendedReason(i *models.Instance) string {
	if i.State == models.Suspended {
		return i.Reason
	}
	return ""
}

func (h *hold) stop(ctx context.Context, rec *recorder) error {
	return rec.step(ctx, "Stop", func(ctx context.Context) (string, error) {
		return "Files are kept", h.Driver.Stop(ctx, h.row.ID)
	})
}

// sleep ends a sandbox that nobody needs, unless somebody does by now. What is told of the instance stays: it runs, and nothing was asked.
func (h *hold) sleep(ctx context.Context) error {
	row, err := h.scope.Instance(ctx, h.row.ID)
	if err != nil || !row.Asleep() {
		return err
	}
	return h.Driver.Stop(ctx, row.ID)
}

// run brings an instance up. Whatever was done before, by an earlier try or by an agent that could not wait,
// is found as it is: every step is idempotent.
func (h *hold) run(ctx context.Context, rec *recorder, saw models.Observed) (models.Observed, error) {
	id := h.row.ID
	before, err := h.Driver.Observe(ctx, id)
	if err != nil {
		return saw, err
	}
	if err := h.announce(ctx, before); err != nil {
		return saw, err
	}
	// A sandbox that ran for an older wish must take the new one (restart, other limits). One that runs
	// before the first wish was answered was woken by an agent's first tool call: it stays.
	if before.State == sandbox.Running && h.row.ObservedGeneration > 0 && h.row.ObservedGeneration < rec.generation {
		if err := h.stop(ctx, rec); err != nil {
			return saw, err
		}
	}
	spec, err := Spec(h.scope, h.row)
	if err != nil {
		return saw, err
	}
	err = rec.step(ctx, "Workspace", func(ctx context.Context) (string, error) {
		return limitsText(spec.Limits), h.Driver.Ensure(ctx, spec)
	})
	if err != nil {
		return saw, err
	}
	err = rec.step(ctx, "Sandbox", func(ctx context.Context) (string, error) {
		return "Driver " + h.Driver.Name(), h.Driver.Start(ctx, id)
	})
	if err != nil {
		return saw, err
	}
	err = rec.step(ctx, "Isolation", func(ctx context.Context) (string, error) {
		o, err := h.Driver.Observe(ctx, id)
		if err == nil && o.State != sandbox.Running {
			err = ended(o)
		}
		saw.Isolation = o.Isolation
		return isolationText(o.Isolation), err
	})
	if err != nil {
		return saw, err
	}
	if err := h.placeFiles(ctx, rec); err != nil {
		return saw, err
	}
	saw.Saw = models.SawRunning
	return saw, rec.step(ctx, "Agent", h.greet)
}

// announce shows before the steps that an instance is coming up, and why it has to when nobody asked.
func (h *hold) announce(ctx context.Context, before sandbox.Observed) error {
	rep := models.Report{Generation: h.row.Generation}
	if next, ok := h.row.State.Next(models.SawStarting); ok && next != h.row.State {
		rep.Observed = &models.Observed{Saw: models.SawStarting, Generation: h.row.Generation}
	}
	if h.row.State == models.Running && h.row.ObservedGeneration == h.row.Generation && before.State != sandbox.Running && !h.row.Waking() {
		rep.Warning = "The sandbox was gone (" + goneReason(before) + ") and is brought up again"
	}
	if rep.Observed == nil && rep.Warning == "" {
		return nil
	}
	if err := h.report(ctx, rep, State, Logs); err != nil {
		return err
	}
	if h.row.Generation != rep.Generation {
		return errNewWish
	}
	return nil
}

func goneReason(o sandbox.Observed) string {
	switch {
	case o.Reason != "":
		return o.Reason
	case o.State == sandbox.Absent:
		return "nothing was left of it"
	}
	return "its process ended, or the server was restarted"
}

func ended(o sandbox.Observed) error {
	return fault.New(fault.Unavailable, "sandbox.ended", "The sandbox ended right after its start: %s", goneReason(o)).
		Hinting("Look at the host's memory and process limits")
}

// Spec is what an instance asks of its sandbox.
func Spec(sc *models.Scope, i *models.Instance) (sandbox.Spec, error) {
	env, err := sc.Env(i)
	return sandbox.Spec{ID: i.ID, OrganizationID: i.OrganizationID, Env: env, Limits: sandbox.Limits{
		MemoryMB: i.MemoryMB, StorageMB: i.StorageMB, Processes: i.Processes, CPUs: i.CPUs,
	}}, err
}

func limitsText(l sandbox.Limits) string {
	return fmt.Sprintf("%d MB memory, %d MB storage, %d processes, %g CPU", l.MemoryMB, l.StorageMB, l.Processes, l.CPUs)
}

// isolationText names what protects and, never silently, what does not.
func isolationText(layers sandbox.Isolation) string {
	var on, off []string
	for _, l := range layers {
		switch {
		case l.Applied:
			on = append(on, l.Name)
		case l.Detail != "":
			off = append(off, l.Name+" ("+l.Detail+")")
		default:
			off = append(off, l.Name)
		}
	}
	text := "Applied: " + strings.Join(on, ", ")
	if len(on) == 0 {
		text = "No layer is applied"
	}
	if len(off) > 0 {
		text += ". Not applied: " + strings.Join(off, ", ")
	}
	return text
}
