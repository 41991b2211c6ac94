package discord

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"
	"unicode/utf8"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// Limits of a message (discord.com/developers/docs, Create Message and Components), in characters.
const (
	maxText    = 2000
	maxLabel   = 80
	rowButtons = 5
	maxRows    = 5
)

// noPreviews is SUPPRESS_EMBEDS: a link in an answer must not make Discord fetch it.
const noPreviews = 1 << 2

type outgoing struct {
	Content    string     `json:"content"`
	Nonce      string     `json:"nonce,omitempty"`
	Enforce    bool       `json:"enforce_nonce,omitempty"`
	Flags      int        `json:"flags"`
	Mentions   nobody     `json:"allowed_mentions"`
	Reference  *reference `json:"message_reference,omitempty"`
	Components []row      `json:"components,omitempty"`
	Files      []attached `json:"attachments,omitempty"`
}

// changed is outgoing of an edit, where components that are left out stay.
type changed struct {
	Content    string `json:"content"`
	Flags      int    `json:"flags"`
	Mentions   nobody `json:"allowed_mentions"`
	Components []row  `json:"components"`
}

// nobody is whom a message may notify.
type nobody struct {
	Parse   []string `json:"parse"`
	Replied bool     `json:"replied_user"`
}

type reference struct {
	Message string `json:"message_id"`
	Must    bool   `json:"fail_if_not_exists"`
}

type row struct {
	Type       int      `json:"type"` // 1
	Components []button `json:"components"`
}

type button struct {
	Type  int    `json:"type"`  // 2
	Style int    `json:"style"` // 1 primary, 4 danger
	Label string `json:"label"`
	ID    string `json:"custom_id"`
}

type attached struct {
	ID   int    `json:"id"`
	Name string `json:"filename"`
}

// Send posts a text or a file, or changes a message.
func (s *Service) Send(ctx context.Context, a service.Account, m service.Message) (string, error) {
	if err := fits(m); err != nil {
		return "", err
	}
	to := "/channels/" + url.PathEscape(where(m.Peer)) + "/messages"
	var sent struct {
		ID string `json:"id"`
	}
	if m.Change != "" {
		err := s.do(ctx, a, http.MethodPatch, to+"/"+url.PathEscape(m.Change), changed{Content: m.Text, Flags: noPreviews, Mentions: nobody{Parse: []string{}},
			Components: rows(m.Buttons)}, &sent)
		return sent.ID, err
	}
	out := outgoing{Content: m.Text, Flags: noPreviews, Mentions: nobody{Parse: []string{}}, Components: rows(m.Buttons)}
	if m.Key != "" {
		out.Nonce, out.Enforce = nonce(m.Key), true
	}
	if m.ReplyTo != "" && !m.Peer.Direct {
		out.Reference = &reference{Message: m.ReplyTo}
	}
	if m.File == nil {
		err := s.do(ctx, a, http.MethodPost, to, out, &sent)
		return sent.ID, err
	}
	kind, body, err := form(out, m.File)
	if err != nil {
		return "", fault.Wrap(err, fault.Internal, "service.encode", "The file cannot be encoded")
	}
	err = s.raw(ctx, a, http.MethodPost, to, kind, body, &sent)
	return sent.ID, err
}

// where a conversation's messages go: a thread is a channel of its own.
func where(p service.Peer) string {
	if p.Thread != "" {
		return p.Thread
	}
	return p.ID
}

func fits(m service.Message) error {
	switch {
	case m.Text == "" && m.File == nil:
		return fault.New(fault.Invalid, "service.empty", "There is nothing to send")
	case utf8.RuneCountInString(m.Text) > maxText || len(m.Buttons) > rowButtons*maxRows:
		return fault.New(fault.Invalid, "service.too_long", "Discord takes %d characters and %d buttons in one message", maxText, rowButtons*maxRows)
	}
	return nil
}

// nonce fits Discord's 25 characters.
func nonce(key string) string {
	sum := sha256.Sum256([]byte(key))
	return base64.RawURLEncoding.EncodeToString(sum[:16])
}

func rows(buttons []service.Button) []row {
	out := []row{}
	for i, b := range buttons {
		if i%rowButtons == 0 {
			out = append(out, row{Type: 1})
		}
		label := []rune(b.Label)
		if len(label) > maxLabel {
			label = append(label[:maxLabel-1], '…')
		}
		style := 1
		if b.Bad {
			style = 4
		}
		last := &out[len(out)-1]
		last.Components = append(last.Components, button{Type: 2, Style: style, Label: string(label), ID: b.Token})
	}
	return out
}

// form is a message with a file, as Discord wants it: the JSON in one part and the bytes in another.
func form(out outgoing, f *service.Upload) (kind string, body []byte, err error) {
	file := strings.Map(func(r rune) rune {
		if r < ' ' || strings.ContainsRune(`"\/`, r) {
			return '_'
		}
		return r
	}, f.Name)
	if file == "" {
		file = "file"
	}
	out.Files = []attached{{Name: file}}
	text, err := json.Marshal(out)
	if err != nil {
		return "", nil, err
	}
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	media := f.MediaType
	if media == "" || strings.ContainsAny(media, "\r\n") {
		media = "application/octet-stream"
	}
	for _, p := range []struct {
		head, kind string
		data       []byte
	}{{`name="payload_json"`, "application/json", text}, {`name="files[0]"; filename="` + file + `"`, media, f.Data}} {
		part, err := w.CreatePart(textproto.MIMEHeader{"Content-Disposition": {"form-data; " + p.head}, "Content-Type": {p.kind}})
		if err == nil {
			_, err = part.Write(p.data)
		}
		if err != nil {
			return "", nil, err
		}
	}
	err = w.Close()
	return w.FormDataContentType(), b.Bytes(), err
}

// Typing shows for ten seconds that the bot writes.
func (s *Service) Typing(ctx context.Context, a service.Account, p service.Peer, _ string) error {
	return s.do(ctx, a, http.MethodPost, "/channels/"+url.PathEscape(where(p))+"/typing", nil, nil)
}
