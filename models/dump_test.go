package models_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/models"
)

// dump gives the rows of a table as text, below gorm.
func dump(t *testing.T, store *models.Store, table string) []string {
	t.Helper()
	rows, err := store.SQL().QueryContext(t.Context(), "SELECT * FROM "+table)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	out := []string{}
	for rows.Next() {
		values, to := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			to[i] = &values[i]
		}
		require.NoError(t, rows.Scan(to...))
		line := ""
		for i, v := range values {
			if b, ok := v.([]byte); ok {
				v = string(b)
			}
			line += fmt.Sprintf("%s=%v ", columns[i], v)
		}
		out = append(out, line)
	}
	require.NoError(t, rows.Err())
	return out
}
