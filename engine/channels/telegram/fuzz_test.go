package telegram_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/telegram"
	"lobstead/engine/channels/telegramtest"
)

// Whatever an update holds, it is read, refused or passed over.
func FuzzReceive(f *testing.F) {
	s := telegramtest.New(f)
	a := servicetest.Account(s.URL, map[string]string{"bot_token": s.Token, "webhook_secret": secret})
	tg := &telegram.Telegram{}
	const message = `"message_id":1,"from":{"id":5},"chat":{"id":-5,"type":"group"},"date":1`
	f.Add([]byte(`{"update_id":7,"message":{` + message + `,"text":"👍 @lobstead_bot x","entities":[{"type":"mention","offset":3,"length":13}]}}`))
	for _, n := range []string{"-1", "9223372036854775807", "14", "0"} {
		for _, m := range []string{"-1", "9223372036854775807", "3", "1"} {
			f.Add(fmt.Appendf(nil, `{"update_id":7,"message":{%s,"text":"👍 @lobstead_bot","entities":[{"type":"mention","offset":%s,"length":%s}]}}`, message, n, m))
		}
	}
	f.Add([]byte(`{"update_id":7,"callback_query":{"id":"1","data":"x","message":{"chat":{}}}}`))
	f.Add([]byte(`{"update_id":7,"my_chat_member":{"new_chat_member":{"status":"left"}}}`))
	f.Add([]byte(`{"update_id":7,"message":{` + message + `,"photo":[{}],"document":{"file_id":"x"},"reply_to_message":{}}}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := tg.Receive(a, servicetest.Request(body, time.Now(), map[string]string{"X-Telegram-Bot-Api-Secret-Token": secret}))
		if err != nil {
			return
		}
		for _, e := range got.Events {
			require.NotEmpty(t, e.ID)
			require.NotEmpty(t, e.Kind)
			require.NotEmpty(t, e.Peer.ID)
		}
	})
}
