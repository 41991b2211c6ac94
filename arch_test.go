package main_test

import (
	"encoding/json"
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// floors says what each of our packages may import of ours. A name ending in /... stands for a tree. The first
// entry that matches a package holds.
var floors = []struct {
	pkg string
	may []string
}{
	{"lobstead", []string{"lobstead/..."}},
	{"lobstead/app", []string{"lobstead/views/...", "lobstead/api/...", "lobstead/engine/...", "lobstead/models", "lobstead/migrations", "lobstead/jobs", "lobstead/static", "lobstead/kit/..."}},
	{"lobstead/jobs/work", []string{"lobstead/engine/...", "lobstead/models", "lobstead/jobs", "lobstead/kit/..."}},
	{"lobstead/views/docs", []string{"lobstead/views/...", "lobstead/api/openapi", "lobstead/models", "lobstead/static", "lobstead/kit/..."}}, // the page is made of the document's tables
	{"lobstead/views/admin", []string{"lobstead/views/...", "lobstead/models", "lobstead/jobs", "lobstead/static", "lobstead/kit/..."}},       // the queue's own words
	{"lobstead/views/...", []string{"lobstead/views/...", "lobstead/models", "lobstead/static", "lobstead/kit/..."}},
	{"lobstead/api/openapi", []string{"lobstead/api/wire", "lobstead/api/cloud", "lobstead/api/agent", "lobstead/models", "lobstead/kit/..."}},
	{"lobstead/api/openai", []string{"lobstead/api/wire", "lobstead/engine/llm", "lobstead/kit/..."}}, // spells what a model is asked and says
	{"lobstead/api/anthropic", []string{"lobstead/api/wire", "lobstead/engine/llm", "lobstead/kit/..."}},
	{"lobstead/api/...", []string{"lobstead/api/wire", "lobstead/models", "lobstead/static", "lobstead/kit/..."}},
	{"lobstead/engine/automate/when", []string{"lobstead/kit/..."}}, // pure: words go in, times come out
	{"lobstead/engine/automate", []string{"lobstead/engine/automate/when", "lobstead/engine/agent", "lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/channels/service", []string{"lobstead/kit/..."}}, // the contract
	{"lobstead/engine/channels/text", []string{"lobstead/kit/..."}},    // pure: Markdown goes in, a service's words come out
	{"lobstead/engine/channels", []string{"lobstead/engine/channels/...", "lobstead/engine/agent", "lobstead/engine/outbox", "lobstead/engine/sandbox", "lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/channels/...", []string{"lobstead/engine/channels/...", "lobstead/kit/..."}},
	{"lobstead/engine/skills", []string{"lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/policy", []string{"lobstead/models"}}, // pure: rules and a call go in, a verdict comes out
	{"lobstead/engine/agent", []string{"lobstead/engine/policy", "lobstead/engine/llm/...", "lobstead/engine/sandbox", "lobstead/engine/skills", "lobstead/models", "lobstead/jobs", "lobstead/kit/..."}},
	{"lobstead/engine/provision/...", []string{"lobstead/engine/provision", "lobstead/engine/sandbox", "lobstead/models", "lobstead/jobs", "lobstead/kit/..."}},
	{"lobstead/engine/files", []string{"lobstead/engine/sandbox", "lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/terminal", []string{"lobstead/engine/sandbox", "lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/outbox", []string{"lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/billing", []string{"lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/gateway", []string{"lobstead/engine/agent", "lobstead/engine/llm/...", "lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/insight", []string{"lobstead/engine/agent", "lobstead/engine/llm/...", "lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/llm/door", []string{"lobstead/engine/llm", "lobstead/models", "lobstead/kit/..."}},
	{"lobstead/engine/llm/...", []string{"lobstead/engine/llm/...", "lobstead/kit/..."}},
	{"lobstead/engine/sandbox/...", []string{"lobstead/engine/sandbox/...", "lobstead/kit/..."}},
	{"lobstead/models/modelstest", []string{"lobstead/models", "lobstead/migrations", "lobstead/kit/..."}},
	{"lobstead/models", []string{"lobstead/migrations", "lobstead/kit/..."}},
	{"lobstead/jobs", []string{"lobstead/kit/..."}},
	{"lobstead/migrations", nil},
	{"lobstead/static", nil},
	{"lobstead/kit/...", []string{"lobstead/kit/..."}},
}

// owners pins a library to the packages that may know it.
var owners = map[string][]string{
	"github.com/gofiber/fiber/v2":                              {"lobstead/app"},
	"github.com/valyala/fasthttp":                              {"lobstead/app"},
	"github.com/fasthttp/websocket":                            {"lobstead/app"},
	"github.com/markbates/goth":                                {"lobstead/app"},
	"github.com/coreos/go-oidc/v3":                             {"lobstead/app"},
	"github.com/go-webauthn/webauthn":                          {"lobstead/app"},
	"github.com/golang-jwt/jwt/v5":                             {"lobstead/kit/secret", "lobstead/api/fleet"},
	"golang.org/x/oauth2":                                      {"lobstead/app"},
	"gorm.io/":                                                 {"lobstead/models"},
	"github.com/a-h/templ":                                     {"lobstead/views/...", "lobstead/app"},
	"github.com/hibiken/asynq":                                 {"lobstead/jobs", "lobstead/jobs/work"},
	"github.com/alicebob/miniredis/v2":                         {"lobstead/jobs"},
	"github.com/redis/go-redis/v9":                             {"lobstead/jobs", "lobstead/kit/events", "lobstead/kit/limit", "lobstead/kit/testservices"},
	"github.com/stripe/stripe-go/":                             {"lobstead/engine/billing"},
	"github.com/landlock-lsm/go-landlock":                      {"lobstead/engine/sandbox/..."},
	"github.com/alecthomas/kong":                               {"lobstead/kit/config"},
	"github.com/prometheus/client_golang":                      {"lobstead", "lobstead/app"},
	"github.com/adhocore/gronx":                                {"lobstead/engine/automate/when"},
	"github.com/wneessen/go-mail":                              {"lobstead/kit/mail"},
	"github.com/standard-webhooks/standard-webhooks/libraries": {"lobstead/engine/outbox"},
	"modernc.org/sqlite":                                       {"lobstead/models"},
	"github.com/jackc/pgx/v5":                                  {"lobstead/models", "lobstead/kit/testservices"},
	"github.com/dsnet/compress":                                {"lobstead/engine/sandbox/tree"},
	"github.com/go-telegram/bot":                               nil, // drives the test server; see adr 0032
	"github.com/slack-go/slack":                                {"lobstead/engine/channels/slack"},
	"github.com/gorilla/websocket":                             {"lobstead/engine/channels/slack", "lobstead/engine/channels/discord"},
	"github.com/bwmarrin/discordgo":                            nil, // drives the test server; see adr 0033
	"github.com/yuin/goldmark":                                 {"lobstead/kit/commonmark", "lobstead/views/markdown", "lobstead/engine/channels/text"},
	"github.com/emersion/go-imap/v2":                           {"lobstead/engine/channels/email"},
	"github.com/emersion/go-message":                           {"lobstead/engine/channels/email"},
	"github.com/emersion/go-smtp":                              {"lobstead/engine/channels/email"},
	"github.com/emersion/go-sasl":                              {"lobstead/engine/channels/email"},
	"golang.org/x/net/publicsuffix":                            {"lobstead/engine/channels/email"},
	"golang.org/x/net/idna":                                    {"lobstead/engine/channels/email"},
}

type listed struct {
	ImportPath string
	Imports    []string
	GoFiles    []string
}

func packages(t *testing.T) []listed {
	t.Helper()
	out, err := exec.Command("go", "list", "-json=ImportPath,Imports,GoFiles", "./...").Output()
	require.NoError(t, err)
	var all []listed
	for d := json.NewDecoder(strings.NewReader(string(out))); d.More(); {
		var p listed
		require.NoError(t, d.Decode(&p))
		all = append(all, p)
	}
	require.NotEmpty(t, all)
	return all
}

func matches(pattern, pkg string) bool {
	if tree, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == tree || strings.HasPrefix(pkg, tree+"/")
	}
	return pattern == pkg
}

func anyOf(patterns []string, pkg string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, pkg) })
}

// Galleries and benchmarks are programs for developers: they may import what they show.
func developer(pkg string) bool {
	return path.Base(pkg) == "gallery" || strings.Contains(pkg, "/bench") || strings.HasSuffix(pkg, "test")
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range packages(t) {
		if developer(p.ImportPath) && p.ImportPath != "lobstead/models/modelstest" {
			continue
		}
		n := slices.IndexFunc(floors, func(f struct {
			pkg string
			may []string
		}) bool {
			return matches(f.pkg, p.ImportPath)
		})
		require.GreaterOrEqual(t, n, 0, "%s has no floor: add it to the table, or move it", p.ImportPath)
		for _, i := range p.Imports {
			if strings.HasPrefix(i, "lobstead") && !anyOf(floors[n].may, i) {
				t.Errorf("%s must not import %s", p.ImportPath, i)
			}
		}
	}
}

func TestLibrariesHaveOwners(t *testing.T) {
	for _, p := range packages(t) {
		if developer(p.ImportPath) {
			continue
		}
		for _, i := range p.Imports {
			for lib, who := range owners {
				if (i == lib || strings.HasPrefix(i, strings.TrimSuffix(lib, "/")+"/")) && !anyOf(who, p.ImportPath) {
					t.Errorf("%s must not import %s: it belongs to %v", p.ImportPath, i, who)
				}
			}
		}
	}
}
