package main

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/views/instances"
	"lobstead/views/layout"
	"lobstead/views/overview"
	"lobstead/views/settings"
	"lobstead/views/setup"
	"lobstead/views/signin"
	"lobstead/views/ui"
)

const evil = `"><script>alert(1)</script><img src=x onerror=alert(2)> style="x" ' javascript:alert(3)`

var (
	tags   = regexp.MustCompile(`<[a-zA-Z][^>]*>`)
	values = regexp.MustCompile(`"[^"]*"`)
	inline = regexp.MustCompile(`(?i)\s(style|on[a-z]+)\s*=`)
	scheme = regexp.MustCompile(`(?i)(href|action|src)="\s*javascript:`)
	ids    = regexp.MustCompile(`\sid="([^"]+)"`)
)

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.Render(context.Background(), &b))
	return b.String()
}

// safe holds for every page: nothing inline, nothing that slipped through unescaped, no id twice.
func safe(t *testing.T, name, html string) {
	t.Helper()
	require.NotContains(t, html, "<script>alert", name)
	require.NotContains(t, html, "<img src=x", name)
	require.NotRegexp(t, scheme, html, name)
	for _, tag := range tags.FindAllString(html, -1) {
		require.NotRegexp(t, inline, values.ReplaceAllString(tag, `""`), "%s: the content policy allows nothing inline", name)
	}
	seen := map[string]bool{}
	for _, m := range ids.FindAllStringSubmatch(html, -1) {
		require.False(t, seen[m[1]], "%s: id %s stands twice", name, m[1])
		seen[m[1]] = true
	}
}

func TestEveryPageOfTheGalleryIsSafe(t *testing.T) {
	for _, name := range paths() {
		html := render(t, pages[name]("dark"))
		safe(t, name, html)
		require.Equal(t, 1, strings.Count(html, "<h1"), "%s has one heading of the first order", name)
	}
}

// Nothing but zero values: no page panics, each still says something.
func TestEveryPageBearsNothing(t *testing.T) {
	for name, c := range map[string]templ.Component{
		"setup": setup.New(setup.NewProps{}), "sign-in": signin.New(signin.NewProps{}), "unclaimed": signin.New(signin.NewProps{Unclaimed: true}),
		"overview": overview.Show(overview.ShowProps{}), "tiles": overview.Tiles(overview.ShowProps{}), "overview list": overview.InstanceList(overview.ShowProps{}),
		"failures": overview.Failures(overview.ShowProps{Overview: &models.Overview{}}), "checklist": overview.Checklist(overview.ShowProps{}),
		"instances": instances.Index(instances.IndexProps{}), "rows": instances.Rows(instances.IndexProps{}), "row": instances.Row(&models.Instance{}, ""),
		"new": instances.New(instances.NewProps{}), "instance": instances.Show(instances.ShowProps{Instance: &models.Instance{}}),
		"head": instances.Head(instances.ShowProps{Instance: &models.Instance{}}), "steps": instances.Steps(instances.ShowProps{Instance: &models.Instance{}}),
		"metrics": instances.Metrics(instances.ShowProps{Instance: &models.Instance{}, Metrics: make([]models.InstanceMetric, 1)}),
		"logs":    instances.Logs(instances.ShowProps{Instance: &models.Instance{}}), "delete": instances.Delete(instances.ShowProps{Instance: &models.Instance{}}),
		"general": settings.General(settings.GeneralProps{}), "models": settings.Models(settings.ModelsProps{MayManage: true}), "sign-ins": settings.SignIns(settings.SignInsProps{}),
	} {
		html := render(t, c)
		require.NotEmpty(t, html, name)
		safe(t, name, html)
	}
}

