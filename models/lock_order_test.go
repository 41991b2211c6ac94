package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/models/modelstest"
)

// Every test on Postgres fails when an organization is locked late; so this looks whether that is heard at all. SQLite has one
// writer, and no order.
func TestLateLockIsHeard(t *testing.T) {
	t.Parallel()
	heard := []string{}
	sc, inst, _ := conversation(t, modelstest.NewAs(t, models.Options{OutOfOrder: func(what string) { heard = append(heard, what) }}))
	require.Empty(t, heard, "what founded it all keeps the order")
	require.NoError(t, sc.LockLate(t.Context(), inst.ID))
	if !modelstest.Postgres() {
		require.Empty(t, heard)
		return
	}
	require.Len(t, heard, 1)
	require.Contains(t, heard[0], "instances")
}
