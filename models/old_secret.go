package models

import (
	"strconv"
	"strings"
	"time"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// maxOldSecrets is how many secrets before the newest one may be valid at a time.
const maxOldSecrets = 10

// oldSecret is a secret that a rotation left valid for a while.
type oldSecret struct {
	key   string
	until time.Time
}

// secretRow is a row that has a secret, and beside it the older ones that are still valid: sealed together, one a line with its
// end in Unix microseconds, the newest first. A line without a time ends with the column.
type secretRow struct {
	id          string
	sealed, old []byte
	until       *time.Time // when the last of the old ones ends
}

// secretsOf opens the secrets of a row that are valid now, the newest first.
func (s *Store) secretsOf(r secretRow) ([]secret.String, error) {
	newest, err := s.box.Open(r.sealed, r.id)
	if err != nil {
		return nil, err
	}
	old, err := s.oldSecrets(r)
	out := []secret.String{secret.Of(string(newest))}
	for _, o := range old {
		out = append(out, secret.Of(o.key))
	}
	return out, err
}

func (s *Store) oldSecrets(r secretRow) ([]oldSecret, error) {
	now, out := s.now(), []oldSecret{}
	if r.until == nil || !r.until.After(now) {
		return out, nil
	}
	plain, err := s.box.Open(r.old, r.id)
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(plain)) {
		key, at, _ := strings.Cut(strings.TrimSpace(line), " ")
		until := *r.until
		if n, err := strconv.ParseInt(at, 10, 64); err == nil {
			until = time.UnixMicro(n)
		}
		if until.After(now) {
			out = append(out, oldSecret{key, until})
		}
	}
	return out, nil
}

// keepSecrets are the columns in which a row's secret stays valid for a time beside a new one, as those before it do till their
// own end: who calls with any of them is not refused earlier. Conflict when there are too many.
func (s *Store) keepSecrets(r secretRow, overlap time.Duration) (map[string]any, error) {
	newest, err := s.box.Open(r.sealed, r.id)
	if err != nil {
		return nil, err
	}
	old, err := s.oldSecrets(r)
	if err != nil {
		return nil, err
	}
	if len(old) >= maxOldSecrets {
		return nil, fault.New(fault.Conflict, "secret.too_many", "%d older secrets are still valid", len(old)).Hinting("Wait until the first of them ends")
	}
	until := s.now().Add(overlap)
	var b strings.Builder
	for _, o := range append([]oldSecret{{string(newest), until}}, old...) {
		b.WriteString(o.key + " " + strconv.FormatInt(o.until.UnixMicro(), 10) + "\n")
	}
	sealed, err := s.box.Seal([]byte(b.String()), r.id)
	return map[string]any{"old_secret_sealed": sealed, "old_secret_until": until}, err
}
