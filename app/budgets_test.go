package app_test

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

func filled(kv ...string) url.Values {
	v := url.Values{}
	for n := 0; n < len(kv); n += 2 {
		v.Set(kv[n], kv[n+1])
	}
	return v
}

func TestBudgetsPage(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	o := w.Acme
	send := func(who *apptest.Person, path string, kv ...string) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: path, Who: who, Form: filled(kv...)})
	}
	show := func(who *apptest.Person) string {
		return w.Do(apptest.Call{Method: "GET", Path: "/settings/budgets", Who: who}).Body
	}
	a := send(o.Admin, "/settings/budgets", "of", "instance:"+o.Instance.ID, "unit", "money", "period", "day", "amount", "12.50", "warn_percent", "50")
	require.Equal(t, 303, a.Status, a.Body)
	has(t, show(o.Admin), "Instance "+o.Instance.Name+", per day", "$0.00 of $12.50", "The organization, per month")
	for typed, want := range map[string]string{"": "Required", "much": "This is no amount", "-1": "greater than or equal to 0", "1.5e3": "This is no amount", "12,50": "This is no amount", "1,2345": "This is no amount",
		"1,234,5": "This is no amount", "NaN": "This is no amount", "$": "This is no amount", "2,000,000": "more than a budget can hold", "2000000": "more than a budget can hold"} {
		a = send(o.Owner, "/settings/budgets", "of", "organization:", "unit", "money", "period", "day", "amount", typed)
		assert.Equal(t, 422, a.Status, typed)
		has(t, a.Body, want)
	}
	a = send(o.Owner, "/settings/budgets", "of", "instance:"+o.Instance.ID, "unit", "money", "period", "day", "amount", "1")
	assert.Equal(t, 422, a.Status)
	has(t, a.Body, "There is such a budget already")
	has(t, w.Do(apptest.Call{Method: "GET", Path: "/instances/" + o.Instance.ID, Who: o.Member}).Body, "$0.00 of $12.50", "The organization, per month")
	list := w.Do(apptest.Call{Method: "GET", Path: "/settings/budgets", Who: o.Owner, Face: apptest.JSON})
	assert.Equal(t, "UTC", list.Map()["time_zone"])
	assert.Len(t, list.Map()["budgets"], 2)
	member := show(o.Member)
	has(t, member, "Setting budgets is not for your role", "$12.50")
	lacks(t, member, "Set budget</", "Remove")
	assert.Equal(t, 403, send(o.Member, "/settings/budgets/"+o.Budget, "amount", "5").Status)
	assert.Equal(t, 303, send(o.Owner, "/settings/budgets/"+o.Budget, "amount", "2,000").Status)
	has(t, show(o.Owner), " of 2,000 tokens")
	assert.Equal(t, 422, send(o.Owner, "/settings/budgets/zone", "time_zone", "Mars").Status)
	assert.Equal(t, 303, send(o.Owner, "/settings/budgets/zone", "time_zone", "Asia/Tokyo").Status)
	has(t, show(o.Member), "Days and months begin by Asia/Tokyo.")
	assert.Equal(t, 303, send(o.Owner, "/settings/budgets/"+o.Budget+"/delete").Status)
	assert.Equal(t, 404, send(o.Owner, "/settings/budgets/"+o.Budget+"/delete").Status)
	lacks(t, show(o.Owner), "2,000 tokens")
}

// A caller of the API is refused at the limit, in its family's words, with the time when it may ask again.
func TestAgentChatAtTheLimit(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	o := w.Acme
	w.Exec("DELETE FROM providers") // the built-in model answers
	_, err := o.Scope.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfMember, TargetID: o.Member.UserID, Unit: models.BudgetTokens, Period: models.BudgetDaily, Amount: 1})
	require.NoError(t, err)
	ask := func(who *apptest.Person) apptest.Answer {
		return w.Do(api("POST", "/api/agent/chat", who, `{"message":"hello"}`))
	}
	require.Equal(t, 200, ask(o.Member).Status, "one call may go over it")
	a := ask(o.Member)
	require.Equal(t, 402, a.Status, a.Body)
	assert.Equal(t, "budget.reached", a.Map()["code"])
	has(t, a.Map()["error"].(string), "The daily budget of this member of 1 token is used up")
	wait, err := strconv.Atoi(a.Header.Get("Retry-After"))
	require.NoError(t, err)
	now := time.Now().UTC()
	assert.InDelta(t, now.Truncate(24*time.Hour).Add(24*time.Hour).Sub(now).Seconds(), wait, 60)
	require.Equal(t, 200, ask(o.Admin).Status, "it was another's")
	_, err = o.Scope.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetMessages, Period: models.BudgetTotal, Amount: 0})
	require.NoError(t, err)
	a = ask(o.Admin)
	require.Equal(t, 402, a.Status)
	assert.Empty(t, a.Header.Get("Retry-After"), "a total never starts again")
}

