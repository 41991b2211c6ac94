package ui_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/a-h/templ"
	"github.com/stretchr/testify/require"

	"lobstead/views/ui"
)

func render(t *testing.T, c templ.Component) string {
	t.Helper()
	var b strings.Builder
	require.NoError(t, c.Render(context.Background(), &b))
	return b.String()
}

const evil = `"><script>alert(1)</script>`

// Nothing that comes from outside becomes markup.
func TestValuesAreEscaped(t *testing.T) {
	for name, c := range map[string]templ.Component{
		"text":   ui.Text(evil),
		"link":   ui.RowLink{Href: evil, Text: evil},
		"badge":  ui.Badge{Kind: ui.Kind(evil), Text: evil, Reason: evil, ID: evil, Href: evil},
		"bar":    ui.Bar{Used: 1, Limit: 2, Label: evil, Kind: ui.Kind(evil)},
		"spark":  ui.Spark{Label: evil},
		"field":  ui.Field(ui.FieldProps{Name: evil, Label: evil, Hint: evil, Error: evil, Value: evil, Placeholder: evil}),
		"toast":  ui.Toasts(&ui.Flash{Kind: ui.Kind(evil), Text: evil}),
		"code":   ui.Code(ui.CodeProps{Text: evil, Title: evil}),
		"log":    ui.Log("log", []ui.LogLine{{ID: evil, Text: evil, Kind: ui.Bad}}),
		"diff":   ui.Diff([]ui.DiffLine{{Op: '+', Text: evil}}),
		"step":   ui.StepRow(ui.Step{ID: evil, Text: evil, Note: evil, State: ui.StepState(evil)}),
		"delete": ui.ConfirmDialog(ui.ConfirmProps{ID: evil, Title: evil, Lost: []string{evil}, Name: evil, Action: evil, Error: evil}),
	} {
		require.NotContains(t, render(t, c), "<script", name)
	}
	require.NotContains(t, render(t, ui.RowLink{Href: "javascript:alert(1)"}), "javascript:")
	require.NotContains(t, render(t, ui.Badge{Reason: "x", Href: "javascript:alert(1)"}), "javascript:")
}

// Hint and error are announced with the field, the label belongs to it.
func TestFieldWiring(t *testing.T) {
	html := render(t, ui.Field(ui.FieldProps{Name: "email", Label: "Email", Hint: "Yours.", Error: "Not whole."}))
	require.Contains(t, html, `for="email"`)
	require.Contains(t, html, `aria-describedby="email-hint email-error"`)
	require.Contains(t, html, `aria-invalid="true"`)
	require.Contains(t, html, `id="email-hint"`)
	require.Contains(t, html, `id="email-error"`)
	plain := render(t, ui.Field(ui.FieldProps{Name: "email", Label: "Email"}))
	require.NotContains(t, plain, "aria-")
	require.NotContains(t, plain, "required")
}

func TestTimes(t *testing.T) {
	now := time.Date(2026, 11, 22, 14, 0, 0, 0, time.UTC)
	for d, want := range map[time.Duration]string{
		0: "just now", -8 * time.Second: "8 s ago", -4 * time.Minute: "4 min ago", -3 * time.Hour: "3 h ago",
		-26 * time.Hour: "1 d ago", 12 * time.Minute: "in 12 min", -40 * 24 * time.Hour: "13 Oct 2026",
	} {
		html := render(t, ui.Time{At: now.Add(d), Now: now})
		require.Contains(t, html, ">"+want+"</time>")
		require.Contains(t, html, `datetime="2026-`)
	}
	require.Contains(t, render(t, ui.Time{}), "—")
	for d, want := range map[time.Duration]string{4 * time.Millisecond: "4 ms", 1240 * time.Millisecond: "1.2 s", 185 * time.Second: "3 min 5 s"} {
		require.Equal(t, want, ui.Took(d))
	}
}

func TestBars(t *testing.T) {
	for used, class := range map[float64]string{10: `class="bar"`, 80: `class="bar warn"`, 95: `class="bar bad"`, 400: `class="bar bad"`} {
		html := render(t, ui.Bar{Used: used, Limit: 100})
		require.Contains(t, html, class)
		require.NotContains(t, html, "400")
	}
	require.Contains(t, render(t, ui.Bar{Used: 5}), `width="0.0%"`)
}

// A spark of any values stays inside its frame.
func TestSparkEdges(t *testing.T) {
	for _, v := range [][]float64{nil, {1}, {0, 0}, {5, 5, 5}, {1, 9}} {
		html := render(t, ui.Spark{Values: v, Label: "x"})
		require.NotContains(t, html, "NaN")
		require.NotContains(t, html, "Inf")
		require.Contains(t, html, "<polyline")
	}
}

// What a terminal would run is what the form does, whatever the body holds.
func TestCurlCommand(t *testing.T) {
	require.Equal(t, "curl http://h/api \\\n  -H \"Authorization: Bearer $LOBSTEAD_KEY\"", ui.CurlCommand("GET", "http://h/", "/api", ""))
	require.Contains(t, ui.CurlCommand("POST", "http://h", "/api", `{"a":"it's"}`), `-d '{"a":"it'\''s"}'`)
}

func BenchmarkBadge(b *testing.B) {
	badge := ui.Badge{Kind: ui.OK, Text: "Running", Since: time.Now(), Reason: "idle"}
	var s strings.Builder
	b.ReportAllocs()
	for b.Loop() {
		s.Reset()
		_ = badge.Render(context.Background(), &s)
	}
}
