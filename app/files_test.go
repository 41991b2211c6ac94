package app_test

import (
	"encoding/json"
	"fmt"
	"html"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	workspaces "lobstead/engine/files"
	"lobstead/models"
)

// folder is the files page of Acme's instance, for a member.
type folder struct {
	*apptest.World
	t  *testing.T
	at string
}

func newFolder(t *testing.T) *folder {
	t.Helper()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Up(w.Acme.Instance)
	w.Exec("DELETE FROM trashed_files")
	return &folder{w, t, "/instances/" + w.Acme.Instance.ID + "/files"}
}

func (f *folder) get(status int, rest string) apptest.Answer {
	f.t.Helper()
	a := f.Do(apptest.Call{Method: "GET", Path: f.at + rest, Who: f.Acme.Member})
	require.Equal(f.t, status, a.Status, rest)
	return a
}

// post sends a form and gives where it leads.
func (f *folder) post(status int, rest string, kv ...string) (apptest.Answer, string) {
	f.t.Helper()
	form := url.Values{}
	for n := 0; n < len(kv); n += 2 {
		form.Add(kv[n], kv[n+1])
	}
	a := f.Do(apptest.Call{Method: "POST", Path: f.at + rest, Who: f.Acme.Member, Form: form})
	require.Equal(f.t, status, a.Status, "%s %v: %.300s", rest, kv, a.Body)
	return a, a.Header.Get("Location")
}

func (f *folder) read(name string) string {
	f.t.Helper()
	b, err := os.ReadFile(filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), name))
	require.NoError(f.t, err)
	return string(b)
}

func (f *folder) gone(name string) {
	f.t.Helper()
	_, err := os.Lstat(filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), name))
	require.ErrorIs(f.t, err, os.ErrNotExist)
}

func TestFilesPage(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	has(t, f.get(200, "").Body, "Nothing here yet", "Upload files")
	f.post(303, "", "path", ".", "name", "docs/plan.md", "kind", "file")
	f.post(303, "", "path", "docs", "name", "deep", "kind", "directory")
	a, _ := f.post(422, "", "path", ".", "name", "docs/plan.md", "kind", "file")
	has(t, a.Body, "exists", `value="docs/plan.md"`)
	f.post(422, "", "path", ".", "name", "", "kind", "file")
	a, _ = f.post(422, "", "path", ".", "name", "../x", "kind", "file")
	has(t, a.Body, "outside the workspace")
	f.Put(f.Acme.Instance, "docs/a.go", "package main // <b>lobster</b>\n")
	f.Put(f.Acme.Instance, "docs/bin", "a\x00b")
	f.Put(f.Acme.Instance, "docs/empty", "")
	body := f.get(200, "?path=docs").Body
	has(t, body, "a.go", "deep", "plan.md", "Rename, move or copy")
	require.Less(t, strings.Index(body, ">deep<"), strings.Index(body, ">a.go<"), "directories come first")
	body = f.get(200, "?path=docs/a.go").Body
	has(t, body, `class="chroma"`, "Download", "Edit", "&lt;b&gt;lobster")
	lacks(t, body, "<b>lobster")
	has(t, f.get(200, "?path=docs/bin").Body, "No text")
	has(t, f.get(200, "?path=docs/empty").Body, "The file is empty")
	body = f.get(200, "?directories=true&path=docs").Body
	has(t, body, `id="directories"`, "?path=docs%2Fdeep", `?path=docs" aria-current="page"`)
	lacks(t, f.get(200, "?path=docs").Body, `?path=docs" aria-current="page"`)
	has(t, f.get(404, "?path=docs/none").Body, "There is no such file", `href="`+f.at+`?path=docs"`)
	f.get(403, "?path=../x")
	f.get(404, "?path=.lobstead/trash")
	body = f.get(200, "?q=lobster&in=content").Body
	has(t, body, "docs/a.go", "1: package main")
	lacks(t, body, ">docs/plan.md<")
	has(t, f.get(200, "?q=*.md&in=names").Body, "docs/plan.md")
	has(t, f.get(200, "?q=nothing-like-it").Body, "Nothing found")
	has(t, f.get(200, "?q=["+"&in=names").Body, "Nothing found")
}

