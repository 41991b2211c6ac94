package apptest

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/id"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// Person has a cookie, and a key in their organization.
type Person struct {
	Name, Email, UserID string
	Cookie, Key         string
	KeyID               string
	MemberID            string // of the membership
	SignInID            string
}

// Org is an organization with somebody in each role and one of everything.
type Org struct {
	ID, Name             string
	Scope                *models.Scope
	Owner, Admin, Member *Person
	Instance             *models.Instance
	Session              *models.Session
	Turn                 *models.Turn
	Attachment           string
	Memory, Held         string // one that is in use, and one that waits for review
	Provider             *models.Provider
	Invitation           *models.Invited
	Delivery             *models.Delivery
	Revoked, Expired     string // keys of the owner that work no more
	Identity, Passkey    string // of the owner
	Budget               string // of the organization, far from its end
	Rule, Grant          string // of the instance
	Approval             string // that waits, in an archived conversation
	Automation           string // that is far from due
	Channel, Binding     string // that is off, and the member's
	Webhook              string // of all events, which nobody is told of in a test without wanting it: it is switched off
	Notification         string // of the owner
	Upload, Trashed      string // of the instance's workspace
	Checkpoint           string // of the turn
	Trigger              string // with one call that is kept
	Call                 string
}

func (w *World) populate() {
	w.Acme, w.Rival = w.NewOrg("Acme Canary"), w.NewOrg("Rival")
}

// NewOrg makes an organization whose instance runs and has answered a message with a file.
func (w *World) NewOrg(name string) *Org {
	t := w.T
	t.Helper()
	sc, founded := modelstest.Found(t, w.Store, name)
	o := &Org{ID: founded.Organization.ID, Name: name, Scope: sc}
	o.Owner = w.person(o, founded.User.ID, founded.User.Name, founded.User.Email, models.Owner)
	o.Admin, o.Member = w.NewPerson(o, "admin", models.Admin), w.NewPerson(o, "member", models.Member)
	slug := models.Slug(name)
	o.Instance = w.Running(o, slug+"-box")
	var err error
	o.Session, err = sc.CreateSession(t.Context(), models.NewSession{InstanceID: o.Instance.ID, Title: name + " secret plans"})
	require.NoError(t, err)
	o.Turn, _, err = w.Turns.Start(t.Context(), sc, o.Session.ID, models.Input{Text: name + " confidential", Source: "page",
		Attachments: []models.Upload{{Name: slug + "-notes.txt", MediaType: "text/plain", Data: []byte(name + " file")}}})
	require.NoError(t, err)
	files, err := sc.Attachments(t.Context(), o.Turn.ID)
	require.NoError(t, err)
	o.Attachment = files[0].ID
	m, err := sc.Remember(t.Context(), models.NewMemory{InstanceID: o.Instance.ID, Key: "plan", Value: name + " confidential plan", Category: "fact", TurnID: o.Turn.ID})
	require.NoError(t, err)
	o.Memory = m.ID
	_, err = sc.Remember(t.Context(), models.NewMemory{InstanceID: o.Instance.ID, Key: "held", Value: name + " confidential page", Origin: models.FromWeb, TurnID: o.Turn.ID})
	require.NoError(t, err)
	held, err := sc.MemoryTray(t.Context(), o.Instance.ID, 1)
	require.NoError(t, err)
	o.Held = held[0].ID
	row, revoked, err := sc.CreateAPIKey(t.Context(), models.NewAPIKey{Name: "revoked"})
	require.NoError(t, err)
	_, err = sc.RevokeAPIKey(t.Context(), row.ID)
	require.NoError(t, err)
	past := time.Now().Add(-time.Minute)
	o.Revoked, o.Expired = revoked.Reveal(), w.KeyOf(o, &past)
	o.Invitation, err = sc.Invite(t.Context(), "asked@"+slug+".example.com", models.Member)
	require.NoError(t, err)
	mailed, err := sc.InviteByMail(t.Context(), "mailed@"+slug+".example.com", models.Member, func(*models.Invitation) models.Mail {
		return models.Mail{Subject: name + " asks", Text: w.URL + "/join?token=" + models.SecretMark}
	})
	require.NoError(t, err)
	o.Delivery = mailed.Delivery
	o.Provider, err = sc.ConnectProvider(t.Context(), models.NewProvider{Kind: "openai", Model: slug + "-model", Key: secret.Of(GoodKey)}, "ok")
	require.NoError(t, err)
	o.Identity, o.Passkey = id.New(), id.New()
	b, err := o.Scope.CreateBudget(w.T.Context(), models.NewBudget{Scope: models.BudgetOfOrganization, Unit: models.BudgetTokens, Period: models.BudgetMonthly, Amount: 1_000_000_000})
	require.NoError(w.T, err)
	o.Budget = b.ID
	w.withAutomation(o)
	w.withPolicy(o)
	w.withOutbox(o)
	w.withFiles(o)
	w.withChannel(o)
	w.Exec(`INSERT INTO identities (id, user_id, provider, subject, created_at) SELECT ?, id, 'https://elsewhere.example', ?, created_at FROM users WHERE id = ?`,
		o.Identity, slug, o.Owner.UserID)
	w.Exec(`INSERT INTO passkeys (id, user_id, name, credential_id, credential, created_at) SELECT ?, id, ?, ?, ?, created_at FROM users WHERE id = ?`,
		o.Passkey, slug+" phone", slug, []byte("{}"), o.Owner.UserID)
	return o
}

