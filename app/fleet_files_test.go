package app_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/fault"
	"lobstead/models"
)

// agentFiles is the file system of Acme's instance, by key.
type agentFiles struct {
	*apptest.World
	t    *testing.T
	base string
}

func newAgentFiles(t *testing.T) *agentFiles {
	t.Helper()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	w.Up(w.Acme.Instance)
	return &agentFiles{w, t, "/v1/agent/" + w.Acme.Instance.ID + "/filesystem"}
}

// do sends a request and expects a status.
func (a *agentFiles) do(status int, method, path, body string) apptest.Answer {
	a.t.Helper()
	call := apptest.Call{Method: method, Path: a.base + path, Who: a.Acme.Member, ByKey: true}
	if body != "" {
		call.JSON = body
	}
	got := a.Do(call)
	require.Equal(a.t, status, got.Status, "%s %s: %s", method, path, got.Body)
	return got
}

func TestFleetFiles(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	m := a.do(201, "POST", "/files/notes/a.txt", `{"content":"one","permissions":"600"}`).Map()
	assert.Equal(t, "/workspace/notes/a.txt", m["path"])
	assert.EqualValues(t, 3, m["size"])
	assert.NotEmpty(t, m["created_at"])
	a.do(409, "POST", "/files/notes/a.txt", `{"content":"two"}`)
	a.do(201, "POST", "/files/workspace/notes/a.txt", `{"content":"two","overwrite":true}`)
	m = a.do(200, "GET", "/files//workspace/notes/a.txt", "").Map()
	assert.Equal(t, map[string]any{"path": "/workspace/notes/a.txt", "content": "two", "encoding": "utf-8", "size": 3.0, "mime_type": "text/plain", "modified_at": m["modified_at"]}, m)
	assert.Equal(t, "600", a.do(200, "GET", "/metadata/notes/a.txt", "").Map()["permissions"], "the mode of a replaced file stays")
	assert.Contains(t, a.do(404, "PUT", "/files/none", `{"content":"x"}`).Body, `{"error":`)
	a.do(200, "PUT", "/files/notes/a.txt", `{"content":"`+base64.StdEncoding.EncodeToString([]byte{0, 255, 7})+`","encoding":"base64"}`)
	assert.Equal(t, "AP8H", a.do(200, "GET", "/files/notes/a.txt", "").Map()["content"], "no text is base64 unasked")
	a.do(400, "GET", "/files/notes/a.txt?encoding=utf-8", "")
	for _, bad := range []string{`{}`, `{"content":1}`, `{"content":"x","encoding":"latin1"}`, `{"content":"?","encoding":"base64"}`, `{"content":"x","permissions":"9"}`, `{"content":"x","permissions":"rwx"}`, `nonsense`, `[]`} {
		assert.Contains(t, a.do(400, "POST", "/files/new", bad).Body, `{"error":"`, bad)
	}
	a.do(404, "GET", "/files/new", "")
	a.do(200, "PUT", "/files/notes/a.txt", `{"content":"hello"}`)
	for _, c := range []struct{ body, want string }{{`"append","content":"!"`, "hello!"}, {`"prepend","content":">"`, ">hello!"}, {`"replace","content":"J","position":1,"length":1`, ">Jello!"},
		{`"replace","content":"ELL","position":2`, ">JELLo!"}, {`"replace","content":"","position":1,"length":100`, ">"}, {`"replace","content":"new"`, "new"}} {
		a.do(200, "PATCH", "/files/notes/a.txt", `{"operation":`+c.body+`}`)
		assert.Equal(t, c.want, a.do(200, "GET", "/files/notes/a.txt", "").Map()["content"], c.body)
	}
	a.do(400, "PATCH", "/files/notes/a.txt", `{"operation":"replace","content":"x","position":9}`)
	a.do(400, "PATCH", "/files/notes/a.txt", `{"operation":"shuffle","content":"x"}`)
	a.do(404, "PATCH", "/files/none", `{"operation":"append","content":"x"}`)
	a.do(400, "DELETE", "/files/notes", "")
	assert.NotEmpty(t, a.do(200, "DELETE", "/files/notes/a.txt", "").Map()["deleted_at"])
	a.do(404, "DELETE", "/files/notes/a.txt", "")
	assert.Equal(t, 1, a.Count("SELECT count(*) FROM trashed_files WHERE instance_id = ? AND path = 'notes/a.txt'", a.Acme.Instance.ID))
}

