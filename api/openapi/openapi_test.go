package openapi_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/api/agent"
	"lobstead/api/cloud"
	"lobstead/api/openapi"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

func document(t *testing.T) *openapi3.T {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData(openapi.Read().JSON("https://agents.example.org", "1.2.3"))
	require.NoError(t, err)
	return doc
}

func TestTheDocumentIsValid(t *testing.T) {
	doc := document(t)
	require.NoError(t, doc.Validate(t.Context(), openapi3.EnableExamplesValidation()))
	assert.True(t, strings.HasPrefix(doc.OpenAPI, "3.1"))
	assert.Equal(t, "https://agents.example.org", doc.Servers[0].URL)
	assert.Equal(t, "1.2.3", doc.Info.Version)
	assert.Equal(t, openapi.Read().JSON("x", "y"), openapi.Read().JSON("x", "y"), "the same bytes each time")
	assert.Contains(t, string(openapi.Read().JSON("", "")), `"url": "/"`)
}

func TestEveryRuleDescribesSomething(t *testing.T) {
	assert.Empty(t, openapi.Read().Unused())
}

var id = regexp.MustCompile(`^[a-z]+(\.[a-z]+)+$`)

func TestTheTableIsWhole(t *testing.T) {
	keys, ids, nouns := map[string]bool{}, map[string]bool{}, []string{}
	for _, n := range openapi.Nouns {
		nouns = append(nouns, n.ID)
		assert.NotEmpty(t, n.Say, n.ID)
	}
	for i := range openapi.Operations {
		o := &openapi.Operations[i]
		assert.False(t, keys[o.Key()], "%s twice", o.Key())
		assert.False(t, ids[o.ID], "%s twice", o.ID)
		keys[o.Key()], ids[o.ID] = true, true
		assert.Regexp(t, id, o.ID)
		assert.Contains(t, nouns, o.Noun, o.Key())
		assert.NotEmpty(t, o.Summary, o.Key())
		assert.False(t, strings.HasSuffix(o.Summary, "."), o.Key())
		assert.NotNil(t, o.Answer, o.Key())
		for _, status := range o.Failures() {
			assert.NotEmpty(t, openapi.Failure[status], "%s answers %d", o.Key(), status)
		}
	}
}

// Schemas say what Go says: embedded structs are flat, pointers may be null, omitempty may be absent.
func TestSchemasSayWhatGoSays(t *testing.T) {
	schemas := document(t).Components.Schemas
	item := schemas["InstanceListItem"].Value
	assert.Contains(t, item.Properties, "status")
	assert.Contains(t, item.Required, "lastActiveAt")
	assert.Equal(t, []string{"string", "null"}, item.Properties["lastActiveAt"].Value.Type.Slice())
	assert.Equal(t, []any{"PROVISIONING", "RUNNING", "STOPPED", "ERROR", "SUSPENDED"}, item.Properties["status"].Value.Enum)
	assert.NotContains(t, schemas["Error"].Value.Required, "hint")
	assert.Equal(t, []string{"integer"}, schemas["Issue"].Value.Properties["minimum"].Value.Type.Slice())
	assert.Equal(t, "#/components/schemas/Log", schemas["InstanceDetail"].Value.Properties["logs"].Value.Items.Ref)
	assert.NotContains(t, schemas["InstanceChange"].Value.Required, "name")
	assert.Contains(t, schemas, "AgentError")
}

// readers are what really reads each body; the described one must want the same.
var readers = map[string]func(f *wire.Fields) error{
	"POST /api/instances":             func(f *wire.Fields) error { _, err := cloud.ReadNewInstance(f); return err },
	"PATCH /api/instances/:id":        func(f *wire.Fields) error { _, err := cloud.ReadInstanceChange(f); return err },
	"POST /api/instances/:id/actions": func(f *wire.Fields) error { _, err := cloud.ReadAction(f); return err },
	"POST /api/team":                  func(f *wire.Fields) error { _, _, err := cloud.ReadInvitation(f); return err },
	"PATCH /api/team/:id":             func(f *wire.Fields) error { _, err := cloud.ReadRole(f); return err },
	"POST /api/api-keys":              func(f *wire.Fields) error { _, err := cloud.ReadNewAPIKey(f, time.Now()); return err },
	"POST /api/webhook-endpoints":     func(f *wire.Fields) error { _, err := cloud.ReadWebhook(f); return err },
	"PATCH /api/webhook-endpoints/:id": func(f *wire.Fields) error {
		_, err := cloud.ReadWebhookChange(f, &models.WebhookEndpoint{Events: "agent.error"})
		return err
	},
	"PATCH /api/settings":          func(f *wire.Fields) error { _, err := cloud.ReadName(f); return err },
	"POST /api/stripe/checkout":    func(f *wire.Fields) error { _, _, err := cloud.ReadCheckout(f); return err },
	"POST /api/agent/chat":         func(f *wire.Fields) error { _, err := agent.ReadChat(f); return err },
	"POST /api/agent/token-budget": func(f *wire.Fields) error { _, err := agent.ReadBudgetMessage(f); return err },
	"PATCH /api/agent/sessions":    func(f *wire.Fields) error { _, _, err := agent.ReadSessionChange(f); return err },
}

