package models_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/secret"
	"lobstead/models"
)

// linked connects a bot to the office's agent, and links somebody to it by a code.
func (o *office) linked(who *models.Scope, kind models.ChannelKind, sender string) *models.Channel {
	o.t.Helper()
	ctx := o.t.Context()
	ch, err := o.owner.ConnectChannel(ctx, models.NewChannel{InstanceID: o.inst.ID, Kind: kind, Secrets: map[string]secret.String{"bot_token": secret.Of("7:token")}})
	require.NoError(o.t, err)
	code, _, err := who.NewLinkCode(ctx, ch.ID)
	require.NoError(o.t, err)
	_, err = o.store.In(o.owner.Org).HearChannel(ctx, ch.ID, models.Heard{EventID: "link " + sender, MessageID: "1", Peer: `{"id":"` + sender + `"}`, Direct: true, Called: true, SenderID: sender, Sender: sender, Text: "/link " + code})
	require.NoError(o.t, err)
	return ch
}

// messages writes what is due, and gives the texts of the messages about notifications that wait.
func (o *office) messages() []models.Delivery {
	o.t.Helper()
	require.NoError(o.t, o.sy.WriteNotifications(o.t.Context()))
	rows, err := o.owner.Deliveries(o.t.Context(), models.DeliveryFilter{Kind: models.ChannelDelivery, State: models.DeliveryPending, Limit: 100})
	require.NoError(o.t, err)
	out := []models.Delivery{}
	for _, r := range rows {
		if d, err := o.owner.Delivery(o.t.Context(), r.ID); err == nil && d.AboutKind == "notification" {
			out = append(out, *d)
		}
	}
	return out
}

func (o *office) text(d models.Delivery) string {
	o.t.Helper()
	p, err := d.Channel()
	require.NoError(o.t, err)
	return p.Markdown
}

// Who is linked to an account can be told by it: at once, and no more than once an hour of the same thing; none of it when they choose
// otherwise, are linked no more, or have read it.
func TestNotificationsByChannel(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	choose := func(kind models.ChannelKind) {
		require.NoError(t, o.sy.ChooseNotifications(t.Context(), o.mel.Actor.UserID, []models.NotificationChoice{{Kind: models.NoteRunFailed, Channel: kind, Digest: models.DigestOnce}}))
	}
	require.ErrorContains(t, o.sy.ChooseNotifications(t.Context(), o.mel.Actor.UserID, []models.NotificationChoice{{Kind: models.NoteRunFailed, Channel: "pigeon", Digest: models.DigestOnce}}), "invalid")
	a := o.automation(o.mel)
	choose(models.TelegramChannel)
	o.fails(o.mel, a, "nobody is linked")
	require.Empty(t, o.messages())
	ch := o.linked(o.mel, models.TelegramChannel, "555")
	kinds, err := o.mel.LinkedKinds(t.Context())
	require.NoError(t, err)
	require.Equal(t, []models.ChannelKind{models.TelegramChannel}, kinds)
	kinds, err = o.owner.LinkedKinds(t.Context())
	require.NoError(t, err)
	require.Empty(t, kinds, "another person's account is theirs")
	require.Empty(t, o.messages(), "what was not sent then is not sent later")

	o.fails(o.mel, a, "the *model* did not answer, see [here](http://evil.example)")
	got := o.messages()
	require.Len(t, got, 1)
	require.Equal(t, "telegram 555", got[0].Destination)
	require.Equal(t, ch.ID, got[0].TargetID)
	require.Contains(t, o.text(got[0]), "Nightly report")
	require.Contains(t, o.text(got[0]), "(2 times)")
	require.Contains(t, o.text(got[0]), lettersAt+"/notifications/"+o.told(o.mel)[0].ID)
	require.NotContains(t, o.text(got[0]), "](http", "what others wrote stays text")
	require.Empty(t, o.mailed()["mel@example.com"], "no letter was chosen")
	for range 3 {
		o.clock.Add(10 * time.Minute)
		o.fails(o.mel, a, "again")
		require.Len(t, o.messages(), 1, "an hour has not gone by")
	}
	o.clock.Add(31 * time.Minute)
	got = o.messages()
	require.Len(t, got, 2)
	require.Contains(t, o.text(got[0])+o.text(got[1]), "(5 times)")

	o.fails(o.mel, a, "read in time")
	require.NoError(t, o.mel.ReadAllNotifications(t.Context()))
	o.clock.Add(2 * time.Hour)
	require.Len(t, o.messages(), 2)
	choose("")
	o.fails(o.mel, a, "not wanted")
	require.Len(t, o.messages(), 2)
	choose(models.TelegramChannel)
	_, err = o.owner.SwitchChannel(t.Context(), ch.ID, false)
	require.NoError(t, err)
	o.fails(o.mel, a, "switched off")
	o.clock.Add(2 * time.Hour)
	require.Len(t, o.messages(), 2)
}

// A message that dies is told to those who can mend it, and not by a message.
func TestDeadMessagesAreToldOtherwise(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	o.linked(o.owner, models.TelegramChannel, "1")
	o.linked(o.mel, models.TelegramChannel, "555")
	for who, kind := range map[*models.Scope]models.NotificationKind{o.mel: models.NoteRunFailed, o.owner: models.NoteDeliveryDead} {
		require.NoError(t, o.sy.ChooseNotifications(t.Context(), who.Actor.UserID, []models.NotificationChoice{{Kind: kind, Channel: models.TelegramChannel, Mail: true, Digest: models.DigestOnce}}))
	}
	o.fails(o.mel, o.automation(o.mel), "x")
	got := o.messages()
	require.Len(t, got, 1)
	var c *models.Claim
	for c == nil { // the answer to the link code is ahead of it in its lane
		ids, err := o.sy.DueDeliveries(t.Context(), []models.DeliveryKind{models.ChannelDelivery}, 10)
		require.NoError(t, err)
		require.NotEmpty(t, ids)
		for _, id := range ids {
			claimed, err := o.sy.ClaimDelivery(t.Context(), id, "w", models.DeliveryKinds)
			require.NoError(t, err)
			if id == got[0].ID {
				c = claimed
				continue
			}
			_, err = o.sy.SettleDelivery(t.Context(), claimed, models.Attempt{Sent: true})
			require.NoError(t, err)
		}
	}
	_, err := o.sy.SettleDelivery(t.Context(), c, models.Attempt{Permanent: true, Error: "the bot was blocked"})
	require.NoError(t, err)
	dead := o.told(o.owner)[0]
	require.Equal(t, models.NoteDeliveryDead, dead.Kind)
	require.Nil(t, dead.ChatAt)
	require.NotNil(t, dead.MailAt)
	require.Empty(t, o.messages())
	_, err = o.owner.ReplayDelivery(t.Context(), c.ID)
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(o.messages()[0].Destination, "telegram"))
}
