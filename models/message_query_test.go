package models_test

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/models/modelstest"
)

// However many people an agent talks to, whom and what is read by the same few statements.
func TestCounterpartiesInAFewStatements(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	ctx := t.Context()
	const people, said = 7, 3
	names := []string{}
	for n := range people {
		_, who := joined(t, store, sc, "p"+strconv.Itoa(n)+"@example.com", models.Member)
		names = append(names, who.Actor.UserID)
		s, err := who.CreateSession(ctx, models.NewSession{InstanceID: inst.ID})
		require.NoError(t, err)
		for m := range said {
			_, _, err := who.StartTurn(ctx, s.ID, models.Input{Text: names[n] + " " + strconv.Itoa(m), Source: "fleet-api", Message: &models.NewMessage{Channel: models.APIChannel, QueueMode: models.Collect}})
			require.NoError(t, err)
		}
	}
	rec := &recorder{}
	rec.watch(t, store)
	read := func(limit int) []models.Counterparty {
		rec.sql = nil
		list, more, err := sc.Counterparties(ctx, inst.ID, time.Time{}, limit)
		require.NoError(t, err)
		require.Len(t, list, limit)
		require.Equal(t, limit < people, more)
		ids := []string{}
		for _, p := range list {
			ids = append(ids, p.PersonID)
		}
		rows, err := sc.MessagesWith(ctx, inst.ID, ids, 2)
		require.NoError(t, err)
		for n, p := range list {
			require.Equal(t, names[people-1-n], p.PersonID, "the latest first")
			require.Equal(t, said, p.Total)
			require.Equal(t, said, p.Unread)
			require.Len(t, rows[p.PersonID], 2)
			require.Equal(t, p.PersonID+" 2", rows[p.PersonID][0].Text, "the newest first")
			require.True(t, rows[p.PersonID][0].CreatedAt.Equal(p.LastAt))
		}
		return list
	}
	read(1)
	few := len(rec.sql)
	all := read(people)
	require.Len(t, rec.sql, few, "%q", rec.sql)

	list, _, err := sc.Counterparties(ctx, inst.ID, all[2].LastAt, 10)
	require.NoError(t, err)
	require.Equal(t, all[3:], list, "the page after")
	beta, _ := modelstest.Found(t, store, "Beta")
	rows, err := beta.MessagesWith(ctx, inst.ID, names, 2)
	require.NoError(t, err)
	require.Empty(t, rows)
}
