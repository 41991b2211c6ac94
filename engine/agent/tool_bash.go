package agent

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"lobstead/engine/policy"
	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	defaultTimeout = 2 * time.Minute
	maxTimeout     = 10 * time.Minute
)

var bashTool = Tool{
	Name: "bash",
	Description: "Run a shell command in the sandbox and get its output and exit code. The working directory is /workspace; " +
		"nothing is kept between calls but files. Commands must not wait for input. Default limit two minutes.",
	Schema: json.RawMessage(`{"type":"object","properties":{
		"command":{"type":"string","description":"The command line."},
		"timeout_seconds":{"type":"integer","minimum":1,"maximum":600,"description":"Kill it after this many seconds; 120 if left out."}},
		"required":["command"],"additionalProperties":false}`),
	Outward: func(input json.RawMessage) string {
		return policy.OutwardCommand(policy.Subject(policy.Call{Tool: "bash", Input: input}))
	},
	Changes: true,
	Run:     runBash,
}

func runBash(ctx context.Context, c *Call) (models.ToolResult, error) {
	var in struct {
		Command        string `json:"command"`
		TimeoutSeconds *int   `json:"timeout_seconds"`
	}
	if err := c.Decode(&in); err != nil {
		return models.ToolResult{}, err
	}
	if strings.TrimSpace(in.Command) == "" {
		return models.ToolResult{}, missing("command")
	}
	timeout := defaultTimeout
	if in.TimeoutSeconds != nil {
		timeout = time.Duration(*in.TimeoutSeconds) * time.Second
		if timeout <= 0 || timeout > maxTimeout {
			return models.ToolResult{}, fault.New(fault.Invalid, "tool.input", "wrong input: timeout_seconds must be from 1 to %d", int(maxTimeout.Seconds()))
		}
	}
	h, err := c.Hands(ctx)
	if err != nil {
		return models.ToolResult{}, err
	}
	var out ends
	res, err := h.Exec(ctx, sandbox.Command{Shell: in.Command, Timeout: timeout, MaxOutput: maxToolOutput}, func(o sandbox.Output) {
		out.write(o.Data)
		c.Live(o.Data)
	})
	r := models.ToolResult{Output: out.String(), Truncated: out.dropped > 0}
	if err != nil {
		return r, c.Lost(ctx, err)
	}
	return describe(r, res), nil
}

// describe adds to the output how the command ended, as far as the output does not say it itself.
func describe(r models.ToolResult, res sandbox.Result) models.ToolResult {
	if r.Output == "" && res.Stdout+res.Stderr != "" {
		r.Output = res.Stdout + res.Stderr
	}
	r.ExitCode, r.Killed = &res.ExitCode, res.Killed
	r.Truncated = r.Truncated || res.Truncated
	r.Error = res.ExitCode != 0 || res.TimedOut || res.Cancelled
	end := ""
	switch {
	case res.Cancelled:
		r.Interrupted = true
		end = fmt.Sprintf("[%d processes were ended]", res.Killed)
	case res.TimedOut:
		end = fmt.Sprintf("[%s: %d processes were ended]", cmp.Or(res.Reason, "its time was over"), res.Killed)
	case res.Reason != "":
		end = "[" + res.Reason + "]"
	case res.ExitCode != 0:
		end = fmt.Sprintf("[exit code %d]", res.ExitCode)
	case r.Output == "":
		end = "[no output, exit code 0]"
	}
	if end != "" {
		if r.Output != "" && !strings.HasSuffix(r.Output, "\n") {
			r.Output += "\n"
		}
		r.Output += end
	}
	return r
}

// ends keeps the first and the last part of a stream of output.
type ends struct {
	head, tail []byte
	dropped    int
}

func (e *ends) write(b []byte) {
	const half = maxToolOutput/2 - 200 // room for the note and the ending
	if n := min(half-len(e.head), len(b)); n > 0 {
		e.head = append(e.head, b[:n]...)
		b = b[n:]
	}
	if over := len(b) - half; over > 0 {
		e.dropped += over
		b = b[over:]
	}
	e.tail = append(e.tail, b...)
	if over := len(e.tail) - half; over > 0 {
		e.dropped += over
		e.tail = append(e.tail[:0], e.tail[over:]...)
	}
}

func (e *ends) String() string {
	text := string(e.head)
	if e.dropped > 0 {
		text += fmt.Sprintf("\n[… %d bytes left out …]\n", e.dropped)
	}
	return strings.ToValidUTF8(text+string(e.tail), "\uFFFD")
}
