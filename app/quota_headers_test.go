package app_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm/llmtest"
	"lobstead/models"
)

// The quota's headers are the tightest budgets' that the caller falls under.
func TestQuotaHeaders(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	model.set(llmtest.Say("Hello").Always())
	w.Exec("DELETE FROM budgets WHERE organization_id = ?", w.Acme.ID)
	set := func(scope models.BudgetScope, target string, unit models.BudgetUnit, period models.BudgetPeriod, amount int64) {
		t.Helper()
		_, err := w.Acme.Scope.CreateBudget(t.Context(), models.NewBudget{Scope: scope, TargetID: target, Unit: unit, Period: period, Amount: amount})
		require.NoError(t, err)
	}
	token, err := w.Acme.Scope.GatewayToken(w.Acme.Instance)
	require.NoError(t, err)
	quota := func(who, credential string) map[string]string {
		t.Helper()
		a := ask(w, chatPath, hello(chatPath, ""), "Authorization", "Bearer "+credential)
		require.Equal(t, 200, a.Status, "%s: %s", who, a.Body)
		out := map[string]string{}
		for _, name := range []string{"Meter", "Allowance-Usd", "Spent-Usd", "Remaining-Usd", "Tokens-Limit", "Tokens-Remaining", "Resets"} {
			out[name] = a.Header.Get("X-Lobstack-Quota-" + name)
		}
		return out
	}
	free := quota("without budgets", w.Acme.Owner.Key)
	require.Equal(t, []string{"spend", "", "0.000000", "", ""}, []string{free["Meter"], free["Allowance-Usd"], free["Spent-Usd"], free["Remaining-Usd"], free["Tokens-Limit"]})

	set(models.BudgetOfInstance, w.Acme.Instance.ID, models.BudgetTokens, models.BudgetDaily, 1_000_000)
	set(models.BudgetOfMember, w.Acme.Member.UserID, models.BudgetTokens, models.BudgetTotal, 5000)
	own := quota("an instance", token.Reveal())
	require.Equal(t, []string{"spend", "1000000", "1000000"}, []string{own["Meter"], own["Tokens-Limit"], own["Tokens-Remaining"]})
	member := quota("a member", w.Acme.Member.Key)
	require.Equal(t, []string{"5000", "5000"}, []string{member["Tokens-Limit"], member["Tokens-Remaining"]})
}

// Money and messages, where a priced model answers.
func TestQuotaHeadersOfMoney(t *testing.T) {
	t.Parallel()
	w := apptest.New(t)
	w.Exec("DELETE FROM budgets WHERE organization_id = ?", w.Acme.ID)
	w.Exec("DELETE FROM providers WHERE organization_id = ?", w.Acme.ID) // the built-in model has a price: nothing
	w.Exec("UPDATE instances SET provider_id = NULL, model = '' WHERE organization_id = ?", w.Acme.ID)
	for _, b := range []models.NewBudget{{Scope: models.BudgetOfOrganization, Unit: models.BudgetMoney, Period: models.BudgetMonthly, Amount: 9 * models.Dollar},
		{Scope: models.BudgetOfInstance, TargetID: w.Acme.Instance.ID, Unit: models.BudgetMoney, Period: models.BudgetTotal, Amount: 2 * models.Dollar},
		{Scope: models.BudgetOfMember, TargetID: w.Acme.Member.UserID, Unit: models.BudgetMessages, Period: models.BudgetDaily, Amount: 7}} {
		_, err := w.Acme.Scope.CreateBudget(t.Context(), b)
		require.NoError(t, err)
	}
	require.NoError(t, w.Acme.Scope.Settle(t.Context(), models.Charge{CallID: "c1", InstanceID: w.Acme.Instance.ID, CostNanos: models.Dollar / 2}))
	token, err := w.Acme.Scope.GatewayToken(w.Acme.Instance)
	require.NoError(t, err)
	h := ask(w, chatPath, hello(chatPath, ""), "Authorization", "Bearer "+token.Reveal()).Header
	require.Equal(t, []string{"spend", "2.000000", "0.500000", "1.500000", ""}, []string{h.Get("X-Lobstack-Quota-Meter"), h.Get("X-Lobstack-Quota-Allowance-Usd"),
		h.Get("X-Lobstack-Quota-Spent-Usd"), h.Get("X-Lobstack-Quota-Remaining-Usd"), h.Get("X-Lobstack-Quota-Resets")}, "the instance's: it never starts again")
	h = ask(w, chatPath, hello(chatPath, ""), "Authorization", "Bearer "+w.Acme.Member.Key).Header
	require.Equal(t, []string{"9.000000", "8.500000"}, []string{h.Get("X-Lobstack-Quota-Allowance-Usd"), h.Get("X-Lobstack-Quota-Remaining-Usd")})
	resets, err := time.Parse(time.RFC3339, h.Get("X-Lobstack-Quota-Resets"))
	require.NoError(t, err)
	require.True(t, resets.After(time.Now()))

	w.Exec("DELETE FROM budgets WHERE organization_id = ? AND unit = 'money'", w.Acme.ID)
	w.Answered(w.Acme.Scope, w.Acme.Session.ID)
	a := ask(w, chatPath, hello(chatPath, `"model":"agent"`), "Authorization", "Bearer "+w.Acme.Member.Key)
	require.Equal(t, 200, a.Status, a.Body)
	require.Equal(t, []string{"requests", "7", "0", "7"}, []string{a.Header.Get("X-Lobstack-Quota-Meter"), a.Header.Get("X-Lobstack-Quota-Limit"),
		a.Header.Get("X-Lobstack-Quota-Used"), a.Header.Get("X-Lobstack-Quota-Remaining")}, "an agent's answer is a message")
}
