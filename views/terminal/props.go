// Package terminal is the page of an instance's shell: /instances/:id/terminal. It knows no handler; props are plain data.
package terminal

import (
	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// ShowProps is the page: a shell, or why there is none.
type ShowProps struct {
	Frame     layout.FrameProps
	Instance  *models.Instance
	Problem   string // why there is no shell; "" = there is
	Startable bool   // starting the instance solves it
	Starting  bool   // it solves itself
	Stopping  bool   // it can be started in a moment: the page asks again
}

func (p ShowProps) at(more string) string { return "/instances/" + p.Instance.ID + more }

func (p ShowProps) crumbs() []ui.Crumb {
	return []ui.Crumb{{Text: "Instances", Href: "/instances"}, {Text: p.Instance.Name, Href: p.at("")}}
}

// keys are what phones lack: the name for static/js/page/terminal.mjs, what is on the key, and how it is read out.
var keys = []struct{ name, text, label string }{{"esc", "Esc", "Esc"}, {"tab", "Tab", "Tab"}, {"ctrl", "Ctrl", "Ctrl, for the next key"},
	{"interrupt", "^C", "^C, interrupt"}, {"end", "^D", "^D, end of input"}, {"left", "←", "← left"}, {"down", "↓", "↓ down"}, {"up", "↑", "↑ up"}, {"right", "→", "→ right"}}
