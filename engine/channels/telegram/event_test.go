package telegram_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// Updates in the forms that Telegram's documents and its bots' logs show.
func TestUpdates(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	const (
		ada   = `"from":{"id":1111111,"is_bot":false,"last_name":"Lovelace","first_name":"Ada","language_code":"en"}`
		alone = `"chat":{"last_name":"Lovelace","id":1111111,"type":"private","first_name":"Ada"}`
		group = `"chat":{"id":-1001234567890,"type":"supergroup","title":"Team","is_forum":true}`
	)
	open := service.Peer{ID: "1111111", Direct: true, Name: "Ada Lovelace", Called: true}
	person := service.Sender{ID: "1111111", Name: "Ada Lovelace"}
	at := time.Unix(1441645532, 0).UTC()
	for _, c := range []struct {
		what, body string
		want       service.Event
	}{
		{"forwarded words", `"message":{"date":1441645532,` + alone + `,"message_id":1365,` + ada + `,"forward_origin":{"type":"hidden_user","sender_user_name":"X","date":1441645550},"text":"/start"}`,
			service.Event{Kind: service.Said, Peer: open, Sender: person, Message: "1365", Text: "/start", At: at}},
		{"a reply", `"message":{"date":1441645532,` + alone + `,"message_id":1366,` + ada + `,"text":"yes","reply_to_message":{"date":1441645000,"chat":{"id":1111111,"type":"private"},"message_id":1334,"text":"Original"}}`,
			service.Event{Kind: service.Said, Peer: open, Sender: person, Message: "1366", ReplyTo: "1334", Text: "yes", At: at}},
		{"an edit", `"edited_message":{"date":1441645000,"edit_date":1441645532,` + alone + `,"message_id":1365,` + ada + `,"text":"Edited"}`,
			service.Event{Kind: service.Edited, Peer: open, Sender: person, Message: "1365", Text: "Edited", At: at}},
		{"a contact", `"message":{"date":1441645532,` + alone + `,"message_id":1,` + ada + `,"contact":{"phone_number":"+49 30 1","first_name":"Bob","user_id":5}}`,
			service.Event{Kind: service.Said, Peer: open, Sender: person, Message: "1", Text: "Contact: Bob, +49 30 1", At: at}},
		{"a place", `"message":{"date":1441645532,` + alone + `,"message_id":1,` + ada + `,"location":{"latitude":52.52,"longitude":13.405}}`,
			service.Event{Kind: service.Said, Peer: open, Sender: person, Message: "1", Text: "Location: 52.520000, 13.405000", At: at}},
		{"a poll", `"message":{"date":1441645532,` + alone + `,"message_id":1,` + ada + `,"poll":{"id":"5","question":"Tea?","options":[{"text":"Yes","voter_count":0},{"text":"No","voter_count":0}]}}`,
			service.Event{Kind: service.Said, Peer: open, Sender: person, Message: "1", Text: "Poll: Tea?\n- Yes\n- No", At: at}},
		{"a sticker", `"message":{"date":1441645532,` + alone + `,"message_id":1,` + ada + `,"sticker":{"file_id":"C","file_unique_id":"D","type":"regular","width":512,"height":512,"is_animated":true,"is_video":false,"emoji":"👍"}}`,
			service.Event{Kind: service.Said, Peer: open, Sender: person, Message: "1", Text: "👍", At: at}},
		{"the first words of a topic, which answer the message that opened it", `"message":{"date":1441645532,` + group + `,"message_id":9,` + ada + `,"message_thread_id":4,"is_topic_message":true,"text":"hi","reply_to_message":{"message_id":4,"date":1,` + group + `,"from":{"id":7654321,"is_bot":true,"first_name":"L"},"forum_topic_created":{"name":"Ops","icon_color":1}}}`,
			service.Event{Kind: service.Said, Peer: service.Peer{ID: "-1001234567890", Thread: "4", Name: "Team"}, Sender: person, Message: "9", Text: "hi", At: at}},
		{"a mention of somebody without a name", `"message":{"date":1441645532,` + group + `,"message_id":9,` + ada + `,"text":"👍 Lobstead go","entities":[{"type":"text_mention","offset":3,"length":8,"user":{"id":7654321,"is_bot":true,"first_name":"Lobstead"}}]}`,
			service.Event{Kind: service.Said, Peer: service.Peer{ID: "-1001234567890", Name: "Team", Called: true}, Sender: person, Message: "9", Text: "👍 go", At: at}},
		{"an anonymous admin", `"message":{"date":1441645532,` + group + `,"message_id":9,"from":{"id":1087968824,"is_bot":true,"first_name":"Group","username":"GroupAnonymousBot"},"sender_chat":{"id":-1001234567890,"type":"supergroup","title":"Team"},"text":"hi"}`,
			service.Event{Kind: service.Said, Peer: service.Peer{ID: "-1001234567890", Name: "Team"}, Sender: service.Sender{ID: "-1001234567890", Name: "Team", Bot: true}, Message: "9", Text: "hi", At: at}},
		{"another bot", `"message":{"date":1441645532,` + group + `,"message_id":9,"from":{"id":5,"is_bot":true,"first_name":"R2","username":"r2"},"text":"hi"}`,
			service.Event{Kind: service.Said, Peer: service.Peer{ID: "-1001234567890", Name: "Team"}, Sender: service.Sender{ID: "5", Name: "@r2", Bot: true}, Message: "9", Text: "hi", At: at}},
		{"a group that took the bot out", `"my_chat_member":{` + group + `,` + ada + `,"date":1441645532,"old_chat_member":{"user":{"id":7654321},"status":"member"},"new_chat_member":{"user":{"id":7654321},"status":"restricted","is_member":false}}`,
			service.Event{Kind: service.Left, Peer: service.Peer{ID: "-1001234567890", Name: "Team"}, Sender: person, At: at}},
	} {
		got, err := r.tg.Receive(r.a, servicetest.Request([]byte(`{"update_id":10000,`+c.body+`}`), time.Now(), map[string]string{"X-Telegram-Bot-Api-Secret-Token": secret}))
		require.NoError(t, err, c.what)
		require.Len(t, got.Events, 1, c.what)
		c.want.ID = "10000"
		require.Equal(t, c.want, got.Events[0], c.what)
	}
	for what, body := range map[string]string{
		"somebody joined":        `"message":{"date":1,` + group + `,"message_id":9,` + ada + `,"new_chat_members":[{"id":5,"is_bot":false,"first_name":"B"}]}`,
		"a post of a channel":    `"message":{"date":1,"chat":{"id":-1,"type":"channel"},"message_id":9,"text":"x"}`,
		"itself":                 `"message":{"date":1,` + alone + `,"message_id":9,"from":{"id":7654321,"is_bot":true,"first_name":"L"},"text":"x"}`,
		"an inline button":       `"callback_query":{"id":"4382bfdwdsb323b2d9",` + ada + `,"inline_message_id":"1234csdbsk4839","chat_instance":"42","data":"Data"}`,
		"the bot was taken in":   `"my_chat_member":{` + group + `,` + ada + `,"date":1,"old_chat_member":{"user":{"id":7654321},"status":"left"},"new_chat_member":{"user":{"id":7654321},"status":"member"}}`,
		"what nobody knows yet":  `"telepathy":{"thought":"hm"}`,
		"an order of goods":      `"shipping_query":{"id":"1",` + ada + `}`,
		"a group that moved":     `"message":{"date":1,` + group + `,"message_id":9,` + ada + `,"migrate_from_chat_id":-77}`,
		"a message of no person": `"message":{"date":1,` + group + `,"message_id":9,"text":"x"}`,
	} {
		got, err := r.tg.Receive(r.a, servicetest.Request([]byte(`{"update_id":10000,`+body+`}`), time.Now(), map[string]string{"X-Telegram-Bot-Api-Secret-Token": secret}))
		require.NoError(t, err, what)
		require.Empty(t, got.Events, what)
	}

	media := map[string]string{
		`"voice":{"file_id":"V","file_unique_id":"v","duration":2,"mime_type":"audio/ogg","file_size":30}`:                                                                                                "voice-5.ogg audio/ogg",
		`"animation":{"file_id":"V","file_name":"g.mp4","mime_type":"video/mp4","file_size":30},"document":{"file_id":"V","file_name":"g.mp4","mime_type":"video/mp4","file_size":30}`:                    "g.mp4 video/mp4",
		`"video_note":{"file_id":"V","length":240,"duration":5,"file_size":30}`:                                                                                                                           "video-5.mp4 video/mp4",
		`"photo":[{"file_id":"a","width":90,"height":90,"file_size":9},{"file_id":"V","width":800,"height":800,"file_size":30},{"file_id":"b","width":300,"height":300,"file_size":20}],"caption":"look"`: "photo-5.jpg image/jpeg",
		`"audio":{"file_id":"V","performer":"X","title":"Y","file_name":"y.mp3","mime_type":"audio/mpeg","file_size":30}`:                                                                                 "y.mp3 audio/mpeg",
	}
	for body, want := range media {
		got, err := r.tg.Receive(r.a, servicetest.Request([]byte(`{"update_id":10000,"message":{"date":1,`+alone+`,"message_id":5,`+ada+`,`+body+`}}`), time.Now(), map[string]string{"X-Telegram-Bot-Api-Secret-Token": secret}))
		require.NoError(t, err)
		require.Len(t, got.Events[0].Files, 1, body)
		f := got.Events[0].Files[0]
		require.Equal(t, want, f.Name+" "+f.MediaType)
		require.EqualValues(t, 30, f.Size)
	}
}
