package models_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// Titles first, then what was said; archived ones too; never another organization's; patterns are plain text.
func TestSearchSessions(t *testing.T) {
	t.Parallel()
	at := clock.NewFake(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	store := modelstest.NewAt(t, at)
	sc, inst, _ := conversation(t, store)
	titled := func(title, said string) *models.Session {
		at.Add(time.Minute)
		s, err := sc.CreateSession(t.Context(), models.NewSession{InstanceID: inst.ID, Title: title})
		require.NoError(t, err)
		_, _, err = sc.StartTurn(t.Context(), s.ID, models.Input{Text: said, Source: "test"})
		require.NoError(t, err)
		return s
	}
	tides := titled("Tide tables", "when is high water?")
	archive := "archived"
	_, err := sc.UpdateSession(t.Context(), tides.ID, models.SessionChange{Status: &archive})
	require.NoError(t, err)
	mentioned := titled("Harbour", "read the TIDE tables, 100% of them")
	titled("Other", "nothing of that")
	find := func(sc *models.Scope, text string, said bool) []string {
		rows, err := sc.SearchSessions(t.Context(), text, said, 10)
		require.NoError(t, err)
		out := []string{}
		for _, s := range rows {
			out = append(out, s.ID)
		}
		return out
	}
	require.Equal(t, []string{tides.ID, mentioned.ID}, find(sc, "tide TABLES", true), "the title counts more than the day")
	require.Equal(t, []string{tides.ID}, find(sc, "tide", false))
	require.Equal(t, []string{mentioned.ID}, find(sc, "100%", true))
	require.Empty(t, find(sc, "1_0%", true))
	require.Empty(t, find(sc, `\`, true))
	require.Len(t, find(sc, "", false), 4, "without words, all of them")
	rows, err := sc.SearchSessions(t.Context(), "", false, 2)
	require.NoError(t, err)
	require.Len(t, rows, 2)
	other, _ := modelstest.Found(t, store, "Other")
	require.Empty(t, find(other, "tide", true))
	require.Empty(t, find(other, "", true))
}
