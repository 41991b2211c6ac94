package browsertest

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/slacktest"
	"lobstead/engine/channels/telegramtest"
)

// linkCode is what the page says to send: in Slack without the slash, which its app keeps for itself.
func (b *tab) linkCode() string {
	b.t.Helper()
	b.has("#code .secret code")
	code := b.text(`document.querySelector("#code .secret code").textContent`)
	require.Regexp(b.t, `^/?link [A-Z0-9]{6}$`, code)
	return code
}

// told waits for words of the bot.
func told(t *testing.T, sent func() []servicetest.Sent, words string) {
	t.Helper()
	require.Eventually(t, func() bool {
		for _, s := range sent() {
			if strings.Contains(s.Text, words) {
				return true
			}
		}
		return false
	}, patience, 50*time.Millisecond, "%q was not told", words)
}

// Two channels of an agent, each by its steps: connected, linked, used, switched off, refused, mended, and forgotten. The pages follow
// by themselves.
func TestChannels(t *testing.T) {
	t.Parallel()
	tg, sl := telegramtest.New(t), slacktest.New(t)
	s := start(t, "TELEGRAM_URL="+tg.URL, "SLACK_URL="+sl.URL)
	b := owner(t, s)
	b.open("/instances")
	b.until(`document.querySelector("#instance-rows a")`)
	at := b.text(`document.querySelector("#instance-rows a").getAttribute("href")`) + "/channels"

	b.now("the services")
	b.open(at)
	b.until(`document.querySelectorAll("#channels > li").length === 5`)
	b.judge("channels-none")
	list := b.another()
	list.open(at)

	b.now("Telegram, with a token that is wrong")
	b.click(`#channel-telegram .line-end a`)
	b.has("#connect")
	b.judge("channel-telegram-connect")
	b.allow("HTTP 422", "422 (Unprocessable")
	b.fill("#bot_token", "12345:wrong")
	b.click("#connect [type=submit]")
	b.has("#connect .banner")
	b.judge("channel-telegram-refused")

	b.now("and with the right one")
	b.fill("#bot_token", tg.Token)
	b.click("#connect [type=submit]")
	b.until(`document.querySelector("#standing").innerText.includes("Connected")`)
	list.until(`document.querySelector("#channel-telegram").innerText.includes("Connected")`)
	b.judge("channel-telegram")

	b.now("a code links the reader, and the page hears of it")
	b.click("#link [type=submit]")
	code := b.linkCode()
	b.judge("channel-telegram-code")
	tg.Say("maren", code)
	b.until(`document.querySelector("#linked")?.innerText.includes("owner") && !document.querySelector("#code")`)
	tg.Say("maren", "run `echo hello from afar`")
	told(t, tg.Sent, "hello from afar")
	b.until(`document.querySelector("#standing").innerText.includes("2 sent")`)
	b.judge("channel-telegram-linked")
	b.menus("channel-telegram-linked")

	b.now("it can be told there of what happens")
	b.open("/notifications/preferences")
	b.has("select[name=channel_run_failed]")
	b.text(`document.querySelector("select[name=channel_run_failed]").value = "telegram"`)
	b.judge("notification-channel")
	b.click("form.form [type=submit]")
	b.until(`document.querySelector("#toasts").innerText.includes("Your choices hold")`)
	b.open(at + "/telegram")

	b.now("the live test")
	b.click("#channel-acts > form button")
	b.until(`document.querySelector("#toasts").innerText.includes("Telegram answered as @")`)

	b.now("off and on again")
	b.click("#channel-acts .menu > summary")
	b.click(`#channel-acts form[action$="/off"] button`)
	b.until(`document.querySelector("#standing").innerText.includes("switched off")`)
	b.judge("channel-telegram-off")
	b.click(`#channel-acts > form[action$="/on"] button`)
	b.until(`document.querySelector("#standing").innerText.includes("Connected")`)

	b.now("its token is revoked")
	tg.Revoke()
	b.until(`document.querySelector("#standing .banner.bad")`)
	list.until(`document.querySelector("#channel-telegram").innerText.includes("Failed")`)
	b.judge("channel-telegram-failed")
	b.click("#channel-acts > form button")
	b.until(`document.querySelector("#toasts").innerText.includes("Telegram says")`)

	b.now("it is forgotten")
	b.click("#channel-acts .menu > summary")
	b.click("#channel-acts .menu-ask > summary")
	b.photo("channel-telegram-disconnect")
	b.click(`#channel-acts form[action$="/delete"] button`)
	b.until(`location.pathname.endsWith("/channels")`)
	list.until(`document.querySelector("#channel-telegram").innerText.includes("Connect")`)

	b.now("Slack, without what proves that a message is Slack's")
	b.open(at + "/slack")
	assert.Contains(t, b.text(`document.querySelector("#proof").innerText`), "cannot be enabled")
	b.fill("#bot_token", sl.BotToken)
	b.click("#connect [type=submit]")
	b.has("#connect .banner")
	assert.Contains(t, b.text(`document.querySelector("#connect .banner").innerText`), "cannot be enabled")
	b.judge("channel-slack-unproved")

	b.now("and with it")
	b.fill("#bot_token", sl.BotToken)
	b.fill("#signing_secret", sl.SigningSecret)
	b.click("#connect [type=submit]")
	b.until(`document.querySelector("#standing")?.innerText.includes("Connected") && document.querySelector("#hook")`)
	b.judge("channel-slack")
	hook := b.text(`document.querySelector("#hook dd").innerText.trim()`)
	require.Contains(t, hook, s.base+"/v1/webhooks/channels/")
	sl.Hook(hook)
	b.click("#link [type=submit]")
	sl.Say("maren", b.linkCode())
	b.until(`document.querySelector("#linked")?.innerText.includes("owner")`)
	sl.Say("maren", "run `echo hello from slack`")
	told(t, sl.Sent, "hello from slack")

	b.now("it is refused, mended, and tested")
	sl.Revoke()
	sl.Say("maren", "run `echo later`")
	b.until(`document.querySelector("#standing .banner.bad")`)
	b.judge("channel-slack-failed")
	sl.Restore()
	b.click("#channel-acts > form button")
	b.until(`document.querySelector("#toasts").innerText.includes("it is being connected")`)
	b.until(`document.querySelector("#standing").innerText.includes("Connected")`)

	b.now("it stands in the lists")
	list.judge("channels")
	b.open("/automations?kind=channel")
	b.until(`document.querySelector("#automations").innerText.includes("Slack @")`)
	b.judge("automations-channel")
}