func TestFleetDirectories(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	a.do(404, "POST", "/directories/a/b", `{}`)
	m := a.do(201, "POST", "/directories/a/b", `{"recursive":true,"permissions":"750"}`).Map()
	assert.Equal(t, "/workspace/a/b", m["path"])
	a.do(409, "POST", "/directories/a/b", `{"recursive":true}`)
	a.Put(a.Acme.Instance, "a/f.md", "hi")
	a.Put(a.Acme.Instance, "a/.hidden/x", "hi")
	a.Put(a.Acme.Instance, ".lobstead/trash/x", "gone")
	names := func(path string) (out []string) {
		for _, e := range a.do(200, "GET", path, "").Map()["entries"].([]any) {
			one := e.(map[string]any)
			out = append(out, one["name"].(string)+" "+one["type"].(string))
		}
		return out
	}
	assert.Equal(t, []string{"a directory"}, names("/directories"))
	assert.Equal(t, []string{"a directory"}, names("/directories/"))
	assert.Equal(t, []string{"a directory"}, names("/directories/workspace?includeHidden=true"), "the workspace's own corner is nobody's")
	assert.Equal(t, []string{"b directory", "f.md file"}, names("/directories/a"))
	assert.Equal(t, []string{".hidden directory", ".hidden/x file", "b directory", "f.md file"}, names("/directories/a?recursive=true&includeHidden=true"))
	a.do(404, "GET", "/directories/none", "")
	assert.Contains(t, a.do(400, "GET", "/directories/a/f.md", "").Body, "is a file, not a directory")
	for _, one := range []map[string]any{a.do(200, "GET", "/directories", "").Map()["entries"].([]any)[0].(map[string]any), a.do(200, "GET", "/metadata/a", "").Map(),
		a.do(200, "POST", "/operations/search", `{"query":"a","path":"/workspace"}`).Map()["results"].([]any)[0].(map[string]any)} {
		assert.Equal(t, "directory", one["type"])
		assert.EqualValues(t, 0, one["size"], one)
	}
	a.do(404, "GET", "/files/.lobstead/trash/x", "")
	m = a.do(200, "GET", "/metadata/a", "").Map()
	assert.Equal(t, "directory", m["type"])
	assert.EqualValues(t, 0, m["size"])
	a.do(400, "DELETE", "/directories/a/f.md", "")
	a.do(409, "DELETE", "/directories/a", "")
	a.do(200, "DELETE", "/directories/a?recursive=true", "")
	a.do(404, "GET", "/metadata/a", "")
	a.do(400, "DELETE", "/directories/", "")
}

