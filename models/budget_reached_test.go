package models_test

import (
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/models"
)

// Programs hear of a budget that refuses: once in each of its periods, however many calls it refuses and however many at once,
// and again after it was changed.
func TestBudgetThatRefuses(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	hook, _, err := o.owner.CreateWebhook(t.Context(), models.WebhookForm{Name: "hook", URL: "https://example.org/h", Active: true, Events: []string{"budget.reached"}})
	require.NoError(t, err)
	b := budget(t, o.owner, models.BudgetOfOrganization, "", models.BudgetTokens, models.BudgetDaily, 10)
	messages := budget(t, o.owner, models.BudgetOfInstance, o.inst.ID, models.BudgetMessages, models.BudgetTotal, 0)
	calls := 0
	call := func(tokens int) error {
		calls++
		c := models.Charge{CallID: fmt.Sprint("c", calls), InstanceID: o.inst.ID, KeyID: "k", InputTokens: tokens}
		if err := o.mel.Reserve(t.Context(), c); err != nil {
			return err
		}
		return o.mel.Settle(t.Context(), c)
	}
	told := func() []map[string]any {
		rows, err := o.owner.Deliveries(t.Context(), models.DeliveryFilter{Kind: models.WebhookDelivery, Limit: 100})
		require.NoError(t, err)
		out := []map[string]any{}
		for i := len(rows) - 1; i >= 0; i-- {
			require.Equal(t, hook.ID, rows[i].TargetID)
			d, err := o.owner.Delivery(t.Context(), rows[i].ID)
			require.NoError(t, err)
			var body models.WebhookBody
			require.NoError(t, json.Unmarshal([]byte(d.Payload), &body))
			require.Equal(t, models.BudgetReached, body.Type)
			out = append(out, body.Data)
		}
		return out
	}
	require.NoError(t, call(6))
	require.NoError(t, call(6), "one alone, as long as anything is left")
	require.Empty(t, told())
	var at sync.WaitGroup
	for n := range 20 {
		at.Go(func() {
			err := o.mel.Reserve(t.Context(), models.Charge{CallID: fmt.Sprint("many", n), InstanceID: o.inst.ID, KeyID: "k", InputTokens: 1})
			require.Equal(t, "budget.reached", code(err))
		})
	}
	at.Wait()
	require.Len(t, told(), 1)
	require.Equal(t, map[string]any{"budget_id": b.ID, "scope": "organization", "target_id": "", "unit": "tokens", "period": "day", "amount": 10.0, "resets_at": "2026-03-11T00:00:00Z",
		"instance_id": o.inst.ID, "key_id": "k"}, told()[0])

	o.clock.Add(time.Second)
	_, err = o.owner.UpdateBudget(t.Context(), b.ID, 11, 0)
	require.NoError(t, err)
	require.Equal(t, "budget.reached", code(call(1)))
	require.Equal(t, "budget.reached", code(call(1)))
	require.Len(t, told(), 2, "again after a change")
	o.clock.Add(24 * time.Hour)
	require.NoError(t, call(20))
	require.Len(t, told(), 2)
	require.Equal(t, "budget.reached", code(call(1)))
	require.Equal(t, "budget.reached", code(call(1)))
	require.Len(t, told(), 3, "and in the next period")

	s, err := o.mel.CreateSession(t.Context(), models.NewSession{InstanceID: o.inst.ID})
	require.NoError(t, err)
	for range 3 {
		_, _, err = o.mel.StartTurn(t.Context(), s.ID, models.Input{Text: "hello"})
		require.Equal(t, "budget.reached", code(err))
		o.clock.Add(24 * time.Hour)
	}
	require.Len(t, told(), 4, "a message that is refused; the total has one period")
	require.Equal(t, messages.ID, told()[3]["budget_id"])
	require.Equal(t, o.mel.Actor.UserID, told()[3]["user_id"])
	require.NotContains(t, told()[3], "resets_at")
}