// An edit of a file that was changed meanwhile keeps both.
func TestFilesEdit(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.Put(f.Acme.Instance, "a.txt", "\none\r\ntwo\r\n")
	body := f.get(200, "?path=a.txt&edit=true").Body
	has(t, body, ">\n\none\r\ntwo\r\n</textarea>", `name="eol" value="crlf"`)
	stamp := between(t, body, `name="stamp" value="`, `"`)
	f.post(303, "/save", "path", "a.txt", "stamp", stamp, "eol", "crlf", "content", "three\r\nfour\r\n")
	assert.Equal(t, "three\r\nfour\r\n", f.read("a.txt"))
	a, _ := f.post(409, "/save", "path", "a.txt", "stamp", stamp, "content", "mine <i>")
	has(t, a.Body, "was changed since you opened it", "three", "mine &lt;i&gt;", "Save over it", "Save as a copy")
	assert.Equal(t, "three\r\nfour\r\n", f.read("a.txt"))
	_, to := f.post(303, "/save", "path", "a.txt", "copy", "true", "content", "mine")
	assert.Contains(t, to, url.QueryEscape("a (2).txt"))
	assert.Equal(t, "mine", f.read("a (2).txt"))
	f.post(303, "/save", "path", "a.txt", "stamp", between(t, a.Body, `name="stamp" value="`, `"`), "content", "over")
	assert.Equal(t, "over", f.read("a.txt"))
	require.NoError(t, os.Remove(filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), "a.txt")))
	a, _ = f.post(404, "/save", "path", "a.txt", "stamp", stamp, "content", "kept words")
	has(t, a.Body, "kept words", "does not exist")
}

func between(t *testing.T, s, before, after string) string {
	t.Helper()
	_, s, ok := strings.Cut(s, before)
	require.True(t, ok, "%q is not there", before)
	s, _, ok = strings.Cut(s, after)
	require.True(t, ok)
	return s
}

func TestFilesMoveAndTrash(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for _, name := range []string{"a", "b/c", "b/d"} {
		f.Put(f.Acme.Instance, name, "text of "+name)
	}
	f.post(303, "/carry", "paths", "a", "to", "b", "act", "copy")
	assert.Equal(t, "text of a", f.read("b/a"))
	a, _ := f.post(409, "/carry", "paths", "a", "to", "b", "act", "copy")
	has(t, a.Body, `value="a" checked`, "exists", `value="b"`, "Views of this instance")
	a, _ = f.post(409, "/carry", "paths", "a", "to", "b/c", "exact", "true", "act", "move")
	has(t, a.Body, `id="carry-to-error"`, "exists", `value="b/c"`, "text of a")
	f.post(400, "/delete", "dir", ".")
	f.post(303, "/carry", "paths", "b/a", "to", "renamed", "exact", "true", "act", "move")
	f.gone("b/a")
	f.post(400, "/carry", "to", "b", "act", "move")
	f.post(400, "/carry", "paths", "a", "to", "b", "act", "eat")

	_, to := f.post(303, "/delete", "paths", "a", "paths", "b", "dir", ".")
	f.gone("a")
	f.gone("b")
	rows, err := f.Acme.Scope.TrashedFiles(t.Context(), f.Acme.Instance.ID)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	body := f.Do(apptest.Call{Method: "GET", Path: to, Who: f.Acme.Member}).Body
	has(t, body, "Deleted 2 things", "Undo", rows[0].ID, rows[1].ID)
	lacks(t, f.Do(apptest.Call{Method: "GET", Path: strings.Replace(to, f.Acme.Instance.ID, f.Rival.Instance.ID, 1), Who: f.Rival.Owner}).Body, "Undo")
	f.post(303, "/trash/restore", "id", rows[0].ID, "id", rows[1].ID)
	assert.Equal(t, "text of b/c", f.read("b/c"))
	assert.Equal(t, "text of a", f.read("a"))
	f.post(404, "/trash/restore", "id", rows[0].ID)

	f.post(303, "/delete", "paths", "a")
	f.Put(f.Acme.Instance, "a", "another")
	rows, err = f.Acme.Scope.TrashedFiles(t.Context(), f.Acme.Instance.ID)
	require.NoError(t, err)
	has(t, f.get(200, "/trash").Body, "Restore")
	f.post(303, "/trash/restore", "id", rows[0].ID)
	assert.Equal(t, "another", f.read("a"), "what took the place stays")
	assert.Equal(t, "text of a", f.read("a (2)"))
	f.post(303, "/delete", "paths", "a", "paths", "a (2)")
	f.post(303, "/trash/empty")
	has(t, f.get(200, "/trash").Body, "The trash is empty")
	left, _ := os.ReadDir(filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), ".lobstead/trash"))
	assert.Empty(t, left)
	assert.Equal(t, 5, f.Count("SELECT count(*) FROM audit_entries WHERE act = 'file.deleted' AND organization_id = ?", f.Acme.ID))
}

