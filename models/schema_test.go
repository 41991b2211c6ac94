package models_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/migrations"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// loose are the columns that name a row of the same organization without a foreign key, with the reason.
var loose = map[string]string{
	"ledger_entries.instance_id":  "the ledger outlives what it charged",
	"ledger_entries.session_id":   "the ledger outlives what it charged",
	"ledger_entries.turn_id":      "the ledger outlives what it charged",
	"usage_quarters.instance_id":  "the sums outlive what was charged, as the ledger does",
	"usage_quarters.session_id":   "the sums outlive what was charged, as the ledger does",
	"usage_days.instance_id":      "the sums outlive what was charged, as the ledger does",
	"message_entries.instance_id": "the ledger outlives what it counted",
	"message_entries.session_id":  "the ledger outlives what it counted",
	"message_entries.turn_id":     "the ledger outlives what it counted",
	"reservations.turn_id":        "a call outlives its turn until it is settled",
	"memories.turn_id":            "a memory outlives its conversation; read through the scope only",
	"instances.provider_id":       "a provider is replaced under its id; read through the scope only",
	"decisions.instance_id":       "a decision outlives what it was made for, as the ledger does",
	"decisions.session_id":        "a decision outlives what it was made for, as the ledger does",
	"decisions.turn_id":           "a decision outlives what it was made for, as the ledger does",
	"gateway_calls.instance_id":   "the report outlives what was called",
	"automations.session_id":      "a conversation may be deleted; read through the scope only, and made anew",
	"automation_runs.session_id":  "a run is listed when its conversation is deleted; read through the scope only",
	"automation_runs.turn_id":     "a run is listed when its conversation is deleted; read through the scope only",
	"automation_runs.call_id":     "a run outlives the call that it was started by, which is kept for a shorter time",
	"turns.automation_id":         "a turn outlives the automation whose run it was",
	"memory_versions.turn_id":     "a memory outlives its conversation; read through the scope only",
	"channel_events.event_id":     "the service's, not ours",
	"channel_events.message_id":   "the service's, not ours",
	"channel_events.turn_id":      "what came in is remembered when its conversation is deleted",
	"messages.channel_id":         "a message outlives the account that it came by; read through the scope only",
}

type table struct {
	columns []string
	unique  [][]string // columns of the unique indexes
	foreign map[string]string
}

// texts runs a query of text columns below gorm.
func texts(t *testing.T, db *sql.DB, query string, args ...any) [][]string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), query, args...)
	require.NoError(t, err)
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	require.NoError(t, err)
	out := [][]string{}
	for rows.Next() {
		row, to := make([]string, len(columns)), make([]any, len(columns))
		for i := range row {
			to[i] = &row[i]
		}
		require.NoError(t, rows.Scan(to...))
		out = append(out, row)
	}
	require.NoError(t, rows.Err())
	return out
}

// readSchema asks the database itself what it holds.
func readSchema(t *testing.T, s *models.Store) map[string]*table {
	t.Helper()
	out := map[string]*table{}
	columns := `SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%'`
	unique := `SELECT m.name, (SELECT group_concat(name) FROM (SELECT name FROM pragma_index_info(i.name) ORDER BY seqno))
		FROM sqlite_master m, pragma_index_list(m.name) i WHERE m.type = 'table' AND i."unique" = 1`
	foreign := `SELECT m.name, group_concat(f."from"), f."table", group_concat(f."to") FROM sqlite_master m, pragma_foreign_key_list(m.name) f
		WHERE m.type = 'table' GROUP BY m.name, f.id`
	if s.Dialect() == migrations.Postgres {
		columns = `SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'`
		names := `(SELECT string_agg(a.attname, ',' ORDER BY k.n) FROM unnest(%s) WITH ORDINALITY k(c, n) JOIN pg_attribute a ON a.attrelid = %s AND a.attnum = k.c)`
		unique = `SELECT i.indrelid::regclass::text, ` + fmt.Sprintf(names, "i.indkey::int[]", "i.indrelid") + `
			FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid WHERE i.indisunique AND c.relnamespace = 'public'::regnamespace`
		foreign = `SELECT f.conrelid::regclass::text, ` + fmt.Sprintf(names, "f.conkey::int[]", "f.conrelid") + `, f.confrelid::regclass::text, ` +
			fmt.Sprintf(names, "f.confkey::int[]", "f.confrelid") + ` FROM pg_constraint f WHERE f.contype = 'f'`
	}
	for _, r := range texts(t, s.SQL(), columns) {
		if out[r[0]] == nil {
			out[r[0]] = &table{foreign: map[string]string{}}
		}
		out[r[0]].columns = append(out[r[0]].columns, r[1])
	}
	for _, r := range texts(t, s.SQL(), unique) {
		out[r[0]].unique = append(out[r[0]].unique, strings.Split(r[1], ","))
	}
	for _, r := range texts(t, s.SQL(), foreign) {
		out[r[0]].foreign[r[1]] = r[2] + "(" + r[3] + ")"
	}
	return out
}

