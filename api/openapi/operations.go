package openapi

import (
	"lobstead/api/agent"
	"lobstead/api/cloud"
	"lobstead/models"
)

// Nouns are the sections, in the order of the page.
var Nouns = []Noun{
	{"instances", "Instances", "Deployed agents. Each runs in a sandbox of its own; deleting one deletes its files."},
	{"chat", "Chat", "Talk to an agent. Which one: the header X-Instance-Id, the query “instance”, else the oldest that runs, else the oldest."},
	{"sessions", "Sessions", "Conversations with an agent, kept until you delete them."},
	{"automations", "Automations", "What an agent does by itself: at times, or when something outside calls it. Each run is a turn of its own."},
	{"cache", "Cache", "Answers that an agent gives again instead of asking a model: off until somebody switches it on."},
	{"skills", "Skills", "What an agent may use: its tools in groups, each switched on or off."},
	{"budget", "Budget", "What an agent may still use. A call that a budget refuses is answered 402, with Retry-After when it starts again."},
	{"memory", "Memory", "What an agent knows beyond the messages it sees. Edits reach a running agent with its next step."},
	{"team", "Team", "The organization's people. Somebody without an account gets an invitation, which works once and for seven days."},
	{"keys", "API keys", "Credentials for programs. A key acts in one organization with the role of who made it, or less."},
	{"settings", "Settings", "The organization itself."},
	{"webhooks", "Webhooks", "Servers of yours that are called, signed by the scheme of Standard Webhooks, when something happens."},
	{"deliveries", "Deliveries", "What was sent and what could not be: letters, calls of webhooks, messages of channels. Dead ones wait for somebody."},
	{"notifications", "Notifications", "What the caller was told, the newest first."},
	{"billing", "Billing", "Plans are bought and changed at Stripe. Where no Stripe is configured, everything is unlimited and these calls answer 503."},
	{"audit", "Audit log", "Every privileged act, chained by hashes: an entry that is changed or taken out breaks the chain."},
	{"usage", "Usage", "What programs asked of models through the gateway, and what it cost."},
	{"document", "This document", "What this page is made of."},
}

// which chooses the instance that a call of the agent API means.
var which = []Param{
	{Name: "instance", In: "query", Say: "Which instance, when not the default one", Example: exampleID},
	{Name: "X-Instance-Id", In: "header", Say: "The same, as a header", Example: exampleID},
}

var (
	view    = May(models.CanView)
	use     = May(models.CanUseInstances)
	create  = May(models.CanCreateInstances)
	destroy = May(models.CanDeleteInstances)

	manageTeam, manageKeys, edit = May(models.CanManageTeam), May(models.CanManageKeys), May(models.CanEditSettings)
	hook                         = May(models.CanManageWebhooks)
	readAudit, end, pay          = May(models.CanViewAudit), May(models.CanDeleteOrg), May(models.CanManageBilling)
)

