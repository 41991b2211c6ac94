package cloud

import (
	"encoding/json"
	"unicode/utf8"

	"lobstead/api/wire"
	"lobstead/models"
)

// Settings are the organization's. The two last fields are those that another family's clients read at this path.
type Settings struct {
	ID                string  `json:"id"`
	Name              string  `json:"name"`
	Slug              string  `json:"slug"`
	Plan              string  `json:"plan"`
	Role              string  `json:"role"` // the caller's
	SuspendedAt       *string `json:"suspendedAt"`
	SuspendedReason   *string `json:"suspendedReason"`
	CreatedAt         string  `json:"createdAt"`
	UpdatedAt         string  `json:"updatedAt"`
	LibraryRemote     *string `json:"library_remote"`
	SandboxedRepoPath *string `json:"sandboxed_repo_path"`
}

// NewSettings presents an organization to somebody with a role in it.
func NewSettings(o *models.Organization, role models.Role) Settings {
	return Settings{ID: o.ID, Name: o.Name, Slug: o.Slug, Plan: string(o.Plan), Role: string(role), SuspendedAt: wire.TimeOrNull(o.SuspendedAt),
		SuspendedReason: text(o.SuspendedReason), CreatedAt: wire.Time(o.CreatedAt), UpdatedAt: wire.Time(o.UpdatedAt)}
}

// ReadName reads an organization's new name.
func ReadName(f *wire.Fields) (string, error) { return readName(f), f.Err() }

// readName reads a display name of 1 to 100 characters.
func readName(f *wire.Fields) string {
	name, ok := f.String("name")
	switch n := utf8.RuneCountInString(name); {
	case ok && n == 0:
		f.Issues.TooSmall("name", 1)
	case n > 100:
		f.Issues.TooBig("name", 100)
	}
	return name
}

// AuditEntry is one privileged act. before and after are what changed of the target.
type AuditEntry struct {
	ID           string          `json:"id"`
	Seq          int64           `json:"seq"`
	Act          string          `json:"act"`
	Actor        AuditActor      `json:"actor"`
	Target       AuditTarget     `json:"target"`
	Before       json.RawMessage `json:"before"`
	After        json.RawMessage `json:"after"`
	Reason       *string         `json:"reason"`
	PreviousHash string          `json:"previousHash"`
	Hash         string          `json:"hash"`
	CreatedAt    string          `json:"createdAt"`
}

// AuditActor is who acted.
type AuditActor struct {
	Kind    string  `json:"kind"` // person, key, staff, system
	ID      *string `json:"id"`
	Name    string  `json:"name"`
	Address *string `json:"address"`
}

// AuditTarget is what was acted upon.
type AuditTarget struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	Name string `json:"name"`
}

// NewAuditEntry presents an entry.
func NewAuditEntry(e *models.AuditEntry) AuditEntry {
	return AuditEntry{ID: e.ID, Seq: e.Seq, Act: e.Act, Actor: AuditActor{string(e.ActorKind), text(e.ActorID), e.ActorName, text(e.Address)},
		Target: AuditTarget{e.TargetKind, e.TargetID, e.TargetName}, Before: json.RawMessage(e.Before), After: json.RawMessage(e.After),
		Reason: text(e.Reason), PreviousHash: e.PreviousHash, Hash: e.Hash, CreatedAt: wire.Time(e.CreatedAt)}
}

// NewAuditEntries presents a list.
func NewAuditEntries(rows []models.AuditEntry) []AuditEntry {
	out := make([]AuditEntry, len(rows))
	for n := range rows {
		out[n] = NewAuditEntry(&rows[n])
	}
	return out
}