// Hostile and endless text in every field comes out as text.
func TestHostileTextStaysText(t *testing.T) {
	for _, s := range []string{evil, strings.Repeat("x", 20000), "\x00\xff\u202e", strings.Repeat("💥", 300)} {
		f := layout.FrameProps{Title: s, OrgName: s, UserName: s, UserEmail: s, Flash: &ui.Flash{Text: s}}
		errs := map[string]string{"": s, "name": s, "tier": s, "region": s, "confirm": s, "email": s, "password": s, "organization": s, "kind": s, "key": s, "model": s, "base_url": s}
		i := models.Instance{ID: s, Name: s, Region: s, Tier: models.Tier(s), State: models.InstanceState(s), Reason: s, Desired: models.WantRunning, RetryAt: ago(time.Hour), LastActiveAt: ago(time.Hour)}
		bad := i
		bad.ID, bad.State = "other", models.Errored
		show := instances.ShowProps{Frame: f, Instance: &bad, Model: s, GatewayURL: s, GatewayToken: s, MayDelete: true, BaseURL: s, Errors: errs,
			Steps: []models.InstanceStep{{ID: s, Name: s, State: models.StepState(s), Detail: s}}, Logs: []models.InstanceLog{{ID: s, Level: models.LogLevel(s), Message: s}},
			Metrics: []models.InstanceMetric{{CPUPercent: -1, MemoryMB: 1e12, DiskMB: -5}}, Isolation: []models.Layer{{Name: s, Detail: s}, {Name: s, Applied: true, Detail: s}},
			Sessions: []models.Session{{ID: s, Title: s, Category: s}}, MayUse: true, Profile: models.AgentProfile{Description: s, Instructions: s, InstructionsMode: models.InstructionsMode(s),
				InstructionsBefore: s, InstructionsBy: s, InstructionsAt: ago(time.Hour)}}
		over := overview.ShowProps{Frame: f, Instances: []models.Instance{i, bad}, Models: map[string]string{s: s}, Names: map[string]string{s: s}, MayCreate: true,
			Overview:  &models.Overview{Failures: []models.Turn{{ID: s, SessionID: s, InstanceID: s, Reason: s, Model: s}}},
			Checklist: []overview.Task{{Text: s, Hint: s, Href: "javascript:alert(1)"}, {Text: s, Done: true}}}
		for name, c := range map[string]templ.Component{
			"setup":   setup.New(setup.NewProps{Action: "javascript:alert(1)", Email: s, Name: s, Organization: s, Errors: errs, Checks: []setup.Check{{Name: s, Kind: ui.Kind(s), Verdict: s, Fix: s}, {Kind: ui.Bad}}}),
			"sign-in": signin.New(signin.NewProps{Email: s, Next: s, Error: s}), "overview": overview.Show(over),
			"instances": instances.Index(instances.IndexProps{Frame: f, Instances: over.Instances, Models: over.Models, Query: s, BaseURL: s}),
			"no match":  instances.Index(instances.IndexProps{Frame: f, Query: s}), "problem": instances.Index(instances.IndexProps{Frame: f, Problem: s, RequestID: s}),
			"new": instances.New(instances.NewProps{Frame: f, Name: s, Region: s, Tier: s, Errors: errs, BaseURL: s}), "instance": instances.Show(show), "delete": instances.Delete(show),
			"general":  settings.General(settings.GeneralProps{Frame: f, Organization: &models.Organization{ID: s, Name: s, Slug: s, Plan: models.Tier(s)}, User: &models.User{Name: s, Email: s}, Role: models.Role(s), Version: s, Database: s, Queue: s}),
			"models":   settings.Models(settings.ModelsProps{Frame: f, MayManage: true, Providers: []models.Provider{{ID: s, Kind: s, BaseURL: s, KeyHint: s, Model: s, TestResult: s, IsDefault: true}}, Environment: []settings.Found{{Kind: s, Name: s, Model: s, Source: s}}, Form: settings.ModelForm{Kind: s, BaseURL: s, Model: s, Errors: errs, Kinds: []settings.Kind{{Value: s, Name: s, Hint: s, DefaultModel: s}}}}),
			"sign-ins": settings.SignIns(settings.SignInsProps{Frame: f, SignIns: []models.SignIn{{ID: s, UserAgent: s, Address: s}}}),
		} {
			safe(t, name, render(t, c))
		}
	}
}

// A key that was typed never comes back, and every form can be sent without JavaScript.
func TestFormsAreWholeWithoutJavaScript(t *testing.T) {
	html := render(t, pages["/settings/models/refused"]("light"))
	require.Regexp(t, `<input class="input mono" type="password" value=""[^>]*name="key"`, strings.ReplaceAll(html, "\n", " "))
	require.Contains(t, html, `404 model &#34;llama9&#34; not found`)
	for _, name := range paths() {
		html := render(t, pages[name]("light"))
		for _, form := range regexp.MustCompile(`<form[^>]*>`).FindAllString(html, -1) {
			require.Regexp(t, `method="(post|get)"`, form, name)
			require.Regexp(t, `action="/`, form, name)
		}
		require.Equal(t, strings.Count(html, "<table"), strings.Count(html, "<caption"), "%s: every table has a caption", name)
	}
}
