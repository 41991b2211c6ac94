package models

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"
	"time"

	"gorm.io/gorm"

	"lobstead/kit/fault"
	"lobstead/kit/id"
)

// AuditEntry is one privileged act: who did what to whom, from where, and what changed. Entries are only ever
// appended, in the transaction of the act itself; each holds the hash of the one before it in its chain.
type AuditEntry struct {
	ID             string
	OrganizationID string `gorm:"default:null"` // "" = the installation's chain
	Chain          string
	Seq            int64
	Act            string // "member.removed": noun and what happened to it
	ActorKind      ActorKind
	ActorID        string
	ActorName      string
	Address        string
	TargetKind     string
	TargetID       string
	TargetName     string
	Before         string // JSON object, "{}" without
	After          string
	Reason         string
	PreviousHash   string
	Hash           string
	CreatedAt      time.Time
}

// ActorKind is what sort of actor an act has.
type ActorKind string

// The kinds of actors.
const (
	ActorPerson ActorKind = "person"
	ActorKey    ActorKind = "key"
	ActorStaff  ActorKind = "staff" // staff of the installation, in a customer's organization
	ActorSystem ActorKind = "system"
)

// InstallationChain is the chain of what concerns no single organization.
const InstallationChain = "installation"

// act is what a verb says of itself; the rest of the entry is the actor's and the chain's.
type act struct {
	name          string
	kind, id, of  string // target
	before, after map[string]any
}

// sum is the hash of an entry: over its fields as one JSON array, so that no two entries read alike.
func (e *AuditEntry) sum() string {
	fields, _ := json.Marshal([]any{e.ID, e.Chain, e.Seq, e.Act, e.ActorKind, e.ActorID, e.ActorName, e.Address, e.TargetKind, e.TargetID,
		e.TargetName, e.Before, e.After, e.Reason, e.PreviousHash, e.CreatedAt.UTC().UnixMicro()}) // strings and integers: cannot fail
	h := sha256.Sum256(fields)
	return hex.EncodeToString(h[:])
}

// audit appends an entry to the organization's chain, inside the act's own transaction.
func (sc *Scope) audit(tx *gorm.DB, a act) error {
	if err := sc.lockOrganization(tx); err != nil {
		return err
	}
	return sc.enter(tx, a)
}

// enter is audit in a transaction that made the organization: nobody else can have locked it.
func (sc *Scope) enter(tx *gorm.DB, a act) error {
	e, err := newEntry(sc.Actor, a, sc.store.now())
	if err != nil {
		return err
	}
	e.OrganizationID, e.Chain = sc.Org, sc.Org
	return appendEntry(tx, e)
}

// audit appends an entry to the installation's chain.
func (sy *System) audit(tx *gorm.DB, by Actor, a act) error {
	if err := lockFounding(tx); err != nil {
		return err
	}
	e, err := newEntry(by, a, sy.store.now())
	if err != nil {
		return err
	}
	e.Chain = InstallationChain
	return appendEntry(tx, e)
}

func newEntry(by Actor, a act, now time.Time) (*AuditEntry, error) {
	e := &AuditEntry{ID: id.New(), Act: a.name, ActorKind: by.kind(), ActorID: by.UserID, ActorName: clip(cleanText(by.label()), 200),
		Address: clip(cleanText(by.Address), 64), TargetKind: a.kind, TargetID: a.id, TargetName: clip(cleanText(a.of), 300),
		Before: "{}", After: "{}", Reason: clip(cleanText(by.Reason), 1000), CreatedAt: now.UTC().Truncate(time.Microsecond)}
	for to, from := range map[*string]map[string]any{&e.Before: a.before, &e.After: a.after} {
		if len(from) == 0 {
			continue
		}
		b, err := json.Marshal(from)
		if err != nil {
			return nil, err
		}
		*to = string(b)
	}
	return e, nil
}