// The third lock: read from the database, not from the files.
func TestSchemaKeepsOrganizationsApart(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	schema := readSchema(t, store)
	found := []string{}
	for name, tab := range schema {
		if !slices.Contains(tab.columns, "organization_id") {
			continue
		}
		found = append(found, name)
		owner := false
		for from, to := range tab.foreign {
			columns := strings.Split(from, ",")
			parent, _, _ := strings.Cut(to, "(")
			owner = owner || slices.Contains(columns, "organization_id")
			if !slices.Contains(schema[parent].columns, "organization_id") {
				continue
			}
			require.Len(t, columns, 2, "%s: %s → %s must name the organization", name, from, to)
			require.Equal(t, "organization_id", columns[0])
			require.Equal(t, parent+"(organization_id,id)", to)
			require.True(t, slices.ContainsFunc(schema[parent].unique, func(u []string) bool { return slices.Equal(u, []string{"organization_id", "id"}) }),
				"%s is a parent without UNIQUE (organization_id, id)", parent)
		}
		require.True(t, owner, "%s.organization_id points nowhere", name)
		for _, c := range tab.columns {
			parent, ok := parentOf(schema, c)
			if _, fk := tab.foreign["organization_id,"+c]; ok && !fk && loose[name+"."+c] == "" {
				t.Errorf("%s.%s names a row of %s without a composite foreign key", name, c, parent)
			}
		}
		for _, u := range tab.unique { // else one organization could block a value of another
			if u[0] == "chain" { // of the audit log: the organization's id, or the installation's word
				continue
			}
			if !slices.Contains(u, "organization_id") && !slices.Equal(u, []string{"id"}) && !strings.HasSuffix(u[0], "_hash") {
				require.True(t, strings.HasSuffix(u[0], "_id"), "%s: unique %v over all organizations", name, u)
				require.Contains(t, tab.foreign, "organization_id,"+u[0], "%s: unique %v over all organizations", name, u)
			}
		}
	}
	require.Len(t, found, len(owned), "%v: keep the list of types in step", found)
	for _, name := range found {
		require.Contains(t, owned, name)
	}
}

func parentOf(schema map[string]*table, column string) (string, bool) {
	noun, ok := strings.CutSuffix(column, "_id")
	if !ok || noun == "organization" {
		return "", false
	}
	tab, ok := schema[noun+"s"]
	return noun + "s", ok && slices.Contains(tab.columns, "organization_id")
}

// A child of another organization's parent is refused by the database, with no plugin in between.
func TestDatabaseRefusesForeignParents(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	a, b := populated(t, store, "Acme"), populated(t, store, "Beta")
	n := 0
	for name, tab := range readSchema(t, store) {
		for from, to := range tab.foreign {
			column, composite := strings.CutPrefix(from, "organization_id,")
			if !composite {
				continue
			}
			n++
			parent, _, _ := strings.Cut(to, "(")
			err := attempt(t, store.SQL(), fmt.Sprintf(`UPDATE %s SET %s = (SELECT max(id) FROM %s WHERE organization_id = '%s') WHERE organization_id = '%s'`, name, column, parent, a, b),
				// Their numbers must not collide.
				fmt.Sprintf(`DELETE FROM %s WHERE organization_id = '%s'`, name, a),
				fmt.Sprintf(`DELETE FROM %[1]s WHERE organization_id = '%[3]s' AND %[2]s <> (SELECT max(%[2]s) FROM %[1]s WHERE organization_id = '%[3]s')`, name, column, b))
			require.True(t, fault.Is(models.Translate(err), fault.NotFound), "%s.%s: %v", name, column, err)
		}
		if slices.Contains(tab.columns, "organization_id") && len(tab.foreign) > 0 && name != "ledger_entries" {
			_, err := store.SQL().ExecContext(t.Context(), fmt.Sprintf(`UPDATE %s SET organization_id = '%s' WHERE organization_id = '%s'`, name, id.New(), a))
			require.True(t, fault.Is(models.Translate(err), fault.NotFound), "%s: %v", name, err)
		}
	}
	require.GreaterOrEqual(t, n, 10)
	require.NoError(t, store.In(a).Settle(t.Context(), models.Charge{CallID: "later"}))
}

// attempt runs statements in a transaction that is rolled back, and gives the last one's error.
func attempt(t *testing.T, db *sql.DB, statement string, prepare ...string) error {
	t.Helper()
	tx, err := db.BeginTx(t.Context(), nil)
	require.NoError(t, err)
	defer func() { _ = tx.Rollback() }()
	for _, p := range prepare {
		_, err = tx.ExecContext(t.Context(), p)
		require.NoError(t, err)
	}
	_, err = tx.ExecContext(t.Context(), statement)
	return err
}