// Running makes an instance as if the reconciler had brought it up.
func (w *World) Running(o *Org, name string) *models.Instance {
	i := modelstest.Instance(w.T, o.Scope, name)
	i, err := o.Scope.Observe(w.T.Context(), i.ID, models.Observed{Saw: models.SawRunning, Generation: i.Generation})
	require.NoError(w.T, err)
	return i
}

// NewPerson makes a member with a cookie and a key; their password is everybody's.
func (w *World) NewPerson(o *Org, name string, role models.Role) *Person {
	user, email := id.New(), strings.ToLower(name+"@"+models.Slug(o.Name)+".example.com")
	w.Exec(`INSERT INTO users (id, email, name, password_hash, theme, staff, created_at, updated_at)
		SELECT ?, ?, ?, password_hash, theme, FALSE, created_at, updated_at FROM users WHERE id = ?`, user, email, name, o.Scope.Actor.UserID)
	w.Exec(`INSERT INTO memberships (id, organization_id, user_id, role, created_at, updated_at)
		SELECT ?, organization_id, ?, ?, created_at, updated_at FROM memberships WHERE user_id = ? AND organization_id = ?`,
		id.New(), user, string(role), o.Scope.Actor.UserID, o.ID)
	return w.person(o, user, name, email, role)
}

func (w *World) person(o *Org, user, name, email string, role models.Role) *Person {
	p := &Person{Name: name, Email: email, UserID: user}
	row, key, err := o.Scope.As(models.Actor{UserID: user, Name: name, Role: role}).CreateAPIKey(w.T.Context(), models.NewAPIKey{Name: "test"})
	require.NoError(w.T, err)
	p.Key, p.KeyID = key.Reveal(), row.ID
	m, err := o.Scope.Member(w.T.Context(), user)
	require.NoError(w.T, err)
	p.MemberID = m.Membership.ID
	w.SignIn(p)
	return p
}

// SignIn opens one more sign-in of a person, which their cookie then names.
func (w *World) SignIn(p *Person) {
	system := w.Store.AsSystem("test")
	token, err := system.OpenSignIn(w.T.Context(), p.UserID, models.Client{UserAgent: "test"})
	require.NoError(w.T, err)
	p.Cookie = token.Reveal()
	who, err := system.BySignIn(w.T.Context(), token)
	require.NoError(w.T, err)
	p.SignInID = who.SignInID
}

// KeyOf makes a further key of the organization's owner.
func (w *World) KeyOf(o *Org, expires *time.Time) string {
	_, key, err := o.Scope.CreateAPIKey(w.T.Context(), models.NewAPIKey{Name: "further", Expires: expires})
	require.NoError(w.T, err)
	return key.Reveal()
}

// Answered waits until no turn of a session is open, and gives its log.
func (w *World) Answered(sc *models.Scope, session string) []models.Event {
	w.T.Helper()
	ctx, cancel := context.WithTimeout(w.T.Context(), 60*time.Second)
	defer cancel()
	for {
		open, err := sc.OpenTurns(ctx, session)
		require.NoError(w.T, err)
		if len(open) == 0 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	log, err := sc.Events(w.T.Context(), session, 0, 0)
	require.NoError(w.T, err)
	return log
}

// Exec runs SQL with ? as placeholders, past the store.
func (w *World) Exec(query string, args ...any) {
	w.T.Helper()
	_, err := w.DB.Exec(w.rebind(query), args...)
	require.NoError(w.T, err)
}

func (w *World) rebind(query string) string {
	if w.dialect == "sqlite" {
		return query
	}
	var b strings.Builder
	n := 0
	for _, r := range query {
		if r == '?' {
			n++
			b.WriteString("$" + strconv.Itoa(n))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Forgive empties the brakes of signing in, so that a test of many tries is about something else.
func (w *World) Forgive() { w.App.Forgive() }
