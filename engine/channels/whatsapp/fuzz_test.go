package whatsapp_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/whatsapp"
	"lobstead/engine/channels/whatsapptest"
)

// Whatever a delivery holds, it is read, refused or passed over.
func FuzzReceive(f *testing.F) {
	s := whatsapptest.New(f)
	a := servicetest.Account(s.URL, map[string]string{"phone_number_id": s.Number, "app_secret": s.Secret})
	wa := &whatsapp.WhatsApp{}
	for _, m := range []string{`{"from":"1","id":"w","type":"text","text":{"body":"x"}}`, `{"from":"1","id":"w","type":"edit","edit":{"message":{"edit":{"message":null}}}}`,
		`{"id":"w","interactive":{"button_reply":{}}}`, `{"from":"1","id":"w","image":{"id":"5","mime_type":";;"}}`, `{"from":"1","id":"w","contacts":[{}]}`, `null`, `[]`, `7`} {
		f.Add(delivery(s.Number, `"contacts":[{"wa_id":"1"}],"messages":[`+m+`]`))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		got, err := wa.Receive(a, servicetest.Request(body, time.Now(), map[string]string{"X-Hub-Signature-256": s.Sign(body)}))
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
