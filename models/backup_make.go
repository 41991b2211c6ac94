package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/migrations"
)

// manifest lies beside the copy: what must be known of it when the database is gone.
type manifest struct {
	File          string             `json:"file"`
	Dialect       migrations.Dialect `json:"dialect"`
	SchemaVersion int64              `json:"schemaVersion"`
	Bytes         int64              `json:"bytes"`
	SHA256        string             `json:"sha256"`
	Tables        map[string]int64   `json:"tables"`
	CreatedAt     time.Time          `json:"createdAt"`
}

// MakeBackup makes the copy that was asked for. Running it again after a crash starts over; after its end it does
// nothing. What went wrong stands on the row; an error means that the row could not be written.
func (sy *System) MakeBackup(ctx context.Context, backupID string) error {
	b, err := sy.Backup(ctx, backupID)
	if fault.Is(err, fault.NotFound) || err == nil && (b.State == BackupDone || b.State == BackupFailed) {
		return nil
	}
	if err != nil {
		return err
	}
	ending := ".db"
	if b.Dialect == migrations.Postgres {
		ending = ".dump"
	}
	b.File, b.Host = "lobstead-"+b.CreatedAt.UTC().Format("20060102T150405")+"-"+b.ID[len(b.ID)-6:]+ending, hostName()
	there, err := sy.noteBackup(ctx, b.ID, map[string]any{"state": BackupRunning, "file": b.File, "host": b.Host})
	if err != nil || !there {
		return err
	}
	m, err := sy.store.copyTo(ctx, b.File)
	if ctx.Err() != nil {
		return ctx.Err() // the worker stops: the next one starts over
	}
	now := sy.store.now()
	if err != nil {
		_ = sy.store.removeCopy(b.File)
		problem := err.Error()
		_, err = sy.noteBackup(ctx, b.ID, map[string]any{"state": BackupFailed, "problem": sy.store.line(problem, 1000), "finished_at": now})
		return err
	}
	counts, err := json.Marshal(m.Tables)
	if err != nil {
		return err
	}
	there, err = sy.noteBackup(ctx, b.ID, map[string]any{"state": BackupDone, "bytes": m.Bytes, "sha256": m.SHA256, "schema_version": m.SchemaVersion,
		"row_counts": string(counts), "finished_at": now})
	if err == nil && !there { // it was deleted while it was made
		err = sy.store.removeCopy(b.File)
	}
	return err
}

// noteBackup writes how far a backup is, and tells whether it is still there.
func (sy *System) noteBackup(ctx context.Context, backupID string, set map[string]any) (bool, error) {
	return changed(sy.write(ctx).Model(&Backup{}).Where("id = ?", backupID), set)
}

// copyTo writes a consistent copy with its manifest.
func (s *Store) copyTo(ctx context.Context, file string) (*manifest, error) {
	if err := os.MkdirAll(s.backupDir(), 0o700); err != nil {
		return nil, err
	}
	path := s.backupPath(file)
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) { // what a crash left
		return nil, err
	}
	m := &manifest{File: file, Dialect: s.dialect, CreatedAt: s.now()}
	var err error
	if s.dialect == migrations.SQLite {
		err = s.copySQLite(ctx, path, m)
	} else {
		err = s.copyPostgres(ctx, path, m)
	}
	if err != nil {
		return nil, err
	}
	if m.Bytes, m.SHA256, err = sumFile(path, io.Discard); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, err
	}
	return m, os.WriteFile(path+manifestSuffix, append(text, '\n'), 0o600)
}

