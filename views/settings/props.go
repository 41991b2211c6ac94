// Package settings shows what can be changed: the organization and the person, connected model services, sign-ins. It
// knows no handler; props are models and plain data.
package settings

import (
	"lobstead/models"
	"lobstead/views/layout"
)

// GeneralProps is /settings: organization, person, theme (posts to /theme), version, data.
type GeneralProps struct {
	Frame        layout.FrameProps
	Organization *models.Organization
	User         *models.User
	Role         models.Role
	Version      string
	Database     string // "SQLite" or "Postgres"
	Queue        string // "embedded" or "Redis"
	Name         string // of the organization, as typed
	Errors       map[string]string
	BaseURL      string
	Mails        bool // letters can be sent from here
	MayEdit      bool
	MayDelete    bool
}

// TeamProps is /settings/team. Posts: /settings/team (email, role; by=link for no letter), /settings/team/:id/{role,delete,transfer},
// /settings/team/leave, /settings/invitations/:id/delete. Link is shown once, after an invitation.
type TeamProps struct {
	Frame                  layout.FrameProps
	Members                []models.TeamMember
	Invitations            []models.Invitation
	Me                     string // user id
	MayManage, MayTransfer bool
	Email, Role            string // as typed
	Errors                 map[string]string
	Link, LinkFor          string
	Letters                map[string]models.Delivery // by invitation; those whose link was shown have none
	BaseURL                string
}

// RolesProps is /settings/roles.
type RolesProps struct {
	Frame layout.FrameProps
	Mine  models.Role
}

// KeysProps is /settings/keys. Posts: /settings/keys (name, expiresInDays, scopes…), /settings/keys/:id/delete. Key is
// shown once, after it was made.
type KeysProps struct {
	Frame        layout.FrameProps
	Keys         []models.APIKey
	Makers       map[string]string // user id → name
	Capabilities []string          // that the person may give
	MayManage    bool
	Name, Days   string // as typed
	Scopes       models.Scopes
	Errors       map[string]string
	Key          string
	BaseURL      string
}

// AuditProps is /settings/audit?q=&act=&since=&until=&before=.
type AuditProps struct {
	Frame                   layout.FrameProps
	Entries                 []models.AuditEntry
	Text, Act, Since, Until string
	Before, Next            int64 // seqs: where this page begins, and the next one; 0 for none
}

// OrganizationsProps is /organizations. Posts: /organizations (name), /organizations/:id/switch.
type OrganizationsProps struct {
	Frame   layout.FrameProps
	Rows    []models.Principal
	Current string
	Name    string
	Errors  map[string]string
}

// DeleteOrganizationProps is /settings/delete.
type DeleteOrganizationProps struct {
	Frame layout.FrameProps
	Name  string
	Lost  []string
	Error string
}

// ModelsProps is /settings/models: connected services and the form for one more (posts to /settings/models).
type ModelsProps struct {
	Frame       layout.FrameProps
	Providers   []models.Provider
	Environment []Found // services found in the environment; read only
	MayManage   bool
	Form        ModelForm
	Routing     RoutingForm
}

// Found is a service that came from the environment: OPENAI_API_KEY and the like.
type Found struct{ Kind, Name, Model, Source string }

// ModelForm is the connection form with what was typed and how the live test ended.
type ModelForm struct {
	Kind, BaseURL, Model string
	Errors               map[string]string // field → sentence; "" = the provider's real error
	Kinds                []Kind
}

// Kind is one service that can be connected.
type Kind struct {
	Value, Name, Hint  string
	DefaultModel       string
	NeedsKey, NeedsURL bool
}

// SignInsProps is /settings/sign-ins: where the person is signed in. Each is revoked by POST /settings/sign-ins/:id/delete,
// all others by POST /settings/sign-ins/others/delete.
type SignInsProps struct {
	Frame   layout.FrameProps
	SignIns []models.SignIn
	Current string // id of this browser's
}

// SecurityProps is /settings/security. Services are those that can still be linked; Unnamed says that this address can
// have no passkeys.
type SecurityProps struct {
	Frame        layout.FrameProps
	HasPassword  bool
	SecondFactor bool
	Policy       models.PasswordPolicy
	Passkeys     []models.Passkey
	Links        []Link
	Services     []Service
	Unnamed      bool
	Errors       map[string]string // of the password form
}

// Link is an identity with the name of its service.
type Link struct {
	models.Identity
	Name string
}

// Service can be linked by following Href.
type Service struct{ Name, Href string }