// In a conversation the turn waits, and the card's forms decide, without a script.
func TestChatCardAtTheLimit(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	o := w.Acme
	w.Exec("DELETE FROM providers")
	b, err := o.Scope.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetTokens, Period: models.BudgetDaily, Amount: 0})
	require.NoError(t, err)
	i := w.Running(o, "limited")
	s, err := o.Scope.CreateSession(t.Context(), models.NewSession{InstanceID: i.ID})
	require.NoError(t, err)
	send := func(who *apptest.Person, path string, kv ...string) apptest.Answer {
		return w.Do(apptest.Call{Method: "POST", Path: path, Who: who, Form: filled(kv...)})
	}
	parked := func() models.Turn {
		var out []models.Turn
		require.Eventually(t, func() bool { out, err = o.Scope.ParkedTurns(t.Context()); return err == nil && len(out) > 0 }, 60*time.Second, 20*time.Millisecond)
		return out[0]
	}
	require.Equal(t, 303, send(o.Owner, "/chat/"+s.ID+"/messages", "message", "hello").Status)
	turn := parked()
	page := func(who *apptest.Person) string {
		return w.Do(apptest.Call{Method: "GET", Path: "/chat/" + s.ID, Who: who}).Body
	}
	owner := page(o.Owner)
	has(t, owner, "data-paused", "daily budget of 0 tokens is used up", "Raise the limit", "Switch to another model", `action="/turns/`+turn.ID+`/stop"`, `action="/settings/budgets/`+b.ID+`"`)
	member := page(o.Member)
	has(t, member, "An owner or an admin can raise the limit")
	lacks(t, member, "Raise the limit")
	has(t, w.Do(apptest.Call{Method: "GET", Path: "/settings/budgets", Who: o.Owner}).Body, "Budgets (1)", "One conversation waits for a budget.", "Used up")
	require.Equal(t, 303, send(o.Owner, "/turns/"+turn.ID+"/continue").Status)
	require.Eventually(t, func() bool {
		again, err := o.Scope.Turn(t.Context(), turn.ID)
		return err == nil && again.Parked() && again.Attempt > turn.Attempt
	}, 60*time.Second, 20*time.Millisecond, "it is still refused, and waits again")
	a := send(o.Owner, "/settings/budgets/"+b.ID, "amount", "1000000", "back", "/chat/"+s.ID)
	require.Equal(t, 303, a.Status)
	assert.Equal(t, "/chat/"+s.ID, a.Header.Get("Location"))
	log := w.Answered(o.Scope, s.ID)
	assert.Equal(t, models.KindEnded, log[len(log)-1].Kind)
	done, err := o.Scope.Turn(t.Context(), turn.ID)
	require.NoError(t, err)
	assert.Equal(t, models.TurnDone, done.State)
	lacks(t, page(o.Owner), "data-paused")
	assert.Equal(t, "/settings/budgets", send(o.Owner, "/settings/budgets/"+b.ID, "amount", "0", "back", "https://elsewhere.example/").Header.Get("Location"))
	require.Equal(t, 303, send(o.Owner, "/chat/"+s.ID+"/messages", "message", "once more").Status)
	turn = parked()
	require.Equal(t, 303, send(o.Owner, "/turns/"+turn.ID+"/stop").Status)
	stopped, err := o.Scope.Turn(t.Context(), turn.ID)
	require.NoError(t, err)
	assert.Equal(t, models.TurnInterrupted, stopped.State)
}

func TestTokenBudget(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true}) // whose own turns would be in the ledger
	o := w.Acme
	read := func(method, body string) map[string]any {
		a := w.Do(api(method, "/api/agent/token-budget", o.Member, body))
		require.Equal(t, 200, a.Status, a.Body)
		return a.Map()
	}
	b := read("GET", "")["budget"].(map[string]any)
	assert.Equal(t, []any{"performance", nil, 1_000_000_000.0}, []any{b["plan_tier"], b["messages_limit"], b["tokens_limit"]})
	assert.ElementsMatch(t, []string{"plan_tier", "messages_used", "messages_limit", "messages_remaining", "percent_used", "tokens_used", "tokens_limit", "cost_usd",
		"period_start", "resets_at"}, slices.Collect(maps.Keys(b)))
	_, err := o.Scope.CreateBudget(t.Context(), models.NewBudget{Scope: models.BudgetOfInstance, TargetID: o.Instance.ID, Unit: models.BudgetMessages, Period: models.BudgetMonthly, Amount: 4})
	require.NoError(t, err)
	before := w.Count("SELECT count(*) FROM ledger_entries")
	m := read("POST", `{"message":"Write a poem about the sea"}`)
	b = m["budget"].(map[string]any)
	assert.Equal(t, fmt.Sprint(4, 1, 3, 25), fmt.Sprint(b["messages_limit"], b["messages_used"], b["messages_remaining"], b["percent_used"]))
	r := m["recommendation"].(map[string]any)
	assert.Equal(t, []any{m["model"], m["tier"], m["complexity"]}, []any{r["model"], r["tier"], r["complexity"]})
	assert.NotZero(t, r["estimated_tokens"])
	assert.Equal(t, before, w.Count("SELECT count(*) FROM ledger_entries"), "nothing was called")
	a := w.Do(api("POST", "/api/agent/token-budget", o.Member, `{}`))
	assert.Equal(t, 400, a.Status)
	assert.Equal(t, "message is required", a.Map()["error"])
}
