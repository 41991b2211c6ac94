package app

import (
	"archive/zip"
	"context"
	"encoding/json"
	"os"
	"path"
	"time"

	"lobstead/api/cloud"
	"lobstead/models"
)

// Export gives everything that the organization has as one archive: rows and the files of its sandboxes. Secrets are not in it: no key
// of a model service, no hash of an API key.
func (h *Organization) Export(c *Ctx) (Reply, error) {
	to, err := os.CreateTemp("", "export-*.zip")
	if err != nil {
		return nil, err
	}
	_ = os.Remove(to.Name()) // it lives as long as it is open
	out := &archive{zip: zip.NewWriter(to), sc: c.Scope, files: h.Files}
	if err := out.write(c, &c.Principal.Organization); err != nil {
		_ = to.Close()
		return nil, err
	}
	if err := c.Scope.NoteExport(c); err != nil {
		_ = to.Close()
		return nil, err
	}
	return download{name: c.Principal.Organization.Slug + "-" + time.Now().UTC().Format(time.DateOnly) + ".zip", kind: "application/zip", from: to}, nil
}

// archive writes an organization as files of JSON, one record a line where there are many, beside the files of its
// sandboxes as they are.
type archive struct {
	zip   *zip.Writer
	sc    *models.Scope
	files Workspaces
}

func (a *archive) write(ctx context.Context, o *models.Organization) error {
	settings := cloud.NewSettings(o, a.sc.Actor.Role)
	for _, part := range []struct {
		name string
		read func() (any, error)
	}{
		{"organization.json", func() (any, error) { return settings, nil }},
		{"members.json", func() (any, error) { rows, err := a.sc.Members(ctx); return cloud.NewMembers(rows), err }},
		{"api-keys.json", func() (any, error) { rows, err := a.sc.APIKeys(ctx); return cloud.NewAPIKeys(rows), err }},
		{"audit.json", func() (any, error) { rows, err := a.audit(ctx); return cloud.NewAuditEntries(rows), err }},
	} {
		v, err := part.read()
		if err == nil {
			err = a.json(part.name, v)
		}
		if err != nil {
			return err
		}
	}
	rows, err := a.sc.Instances(ctx)
	if err != nil {
		return err
	}
	for n := range rows {
		if err := a.instance(ctx, o, &rows[n]); err != nil {
			return err
		}
	}
	return a.zip.Close()
}

// audit reads the whole log, newest first.
func (a *archive) audit(ctx context.Context) ([]models.AuditEntry, error) {
	all := []models.AuditEntry{}
	for before := int64(0); ; before = all[len(all)-1].Seq {
		rows, err := a.sc.AuditEntries(ctx, models.AuditFilter{Before: before, Limit: exportedAtOnce})
		if err != nil {
			return nil, err
		}
		if all = append(all, rows...); len(rows) < exportedAtOnce {
			return all, nil
		}
	}
}

func (a *archive) json(name string, v any) error {
	w, err := a.zip.Create(name)
	if err != nil {
		return err
	}
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (a *archive) instance(ctx context.Context, o *models.Organization, i *models.Instance) error {
	dir := path.Join("instances", i.Name+"-"+i.ID)
	if err := a.json(path.Join(dir, "instance.json"), cloud.NewInstanceListItem(i, o, nil)); err != nil {
		return err
	}
	memories, err := a.sc.MemoryList(ctx, models.MemoryFilter{InstanceID: i.ID, Limit: everything})
	if err != nil {
		return err
	}
	kept := []map[string]any{}
	for _, m := range memories {
		kept = append(kept, map[string]any{"key": m.Key, "value": m.Value, "category": m.Category, "tier": m.Tier, "origin": m.Origin, "originNote": m.OriginNote, "createdAt": m.CreatedAt.UTC()})
	}
	if err := a.json(path.Join(dir, "memories.json"), kept); err != nil {
		return err
	}
	sessions, err := a.sc.Sessions(ctx, models.SessionFilter{InstanceID: i.ID, Limit: everything})
	if err != nil {
		return err
	}
	if err := a.workspace(ctx, dir, i); err != nil {
		return err
	}
	for n := range sessions {
		if err := a.session(ctx, path.Join(dir, "sessions", sessions[n].ID), &sessions[n]); err != nil {
			return err
		}
	}
	return nil
}

// everything is more rows than an instance has.
const everything = 1_000_000

// exportedAtOnce is how many rows of a log are read at once.
const exportedAtOnce = 500

func (a *archive) session(ctx context.Context, dir string, s *models.Session) error {
	err := a.json(path.Join(dir, "session.json"), map[string]any{"id": s.ID, "title": s.Title, "category": s.Category, "status": s.Status,
		"createdAt": s.CreatedAt.UTC(), "summary": s.Summary})
	if err != nil {
		return err
	}
	turns := map[string]bool{}
	w, err := a.zip.Create(path.Join(dir, "events.jsonl"))
	if err != nil {
		return err
	}
	lines := json.NewEncoder(w)
	for after := int64(0); ; {
		rows, err := a.sc.Events(ctx, s.ID, after, exportedAtOnce)
		if err != nil {
			return err
		}
		for _, e := range rows {
			if err := lines.Encode(map[string]any{"seq": e.Seq, "turn": e.TurnID, "kind": e.Kind, "data": json.RawMessage(e.Data), "createdAt": e.CreatedAt.UTC()}); err != nil {
				return err
			}
			if e.TurnID != nil {
				turns[*e.TurnID] = true
			}
			after = e.Seq
		}
		if len(rows) < exportedAtOnce {
			break
		}
	}
	for turn := range turns {
		if err := a.attachments(ctx, path.Join(dir, "attachments"), turn); err != nil {
			return err
		}
	}
	return nil
}

func (a *archive) attachments(ctx context.Context, dir, turn string) error {
	rows, err := a.sc.Attachments(ctx, turn)
	for n := range rows {
		if err != nil {
			return err
		}
		f, ferr := a.sc.Attachment(ctx, rows[n].ID)
		if ferr != nil {
			return ferr
		}
		w, werr := a.zip.Create(path.Join(dir, f.ID+"-"+path.Base(path.Clean("/"+f.Name))))
		if werr == nil {
			_, werr = w.Write(f.Data)
		}
		err = werr
	}
	return err
}
