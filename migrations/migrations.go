// Package migrations owns the schema: numbered SQL files, embedded, one text for both databases.
//
// A file speaks the common subset of SQLite and Postgres with Postgres's type words; For respells three of
// them. A file that one database alone needs is named NNNN_name.sqlite.sql or NNNN_name.postgres.sql. The package
// runs nothing: models opens databases and migrates them.
package migrations

import (
	"embed"
	"io/fs"
	"strings"
	"testing/fstest"
)

//go:embed *.sql
var files embed.FS

// Dialect names a database.
type Dialect string

// The two databases of Lobstead.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

var sqliteTypes = strings.NewReplacer("TIMESTAMPTZ", "DATETIME", "BYTEA", "BLOB", "JSONB", "TEXT", "JSON ", "TEXT ")

// For gives the migrations as a database spells them.
func For(d Dialect) (fs.FS, error) {
	names, err := fs.Glob(files, "*.sql")
	if err != nil {
		return nil, err
	}
	out := fstest.MapFS{}
	for _, name := range names {
		base := strings.TrimSuffix(name, ".sql")
		if i := strings.LastIndexByte(base, '.'); i >= 0 && base[i+1:] != string(d) {
			continue
		}
		text, err := files.ReadFile(name)
		if err != nil {
			return nil, err
		}
		if d == SQLite {
			text = []byte(sqliteTypes.Replace(string(text)))
		}
		out[name] = &fstest.MapFile{Data: text, Mode: 0o444}
	}
	return out, nil
}
