package settings

import (
	"slices"
	"strconv"

	"lobstead/views/layout"
	"lobstead/views/ui"
)

// tabs are the pages that this person can open.
func tabs(f layout.FrameProps, current string) []ui.TabItem {
	out := []ui.TabItem{
		{Text: "General", Href: generalPath, Current: current == generalPath},
		{Text: "Team", Href: teamPath, Current: current == teamPath || current == rolesPath},
		{Text: "API keys", Href: keysPath, Current: current == keysPath},
		{Text: "Models", Href: modelsPath, Current: current == modelsPath},
		{Text: budgetsText(f.Waiting), Href: budgetsPath, Current: current == budgetsPath},
		{Text: "Security", Href: securityPath, Current: current == securityPath},
		{Text: "Billing", Href: billingPath, Current: current == billingPath},
		{Text: "Sign-ins", Href: signInsPath, Current: current == signInsPath},
	}
	if f.MayHook {
		out = slices.Insert(out, 5, ui.TabItem{Text: "Webhooks", Href: WebhooksPath, Current: current == WebhooksPath})
	}
	if f.MayAudit {
		out = append(out, ui.TabItem{Text: "Audit log", Href: auditPath, Current: current == auditPath})
	}
	return out
}

// budgetsText says how many conversations wait for one.
func budgetsText(waiting int) string {
	if waiting == 0 {
		return "Budgets"
	}
	return "Budgets (" + strconv.Itoa(waiting) + ")"
}
