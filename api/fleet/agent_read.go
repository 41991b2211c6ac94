package fleet

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
)

// AgentInput is what is said of an agent, new or to be changed; nil leaves a thing as it is, or to its default.
type AgentInput struct {
	models.Equipment
	Model    *string
	SizeMB   int // of the workspace; 0 = not said
	Key      *secret.String
	Delete   []string                            // paths of the workspace
	Accounts map[string]map[string]secret.String // of services, by kind; nil values clear one
	Settings map[string]any                      // what the configuration says, to be merged
}

const (
	ephemeral  = "ephemeral"
	persistent = "persistent"

	defaultBalance = 1_000_000
	maxBotToken    = 200
	minWarmth      = 300_000
)

// defaults are what a new agent's configuration begins with (fleet-api.md, 2.1).
func defaults() map[string]any {
	return map[string]any{"timeout_seconds": 3600, "mcp_servers": map[string]any{}, "memory_config": map[string]any{"type": "hierarchical", "max_size_mb": 1024, "persistence": persistent},
		"compaction": map[string]any{"enabled": true}, "unread_reminder_interval_ms": 120000}
}

// ReadAgentCreate reads a new agent.
func ReadAgentCreate(f *wire.Fields) (AgentInput, error) {
	name, _ := f.String("name")
	in := readAgent(f)
	if err := f.Err(); err != nil {
		return in, err
	}
	in.Profile.Title = &name
	if in.Profile.Fresh == nil {
		fresh := true
		in.Profile.Fresh = &fresh
	}
	if in.Balance == nil {
		balance := int64(defaultBalance)
		in.Balance = &balance
	}
	in.Settings = Configure(defaults(), in.Settings)
	return in, nil
}

// ReadAgentUpdate reads a change: at least one field.
func ReadAgentUpdate(f *wire.Fields) (AgentInput, error) {
	in := readAgent(f)
	if f.Has("name") {
		name, _ := f.String("name")
		in.Profile.Title = &name
	}
	if files := f.Object("files"); files != nil {
		in.Files = append(readFiles(files, "create"), readFiles(files, "update")...)
		in.Delete = files.OptionalStrings("delete")
		f.Take("files", files)
	}
	if err := f.Err(); err != nil {
		return in, err
	}
	if len(f.Values()) == 0 {
		return in, fault.New(fault.Invalid, "agent.empty", "At least one field is required")
	}
	return in, nil
}

func readAgent(f *wire.Fields) AgentInput {
	in := AgentInput{Accounts: map[string]map[string]secret.String{}}
	in.Profile.Description = optional(f, "description")
	in.Profile.Instructions = optional(f, "system_prompt")
	if f.Has("system_prompt_type") {
		if mode, ok := f.Enum("system_prompt_type", "replace", "append"); ok {
			m := models.InstructionsMode(mode)
			in.Profile.InstructionsMode = &m
		}
	}
	if f.Has("session_mode") {
		if mode, ok := f.Enum("session_mode", ephemeral, persistent); ok {
			fresh := mode == ephemeral
			in.Profile.Fresh = &fresh
		}
	}
	if key := optional(f, "anthropic_api_key"); key != nil {
		k := secret.Of(*key)
		in.Key = &k
	}
	if n := f.OptionalInt("output_token_balance", 0, int(models.MaxBudget)); n != nil {
		balance := int64(*n)
		in.Balance = &balance
	}
	in.SizeMB = readSize(f)
	in.Files = readFiles(f, "initial_files")
	readAccounts(f, in.Accounts)
	in.readConfiguration(f)
	if f.Has("warmth_window_ms") {
		if in.Settings == nil {
			in.Settings = map[string]any{}
		}
		in.Settings["warmth_window_ms"] = nil
		if !f.Null("warmth_window_ms") {
			if n := f.OptionalInt("warmth_window_ms", minWarmth, 1<<40); n != nil {
				in.Settings["warmth_window_ms"] = *n
			}
		}
	}
	return in
}

// optional reads a text; null is the empty one.
func optional(f *wire.Fields, name string) *string {
	if f.Null(name) {
		return new(string)
	}
	s, _ := f.OptionalString(name)
	return s
}

var size = regexp.MustCompile(`^([1-9][0-9]{0,6})(Mi|Gi|Ti|M|G|T)$`)

