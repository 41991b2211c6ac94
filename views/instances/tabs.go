package instances

import (
	"lobstead/models"
	"lobstead/views/ui"
)

// Tabs are the views of an instance that have addresses; held counts the memories that wait for review.
func Tabs(i *models.Instance, current string, held int) []ui.TabItem {
	at := "/instances/" + i.ID
	return []ui.TabItem{
		{Text: "Instance", Href: at, Icon: ui.IconServer, Current: current == "instance"},
		{Text: "Files", Href: at + "/files", Icon: ui.IconFolder, Current: current == "files"},
		{Text: "Memory", Href: at + "/memory", Icon: ui.IconBrain, Current: current == "memory", Count: held},
		{Text: "Skills", Href: at + "/skills", Icon: ui.IconWrench, Current: current == "skills"},
		{Text: "Channels", Href: at + "/channels", Icon: ui.IconSend, Current: current == "channels"},
		{Text: "Cache", Href: at + "/cache", Icon: ui.IconDatabase, Current: current == "cache"},
		{Text: "Policy", Href: at + "/policy", Icon: ui.IconShieldCheck, Current: current == "policy"},
	}
}
