package models

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
	"lobstead/migrations"
)

// Backup is a copy of the whole database, with what is known of it. Its file lies in the data directory of the host
// that made it, readable for that host's user only.
type Backup struct {
	ID            string
	State         BackupState
	Dialect       migrations.Dialect
	Host          string
	File          string // a name in the folder of backups
	Bytes         int64
	SHA256        string `gorm:"column:sha256"`
	SchemaVersion int64
	RowCounts     string // JSON object: rows by table
	Problem       string
	Rehearsal     RehearsalState
	Report        string // JSON array of RehearsalCheck
	AskedBy       string
	CreatedAt     time.Time
	FinishedAt    *time.Time
	RehearsedAt   *time.Time
}

// BackupState is how far a backup is.
type BackupState string

// The states of a backup.
const (
	BackupWaiting BackupState = "waiting"
	BackupRunning BackupState = "running"
	BackupDone    BackupState = "done"
	BackupFailed  BackupState = "failed"
)

// RehearsalState is how far the last rehearsal is, "" before the first.
type RehearsalState string

// The states of a rehearsal.
const (
	RehearsalWaiting RehearsalState = "waiting"
	RehearsalRunning RehearsalState = "running"
	RehearsalPassed  RehearsalState = "passed"
	RehearsalFailed  RehearsalState = "failed"
)

// RehearsalCheck is one thing that a rehearsal looked at.
type RehearsalCheck struct {
	Name    string `json:"name"`
	OK      bool   `json:"ok"`
	Skipped bool   `json:"skipped,omitempty"` // could not be tried here; Detail says why
	Detail  string `json:"detail"`
}

// Busy tells whether a job works on it, or will.
func (b *Backup) Busy() bool {
	return b.State == BackupWaiting || b.State == BackupRunning || b.Rehearsal == RehearsalWaiting || b.Rehearsal == RehearsalRunning
}

// Tables gives the rows by table.
func (b *Backup) Tables() map[string]int64 {
	out := map[string]int64{}
	_ = json.Unmarshal([]byte(b.RowCounts), &out) // written by us
	return out
}

// Checks gives what the last rehearsal found.
func (b *Backup) Checks() []RehearsalCheck {
	out := []RehearsalCheck{}
	_ = json.Unmarshal([]byte(b.Report), &out) // written by us
	return out
}

// Backups lists them, newest first.
func (sy *System) Backups(ctx context.Context) ([]Backup, error) {
	return all[Backup](sy.read(ctx).Order("id DESC").Limit(200))
}

// Backup reads one.
func (sy *System) Backup(ctx context.Context, backupID string) (*Backup, error) {
	return first[Backup](sy.read(ctx).Where("id = ?", backupID))
}

// AskBackup writes the wish for a copy; a job makes it.
func (sy *System) AskBackup(ctx context.Context, by Actor) (*Backup, error) {
	if _, err := ByStaff(by, by.Reason); err != nil {
		return nil, err
	}
	b := &Backup{ID: id.New(), State: BackupWaiting, Dialect: sy.store.dialect, RowCounts: "{}", Report: "[]", AskedBy: by.label(), CreatedAt: sy.store.now()}
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		if err := tx.Create(b).Error; err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: "backup.asked", kind: "backup", id: b.ID})
	})
	return b, err
}

// AskRehearsal writes the wish that a finished copy be opened and looked through; a job does it.
func (sy *System) AskRehearsal(ctx context.Context, by Actor, backupID string) (*Backup, error) {
	return sy.changeBackup(ctx, by, backupID, "backup.rehearsed", func(tx *gorm.DB, b *Backup) error {
		if b.State != BackupDone || b.Busy() {
			return fault.New(fault.Conflict, "backup.state", "Only a finished backup that nothing works on can be rehearsed")
		}
		b.Rehearsal = RehearsalWaiting
		_, err := changed(tx.Model(&Backup{}).Where("id = ?", b.ID), map[string]any{"rehearsal": RehearsalWaiting, "report": "[]"})
		return err
	})
}

