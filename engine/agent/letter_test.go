package agent_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/models"
)

// What waits says so by letter: where to decide, and nothing of what the call is given.
func TestLettersSayWhereToDecide(t *testing.T) {
	g := newRig(t, commands("count k --token=secret"))
	g.config = func(c *agent.Config) { c.Letters = "https://lobstead.example" }
	g.rule(models.Ask, "bash", "count*")
	g.run("a")
	letters := func(want int) []models.Mail {
		t.Helper()
		rows, err := g.store.AsSystem("test").AllDeliveries(t.Context(), models.DeliveryFilter{State: models.DeliveryPending})
		require.NoError(t, err)
		require.Len(t, rows, want)
		out := []models.Mail{}
		for _, r := range rows {
			d, err := g.store.AsSystem("test").DeliveryByID(t.Context(), r.ID)
			require.NoError(t, err)
			m, err := d.Mail()
			require.NoError(t, err)
			require.NotContains(t, m.Text, "secret")
			require.Contains(t, m.Text, "https://lobstead.example/approvals\n")
			out = append(out, m)
		}
		return out
	}
	turn := g.start("go")
	a := g.asked(1)[0]
	m := letters(1)[0]
	require.Contains(t, m.Subject, "waits for your approval")
	require.Contains(t, m.Text, "wants to run bash")
	g.resolve(a, models.Resolution{})
	letters(0)
	g.await(turn)
	b := g.limit(models.BudgetTokens, models.BudgetTotal, 0)
	g.startIn(g.newSession().ID, "go")
	g.startIn(g.newSession().ID, "go")
	g.parked(2)
	m = letters(1)[0]
	require.Contains(t, m.Subject, "has reached a budget")
	require.Contains(t, m.Text, "of 0 tokens is used up")
	g.raise(b, 1000)
	g.asked(2)
	letters(2)
}