func appendEntry(tx *gorm.DB, e *AuditEntry) error {
	last, err := first[AuditEntry](tx.Where("chain = ?", e.Chain).Order("seq DESC").Limit(1))
	if err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	if last != nil {
		e.Seq, e.PreviousHash = last.Seq, last.Hash
	}
	e.Seq++
	e.Hash = e.sum()
	return tx.Create(e).Error
}

// AuditFilter narrows a list of entries; zero fields do not.
type AuditFilter struct {
	Text   string // in act, actor or target
	Act    string // an act, or a noun with its dot: "member."
	Actor  string // id
	Since  time.Time
	Until  time.Time
	Before int64 // entries below this seq: the next page
	Limit  int   // 0 = 100, at most 1,000
}

func (f AuditFilter) apply(db *gorm.DB) *gorm.DB {
	if f.Text != "" {
		l := likeAny(f.Text)
		db = db.Where(l.in("act", "actor_name", "target_name", "target_id"), l.args(4)...)
	}
	if f.Act != "" {
		db = db.Where("act = ? OR act LIKE ? ESCAPE '\\'", f.Act, likeEscape.Replace(strings.TrimSuffix(f.Act, "."))+".%")
	}
	if f.Actor != "" {
		db = db.Where("actor_id = ?", f.Actor)
	}
	if !f.Since.IsZero() {
		db = db.Where("created_at >= ?", f.Since.UTC())
	}
	if !f.Until.IsZero() {
		db = db.Where("created_at < ?", f.Until.UTC())
	}
	if f.Before > 0 {
		db = db.Where("seq < ?", f.Before)
	}
	if f.Limit <= 0 {
		f.Limit = 100
	}
	return db.Order("seq DESC").Limit(min(f.Limit, 1000))
}

// AuditEntries lists the organization's, newest first.
func (sc *Scope) AuditEntries(ctx context.Context, f AuditFilter) ([]AuditEntry, error) {
	return all[AuditEntry](f.apply(sc.read(ctx).Where("chain = ?", sc.Org))) // its index is the chain's
}

// AuditEntries lists a chain's, newest first: an organization's or the installation's.
func (sy *System) AuditEntries(ctx context.Context, chain string, f AuditFilter) ([]AuditEntry, error) {
	return all[AuditEntry](f.apply(sy.read(ctx).Where("chain = ?", chain)))
}

// AuditReport tells how a chain fares.
type AuditReport struct {
	Chain   string
	Entries int
	Head    string // hash of the newest: kept elsewhere, it proves that none was cut off the end
	Broken  int64  // seq of the first entry that does not fit, 0 when all do
}

// VerifyAudit recomputes every chain.
func (sy *System) VerifyAudit(ctx context.Context) ([]AuditReport, error) {
	chains := []string{}
	if err := sy.read(ctx).Model(&AuditEntry{}).Distinct("chain").Order("chain").Pluck("chain", &chains).Error; err != nil {
		return nil, translate(err)
	}
	out := []AuditReport{}
	for _, chain := range chains {
		r, err := sy.verifyChain(ctx, chain)
		if err != nil {
			return nil, err
		}
		out = append(out, *r)
	}
	return out, nil
}

const verifyBatch = 1000

func (sy *System) verifyChain(ctx context.Context, chain string) (*AuditReport, error) {
	r := &AuditReport{Chain: chain}
	for seq := int64(0); ; {
		rows, err := all[AuditEntry](sy.read(ctx).Where("chain = ? AND seq > ?", chain, seq).Order("seq").Limit(verifyBatch))
		if err != nil || len(rows) == 0 {
			return r, err
		}
		for i := range rows {
			e := &rows[i]
			if r.Broken == 0 && (e.Seq != seq+1 || e.PreviousHash != r.Head || e.Hash != e.sum()) {
				r.Broken = e.Seq
			}
			seq, r.Head = e.Seq, e.Hash
			r.Entries++
		}
	}
}