func TestFleetOperations(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	for name, text := range map[string]string{"a.txt": "Lobster one\nnothing\n", "b/c.go": "package lobster\n", "b/d.txt": "x"} {
		a.Put(a.Acme.Instance, name, text)
	}
	results := func(m map[string]any) []any { return m["results"].([]any) }
	r := results(a.do(200, "POST", "/operations/copy", `{"source":"a.txt","destination":"/workspace/b/a.txt"}`).Map())
	assert.Equal(t, []any{map[string]any{"source": "/workspace/a.txt", "destination": "/workspace/b/a.txt", "success": true}}, r)
	r = results(a.do(200, "POST", "/operations/move", `{"operations":[{"source":"b/a.txt","destination":"a.txt"},{"source":"b/a.txt","destination":"a.txt","overwrite":true},{"source":"../x","destination":"y"},{"source":"none","destination":"y"}]}`).Map())
	for n, want := range []bool{false, true, false, false} {
		assert.Equal(t, want, r[n].(map[string]any)["success"], n)
		assert.Equal(t, want, r[n].(map[string]any)["error"] == nil, n)
	}
	for _, bad := range []string{`{}`, `{"source":"a"}`, `{"operations":[]}`, `{"operations":[{"source":"a"}]}`, `{"operations":"x"}`, `{"operations":[1]}`, `{"source":1,"destination":"x"}`} {
		a.do(400, "POST", "/operations/copy", bad)
	}
	paths := func(body string) (out []string) {
		for _, f := range results(a.do(200, "POST", "/operations/search", body).Map()) {
			one := f.(map[string]any)
			line := strings.TrimPrefix(one["path"].(string), "/workspace/")
			if m, ok := one["matches"].([]any); ok {
				line += " " + m[0].(string)
			}
			out = append(out, line)
		}
		return out
	}
	assert.Equal(t, []string{"a.txt", "b/d.txt"}, paths(`{"query":"*.txt"}`))
	assert.Equal(t, []string{"a.txt 1: Lobster one", "b/c.go 1: package lobster"}, paths(`{"query":"lobster","type":"content"}`))
	assert.Equal(t, []string{"b/c.go 1: package lobster"}, paths(`{"pattern":"lobster","content_search":true,"case_sensitive":true}`))
	assert.Equal(t, []string{"b/c.go 1: package lobster"}, paths(`{"query":"lobster","type":"both","filePattern":"*.go"}`))
	assert.Equal(t, []string{"b/d.txt"}, paths(`{"query":"txt","path":"/workspace/b"}`))
	assert.Len(t, paths(`{"query":"txt","max_results":1}`), 1)
	for _, bad := range []string{`{}`, `{"query":""}`, `{"query":"x","type":"none"}`, `{"query":"x","maxResults":0}`, `{"query":"x","filePattern":"["}`} {
		a.do(400, "POST", "/operations/search", bad)
	}
	a.do(403, "POST", "/operations/search", `{"query":"x","path":"/etc"}`)
	a.do(404, "POST", "/operations/search", `{"query":"x","path":"none"}`)
}

func TestFleetArchives(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	a.Put(a.Acme.Instance, "src/a.txt", "one")
	a.Put(a.Acme.Instance, "src/b/c.txt", "two")
	for _, c := range []struct{ body, path string }{{`{"paths":["/workspace/src"],"outputPath":"/workspace/out/s.zip","compressionLevel":9}`, "out/s.zip"},
		{`{"paths":["src"],"output_path":"s.tar","format":"tar"}`, "s.tar"}, {`{"paths":["src"],"output_path":"s.tgz","compression_level":0}`, "s.tgz"},
		{`{"paths":["src/a.txt","src/b"],"output_path":"s.tar.bz2","format":"tar.bz2"}`, "s.tar.bz2"}} {
		m := a.do(201, "POST", "/archives", c.body).Map()
		assert.Equal(t, "/workspace/"+c.path, m["path"])
		assert.Greater(t, m["size"], 0.0)
		to := "x-" + filepath.Base(c.path)
		m = a.do(200, "POST", "/archives/extract", `{"archive_path":"`+c.path+`","destination":"`+to+`"}`).Map()
		assert.Equal(t, map[string]any{"destination": "/workspace/" + to, "files_extracted": 2.0}, m)
		a.do(409, "POST", "/archives/extract", `{"archivePath":"`+c.path+`","outputPath":"`+to+`"}`)
	}
	b, err := os.ReadFile(filepath.Join(a.Boxes.Workspace(a.Acme.Instance.ID), "x-s.zip/src/b/c.txt"))
	require.NoError(t, err)
	assert.Equal(t, "two", string(b))
	for _, bad := range []string{`{}`, `{"paths":[],"outputPath":"x.zip"}`, `{"paths":["src"]}`, `{"paths":["src"],"outputPath":"x","format":"rar"}`, `{"paths":["src"],"outputPath":"x","compressionLevel":10}`, `{"paths":"src","outputPath":"x"}`} {
		a.do(400, "POST", "/archives", bad)
	}
	a.do(404, "POST", "/archives", `{"paths":["none"],"outputPath":"x.zip"}`)
	a.do(403, "POST", "/archives", `{"paths":["../.."],"outputPath":"x.zip"}`)
	a.do(400, "POST", "/archives/extract", `{"archivePath":"src/a.txt"}`)
	a.do(404, "POST", "/archives/extract", `{"archivePath":"none.zip"}`)
	a.do(400, "POST", "/archives/extract", `{}`)
	require.NoFileExists(t, filepath.Join(a.Boxes.Workspace(a.Acme.Instance.ID), "x.zip"))
}

