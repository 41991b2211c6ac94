package agent

import (
	"fmt"
	"slices"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// The family's enumerations (agent-api.md, section 1).
var (
	serverRegions = []string{"us-east", "us-west", "eu-central", "eu-north", "ap-south"}
	messengers    = []string{webMessenger, "telegram", "discord", "slack", "whatsapp"}
)

const webMessenger = "web"

// Update is what to rebuild an agent with; nil leaves a thing as it is.
type Update struct {
	Model  *string
	Tier   *models.Tier
	Region *string
	Key    *secret.String // empty: the organization's services again
}

// UpdateAnswer tells what was begun.
type UpdateAnswer struct {
	Success bool   `json:"success"`
	Message string `json:"message"`
	Agent   Agent  `json:"agent"`
}

// ReadUpdate reads a rebuild; at least one field.
func ReadUpdate(f *wire.Fields) (Update, error) {
	var u Update
	u.Model, _ = f.OptionalString("aiModel")
	if f.Has("serverTier") {
		words := make([]string, len(serverTiers))
		for n, s := range serverTiers {
			words[n] = s.word
		}
		if word, ok := f.Enum("serverTier", words...); ok {
			u.Tier = &serverTiers[slices.Index(words, word)].tier
		}
	}
	if f.Has("serverRegion") {
		if region, ok := f.Enum("serverRegion", serverRegions...); ok {
			u.Region = &region
		}
	}
	if key, _ := f.OptionalString("aiApiKey"); key != nil {
		sealed := secret.Of(*key)
		u.Key = &sealed
	}
	messenger := ""
	if f.Has("messengerType") {
		messenger, _ = f.Enum("messengerType", messengers...)
	}
	if err := f.Err(); err != nil {
		return u, err
	}
	switch {
	case messenger != "" && messenger != webMessenger:
		return u, fault.New(fault.Invalid, "channel.not_connected", "%s", fmt.Sprintf("messengerType: no %s channel is connected to this agent; it answers on the web", messenger))
	case messenger == "" && u == (Update{}):
		return u, fault.New(fault.Invalid, "update.empty", "At least one field is required")
	}
	return u, nil
}