// Names that programs made can be used by pages and by programs; nobody makes new ones.
func TestFilesWithOddNames(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for name, on := range map[string]string{"new\nline.txt": `new\nline.txt`, "by\xfftes": `by\xfftes`, "bell\a\x1b[31m": `bell\a\x1b[31m`, "odd\r\n/deep\t.txt": `odd\r\n`, "\uf7ff": `\uf7ff`} {
		f.Put(f.Acme.Instance, name, "needle in "+on)
		page := f.get(200, "").Body
		has(t, page, html.EscapeString(on))
		dir := "/v1/agent/" + f.Acme.Instance.ID + "/filesystem/"
		api := func(status int, method, path string, body any) apptest.Answer {
			t.Helper()
			c := apptest.Call{Method: method, Path: dir + path, Who: f.Acme.Member, Face: apptest.JSON}
			if body != nil {
				b, err := json.Marshal(body)
				require.NoError(t, err)
				c.JSON = string(b)
			}
			a := f.Do(c)
			require.Equal(t, status, a.Status, "%s %s: %.300s", method, path, a.Body)
			return a
		}
		var list struct{ Entries []struct{ Path, Type string } }
		require.NoError(t, json.Unmarshal([]byte(api(200, "GET", "directories/?recursive=true", nil).Body), &list))
		spelled := ""
		for _, e := range list.Entries {
			if e.Type == "file" {
				spelled = strings.TrimPrefix(e.Path, "/workspace/")
			}
		}
		require.True(t, utf8.ValidString(spelled))
		require.NotContains(t, spelled, "\n")
		require.Contains(t, page, html.EscapeString(strings.Split(spelled, "/")[0]), "the form sends what the API does")
		has(t, f.get(200, "?path="+url.QueryEscape(spelled)).Body, "needle in")
		require.Equal(t, "needle in "+on, f.get(200, "/raw?path="+url.QueryEscape(spelled)).Body)
		if utf8.ValidString(name) && name != "\uf7ff" {
			require.Equal(t, "needle in "+on, f.get(200, "/raw?path="+url.QueryEscape(name)).Body, "the name itself does too")
		}
		has(t, api(200, "GET", "files/"+url.PathEscape(spelled), nil).Body, "needle in")
		has(t, f.get(200, "?q=needle").Body, "needle in")
		has(t, api(200, "POST", "operations/search", map[string]any{"query": "needle", "type": "content"}).Body, "1: needle in")
		f.post(303, "/save", "path", spelled, "content", "edited", "stamp", "")
		require.Equal(t, "edited", f.read(name))
		f.post(303, "/archive", "paths", spelled, "dir", ".", "name", "a", "format", "tar.gz")
		f.post(303, "/archive", "paths", spelled, "dir", ".", "name", "a", "format", "zip")
		for n, end := range []string{"tar.gz", "zip"} {
			to := fmt.Sprint("un", n)
			f.post(303, "/unpack", "path", "a."+end, "to", to)
			require.Equal(t, "edited", f.read(to+"/"+path.Base(name)), end)
			f.post(303, "/delete", "paths", to, "paths", "a."+end)
		}
		f.post(303, "/carry", "paths", spelled, "to", "kept", "act", "copy")
		require.Equal(t, "edited", f.read("kept/"+path.Base(name)))
		f.post(303, "/carry", "paths", "kept/"+path.Base(spelled), "to", "plain", "exact", "true", "act", "move")
		require.Equal(t, "edited", f.read("plain"))
		f.post(303, "/delete", "paths", spelled, "paths", "plain", "paths", "kept")
		f.gone(name)
		rows, err := f.Acme.Scope.TrashedFiles(t.Context(), f.Acme.Instance.ID)
		require.NoError(t, err)
		for _, row := range rows {
			if row.Path == spelled {
				has(t, f.get(200, "/trash").Body, html.EscapeString(on))
				f.post(303, "/trash/restore", "id", row.ID)
			}
		}
		require.Equal(t, "edited", f.read(name))
		f.post(422, "", "path", ".", "name", "another "+path.Base(spelled), "kind", "file")
		f.post(422, "", "path", ".", "name", "another "+path.Base(spelled), "kind", "directory")
		f.post(400, "/carry", "paths", spelled, "to", "another "+path.Base(spelled), "exact", "true", "act", "move")
		has(t, api(400, "POST", "files/"+url.PathEscape("x "+path.Base(spelled)), map[string]any{"content": "x"}).Body, "A name may hold no control characters")
		f.post(303, "/delete", "paths", strings.Split(spelled, "/")[0])
		f.post(303, "/trash/empty")
	}
}

