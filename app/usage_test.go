package app_test

import (
	"encoding/csv"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/kit/id"
	"lobstead/models"
)

// used makes settled calls of an organization's instance: three answered, one that failed, one without a price.
func used(t *testing.T, o *apptest.Org) {
	t.Helper()
	baseline := int64(9_000_000)
	for n, c := range []models.Charge{
		{Model: "=gpt-6-sol", InputTokens: 1200, OutputTokens: 300, CostNanos: 4_000_000},
		{Model: "gpt-5-nano", InputTokens: 100, OutputTokens: 20, CostNanos: 1_000_000, BaselineNanos: &baseline},
		{Model: "gpt-5-nano", InputTokens: 100, OutputTokens: 20, CostNanos: 500_000, Purpose: "title"},
		{Model: "gpt-5-nano", Failure: "overloaded"},
		{Model: "unknown-7b", InputTokens: 10, OutputTokens: 5, Unpriced: true},
	} {
		c.CallID, c.Provider, c.InstanceID, c.SessionID, c.MemberID = id.New(), "openai", o.Instance.ID, o.Session.ID, o.Member.UserID
		if c.Purpose == "" {
			c.Purpose = "chat"
		}
		if n > 0 { // a budget in tokens holds for them
			require.NoError(t, o.Scope.Reserve(t.Context(), c))
		}
		require.NoError(t, o.Scope.Settle(t.Context(), c))
	}
}

var sumLink = regexp.MustCompile(`class="usage-sum" href="([^"]+)">([^<]+)<`)

// Each number leads to entries whose sum the page says again.
func TestUsageLeadsToItsEntries(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	get := func(who *apptest.Person, path string) string {
		a := w.Do(apptest.Call{Method: "GET", Path: path, Who: who})
		require.Equal(t, 200, a.Status, path)
		return a.Body
	}
	has(t, get(w.Acme.Member, "/usage"), "No model was called yet")
	used(t, w.Acme)
	for _, by := range models.UsageWays {
		for _, span := range []string{"24h", "7d", "90d"} {
			body := get(w.Acme.Member, "/usage?span="+span+"&by="+string(by))
			has(t, body, "$0.0055", "1 failed", "The router saved $0.0080", "1 routed call")
			together := body[strings.Index(body, "<tfoot>"):]
			links := sumLink.FindAllStringSubmatch(together, 4)
			require.Equal(t, []string{"$0.0055", "5", "1", "1,755"}, []string{links[0][2], links[1][2], links[2][2], links[3][2]})
			has(t, get(w.Acme.Member, strings.ReplaceAll(links[0][1], "&amp;", "&")), "5 calls: $0.0055, 1,410 tokens read and 345 written")
			has(t, get(w.Acme.Member, strings.ReplaceAll(links[2][1], "&amp;", "&")), "1 call that failed", "overloaded")
		}
	}
	has(t, get(w.Acme.Member, "/usage?by=purpose&model=gpt-5-nano"), "Model: gpt-5-nano", "$0.0015")
	has(t, get(w.Acme.Member, "/usage/entries?only=compared"), "$0.0010 instead of $0.0090", w.Acme.Instance.Name, w.Acme.Session.Title)
	has(t, get(w.Acme.Member, "/usage/entries?only=unpriced"), "no price")
	has(t, get(w.Acme.Member, "/usage/entries?key=-"), "5 calls: $0.0055")
	has(t, get(w.Acme.Member, "/usage/entries?from=0&until=900"), "No entry here")
	lacks(t, get(w.Rival.Owner, "/usage/entries?instance="+w.Acme.Instance.ID), w.Acme.Instance.Name)
	for _, bad := range []string{"?from=1&until=900", "?from=x", "?after=x", "?only=x"} {
		require.Equal(t, 400, w.Do(apptest.Call{Method: "GET", Path: "/usage/entries" + bad, Who: w.Acme.Member}).Status, bad)
	}
}

func TestUsageExport(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	used(t, w.Acme)
	a := w.Do(apptest.Call{Method: "GET", Path: "/usage/export?span=7d&by=model", Who: w.Acme.Member})
	require.Equal(t, 200, a.Status)
	require.Contains(t, a.Header.Get("Content-Disposition"), "usage-acme-canary-7d-by-model.csv")
	rows, err := csv.NewReader(strings.NewReader(a.Body)).ReadAll()
	require.NoError(t, err)
	require.Len(t, rows, 4)
	require.Equal(t, "begins", rows[0][0])
	byModel := map[string][]string{}
	for _, r := range rows[1:] {
		byModel[r[1]] = r[3:9]
	}
	require.Equal(t, map[string][]string{"'=gpt-6-sol": {"1", "0", "0", "1200", "300", "0.004000000"}, "gpt-5-nano": {"3", "1", "0", "200", "40", "0.001500000"},
		"unknown-7b": {"1", "0", "1", "10", "5", "0.000000000"}}, byModel)
}

// A key sees what its scopes say, and names of conversations only where it may read them.
func TestUsageByScope(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	used(t, w.Acme)
	with := func(scopes ...models.Can) apptest.Call {
		_, key, err := w.Acme.Scope.CreateAPIKey(t.Context(), models.NewAPIKey{Name: "narrow", Scopes: scopes})
		require.NoError(t, err)
		return apptest.Call{Method: "GET", Path: "/usage/export?by=session", Who: &apptest.Person{Key: key.Reveal()}, ByKey: true}
	}
	require.Equal(t, 403, w.Do(with(models.CanView)).Status)
	a := w.Do(with(models.CanReadUsage))
	require.Equal(t, 200, a.Status)
	lacks(t, a.Body, w.Acme.Session.Title)
	has(t, w.Do(with(models.CanReadUsage, models.CanUseInstances)).Body, w.Acme.Session.Title)
}
