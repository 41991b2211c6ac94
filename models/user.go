package models

import (
	"context"
	"net/mail"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
)

// User is a person; what they may do is in their memberships.
type User struct {
	ID           string
	Email        string
	Name         string
	PasswordHash string
	Theme        string
	Staff        bool
	SecondFactor bool // a passkey is asked for after the password
	NoLetters    bool // when something waits for them
	BlockedAt    *time.Time
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

// actor is the person as the audit log names them.
func (u *User) actor(address string) Actor {
	return Actor{UserID: u.ID, Name: u.Name, Address: address}
}

// Themes of the interface.
var Themes = []string{"system", "light", "dark"}

// Password lengths in characters (NIST SP 800-63B: at least 8; ours is longer because it is an owner's).
const (
	minPassword = 10
	maxPassword = 200
)

// hashing is bounded: each hash takes 64 MiB.
var hashing = make(chan struct{}, 2)

func hashPassword(p secret.String) (string, error) {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2id.CreateHash(p.Reveal(), argon2id.DefaultParams)
}

func checkPassword(p secret.String, hash string) bool {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	ok, err := argon2id.ComparePasswordAndHash(p.Reveal(), hash)
	return err == nil && ok
}

// NormalEmail gives the one spelling of an address that is kept, false when it is none.
func NormalEmail(s string) (string, bool) {
	if !utf8.ValidString(s) { // lowering would make it valid
		return "", false
	}
	s = strings.ToLower(strings.TrimSpace(s))
	a, err := mail.ParseAddress(s)
	if err != nil || a.Address != s || len(s) > 254 || !strings.Contains(s[strings.LastIndex(s, "@")+1:], ".") && !strings.HasSuffix(s, "@localhost") {
		return "", false
	}
	return s, true
}

func validatePassword(is *fault.Issues, path string, p secret.String) {
	switch n := utf8.RuneCountInString(p.Reveal()); {
	case n < minPassword:
		is.TooSmall(path, minPassword)
	case n > maxPassword:
		is.TooBig(path, maxPassword)
	}
}

// validName checks a display name of 1 to max characters and gives it trimmed.
func validName(is *fault.Issues, path, s string, max int) string {
	s = strings.TrimSpace(s)
	switch n := utf8.RuneCountInString(s); {
	case n == 0:
		is.TooSmall(path, 1)
	case n > max:
		is.TooBig(path, max)
	}
	if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		is.BadString(path, "regex")
	}
	return s
}

// User reads a person by id.
func (sy *System) User(ctx context.Context, id string) (*User, error) {
	return first[User](sy.read(ctx).Where("id = ?", id))
}

// SetTheme changes how a person's pages look.
func (sy *System) SetTheme(ctx context.Context, userID, theme string) error {
	var is fault.Issues
	if theme != "system" && theme != "light" && theme != "dark" {
		is.NotOneOf("theme", theme, Themes...)
		return is.Err()
	}
	_, err := changed(sy.write(ctx).Model(&User{}).Where("id = ?", userID),
		map[string]any{"theme": theme, "updated_at": sy.store.now()})
	return err
}