// An act on several paths does all or nothing; what fails in the midst of it all the same is said on the page and in JSON.
func TestFilesSeveral(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	for _, name := range []string{"a", "d/x", "z", "e/a"} {
		f.Put(f.Acme.Instance, name, "text of "+name)
	}
	f.post(404, "/delete", "paths", "a", "paths", "none")
	has(t, f.Do(apptest.Call{Method: "POST", Path: f.at + "/delete", Who: f.Acme.Member, Face: apptest.JSON, JSON: `{"paths":["a","none"]}`}).Body, `\"/workspace/none\" does not exist`)
	f.post(404, "/carry", "paths", "a", "paths", "none", "to", "b", "act", "move")
	f.post(409, "/carry", "paths", "a", "paths", "z", "to", "d", "act", "move", "paths", "e/a")
	assert.Equal(t, "text of a", f.read("a"))
	half := func() []string {
		ids := []string{}
		for _, name := range []string{"a", "d/x", "z"} {
			f.post(303, "/delete", "paths", name)
			rows, err := f.Acme.Scope.TrashedFiles(t.Context(), f.Acme.Instance.ID)
			require.NoError(t, err)
			ids = append(ids, rows[0].ID)
		}
		require.NoError(t, os.RemoveAll(filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), "d")))
		f.Put(f.Acme.Instance, "d", "a file in the way")
		return ids
	}
	ids := half()
	_, to := f.post(303, "/trash/restore", "id", ids[0], "id", ids[1], "id", ids[2])
	assert.Equal(t, f.at, to)
	assert.Equal(t, "text of a", f.read("a"))
	f.gone("z")
	f.post(303, "/delete", "paths", "d")
	f.post(303, "/trash/restore", "id", ids[1], "id", ids[2])
	ids = half()
	a := f.Do(apptest.Call{Method: "POST", Path: f.at + "/trash/restore", Who: f.Acme.Member, Face: apptest.JSON, JSON: fmt.Sprintf(`{"id":["%s"]}`, strings.Join(ids, `","`))})
	require.Equal(t, 409, a.Status, a.Body)
	body := a.Map()
	assert.Equal(t, "files.partly", body["code"])
	assert.Contains(t, body["error"], `Restored: "/workspace/a". "/workspace/d/x" was not: `)
	assert.Contains(t, body["error"], `Not reached: "/workspace/z"`)
	assert.Len(t, body["details"], 3)
}

