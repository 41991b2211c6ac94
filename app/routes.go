package app

import (
	"github.com/gofiber/fiber/v2"

	"lobstead/engine/automate"
	"lobstead/engine/files"
	"lobstead/models"
)

const (
	get  = fiber.MethodGet
	post = fiber.MethodPost
	patc = fiber.MethodPatch
	put  = fiber.MethodPut
	dele = fiber.MethodDelete
)

// messageBody lets a message carry its files: ten of 20 MB would not fit one process's memory twice over, so
// the whole form is capped below that.
const messageBody = 48 << 20

// initialFiles lets an agent be made with what it begins with: twenty megabytes, and what writing them as base64 adds.
const initialFiles = 32 << 20

// table lists every route: a path, who may call it, whose spelling it speaks, and its handler. The page and
// the JSON route of one thing share a handler.
func (a *App) table() []Route {
	setup, signIns, instances, power := &Setup{a}, &SignIns{a}, &Instances{a}, &InstancePower{a}
	overview, chat, messages, turns := &Overview{a}, &Chat{a}, &Messages{a}, &Turns{a}
	settings, providers, live, health := &Settings{a}, &Providers{a}, &Live{a}, &Health{a}
	team, keys, audit, invitations := &Team{a}, &APIKeys{a}, &Audit{a}, &Invitations{a}
	organizations, organization := &Organizations{a}, &Organization{a}
	manageTeam, manageKeys, edit, end := May(models.CanManageTeam), May(models.CanManageKeys), May(models.CanEditSettings), May(models.CanDeleteOrg)
	readAudit := May(models.CanViewAudit)
	agentChat, agentSessions, billing := &AgentChat{a}, &AgentSessions{a}, &Billing{a}
	agentMemory, runtimeMemory, memories := &AgentMemory{a}, &RuntimeMemory{a}, &Memories{a}
	pay := May(models.CanManageBilling)
	vouched, passkeys, security, adminSignIn := &ProviderSignIns{a}, &Passkeys{a}, &Security{a}, &AdminSignIn{a}
	gate, infer := &ModelGateway{a}, Infer()
	search, docs := &Search{a}, newDocs(a)
	budgets, tokenBudget, manageBudgets := &Budgets{a}, &TokenBudget{a}, May(models.CanManageBudgets)
	use, manage := May(models.CanUseInstances), May(models.CanManageProviders)
	create, destroy, view := May(models.CanCreateInstances), May(models.CanDeleteInstances), May(models.CanView)
	services := &RuntimeModels{a}
	seen, advice := &RuntimeTurns{a}, &Recommendations{a}
	inspector, insights := &Inspector{a}, &Insights{a}
	agentAutomate, triggers := &AgentAutomate{a}, &Triggers{a}
	automations, automationPower := &Automations{a}, &AutomationPower{a}
	agentStatus, agentUpdate, agentSkills, agentMessage := &AgentStatus{a}, &AgentUpdate{a}, &AgentSkills{a}, &AgentMessage{a}
	skills := &Skills{a}
	channelPages, channelPower, hooks, fleetChannels := &Channels{a}, &ChannelPower{a}, &ChannelHooks{a}, &FleetChannels{a}
	fleetAgents, fleetEdit, fleetPower, fleetMessages := &FleetAgents{a}, &FleetAgentEdit{a}, &FleetPower{a}, &FleetMessages{a}
	caches := &Caches{a}
	catalogue := &Catalogue{a}
	webhooks, sent, told, hook := &Webhooks{a}, &Deliveries{a}, &Notifications{a}, May(models.CanManageWebhooks)
	usage, stats, readUsage := &Usage{a}, &RuntimeStats{a}, May(models.CanReadUsage)
	approvals, policy, approve, setPolicy := &Approvals{a}, &Policy{a}, May(models.CanApprove), May(models.CanManagePolicy)
	fleetFiles, readFiles, writeFiles := &FleetFiles{a}, May(models.CanReadFiles), May(models.CanWriteFiles)
	workspace := &Files{a}
	shells, useTerminal := &Terminals{a}, PersonMay(models.CanUseTerminal)
	return []Route{
		{get, "/healthz", Public, Ops, 0, health.Alive},
		{get, "/readyz", Public, Ops, 0, health.Ready},
		{get, "/static/*", Public, Ops, 0, health.Asset},
		{get, "/favicon.ico", Public, Ops, 0, health.Favicon},

		{get, "/setup", Public, Pages, 0, setup.New},
		{post, "/setup", Public, Pages, 0, setup.Create},
		{get, "/sign-in", Public, Pages, 0, signIns.New},
		{post, "/sign-in", Public, Pages, 0, signIns.Create},
		{get, "/sign-in/passkey", Public, Pages, 0, passkeys.Second},
		{post, "/sign-in/passkey", Public, Pages, 0, passkeys.SignIn},
		{post, "/sign-in/passkey/options", Public, Pages, 0, passkeys.Options},
		{get, "/sign-in/:provider", Public, Pages, 0, vouched.New},
		{get, "/sign-in/:provider/callback", Public, Pages, 0, vouched.Create},
		{post, "/sign-out", Person(), Pages, 0, signIns.SignOut},
		{post, "/theme", Public, Pages, 0, settings.Theme},

		{get, "/join", Public, Pages, 0, invitations.Show},
		{post, "/join", Public, Pages, 0, invitations.Accept},
		{get, "/organizations", Person(), Pages, 0, organizations.Index},
		{post, "/organizations", Person(), Pages, 0, organizations.Create},
		{post, "/organizations/:id/switch", Person(), Pages, 0, organizations.Switch},
		{get, "/docs", Public, Pages, 0, docs.Show},
		{get, "/api/openapi.json", Public, Cloud, 0, docs.Document},
		{get, "/search", view, Pages, 0, search.Index},

		{get, "/", view, Pages, 0, overview.Show},

		{get, "/instances", view, Pages, 0, instances.Index},
		{get, "/instances/new", create, Pages, 0, instances.New},
		{post, "/instances", create, Pages, 0, instances.Create},
		{get, "/instances/:id", view, Pages, 0, instances.Show},
		{post, "/instances/:id", use, Pages, 0, instances.Update},
		{post, "/instances/:id/power", use, Pages, 0, power.Create},
		{get, "/instances/:id/delete", destroy, Pages, 0, instances.Delete},
		{post, "/instances/:id/delete", destroy, Pages, 0, instances.Destroy},

		{get, "/instances/:id/memory", use, Pages, 0, memories.Index},
		{post, "/instances/:id/memory", use, Pages, 0, memories.Create},
		{get, "/instances/:id/memory/history", use, Pages, 0, memories.History},
		{get, "/instances/:id/memory/:memory", use, Pages, 0, memories.Show},
		{post, "/instances/:id/memory/:memory", use, Pages, 0, memories.Update},
		{post, "/instances/:id/memory/:memory/delete", use, Pages, 0, memories.Destroy},
		{post, "/instances/:id/memory/versions/:version", use, Pages, 0, memories.Decide},

		{get, "/usage", readUsage, Pages, 0, usage.Index},
		{get, "/usage/entries", readUsage, Pages, 0, usage.Entries},
		{get, "/usage/export", readUsage, Pages, 0, usage.Export},
		{get, "/instances/:id/skills", use, Pages, 0, skills.Index},
		{post, "/instances/:id/skills", use, Pages, 0, skills.Create},
		{post, "/instances/:id/skills/:skill", use, Pages, 0, skills.Update},

		{get, "/instances/:id/cache", use, Pages, 0, caches.Show},
		{post, "/instances/:id/cache", use, Pages, 0, caches.Update},
		{post, "/instances/:id/cache/empty", use, Pages, 0, caches.Empty},

		{get, "/instances/:id/files", readFiles, Pages, 0, workspace.Index},
		{post, "/instances/:id/files", writeFiles, Pages, 0, workspace.Create},
		{get, "/instances/:id/files/raw", readFiles, Pages, 0, workspace.Raw},
		{post, "/instances/:id/files/save", writeFiles, Pages, 4 * maxShown, workspace.Save},
		{post, "/instances/:id/files/carry", writeFiles, Pages, 0, workspace.Carry},
		{post, "/instances/:id/files/delete", writeFiles, Pages, 0, workspace.Destroy},
		{post, "/instances/:id/files/archive", writeFiles, Pages, 0, workspace.Pack},
		{post, "/instances/:id/files/unpack", writeFiles, Pages, 0, workspace.Unpack},
		{post, "/instances/:id/files/upload", writeFiles, Pages, fileBody, workspace.Upload},
		{post, "/instances/:id/files/uploads", writeFiles, Pages, 0, workspace.BeginUpload},
		{get, "/instances/:id/files/uploads/:upload", writeFiles, Pages, 0, workspace.ShowUpload},
		{put, "/instances/:id/files/uploads/:upload", writeFiles, Pages, files.MaxPiece, workspace.ContinueUpload},
		{post, "/instances/:id/files/uploads/:upload/delete", writeFiles, Pages, 0, workspace.CancelUpload},
		{get, "/instances/:id/files/changes", readFiles, Pages, 0, workspace.Changes},
		{get, "/instances/:id/files/changes/:checkpoint", readFiles, Pages, 0, workspace.Change},
		{post, "/instances/:id/files/changes/:checkpoint/restore", writeFiles, Pages, 0, workspace.PutBack},
		{get, "/instances/:id/files/trash", readFiles, Pages, 0, workspace.Trash},
		{post, "/instances/:id/files/trash/restore", writeFiles, Pages, 0, workspace.RestoreTrash},
		{post, "/instances/:id/files/trash/empty", writeFiles, Pages, 0, workspace.EmptyTrash},

		{get, "/instances/:id/terminal", useTerminal, Pages, 0, shells.Show},
		{get, "/instances/:id/terminal/socket", useTerminal, Pages, 0, shells.Socket},

		{get, "/chat", use, Pages, 0, chat.Index},
		{post, "/chat", use, Pages, messageBody, messages.CreateFirst},
		{get, "/chat/:id", use, Pages, 0, chat.Show},
		{post, "/chat/:id", use, Pages, 0, chat.Update},
		{get, "/chat/:id/delete", use, Pages, 0, chat.Delete},
		{post, "/chat/:id/delete", use, Pages, 0, chat.Destroy},
		{get, "/chat/:id/events", use, Pages, 0, chat.Earlier},
		{post, "/chat/:id/messages", use, Pages, messageBody, messages.Create},
		{get, "/chat/:id/attachments/:attachment", use, Pages, 0, chat.Attachment},
		{post, "/turns/:id/stop", use, Pages, 0, turns.Stop},
		{post, "/turns/:id/continue", use, Pages, 0, turns.Continue},
		{get, "/turns/:id", use, Pages, 0, inspector.Show},
		{get, "/turns/:id/steps/:step", use, Pages, 0, inspector.Step},
		{post, "/turns/:id/grade", use, Pages, 0, inspector.Grade},
		{post, "/turns/:id/analysis", use, Pages, 0, inspector.Analyze},
		{post, "/turns/:id/answers", use, Pages, 0, inspector.Answer},
		{get, "/chat/:id/insights", use, Pages, 0, insights.Show},
		{post, "/chat/:id/analysis", use, Pages, 0, insights.Analyze},
		{get, "/recommendations", use, Pages, 0, advice.Index},
		{post, "/recommendations", use, Pages, 0, advice.Analyze},

		{get, "/automations", use, Pages, 0, automations.Index},
		{get, "/automations/new", use, Pages, 0, automations.New},
		{post, "/automations", use, Pages, 0, automations.Create},
		{get, "/automations/:id", use, Pages, 0, automations.Show},
		{post, "/automations/:id/run", use, Pages, 0, automationPower.Run},
		{post, "/automations/:id/pause", use, Pages, 0, automationPower.Pause},
		{post, "/automations/:id/resume", use, Pages, 0, automationPower.Resume},
		{post, "/automations/:id/delete", use, Pages, 0, automationPower.Destroy},

		{get, "/approvals", use, Pages, 0, approvals.Index},
		{post, "/approvals/:id/approve", approve, Pages, 0, approvals.Approve},
		{post, "/approvals/:id/deny", approve, Pages, 0, approvals.Deny},
		{get, "/live/approvals", use, Pages, 0, live.Approvals},
		{get, "/instances/:id/policy", use, Pages, 0, policy.Index},
		{post, "/instances/:id/policy", setPolicy, Pages, 0, policy.Create},
		{post, "/instances/:id/policy/try", use, Pages, 0, policy.Try},
		{post, "/instances/:id/policy/:rule", setPolicy, Pages, 0, policy.Update},
		{post, "/instances/:id/policy/:rule/move", setPolicy, Pages, 0, policy.Move},
		{post, "/instances/:id/policy/:rule/delete", setPolicy, Pages, 0, policy.Destroy},
		{post, "/instances/:id/grants/:grant/delete", approve, Pages, 0, policy.Revoke},

		{get, "/deliveries", hook, Pages, 0, sent.Index},
		{get, "/deliveries/:id", hook, Pages, 0, sent.Show},
		{post, "/deliveries/:id/replay", hook, Pages, 0, sent.Replay},
		{post, "/deliveries/:id/drop", hook, Pages, 0, sent.Drop},
		{get, "/notifications", view, Pages, 0, told.Index},
		{post, "/notifications/read", view, Pages, 0, told.ReadAll},
		{get, "/notifications/preferences", view, Pages, 0, told.Preferences},
		{post, "/notifications/preferences", view, Pages, 0, told.Choose},
		{get, "/notifications/:id", view, Pages, 0, told.Show},
		{post, "/notifications/:id/read", view, Pages, 0, told.Read},
		{get, "/live/notifications", view, Pages, 0, live.Notifications},

		{get, "/live/chat/:id", use, Pages, 0, live.Chat},
		{get, "/live/instances", view, Pages, 0, live.Instances},
		{get, "/live/instances/:id", view, Pages, 0, live.Instance},
		{get, "/live/overview", view, Pages, 0, live.Overview},

		{get, "/settings", Person(), Pages, 0, settings.General},
		{post, "/settings/letters", Person(), Pages, 0, settings.Letters},
		{post, "/settings", edit, Pages, 0, organization.Update},
		{get, "/settings/delete", end, Pages, 0, organization.Delete},
		{post, "/settings/delete", end, Pages, 0, organization.Destroy},
		{get, "/settings/export", end, Pages, 0, organization.Export},
		{get, "/settings/team", view, Pages, 0, team.Index},
		{post, "/settings/team", manageTeam, Pages, 0, team.Create},
		{post, "/settings/team/leave", Person(), Pages, 0, team.Leave},
		{post, "/settings/team/:id/role", manageTeam, Pages, 0, team.Update},
		{post, "/settings/team/:id/delete", manageTeam, Pages, 0, team.Destroy},
		{post, "/settings/team/:id/transfer", May(models.CanTransfer), Pages, 0, team.Transfer},
		{post, "/settings/invitations/:id/delete", manageTeam, Pages, 0, team.Withdraw},
		{get, "/settings/roles", view, Pages, 0, team.Roles},
		{get, "/settings/keys", view, Pages, 0, keys.Index},
		{post, "/settings/keys", manageKeys, Pages, 0, keys.Create},
		{post, "/settings/keys/:id/delete", manageKeys, Pages, 0, keys.Destroy},
		{get, "/settings/audit", readAudit, Pages, 0, audit.Index},
		{get, "/settings/audit/export", readAudit, Pages, 0, audit.Export},
		{get, "/settings/models", view, Pages, 0, providers.Index},
		{post, "/settings/models", manage, Pages, 0, providers.Create},
		{post, "/settings/models/routing", manage, Pages, 0, providers.Route},
		{get, "/settings/models/catalogue", view, Pages, 0, catalogue.Index},
		{post, "/settings/models/:id/default", manage, Pages, 0, providers.Use},
		{post, "/settings/models/:id/delete", manage, Pages, 0, providers.Destroy},
		{get, "/settings/budgets", view, Pages, 0, budgets.Index},
		{post, "/settings/budgets", manageBudgets, Pages, 0, budgets.Create},
		{post, "/settings/budgets/zone", manageBudgets, Pages, 0, budgets.Zone},
		{post, "/settings/budgets/:id", manageBudgets, Pages, 0, budgets.Update},
		{post, "/settings/budgets/:id/delete", manageBudgets, Pages, 0, budgets.Destroy},
		{get, "/settings/webhooks", hook, Pages, 0, webhooks.Index},
		{post, "/settings/webhooks", hook, Pages, 0, webhooks.Create},
		{get, "/settings/webhooks/:id", hook, Pages, 0, webhooks.Show},
		{post, "/settings/webhooks/:id", hook, Pages, 0, webhooks.Update},
		{post, "/settings/webhooks/:id/rotate", hook, Pages, 0, webhooks.Rotate},
		{post, "/settings/webhooks/:id/test", hook, Pages, 0, webhooks.Test},
		{post, "/settings/webhooks/:id/delete", hook, Pages, 0, webhooks.Destroy},
		{get, "/settings/billing", view, Pages, 0, billing.Show},
		{get, "/settings/billing/invoices", view, Pages, 0, billing.Invoices},
		{post, "/settings/billing/checkout", pay, Pages, 0, billing.Checkout},
		{post, "/settings/billing/portal", pay, Pages, 0, billing.Portal},
		{get, "/settings/sign-ins", Person(), Pages, 0, signIns.Index},
		{post, "/settings/sign-ins/others/delete", Person(), Pages, 0, signIns.DestroyOthers},
		{post, "/settings/sign-ins/:id/delete", Person(), Pages, 0, signIns.Destroy},
		{get, "/settings/security", Person(), Pages, 0, security.Show},
		{post, "/settings/security/password", Person(), Pages, 0, security.Password},
		{post, "/settings/security/second-factor", Person(), Pages, 0, security.SecondFactor},
		{post, "/settings/security/identities/:id/delete", Person(), Pages, 0, security.Unlink},
		{post, "/settings/security/passkeys", Person(), Pages, 0, passkeys.Create},
		{post, "/settings/security/passkeys/options", Person(), Pages, 0, passkeys.New},
		{post, "/settings/security/passkeys/:id/delete", Person(), Pages, 0, passkeys.Destroy},

		{post, "/admin/catalogue", Staff(), Pages, 0, catalogue.Update},
		{get, "/admin/sign-in", Staff(), Pages, 0, adminSignIn.Show},
		{post, "/admin/sign-in", Staff(), Pages, 0, adminSignIn.Create},
		{post, "/admin/sign-in/passwords", Staff(), Pages, 0, adminSignIn.Passwords},
		{post, "/admin/sign-in/:id", Staff(), Pages, 0, adminSignIn.Update},
		{post, "/admin/sign-in/:id/enabled", Staff(), Pages, 0, adminSignIn.Enable},
		{post, "/admin/sign-in/:id/delete", Staff(), Pages, 0, adminSignIn.Destroy},

		{get, "/api/instances", view, Cloud, 0, instances.Index},
		{post, "/api/instances", create, Cloud, 0, instances.Create},
		{get, "/api/instances/:id", view, Cloud, 0, instances.Show},
		{patc, "/api/instances/:id", use, Cloud, 0, instances.Update},
		{dele, "/api/instances/:id", destroy, Cloud, 0, instances.Destroy},
		{post, "/api/instances/:id/actions", use, Cloud, 0, power.Create},

		{get, "/api/team", view, Cloud, 0, team.Index},
		{post, "/api/team", manageTeam, Cloud, 0, team.Create},
		{patc, "/api/team/:id", manageTeam, Cloud, 0, team.Update},
		{dele, "/api/team/:id", manageTeam, Cloud, 0, team.Destroy},
		{get, "/api/api-keys", view, Cloud, 0, keys.Index},
		{post, "/api/api-keys", manageKeys, Cloud, 0, keys.Create},
		{dele, "/api/api-keys/:id", manageKeys, Cloud, 0, keys.Destroy},
		{get, "/api/settings", view, Cloud, 0, organization.Show},
		{patc, "/api/settings", edit, Cloud, 0, organization.Update},
		{dele, "/api/settings", end, Cloud, 0, organization.Destroy},
		{get, "/api/audit", readAudit, Cloud, 0, audit.Index},
		{get, "/api/webhook-endpoints", hook, Cloud, 0, webhooks.Index},
		{post, "/api/webhook-endpoints", hook, Cloud, 0, webhooks.Create},
		{get, "/api/webhook-endpoints/:id", hook, Cloud, 0, webhooks.Show},
		{patc, "/api/webhook-endpoints/:id", hook, Cloud, 0, webhooks.Update},
		{dele, "/api/webhook-endpoints/:id", hook, Cloud, 0, webhooks.Destroy},
		{post, "/api/webhook-endpoints/:id/rotate", hook, Cloud, 0, webhooks.Rotate},
		{post, "/api/webhook-endpoints/:id/test", hook, Cloud, 0, webhooks.Test},
		{get, "/api/deliveries", hook, Cloud, 0, sent.Index},
		{get, "/api/deliveries/:id", hook, Cloud, 0, sent.Show},
		{post, "/api/deliveries/:id/replay", hook, Cloud, 0, sent.Replay},
		{post, "/api/deliveries/:id/drop", hook, Cloud, 0, sent.Drop},
		{get, "/api/notifications", view, Cloud, 0, told.Index},
		{post, "/api/notifications/read", view, Cloud, 0, told.ReadAll},
		{post, "/api/notifications/:id/read", view, Cloud, 0, told.Read},
		{post, "/api/stripe/checkout", pay, Cloud, 0, billing.Checkout},
		{post, "/api/stripe/webhook", Public, Cloud, webhookBody, billing.Webhook},

		{post, "/api/gateway/v1/chat/completions", infer, Gateway, gatewayBody, gate.Chat},
		{get, "/api/gateway/v1/models", Public, Gateway, 0, gate.Catalogue},
		{post, "/api/gateway/v1/route-preview", Public, Gateway, 0, gate.Preview},
		{post, "/v1/chat/completions", infer, OpenAI, gatewayBody, gate.OpenAIChat},
		{post, "/v1/responses", infer, OpenAI, gatewayBody, gate.OpenAIResponse},
		{get, "/v1/models", infer, OpenAI, 0, gate.OpenAIModels},
		{post, "/anthropic/v1/messages", infer, Anthropic, gatewayBody, gate.AnthropicMessage},
		{get, "/anthropic/v1/models", infer, Anthropic, 0, gate.AnthropicModels},

		{get, "/api/v1/usage", readUsage, Agent, 0, gate.Usage},
		{post, "/api/agent/chat", use, Agent, messageBody, agentChat.Create},
		{get, "/api/agent/status", view, Runtime, 0, agentStatus.Show}, // two families' path: a refusal is spelt as both can read it
		{post, "/api/agent/chat-automate", use, Agent, 0, agentAutomate.Create},
		{post, "/v1/agent/create", create, Fleet, initialFiles, fleetEdit.Create},
		{get, "/v1/agent/list", view, Fleet, 0, fleetAgents.Index},
		{post, "/v1/agent/update/:id", use, Fleet, initialFiles, fleetEdit.Update},
		{post, "/v1/agent/delete/:id", destroy, Fleet, 0, fleetAgents.Destroy},
		{get, "/v1/agent/:id", view, Fleet, 0, fleetAgents.Show},
		{get, "/v1/agent/:id/summary", view, Fleet, 0, fleetAgents.Summary},
		{get, "/v1/agent/:id/ready", view, Fleet, 0, fleetAgents.Ready},
		{post, "/v1/agent/:id/pause", use, Fleet, 0, fleetPower.Pause},
		{post, "/v1/agent/:id/resume", use, Fleet, 0, fleetPower.Resume},
		{post, "/v1/agent/:id/stop", use, Fleet, 0, fleetPower.Stop},
		{post, "/v1/agent/:id/status", use, Fleet, 0, fleetPower.Status},
		{post, "/v1/agent/:id/balance", manageBudgets, Fleet, 0, fleetAgents.Balance},
		{post, "/v1/agent/:id/messages", use, Fleet, 2 << 20, fleetMessages.Create},
		{get, "/v1/agent/:id/messages", view, Fleet, 0, fleetMessages.Index},
		{get, "/v1/agent/:id/conversations", view, Fleet, 0, fleetMessages.Conversations},
		{get, "/v1/agent/:id/channels", view, Fleet, 0, fleetChannels.Index},
		{post, "/v1/agent/:id/discord/link", use, Fleet, 0, fleetChannels.Link(models.DiscordChannel)},
		{get, "/v1/agent/:id/discord/status", view, Fleet, 0, fleetChannels.Status(models.DiscordChannel)},
		{dele, "/v1/agent/:id/discord/unlink", use, Fleet, 0, fleetChannels.Unlink(models.DiscordChannel)},
		{post, "/v1/agent/:id/slack/link", use, Fleet, 0, fleetChannels.Link(models.SlackChannel)},
		{get, "/v1/agent/:id/slack/status", view, Fleet, 0, fleetChannels.Status(models.SlackChannel)},
		{dele, "/v1/agent/:id/slack/unlink", use, Fleet, 0, fleetChannels.Unlink(models.SlackChannel)},
		{post, "/v1/agent/:id/telegram/link", use, Fleet, 0, fleetChannels.Link(models.TelegramChannel)},
		{get, "/v1/agent/:id/telegram/status", view, Fleet, 0, fleetChannels.Status(models.TelegramChannel)},
		{dele, "/v1/agent/:id/telegram/unlink", use, Fleet, 0, fleetChannels.Unlink(models.TelegramChannel)},
		{get, "/v1/webhooks/channels/:id", Public, Fleet, channelBody, hooks.Create},
		{post, "/v1/webhooks/channels/:id", Public, Fleet, channelBody, hooks.Create},
		{post, "/api/webhooks/telegram", Public, Runtime, channelBody, hooks.Telegram},
		{get, "/api/webhooks/whatsapp", Public, Runtime, channelBody, hooks.WhatsApp},
		{post, "/api/webhooks/whatsapp", Public, Runtime, channelBody, hooks.WhatsApp},
		{get, "/api/channels/status", view, Runtime, 0, fleetChannels.Statuses},
		{get, "/instances/:id/channels", view, Pages, 0, channelPages.Index},
		{get, "/instances/:id/channels/:kind", view, Pages, 0, channelPages.Show},
		{post, "/instances/:id/channels/:kind", edit, Pages, 0, channelPages.Create},
		{post, "/channels/:id/try", edit, Pages, 0, channelPower.Try},
		{post, "/channels/:id/on", edit, Pages, 0, channelPower.On},
		{post, "/channels/:id/off", edit, Pages, 0, channelPower.Off},
		{post, "/channels/:id/delete", edit, Pages, 0, channelPower.Destroy},
		{post, "/channels/:id/code", use, Pages, 0, channelPower.Code},
		{post, "/channels/bindings/:id/delete", use, Pages, 0, channelPower.Unlink},
		{post, "/channels/bindings/:id/collect", use, Pages, 0, channelPower.Collect},
		{post, "/channels/bindings/:id/interrupt", use, Pages, 0, channelPower.Interrupt},
		{post, "/v1/webhooks/triggers/:id", Public, Fleet, automate.MaxCall, triggers.Create},
		{post, "/api/agent/update", use, Agent, 0, agentUpdate.Create},
		{get, "/api/agent/skills", use, Agent, 0, agentSkills.Index},
		{post, "/api/agent/skills", use, Agent, 0, agentSkills.Create},
		{put, "/api/agent/skills", use, Agent, 0, agentSkills.Update},
		{get, "/api/agent/cache", use, Agent, 0, caches.Show},
		{post, "/api/agent/cache", use, Agent, 0, caches.Update},
		{dele, "/api/agent/cache", use, Agent, 0, caches.Empty},
		{post, "/api/agent/message", use, Runtime, 0, agentMessage.Create},
		{post, "/api/agent/message/stream", use, Runtime, 0, agentMessage.Follow},
		{get, "/api/agent/sessions", use, Agent, 0, agentSessions.Index},
		{post, "/api/agent/sessions", use, Agent, 0, agentSessions.Create},
		{patc, "/api/agent/sessions", use, Agent, 0, agentSessions.Update},
		{dele, "/api/agent/sessions", use, Agent, 0, agentSessions.Destroy},
		{get, "/api/agent/token-budget", use, Agent, 0, tokenBudget.Show},
		{post, "/api/agent/token-budget", use, Agent, 0, tokenBudget.Create},
		{get, "/api/breaker/status", view, Runtime, 0, services.Breakers},
		{post, "/api/breaker/reset/:provider", manage, Runtime, 0, services.Reset},
		{post, "/api/breaker/open/:provider", manage, Runtime, 0, services.Open},
		{put, "/api/providers/:provider/key", manage, Runtime, 0, services.KeepKey},
		{dele, "/api/providers/:provider/key", manage, Runtime, 0, services.ForgetKey},
		{get, "/api/models/available", view, Runtime, 0, services.Available},
		{get, "/api/models/selections", use, Runtime, 0, services.Selections},
		{get, "/api/stats/capacity", view, Runtime, 0, services.Capacity},
		{get, "/api/stats/costs", readUsage, Runtime, 0, stats.Costs},
		{get, "/api/stats/cache", readUsage, Runtime, 0, stats.Cache},
		{get, "/api/stats/transactions", readUsage, Runtime, 0, stats.Transactions},
		{get, "/api/stats/timeseries", readUsage, Runtime, 0, stats.Timeseries},
		{get, "/api/stats/efficiency", readUsage, Runtime, 0, stats.Efficiency},
		{get, "/api/agent/memory", use, Agent, 0, agentMemory.Index},
		{post, "/api/agent/memory", use, Agent, 0, agentMemory.Create},
		{patc, "/api/agent/memory", use, Agent, 0, agentMemory.Update},
		{dele, "/api/agent/memory", use, Agent, 0, agentMemory.Destroy},
		{get, "/api/approvals", use, Runtime, 0, approvals.Index},
		{post, "/api/approvals/:id/approve", approve, Runtime, 0, approvals.Approve},
		{post, "/api/approvals/:id/deny", approve, Runtime, 0, approvals.Deny},
		{get, "/api/audit/policy/:turn_id", use, Runtime, 0, approvals.Policy},
		{get, "/api/audit/tools/:turn_id", use, Runtime, 0, approvals.Tools},
		{get, "/api/memory/working", use, Runtime, 0, runtimeMemory.Working},
		{get, "/api/memory/working/:session_id", use, Runtime, 0, runtimeMemory.WorkingOf},
		{get, "/api/memory/episodic", use, Runtime, 0, runtimeMemory.Episodic},
		{get, "/api/memory/semantic", use, Runtime, 0, runtimeMemory.Semantic},
		{get, "/api/memory/semantic/categories", use, Runtime, 0, runtimeMemory.Categories},
		{get, "/api/memory/semantic/:category", use, Runtime, 0, runtimeMemory.SemanticOf},
		{get, "/api/memory/search", use, Runtime, 0, runtimeMemory.Search},

		{get, "/api/channels/dead-letter", hook, Runtime, 0, sent.Dead},
		{post, "/api/channels/dead-letter/:id/replay", hook, Runtime, 0, sent.ReplayDead},
		{get, "/v1/agent/:id/filesystem/files/*", readFiles, Fleet, 0, fleetFiles.Show},
		{post, "/v1/agent/:id/filesystem/files/*", writeFiles, Fleet, fileBody, fleetFiles.Create},
		{put, "/v1/agent/:id/filesystem/files/*", writeFiles, Fleet, fileBody, fleetFiles.Update},
		{patc, "/v1/agent/:id/filesystem/files/*", writeFiles, Fleet, fileBody, fleetFiles.Patch},
		{dele, "/v1/agent/:id/filesystem/files/*", writeFiles, Fleet, 0, fleetFiles.Destroy},
		{get, "/v1/agent/:id/filesystem/directories", readFiles, Fleet, 0, fleetFiles.Index},
		{get, "/v1/agent/:id/filesystem/directories/*", readFiles, Fleet, 0, fleetFiles.Index},
		{post, "/v1/agent/:id/filesystem/directories/*", writeFiles, Fleet, 0, fleetFiles.CreateDirectory},
		{dele, "/v1/agent/:id/filesystem/directories/*", writeFiles, Fleet, 0, fleetFiles.DestroyDirectory},
		{get, "/v1/agent/:id/filesystem/metadata", readFiles, Fleet, 0, fleetFiles.Metadata},
		{get, "/v1/agent/:id/filesystem/metadata/*", readFiles, Fleet, 0, fleetFiles.Metadata},
		{post, "/v1/agent/:id/filesystem/operations/copy", writeFiles, Fleet, 0, fleetFiles.Copy},
		{post, "/v1/agent/:id/filesystem/operations/move", writeFiles, Fleet, 0, fleetFiles.Move},
		{post, "/v1/agent/:id/filesystem/operations/search", readFiles, Fleet, 0, fleetFiles.Search},
		{post, "/v1/agent/:id/filesystem/archives", writeFiles, Fleet, 0, fleetFiles.Pack},
		{post, "/v1/agent/:id/filesystem/archives/extract", writeFiles, Fleet, 0, fleetFiles.Unpack},

		{get, "/api/sessions/:id/turns", use, Runtime, 0, seen.Index},
		{get, "/api/sessions/:id/insights", use, Runtime, 0, seen.Insights},
		{post, "/api/sessions/:id/analyze", use, Runtime, 0, seen.AnalyzeSession},
		{get, "/api/sessions/:id/feedback", use, Runtime, 0, seen.Feedbacks},
		{get, "/api/turns/:id", use, Runtime, 0, seen.Show},
		{get, "/api/turns/:id/context", use, Runtime, 0, seen.Context},
		{get, "/api/turns/:id/tools", use, Runtime, 0, seen.Tools},
		{get, "/api/turns/:id/tips", use, Runtime, 0, seen.Tips},
		{get, "/api/turns/:id/model-selection", use, Runtime, 0, seen.Selection},
		{post, "/api/turns/:id/analyze", use, Runtime, 0, seen.Analyze},
		{post, "/api/turns/:id/feedback", use, Runtime, 0, seen.Grade},
		{get, "/api/turns/:id/feedback", use, Runtime, 0, seen.Feedback},
		{put, "/api/turns/:id/feedback", use, Runtime, 0, seen.Regrade},
		{get, "/api/recommendations", use, Runtime, 0, advice.List},
		{post, "/api/recommendations/generate", use, Runtime, 0, advice.Generate},
	}
}
