package email

import (
	"bytes"
	"cmp"
	"context"
	"html"
	"io"
	"net/url"
	"strings"
	"time"

	gomail "github.com/emersion/go-message/mail"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/text"
	"lobstead/kit/fault"
)

// maxUpload is the largest file that is sent, in bytes: what most servers take, base64 counted in.
const maxUpload = 25 << 20

// Send sends a mail to the person whose conversation it is. A change is another mail, and a press needs no answer.
func (s *Email) Send(ctx context.Context, a service.Account, m service.Message) (string, error) {
	b, err := settings(a)
	if err != nil {
		return "", err
	}
	to, ok := normal(m.Peer.ID)
	if !ok {
		return "", fault.New(fault.NotFound, "service.gone", "This is no mail address")
	}
	if m.Press != "" && m.Text == "" && m.File == nil {
		return m.Change, nil
	}
	if m.File != nil && len(m.File.Data) > maxUpload {
		return "", fault.New(fault.TooLarge, "service.too_large", "By mail files of at most %d MB are sent", maxUpload>>20)
	}
	id := mailID(b, m.Key, m.Peer.Thread)
	raw, err := compose(b, to, id, m, time.Now())
	if err != nil {
		return "", fault.Wrap(err, fault.Invalid, "service.refused", "The mail cannot be written")
	}
	out, err := s.submit(ctx, a, b)
	if err != nil {
		return "", err
	}
	if err := out.send(b.address, to, raw); err != nil {
		out.cut()
		return "", err
	}
	out.quit()
	return id, nil
}

// compose writes a mail: Markdown as plain text and as HTML, and a file behind it.
func compose(b *box, to, id string, m service.Message, at time.Time) ([]byte, error) {
	var h gomail.Header
	h.SetAddressList("From", []*gomail.Address{{Name: b.name, Address: b.address}})
	h.SetAddressList("To", []*gomail.Address{{Address: to}})
	h.SetDate(at)
	h.SetMessageID(id)
	h.SetSubject(subjectOf(m.Peer))
	threaded(&h, m)
	h.Set("Auto-Submitted", "auto-replied")
	h.Set("X-Auto-Response-Suppress", "All")
	var out bytes.Buffer
	w, err := gomail.CreateWriter(&out, h)
	if err != nil {
		return nil, err
	}
	if err := writeText(w, b, m); err != nil {
		return nil, err
	}
	if m.File != nil {
		if err := writeFile(w, m.File); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return out.Bytes(), err
}

func subjectOf(p service.Peer) string {
	return "Re: " + cmp.Or(clean(answering.ReplaceAllString(p.Name, ""), 500), "your message")
}

// threaded says which mails this one answers: the one it is said to, else the one that began the conversation.
func threaded(h *gomail.Header, m service.Message) {
	var refs []string
	for _, id := range []string{m.Peer.Thread, m.ReplyTo, m.Change} {
		if usable(id) && (len(refs) == 0 || refs[len(refs)-1] != id) {
			refs = append(refs, id)
		}
	}
	if len(refs) > 0 {
		h.SetMsgIDList("References", refs)
		h.SetMsgIDList("In-Reply-To", refs[len(refs)-1:])
	}
}

func writeText(w *gomail.Writer, b *box, m service.Message) error {
	plain, page := text.MailPlain(m.Text), text.MailHTML(m.Text)
	if m.Text == "" && m.File != nil {
		plain = "Attached: " + clean(m.File.Name, 200)
		page = "<p>" + html.EscapeString(plain) + "</p>"
	}
	p, h := choices(b, m)
	plain += p
	page = `<!DOCTYPE html><html><body><div style="font-family:sans-serif;font-size:15px;line-height:1.5">` + page + h + "</div></body></html>"
	parts, err := w.CreateInline()
	if err != nil {
		return err
	}
	for _, one := range []struct{ kind, words string }{{"text/plain", plain + "\n"}, {"text/html", page + "\n"}} {
		var head gomail.InlineHeader
		head.SetContentType(one.kind, map[string]string{"charset": "utf-8"})
		head.Set("Content-Transfer-Encoding", "quoted-printable")
		part, err := parts.CreatePart(head)
		if err != nil {
			return err
		}
		if err := pour(part, []byte(strings.ReplaceAll(one.words, "\n", "\r\n"))); err != nil {
			return err
		}
	}
	return parts.Close()
}

// choices says how to do what buttons do elsewhere: by a line of an answer, which a link writes.
func choices(b *box, m service.Message) (plain, page string) {
	if len(m.Buttons) == 0 {
		return "", ""
	}
	plain, page = "\n\n", "<hr>"
	for _, c := range m.Buttons {
		word := "APPROVE"
		if c.Bad {
			word = "DENY"
		}
		line := word + " " + c.Token
		to := "mailto:" + b.address + "?subject=" + escape(subjectOf(m.Peer)) + "&body=" + escape(line)
		plain += clean(c.Label, 100) + ": reply with this line:\n\n    " + line + "\n\n"
		page += `<p><a href="` + html.EscapeString(to) + `">` + html.EscapeString(clean(c.Label, 100)) + "</a>, or reply with this line: <code>" + html.EscapeString(line) + "</code></p>"
	}
	return strings.TrimRight(plain, "\n"), page
}

// escape writes words into a mailto address, which knows no + for a space.
func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

func writeFile(w *gomail.Writer, f *service.Upload) error {
	var h gomail.AttachmentHeader
	kind := cmp.Or(f.MediaType, "application/octet-stream")
	if strings.HasPrefix(kind, "message/") || strings.HasPrefix(kind, "multipart/") { // which must not be encoded
		kind = "application/octet-stream"
	}
	h.Set("Content-Type", kind)
	if t, params, err := h.ContentType(); err == nil { // written anew, or not at all
		h.SetContentType(t, params)
	} else {
		h.SetContentType("application/octet-stream", nil)
	}
	h.SetFilename(cmp.Or(clean(f.Name, 200), "file"))
	part, err := w.CreateAttachment(h)
	if err != nil {
		return err
	}
	return pour(part, f.Data)
}

func pour(w io.WriteCloser, data []byte) error {
	if _, err := w.Write(data); err != nil {
		return err
	}
	return w.Close()
}