// What an agent wrote is never a page of ours: a download is an attachment in a sandbox, whatever it is.
func TestFleetDownload(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	a.Put(a.Acme.Instance, "evil page.html", "<script>alert(1)</script>")
	got := a.do(200, "GET", "/files/evil%20page.html?download=true", "")
	assert.Equal(t, "<script>alert(1)</script>", got.Body)
	assert.Equal(t, "attachment; filename*=UTF-8''evil%20page.html", got.Header.Get("Content-Disposition"))
	assert.Equal(t, "nosniff", got.Header.Get("X-Content-Type-Options"))
	assert.Equal(t, "sandbox; default-src 'none'", got.Header.Get("Content-Security-Policy"))
	assert.Equal(t, "text/html", got.Header.Get("Content-Type"))
	for header, want := range map[string]string{"bytes=0-6": "206 <script", "bytes=-9": "206 </script>", "bytes=8-": "206 alert(1)</script>", "bytes=99-": "416 ", "bytes=5-2": "200 <script>alert(1)</script>", "lines=1": "200 <script>alert(1)</script>"} {
		r := a.Do(apptest.Call{Method: "GET", Path: a.base + "/files/evil%20page.html?download=true", Who: a.Acme.Member, ByKey: true, Header: map[string]string{"Range": header}})
		assert.Equal(t, want, map[int]string{200: "200 ", 206: "206 ", 416: "416 "}[r.Status]+strings.TrimPrefix(r.Body, "Requested Range Not Satisfiable"), header)
	}
	big := strings.Repeat("0123456789abcdef", 1<<18)
	a.Put(a.Acme.Instance, "big.bin", big)
	assert.True(t, a.do(200, "GET", "/files/big.bin?download=true", "").Body == big)
	a.Put(a.Acme.Instance, "bigger.bin", strings.Repeat(big, 3))
	assert.Contains(t, a.do(413, "GET", "/files/bigger.bin", "").Body, `{"error":`)
}

// No spelling of a path leaves the workspace, on any route.
func TestFleetPathsStayInside(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	require.NoError(t, os.WriteFile(filepath.Join(a.Boxes.Workspace(a.Acme.Instance.ID), "..", "secret"), []byte("secret"), 0o644))
	require.NoError(t, os.Symlink("../secret", filepath.Join(a.Boxes.Workspace(a.Acme.Instance.ID), "link")))
	for _, p := range []string{"%2e%2e/secret", "..%2fsecret", "a%2f..%2f..%2fsecret", "%2fetc%2fpasswd", "link", "workspace%2f..%2f..%2fsecret"} {
		for _, c := range [][3]string{{"GET", "/files/", ""}, {"GET", "/directories/", ""}, {"PUT", "/files/", `{"content":"x"}`}, {"POST", "/files/", `{"content":"x"}`},
			{"PATCH", "/files/", `{"operation":"append","content":"x"}`}, {"POST", "/directories/", `{"recursive":true}`}} {
			got := a.Do(apptest.Call{Method: c[0], Path: a.base + c[1] + p, Who: a.Acme.Member, ByKey: true, JSON: map[bool]any{true: c[2]}[c[2] != ""]})
			assert.GreaterOrEqual(t, got.Status, 400, "%v %s", c, p)
			assert.Less(t, got.Status, 500, "%v %s %s", c, p, got.Body)
			assert.NotContains(t, got.Body, `"secret"`, "%v %s", c, p)
		}
	}
	b, err := os.ReadFile(filepath.Join(a.Boxes.Workspace(a.Acme.Instance.ID), "..", "secret"))
	require.NoError(t, err)
	assert.Equal(t, "secret", string(b))
}