func issues(t *testing.T, read func(*wire.Fields) error, body map[string]any) fault.Issues {
	t.Helper()
	b, err := json.Marshal(body)
	require.NoError(t, err)
	f, err := wire.FromJSON(b)
	require.NoError(t, err)
	if err = read(f); err == nil {
		return nil
	}
	return fault.As(err).Fields
}

func TestBodiesAreWhatTheReadersWant(t *testing.T) {
	doc := document(t)
	seen := 0
	for i := range openapi.Operations {
		o := &openapi.Operations[i]
		read := readers[o.Key()]
		if read == nil {
			continue
		}
		seen++
		s := doc.Paths.Value(o.Template()).GetOperation(o.Method).RequestBody.Value.Content["application/json"].Schema.Value
		example := map[string]any{}
		require.NoError(t, json.Unmarshal([]byte(openapi.Read().ExampleRequest(o)), &example))
		delete(example, "images") // the example of a picture is cut short
		assert.Empty(t, issues(t, read, example), "the example of %s is refused", o.Key())

		missing := []string{}
		for _, issue := range issues(t, read, map[string]any{}) {
			if issue.Received == "undefined" {
				missing = append(missing, issue.Path[0].(string))
			}
		}
		assert.ElementsMatch(t, s.Required, missing, o.Key())
		for name, p := range s.Properties {
			wrong := map[string]any{}
			for k, v := range example {
				wrong[k] = v
			}
			wrong[name] = map[string]any{}
			assert.True(t, slices.ContainsFunc(issues(t, read, wrong), func(i fault.Issue) bool { return len(i.Path) > 0 && i.Path[0] == name }),
				"%s takes anything as %s", o.Key(), name)
			checkWords(t, o.Key(), read, example, name, p.Value)
		}
	}
	assert.Equal(t, len(readers), seen)
}

// checkWords holds described enumerations and bounds against the reader, where it is the reader that checks them.
func checkWords(t *testing.T, key string, read func(*wire.Fields) error, example map[string]any, name string, s *openapi3.Schema) {
	t.Helper()
	try := func(v any) fault.Issues {
		body := map[string]any{}
		for k, x := range example {
			body[k] = x
		}
		body[name] = v
		return issues(t, read, body)
	}
	for _, word := range s.Enum {
		assert.Empty(t, try(word), "%s: %s is refused as %s", key, word, name)
	}
	for _, issue := range try("no such word at all") {
		if issue.Code == "invalid_enum_value" {
			words := []any{}
			for _, w := range issue.Options {
				words = append(words, w)
			}
			assert.Equal(t, s.Enum, words, "%s %s", key, name)
		}
	}
	if s.MaxLength != nil && name == "name" {
		assert.Empty(t, try(strings.Repeat("x", int(*s.MaxLength))))
		assert.NotEmpty(t, try(strings.Repeat("x", int(*s.MaxLength)+1)))
		assert.NotEmpty(t, try(""))
	}
	if s.Max != nil {
		assert.Empty(t, try(*s.Max))
		assert.NotEmpty(t, try(*s.Max+1))
		assert.NotEmpty(t, try(*s.Min-1))
	}
}

// What the page shows fits the schemas: examples are values of the described types.
func TestExamplesFit(t *testing.T) {
	doc := document(t)
	for i := range openapi.Operations {
		o := &openapi.Operations[i]
		op := doc.Paths.Value(o.Template()).GetOperation(o.Method)
		var v any
		require.NoError(t, json.Unmarshal([]byte(openapi.Read().ExampleAnswer(o)), &v), o.Key())
		assert.NoError(t, op.Responses.Status(o.Status).Value.Content["application/json"].Schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020()), o.Key())
		if o.Request != nil {
			require.NoError(t, json.Unmarshal([]byte(openapi.Read().ExampleRequest(o)), &v), o.Key())
			assert.NoError(t, op.RequestBody.Value.Content["application/json"].Schema.Value.VisitJSON(v, openapi3.EnableJSONSchema2020()), o.Key())
		}
	}
}

func TestCallersInWords(t *testing.T) {
	for want, c := range map[string]openapi.Caller{
		"Anybody, without a credential":                                         openapi.Anybody,
		"A signed-in person; not a key":                                         openapi.Person,
		"Every member; a key with scopes needs “view”":                          openapi.May("view"),
		"The owner and every admin; a key with scopes needs “create instances”": openapi.May("create instances"),
		"The owner; a key with scopes needs “delete organization”":              openapi.May("delete organization"),
	} {
		assert.Equal(t, want, c.Words())
	}
}
