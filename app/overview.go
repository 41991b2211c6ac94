package app

import (
	"context"
	"slices"
	"time"

	"lobstead/models"
	"lobstead/views/overview"
)

// Overview is the first page.
type Overview struct{ *App }

// Show tells how the organization's agents are.
func (h *Overview) Show(c *Ctx) (Reply, error) {
	p, err := h.overviewProps(c, c.Scope, c.Principal)
	if err != nil {
		return nil, err
	}
	p.Frame = c.frame("Overview", "/", "/live/overview?after=0")
	return page(overview.Show(*p)), nil
}

// shownInstances is how many instances the first page lists.
const shownInstances = 8

func (a *App) overviewProps(ctx context.Context, sc *models.Scope, p *models.Principal) (*overview.ShowProps, error) {
	o, err := sc.Overview(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := sc.Instances(ctx)
	if err != nil {
		return nil, err
	}
	names := map[string]string{}
	for _, i := range rows {
		names[i.ID] = i.Name
	}
	out := &overview.ShowProps{Overview: o, Names: names, FirstP50: median(o.FirstTokens),
		MayCreate: p.May(models.CanCreateInstances), Checklist: checklist(o, len(rows), len(a.Door.Found()))}
	out.Instances = rows[:min(len(rows), shownInstances)]
	out.Models, err = a.Door.Labels(ctx, sc, out.Instances)
	return out, err
}

func median(ds []time.Duration) time.Duration {
	if len(ds) == 0 {
		return 0
	}
	slices.Sort(ds)
	return ds[len(ds)/2]
}

// checklist is read from what exists; it is gone when all is done.
func checklist(o *models.Overview, instances, found int) []overview.Task {
	tasks := []overview.Task{
		{Text: "Deploy an instance", Hint: "A sandbox with an agent in it, ready in a moment", Href: "/instances/new", Done: instances > 0},
		{Text: "Send the first message", Hint: "The built-in offline model answers without any key", Href: "/chat", Done: o.Messages > 0},
		{Text: "Connect a model", Hint: "OpenAI, Anthropic, Gemini, OpenRouter, Ollama or any compatible server", Href: "/settings/models", Done: o.Providers+found > 0},
	}
	if slices.ContainsFunc(tasks, func(t overview.Task) bool { return !t.Done }) {
		return tasks
	}
	return nil
}
