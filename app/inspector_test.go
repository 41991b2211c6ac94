package app_test

import (
	"context"
	"iter"
	"net/url"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm"
	"lobstead/engine/llm/llmtest"
	"lobstead/models"
)

// inspected is a world whose Acme has a turn that ran a tool.
func inspected(t *testing.T, o apptest.Options, words string) (*apptest.World, string) {
	t.Helper()
	w := apptest.Start(t, o)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	turn, _, err := w.Turns.Start(t.Context(), w.Acme.Scope, w.Acme.Session.ID, models.Input{Text: words, Source: "page"})
	require.NoError(t, err)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	return w, "/turns/" + turn.ID
}

func TestInspectorShowsATurn(t *testing.T) {
	t.Parallel()
	w, turn := inspected(t, apptest.Options{}, "list the files")
	who := w.Acme.Member
	a := w.Do(get(turn, who))
	require.Equal(t, 200, a.Status)
	has(t, a.Body, "list the files", "What stands out", "Ran list_files", "Asked ", "Choice of the model", "Cost by part", "Your grade", "No tool runs", "Ask acme-canary-model", "Exact context of step 1")
	step := w.Do(get(turn+"/steps/1", who))
	require.Equal(t, 200, step.Status)
	has(t, step.Body, "Exactly what was sent", "You are", "Acme Canary confidential plan", "list_files", "Acme Canary confidential")
	assert.Equal(t, 404, w.Do(get(turn+"/steps/9", who)).Status)
	assert.Equal(t, 404, w.Do(get(turn+"/steps/x", who)).Status)
	assert.Equal(t, 404, w.Do(get("/turns/nonsense", who)).Status)
	chat := w.Do(get("/chat/"+w.Acme.Session.ID, who))
	has(t, chat.Body, `href="`+turn+`"`, `href="`+turn+`#timeline"`, "/chat/"+w.Acme.Session.ID+"/insights")
	has(t, w.Do(get("/chat/"+w.Acme.Session.ID+"/insights", who)).Body, "Turn 2", "What stands out", "Ask acme-canary-model")
	has(t, w.Do(get("/recommendations?period=7d", who)).Body, "What to change", "By model", "acme-canary-model")
	has(t, w.Do(get("/recommendations?period=7d", w.Rival.Owner)).Body, "rival-model")
}

// The sum on the page is that of the ledger, and the turn's own.
func TestInspectorCost(t *testing.T) {
	t.Parallel()
	w, turn := inspected(t, apptest.Options{}, "list the files")
	id := strings.TrimPrefix(turn, "/turns/")
	row, err := w.Acme.Scope.Turn(t.Context(), id)
	require.NoError(t, err)
	ledger, err := w.Acme.Scope.TurnLedger(t.Context(), id)
	require.NoError(t, err)
	require.Len(t, ledger, 2, "two steps")
	sum, body := int64(0), w.Do(get(turn, w.Acme.Member)).Body
	for _, e := range ledger {
		sum += e.CostNanos
		has(t, body, "entry-"+e.ID)
	}
	assert.Equal(t, row.CostNanos, sum)
	lacks(t, body, "cut off by a restart")
}

func TestInspectorGrade(t *testing.T) {
	t.Parallel()
	w, turn := inspected(t, apptest.Options{}, "hello")
	send := func(face apptest.Face, kv ...string) apptest.Answer {
		v := url.Values{}
		for n := 0; n < len(kv); n += 2 {
			v.Set(kv[n], kv[n+1])
		}
		return w.Do(apptest.Call{Method: "POST", Path: turn + "/grade", Who: w.Acme.Member, Form: v, Face: face})
	}
	a := send(apptest.Page, "grade", "4", "comment", "to the point")
	assert.Equal(t, 303, a.Status)
	assert.Equal(t, turn+"#grade", a.Header.Get("Location"))
	has(t, w.Do(get(turn, w.Acme.Member)).Body, `value="4" checked`, "to the point")
	a = send(apptest.Partial, "grade", "2")
	assert.Equal(t, 200, a.Status)
	has(t, a.Body, `value="2" checked`)
	lacks(t, a.Body, "to the point", "<html")
	a = send(apptest.Page, "comment", "kept words")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "grade must be between 1 and 5", "kept words")
}

// scene is a connected service whose script a test exchanges between scenes; without one it says hello.
type scene struct {
	mu     sync.Mutex
	script *llmtest.Provider
}

func (s *scene) next(steps ...llmtest.Step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.script = llmtest.Scripted(steps...)
}

func (s *scene) now() *llmtest.Provider {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.script == nil {
		return llmtest.Scripted(llmtest.Say("hello"))
	}
	return s.script
}

func (s *scene) Name() string                                    { return "scripted" }
func (s *scene) Models(ctx context.Context) ([]llm.Model, error) { return s.now().Models(ctx) }
func (s *scene) Stream(ctx context.Context, r llm.Request) iter.Seq2[llm.Chunk, error] {
	return s.now().Stream(ctx, r)
}

