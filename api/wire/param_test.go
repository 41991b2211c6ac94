package wire_test

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/api/wire"
	"lobstead/kit/fault"
)

func TestExplain(t *testing.T) {
	t.Parallel()
	inner := fault.New(fault.Internal, "secret", "the password is x").Hinting("look there")
	for _, c := range []struct {
		err                  error
		message, code, param string
	}{
		{wire.BadParam("max_tokens", "%s is required", "max_tokens"), "max_tokens is required", "invalid_value", "max_tokens"},
		{wire.BadParam("messages.0", "the role is not known"), "messages.0: the role is not known", "invalid_value", "messages.0"},
		{fault.New(fault.Payment, "budget.reached", "It is used up").Hinting("Raise it."), "It is used up. Raise it.", "budget.reached", ""},
		{inner, "Server error", "internal", ""},
	} {
		message, code, param := wire.Explain(fault.As(c.err))
		require.Equal(t, []string{c.message, c.code, c.param}, []string{message, code, param})
	}
}

func TestObject(t *testing.T) {
	t.Parallel()
	for body, code := range map[string]string{"{\"a\":\"\xff\"}": "body.utf8", "": "body.json", "[]": "body.json", "{": "body.json"} {
		_, err := wire.Object([]byte(body))
		require.Equal(t, code, fault.As(err).Code, "%q", body)
	}
	f, err := wire.Object([]byte(`{"b":1,"a":2,"known":3,"none":null,"not fit":4}`))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b"}, wire.Unread(f, "known"))
	for raw, want := range map[string]bool{`{}`: true, ` {"a":1}`: true, `[]`: false, `"{"`: false, ``: false, ` `: false} {
		require.Equal(t, want, wire.IsObject(json.RawMessage(raw)), "%q", raw)
	}
}
