package telegramtest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-telegram/bot"
	"github.com/go-telegram/bot/models"
	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/telegramtest"
)

// The service's own library drives the server: what it cannot read or send, Telegram would not speak either.
func TestTheLibrarySpeaksWithIt(t *testing.T) {
	t.Parallel()
	s := telegramtest.New(t)
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan *models.Update, 10)
	b, err := bot.New(s.Token, bot.WithServerURL(s.URL), bot.WithDefaultHandler(func(_ context.Context, _ *bot.Bot, u *models.Update) { heard <- u }),
		bot.WithHTTPClient(time.Second, &http.Client{Timeout: 5 * time.Second}), bot.WithErrorsHandler(func(error) {}))
	require.NoError(t, err)
	done := make(chan struct{})
	go func() { b.Start(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })

	s.Say("ada", "/start@lobstead_bot now")
	u := <-heard
	require.Equal(t, "/start@lobstead_bot now", u.Message.Text)
	require.Equal(t, models.MessageEntityTypeBotCommand, u.Message.Entities[0].Type)
	chat := u.Message.Chat.ID

	m, err := b.SendMessage(ctx, &bot.SendMessageParams{ChatID: chat, Text: "<b>Hi</b> &lt;you&gt; 👍<i>x</i>", ParseMode: models.ParseModeHTML,
		ReplyParameters: &models.ReplyParameters{MessageID: u.Message.ID},
		ReplyMarkup:     &models.InlineKeyboardMarkup{InlineKeyboard: [][]models.InlineKeyboardButton{{{Text: "Yes", CallbackData: "y"}, {Text: "No", CallbackData: "n"}}}}})
	require.NoError(t, err)
	require.Equal(t, "Hi <you> 👍x", m.Text)
	require.Equal(t, []models.MessageEntity{{Type: "bold", Offset: 0, Length: 2}, {Type: "italic", Offset: 11, Length: 1}}, m.Entities)
	require.Equal(t, u.Message.ID, m.ReplyToMessage.ID)

	s.Press("ada", s.Sent()[0].Peer, s.Sent()[0].ID, 1)
	u = <-heard
	require.Equal(t, "n", u.CallbackQuery.Data)
	require.Equal(t, m.ID, u.CallbackQuery.Message.Message.ID)
	ok, err := b.AnswerCallbackQuery(ctx, &bot.AnswerCallbackQueryParams{CallbackQueryID: u.CallbackQuery.ID})
	require.NoError(t, err)
	require.True(t, ok)
	m, err = b.EditMessageText(ctx, &bot.EditMessageTextParams{ChatID: chat, MessageID: m.ID, Text: "Denied"})
	require.NoError(t, err)
	require.Nil(t, m.ReplyMarkup)
	_, err = b.EditMessageText(ctx, &bot.EditMessageTextParams{ChatID: chat, MessageID: m.ID, Text: "Denied"})
	require.ErrorContains(t, err, "message is not modified")

	_, err = b.SendDocument(ctx, &bot.SendDocumentParams{ChatID: chat, Document: &models.InputFileUpload{Filename: "a.txt", Data: strings.NewReader("hello")}})
	require.NoError(t, err)
	s.Attach("ada", "look", service.Upload{Name: "b.txt", MediaType: "text/plain", Data: []byte("there")})
	u = <-heard
	f, err := b.GetFile(ctx, &bot.GetFileParams{FileID: u.Message.Document.FileID})
	require.NoError(t, err)
	res, err := http.Get(b.FileDownloadLink(f))
	require.NoError(t, err)
	got, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, "there", string(got))

	s.Block("ada")
	u = <-heard
	require.Equal(t, models.ChatMemberTypeBanned, u.MyChatMember.NewChatMember.Type)
	_, err = b.SendMessage(ctx, &bot.SendMessageParams{ChatID: chat, Text: "x"})
	require.ErrorIs(t, err, bot.ErrorForbidden)
	_, err = b.SendMessage(ctx, &bot.SendMessageParams{ChatID: 5, Text: "x"})
	require.ErrorIs(t, err, bot.ErrorBadRequest)
	s.RateLimit(1, 3*time.Second)
	_, err = b.SendMessage(ctx, &bot.SendMessageParams{ChatID: chat, Text: "x"})
	require.True(t, bot.IsTooManyRequestsError(err))

	servicetest.Until(t, func() bool { return s.Pending() == 0 })
	cancel()
	<-done
	ctx = t.Context()
	s.Say("bob", "kept")
	require.Equal(t, 1, s.Pending())
	hook, err := bot.New(s.Token, bot.WithServerURL(s.URL), bot.WithWebhookSecretToken("sss"), bot.WithDefaultHandler(func(_ context.Context, _ *bot.Bot, u *models.Update) { heard <- u }))
	require.NoError(t, err)
	web := servicetest.Door(t, door{hook.WebhookHandler()}, service.Account{}, nil)
	again, stop := context.WithCancel(ctx)
	defer stop()
	go hook.StartWebhook(again)
	_, err = hook.SetWebhook(ctx, &bot.SetWebhookParams{URL: web, SecretToken: "sss"})
	require.NoError(t, err)
	require.Equal(t, "kept", (<-heard).Message.Text)
	servicetest.Until(t, func() bool { return s.Pending() == 0 })
	info, err := hook.GetWebhookInfo(ctx)
	require.NoError(t, err)
	require.Equal(t, web, info.URL)

	s.Revoke()
	_, err = hook.GetMe(ctx)
	require.ErrorIs(t, err, bot.ErrorUnauthorized)
}

// door hands requests to the library's handler.
type door struct{ next http.Handler }

func (d door) Receive(_ service.Account, r service.Request) (service.Received, error) {
	req, err := http.NewRequest(r.Method, "http://x/", bytes.NewReader(r.Body))
	if err != nil {
		return service.Received{}, err
	}
	req.Header.Set("X-Telegram-Bot-Api-Secret-Token", r.Header("X-Telegram-Bot-Api-Secret-Token"))
	d.next.ServeHTTP(discard{http.Header{}}, req)
	return service.Received{}, nil
}

type discard struct{ h http.Header }

func (d discard) Header() http.Header         { return d.h }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

func (door) Fields() []service.Field                                             { return nil }
func (door) Split(string) []string                                               { return nil }
func (door) Typing(context.Context, service.Account, service.Peer, string) error { return nil }
func (door) Check(context.Context, service.Account) (service.Profile, error) {
	return service.Profile{}, nil
}
func (door) Send(context.Context, service.Account, service.Message) (string, error) {
	return "", nil
}

func TestStrictHTML(t *testing.T) {
	t.Parallel()
	for in, why := range map[string]string{"<b>x": "can't find end tag", "x</b>": "unexpected end tag", "<b><i>x</b></i>": "unmatched end tag", "<script>": "unsupported start tag", "a < b": "unsupported start tag"} {
		_, _, err := telegramtest.ParseHTML(in)
		require.ErrorContains(t, err, why, in)
	}
}