// The trash takes a quarter of the storage: the oldest goes, and what is larger than that is gone for good.
func TestTrashHasAShare(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.Exec("UPDATE instances SET storage_mb = 4 WHERE id = ?", f.Acme.Instance.ID)
	mb := strings.Repeat("x", 600<<10)
	for _, name := range []string{"one", "two", "huge"} {
		f.Put(f.Acme.Instance, name, mb)
	}
	f.Put(f.Acme.Instance, "huge", mb+mb)
	f.post(303, "/delete", "paths", "one")
	f.post(303, "/delete", "paths", "two")
	f.post(303, "/delete", "paths", "huge")
	rows, err := f.Acme.Scope.TrashedFiles(t.Context(), f.Acme.Instance.ID)
	require.NoError(t, err)
	require.Len(t, rows, 1)
	assert.Equal(t, "two", rows[0].Path)
	f.gone("huge")
	left, _ := os.ReadDir(filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), ".lobstead/trash"))
	assert.Len(t, left, 1)
	f.Exec("UPDATE trashed_files SET expires_at = created_at")
	require.NoError(t, (&workspaces.Desk{Host: f.Boxes}).Sweep(t.Context(), f.Store))
	left, _ = os.ReadDir(filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), ".lobstead/trash"))
	assert.Empty(t, left)
	assert.Zero(t, f.Count("SELECT count(*) FROM trashed_files WHERE instance_id = ?", f.Acme.Instance.ID))
}

func TestFilesArchives(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.Put(f.Acme.Instance, "d/a", "one")
	f.Put(f.Acme.Instance, "d/b", "two")
	f.post(303, "/archive", "paths", "d/a", "paths", "d/b", "dir", "d", "name", "both", "format", "tar.gz")
	f.post(303, "/archive", "paths", "d/a", "dir", "d", "name", "both", "format", "tar.gz")
	f.read("d/both (2).tar.gz")
	has(t, f.get(200, "?path=d/both.tar.gz").Body, "Unpack", `value="d/both"`)
	f.post(303, "/unpack", "path", "d/both.tar.gz", "to", "d/both")
	assert.Equal(t, "two", f.read("d/both/b"))
	again, _ := f.post(409, "/unpack", "path", "d/both.tar.gz", "to", "d/both")
	has(t, again.Body, `id="unpack-to-error"`, "exists", `value="d/both"`)
	f.post(303, "/unpack", "path", "d/both.tar.gz", "to", "d/both", "overwrite", "true")
	f.post(400, "/unpack", "path", "d/a", "to", "x")
	f.Put(f.Acme.Instance, "zero.zip", "")
	a, _ := f.post(400, "/unpack", "path", "zero.zip", "to", "x")
	has(t, a.Body, "The file is empty")
	f.post(303, "", "path", ".", "name", "hollow", "kind", "directory")
	for _, format := range []string{"zip", "tar", "tar.gz", "tar.bz2"} {
		f.post(303, "/archive", "paths", "hollow", "dir", ".", "name", "h", "format", format)
		f.post(303, "/unpack", "path", "h."+format, "to", "out-"+format)
		info, err := os.Stat(filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), "out-"+format, "hollow"))
		require.NoError(t, err)
		require.True(t, info.IsDir())
	}
}