// DeleteBackup forgets a copy and removes its file.
func (sy *System) DeleteBackup(ctx context.Context, by Actor, backupID string) (*Backup, error) {
	b, err := sy.changeBackup(ctx, by, backupID, "backup.deleted", func(tx *gorm.DB, b *Backup) error {
		if err := sy.onThisHost(b); err != nil {
			return err
		}
		return tx.Where("id = ?", b.ID).Delete(&Backup{}).Error
	})
	if err == nil && b.File != "" {
		err = sy.store.removeCopy(b.File)
	}
	return b, err
}

// removeCopy removes a copy with its manifest, as far as they are there.
func (s *Store) removeCopy(file string) error {
	_ = os.Remove(s.backupPath(file + manifestSuffix)) // before the copy: without it, a file of ours is no backup
	if err := os.Remove(s.backupPath(file)); !os.IsNotExist(err) {
		return err
	}
	return nil
}

// OpenBackup gives the file of a finished copy, to be downloaded: an act of its own, since everything is in it.
func (sy *System) OpenBackup(ctx context.Context, by Actor, backupID string) (*Backup, *os.File, error) {
	var f *os.File
	b, err := sy.changeBackup(ctx, by, backupID, "backup.downloaded", func(_ *gorm.DB, b *Backup) error {
		if b.State != BackupDone {
			return fault.New(fault.Conflict, "backup.state", "This backup is not finished")
		}
		if err := sy.onThisHost(b); err != nil {
			return err
		}
		var err error
		if f, err = os.Open(sy.store.backupPath(b.File)); os.IsNotExist(err) {
			return fault.Wrap(err, fault.NotFound, "backup.file", "The file of this backup is gone")
		}
		return err
	})
	if err != nil {
		if f != nil {
			_ = f.Close()
		}
		return nil, nil, err
	}
	return b, f, nil
}

func (sy *System) changeBackup(ctx context.Context, by Actor, backupID, name string, f func(*gorm.DB, *Backup) error) (*Backup, error) {
	if _, err := ByStaff(by, by.Reason); err != nil {
		return nil, err
	}
	var b *Backup
	err := sy.tx(ctx, func(tx *gorm.DB) error {
		var err error
		if b, err = first[Backup](locked(tx).Where("id = ?", backupID)); err != nil {
			return err
		}
		if err := f(tx, b); err != nil {
			return err
		}
		return sy.audit(tx, by, act{name: name, kind: "backup", id: b.ID, of: b.File})
	})
	return b, err
}

// onThisHost refuses what only the host with the file can do.
func (sy *System) onThisHost(b *Backup) error {
	if b.File == "" || b.Host == "" || b.Host == hostName() {
		return nil
	}
	return fault.New(fault.Conflict, "backup.host", "The file of this backup lies on the host %s", b.Host)
}

func hostName() string {
	name, err := os.Hostname()
	if err != nil {
		return "localhost"
	}
	return name
}

const manifestSuffix = ".json"

// backupPath is where a copy lies; a name with a folder in it finds none.
func (s *Store) backupPath(file string) string {
	return filepath.Join(s.backupDir(), filepath.Base(file))
}

func (s *Store) backupDir() string {
	dir := s.dir
	if dir == "" {
		dir = filepath.Dir(s.path)
	}
	return filepath.Join(dir, "backups")
}

// UnfinishedBackups names the copies and the rehearsals that are asked for: the queue, rebuilt from rows.
func (sy *System) UnfinishedBackups(ctx context.Context) (copies, rehearsals []string, err error) {
	if err = sy.read(ctx).Model(&Backup{}).Where("state IN ?", []BackupState{BackupWaiting, BackupRunning}).Pluck("id", &copies).Error; err == nil {
		err = sy.read(ctx).Model(&Backup{}).Where("rehearsal IN ?", []RehearsalState{RehearsalWaiting, RehearsalRunning}).Pluck("id", &rehearsals).Error
	}
	return copies, rehearsals, translate(err)
}
