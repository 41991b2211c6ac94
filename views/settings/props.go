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
}

// ModelsProps is /settings/models: connected services and the form for one more (posts to /settings/models).
type ModelsProps struct {
	Frame       layout.FrameProps
	Providers   []models.Provider
	Environment []Found // services found in the environment; read only
	MayManage   bool
	Form        ModelForm
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
