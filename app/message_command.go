package app

import (
	"net/url"
	"strings"

	"lobstead/engine/automate"
	"lobstead/kit/fault"
)

// commands are what a message may begin with instead of being one: the rest is shown as it is understood, and saved there.
var commands = map[string]automate.Command{"/automate": automate.Automate, "/schedule": automate.Automate, "/remind": automate.Remind, "/trigger": automate.Trigger}

// maxCommand bounds what an address can take along, in bytes as it is written there.
const maxCommand = 8 << 10

// command leads a message that asks for an automation to where it is confirmed; nil for an ordinary one. The instance is the
// session's, or the one that was chosen for a new session.
func (h *Messages) command(c *Ctx, m message, session string) (Reply, error) {
	text := strings.TrimSpace(m.input.Text)
	word := strings.Fields(text + " /")[0]
	as, known := commands[strings.ToLower(word)]
	if !known || len(m.input.Attachments) > 0 {
		return nil, nil
	}
	if session != "" {
		s, err := c.Scope.Session(c, session)
		if err != nil {
			return nil, err
		}
		m.instance = s.InstanceID
	}
	q := url.Values{"text": {strings.TrimSpace(text[len(word):])}, "instance": {m.instance}, "as": {string(as)}}.Encode()
	if len(q) > maxCommand {
		return nil, fault.New(fault.TooLarge, "command.too_long", "This is too long for a command: write it under Automations, New automation")
	}
	return redirect(automationsPath + "/new?" + q), nil
}
