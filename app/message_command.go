package app

import (
	"net/url"
	"strings"

	"lobstead/engine/automate"
)

// commands are what a message may begin with instead of being one: the rest is shown as it is understood, and saved there.
var commands = map[string]automate.Command{"/automate": automate.Automate, "/schedule": automate.Automate, "/remind": automate.Remind, "/trigger": automate.Trigger}

// command leads a message that asks for an automation to where it is confirmed; nil for an ordinary one. The instance is the
// session's, or the one that was chosen for a new session.
func (h *Messages) command(c *Ctx, m message, session string) (Reply, error) {
	word, text, _ := strings.Cut(strings.TrimSpace(m.input.Text), " ")
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
	q := url.Values{"text": {strings.TrimSpace(text)}, "instance": {m.instance}, "as": {string(as)}}
	return redirect(automationsPath + "/new?" + q.Encode()), nil
}