// readSize reads "1Gi" in megabytes.
func readSize(f *wire.Fields) int {
	text := f.Text("pvc_size")
	if text == "" {
		return 0
	}
	m := size.FindStringSubmatch(text)
	if m == nil {
		f.Issues.Custom("pvc_size", "pvc_size must be a size such as 1Gi")
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n * map[byte]int{'M': 1, 'G': 1 << 10, 'T': 1 << 20}[m[2][0]]
}

func readFiles(f *wire.Fields, name string) []models.InstanceFile {
	out := []models.InstanceFile{}
	for _, one := range f.Objects(name) {
		p, _ := one.String("path")
		content, _ := one.String("content")
		encoding := "utf-8"
		if one.Has("encoding") {
			encoding, _ = one.Enum("encoding", "utf-8", "base64")
		}
		data := []byte(content)
		if encoding == "base64" {
			var err error
			if data, err = base64.StdEncoding.DecodeString(content); err != nil {
				one.Issues.Custom("content", "content is not base64")
			}
		}
		f.Take(name, one)
		out = append(out, models.InstanceFile{Path: p, Data: data})
	}
	if len(out) == 0 {
		return nil
	}
	return models.CheckInitialFiles(&f.Issues, name, out)
}

// readAccounts reads the bots that the agent is to answer by; null takes one away.
func readAccounts(f *wire.Fields, into map[string]map[string]secret.String) {
	for _, kind := range []string{"discord", "telegram"} {
		field := kind + "_bot_token"
		if f.Null(field) {
			into[kind] = nil
		} else if token := optional(f, field); token != nil {
			models.CheckText(&f.Issues, field, *token, maxBotToken)
			into[kind] = map[string]secret.String{"bot_token": secret.Of(*token)}
		}
	}
	if f.Null("slack_bot_token") {
		into["slack"] = nil
		return
	}
	slack := f.Object("slack_bot_token")
	if slack == nil {
		return
	}
	values := map[string]secret.String{}
	for _, name := range []string{"bot_token", "signing_secret", "app_token"} {
		if v := slack.Text(name); v != "" {
			models.CheckText(&slack.Issues, name, v, maxBotToken)
			values[name] = secret.Of(v)
		}
	}
	f.Take("slack_bot_token", slack)
	into["slack"] = values
}

// readConfiguration reads the object of the same name: what is known of it is checked, the rest is kept as it came.
func (in *AgentInput) readConfiguration(f *wire.Fields) {
	if f.Null("configuration") {
		return
	}
	c := f.Object("configuration")
	if c == nil {
		return
	}
	in.Settings = maps.Clone(c.Values())
	c.OptionalInt("timeout_seconds", 1, 7*24*3600)
	c.OptionalInt("unread_reminder_interval_ms", 10_000, 3_600_000)
	in.Model = optional(c, "model")
	switch {
	case c.Null("custom_env"):
		in.Env = map[string]string{}
	case c.Has("custom_env"):
		in.Env = c.StringMap("custom_env")
		models.CheckEnv(&c.Issues, "custom_env", in.Env)
	}
	in.readWebhooks(c)
	if hooks := texts(c, "hook_messages"); hooks != nil {
		in.Settings["hook_messages"] = cleared(hooks)
		for name := range hooks {
			if !slices.Contains(models.HookMessages, name) {
				c.Issues.Custom("hook_messages", "hook_messages has no hook "+name+": there are "+strings.Join(models.HookMessages, " and "))
			}
		}
	}
	for _, name := range []string{"mcp_servers", "memory_config", "compaction"} {
		if c.Has(name) && !c.Null(name) {
			if inner := c.Object(name); inner != nil {
				checkInner(name, inner)
				c.Take(name, inner)
			}
		}
	}
	if named, ok := in.Settings["mcp_servers"].(map[string]any); ok {
		in.Settings["mcp_servers"] = shownServers(named)
	}
	delete(in.Settings, "model")
	delete(in.Settings, "warmth_window_ms") // it has its place beside the configuration
	delete(in.Settings, "custom_env")
	f.Take("configuration", c)
}

// shownServers is what is kept of the servers that a configuration names: where they are. What opens them (env, headers, arguments) is not:
// nothing here calls them, and everybody who may see the agent sees its configuration.
func shownServers(named map[string]any) map[string]any {
	out := map[string]any{}
	for name, one := range named {
		server, ok := one.(map[string]any)
		if !ok {
			out[name] = one // null takes one away
			continue
		}
		kept := map[string]any{}
		for _, field := range []string{"type", "transport", "url", "command", "access_mode"} {
			if text, ok := server[field].(string); ok {
				kept[field] = text
			}
		}
		out[name] = kept
	}
	return out
}

// webhookNames are the words by which a configuration names events, besides our own.
var webhookNames = map[string]models.WebhookEvent{"message_completed": models.MessageCompleted, "completed": models.MessageCompleted, "message_failed": models.MessageFailed,
	"failed": models.MessageFailed, "agent_error": models.AgentError, "error": models.AgentError}

// readWebhooks reads who is told of what; null clears all of them. Of an event that is named in other words than before, the new ones stay.
func (in *AgentInput) readWebhooks(f *wire.Fields) {
	if f.Null("webhooks") {
		in.Webhooks = map[models.WebhookEvent]string{}
		for _, name := range models.WebhookEventNames() {
			in.Webhooks[models.WebhookEvent(name)] = ""
		}
		return
	}
	named := texts(f, "webhooks")
	if named == nil {
		return
	}
	in.Webhooks = map[models.WebhookEvent]string{}
	shown := cleared(named)
	for name, url := range named {
		event, ok := webhookNames[name]
		if !ok {
			event = models.WebhookEvent(name)
		}
		_, twice := in.Webhooks[event]
		switch {
		case !slices.Contains(models.WebhookEventNames(), string(event)):
			f.Issues.Custom("webhooks", "webhooks has no event "+name)
		case twice:
			f.Issues.Custom("webhooks", "webhooks names the event "+string(event)+" twice")
		}
		in.Webhooks[event] = url
		if _, said := named[string(event)]; !said {
			shown[string(event)] = nil
		}
		for other, same := range webhookNames {
			if _, said := named[other]; same == event && !said {
				shown[other] = nil
			}
		}
	}
	in.Settings["webhooks"] = shown
}

// texts reads an object of texts that may be absent (nil) or null; null is the empty text.
func texts(f *wire.Fields, name string) map[string]string {
	if f.Null(name) || !f.Has(name) {
		return nil
	}
	if inner := f.Object(name); inner != nil {
		for key, v := range inner.Values() {
			if v == nil {
				inner.Set(key, "")
			}
		}
		return f.StringMap(name)
	}
	return nil
}

// cleared are texts as they are kept: an empty one is not.
func cleared(given map[string]string) map[string]any {
	out := map[string]any{}
	for name, text := range given {
		out[name] = nil
		if text != "" {
			out[name] = text
		}
	}
	return out
}

func checkInner(name string, f *wire.Fields) {
	switch name {
	case "memory_config":
		if f.Has("type") {
			f.Enum("type", "hierarchical", "flat")
		}
		if f.Has("persistence") {
			f.Enum("persistence", ephemeral, persistent)
		}
		f.OptionalInt("max_size_mb", 1, 1<<20)
	case "compaction":
		f.OptionalBool("enabled")
		f.OptionalInt("threshold_trigger", 50_000, 180_000)
		if text := f.Text("instructions"); utf8.RuneCountInString(text) > 2000 {
			f.Issues.TooBig("instructions", 2000)
		}
		f.Text("model")
	}
}

// Configure lays a configuration over another; what null takes away and a new agent begins with is as it is there.
func Configure(under, over map[string]any) map[string]any {
	out := merge(under, over)
	for name, v := range defaults() {
		if given, said := over[name]; said && given == nil {
			out[name] = v
		}
	}
	return out
}

// merge lays an object over another, field by field; null takes one away.
func merge(under, over map[string]any) map[string]any {
	out := maps.Clone(under)
	if out == nil {
		out = map[string]any{}
	}
	for name, v := range over {
		was, _ := out[name].(map[string]any)
		now, object := v.(map[string]any)
		switch {
		case v == nil:
			delete(out, name)
		case object:
			out[name] = merge(was, now)
		default:
			out[name] = v
		}
	}
	return out
}

// NewEnv is what an environment becomes: what was given, and of a value that is hidden what there was.
func NewEnv(was, given map[string]string) map[string]string {
	out := map[string]string{}
	for name, v := range given {
		if old, ok := was[name]; ok && v == hidden {
			v = old
		}
		out[name] = v
	}
	return out
}

// Slug makes a name for an instance of what an agent is called.
func Slug(title string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(title) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := strings.Trim(b.String(), "-")
	if len(s) > 50 {
		s = strings.TrimRight(s[:50], "-")
	}
	if s == "" {
		return "agent"
	}
	return s
}

// Number reads an amount that may be written with a fraction of zero.
func Number(f *wire.Fields, name string) int64 {
	v, ok := f.Values()[name]
	if !ok {
		f.Issues.Required(name, "number")
		return 0
	}
	n, ok := v.(json.Number)
	if !ok {
		f.Issues.Custom(name, name+" must be a number")
		return 0
	}
	if i, err := n.Int64(); err == nil {
		return i
	}
	x, err := n.Float64()
	if err != nil || x != float64(int64(x)) || x > float64(models.MaxBudget) || x < -float64(models.MaxBudget) {
		f.Issues.Custom(name, name+" must be a whole number of tokens")
	}
	return int64(x)
}
