package wire_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/api/wire"
	"lobstead/kit/fault"
)

func issues(t *testing.T, err error) string {
	t.Helper()
	b, jsonErr := json.Marshal(fault.As(err).Fields)
	require.NoError(t, jsonErr)
	return string(b)
}

func TestFromJSON(t *testing.T) {
	t.Parallel()
	for body, code := range map[string]string{
		"": "", " \n": "", "{}": "", `{"a":1}`: "", `{"a":{"b":[null]}}`: "", ` {"a":1} `: "",
		"{": "body.json", "nope": "body.json", `{"a":1}{"b":2}`: "body.json", `{"a":1} x`: "body.json", `{'a':1}`: "body.json", `{"a":1,}`: "body.json",
		"\xff": "body.utf8", `{"a":"` + "\xff" + `"}`: "body.utf8", "\ufeff{}": "body.json", `{"a":01}`: "body.json", `{"a":NaN}`: "body.json",
		"[]": "invalid", `"x"`: "invalid", "1": "invalid", "null": "invalid", "true": "invalid",
		strings.Repeat(`{"a":`, 20000) + "1" + strings.Repeat("}", 20000): "body.json",
	} {
		f, err := wire.FromJSON([]byte(body))
		name := body[:min(len(body), 40)]
		if code == "" {
			require.NoError(t, err, name)
			require.NotNil(t, f)
			continue
		}
		require.True(t, fault.Is(err, fault.Invalid), "%s: %v", name, err)
		require.Equal(t, code, fault.As(err).Code, name)
		require.Equal(t, "Invalid request", fault.As(err).Detail)
	}
	_, err := wire.FromJSON([]byte("[1]"))
	require.JSONEq(t, `[{"code":"invalid_type","expected":"object","received":"array","message":"Expected object, received array","path":[]}]`, issues(t, err))
}

// The issue objects are zod's, field by field.
func TestWrongTypesAreZods(t *testing.T) {
	t.Parallel()
	for value, kind := range map[string]string{"1": "number", "1.5e3": "number", "true": "boolean", "null": "null", "[]": "array", "{}": "object"} {
		f, err := wire.FromJSON([]byte(`{"a":` + value + `}`))
		require.NoError(t, err)
		_, ok := f.String("a")
		require.False(t, ok)
		require.JSONEq(t, `[{"code":"invalid_type","expected":"string","received":"`+kind+`","message":"Expected string, received `+kind+`","path":["a"]}]`, issues(t, f.Err()))
	}
	f, err := wire.FromJSON([]byte(`{"b":"yes","list":["x",1,null,"y"],"one":"x","nul":"a\u0000b","colour":"pink","shape":3}`))
	require.NoError(t, err)
	_, ok := f.String("absent")
	require.False(t, ok)
	require.Nil(t, f.OptionalBool("b"))
	require.Nil(t, f.OptionalStrings("list"))
	require.Nil(t, f.OptionalStrings("one"))
	f.String("nul")
	f.Enum("colour", "red", "blue")
	f.Enum("shape", "round", "flat")
	f.Enum("size", "small", "big")
	require.JSONEq(t, `[
		{"code":"invalid_type","expected":"string","received":"undefined","message":"Required","path":["absent"]},
		{"code":"invalid_type","expected":"boolean","received":"string","message":"Expected boolean, received string","path":["b"]},
		{"code":"invalid_type","expected":"string","received":"number","message":"Expected string, received number","path":["list",1]},
		{"code":"invalid_type","expected":"string","received":"null","message":"Expected string, received null","path":["list",2]},
		{"code":"invalid_type","expected":"array","received":"string","message":"Expected array, received string","path":["one"]},
		{"code":"invalid_string","validation":"utf8","message":"Invalid","path":["nul"]},
		{"code":"invalid_enum_value","options":["red","blue"],"received":"pink","message":"Invalid enum value. Expected 'red' | 'blue', received 'pink'","path":["colour"]},
		{"code":"invalid_type","expected":"'round' | 'flat'","received":"number","message":"Expected 'round' | 'flat', received number","path":["shape"]},
		{"code":"invalid_type","expected":"'small' | 'big'","received":"undefined","message":"Required","path":["size"]}
	]`, issues(t, f.Err()), "all at once, in the order of reading")
}

func TestReadsWhatWasSent(t *testing.T) {
	t.Parallel()
	f, err := wire.FromJSON([]byte(`{"s":"ü\n","b":false,"l":["a","b"],"e":"","z":null}`))
	require.NoError(t, err)
	s, ok := f.String("s")
	require.True(t, ok)
	require.Equal(t, "ü\n", s)
	require.False(t, *f.OptionalBool("b"))
	require.Equal(t, []string{"a", "b"}, f.OptionalStrings("l"))
	empty, ok := f.OptionalString("e")
	require.True(t, ok)
	require.Empty(t, *empty)
	absent, ok := f.OptionalString("x")
	require.True(t, ok)
	require.Nil(t, absent)
	require.Nil(t, f.OptionalBool("x"))
	require.Nil(t, f.OptionalStrings("x"))
	require.True(t, f.Has("z"))
	require.False(t, f.Has("x"))
	f.Set("x", "path")
	got, _ := f.Enum("x", "path")
	require.Equal(t, "path", got)
	require.NoError(t, f.Err())
}

func TestFromForm(t *testing.T) {
	t.Parallel()
	f := wire.FromForm(url.Values{"a": {"first", "last"}, "text": {"x\r\ny"}, "on": {"on"}, "off": {"off"}, "empty": {""}, "nul": {"a\x00"}, "bad": {"\xff"}, "none": {}})
	s, _ := f.String("a")
	require.Equal(t, "last", s)
	s, _ = f.String("text")
	require.Equal(t, "x\ny", s, "browsers send line ends of their own")
	require.True(t, *f.OptionalBool("on"))
	require.False(t, *f.OptionalBool("off"))
	require.Nil(t, f.OptionalBool("unchecked"))
	require.False(t, f.Has("empty"))
	require.NoError(t, f.Err())
	f.String("nul")
	f.String("bad")
	f.String("none")
	require.Len(t, fault.As(f.Err()).Fields, 3)
}

func FuzzFromJSON(f *testing.F) {
	for _, s := range []string{``, `{}`, `{"a":"b"}`, `[1]`, `{"a":["x",1]}`, `{"a":null}{`, "\xff", `{"a":"\ud800"}`, `{"a":1e999}`, `{"a":{"a":{"a":[]}}}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		fields, err := wire.FromJSON(body)
		if err != nil {
			if !fault.Is(err, fault.Invalid) {
				t.Fatalf("%v", err)
			}
			return
		}
		fields.OptionalBool("a")
		fields.OptionalStrings("a")
		fields.Enum("a", "b")
		if s, ok := fields.String("a"); ok && strings.ContainsRune(s, 0) {
			t.Fatal("NUL")
		}
		if err := fields.Err(); err != nil {
			if _, jsonErr := json.Marshal(fault.As(err).Fields); jsonErr != nil {
				t.Fatal(jsonErr)
			}
		}
	})
}

func TestTime(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 6_789_000, time.FixedZone("", 2*3600))
	require.Equal(t, "2026-01-02T01:04:05.006Z", wire.Time(at))
	require.Equal(t, "2026-01-02T01:04:05.000Z", wire.Time(at.Truncate(time.Second)))
	require.Equal(t, "2026-01-02T01:04:05.006Z", *wire.TimeOrNull(&at))
	require.Nil(t, wire.TimeOrNull(nil))
}
