package email

import (
	"bytes"
	"context"
	"io"
	"mime"
	"path"
	"strconv"
	"strings"

	"github.com/emersion/go-message"
	gomail "github.com/emersion/go-message/mail"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// body is what is read out of a mail.
type body struct {
	text  string
	files []service.File

	parts int
}

// Bounds of one mail.
const (
	maxMail  = 40 << 20 // bytes: what some 28 MB of attachments become
	maxHead  = 256 << 10
	maxText  = 1 << 20
	maxDepth = 20
	maxParts = 300
)

// readBody reads a whole mail. What is broken in it is left out; an error means that nothing of it can be read.
func readBody(raw []byte) (b *body, err error) {
	defer func() {
		if p := recover(); p != nil { // it is of strangers, and may not take others along
			b, err = nil, fault.New(fault.Invalid, "email.mail", "The mail cannot be read")
		}
	}()
	e, err := message.Read(bytes.NewReader(raw))
	if e == nil {
		return nil, fault.Wrap(err, fault.Invalid, "email.mail", "The mail cannot be read")
	}
	b = &body{}
	b.text = b.entity(e, 0)
	return b, nil
}

// entity gives the words of a part, and keeps its files.
func (b *body) entity(e *message.Entity, depth int) string {
	if b.parts++; depth > maxDepth || b.parts > maxParts {
		return ""
	}
	kind, params, err := e.Header.ContentType()
	if err != nil || kind == "" {
		kind = "text/plain"
	}
	if many := e.MultipartReader(); many != nil {
		return b.many(many, kind, depth)
	}
	file := fileName(e)
	disposition, _, _ := e.Header.ContentDisposition()
	isText := kind == "text/plain" || kind == "text/html"
	if !isText || strings.EqualFold(disposition, "attachment") || file != "" {
		b.file(e, kind, file)
		return ""
	}
	data, _ := io.ReadAll(io.LimitReader(e.Body, maxText)) // what can be read of it
	s := strings.ReplaceAll(strings.ToValidUTF8(string(data), "\uFFFD"), "\r\n", "\n")
	switch {
	case kind == "text/html":
		s = htmlText(s)
	case strings.EqualFold(params["format"], "flowed"):
		s = unflow(s, strings.EqualFold(params["delsp"], "yes"))
	}
	return strings.TrimSpace(s)
}

// many reads the parts of a multipart: of alternatives the plain one counts, else the last that has words.
func (b *body) many(r message.MultipartReader, kind string, depth int) string {
	var texts []string
	plain := ""
	for b.parts < maxParts {
		e, err := r.NextPart()
		if e == nil || err != nil && !message.IsUnknownCharset(err) && !message.IsUnknownEncoding(err) {
			break
		}
		t, _, _ := e.Header.ContentType()
		s := b.entity(e, depth+1)
		if s == "" {
			continue
		}
		if texts = append(texts, s); plain == "" && (t == "text/plain" || t == "") {
			plain = s
		}
	}
	switch {
	case len(texts) == 0:
		return ""
	case kind == "multipart/alternative" && plain != "":
		return plain
	case kind == "multipart/alternative":
		return texts[len(texts)-1]
	}
	return strings.Join(texts, "\n\n")
}

// unsaid are parts that programs put in and nobody reads.
var unsaid = map[string]bool{"application/pgp-signature": true, "application/pkcs7-signature": true, "application/x-pkcs7-signature": true, "application/ms-tnef": true}

func (b *body) file(e *message.Entity, kind, file string) {
	if unsaid[kind] {
		return
	}
	data, err := io.ReadAll(io.LimitReader(e.Body, call.MaxFile+1))
	if err != nil || len(data) == 0 {
		return
	}
	if file == "" {
		file = "attachment-" + strconv.Itoa(len(b.files)+1) + extension(kind)
	}
	b.files = append(b.files, service.File{Name: file, MediaType: kind, Size: int64(len(data)), Open: func(context.Context, service.Account) (io.ReadCloser, error) {
		if err := call.Fits(int64(len(data))); err != nil {
			return nil, err
		}
		return io.NopCloser(bytes.NewReader(data)), nil
	}})
}

// fileName gives the name of a part, without anything that could lead out of a folder.
func fileName(e *message.Entity) string {
	h := gomail.AttachmentHeader{Header: e.Header}
	file, err := h.Filename()
	if err != nil && file == "" {
		return ""
	}
	if plain, err := words.DecodeHeader(file); err == nil {
		file = plain
	}
	file = clean(path.Base(strings.ReplaceAll(file, "\\", "/")), 200)
	if file == "." || file == "/" || file == ".." {
		return ""
	}
	return file
}

var extensions = map[string]string{"message/rfc822": ".eml", "image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif", "text/calendar": ".ics", "text/csv": ".csv", "application/pdf": ".pdf"}

func extension(kind string) string {
	if e, ok := extensions[kind]; ok {
		return e
	}
	if all, err := mime.ExtensionsByType(kind); err == nil && len(all) > 0 {
		return all[0]
	}
	return ""
}

// unflow joins the lines that a program broke (RFC 3676).
func unflow(s string, delsp bool) string {
	var b strings.Builder
	flowing, depth := false, 0
	for l := range strings.SplitSeq(s, "\n") {
		d := len(l) - len(strings.TrimLeft(l, ">"))
		rest := strings.TrimPrefix(l[d:], " ")
		if d > 0 && !flowing || d != depth {
			if b.Len() > 0 {
				b.WriteByte('\n')
			}
			if d > 0 {
				b.WriteString(strings.Repeat(">", d) + " ")
			}
		} else if !flowing && b.Len() > 0 {
			b.WriteByte('\n')
		}
		depth = d
		flowing = strings.HasSuffix(rest, " ") && rest != "-- "
		if flowing && delsp {
			rest = rest[:len(rest)-1]
		}
		b.WriteString(rest)
	}
	return b.String()
}
