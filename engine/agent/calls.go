package agent

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"time"

	"lobstead/engine/llm"
	"lobstead/engine/policy"
	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	toolLimit = 15 * time.Minute // no tool runs longer, whatever it asked for
	killWait  = 4 * time.Second  // for a cancelled tool to say what it killed
)

// call does with one tool call what policy says, and writes its result.
func (x *run) call(ctx context.Context, c llm.ToolCall, v policy.Verdict) error {
	if err := x.mayGoOn(ctx); err != nil {
		return err
	}
	switch v.Do {
	case models.Deny:
		return x.record(ctx, c, refuse(v))
	case models.Ask:
		return &asked{c, v}
	}
	return x.carryOut(ctx, c)
}

// carryOut runs a call that may run.
func (x *run) carryOut(ctx context.Context, c llm.ToolCall) error {
	result := x.runTool(ctx, c)
	x.Crash(CrashRan)
	x.parts.flush()
	if result.Interrupted && ctx.Err() != nil {
		x.killed += result.Killed
		x.tail = append(x.tail, result)
		return context.Cause(ctx)
	}
	return x.record(ctx, c, result)
}

// record writes what came of a call.
func (x *run) record(ctx context.Context, c llm.ToolCall, result models.ToolResult) error {
	result.CallID, result.Tool = c.ID, c.Name
	if err := x.append(ctx, models.TurnProgress{}, result); err != nil {
		return err
	}
	x.Crash(CrashResult)
	return x.guard.note(models.ToolCall{Tool: c.Name, Input: c.Input}, result)
}

// runTool gives a result in any case: what goes wrong with a tool is for the model to read.
func (x *run) runTool(ctx context.Context, c llm.ToolCall) models.ToolResult {
	began := time.Now()
	result := x.perform(ctx, c)
	result.CallID, result.Tool = c.ID, c.Name
	result.Millis = time.Since(began).Milliseconds()
	var cut bool
	if result.Output, cut = clipMiddle(result.Output, maxToolOutput); cut {
		result.Truncated = true
	}
	return result
}

func (x *run) perform(ctx context.Context, c llm.ToolCall) models.ToolResult {
	if err := x.readSkills(ctx); err != nil { // again: a skill may have been switched off since the model was asked
		return settle(ctx, models.ToolResult{}, err)
	}
	tool, ok := x.offered.Get(c.Name)
	skill, off := x.skills.Off(c.Name)
	switch {
	case off:
		return failed("%s is switched off for this instance (skill: %s); do without it", c.Name, skill)
	case !ok:
		return failed("there is no tool %q; the tools are %s", c.Name, strings.Join(x.offered.Names(), ", "))
	case c.Invalid != "":
		return failed("the arguments of %s are not a JSON object: %s", c.Name, firstLine(c.Invalid, 200))
	}
	if tool.Changes {
		x.noteBefore(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, toolLimit)
	defer cancel()
	call := &Call{ID: c.ID, Input: c.Input, Scope: x.sc, Instance: x.inst, SessionID: x.turn.SessionID, TurnID: x.turn.ID,
		Config: x.skills.Config(c.Name), run: x}
	done := make(chan models.ToolResult, 1)
	go func() {
		defer func() {
			if p := recover(); p != nil {
				x.Log.Error("agent: a tool panicked", "tool", c.Name, "panic", p, "stack", string(debug.Stack()))
				done <- failed("%s failed by a defect of its own", c.Name)
			}
		}()
		r, err := tool.Run(ctx, call)
		done <- settle(ctx, r, err)
	}()
	select {
	case r := <-done:
		return r
	case <-ctx.Done():
	}
	select {
	case r := <-done:
		return r
	case <-time.After(killWait): // it does not listen: the turn must not wait for it
		return models.ToolResult{Output: interruptText(ctx), Error: true, Interrupted: true}
	}
}

// settle turns a tool's error into a result that the model can act on.
func settle(ctx context.Context, r models.ToolResult, err error) models.ToolResult {
	cancelled := ctx.Err() != nil && (err != nil || r.Interrupted)
	switch {
	case cancelled:
		r.Error, r.Interrupted = true, true
		r.Output = strings.TrimSpace(r.Output + "\n" + interruptText(ctx))
	case err != nil:
		f := fault.As(err)
		text := f.Detail
		if f.Kind == fault.Internal {
			text = "the tool failed: " + f.Detail
		}
		for _, is := range f.Fields {
			text += fmt.Sprintf("; %v: %s", is.Path, is.Message)
		}
		r.Error, r.Output = true, strings.TrimSpace(r.Output+"\n"+text)
		if f.Hint != "" {
			r.Output += ". " + f.Hint
		}
	}
	return r
}

func interruptText(ctx context.Context) string {
	switch cause := context.Cause(ctx); {
	case errors.Is(cause, errStop):
		return "[interrupted: somebody pressed Stop]"
	case errors.Is(cause, errTime):
		return "[interrupted: the turn's time is over]"
	case errors.Is(cause, errDrain):
		return "[interrupted: the server is restarting; what this had started was ended, and it is not run again by itself]"
	case errors.Is(cause, context.DeadlineExceeded):
		return fmt.Sprintf("[interrupted: the tool's limit of %s passed]", toolLimit)
	}
	return "[interrupted]"
}

func failed(format string, args ...any) models.ToolResult {
	return models.ToolResult{Output: fmt.Sprintf(format, args...), Error: true}
}