// Operations is the one table of them. A JSON route that is not here fails a test of the app, and so does an
// operation that has no route.
var Operations = []Operation{
	{Method: "GET", Path: "/api/instances", ID: "instances.list", Noun: "instances", Caller: view, Summary: "List instances",
		Note: "Newest first; to a browser those of all its person's organizations, to a key those of its own. The gateway's token is part of the answer: treat it as a secret.", Status: 200, Answer: []cloud.InstanceListItem{}},
	{Method: "POST", Path: "/api/instances", ID: "instances.create", Noun: "instances", Caller: create, Summary: "Deploy an instance",
		Note: "The answer comes at once; read the instance until its status is RUNNING.", Request: InstanceCreate{}, Status: 201, Answer: cloud.InstanceCreated{},
		Limit: "Creations per organization and hour are limited"},
	{Method: "GET", Path: "/api/instances/:id", ID: "instances.read", Noun: "instances", Caller: view, Summary: "Read an instance",
		Note: "With the last lines of its log and its last readings.", Status: 200, Answer: cloud.InstanceDetail{}},
	{Method: "PATCH", Path: "/api/instances/:id", ID: "instances.update", Noun: "instances", Caller: use, Summary: "Rename an instance, or change its tier, region or model",
		Note: "At least one field.", Request: InstanceChange{}, Status: 200, Answer: cloud.InstanceListItem{}},
	{Method: "DELETE", Path: "/api/instances/:id", ID: "instances.delete", Noun: "instances", Caller: destroy, Summary: "Delete an instance",
		Note: "Its processes stop at once; its files, conversations and log are gone for good.", Status: 200, Answer: cloud.Deleted{}},
	{Method: "POST", Path: "/api/instances/:id/actions", ID: "instances.act", Noun: "instances", Caller: use, Summary: "Start, stop or restart an instance",
		Note:    "Waits a few seconds for it to get there; the answer says how far it is. 400 when its state does not allow the action.",
		Request: InstanceAction{}, Status: 200, Answer: cloud.InstanceActed{}},

	{Method: "POST", Path: "/api/agent/chat", ID: "chat.send", Noun: "chat", Caller: use, Summary: "Send a message and wait for the answer",
		Note:   "The call stays open until the turn has ended, at most ten minutes. 402 when a budget is used up, 409 when the instance cannot run, 502 when the model failed.",
		Params: which, Request: ChatMessage{}, Status: 200, Answer: agent.Chat{}, Errors: []int{402, 404, 409, 502, 503, 504}},

	{Method: "POST", Path: "/api/agent/update", ID: "agent.update", Noun: "instances", Caller: use, Summary: "Rebuild an agent with other settings",
		Note:   "At least one field. Its files, conversations and memories stay; a stopped one takes the settings when it starts. 409 while it is being built.",
		Params: which, Request: AgentUpdate{}, Status: 200, Answer: agent.UpdateAnswer{}, Errors: []int{404, 409}},

	{Method: "POST", Path: "/api/agent/chat-automate", ID: "automations.create", Noun: "automations", Caller: use, Summary: "Make a workflow of words, or list them",
		Note:   "The answer shows the time as it was understood, its zone and the next five runs. 422 when it could mean two things: nothing is guessed. status lists what there is instead, as workflows.",
		Params: which, Request: AutomateCommand{}, Status: 200, Answer: agent.Automated{}, Errors: []int{404, 409, 422}},

	{Method: "GET", Path: "/api/agent/skills", ID: "skills.list", Noun: "skills", Caller: use, Summary: "List an agent's skills",
		Note: "skills are those that are on, available are all. What is configured is told by its keys, never by its values.", Params: which, Status: 200, Answer: agent.SkillList{}, Errors: []int{404}},
	{Method: "POST", Path: "/api/agent/skills", ID: "skills.switch", Noun: "skills", Caller: use, Summary: "Switch a skill on or off",
		Note: "A running turn obeys with its next step.", Params: which, Request: SkillSwitch{}, Status: 200, Answer: agent.SkillAnswer{}, Errors: []int{404}},
	{Method: "PUT", Path: "/api/agent/skills", ID: "skills.configure", Noun: "skills", Caller: use, Summary: "Configure a skill",
		Note: "Kept sealed. Holds while the skill is off, too.", Params: which, Request: SkillConfig{}, Status: 200, Answer: agent.SkillAnswer{}, Errors: []int{404}},

	{Method: "GET", Path: "/api/agent/cache", ID: "cache.show", Noun: "cache", Caller: use, Summary: "Show what an agent answers again",
		Note: "Off until somebody switches it on.", Params: which, Status: 200, Answer: agent.CacheSettings{}, Errors: []int{404}},
	{Method: "POST", Path: "/api/agent/cache", ID: "cache.update", Noun: "cache", Caller: use, Summary: "Decide what an agent answers again",
		Note: "Holds from the next call on.", Params: which, Request: CacheChange{}, Status: 200, Answer: agent.CacheSettings{}, Errors: []int{404}},
	{Method: "DELETE", Path: "/api/agent/cache", ID: "cache.empty", Noun: "cache", Caller: use, Summary: "Forget the answers of an agent's cache",
		Params: which, Status: 200, Answer: agent.CacheSettings{}, Errors: []int{404}},

	{Method: "GET", Path: "/api/agent/sessions", ID: "sessions.list", Noun: "sessions", Caller: use, Summary: "List an instance's conversations",
		Note: "Pinned first, then the newest. Archived ones are left out.", Params: which, Status: 200, Answer: agent.SessionList{}, Errors: []int{404}},
	{Method: "POST", Path: "/api/agent/sessions", ID: "sessions.create", Noun: "sessions", Caller: use, Summary: "Open a conversation",
		Params: which, Request: SessionCreate{}, BodyOptional: true, Status: 200, Answer: agent.SessionAnswer{}, Errors: []int{404}},
	{Method: "PATCH", Path: "/api/agent/sessions", ID: "sessions.update", Noun: "sessions", Caller: use, Summary: "Rename, file, pin or archive a conversation",
		Note: "At least one field besides the name.", Request: SessionChange{}, Status: 200, Answer: agent.SessionAnswer{}, Errors: []int{404}},
	{Method: "DELETE", Path: "/api/agent/sessions", ID: "sessions.delete", Noun: "sessions", Caller: use, Summary: "Delete a conversation",
		Note:   "Proxies drop the body of a DELETE, so the query may name it too. 409 while it is answering.",
		Params: []Param{{Name: "sessionId", In: "query", Say: "Instead of the body", Example: exampleID}}, Request: SessionRef{}, BodyOptional: true,
		Status: 200, Answer: agent.Deleted{}, Errors: []int{404, 409}},

	{Method: "GET", Path: "/api/agent/token-budget", ID: "budget.read", Noun: "budget", Caller: use, Summary: "Read what may still be used",
		Note:   "The tightest budgets that the caller and the instance fall under; null where nothing is limited.",
		Params: which, Status: 200, Answer: agent.TokenBudgetAnswer{}, Errors: []int{404}},
	{Method: "POST", Path: "/api/agent/token-budget", ID: "budget.recommend", Noun: "budget", Caller: use, Summary: "Ask which model a message would get",
		Note: "Calls no model and uses nothing up.", Params: which, Request: BudgetMessage{}, Status: 200, Answer: agent.RecommendationAnswer{}, Errors: []int{404}},
	{Method: "GET", Path: "/api/v1/usage", ID: "usage.read", Noun: "usage", Caller: May(models.CanReadUsage), Summary: "Read what was called through the gateway",
		Note: "At most 50,000 calls, the newest; truncated says whether there were more.", Params: []Param{
			{Name: "range", In: "query", Say: "7d, 14d, 30d or 90d; anything else is 7d", Example: "30d"},
			{Name: "group_by", In: "query", Say: "day, model, key or agent; anything else is day", Example: "model"},
			{Name: "agent_id", In: "query", Say: "Calls of one instance's token or agent only", Example: exampleID},
			{Name: "key_id", In: "query", Say: "Calls of one key only", Example: exampleID},
		}, Status: 200, Answer: agent.Usage{}},
	{Method: "GET", Path: "/api/agent/memory", ID: "memory.list", Noun: "memory", Caller: use, Summary: "List what an instance remembers",
		Note: "Newest first. What waits for review is not in it.", Params: append([]Param{{Name: "category", In: "query", Say: "Only this category", Example: "fact"}}, which...),
		Status: 200, Answer: agent.MemoryList{}, Errors: []int{404}},
	{Method: "POST", Path: "/api/agent/memory", ID: "memory.write", Noun: "memory", Caller: use, Summary: "Write a memory",
		Note: "The same key overwrites; the earlier value stays in the history.", Params: which, Request: MemoryWrite{}, Status: 200, Answer: agent.MemoryAnswer{}, Errors: []int{404}},
	{Method: "PATCH", Path: "/api/agent/memory", ID: "memory.update", Noun: "memory", Caller: use, Summary: "Change a memory",
		Note: "Named by id or by key; at least one field besides.", Params: which, Request: MemoryChange{}, Status: 200, Answer: agent.MemoryAnswer{}, Errors: []int{404}},
	{Method: "DELETE", Path: "/api/agent/memory", ID: "memory.delete", Noun: "memory", Caller: use, Summary: "Delete a memory",
		Note:    "Named by id or by key, in the body or in the query. A person can restore it from the history.",
		Params:  append([]Param{{Name: "id", In: "query", Say: "Instead of the body", Example: exampleID}, {Name: "key", In: "query", Say: "Instead of the id", Example: "timezone"}}, which...),
		Request: MemoryRef{}, BodyOptional: true, Status: 200, Answer: agent.Deleted{}, Errors: []int{404}},

	{Method: "GET", Path: "/api/team", ID: "team.list", Noun: "team", Caller: view, Summary: "List members", Note: "The owner first.", Status: 200, Answer: []cloud.Member{}},
	{Method: "POST", Path: "/api/team", ID: "team.invite", Noun: "team", Caller: manageTeam, Summary: "Invite somebody",
		Note:    "An address with an account joins at once; any other gets an invitation, whose link is in this answer only, and only when no mail was sent. 409 when the person is a member already.",
		Request: MemberInvite{}, Status: 201, Answer: cloud.Member{}, Errors: []int{409}, Limit: "Invitations per organization and hour are limited"},
	{Method: "PATCH", Path: "/api/team/:id", ID: "team.update", Noun: "team", Caller: manageTeam, Summary: "Change a member's role",
		Note: "The id of the membership or of the person. The owner's role goes by a transfer on the team page only.", Request: MemberChange{}, Status: 200, Answer: cloud.Member{}},
	{Method: "DELETE", Path: "/api/team/:id", ID: "team.remove", Noun: "team", Caller: manageTeam, Summary: "Remove a member",
		Note: "Their keys in this organization end, and what they have open closes at once. Not the owner, and not yourself.", Status: 200, Answer: cloud.Deleted{}, Errors: []int{400}},

	{Method: "GET", Path: "/api/api-keys", ID: "keys.list", Noun: "keys", Caller: view, Summary: "List keys",
		Note: "Newest first, without the keys themselves: only a hash of each is kept.", Status: 200, Answer: []cloud.APIKey{}},
	{Method: "POST", Path: "/api/api-keys", ID: "keys.create", Noun: "keys", Caller: manageKeys, Summary: "Make a key",
		Note: "This answer is the only one that holds it. A key cannot be given more than its maker may.", Request: KeyCreate{}, Status: 201, Answer: cloud.APIKeyCreated{}},
	{Method: "DELETE", Path: "/api/api-keys/:id", ID: "keys.revoke", Noun: "keys", Caller: manageKeys, Summary: "Revoke a key",
		Note: "It answers 401 from then on.", Status: 200, Answer: cloud.Deleted{}},

	{Method: "GET", Path: "/api/settings", ID: "settings.read", Noun: "settings", Caller: view, Summary: "Read the organization", Status: 200, Answer: cloud.Settings{}},
	{Method: "PATCH", Path: "/api/settings", ID: "settings.update", Noun: "settings", Caller: edit, Summary: "Rename the organization",
		Note: "The slug stays, since clients may have kept it.", Request: SettingsChange{}, Status: 200, Answer: cloud.Settings{}},
	{Method: "DELETE", Path: "/api/settings", ID: "settings.delete", Noun: "settings", Caller: end, Summary: "Delete the organization",
		Note: "Everything in it: instances with their files, conversations, members, keys. There is no way back.", Status: 200, Answer: cloud.Deleted{}},

	{Method: "GET", Path: "/api/webhook-endpoints", ID: "webhooks.list", Noun: "webhooks", Caller: hook, Summary: "List webhooks", Status: 200, Answer: []cloud.WebhookEndpoint{}},
	{Method: "POST", Path: "/api/webhook-endpoints", ID: "webhooks.create", Noun: "webhooks", Caller: hook, Summary: "Add a webhook",
		Note: "This answer and that of a rotation are the only ones that hold a secret.", Request: WebhookCreate{}, Status: 201, Answer: cloud.WebhookEndpointCreated{}, Errors: []int{404, 409}},
	{Method: "GET", Path: "/api/webhook-endpoints/:id", ID: "webhooks.read", Noun: "webhooks", Caller: hook, Summary: "Read a webhook", Status: 200, Answer: cloud.WebhookEndpoint{}},
	{Method: "PATCH", Path: "/api/webhook-endpoints/:id", ID: "webhooks.update", Noun: "webhooks", Caller: hook, Summary: "Change a webhook",
		Note: "What is left out stays. What waits for it goes where it is then; what waits for one that is switched off is dead, and can be replayed.", Request: WebhookChange{}, Status: 200, Answer: cloud.WebhookEndpoint{}},
	{Method: "DELETE", Path: "/api/webhook-endpoints/:id", ID: "webhooks.delete", Noun: "webhooks", Caller: hook, Summary: "Remove a webhook",
		Note: "What waits for it is dropped.", Status: 200, Answer: cloud.Deleted{}},
	{Method: "POST", Path: "/api/webhook-endpoints/:id/rotate", ID: "webhooks.rotate", Noun: "webhooks", Caller: hook, Summary: "Make a new secret",
		Note: "For a day both sign: each call has two signatures until then.", Status: 200, Answer: cloud.WebhookEndpointCreated{}},
	{Method: "POST", Path: "/api/webhook-endpoints/:id/test", ID: "webhooks.test", Noun: "webhooks", Caller: hook, Summary: "Send a test event",
		Note: "Once, past what waits. Read the delivery for the answer of your server.", Status: 201, Answer: cloud.Delivery{}},

	{Method: "GET", Path: "/api/deliveries", ID: "deliveries.list", Noun: "deliveries", Caller: hook, Summary: "List deliveries",
		Note: "Newest first, fifty at a time.", Params: []Param{
			{Name: "state", In: "query", Say: "pending, sent, dead or dropped", Example: "dead"}, {Name: "kind", In: "query", Say: "mail, webhook or channel", Example: "webhook"},
			{Name: "webhook", In: "query", Say: "Those to one endpoint, by id", Example: exampleID}, {Name: "q", In: "query", Say: "Words in the destination, the event or the id"},
			{Name: "before", In: "query", Say: "The next page: what next said", Example: exampleID},
		}, Status: 200, Answer: cloud.Deliveries{}},
	{Method: "GET", Path: "/api/deliveries/:id", ID: "deliveries.read", Noun: "deliveries", Caller: hook, Summary: "Read a delivery with its attempts", Status: 200, Answer: cloud.DeliveryDetail{}},
	{Method: "POST", Path: "/api/deliveries/:id/replay", ID: "deliveries.replay", Noun: "deliveries", Caller: hook, Summary: "Send a delivery again",
		Note: "A dead one, or a webhook's that arrived; under the same idempotency key. 409 in another state, or when what it told of is gone.", Status: 200, Answer: cloud.Delivery{}, Errors: []int{409}},
	{Method: "POST", Path: "/api/deliveries/:id/drop", ID: "deliveries.drop", Noun: "deliveries", Caller: hook, Summary: "Drop a delivery",
		Note: "One that waits or is dead; 409 when it has ended otherwise.", Status: 200, Answer: cloud.Delivery{}, Errors: []int{409}},

	{Method: "GET", Path: "/api/automations", ID: "automations.list", Noun: "automations", Caller: use, Summary: "List what happens by itself",
		Note: "Schedules, reminders, triggers and channels of all instances, fifty a page: with the last outcome, the next run, the cost of this month and the owner. What is due first comes first.", Params: []Param{
			{Name: "q", In: "query", Say: "Words in the name, what the agent is told, the instance's name or the owner's"}, {Name: "kind", In: "query", Say: "One of schedule, reminder, trigger, channel", Example: "schedule"},
			{Name: "state", In: "query", Say: "One of active, paused, done, failed", Example: "active"}, {Name: "outcome", In: "query", Say: "Of the last run: produced, quiet, failed, skipped, running, none", Example: "failed"},
			{Name: "instance", In: "query", Say: "Of one instance, by id", Example: exampleID}, {Name: "owner", In: "query", Say: "Made by one user, by id", Example: exampleID},
			{Name: "page", In: "query", Say: "From 1", Example: "1"},
		}, Status: 200, Answer: cloud.Automations{}},

	{Method: "GET", Path: "/api/notifications", ID: "notifications.list", Noun: "notifications", Caller: view, Summary: "List what you were told",
		Note: "Fifty at a time. What happened again to the same thing before it was read is counted, not repeated.", Params: []Param{
			{Name: "unread", In: "query", Say: "true: unread ones only", Example: "true"}, {Name: "before", In: "query", Say: "The next page: what next said", Example: exampleID},
		}, Status: 200, Answer: cloud.Notifications{}, Errors: []int{404}},
	{Method: "POST", Path: "/api/notifications/read", ID: "notifications.read.all", Noun: "notifications", Caller: view, Summary: "Mark all as read", Status: 200, Answer: cloud.Deleted{}},
	{Method: "POST", Path: "/api/notifications/:id/read", ID: "notifications.read", Noun: "notifications", Caller: view, Summary: "Mark one as read, or as unread",
		Request: NotificationRead{}, BodyOptional: true, Status: 200, Answer: cloud.Deleted{}},

	{Method: "POST", Path: "/api/stripe/checkout", ID: "billing.checkout", Noun: "billing", Caller: pay, Summary: "Buy a plan",
		Note:    "Answers the address at Stripe where it is paid. 502 when Stripe fails, 503 when none is configured.",
		Request: CheckoutStart{}, Status: 200, Answer: cloud.Checkout{}, Errors: []int{409, 502, 503, 504}},
	{Method: "POST", Path: "/api/stripe/webhook", ID: "billing.webhook", Noun: "billing", Caller: Anybody, Summary: "Take an event of Stripe",
		Note:    "For Stripe, not for you: the signature over the body is the credential, and a body without a right one is refused. Repeated and late events change nothing.",
		Params:  []Param{{Name: "Stripe-Signature", In: "header", Say: "By the endpoint's secret", Required: true, Example: "t=1763800000,v1=5257a869e7ec"}},
		Request: map[string]any{}, Status: 200, Answer: cloud.Received{}, Errors: []int{409, 502, 503, 504}},

	{Method: "GET", Path: "/api/audit", ID: "audit.list", Noun: "audit", Caller: readAudit, Summary: "Read the audit log",
		Note: "Newest first, a hundred at a time.", Params: []Param{
			{Name: "q", In: "query", Say: "Words in the actor, the act or the target"}, {Name: "act", In: "query", Say: "One kind of act", Example: "key.created"},
			{Name: "actor", In: "query", Say: "One actor, by id"}, {Name: "since", In: "query", Say: "A date or a moment", Example: "2026-11-01"},
			{Name: "until", In: "query", Say: "A date, which counts, or a moment", Example: "2026-11-30"},
			{Name: "before", In: "query", Say: "The next page: the seq of the last entry that you have", Example: "412"},
		}, Status: 200, Answer: []cloud.AuditEntry{}, Errors: []int{400}},

	{Method: "GET", Path: "/api/openapi.json", ID: "document.read", Noun: "document", Caller: Anybody, Summary: "This description as OpenAPI 3.1",
		Note: "For generators of clients and for tools.", Status: 200, Answer: map[string]any{}},
}
