package app

import (
	"cmp"
	"context"
	"net/http"
	"slices"
	"strings"

	"lobstead/models"
	"lobstead/views/chat"
)

// rail tells of the instance and of what the session touched.
func (a *App) rail(ctx context.Context, sc *models.Scope, p *chat.ShowProps, label string) (*chat.RailProps, error) {
	r := &chat.RailProps{Instance: p.Instance, Model: label, Isolation: isolationWords(p.Instance)}
	m, err := sc.Metrics(ctx, p.Instance.ID, 1)
	if err != nil {
		return nil, err
	}
	if len(m) > 0 && p.Instance.State == models.Running {
		r.MemoryMB = m[0].MemoryMB
	}
	if r.Memories, err = sc.Memories(ctx, p.Instance.ID, "", 5); err != nil {
		return nil, err
	}
	if p.Session == nil {
		return r, nil
	}
	r.SessionID, r.Files = p.Session.ID, filesTouched(p.Events)
	spent, err := sc.SessionSpend(ctx, p.Session.ID)
	r.CostNanos, r.Tokens = spent.CostNanos, int(spent.InputTokens+spent.OutputTokens)
	return r, err
}

// isolationWords names what holds in a few words; the instance's page lists every layer.
func isolationWords(i *models.Instance) string {
	words := []string{}
	for _, l := range i.Layers() {
		word := ""
		switch {
		case !l.Applied:
		case strings.HasSuffix(l.Name, " namespace"):
			word = "namespaces"
		case strings.HasPrefix(l.Name, "cgroup "):
			word = "cgroups"
		case l.Name == "landlock", l.Name == "seccomp":
			word = l.Name
		}
		if word != "" && !slices.Contains(words, word) {
			words = append(words, word)
		}
	}
	return strings.Join(words, " + ")
}

// filesTouched reads from the log which files the shown turns read or changed, newest first.
func filesTouched(events []models.Event) []chat.FileTouched {
	out, at := []chat.FileTouched{}, map[string]int{}
	calls := map[string]models.ToolCall{}
	for _, e := range events {
		switch e.Kind {
		case models.KindCall:
			if c, err := models.Decode[models.ToolCall](e); err == nil {
				calls[c.CallID] = c
			}
		case models.KindResult:
			r, err := models.Decode[models.ToolResult](e)
			path := calls[r.CallID].Path()
			if err != nil || r.Error || path == "" {
				continue
			}
			n, ok := at[path]
			if !ok {
				n = len(out)
				at[path] = n
				out = append(out, chat.FileTouched{Path: path, Read: true})
			}
			out[n].Added += r.Added
			out[n].Removed += r.Removed
			out[n].Read = out[n].Read && calls[r.CallID].Tool == "read_file"
		}
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return out[:min(len(out), 12)]
}

// composer is the form below a conversation, with what runs and what waits.
func (a *App) composer(ctx context.Context, sc *models.Scope, p *chat.ShowProps, label string, window int) (*chat.ComposerProps, error) {
	c := &chat.ComposerProps{Action: "/chat", InstanceID: p.Instance.ID, Placeholder: "Message " + p.Instance.Name, Model: label,
		Meter: chat.Meter{ContextWindow: window}, Waits: p.Instance.Standing() == models.StandingPaused}
	if p.Instance.Desired != models.WantRunning {
		c.Stopped, c.Error = true, "This instance is "+strings.ToLower(string(p.Instance.State))+". Start it to send messages."
	}
	if p.Instance.State == models.Suspended { // it starts by itself, when the organization goes on
		c.Stopped, c.Error = true, cmp.Or(p.Instance.Reason, "The organization is suspended")+"."
	}
	if p.Session == nil {
		return c, nil
	}
	c.Action, c.SessionID = "/chat/"+p.Session.ID+"/messages", p.Session.ID
	for n, t := range p.Open {
		if t.State != models.TurnQueued {
			c.Running = &p.Open[n]
			if t.WaitsFor == models.WaitBudget {
				var err error
				if c.Paused, err = a.paused(ctx, sc, p.Instance, &p.Open[n]); err != nil {
					return nil, err
				}
			}
			continue
		}
		text, err := sc.TurnText(ctx, t.ID)
		if err != nil {
			return nil, err
		}
		c.Queue = append(c.Queue, chat.Queued{TurnID: t.ID, Text: text})
	}
	last, err := sc.LastTurn(ctx, p.Session.ID)
	if err != nil || last == nil {
		return c, err
	}
	c.Meter.ContextTokens, c.Meter.Tokens, c.Meter.CostNanos = last.ContextTokens, last.InputTokens+last.OutputTokens, last.CostNanos
	return c, nil
}

// safeImage tells the type of a picture that browsers may show; anything else is bytes.
func safeImage(b []byte) (kind string, ok bool) {
	switch kind = http.DetectContentType(b); kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return kind, true
	}
	return "application/octet-stream", false
}