// A stopped agent's files are read, and not changed; reading and writing are capabilities of their own.
func TestFleetFilesOfAStoppedAgent(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	a.do(201, "POST", "/files/a.txt", `{"content":"one"}`)
	_, key, err := a.Acme.Scope.As(models.Actor{UserID: a.Acme.Owner.UserID, Role: models.Owner}).CreateAPIKey(t.Context(), models.NewAPIKey{Name: "reads", Scopes: models.Scopes{models.CanReadFiles}})
	require.NoError(t, err)
	by := func(method string) apptest.Answer {
		return a.Do(apptest.Call{Method: method, Path: a.base + "/files/a.txt", Who: &apptest.Person{Key: key.Reveal()}, ByKey: true, JSON: `{"content":"x"}`})
	}
	assert.Equal(t, 200, by("GET").Status)
	assert.Equal(t, 403, by("PUT").Status)
	_, err = a.Acme.Scope.ActOnInstance(t.Context(), a.Acme.Instance.ID, models.Stop)
	require.NoError(t, err)
	a.Boxes.Kill(a.Acme.Instance.ID, "stopped")
	assert.Equal(t, "one", a.do(200, "GET", "/files/a.txt", "").Map()["content"])
	a.do(200, "GET", "/directories", "")
	assert.Contains(t, a.do(409, "PUT", "/files/a.txt", `{"content":"two"}`).Body, "stopped")
	a.do(409, "POST", "/operations/move", `{"source":"a.txt","destination":"b.txt"}`)
	assert.Equal(t, "one", a.do(200, "GET", "/files/a.txt", "").Map()["content"])
}

// A sandbox that just died is brought up again by the observer: a write waits for that.
func TestFleetFilesWaitForARevival(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	a.Boxes.Kill(a.Acme.Instance.ID, "killed: out of memory")
	revived := make(chan error, 1)
	go func() {
		time.Sleep(200 * time.Millisecond)
		revived <- a.Boxes.Start(context.Background(), a.Acme.Instance.ID)
	}()
	a.do(201, "POST", "/files/a.txt", `{"content":"one"}`)
	require.NoError(t, <-revived)
}

// Every append that was answered with 200 stands in the file.
func TestFleetAppendsAtOnce(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	a.do(201, "POST", "/files/app.txt", `{"content":""}`)
	var wg sync.WaitGroup
	for n := range 30 {
		wg.Go(func() {
			got := a.Do(apptest.Call{Method: "PATCH", Path: a.base + "/files/app.txt", Who: a.Acme.Member, ByKey: true, JSON: fmt.Sprintf(`{"operation":"append","content":"line%02d\n"}`, n)})
			assert.Equal(t, 200, got.Status, got.Body)
		})
	}
	wg.Wait()
	text := a.do(200, "GET", "/files/app.txt", "").Map()["content"].(string)
	for n := range 30 {
		assert.Contains(t, text, fmt.Sprintf("line%02d\n", n))
	}
}

