package layout_test

import (
	"context"
	"strings"
	"testing"

	"github.com/a-h/templ"
	"github.com/stretchr/testify/require"

	"lobstead/views/layout"
	"lobstead/views/ui"
)

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	ctx := templ.WithChildren(context.Background(), templ.Raw("<p>inside</p>"))
	require.NoError(t, c.Render(ctx, &b))
	return b.String()
}

func TestFrame(t *testing.T) {
	html := render(t, layout.Frame(layout.FrameProps{Title: "Overview", Active: "/instances", OrgName: "éclair", UserEmail: "ada@example.com",
		Theme: "dark", LiveURL: "/live?after=3&x=1", Flash: &ui.Flash{Kind: ui.OK, Text: "Saved"},
		Nav: append(layout.DefaultNav(), layout.NavItem{Text: "Approvals", Href: "/approvals", Count: 3, CountID: "approvals-count"})}))
	require.Contains(t, html, "<title>Overview · Lobstead</title>")
	require.Contains(t, html, `data-theme="dark"`)
	require.Contains(t, html, `data-live="/live?after=3&amp;x=1"`)
	require.Contains(t, html, "<p>inside</p>")
	require.Contains(t, html, "Saved")
	require.Contains(t, html, `>É</span>`)
	require.Contains(t, html, `id="approvals-count"`)
	require.Equal(t, 1, strings.Count(html, `aria-current="page"`))
	require.Contains(t, html, `href="/instances" aria-current="page"`)
	require.Contains(t, html, `method="post" action="/sign-out"`)
	require.LessOrEqual(t, strings.Count(html, `class="side-link"`), 9, "eight entries and settings")
	require.NotContains(t, html, "<style")
	require.NotContains(t, html, "<script>")
	require.NotContains(t, html, "style=")
}

func TestThemeFallsBackToTheSystem(t *testing.T) {
	for _, theme := range []string{"", "system", `x" onload="`} {
		require.Contains(t, render(t, layout.Bare(layout.BareProps{Title: "x", Theme: theme})), `<html lang="en" data-theme="system">`)
	}
}

func TestBareAndErrorPages(t *testing.T) {
	require.Contains(t, render(t, layout.Bare(layout.BareProps{Title: "Sign in"})), "<p>inside</p>")
	html := render(t, layout.ErrorPage(layout.ErrorProps{Status: 404, Title: "Gone", Advice: "Look again.", RequestID: "r-1"}))
	for _, want := range []string{"Error 404", "Gone", "Look again.", "<code>r-1</code>", `href="/"`} {
		require.Contains(t, html, want)
	}
}

// The sheet binds what it shows: every entry that does something carries its keys.
func TestTheShortcutSheetIsTheCatalogue(t *testing.T) {
	html := render(t, layout.Frame(layout.FrameProps{Title: "x"}))
	for _, s := range layout.Shortcuts() {
		require.Contains(t, html, s.Text)
		if s.Do != "" {
			require.Contains(t, html, `data-shortcut="`+s.Keys+`"`)
		}
	}
}
