package instances

import (
	"slices"

	"lobstead/models"
	"lobstead/views/layout"
	"lobstead/views/ui"
)

// Tabs are the views of an instance that have addresses; held counts the memories that wait for review. The terminal is
// only there for who may use it.
func Tabs(f layout.FrameProps, i *models.Instance, current string, held int) []ui.TabItem {
	at := "/instances/" + i.ID
	tabs := []ui.TabItem{
		{Text: "Instance", Href: at, Icon: ui.IconServer, Current: current == "instance"},
		{Text: "Files", Href: at + "/files", Icon: ui.IconFolder, Current: current == "files"},
		{Text: "Memory", Href: at + "/memory", Icon: ui.IconBrain, Current: current == "memory", Count: held},
		{Text: "Skills", Href: at + "/skills", Icon: ui.IconWrench, Current: current == "skills"},
		{Text: "Channels", Href: at + "/channels", Icon: ui.IconSend, Current: current == "channels"},
		{Text: "Cache", Href: at + "/cache", Icon: ui.IconDatabase, Current: current == "cache"},
		{Text: "Policy", Href: at + "/policy", Icon: ui.IconShieldCheck, Current: current == "policy"},
	}
	if f.MayShell {
		tabs = slices.Insert(tabs, 2, ui.TabItem{Text: "Terminal", Href: at + "/terminal", Icon: ui.IconTerminal, Current: current == "terminal"})
	}
	return tabs
}
