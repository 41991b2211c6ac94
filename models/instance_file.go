package models

import (
	"context"
	"encoding/json"
	"path"
	"regexp"
	"strconv"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// InstanceFile is a file that an instance begins with, until its sandbox has it.
type InstanceFile struct {
	ID             string
	OrganizationID string
	InstanceID     string
	Path           string // in the workspace, relative
	Data           []byte
	CreatedAt      time.Time
}

// The caps of what an instance begins with.
const (
	MaxInitialFiles = 100
	maxInitialBytes = 20 << 20 // all together
	maxEnv          = 20
	maxEnvValue     = 4096
)

// CheckInitialFiles notes what is wrong with the files of a new instance and gives them with paths relative to the workspace.
func CheckInitialFiles(is *fault.Issues, field string, files []InstanceFile) []InstanceFile {
	sum, seen, out := 0, map[string]bool{}, []InstanceFile{}
	for _, f := range files {
		p, ok := workspacePath(f.Path)
		switch {
		case !ok:
			is.Custom(field, "This is no path in the workspace: "+clip(f.Path, 100))
		case seen[p]:
			is.Custom(field, "There are two files called "+clip(p, 100))
		}
		sum, seen[p] = sum+len(f.Data), true
		out = append(out, InstanceFile{Path: p, Data: f.Data})
	}
	if len(files) > MaxInitialFiles {
		is.Custom(field, "At most "+strconv.Itoa(MaxInitialFiles)+" files can be given")
	}
	if sum > maxInitialBytes {
		is.Custom(field, "The files have more than 20 MB together")
	}
	return out
}

// workspacePath gives a path of the workspace without its beginning; false for one that leaves it.
func workspacePath(p string) (string, bool) {
	if strings.ContainsAny(p, "\x00\\") || len(p) > 1000 {
		return "", false
	}
	p = strings.TrimPrefix(p, "/workspace/")
	if clean := path.Clean(p); path.IsAbs(p) || clean == "." || clean == ".." || strings.HasPrefix(clean, "../") {
		return "", false
	}
	return path.Clean(p), true
}

// AddInstanceFiles keeps files until the sandbox has them; CheckInitialFiles has seen them. One of the same path takes the other's
// place.
func (sc *Scope) AddInstanceFiles(ctx context.Context, instanceID string, files []InstanceFile) error {
	return sc.tx(ctx, func(tx *gorm.DB) error {
		if _, err := first[Instance](tx.Select("id").Where("id = ? AND desired <> ?", instanceID, WantDeleted)); err != nil {
			return err
		}
		return sc.addFiles(tx, instanceID, files)
	})
}

func (sc *Scope) addFiles(tx *gorm.DB, instanceID string, files []InstanceFile) error {
	for _, f := range files {
		if err := tx.Where("instance_id = ? AND path = ?", instanceID, f.Path).Delete(&InstanceFile{}).Error; err != nil {
			return err
		}
		row := InstanceFile{ID: id.New(), OrganizationID: sc.Org, InstanceID: instanceID, Path: f.Path, Data: f.Data, CreatedAt: sc.store.now()}
		if err := tx.Create(&row).Error; err != nil {
			return err
		}
	}
	return nil
}

// InstanceFiles lists those that the sandbox does not have yet.
func (sc *Scope) InstanceFiles(ctx context.Context, instanceID string) ([]InstanceFile, error) {
	return all[InstanceFile](sc.read(ctx).Where("instance_id = ?", instanceID).Order("id"))
}

// PlacedInstanceFile forgets one that the sandbox has.
func (sc *Scope) PlacedInstanceFile(ctx context.Context, fileID string) error {
	return translate(sc.write(ctx).Where("id = ?", fileID).Delete(&InstanceFile{}).Error)
}

var envName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]{0,99}$`)

// CheckEnv notes what is wrong with the environment of a sandbox.
func CheckEnv(is *fault.Issues, field string, env map[string]string) {
	if len(env) > maxEnv {
		is.Custom(field, "At most "+strconv.Itoa(maxEnv)+" variables can be set")
	}
	for name, value := range env {
		if !envName.MatchString(name) || strings.HasPrefix(name, "LOBSTEAD_") || strings.HasPrefix(name, "LD_") {
			is.Custom(field, "This is no name for a variable: "+clip(name, 100))
		}
		CheckText(is, field+"."+clip(name, 100), value, maxEnvValue)
	}
}

// SetEnv writes what an instance's sandbox finds in its environment, from its next start on; CheckEnv has seen it.
func (sc *Scope) SetEnv(ctx context.Context, instanceID string, env map[string]string) error {
	return sc.tx(ctx, func(tx *gorm.DB) error { return sc.setEnv(tx, instanceID, env) })
}

func (sc *Scope) setEnv(tx *gorm.DB, instanceID string, env map[string]string) error {
	text, err := json.Marshal(env)
	if err != nil {
		return err
	}
	sealed, err := sc.store.box.Seal(text, "env "+instanceID)
	if err != nil {
		return err
	}
	hit, err := changed(tx.Model(&Instance{}).Where("id = ? AND desired <> ?", instanceID, WantDeleted), map[string]any{"env_sealed": sealed, "updated_at": sc.store.now()})
	if err == nil && !hit {
		err = fault.NotFoundf("instance")
	}
	return err
}

// Env opens it; nil when there is none.
func (sc *Scope) Env(i *Instance) (map[string]string, error) {
	if len(i.EnvSealed) == 0 {
		return nil, nil
	}
	plain, err := sc.store.box.Open(i.EnvSealed, "env "+i.ID)
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	return out, json.Unmarshal(plain, &out)
}
