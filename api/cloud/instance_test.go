package cloud_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/api/cloud"
	"lobstead/api/wire"
	"lobstead/kit/fault"
	"lobstead/models"
)

func golden(t *testing.T, want string, v any) {
	t.Helper()
	b, err := json.Marshal(v)
	require.NoError(t, err)
	require.JSONEq(t, want, string(b))
}

var (
	at       = time.Date(2026, 1, 2, 3, 4, 5, 60_000_000, time.UTC)
	later    = at.Add(time.Hour)
	instance = models.Instance{ID: "cabc", OrganizationID: "corg", Name: "my-agent", State: models.Running, Region: "us-east-1", Tier: models.Pro,
		MemoryMB: 2048, StorageMB: 10240, CreatedAt: at, UpdatedAt: later, Desired: models.WantRunning, GatewayTokenHash: "hash", GatewayTokenSealed: []byte("sealed"),
		LeaseOwner: "node", CreatedBy: "cuser"}
	org     = models.Organization{ID: "corg", Name: "Acme", Slug: "acme"}
	gateway = cloud.Gateway{URL: "https://x/gw", Token: "gw_1"}
)

const listed = `"id":"cabc","name":"my-agent","status":"RUNNING","region":"us-east-1","tier":"PRO","memoryMb":2048,"storageMb":10240,
	"gatewayUrl":"https://x/gw","gatewayToken":"gw_1","createdAt":"2026-01-02T03:04:05.060Z","updatedAt":"2026-01-02T04:04:05.060Z",
	"lastActiveAt":null,"organizationId":"corg","organizationName":"Acme","organizationSlug":"acme","reason":null`

func TestInstancesAsTheContractShows(t *testing.T) {
	t.Parallel()
	fresh := instance
	fresh.State = models.Provisioning
	golden(t, `{"id":"cabc","name":"my-agent","status":"PROVISIONING","region":"us-east-1","tier":"PRO","memoryMb":2048,"storageMb":10240,
		"gatewayUrl":null,"gatewayToken":null,"createdAt":"2026-01-02T03:04:05.060Z"}`, cloud.NewInstanceCreated(&fresh, nil))
	golden(t, "{"+listed+"}", cloud.NewInstanceListItem(&instance, &org, &gateway))
	golden(t, "{"+listed+`,"success":true}`, cloud.InstanceActed{InstanceListItem: cloud.NewInstanceListItem(&instance, &org, &gateway), Success: true})
	golden(t, `{"success":true}`, cloud.Deleted{Success: true})
	active := instance
	active.LastActiveAt, active.Reason = &later, "why"
	item := cloud.NewInstanceListItem(&active, &org, nil)
	require.Equal(t, []string{"2026-01-02T04:04:05.060Z", "why"}, []string{*item.LastActiveAt, *item.Reason})
	detail := cloud.InstanceDetail{InstanceListItem: cloud.NewInstanceListItem(&instance, &org, &gateway),
		Logs: cloud.NewLogs([]models.InstanceLog{{ID: "l", InstanceID: "cabc", Level: models.LogWarn, Message: "m", CreatedAt: at}}),
		Metrics: cloud.NewMetrics([]models.InstanceMetric{{ID: "m", InstanceID: "cabc", CPUPercent: 1.5, MemoryMB: 2, DiskMB: 3, Processes: 4,
			RequestCount: 5, TokenCount: 6, CreatedAt: at}})}
	golden(t, "{"+listed+`,"logs":[{"id":"l","instanceId":"cabc","level":"WARN","message":"m","createdAt":"2026-01-02T03:04:05.060Z","timestamp":"2026-01-02T03:04:05.060Z"}],
		"metrics":[{"id":"m","instanceId":"cabc","cpuUsage":1.5,"memoryUsage":2,"diskUsage":3,"processes":4,"requestCount":5,"tokenCount":6,
		"timestamp":"2026-01-02T03:04:05.060Z","createdAt":"2026-01-02T03:04:05.060Z"}]}`, detail)
	golden(t, "[]", cloud.NewLogs(nil))
	golden(t, "[]", cloud.NewMetrics(nil))
}

