package models_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	"gorm.io/gorm"

	"lobstead/models"
	"lobstead/models/modelstest"
)

// What nobody waits for is there for who reads next, in its order, and is written before the store closes.
func TestDecisionsAreSeenAtOnceAndSurviveClosing(t *testing.T) {
	store := modelstest.New(t)
	sc, _, _ := conversation(t, store)
	for n := range 200 {
		sc.Decide(t.Context(), &models.Decision{Purpose: "chat", TurnID: "t", Model: fmt.Sprint(n)})
	}
	rows, err := sc.TurnDecisions(t.Context(), "t")
	require.NoError(t, err)
	require.Len(t, rows, 200)
	gone, leave := context.WithCancel(t.Context())
	leave()
	sc.Decide(gone, &models.Decision{Purpose: "chat", TurnID: "late", Model: "m"})
	require.NoError(t, store.Close())
}

// One of many that share a commit is refused alone; a lone one leaves nothing behind.
func TestASharedCommitRefusesOne(t *testing.T) {
	store := modelstest.New(t)
	sc, inst, session := conversation(t, store)
	charge := func(id string) models.Charge {
		return models.Charge{CallID: id, Purpose: "chat", InstanceID: inst.ID, SessionID: session.ID, Provider: "p", Model: "m", CostNanos: 1}
	}
	require.NoError(t, sc.Reserve(t.Context(), charge("c-1")))
	require.Error(t, sc.Reserve(t.Context(), charge("c-1")), "the same call twice, alone")
	var all sync.WaitGroup
	var mu sync.Mutex
	refused := 0
	for n := range 40 {
		all.Go(func() {
			if err := sc.Reserve(t.Context(), charge(fmt.Sprint("c-", n/2+2))); err != nil {
				mu.Lock()
				defer mu.Unlock()
				refused++
				if errors.Is(err, context.Canceled) {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	require.Equal(t, 20, refused, "each call once")
	for n := range 20 {
		require.NoError(t, sc.Settle(t.Context(), charge(fmt.Sprint("c-", n+2))))
	}
	spent, err := sc.SpentSince(t.Context(), session.CreatedAt.AddDate(-1, 0, 0))
	require.NoError(t, err)
	require.EqualValues(t, 20, spent.Calls)
}

// Only commits that calls share pass the disk by: what comes after one, in a transaction or alone, waits for it again.
func TestOnlySharedCommitsPassTheDiskBy(t *testing.T) {
	store := modelstest.New(t)
	system := models.SystemContext(t.Context(), "test")
	show, normal, full := "PRAGMA synchronous", "1", "2"
	if modelstest.Postgres() { // its operator decides, for every commit alike
		show = "SHOW synchronous_commit"
		require.NoError(t, store.Gorm(system).Raw(show).Scan(&full).Error)
		normal = full
	}
	level := func(ctx context.Context) (n string) {
		require.NoError(t, store.Gorm(ctx).Transaction(func(tx *gorm.DB) error { return tx.Raw(show).Scan(&n).Error }))
		return n
	}
	for range 3 {
		require.Equal(t, normal, level(models.Hasty(system)))
		require.Equal(t, full, level(system))
		require.Equal(t, normal, level(models.Hasty(system)))
		n := ""
		require.NoError(t, store.Gorm(system).Raw(show).Scan(&n).Error)
		require.Equal(t, full, n)
	}
	require.Error(t, store.Gorm(models.Hasty(system)).Transaction(func(tx *gorm.DB) error { return errors.New("no") }))
	require.Equal(t, full, level(system), "after one that was taken back")
}

// A store that is closed refuses what is brought to it, and says so.
func TestAClosedStoreRefuses(t *testing.T) {
	store := modelstest.New(t)
	sc, _, _ := conversation(t, store)
	require.NoError(t, sc.Reserve(t.Context(), models.Charge{CallID: "1", Purpose: "chat", Provider: "p", Model: "m"}))
	require.NoError(t, store.Close())
	require.Error(t, sc.Settle(t.Context(), models.Charge{CallID: "1", Purpose: "chat", Provider: "p", Model: "m"}))
}
