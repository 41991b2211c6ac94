package discordtest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/bwmarrin/discordgo"
	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/discordtest"
	"lobstead/engine/channels/servicetest"
)

// Discord's best known Go library takes our server for Discord: over REST, and over the gateway with a cut. Its addresses are
// variables of the package, so this is one test.
func TestSpeaksWithDiscordgo(t *testing.T) {
	s := discordtest.New(t)
	api := s.URL + "/"
	discordgo.EndpointAPI, discordgo.EndpointGateway = api, api+"gateway"
	discordgo.EndpointGatewayBot, discordgo.EndpointChannels = api+"gateway/bot", api+"channels/"
	discordgo.EndpointUsers, discordgo.EndpointApplications = api+"users/", api+"applications"

	d, err := discordgo.New("Bot " + s.Token)
	require.NoError(t, err)
	d.Identify.Intents = discordgo.IntentsGuildMessages | discordgo.IntentsDirectMessages | discordgo.IntentMessageContent | discordgo.IntentsGuilds
	heard, pressed := make(chan *discordgo.MessageCreate, 10), make(chan *discordgo.InteractionCreate, 10)
	d.AddHandler(func(_ *discordgo.Session, m *discordgo.MessageCreate) { heard <- m })
	d.AddHandler(func(_ *discordgo.Session, i *discordgo.InteractionCreate) { pressed <- i })
	require.NoError(t, d.Open())
	t.Cleanup(func() { _ = d.Close() })

	s.Write(discordtest.Words{User: "ada", Channel: discordtest.General, Text: "hello <@" + discordtest.Bot + ">"})
	m := next(t, heard)
	require.Equal(t, []any{"hello <@" + discordtest.Bot + ">", "ada", discordtest.Bot}, []any{m.Content, m.Author.Username, m.Mentions[0].ID})
	require.Equal(t, discordtest.Bot, d.State.User.ID)
	c, err := d.State.Channel(discordtest.General)
	require.NoError(t, err)
	require.Equal(t, "general", c.Name)

	sent, err := d.ChannelMessageSendComplex(discordtest.General, &discordgo.MessageSend{Content: "May I?", Files: []*discordgo.File{{Name: "a.txt", ContentType: "text/plain", Reader: strings.NewReader("a")}},
		Components: []discordgo.MessageComponent{discordgo.ActionsRow{Components: []discordgo.MessageComponent{discordgo.Button{Label: "Yes", Style: discordgo.DangerButton, CustomID: "yes"}}}}})
	require.NoError(t, err)
	require.Equal(t, "May I?", next(t, heard).Content)
	require.Equal(t, "a.txt", sent.Attachments[0].Filename)
	require.True(t, s.Sent()[0].Buttons[0].Bad)
	s.Press("bob", sent.ID, "yes")
	i := next(t, pressed)
	require.Equal(t, []any{"yes", "bob"}, []any{i.MessageComponentData().CustomID, i.Member.User.Username})
	require.NoError(t, d.InteractionRespond(i.Interaction, &discordgo.InteractionResponse{Type: discordgo.InteractionResponseDeferredMessageUpdate}))
	require.Equal(t, 6, s.Answered(i.ID))
	_, err = d.ChannelMessageEdit(discordtest.General, sent.ID, "Approved")
	require.NoError(t, err)
	require.Equal(t, "Approved", s.Sent()[0].Text)
	_, err = d.ChannelMessageSend("77", "x")
	require.ErrorContains(t, err, "10003")

	s.Cut()
	s.Say("ada", "while you were away")
	require.Equal(t, "while you were away", next(t, heard).Content)
	require.Equal(t, 1, s.Identified())
	servicetest.Until(t, func() bool { return s.Resumed() == 1 })
}

func next[T any](t *testing.T, from chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(20 * time.Second):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}