// Too deep is the caller's mistake, by every verb, and a workspace without room is no failure of the server.
func TestFleetTooDeepAndFull(t *testing.T) {
	t.Parallel()
	log := &lines{}
	w := apptest.Start(t, apptest.Options{NoWorker: true, Log: log})
	w.Up(w.Acme.Instance)
	a := &agentFiles{w, t, "/v1/agent/" + w.Acme.Instance.ID + "/filesystem"}
	deep := strings.Repeat("e/", 250) + "f.txt"
	a.do(201, "POST", "/files/a/b/f.txt", `{"content":"x"}`)
	for path, body := range map[string]string{"/files/" + deep: `{"content":"x"}`, "/directories/" + deep: `{"recursive":true}`} {
		assert.Contains(t, a.do(400, "POST", path, body).Body, "at most 200 levels")
	}
	for _, verb := range []string{"copy", "move"} {
		assert.Contains(t, a.do(200, "POST", "/operations/"+verb, `{"source":"a","destination":"`+strings.Repeat("e/", 199)+`a"}`).Body, "at most 200 levels")
	}
	up := w.Do(apptest.Call{Method: "POST", Path: "/instances/" + w.Acme.Instance.ID + "/files/uploads", Who: w.Acme.Member, JSON: map[string]any{"path": deep, "size": 1}})
	assert.Equal(t, 400, up.Status, up.Body)
	a.do(404, "GET", "/metadata/e", "")
	tree, err := w.Boxes.Tree(w.Acme.Instance.ID)
	require.NoError(t, err)
	tree.Reserve = func(int64) error { return fault.New(fault.Full, "sandbox.disk_full", "The workspace is full") }
	a.do(507, "POST", "/files/g.txt", `{"content":"x"}`)
	assert.NotContains(t, log.String(), "level=ERROR")
	tree.Reserve = func(int64) error { return fault.Wrap(syscall.ENOSPC, fault.Full, "sandbox.disk_full", "No space left") }
	a.do(507, "POST", "/files/g.txt", `{"content":"x"}`)
	assert.Contains(t, log.String(), "level=ERROR", "the disk of the server is")
}

// overwrite destroys nothing: a directory is not taken for a file, and what was replaced is in the trash.
func TestFleetOverwrites(t *testing.T) {
	t.Parallel()
	a := newAgentFiles(t)
	for name, text := range map[string]string{"note.txt": "x", "proj/src/a.go": "a", "docs/b.md": "b"} {
		a.Put(a.Acme.Instance, name, text)
	}
	for _, verb := range []string{"copy", "move"} {
		for pair, want := range map[string]string{`"source":"note.txt","destination":"proj"`: "is a directory", `"source":"proj","destination":"note.txt"`: "is a file"} {
			got := a.do(200, "POST", "/operations/"+verb, `{`+pair+`,"overwrite":true}`).Map()["results"].([]any)[0].(map[string]any)
			assert.Equal(t, false, got["success"])
			assert.Contains(t, got["error"], want)
		}
	}
	assert.Equal(t, "a", a.do(200, "GET", "/files/proj/src/a.go", "").Map()["content"])
	got := a.do(200, "POST", "/operations/copy", `{"source":"docs","destination":"proj","overwrite":true}`).Map()
	assert.Equal(t, []any{map[string]any{"source": "/workspace/docs", "destination": "/workspace/proj", "success": true}}, got["results"])
	a.do(200, "GET", "/files/proj/b.md", "")
	rows, err := a.Acme.Scope.TrashedFiles(t.Context(), a.Acme.Instance.ID)
	require.NoError(t, err)
	rows = slices.DeleteFunc(rows, func(f models.TrashedFile) bool { return f.Path != "proj" })
	require.Len(t, rows, 1)
	b, err := os.ReadFile(filepath.Join(a.Boxes.Workspace(a.Acme.Instance.ID), ".lobstead/trash", rows[0].ID, "src/a.go"))
	require.NoError(t, err)
	assert.Equal(t, "a", string(b))
}
