package main

import (
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"lobstead/models"
	"lobstead/views/instances"
	"lobstead/views/overview"
	"lobstead/views/settings"
	"lobstead/views/setup"
	"lobstead/views/signin"
	"lobstead/views/ui"
)

const base = "https://lobstead.example.com"

type page = func(theme string) templ.Component

// pages are the addresses that the tests walk.
var pages = map[string]page{
	"/setup": func(t string) templ.Component {
		return setup.New(setup.NewProps{Bare: bare(t, "Set up"), Action: "/setup?token=abc", Checks: checks(ui.Warn)})
	},
	"/setup/errors": func(t string) templ.Component {
		return setup.New(setup.NewProps{Bare: bare(t, "Set up"), Action: "/setup?token=abc", Checks: checks(ui.Bad), Name: "Ada", Email: "ada@example", Organization: "Acme Robotics",
			Errors: map[string]string{"": "Two fields need another look.", "email": "This is not a whole address.", "password": "This is too short."}})
	},
	"/sign-in": func(t string) templ.Component {
		return signin.New(signin.NewProps{Bare: bare(t, "Sign in"), Next: "/instances"})
	},
	"/sign-in/wrong": func(t string) templ.Component {
		return signin.New(signin.NewProps{Bare: bare(t, "Sign in"), Email: "ada@example.com", Error: "The e-mail address or the password is wrong"})
	},
	"/sign-in/unclaimed": func(t string) templ.Component {
		return signin.New(signin.NewProps{Bare: bare(t, "Sign in"), Unclaimed: true})
	},
	"/overview":           func(t string) templ.Component { return overview.Show(busy(t)) },
	"/overview/new":       func(t string) templ.Component { return overview.Show(fresh(t)) },
	"/instances/50":       func(t string) templ.Component { return instances.Index(index(t, 50)) },
	"/instances/1":        func(t string) templ.Component { return instances.Index(index(t, 1)) },
	"/instances/0":        func(t string) templ.Component { return instances.Index(index(t, 0)) },
	"/instances/no-match": func(t string) templ.Component { p := index(t, 0); p.Query = "zebra"; return instances.Index(p) },
	"/instances/problem": func(t string) templ.Component {
		p := index(t, 0)
		p.Problem, p.RequestID = "The database did not answer in time. Try again; if it stays so, look at the server's log.", "r-0198f3c2"
		return instances.Index(p)
	},
	"/instances/new": func(t string) templ.Component { return instances.New(deploy(t)) },
	"/instances/new/wrong": func(t string) templ.Component {
		p := deploy(t)
		p.Name, p.Errors = "Support Triage", map[string]string{"name": "Only lower case letters, digits and hyphens.", "": "The instance limit of this plan is reached."}
		return instances.New(p)
	},
	"/instances/forbidden": func(t string) templ.Component { p := deploy(t); p.Forbidden = true; return instances.New(p) },
	"/instances/running":   func(t string) templ.Component { return instances.Show(show(t, 0)) },
	"/instances/starting":  func(t string) templ.Component { return instances.Show(show(t, 2)) },
	"/instances/error":     func(t string) templ.Component { return instances.Show(show(t, 3)) },
	"/instances/stopped":   func(t string) templ.Component { return instances.Show(show(t, 4)) },
	"/instances/suspended": func(t string) templ.Component { return instances.Show(show(t, 5)) },
	"/instances/long":      func(t string) templ.Component { return instances.Show(show(t, 6)) },
	"/instances/deleting":  func(t string) templ.Component { return instances.Show(show(t, 7)) },
	"/instances/delete":    func(t string) templ.Component { return instances.Delete(show(t, 0)) },
	"/settings": func(t string) templ.Component {
		return settings.General(settings.GeneralProps{Frame: frame(t, "Settings", "/settings"), Organization: &models.Organization{ID: "c0198f3c27f3e7a10", Name: "Acme Robotics", Slug: "acme-robotics", Plan: models.Pro, CreatedAt: now.Add(-900 * time.Hour)},
			User: &models.User{Name: "Ada Lovelace", Email: "ada@example.com"}, Role: models.Owner, Version: "0.1.0", Database: "SQLite", Queue: "embedded"})
	},
	"/settings/models": func(t string) templ.Component { return settings.Models(services(t)) },
	"/settings/models/none": func(t string) templ.Component {
		p := services(t)
		p.Providers, p.Environment = nil, nil
		return settings.Models(p)
	},
	"/settings/models/refused": func(t string) templ.Component {
		p := services(t)
		p.Form.Kind, p.Form.BaseURL, p.Form.Errors = "ollama", "http://127.0.0.1:11434/v1", map[string]string{"": "404 model \"llama9\" not found, try pulling it first", "model": "Not known there."}
		return settings.Models(p)
	},
	"/settings/models/forbidden": func(t string) templ.Component { p := services(t); p.MayManage = false; return settings.Models(p) },
	"/settings/sign-ins":         func(t string) templ.Component { return settings.SignIns(signIns(t)) },
}