// copySQLite counts in the copy: it is of one moment, and nobody writes to it.
func (s *Store) copySQLite(ctx context.Context, path string, m *manifest) error {
	if err := s.Backup(ctx, path); err != nil {
		return err
	}
	dir, err := os.MkdirTemp(s.backupDir(), ".count-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	twin, err := s.openTwin(ctx, path, dir) // opening one leaves a journal beside it, and might change it
	if err != nil {
		return err
	}
	defer func() { _ = twin.Close() }()
	if m.Tables, err = twin.countTables(twin.w.WithContext(systemContext(ctx, "backup"))); err != nil {
		return err
	}
	m.SchemaVersion, err = twin.schemaVersion(ctx)
	return err
}

func (s *Store) schemaVersion(ctx context.Context) (int64, error) {
	p, err := s.migrator()
	if err != nil {
		return 0, err
	}
	v, err := p.GetDBVersion(ctx)
	return v, translate(err)
}

// countTables counts the rows of every table.
func (s *Store) countTables(db *gorm.DB) (map[string]int64, error) {
	names := []string{}
	query := "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
	if s.dialect == migrations.Postgres {
		query = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"
	}
	if err := db.Raw(query).Scan(&names).Error; err != nil {
		return nil, translate(err)
	}
	out := map[string]int64{}
	for _, name := range names {
		var n int64
		if err := db.Raw(`SELECT count(*) FROM "` + strings.ReplaceAll(name, `"`, `""`) + `"`).Scan(&n).Error; err != nil {
			return nil, translate(err)
		}
		out[name] = n
	}
	return out, nil
}

// copyPostgres dumps and counts in one moment: the transaction that counts lends its snapshot to pg_dump.
func (s *Store) copyPostgres(ctx context.Context, path string, m *manifest) error {
	var err error
	if m.SchemaVersion, err = s.schemaVersion(ctx); err != nil {
		return err
	}
	return s.tx(systemContext(ctx, "backup"), func(tx *gorm.DB) error {
		if err := tx.Exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY").Error; err != nil {
			return err
		}
		snapshot := ""
		if err := tx.Raw("SELECT pg_export_snapshot()").Scan(&snapshot).Error; err != nil {
			return err
		}
		var err error
		if m.Tables, err = s.countTables(tx); err != nil {
			return err
		}
		f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		err = s.pgTool(ctx, "", f, "pg_dump", "--format=custom", "--no-owner", "--no-privileges", "--snapshot="+snapshot)
		if closed := f.Close(); err == nil {
			err = closed
		}
		return err
	})
}

// libpq are the parameters of a connection URL that Postgres's own programs know too.
var libpq = []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "host", "port"}

// pgTool runs one of Postgres's programs on our database, or on another of its server. The password goes by the
// environment: command lines are shown to everybody on the machine.
func (s *Store) pgTool(ctx context.Context, database string, out io.Writer, name string, args ...string) error {
	u, err := url.Parse(s.url.Reveal())
	if err != nil {
		return fault.New(fault.Invalid, "database.url", "The address of the database cannot be read") // the parser's error repeats it
	}
	password, _ := u.User.Password()
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	if database != "" {
		u.Path = "/" + database
	}
	known := url.Values{}
	for _, k := range libpq {
		if v := u.Query().Get(k); v != "" {
			known.Set(k, v)
		}
	}
	u.RawQuery = known.Encode()
	return runTool(ctx, []string{"PGPASSWORD=" + password}, out, name, append([]string{"--dbname=" + u.String()}, args...)...)
}

// runTool runs a program of Postgres's. Its complaint is the error.
func runTool(ctx context.Context, env []string, out io.Writer, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "backup.tool", "%s is not installed on this host: install the PostgreSQL client", name)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	var said strings.Builder
	cmd.Env, cmd.Stdout, cmd.Stderr = append(env, "LC_ALL=C"), out, &complaint{to: &said}
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fault.Wrap(err, fault.Upstream, "backup.tool", "%s: %s", name, strings.TrimSpace(said.String()))
	}
	return nil
}

// complaint keeps the first few thousand bytes of what a program complains about.
type complaint struct{ to *strings.Builder }

func (t *complaint) Write(p []byte) (int, error) {
	if room := 4000 - t.to.Len(); room > 0 {
		t.to.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// sumFile gives a file's size and SHA-256, and copies it on the way.
func sumFile(path string, to io.Writer) (int64, string, error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, "", err
	}
	defer func() { _ = f.Close() }()
	h := sha256.New()
	n, err := io.Copy(io.MultiWriter(h, to), f)
	return n, hex.EncodeToString(h.Sum(nil)), err
}