func TestFilesUpload(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	body, kind := apptest.Multipart(map[string]string{"path": "in"}, apptest.File{Name: "../../evil.txt", Type: "text/plain", Data: "x"}, apptest.File{Name: "b.txt", Type: "text/plain", Data: "y"})
	a := f.Do(apptest.Call{Method: "POST", Path: f.at + "/upload", Who: f.Acme.Member, Body: body, Type: kind})
	require.Equal(t, 303, a.Status, a.Body)
	assert.Equal(t, "x", f.read("in/evil.txt"))
	f.get(200, "?path=in")

	ask := func(status int, method, rest string, who *apptest.Person, body string) map[string]any {
		t.Helper()
		a := f.Do(apptest.Call{Method: method, Path: f.at + "/uploads" + rest, Who: who, Face: apptest.JSON, JSON: body})
		require.Equal(t, status, a.Status, a.Body)
		return a.Map()
	}
	up := ask(201, "POST", "", f.Acme.Member, `{"path":"big.bin","size":10}`)
	id := "/" + up["id"].(string)
	ask(200, "PUT", id+"?offset=0", f.Acme.Member, "01234")
	f.gone("big.bin")
	assert.EqualValues(t, 5, ask(200, "GET", id, f.Acme.Member, "")["offset"], "it survives a reload")
	ask(409, "PUT", id+"?offset=0", f.Acme.Member, "01234")
	ask(400, "PUT", id+"?offset=5", f.Acme.Member, "567890")
	ask(400, "PUT", id+"?offset=x", f.Acme.Member, "56789")
	ask(404, "PUT", id+"?offset=5", f.Acme.Admin, "56789")
	ask(404, "GET", id, f.Rival.Owner, "")
	has(t, f.get(200, "").Body, "big.bin", "not complete")
	last := ask(200, "PUT", id+"?offset=5", f.Acme.Member, "56789")
	assert.Equal(t, true, last["done"])
	assert.Equal(t, "0123456789", f.read("big.bin"))
	assert.Equal(t, last, ask(200, "PUT", id+"?offset=5", f.Acme.Member, "56789"), "the answer was lost, and the piece came again")
	assert.Equal(t, last, ask(200, "GET", id, f.Acme.Member, ""))
	assert.Equal(t, "0123456789", f.read("big.bin"))
	ask(409, "PUT", id+"?offset=0", f.Acme.Member, "01234")
	ask(404, "PUT", id+"?offset=5", f.Acme.Admin, "56789")
	lacks(t, f.get(200, "").Body, "not complete")
	ask(409, "POST", "", f.Acme.Member, `{"path":"big.bin","size":1}`)
	ask(413, "POST", "", f.Acme.Member, `{"path":"huge","size":99999999999999}`)
	for _, bad := range []string{`{}`, `{"path":"x"}`, `{"path":"x","size":-1}`, `{"path":"../x","size":1}`, `{"path":".","size":1}`} {
		a := f.Do(apptest.Call{Method: "POST", Path: f.at + "/uploads", Who: f.Acme.Member, Face: apptest.JSON, JSON: bad})
		assert.True(t, a.Status == 400 || a.Status == 403, "%s: %d", bad, a.Status)
	}
	up = ask(201, "POST", "", f.Acme.Member, `{"path":"big.bin","size":3,"overwrite":true}`)
	ask(200, "PUT", "/"+up["id"].(string)+"?offset=0", f.Acme.Member, "new")
	assert.Equal(t, "new", f.read("big.bin"))
	form := func(exists string) string {
		body, kind := apptest.Multipart(map[string]string{"path": ".", "exists": exists}, apptest.File{Name: "big.bin", Type: "text/plain", Data: exists})
		a := f.Do(apptest.Call{Method: "POST", Path: f.at + "/upload", Who: f.Acme.Member, Body: body, Type: kind})
		require.Equal(t, 303, a.Status, a.Body)
		return a.Header.Get("Location")
	}
	assert.NotContains(t, form("keep"), "undo")
	assert.Equal(t, "keep", f.read("big (2).bin"))
	assert.Contains(t, form("replace"), "undo=")
	assert.Equal(t, "replace", f.read("big.bin"))
	rows, err := f.Acme.Scope.TrashedFiles(t.Context(), f.Acme.Instance.ID)
	require.NoError(t, err)
	require.Len(t, rows, 2, "what was replaced can come back")
	assert.EqualValues(t, []int64{3, 10}, []int64{rows[0].Bytes, rows[1].Bytes})
	up = ask(201, "POST", "", f.Acme.Member, `{"path":"other","size":3}`)
	f.post(303, "/uploads/"+up["id"].(string)+"/delete")
	assert.Zero(t, f.Count("SELECT count(*) FROM file_uploads WHERE created_by = ? AND instance_id = ? AND placed_at IS NULL", f.Acme.Member.UserID, f.Acme.Instance.ID))
	a = f.Do(apptest.Call{Method: "PUT", Path: f.at + "/uploads" + id + "?offset=0", Who: f.Acme.Member, Face: apptest.JSON, Body: strings.NewReader("x"), Header: map[string]string{"Sec-Fetch-Site": "cross-site"}})
	assert.Equal(t, 403, a.Status)
}