// filter answers the search field of the list.
func filter(w http.ResponseWriter, r *http.Request) {
	p := index("", 50)
	p.Query = r.URL.Query().Get("q")
	list := p.Instances
	p.Instances = nil
	for _, i := range list {
		if strings.Contains(i.Name, p.Query) {
			p.Instances = append(p.Instances, i)
		}
	}
	if r.Header.Get("HX-Request") != "" {
		templ.Handler(instances.Rows(p)).ServeHTTP(w, r)
		return
	}
	templ.Handler(instances.Index(p)).ServeHTTP(w, r)
}

func index(t string, n int) instances.IndexProps {
	list := some(n)
	return instances.IndexProps{Frame: frame(t, "Instances", "/instances"), Instances: list, Models: answers(list), MayCreate: true, BaseURL: base}
}

func deploy(t string) instances.NewProps {
	return instances.NewProps{Frame: frame(t, "Deploy instance", "/instances"), Region: "local", Tier: "STARTER", Plans: plans(), BaseURL: base}
}

func show(t string, n int) instances.ShowProps {
	i := some(8)[n]
	p := instances.ShowProps{Frame: frame(t, i.Name, "/instances"), Instance: &i, Plans: plans(), Logs: logs(), Isolation: layers(), Model: "auto → claude-sonnet-5", MayDelete: true, BaseURL: base,
		Steps: steps(models.StepDone, models.StepDone, models.StepDone, models.StepDone)}
	switch i.State {
	case models.Running:
		p.Metrics, p.Sessions, p.SessionTotal = metrics(100, float64(i.MemoryMB)*.5), sessions(), 12
		p.MayUse, p.Waiting = true, 3
		p.Profile = models.AgentProfile{Description: "Answers support requests of the harbour office.", Instructions: "You answer support requests of the harbour office. Be brief, and name your sources.",
			InstructionsMode: models.AppendInstructions, InstructionsBefore: "You answer support requests.", InstructionsBy: "Mira Aydin", InstructionsAt: ago(2 * time.Hour)}
		p.GatewayURL, p.GatewayToken = base+"/gateway/"+i.ID, "gw_3f9aK2mQx81LwTzP0vRbYc7HdNeJ5sGu"
	case models.Provisioning:
		p.Steps, p.Isolation, p.Logs = steps(models.StepDone, models.StepDone, models.StepRunning), nil, p.Logs[5:]
	case models.Errored:
		p.Steps, p.Metrics, p.Sessions = steps(models.StepDone, models.StepFailed), metrics(3, 1900), sessions()[:1]
	}
	return p
}

func busy(t string) overview.ShowProps {
	list := some(6)
	failed := func(id, reason string, d time.Duration) models.Turn {
		return models.Turn{ID: id, SessionID: "s1", InstanceID: "i1", State: models.TurnFailed, Reason: reason, Model: "claude-sonnet-5", EndedAt: ago(d)}
	}
	return overview.ShowProps{Frame: frame(t, "Overview", "/"), Instances: list, Models: answers(list), Names: map[string]string{"i1": "support-triage"}, MayCreate: true, FirstP50: 412 * time.Millisecond,
		Checklist: tasks(4), Overview: &models.Overview{ByState: map[models.InstanceState]int{models.Running: 6, models.Errored: 1, models.Stopped: 1}, OpenTurns: 2, Turns24h: 1284, Messages: 9000,
			TurnsByHour: []int{20, 25, 22, 31, 38, 29, 27, 41, 52, 47, 60, 54, 44, 49, 51, 62, 70, 66, 58, 64, 72, 80, 75, 68}, Spent: models.Spend{Calls: 3120, InputTokens: 4_200_000, OutputTokens: 310_000, CostNanos: 4_370_000_000},
			FirstTokens: []time.Duration{420e6, 400e6, 440e6, 380e6, 400e6, 500e6, 420e6, 400e6, 380e6},
			Failures: []models.Turn{
				failed("t1", "openai answered 429: Rate limit reached for gpt-6-sol in organization org-x on tokens per min. Try again in 12 s.", 9*time.Minute),
				failed("t2", "The sandbox was killed: out of memory", 3*time.Hour)}}}
}