// Another model answers from what the last step saw: with the tools' results, and without a tool's way to run.
func TestInspectorRunAgain(t *testing.T) {
	t.Parallel()
	model := &scene{}
	w := apptest.Start(t, apptest.Options{Model: model})
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	w.Answered(w.Rival.Scope, w.Rival.Session.ID)
	model.next(llmtest.Call("c1", "list_files", `{}`), llmtest.Say("there are files"))
	started, _, err := w.Turns.Start(t.Context(), w.Acme.Scope, w.Acme.Session.ID, models.Input{Text: "list them", Source: "page"})
	require.NoError(t, err)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	turn, who := "/turns/"+started.ID, w.Acme.Member
	model.next(llmtest.Say("**another** answer <script>alert(1)</script>"), llmtest.Say("an analysis"), llmtest.Fail(llm.KindBadRequest, "not today"))
	body := w.Do(get(turn, who)).Body
	has(t, body, "openai/acme-canary-model")
	require.Empty(t, model.now().Requests(), "looking costs nothing")
	log, files := w.Count("SELECT count(*) FROM events WHERE organization_id = ?", w.Acme.ID), len(w.Answered(w.Acme.Scope, w.Acme.Session.ID))

	post := func(path, model string) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: turn + path, Who: who, Form: url.Values{"model": {model}}})
	}
	assert.Equal(t, 400, post("/answers", "openai/none").Status, "only what the list offers")
	require.Equal(t, 303, post("/answers", "openai/acme-canary-model").Status)
	sent := model.now().Requests()[0]
	assert.Equal(t, llm.ChooseNone, sent.Choice.Mode)
	text := ""
	for _, m := range sent.Messages {
		for _, p := range m.Parts {
			if p.Result != nil {
				text += p.Result.Name
			}
		}
	}
	assert.Equal(t, "list_files", text, "the results of the tools that ran then")
	body = w.Do(get(turn, who)).Body
	has(t, body, "there are files", "<strong>another</strong>")
	safe(t, turn, body)
	assert.Equal(t, log, w.Count("SELECT count(*) FROM events WHERE organization_id = ?", w.Acme.ID), "the log is as it was")
	assert.Len(t, w.Answered(w.Acme.Scope, w.Acme.Session.ID), files)
	require.Equal(t, 1, w.Count("SELECT count(*) FROM ledger_entries WHERE purpose = 'comparison' AND kind = 'settle' AND member_id = ? AND turn_id = ''", who.UserID))

	require.Equal(t, 303, post("/analysis", "").Status)
	has(t, w.Do(get(turn, who)).Body, "an analysis", "asked by member")
	refused := post("/analysis", "")
	assert.Equal(t, 502, refused.Status)
	has(t, refused.Body, "not today", "Your grade")
	_, err = w.Acme.Scope.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetTokens, Period: models.BudgetDaily, Amount: 1})
	require.NoError(t, err)
	refused = post("/answers", "openai/acme-canary-model")
	assert.Equal(t, 402, refused.Status)
	has(t, refused.Body, "Run again with another model")
	require.NoError(t, w.Acme.Scope.DisconnectProvider(t.Context(), w.Acme.Provider.ID))
	has(t, w.Do(get(turn, who)).Body, "No model service is connected")
}

// What tools print and people write is inert on every page of the inspector.
func TestInspectorHostileText(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	w.Boxes.Say = strings.Join(hostile, "\n") + "\x1b]0;<script>alert(1)</script>\x07\x1b[31m<b>"
	plant(t, w)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	list, err := w.Acme.Scope.SessionTurns(t.Context(), w.Acme.Session.ID)
	require.NoError(t, err)
	pages, tools := []string{"/chat/" + w.Acme.Session.ID + "/insights", "/recommendations"}, 0
	for i := range list {
		tools += list[i].ToolCalls
		_, err := w.Acme.Scope.GradeTurn(t.Context(), list[i].ID, 3, strings.Join(hostile, "\n"), false)
		require.NoError(t, err)
		require.NoError(t, w.Acme.Scope.Hear(t.Context(), &models.Opinion{Kind: models.Answer, TurnID: &list[i].ID, Model: hostile[0], Text: strings.Join(hostile, "\n\n")}))
		require.NoError(t, w.Acme.Scope.Hear(t.Context(), &models.Opinion{Kind: models.Analysis, TurnID: &list[i].ID, Model: hostile[1], Text: strings.Join(hostile, "\n\n")}))
		steps, err := w.Acme.Scope.TurnSteps(t.Context(), list[i].ID)
		require.NoError(t, err)
		pages = append(pages, "/turns/"+list[i].ID)
		for n := range steps {
			pages = append(pages, "/turns/"+list[i].ID+"/steps/"+string(rune('1'+n)))
		}
	}
	require.Positive(t, tools, "no tool printed anything")
	for _, p := range pages {
		a := w.Do(get(p, w.Acme.Owner))
		require.Equal(t, 200, a.Status, p)
		safe(t, p, a.Body)
	}
}