// A directory of many files has pages that a browser can draw: directories first, in the order that is asked for. A refused act
// comes back to the page it was sent from.
func TestFilesPageOfMany(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	dir := filepath.Join(f.Boxes.Workspace(f.Acme.Instance.ID), "many")
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "zz-sub"), 0o755))
	for n := range 450 {
		name := filepath.Join(dir, fmt.Sprintf("f%d", n))
		require.NoError(t, os.WriteFile(name, make([]byte, n%7), 0o600))
		require.NoError(t, os.Chtimes(name, time.Time{}, time.Unix(int64(1e9+n*7919%450), 0)))
	}
	shown := func(rest string) []string {
		names := []string{}
		for _, part := range strings.Split(f.get(200, "?path=many"+rest).Body, `class="file-pick" type="checkbox" name="paths" value="many/`)[1:] {
			name, _, _ := strings.Cut(part, `"`)
			names = append(names, name)
		}
		return names
	}
	require.Len(t, shown(""), 200)
	assert.Equal(t, []string{"zz-sub", "f0", "f1", "f2"}, shown("")[:4])
	assert.Equal(t, "f10", shown("")[11])
	assert.Equal(t, "f199", shown("&page=2")[0])
	assert.Len(t, shown("&page=3"), 51)
	assert.Equal(t, shown("&page=3"), shown("&page=99"))
	assert.Equal(t, shown(""), shown("&sort=colour&page=-1"))
	assert.Equal(t, []string{"zz-sub", "f449"}, shown("&sort=-name")[:2])
	assert.Equal(t, []string{"zz-sub", "f6", "f13"}, shown("&sort=-size")[:3])
	assert.Equal(t, []string{"zz-sub", "f0", "f7"}, shown("&sort=size")[:3])
	assert.Equal(t, []string{"zz-sub", "f0"}, shown("&sort=changed")[:2])
	assert.NotEqual(t, "f1", shown("&sort=changed")[2])
	has(t, f.get(200, "?path=many&sort=-size&page=2").Body, "201–400 of 451", "page=3&amp;path=many&amp;sort=-size", `/carry?page=2&amp;path=many&amp;sort=-size`)
	a, _ := f.post(404, "/carry?path=many&page=3", "dir", "many", "paths", "many/f449", "paths", "many/none", "to", "kept here", "act", "move")
	has(t, a.Body, `value="many/f449" checked`, "does not exist", `value="kept here"`, "401–451 of 451")
}

// Nothing of a workspace is run or shown as a page of ours.
func TestFilesRaw(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	png := "\x89PNG\r\n\x1a\n0000"
	f.Put(f.Acme.Instance, "p.png", png)
	f.Put(f.Acme.Instance, "s.svg", "<svg onload='alert(1)'/>")
	f.Put(f.Acme.Instance, "fake.png", "<script>alert(1)</script>")
	has(t, f.get(200, "?path=p.png").Body, `<img src="`+f.at+`/raw?path=p.png&amp;inline=true"`)
	for name, how := range map[string]string{"p.png": "inline", "s.svg": "attachment", "fake.png": "inline"} {
		a := f.get(200, "/raw?path="+name+"&inline=true")
		assert.True(t, strings.HasPrefix(a.Header.Get("Content-Disposition"), how), name)
		assert.Equal(t, "sandbox; default-src 'none'", a.Header.Get("Content-Security-Policy"), name)
		assert.Equal(t, "nosniff", a.Header.Get("X-Content-Type-Options"), name)
		assert.True(t, strings.HasPrefix(f.get(200, "/raw?path="+name).Header.Get("Content-Disposition"), "attachment"), name)
	}
}