// The gateway is null until RUNNING, and nothing of ours leaks into any state.
func TestGatewayOnlyWhileRunning(t *testing.T) {
	t.Parallel()
	for _, state := range models.InstanceStates {
		i := instance
		i.State = state
		b, err := json.Marshal(cloud.NewInstanceListItem(&i, &org, &gateway))
		require.NoError(t, err)
		require.Equal(t, state == models.Running, strings.Contains(string(b), "gw_1"), state)
		for _, ours := range []string{"hash", "sealed", "lease", "node", "desired", "generation", "cuser"} {
			require.NotContains(t, strings.ToLower(string(b)), ours)
		}
	}
}

func read[T any](t *testing.T, body string, f func(*wire.Fields) (T, error)) (T, string) {
	t.Helper()
	fields, err := wire.FromJSON([]byte(body))
	require.NoError(t, err, body)
	v, err := f(fields)
	if err == nil {
		return v, ""
	}
	b, jsonErr := json.Marshal(cloud.NewError(fault.As(err)))
	require.NoError(t, jsonErr)
	return v, string(b)
}

func refusal(details string) string {
	return `{"error":"Invalid request","code":"invalid","details":[` + details + `]}`
}

const (
	tierType = `"expected":"'STARTER' | 'PRO' | 'BUSINESS'"`
	tierEnum = `"options":["STARTER","PRO","BUSINESS"],"message":"Invalid enum value. Expected 'STARTER' | 'PRO' | 'BUSINESS', received `
	tooSmall = `{"code":"too_small","minimum":1,"type":"string","inclusive":true,"exact":false,"message":"String must contain at least 1 character(s)","path":`
)

func TestReadNewInstance(t *testing.T) {
	t.Parallel()
	got, refused := read(t, `{"name":"my-agent","region":"us-east-1","tier":"PRO","more":1}`, cloud.ReadNewInstance)
	require.Empty(t, refused)
	require.Equal(t, models.NewInstance{Name: "my-agent", Region: "us-east-1", Tier: models.Pro}, got)
	for body, want := range map[string]string{
		`{}`: `{"code":"invalid_type","expected":"string","received":"undefined","message":"Required","path":["name"]},
			{"code":"invalid_type","expected":"string","received":"undefined","message":"Required","path":["region"]},
			{"code":"invalid_type",` + tierType + `,"received":"undefined","message":"Required","path":["tier"]}`,
		`{"name":"","region":"","tier":"pro"}`: tooSmall + `["name"]},` + tooSmall + `["region"]},
			{"code":"invalid_enum_value","received":"pro",` + tierEnum + `'pro'","path":["tier"]}`,
		`{"name":"A B","region":1,"tier":null}`: `{"code":"invalid_string","validation":"regex","message":"Invalid","path":["name"]},
			{"code":"invalid_type","expected":"string","received":"number","message":"Expected string, received number","path":["region"]},
			{"code":"invalid_type",` + tierType + `,"received":"null","message":"Expected 'STARTER' | 'PRO' | 'BUSINESS', received null","path":["tier"]}`,
		`{"name":"` + strings.Repeat("a", 51) + `","region":"r","tier":"PRO"}`: `{"code":"too_big","maximum":50,"type":"string","inclusive":true,"exact":false,
			"message":"String must contain at most 50 character(s)","path":["name"]}`,
	} {
		_, refused := read(t, body, cloud.ReadNewInstance)
		require.JSONEq(t, refusal(want), refused, body)
	}
}