func fresh(t string) overview.ShowProps {
	return overview.ShowProps{Frame: frame(t, "Overview", "/"), MayCreate: true, Checklist: tasks(1),
		Overview: &models.Overview{ByState: map[models.InstanceState]int{}, TurnsByHour: make([]int, 24)}}
}

func tasks(done int) []overview.Task {
	all := []overview.Task{
		{Text: "Make the first account", Href: "/settings"},
		{Text: "Deploy an instance", Hint: "An agent with a sandbox of its own. It takes less than a second.", Href: "/instances/new"},
		{Text: "Ask it something", Hint: "The offline model answers until you connect a service.", Href: "/chat"},
		{Text: "Connect a model service", Hint: "OpenAI, Anthropic, Gemini, or one that runs here.", Href: "/settings/models"},
	}
	for k := range all[:done] {
		all[k].Done = true
	}
	return all
}

func checks(worst ui.Kind) []setup.Check {
	return []setup.Check{
		{Name: "Data directory", Kind: ui.OK, Verdict: "writable, 41 GB free"},
		{Name: "Sandbox", Kind: ui.OK, Verdict: "namespaces, landlock and seccomp"},
		{Name: "Memory limit", Kind: worst, Verdict: "no cgroup here; kept by rlimit", Fix: "Start with Delegate=yes in the systemd unit to have it exact."},
		{Name: "Models", Kind: ui.OK, Verdict: "none connected; the built-in offline model answers"},
	}
}

func services(t string) settings.ModelsProps {
	return settings.ModelsProps{Frame: frame(t, "Models", "/settings"), MayManage: true,
		Providers: []models.Provider{
			{ID: "p1", Kind: "anthropic", KeyHint: "…Qx4A", Model: "claude-sonnet-5", IsDefault: true, TestedAt: ago(26 * time.Hour), TestResult: "Answered in 412 ms"},
			{ID: "p2", Kind: "ollama", BaseURL: "http://gpu-box.internal:11434/v1", Model: "qwen3-coder:30b", TestedAt: ago(50 * time.Hour)}},
		Environment: []settings.Found{{Kind: "openai", Name: "OpenAI", Model: "gpt-6-sol", Source: "OPENAI_API_KEY"}},
		Form: settings.ModelForm{Kind: "openai", Kinds: []settings.Kind{
			{Value: "openai", Name: "OpenAI", Hint: "Key from platform.openai.com", DefaultModel: "gpt-6-sol", NeedsKey: true},
			{Value: "anthropic", Name: "Anthropic", Hint: "Key from console.anthropic.com", DefaultModel: "claude-sonnet-5", NeedsKey: true},
			{Value: "gemini", Name: "Gemini", Hint: "Key from aistudio.google.com", DefaultModel: "gemini-3.8-flash", NeedsKey: true},
			{Value: "openrouter", Name: "OpenRouter", Hint: "Many models, one key", DefaultModel: "anthropic/claude-sonnet-5", NeedsKey: true},
			{Value: "ollama", Name: "Ollama", Hint: "Runs on a machine of yours", NeedsURL: true},
			{Value: "openai-compatible", Name: "OpenAI-compatible", Hint: "vLLM, LM Studio and others", NeedsURL: true}}}}
}

func signIns(t string) settings.SignInsProps {
	return settings.SignInsProps{Frame: frame(t, "Sign-ins", "/settings"), Current: "a", SignIns: []models.SignIn{
		{ID: "a", UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chromium/139.0.0.0 Safari/537.36", Address: "10.1.4.20", CreatedAt: now.Add(-50 * time.Hour), LastSeenAt: now.Add(-time.Second)},
		{ID: "b", UserAgent: "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1", Address: "2001:db8:85a3:8d3:1319:8a2e:370:7348", CreatedAt: now.Add(-500 * time.Hour), LastSeenAt: now.Add(-30 * time.Hour)},
		{ID: "c", UserAgent: "curl/8.14.1", Address: "", CreatedAt: now.Add(-90 * time.Hour), LastSeenAt: now.Add(-72 * time.Hour)}}}
}
