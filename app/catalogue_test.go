package app_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
)

// Members see the catalogue; staff says what a model costs, in place and for everybody.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	const path = "/settings/models/catalogue"
	get := func(who *apptest.Person, query string) string {
		a := w.Do(apptest.Call{Method: "GET", Path: path + query, Who: who})
		require.Equal(t, 200, a.Status)
		return a.Body
	}
	save := func(who *apptest.Person, kv ...string) apptest.Answer {
		form := url.Values{"act": {"save"}, "reason": {"a new price list"}, "kind": {"openai"}, "model": {w.Acme.Provider.Model}}
		for n := 0; n < len(kv); n += 2 {
			form.Set(kv[n], kv[n+1])
		}
		return w.Do(apptest.Call{Method: "POST", Path: "/admin/catalogue", Who: who, Form: form})
	}
	body := get(w.Acme.Member, "?q="+w.Acme.Provider.Model)
	has(t, body, w.Acme.Provider.Model, "no price", "chosen", "Ready", "genai-prices")
	lacks(t, body, "gpt-6-sol", "Edit")
	has(t, get(w.Acme.Member, "?q=claude-haiku-4-5"), "claude-haiku-4-5", "Not connected", "$1.00", "$5.00", "200k")
	has(t, get(w.Acme.Member, "?q=no+such+words"), "No model has these words")
	lacks(t, get(w.Acme.Member, "?edit=openai/"+w.Acme.Provider.Model), "A new price list", `name="reason"`)
	require.Equal(t, 404, save(w.Acme.Member, "input", "1", "output", "2").Status, "for who is no staff there is no such form")

	has(t, get(w.Acme.Owner, "?edit=openai/"+w.Acme.Provider.Model), `name="reason"`, "Edit")
	has(t, save(w.Acme.Owner, "input", "cheap", "output", "2", "context", "big").Body, "This is no price; write 1.25", "This is not a whole number", "cheap")
	has(t, save(w.Acme.Owner, "input", "1,25", "output", "2,5", "context", "1,28").Body, "This is no price; write 1.25", "This is not a whole number")
	has(t, save(w.Acme.Owner, "input", "1").Body, "Give both prices, or none")
	require.Equal(t, 422, save(w.Acme.Owner, "input", "1", "output", "2", "reason", "").Status)
	require.Equal(t, 303, save(w.Acme.Owner, "input", "1.25", "output", "$26", "context", "128,000").Status)
	has(t, get(w.Acme.Member, "?q="+w.Acme.Provider.Model), "$1.25", "$26.00", "128k", "flagship", "edited here")
	has(t, get(w.Acme.Owner, "?edit=openai/"+w.Acme.Provider.Model), `value="1.25"`, `value="26.00"`, `value="128000"`)
	require.Equal(t, 303, save(w.Acme.Owner, "act", "restore").Status)
	require.Equal(t, 303, save(w.Acme.Owner, "act", "restore").Status, "twice is no error")
	has(t, get(w.Acme.Member, "?q="+w.Acme.Provider.Model), "no price")
}

func TestRouterSettings(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	save := func(who *apptest.Person, kv ...string) apptest.Answer {
		form := url.Values{}
		for n := 0; n < len(kv); n += 2 {
			form.Set(kv[n], kv[n+1])
		}
		return w.Do(apptest.Call{Method: "POST", Path: "/settings/models/routing", Who: who, Form: form})
	}
	page := func(who *apptest.Person) string {
		return w.Do(apptest.Call{Method: "GET", Path: "/settings/models", Who: who}).Body
	}
	has(t, page(w.Acme.Owner), "up to the tier flagship", "0 instances leave", `name="hedge_ms"`)
	lacks(t, page(w.Acme.Member), `name="hedge_ms"`)
	require.Equal(t, 403, save(w.Acme.Member, "hedge_ms", "0").Status)
	for _, bad := range [][]string{{"hedge_ms", "soon"}, {"hedge_ms", "10"}, {"ceiling", "dear"}} {
		a := save(w.Acme.Owner, bad...)
		require.Equal(t, 422, a.Status)
		has(t, a.Body, "field-error")
	}
	require.Equal(t, 303, save(w.Acme.Owner, "hedge_ms", "800", "ceiling", "small", "shadow", "true").Status)
	r, err := w.Acme.Scope.Routing(t.Context())
	require.NoError(t, err)
	require.Equal(t, []any{true, 800, "small"}, []any{r.Shadow, r.HedgeMS, r.Ceiling})
	has(t, page(w.Acme.Member), "up to the tier small")
	other, err := w.Rival.Scope.Routing(t.Context())
	require.NoError(t, err)
	require.False(t, other.Shadow)

	a := w.Do(apptest.Call{Method: "POST", Path: "/instances/" + w.Acme.Instance.ID, Who: w.Acme.Owner, Form: url.Values{"name": {w.Acme.Instance.Name}, "model": {"auto"}}})
	require.Equal(t, 303, a.Status)
	has(t, page(w.Acme.Owner), "1 instance leaves the choice to it")
	has(t, w.Do(apptest.Call{Method: "GET", Path: "/instances/" + w.Acme.Instance.ID, Who: w.Acme.Owner}).Body, `value="auto"`)
}
