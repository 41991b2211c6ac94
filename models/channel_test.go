package models_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

// Of two processes each shows the work that it does; and whoever begins to listen learns how far each conversation of linked people was heard.
func TestChannelWorkAndMarks(t *testing.T) {
	t.Parallel()
	store := modelstest.New(t)
	sc, inst, _ := conversation(t, store)
	ch, err := sc.ConnectChannel(t.Context(), models.NewChannel{InstanceID: inst.ID, Kind: models.DiscordChannel})
	require.NoError(t, err)
	code, _, err := sc.NewLinkCode(t.Context(), ch.ID)
	require.NoError(t, err)
	hear := func(message, sender, peer, text string, edited bool) *models.Turn {
		out, err := sc.HearChannel(t.Context(), ch.ID, models.Heard{EventID: message + text, MessageID: message, SenderID: sender, Peer: peer, Direct: peer != `{"id":"room","direct":false,"name":"#room"}`, Called: text == "hey", Text: text, Edited: edited})
		require.NoError(t, err)
		return out.Turn
	}
	direct, room := `{"id":"d7","direct":true,"name":"@ada"}`, `{"id":"room","direct":false,"name":"#room"}`
	hear("m1", "7", direct, "/link "+code, false)
	turn := hear("m2", "7", direct, "work", false)
	require.NotNil(t, turn)
	claim(t, sc, turn.ID, "one-1/abc")
	sy := store.AsSystem("test")
	for process, want := range map[string][]models.BusyPeer{"one-1": {{ChannelID: ch.ID, Peer: direct, MessageID: "m2"}}, "one-12": {}, "one-": {}, "two": {}, "": {}} {
		got, err := sy.BusyPeers(t.Context(), process, 10)
		require.NoError(t, err)
		require.Equal(t, want, got, process)
	}
	require.NotNil(t, hear("m3", "7", room, "hey", false))
	hear("m4", "8", room, "not to the agent", false)
	hear("m5", "8", `{"id":"d8","direct":true}`, "of a stranger", false)
	hear("m2", "7", direct, "work, please", true)
	marks, err := sy.ChannelMarks(t.Context(), ch.ID, 10)
	require.NoError(t, err)
	got := map[string]string{}
	for _, m := range marks {
		var p struct{ ID string }
		require.NoError(t, json.Unmarshal([]byte(m.Peer), &p))
		got[p.ID] = m.MessageID
	}
	require.Equal(t, map[string]string{"d7": "m2", "room": "m4"}, got)
	require.Len(t, marks, 2)
}

// What a service gives back is a dead letter once; what may still be on its way is told again, and what was never ours is nothing.
func TestChannelRefusals(t *testing.T) {
	t.Parallel()
	fake := clock.NewFake(time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC))
	store := modelstest.NewAt(t, fake)
	sc, inst, _ := conversation(t, store)
	ch, err := sc.ConnectChannel(t.Context(), models.NewChannel{InstanceID: inst.ID, Kind: models.WhatsAppChannel})
	require.NoError(t, err)
	_, err = sc.HearChannel(t.Context(), ch.ID, models.Heard{EventID: "1", MessageID: "1", SenderID: "7", Peer: `{"id":"7","direct":true}`, Direct: true, Called: true, Text: "hello"})
	require.NoError(t, err)
	sy := store.AsSystem("test")
	due, err := sy.DueDeliveries(t.Context(), models.DeliveryKinds, 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	c, err := sy.ClaimDelivery(t.Context(), due[0], "w", models.DeliveryKinds)
	require.NoError(t, err)
	refuse := func(id string, at time.Time) error {
		return sc.RefusedByChannel(t.Context(), ch.ID, id, "too late", at)
	}
	require.Equal(t, fault.Unavailable, fault.KindOf(refuse("wamid.1", fake.Now())), "nobody has noted how it is called")
	require.NoError(t, sy.SentByChannel(t.Context(), c, "wamid.1", ""))
	require.Equal(t, fault.Unavailable, fault.KindOf(refuse("wamid.1", fake.Now())), "it is not noted that it was taken")
	_, err = sy.SettleDelivery(t.Context(), c, models.Attempt{Sent: true})
	require.NoError(t, err)
	require.NoError(t, refuse("wamid.other", fake.Now().Add(-2*time.Minute)), "somebody else's")
	for range 2 {
		require.NoError(t, refuse("wamid.1", fake.Now()))
	}
	d, err := sc.Delivery(t.Context(), c.ID)
	require.NoError(t, err)
	require.Equal(t, []any{models.DeliveryDead, "too late"}, []any{d.State, d.Trouble()})
	told, err := sc.Notifications(t.Context(), false, "", 10)
	require.NoError(t, err)
	require.LessOrEqual(t, len(told), 1)
	kind, to := d.Service()
	require.Equal(t, []string{"whatsapp", "7"}, []string{kind, to})
}
