package openapi

import (
	"strings"

	"lobstead/api/agent"
	"lobstead/models"
)

// Rule is what a field promises beyond its Go type.
type Rule struct {
	Say             string   // one sentence, without a full stop
	Enum            []string // the words that it may be
	Pattern, Format string
	Min, Max        int // characters of a text, value of a number; 0 = no bound
	Types           Types
	Example         any
}

var (
	states = []string{string(models.Provisioning), string(models.Running), string(models.Stopped), string(models.Errored), string(models.Suspended)}
	levels = []string{string(models.LogInfo), string(models.LogWarn), string(models.LogError)}
)

const (
	instancePattern = `^[a-z0-9-]+$`
	momentPattern   = `^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$`
	exampleID       = "c0m8vd2qk4h7x1y9zr3t6w5naj"
	exampleMoment   = "2026-11-22T09:30:00.000Z"
	opaque          = "Opaque; keep it as it is"
)

// moment is how every time is written: UTC with milliseconds.
func moment(say string) Rule {
	return Rule{Say: say, Format: "date-time", Pattern: momentPattern, Example: exampleMoment}
}

// rules are keyed by component and field, or by the field alone ("*.createdAt") where every type means the same.
// A rule that describes no field fails a test.
var rules = map[string]Rule{
	"*.id":                 {Say: opaque, Example: exampleID},
	"*.instanceId":         {Say: opaque, Example: exampleID},
	"*.createdAt":          moment(""),
	"*.updatedAt":          moment(""),
	"*.timestamp":          moment("The same moment as createdAt"),
	"*.created_at":         moment(""),
	"*.updated_at":         moment(""),
	"*.success":            {Say: "Always true: a failure has a status of its own"},
	"*.organizationId":     {Say: opaque, Example: exampleID},
	"*.tier":               {Say: "Size of the sandbox", Enum: models.TierNames, Example: string(models.Starter)},
	"*.role":               {Enum: roleWords(), Example: string(models.Member)},
	"*.expiresAt":          moment("When it ends; null is never"),
	"*.email":              {Example: "maren@example.org"},
	"*.userId":             {Say: opaque, Example: exampleID},
	"Error.error":          {Say: "The sentence of its status", Example: "Invalid request"},
	"Error.details":        {Say: "Of a 400: every field that is wrong"},
	"Error.code":           {Say: "Stable, for programs", Example: "invalid"},
	"Error.hint":           {Say: "What to do now"},
	"AgentError.error":     {Say: "One sentence", Example: "message is required"},
	"AgentError.code":      {Say: "Stable, for programs", Example: "instance.stopped"},
	"Issue.code":           {Enum: []string{"too_small", "too_big", "invalid_type", "invalid_string", "invalid_enum_value", "custom"}, Example: "too_small"},
	"Issue.message":        {Say: "For people", Example: "String must contain at least 1 character(s)"},
	"Issue.path":           {Say: "Where it is: names of fields and numbers of entries", Types: Types{"string", "integer"}, Example: "name"},
	"Issue.validation":     {Say: "Of invalid_string: the check that failed"},
	"Issue.options":        {Say: "Of invalid_enum_value: what would be right"},
	"Issue.received":       {Say: "What came: a JSON type, or the word itself"},
	"Issue.expected":       {Say: "Of invalid_type: the JSON type that is wanted"},
	"Issue.minimum":        {Say: "Of too_small"},
	"Issue.maximum":        {Say: "Of too_big"},
	"InstanceCreated.name": {Example: "support-triage"},

	"InstanceCreated.status":            {Say: "What it is doing now", Enum: states, Example: string(models.Running)},
	"InstanceCreated.region":            {Example: "local"},
	"InstanceCreated.memoryMb":          {Example: 512},
	"InstanceCreated.storageMb":         {Example: 1024},
	"InstanceCreated.gatewayUrl":        {Say: "Where it is reached; null until it runs"},
	"InstanceCreated.gatewayToken":      {Say: "A secret: what that address asks for; null until it runs"},
	"InstanceListItem.lastActiveAt":     moment("When it last answered; null until it did"),
	"InstanceListItem.organizationName": {Example: "Harbour Lab"},
	"InstanceListItem.organizationSlug": {Example: "harbour-lab"},
	"InstanceListItem.reason":           {Say: "Why it is in its state, where there is a reason"},
	"InstanceDetail.logs":               {Say: "At most 50, newest first"},
	"InstanceDetail.metrics":            {Say: "At most 100, newest first"},
	"Log.level":                         {Enum: levels, Example: string(models.LogInfo)},
	"Log.message":                       {Example: "Started"},
	"Metric.cpuUsage":                   {Say: "Percent of one core", Example: 3.5},
	"Metric.memoryUsage":                {Say: "MB", Example: 112.5},
	"Metric.diskUsage":                  {Say: "MB", Example: 18.0},

	"InstanceCreate.name":   {Say: "Lower case letters, digits and hyphens", Pattern: instancePattern, Min: 1, Max: 50, Example: "support-triage"},
	"InstanceCreate.region": {Say: "Any word: a label to tell instances apart", Min: 1, Max: 64, Example: "local"},
	"InstanceChange.name":   {Say: "Lower case letters, digits and hyphens", Pattern: instancePattern, Min: 1, Max: 50, Example: "support-desk"},
	"InstanceChange.tier":   {Say: "Restarts the sandbox with other limits; the files stay", Enum: models.TierNames, Example: string(models.Pro)},
	"InstanceChange.region": {Say: "A label", Min: 1, Max: 64, Example: "local"},
	"InstanceChange.model":  {Say: "One model's name, or auto; empty: its service's default", Max: 200, Example: "auto"},

	"AgentUpdate.aiModel":              {Say: "One model's name, or auto; empty: its service's default", Max: 200, Example: "auto"},
	"AgentUpdate.messengerType":        {Say: "Only web: no channel is connected", Enum: []string{"web"}, Example: "web"},
	"AgentUpdate.serverTier":           {Say: "The largest two are the same here", Enum: []string{"starter", "standard", "performance", "enterprise"}, Example: "standard"},
	"AgentUpdate.serverRegion":         {Say: "A label", Enum: []string{"us-east", "us-west", "eu-central", "eu-north", "ap-south"}, Example: "eu-central"},
	"AgentUpdate.aiApiKey":             {Say: "A key for this agent alone: it asks that service and no other. Empty: the organization's services again. Needs the right to manage providers", Max: 1000, Example: "sk-…"},
	"AgentUpdateAnswer.message":        {Example: "Rebuild started"},
	"Agent.status":                     {Enum: []string{"running", "provisioning", "error", "stopped", "suspended"}, Example: "provisioning"},
	"Agent.server_tier":                {Enum: []string{"starter", "standard", "performance"}, Example: "standard"},
	"Agent.server_ip":                  {Say: "The host that people reach it by", Example: "agents.example.org"},
	"Agent.messages_limit":             {Say: "Null: unlimited", Example: 1000},
	"Agent.ai_model":                   {Example: "auto"},
	"Agent.messenger_type":             {Enum: []string{"web"}, Example: "web"},
	"AgentError.hint":                  {Say: "Of a 422: what was understood, and what is missing", Example: "“every day” was understood: at what time?"},
	"AutomateCommand.command":          {Say: "automate lets the server pick", Enum: agent.AutomateCommands, Example: "schedule"},
	"AutomateCommand.text":             {Say: "What to do and when; only status needs none", Max: 8000, Example: "every weekday at 9 summarise my inbox"},
	"AutomateCommand.timezone":         {Say: "IANA; without it the organization's", Example: "Europe/Berlin"},
	"AgentAutomated.message":           {Say: "One line for the chat", Example: "“Summarise my inbox” is set: every weekday at 09:00 (Europe/Berlin). Next: Mon 23 Nov 2026 09:00"},
	"AgentAutomated.next_runs":         {Say: "At most five", Example: exampleMoment},
	"AgentAutomated.workflow":          {Say: "What was made; absent for status"},
	"AgentAutomated.workflows":         {Say: "Of status: what there is"},
	"AgentAutomated.webhook_secret":    {Say: "Of a webhook, and only in this answer"},
	"AgentWorkflow.name":               {Example: "Summarise my inbox"},
	"AgentWorkflow.description":        {Say: "When it runs, in words", Example: "every weekday at 09:00 (Europe/Berlin)"},
	"AgentWorkflow.status":             {Enum: []string{"active", "paused", "completed"}, Example: "active"},
	"AgentWorkflow.instance_id":        {Say: opaque, Example: exampleID},
	"AgentWorkflowTrigger.type":        {Enum: []string{"cron", "once", "webhook"}, Example: "cron"},
	"AgentWorkflowTrigger.cron":        {Say: "Five fields, or a span: @every 45 minutes", Example: "0 9 * * 1-5"},
	"AgentWorkflowTrigger.timezone":    {Example: "Europe/Berlin"},
	"AgentWorkflowTrigger.run_at":      moment("Of once"),
	"AgentWorkflowTrigger.next_run_at": moment("Null while it is paused, and for a webhook"),
	"AgentWorkflowStep.type":           {Enum: []string{"llm"}, Example: "llm"},
	"AgentWorkflowStep.prompt":         {Say: "What the agent is told at each run"},
	"SkillSwitch.skill":                {Example: "web"},
	"SkillSwitch.enabled":              {Example: true},
	"SkillConfig.skill":                {Example: "web"},
	"SkillConfig.config":               {Say: "Values by key; an empty one takes it away", Example: map[string]string{"allowed_hosts": "example.com"}},
	"AgentSkill.skill":                 {Say: "The same as id", Example: "web"},
	"AgentSkill.config_keys":           {Say: "What is configured: the keys alone", Example: "allowed_hosts"},

	"InstanceAction.action": {Enum: []string{string(models.Start), string(models.Stop), string(models.Restart)}, Example: string(models.Restart)},

	"MemberInvite.email":       {Say: "Of the person to invite", Format: "email", Example: "alice@example.com"},
	"MemberInvite.role":        {Enum: []string{string(models.Admin), string(models.Member)}, Example: string(models.Member)},
	"MemberChange.role":        {Enum: []string{string(models.Admin), string(models.Member)}, Example: string(models.Admin)},
	"Member.id":                {Say: "Of the membership, or of the invitation", Example: exampleID},
	"Member.name":              {Example: "Maren Olsen"},
	"Member.image":             {Say: "Always null: no pictures are kept"},
	"Member.user":              {Say: "Null while somebody is only invited"},
	"Member.status":            {Enum: []string{"active", "invited", "blocked"}, Example: "active"},
	"Member.expiresAt":         moment("Of an invitation: when its link ends"),
	"Member.inviteUrl":         {Say: "A secret: the link that lets them in", Example: "https://agents.example.org/join?token=…"},
	"Person.name":              {Example: "Maren Olsen"},
	"Person.image":             {Say: "Always null"},
	"KeyCreate.name":           {Say: "What it is for", Min: 1, Max: 100, Example: "ci"},
	"KeyCreate.expiresInDays":  {Say: "Without it, the key does not end", Min: 1, Max: 365, Example: 90},
	"KeyCreate.scopes":         {Say: "What it may do; without them, all that you may", Enum: models.Capabilities.Words(), Example: string(models.CanView)},
	"APIKey.name":              {Example: "ci"},
	"APIKey.prefix":            {Say: "How the key begins, to recognise it", Example: "lob_7f3a"},
	"APIKey.scopes":            {Say: "Empty: all that its maker may", Enum: models.Capabilities.Words(), Example: string(models.CanView)},
	"APIKey.lastUsedAt":        moment("Null until it is used"),
	"APIKey.lastUsedAddress":   {Example: "192.0.2.7"},
	"APIKeyCreated.key":        {Say: "The key, this once", Pattern: "^lob_", Example: "lob_…"},
	"SettingsChange.name":      {Min: 1, Max: 100, Example: "Harbour Lab"},
	"Settings.name":            {Example: "Harbour Lab"},
	"Settings.slug":            {Example: "harbour-lab"},
	"Settings.plan":            {Enum: models.TierNames, Example: string(models.Starter)},
	"Settings.role":            {Say: "Yours", Enum: roleWords(), Example: string(models.Owner)},
	"Settings.suspendedAt":     {Say: "Since when nothing of it runs; null in normal life", Format: "date-time"},
	"Settings.suspendedReason": {Say: "Why"},
	"CheckoutStart.plan":       {Enum: models.TierNames, Example: string(models.Pro)},
	"CheckoutStart.annual":     {Say: "Without it, by the month", Example: true},
	"Checkout.url":             {Say: "Where to pay", Example: "https://checkout.stripe.com/c/pay/cs_…"},
	"Received.received":        {Say: "Always true"},
	"AuditEntry.seq":           {Say: "Counts up without gaps", Example: 412},
	"AuditEntry.act":           {Example: "key.created"},
	"AuditEntry.before":        {Say: "What changed of the target: as it was"},
	"AuditEntry.after":         {Say: "… and as it became"},
	"AuditEntry.reason":        {Say: "Why staff acted"},
	"AuditEntry.hash":          {Say: "Over this entry and previousHash"},
	"AuditActor.kind":          {Enum: []string{string(models.ActorPerson), string(models.ActorKey), string(models.ActorStaff), string(models.ActorSystem)}, Example: string(models.ActorPerson)},
	"AuditActor.name":          {Example: "Maren Olsen"},
	"AuditActor.address":       {Example: "192.0.2.7"},
	"AuditTarget.kind":         {Example: "key"},
	"AuditTarget.name":         {Example: "ci"},

	"ChatMessage.message":           {Say: "What to do or answer", Min: 1, Example: "List the files"},
	"ChatMessage.session_id":        {Say: "An id, or any word of yours: the conversation of that name, made when it is new. Without it, the newest one", Example: "weekly-report"},
	"ChatMessage.images":            {Say: "Base64, or data URLs: PNG, JPEG, GIF or WebP", Example: "data:image/png;base64,iVBORw0KGgo="},
	"BudgetMessage.message":         {Say: "What would be asked", Min: 1, Example: "List the files"},
	"AgentChat.response":            {Say: "The answer", Example: "There are three files."},
	"AgentChat.reply":               {Say: "The same text", Example: "There are three files."},
	"AgentChat.content":             {Say: "The same text", Example: "There are three files."},
	"AgentChat.model":               {Example: "offline-1"},
	"AgentChat.messages_limit":      {Say: "Per month; null is no limit"},
	"AgentMessage.role":             {Enum: []string{"assistant"}, Example: "assistant"},
	"AgentMessage.content":          {Example: "There are three files."},
	"*.session_id":                  {Say: "How you named the conversation, else its id", Example: exampleID},
	"*.turn_id":                     {Example: exampleID},
	"AgentToolUse.name":             {Example: "list_files"},
	"AgentToolUse.status":           {Enum: []string{"success", "error", "interrupted"}, Example: "success"},
	"AgentToolUse.duration_ms":      {Example: 12},
	"AgentSession.title":            {Example: "Weekly report"},
	"AgentSession.category":         {Enum: models.SessionCategories, Example: "general"},
	"AgentSession.status":           {Enum: models.SessionStatuses, Example: "active"},
	"AgentSession.last_message_at":  moment("null until there is one"),
	"AgentMemory.key":               {Example: "timezone"},
	"AgentMemory.value":             {Example: "Europe/Lisbon"},
	"AgentMemory.category":          {Enum: models.MemoryCategories, Example: "user_pref"},
	"AgentMemory.source":            {Say: "manual: a person or a program wrote it; auto: the agent did", Enum: []string{"manual", "auto"}, Example: "manual"},
	"MemoryWrite.key":               {Min: 1, Max: 200, Example: "timezone"},
	"MemoryWrite.value":             {Min: 1, Max: 8000, Example: "Europe/Lisbon"},
	"MemoryWrite.category":          {Enum: models.MemoryCategories, Example: "user_pref"},
	"MemoryChange.key":              {Say: "Instead of the id", Example: "timezone"},
	"MemoryChange.value":            {Min: 1, Max: 8000, Example: "Europe/Berlin"},
	"MemoryChange.category":         {Enum: models.MemoryCategories, Example: "user_pref"},
	"MemoryRef.key":                 {Say: "Instead of the id", Example: "timezone"},
	"SessionCreate.title":           {Max: 100, Example: "Weekly report"},
	"SessionCreate.category":        {Enum: models.SessionCategories, Example: "research"},
	"SessionChange.sessionId":       {Say: "An id, or the word by which you named the conversation", Example: exampleID},
	"SessionChange.title":           {Min: 1, Max: 100, Example: "Weekly report"},
	"SessionChange.category":        {Enum: models.SessionCategories, Example: "research"},
	"SessionChange.status":          {Enum: models.SessionStatuses, Example: "completed"},
	"SessionChange.icon":            {Max: 32, Example: "📈"},
	"SessionChange.pinned":          {Example: true},
	"*.events":                      {Say: "What it is told of", Enum: models.WebhookEventNames(), Example: string(models.MessageCompleted)},
	"*.active":                      {Say: "While it is off, nothing is written for it", Example: true},
	"*.url":                         {Say: "http or https; what its name resolves to is judged at each call", Example: "https://example.com/hook"},
	"WebhookCreate.name":            {Min: 1, Max: 100, Example: "production"},
	"WebhookCreate.description":     {Max: 500, Example: "Opens tickets"},
	"WebhookCreate.instanceId":      {Say: "Only what happens to this instance; without it, to all", Example: exampleID},
	"WebhookChange.name":            {Min: 1, Max: 100, Example: "production"},
	"WebhookChange.description":     {Max: 500, Example: "Opens tickets"},
	"WebhookChange.instanceId":      {Say: "Only what happens to this instance; empty: to all", Example: exampleID},
	"WebhookEndpoint.name":          {Example: "production"},
	"WebhookEndpoint.instanceId":    {Say: "Null: of all instances", Example: exampleID},
	"WebhookEndpoint.offReason":     {Say: "Why it was switched off by itself"},
	"WebhookEndpoint.managed":       {Say: "Made by its instance's configuration"},
	"WebhookEndpoint.failingSince":  {Say: "Since when nothing arrived; null: the last attempt went", Format: "date-time"},
	"WebhookEndpoint.rotatingUntil": {Say: "Until when the secret before signs too", Format: "date-time"},
	"WebhookEndpointCreated.secret": {Say: "What calls are signed with, this once", Pattern: "^whsec_", Example: "whsec_…"},
	"Delivery.kind":                 {Enum: []string{"mail", "webhook", "channel"}, Example: "webhook"},
	"Delivery.destination":          {Say: "An address, of mail or of a server", Example: "https://example.com/hook"},
	"Delivery.webhookId":            {Say: "The endpoint, of a webhook", Example: exampleID},
	"Delivery.event":                {Say: "Of a webhook", Example: string(models.MessageCompleted)},
	"Delivery.idempotencyKey":       {Say: "The same at every attempt; the header webhook-id", Example: exampleID},
	"Delivery.state":                {Enum: []string{"pending", "sent", "dead", "dropped"}, Example: "sent"},
	"Delivery.reason":               {Say: "Why it is dead or dropped"},
	"Delivery.response":             {Say: "How the other side's last answer began"},
	"Delivery.nextAt":               moment("Of the next attempt, while it is pending"),
	"Delivery.endedAt":              {Say: "When it was sent, died or was dropped", Format: "date-time"},
	"DeliveryDetail.payload":        {Say: "What is sent, as text"},
	"DeliveryTry.status":            {Say: "Of HTTP", Example: 200},
	"Deliveries.counts":             {Say: "By state, of all"},
	"*.next":                        {Say: "What to ask for as before; null: there is no more", Example: exampleID},
	"Notification.kind":             {Enum: notificationKinds(), Example: string(models.NoteRunFailed)},
	"Notification.title":            {Example: "A run of “Nightly report” failed"},
	"Notification.link":             {Say: "A path of this server", Example: "/automations/" + exampleID},
	"Notification.count":            {Say: "How often since it was read", Example: 3},
	"Notification.readAt":           {Say: "Null: unread", Format: "date-time"},
	"NotificationRead.read":         {Say: "false makes it unread again", Example: true},
	"SessionRef.sessionId":          {Say: "An id, or the word by which you named the conversation", Example: exampleID},
}

func roleWords() []string {
	out := []string{}
	for _, r := range models.Roles {
		out = append(out, string(r))
	}
	return out
}

// sentence makes the words of a rule stand alone.
func sentence(s string) string {
	if s == "" || strings.HasSuffix(s, ".") {
		return s
	}
	return s + "."
}

func notificationKinds() []string {
	out := []string{}
	for _, k := range models.NotificationKinds {
		out = append(out, string(k.Kind))
	}
	return out
}
