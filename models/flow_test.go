package models_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/fault"
	"lobstead/kit/secret"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func TestTurnFlow(t *testing.T) {
	store := modelstest.New(t)
	sc, f := modelstest.Found(t, store, "Acme")
	ctx := t.Context()
	token, u, err := byPassword(ctx, store.AsSystem("test"), f.User.Email, secret.Of(modelstest.Password))
	require.NoError(t, err)
	require.Equal(t, f.User.ID, u.ID)
	p, err := store.AsSystem("test").BySignIn(ctx, token)
	require.NoError(t, err)
	require.Equal(t, models.Owner, p.Membership.Role)
	require.Equal(t, "owner-of-acme", models.Slug(p.User.Name))
	_, key, err := sc.CreateAPIKey(ctx, models.NewAPIKey{Name: "k"})
	require.NoError(t, err)
	p, err = store.AsSystem("test").ByAPIKey(ctx, key, "::1")
	require.NoError(t, err)
	require.Equal(t, sc.Org, p.Membership.OrganizationID)
	_, err = store.AsSystem("test").ByAPIKey(ctx, key, "::1")
	require.NoError(t, err)

	inst := modelstest.Instance(t, sc, "one")
	s, err := sc.SessionOf(ctx, inst.ID, "abc")
	require.NoError(t, err)
	again, err := sc.SessionOf(ctx, inst.ID, "abc")
	require.NoError(t, err)
	require.Equal(t, s.ID, again.ID)
	turn, ev, err := sc.StartTurn(ctx, s.ID, models.Input{Text: "hello\u0001", Source: "test", Attachments: []models.Upload{{Name: "../../a.txt", Data: []byte("x")}, {Name: "a.txt", Data: []byte("y")}}})
	require.NoError(t, err)
	require.EqualValues(t, 1, ev.Seq)
	msg, err := models.Decode[models.UserMessage](*ev)
	require.NoError(t, err)
	require.Equal(t, "uploads/a.txt", msg.Attachments[0].Path)
	require.Equal(t, "uploads/a-2.txt", msg.Attachments[1].Path)
	second, _, err := sc.StartTurn(ctx, s.ID, models.Input{Text: "again", Source: "test"})
	require.NoError(t, err)
	refs, err := store.AsSystem("test").ClaimableTurns(ctx, 10)
	require.NoError(t, err)
	require.Len(t, refs, 1)
	_, lease, err := sc.ClaimTurn(ctx, turn.ID, "w1")
	require.NoError(t, err)
	_, _, err = sc.ClaimTurn(ctx, second.ID, "w2")
	require.True(t, fault.Is(err, fault.Conflict), "%v", err)
	_, err = sc.AppendTurn(ctx, lease, models.TurnProgress{FirstToken: true, Model: "m", InputTokens: 3}, models.ToolResult{Output: "a\x00b\xff"})
	require.NoError(t, err)
	_, err = sc.InterruptTurn(ctx, turn.ID)
	require.NoError(t, err)
	stop, err := sc.Heartbeat(ctx, lease)
	require.NoError(t, err)
	require.True(t, stop)
	done, err := sc.EndTurn(ctx, lease, models.TurnCut, models.TurnEnded{})
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupted, done.State)
	require.Equal(t, 3, done.InputTokens)
	_, err = sc.AppendTurn(ctx, lease, models.TurnProgress{}, models.Notice{})
	require.ErrorIs(t, err, models.ErrLeaseLost)
	events, err := sc.Events(ctx, s.ID, 0, 0)
	require.NoError(t, err)
	for i, e := range events {
		require.EqualValues(t, i+1, e.Seq)
	}
	require.Len(t, events, 4)
	o, err := sc.Overview(ctx)
	require.NoError(t, err)
	require.Equal(t, 2, o.Turns24h)

	other, _ := modelstest.Found(t, store, "Other")
	_, err = other.Instance(ctx, inst.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = other.Session(ctx, s.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	_, err = other.CreateSession(ctx, models.NewSession{InstanceID: inst.ID})
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	list, err := sc.Sessions(ctx, models.SessionFilter{Search: "HELLO"})
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.NoError(t, store.AsSystem("x").Trim(ctx))
}