// A stopped instance's files can be read; the page says why nothing else can be done.
func TestFilesOfAStoppedInstance(t *testing.T) {
	t.Parallel()
	f := newFolder(t)
	f.Put(f.Acme.Instance, "a.txt", "still here")
	_, err := f.Acme.Scope.ActOnInstance(t.Context(), f.Acme.Instance.ID, models.Stop)
	require.NoError(t, err)
	f.Boxes.Kill(f.Acme.Instance.ID, "")
	body := f.get(200, "").Body
	has(t, body, "a.txt", "The instance is stopped")
	lacks(t, body, `id="upload"`, "Make a file")
	has(t, f.get(200, "?path=a.txt").Body, "still here")
	f.post(409, "/delete", "paths", "a.txt")
}

// What a turn changed is on its page, by lines, and comes back with one click; that can be undone too.
func TestChangesOfATurn(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Up(w.Acme.Instance)
	f := &folder{w, t, "/instances/" + w.Acme.Instance.ID + "/files"}
	f.Put(w.Acme.Instance, "old.txt", "one\ntwo\n")
	s, err := w.Acme.Scope.CreateSession(t.Context(), models.NewSession{InstanceID: w.Acme.Instance.ID, Title: "Lobster pots"})
	require.NoError(t, err)
	say := func(text string) *models.Checkpoint {
		turn, _, err := w.Turns.Start(t.Context(), w.Acme.Scope, s.ID, models.Input{Text: text, Source: "page"})
		require.NoError(t, err)
		var c *models.Checkpoint
		require.Eventually(t, func() bool {
			now, err := w.Acme.Scope.Turn(t.Context(), turn.ID)
			require.NoError(t, err)
			c, err = w.Acme.Scope.TurnCheckpoint(t.Context(), turn.ID)
			require.NoError(t, err)
			return now.State.Ended() && (c == nil || c.EndedAt != nil)
		}, 20*time.Second, 20*time.Millisecond)
		return c
	}
	require.Nil(t, say("hello"), "a turn without tools is not noted")
	c := say("run `put old.txt three`")
	require.NotNil(t, c)
	body := f.get(200, "/changes").Body
	has(t, body, "Lobster pots", "1 file changed")
	body = f.get(200, "/changes/"+c.ID).Body
	has(t, body, "old.txt", "<code>one</code>", "<code>three</code>", "Put it back", "Put everything back")
	has(t, f.Do(apptest.Call{Method: "GET", Path: "/turns/" + *c.TurnID, Who: w.Acme.Member}).Body, "What changed", f.at+"/changes/"+c.ID)
	a := f.get(303, "?turn="+*c.TurnID)
	assert.Equal(t, f.at+"/changes/"+c.ID, a.Header.Get("Location"))
	f.post(303, "/changes/"+c.ID+"/restore", "path", "old.txt")
	assert.Equal(t, "one\ntwo\n", f.read("old.txt"))
	list, err := w.Acme.Scope.Checkpoints(t.Context(), w.Acme.Instance.ID, 5)
	require.NoError(t, err)
	require.Equal(t, c.ID, list[0].RestoredID)
	has(t, f.get(200, "/changes/"+list[0].ID).Body, "What was put back", "old.txt")
	f.post(303, "/changes/"+list[0].ID+"/restore")
	assert.Equal(t, "three\n", f.read("old.txt"))
	f.post(404, "/changes/"+c.ID+"/restore", "path", "none")
	assert.Equal(t, 2, w.Count("SELECT count(*) FROM audit_entries WHERE act = 'files.restored' AND organization_id = ?", w.Acme.ID))
	f.get(404, "?turn="+w.Rival.Turn.ID)
}