func TestReadInstanceChange(t *testing.T) {
	t.Parallel()
	got, refused := read(t, `{"tier":"BUSINESS"}`, cloud.ReadInstanceChange)
	require.Empty(t, refused)
	require.Nil(t, got.Name)
	require.Equal(t, models.Business, *got.Tier)
	got, refused = read(t, `{"name":"n"}`, cloud.ReadInstanceChange)
	require.Empty(t, refused)
	require.Equal(t, "n", *got.Name)
	require.Nil(t, got.Tier)
	for _, body := range []string{"", "{}", `{"other":1}`} {
		_, refused = read(t, body, cloud.ReadInstanceChange)
		require.JSONEq(t, refusal(`{"code":"custom","message":"At least one field is required","path":[]}`), refused)
	}
	_, refused = read(t, `{"name":"NO","tier":"NO"}`, cloud.ReadInstanceChange)
	require.JSONEq(t, refusal(`{"code":"invalid_string","validation":"regex","message":"Invalid","path":["name"]},
		{"code":"invalid_enum_value","received":"NO",`+tierEnum+`'NO'","path":["tier"]}`), refused)
}

func TestReadAction(t *testing.T) {
	t.Parallel()
	for _, a := range []models.Action{models.Start, models.Stop, models.Restart} {
		got, refused := read(t, `{"action":"`+string(a)+`"}`, cloud.ReadAction)
		require.Empty(t, refused)
		require.Equal(t, a, got)
	}
	for _, body := range []string{`{}`, `{"action":"delete"}`, `{"action":"recover"}`, `{"action":"START"}`, `{"action":1}`, `{"action":""}`} {
		_, refused := read(t, body, cloud.ReadAction)
		require.Contains(t, refused, `"path":["action"]`, body)
	}
}

// Every error body in the contract's words (cloud-api.md, "Conventions").
func TestErrorsInTheContractsWords(t *testing.T) {
	t.Parallel()
	for want, e := range map[string]*fault.Error{
		`{"error":"Unauthorized","code":"unauthorized"}`:                fault.New(fault.Unauthenticated, "unauthorized", "Unauthorized"),
		`{"error":"Unauthorized","code":"sign_in.wrong"}`:               fault.New(fault.Unauthenticated, "sign_in.wrong", "The password is wrong"),
		`{"error":"Insufficient permissions","code":"forbidden"}`:       fault.New(fault.Forbidden, "forbidden", "No"),
		`{"error":"Instance limit reached","code":"instance.limit"}`:    fault.New(fault.Forbidden, "instance.limit", "Instance limit reached"),
		`{"error":"Not found","code":"instance.not_found"}`:             fault.NotFoundf("instance"),
		`{"error":"Already exists","code":"duplicate"}`:                 fault.New(fault.Conflict, "duplicate", "some row"),
		`{"error":"Too many requests","code":"limit"}`:                  fault.New(fault.TooMany, "limit", "slower"),
		`{"error":"Too many requests","code":"sign_in.limit"}`:          fault.New(fault.TooMany, "sign_in.limit", "Too many tries"),
		`{"error":"100 uploads wait","code":"upload.limit"}`:            fault.New(fault.TooMany, "upload.limit", "100 uploads wait"),
		`{"error":"Server error","code":"internal"}`:                    fault.As(errInside),
		`{"error":"Invalid request","code":"body.json"}`:                fault.New(fault.Invalid, "body.json", "Invalid request"),
		`{"error":"Invalid request","code":"invalid","hint":"do this"}`: fault.New(fault.Invalid, "invalid", "").Hinting("do this"),
		`{"error":"The disk is full","code":"database.full"}`:           fault.New(fault.Full, "database.full", "The disk is full"),
		`{"error":"Cannot start instance in RUNNING state","code":"instance.state","hint":"Allowed now: stop"}`: fault.New(fault.Invalid, "instance.state",
			"Cannot start instance in RUNNING state").Hinting("Allowed now: stop"),
	} {
		golden(t, want, cloud.NewError(e))
	}
	require.Equal(t, "error", reflect.TypeFor[cloud.Error]().Field(0).Tag.Get("json"))
}

var errInside = &json.SyntaxError{Offset: 3}
