package models

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"lobstead/kit/fault"
	"lobstead/migrations"
)

// rehearsal looks through a copy and notes what it finds.
type rehearsal struct {
	store  *Store
	backup *Backup
	checks []RehearsalCheck
}

func (r *rehearsal) note(name string, err error, detail string) bool {
	c := RehearsalCheck{Name: name, OK: err == nil, Detail: detail}
	if err != nil {
		c.Detail = r.store.line(err.Error(), 1000)
	}
	r.checks = append(r.checks, c)
	return c.OK
}

// RehearseBackup opens the copy in a temporary place, as a restore would, and reports. Like MakeBackup it may run
// again; what it found stands on the row.
func (sy *System) RehearseBackup(ctx context.Context, backupID string) error {
	b, err := sy.Backup(ctx, backupID)
	if err != nil || b.State != BackupDone || b.Rehearsal != RehearsalWaiting && b.Rehearsal != RehearsalRunning {
		if fault.Is(err, fault.NotFound) {
			err = nil
		}
		return err
	}
	if _, err := sy.noteBackup(ctx, b.ID, map[string]any{"rehearsal": RehearsalRunning}); err != nil {
		return err
	}
	r := &rehearsal{store: sy.store, backup: b}
	r.run(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	state := RehearsalPassed
	if slices.ContainsFunc(r.checks, func(c RehearsalCheck) bool { return !c.OK && !c.Skipped }) {
		state = RehearsalFailed
	}
	report, err := json.Marshal(r.checks)
	if err != nil {
		return err
	}
	_, err = sy.noteBackup(ctx, b.ID, map[string]any{"rehearsal": state, "report": string(report), "rehearsed_at": sy.store.now()})
	return err
}

func (r *rehearsal) run(ctx context.Context) {
	if err := r.store.AsSystem("rehearsal").onThisHost(r.backup); err != nil {
		r.note("File", err, "")
		return
	}
	size, sum, err := sumFile(r.store.backupPath(r.backup.File), io.Discard)
	if err == nil && (size != r.backup.Bytes || sum != r.backup.SHA256) {
		err = fmt.Errorf("the file was changed: %d bytes with checksum %s, and it was %d with %s", size, sum, r.backup.Bytes, r.backup.SHA256)
	}
	if !r.note("File", err, fmt.Sprintf("%d bytes, as it was written", size)) {
		return
	}
	dir, err := os.MkdirTemp(r.store.backupDir(), ".rehearsal-")
	if err != nil {
		r.note("Temporary place", err, "")
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if r.backup.Dialect == migrations.SQLite {
		r.sqlite(ctx, dir)
		return
	}
	r.postgres(ctx)
}

func (r *rehearsal) sqlite(ctx context.Context, dir string) {
	twin, err := r.store.openTwin(ctx, r.store.backupPath(r.backup.File), dir)
	if !r.note("Opens", err, "as a database of its own") {
		return
	}
	defer func() { _ = twin.Close() }()
	db := twin.w.WithContext(systemContext(ctx, "rehearsal"))
	said := []string{}
	err = db.Raw("PRAGMA integrity_check").Scan(&said).Error
	if err == nil && !slices.Equal(said, []string{"ok"}) {
		err = fmt.Errorf("%s", strings.Join(said, "; "))
	}
	r.note("Integrity", err, "every page and index is whole")
	orphans := []map[string]any{}
	err = db.Raw("PRAGMA foreign_key_check").Scan(&orphans).Error
	if err == nil && len(orphans) > 0 {
		err = fmt.Errorf("%d rows point to rows that are not there", len(orphans))
	}
	r.note("References", err, "every row finds the rows that it points to")
	r.contents(ctx, twin)
}

// contents counts what the restored database holds, then brings its schema up to date as a start would.
func (r *rehearsal) contents(ctx context.Context, twin *Store) {
	have, err := twin.countTables(twin.w.WithContext(systemContext(ctx, "rehearsal")))
	total := int64(0)
	want := r.backup.Tables()
	for name, n := range want {
		if err == nil && have[name] != n {
			err = fmt.Errorf("%s has %d rows, and it had %d", name, have[name], n)
		}
		total += n
	}
	if err == nil && len(have) != len(want) {
		err = fmt.Errorf("%d tables, and there were %d", len(have), len(want))
	}
	r.note("Rows", err, fmt.Sprintf("%d rows in %d tables, as in the manifest", total, len(want)))
	version, err := twin.schemaVersion(ctx)
	if err == nil && version != r.backup.SchemaVersion {
		err = fmt.Errorf("schema version %d, and it was %d", version, r.backup.SchemaVersion)
	}
	if r.note("Schema version", err, fmt.Sprintf("%d", version)) {
		_, err = twin.Migrate(ctx)
		r.note("Migrations", err, "this program can start on it")
	}
}

// openTwin opens a copy of a copy in a folder of its own: the file that is kept stays as it is.
func (s *Store) openTwin(ctx context.Context, path, dir string) (*Store, error) {
	to := filepath.Join(dir, "lobstead.db")
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	_, _, err = sumFile(path, f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	return Open(ctx, Options{URL: "sqlite:" + to, Dir: dir, Box: s.box, Clock: s.clock, Log: s.log})
}

// postgres lists the dump and restores it into a database that is dropped again, where the role may make one.
func (r *rehearsal) postgres(ctx context.Context) {
	var list strings.Builder
	path := r.store.backupPath(r.backup.File)
	err := runTool(ctx, nil, &list, "pg_restore", "--list", path) // no database is asked
	tables := strings.Count(list.String(), " TABLE DATA ")
	if err == nil && tables != len(r.backup.Tables()) {
		err = fmt.Errorf("data of %d tables, and there were %d", tables, len(r.backup.Tables()))
	}
	if !r.note("Contents", err, fmt.Sprintf("data of %d tables", tables)) {
		return
	}
	name := "lobstead_rehearsal_" + strings.ToLower(rand.Text()[:12])
	system := r.store.w.WithContext(systemContext(ctx, "rehearsal"))
	if err := system.Exec("CREATE DATABASE " + name).Error; err != nil {
		r.checks = append(r.checks, RehearsalCheck{Name: "Restores", Skipped: true,
			Detail: "Not tried: the role of DATABASE_URL may not make a database (" + r.store.line(err.Error(), 300) + ")"})
		return
	}
	defer func() {
		_ = r.store.w.WithContext(systemContext(context.WithoutCancel(ctx), "rehearsal")).Exec("DROP DATABASE IF EXISTS " + name + " WITH (FORCE)").Error
	}()
	var out strings.Builder
	err = r.store.pgTool(ctx, name, &out, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", path)
	if !r.note("Restores", err, "into a database of its own, which is gone again") {
		return
	}
	u, err := url.Parse(r.store.url.Reveal())
	if err != nil {
		return
	}
	u.Path = "/" + name
	twin, err := Open(ctx, Options{URL: u.String(), Dir: r.store.dir, Box: r.store.box, Clock: r.store.clock, Log: r.store.log})
	if r.note("Opens", err, "as a database of its own") {
		r.contents(ctx, twin)
		_ = twin.Close()
	}
}
