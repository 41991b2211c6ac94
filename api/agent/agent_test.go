package agent_test

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/api/agent"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

var (
	png  = "\x89PNG\r\n\x1a\n" + strings.Repeat("\x00", 24)
	jpeg = "\xff\xd8\xff\xe0" + strings.Repeat("\x00", 24)
	gif  = "GIF89a" + strings.Repeat("\x00", 24)
	webp = "RIFF\x00\x00\x00\x00WEBPVP8 "
)

func b64(s string) string { return base64.StdEncoding.EncodeToString([]byte(s)) }

func readChat(t *testing.T, body any) (agent.ChatRequest, error) {
	t.Helper()
	b, err := json.Marshal(body)
	require.NoError(t, err)
	f, err := wire.FromJSON(b)
	require.NoError(t, err)
	return agent.ReadChat(f)
}

func TestReadChat(t *testing.T) {
	t.Parallel()
	got, err := readChat(t, map[string]any{"message": " hi\n", "session_id": "abc", "images": []string{b64(png), "data:image/jpeg;base64," + b64(jpeg), b64(gif) + "\n", b64(webp)}})
	require.NoError(t, err)
	require.Equal(t, []string{" hi\n", "abc"}, []string{got.Message, got.SessionID})
	names, kinds := []string{}, []string{}
	for _, u := range got.Images {
		names, kinds = append(names, u.Name), append(kinds, u.MediaType)
	}
	require.Equal(t, []string{"image-1.png", "image-2.jpg", "image-3.gif", "image-4.webp"}, names)
	require.Equal(t, []string{"image/png", "image/jpeg", "image/gif", "image/webp"}, kinds)
	require.Equal(t, png, string(got.Images[0].Data))
	for _, bad := range []string{"", "not base64!", "data:image/png;base64,", "data:image/png;base64,%%%", "data:image/png," + png[:3], b64("plain text"),
		b64("<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>"), "data:image/png;base64," + b64("<html><script>"), b64("%PDF-1.7"), b64("\x7fELF"), "data:"} {
		_, err := readChat(t, map[string]any{"message": "x", "images": []string{b64(png), bad}})
		require.True(t, fault.Is(err, fault.Invalid), "%q", bad)
		require.Equal(t, "images", fault.As(err).Fields[0].Path[0])
	}
	for want, body := range map[string]any{
		"message is required":                         map[string]any{},
		"message: Expected string, received number":   map[string]any{"message": 1},
		"message: Expected string, received null":     map[string]any{"message": nil},
		"session_id: Expected string, received null":  map[string]any{"message": "x", "session_id": nil},
		"images: Expected array, received string":     map[string]any{"message": "x", "images": "y"},
		"images[0]: Expected string, received number": map[string]any{"message": "x", "images": []any{1}},
		"images: Invalid":                             map[string]any{"message": "x", "images": []any{"?"}},
		"message: Invalid":                            map[string]any{"message": "a\x00b"},
	} {
		_, err := readChat(t, body)
		require.Equal(t, agent.Error{Error: want}, agent.NewError(fault.As(err)))
	}
	_, err = readChat(t, map[string]any{"message": " \n"})
	require.Equal(t, "message is required", agent.NewError(fault.As(err)).Error)
}

func TestReadSessionChange(t *testing.T) {
	t.Parallel()
	read := func(body string) (string, models.SessionChange, error) {
		f, err := wire.FromJSON([]byte(body))
		require.NoError(t, err)
		return agent.ReadSessionChange(f)
	}
	name, c, err := read(`{"sessionId":"s","title":"t","pinned":false,"icon":""}`)
	require.NoError(t, err)
	require.Equal(t, "s", name)
	require.Equal(t, []any{"t", false, ""}, []any{*c.Title, *c.Pinned, *c.Icon})
	require.Nil(t, c.Category)
	require.Nil(t, c.Status)
	_, _, err = read(`{"title":1,"pinned":"yes","category":null,"status":[]}`)
	require.Len(t, fault.As(err).Fields, 5, "all at once")
}

func TestErrors(t *testing.T) {
	t.Parallel()
	for want, e := range map[agent.Error]*fault.Error{
		{Error: "Unauthorized"}:                                       fault.New(fault.Unauthenticated, "unauthorized", "x"),
		{Error: "Invalid request body"}:                               fault.New(fault.Invalid, "body.json", "Invalid request"),
		{Error: "Server error"}:                                       fault.New(fault.Internal, "secret.open", "Stored secret does not open"),
		{Error: "This instance is stopped", Code: "instance.stopped"}: fault.New(fault.Conflict, "instance.stopped", "This instance is stopped"),
		{Error: "Not found", Code: "session.not_found"}:               fault.NotFoundf("session"),
		{Error: "At least one field is required"}:                     fault.As(fault.Issues{{Code: "custom", Message: "At least one field is required", Path: []any{}}}.Err()),
	} {
		require.Equal(t, want, agent.NewError(e))
	}
}

func TestSessions(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 60_000_000, time.UTC)
	alias := "mine"
	b, err := json.Marshal(agent.NewSessions([]models.Session{
		{ID: "c1", OrganizationID: "o", Title: "T", Category: "task", Status: "active", CreatedAt: at, UpdatedAt: at},
		{ID: "c2", Alias: &alias, Icon: "🦞", Pinned: true, MessageCount: 2, LastMessageAt: &at, CreatedAt: at, UpdatedAt: at, Summary: "secret"},
	}))
	require.NoError(t, err)
	const when = `"created_at":"2026-01-02T03:04:05.060Z","updated_at":"2026-01-02T03:04:05.060Z"`
	require.JSONEq(t, `[{"id":"c1","title":"T","category":"task","status":"active","icon":null,"pinned":false,"message_count":0,"last_message_at":null,`+when+`},
		{"id":"mine","title":"","category":"","status":"","icon":"🦞","pinned":true,"message_count":2,"last_message_at":"2026-01-02T03:04:05.060Z",`+when+`}]`, string(b))
	b, err = json.Marshal(agent.NewSessions(nil))
	require.NoError(t, err)
	require.Equal(t, "[]", string(b))
}

func FuzzReadChat(f *testing.F) {
	for _, s := range []string{`{"message":"x","images":["` + b64(png) + `"]}`, `{"message":"x","images":["data:,"]}`, `{"images":[null]}`, `{"message":"x","session_id":"\u0000"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, err := wire.FromJSON(body)
		if err != nil {
			return
		}
		r, err := agent.ReadChat(fields)
		if err != nil {
			if !fault.Is(err, fault.Invalid) || agent.NewError(fault.As(err)).Error == "" {
				t.Fatalf("%v", err)
			}
			return
		}
		for _, u := range r.Images {
			if len(u.Data) == 0 || !strings.HasPrefix(u.MediaType, "image/") {
				t.Fatalf("%+v", u)
			}
		}
	})
}
