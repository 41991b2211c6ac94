package whatsapp

import (
	"bytes"
	"cmp"
	"context"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"strings"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

type media struct {
	ID      string `json:"id"`
	Type    string `json:"mime_type"`
	Caption string `json:"caption"`
	Name    string `json:"filename"`
}

var endings = map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/webp": ".webp", "audio/ogg": ".ogg", "audio/mpeg": ".mp3",
	"audio/mp4": ".m4a", "audio/aac": ".aac", "audio/amr": ".amr", "video/mp4": ".mp4", "video/3gpp": ".3gp", "application/pdf": ".pdf"}

// files gives a message's attachment.
func files(m message, id string) []service.File {
	for i, f := range []*media{m.Image, m.Video, m.Audio, m.Document, m.Sticker} {
		if f == nil || f.ID == "" {
			continue
		}
		kind, _, err := mime.ParseMediaType(f.Type) // "audio/ogg; codecs=opus"
		if err != nil {
			kind = "application/octet-stream"
		}
		one := service.File{Name: f.Name, MediaType: kind, Open: open(f.ID)}
		if one.Name == "" {
			if len(id) > 8 {
				id = id[len(id)-8:]
			}
			one.Name = []string{"image", "video", "audio", "document", "sticker"}[i] + "-" + strings.Trim(id, "=/+") + endings[kind]
		}
		return []service.File{one}
	}
	return nil
}

// open fetches an attachment: its address first, which holds for five minutes, then its bytes.
func open(id string) func(context.Context, service.Account) (io.ReadCloser, error) {
	return func(ctx context.Context, a service.Account) (io.ReadCloser, error) {
		var got struct {
			URL  string `json:"url"`
			Size int64  `json:"file_size"`
		}
		q := url.Values{"phone_number_id": {a.Value("phone_number_id")}}
		if err := get(ctx, a, "/"+url.PathEscape(id)+"?"+q.Encode(), &got); err != nil {
			return nil, err
		}
		if err := call.Fits(got.Size); err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, got.URL, nil)
		if err != nil || req.URL.Host == "" {
			return nil, fault.New(fault.Upstream, "whatsapp.answer", "WhatsApp's answer cannot be read")
		}
		if trusted(a, req.URL) {
			req.Header.Set("Authorization", "Bearer "+a.Value("access_token"))
		}
		res, err := call.Fetch(name, a.Client, req)
		if err != nil {
			return nil, err
		}
		return res.Body, nil
	}
}

// trusted tells whether an address is Meta's: only those are given the token.
func trusted(a service.Account, u *url.URL) bool {
	if own, err := url.Parse(a.BaseURL); a.BaseURL != "" && err == nil {
		return u.Scheme == own.Scheme && u.Host == own.Host
	}
	host := strings.ToLower(u.Host)
	for _, meta := range []string{"facebook.com", "fbsbx.com", "fbcdn.net", "whatsapp.net", "whatsapp.com"} {
		if u.Scheme == "https" && (host == meta || strings.HasSuffix(host, "."+meta)) {
			return true
		}
	}
	return false
}

// shelf says how WhatsApp shows a kind of file, and the most that it takes of it, in bytes.
type shelf struct {
	as   string
	most int
}

var shelves = map[string]shelf{
	"image/jpeg": {"image", 5 << 20}, "image/png": {"image", 5 << 20},
	"audio/aac": {"audio", 16 << 20}, "audio/mp4": {"audio", 16 << 20}, "audio/mpeg": {"audio", 16 << 20}, "audio/amr": {"audio", 16 << 20}, "audio/ogg": {"audio", 16 << 20},
	"video/mp4": {"video", 16 << 20}, "video/3gpp": {"video", 16 << 20},
	"text/plain": document, "application/pdf": document, "application/msword": document, "application/vnd.ms-excel": document, "application/vnd.ms-powerpoint": document,
	"application/vnd.openxmlformats-officedocument.wordprocessingml.document":   document,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet":         document,
	"application/vnd.openxmlformats-officedocument.presentationml.presentation": document,
}

var document = shelf{"document", 100 << 20}

// place finds the shelf of a file. WhatsApp takes few kinds; what is text goes as plain text under its own name.
func place(f *service.Upload) (shelf, string, error) {
	kind, _, err := mime.ParseMediaType(f.MediaType)
	if err != nil {
		kind = "application/octet-stream"
	}
	sh, ok := shelves[kind]
	if !ok && (strings.HasPrefix(kind, "text/") || strings.HasSuffix(kind, "json") || strings.HasSuffix(kind, "xml") || strings.HasSuffix(kind, "yaml") || kind == "application/javascript" || kind == "application/toml") {
		sh, kind, ok = document, "text/plain", true
	}
	switch {
	case !ok:
		return sh, "", fault.New(fault.Invalid, "whatsapp.file", "WhatsApp does not take files of the kind %s", kind)
	case len(f.Data) == 0:
		return sh, "", fault.New(fault.Invalid, "whatsapp.file", "WhatsApp takes no empty files")
	case len(f.Data) > sh.most:
		return sh, "", fault.New(fault.TooLarge, "service.too_large", "WhatsApp takes at most %d MB of this kind", sh.most>>20)
	}
	return sh, kind, nil
}

// upload hands a file over; it is shown only when a message names its id.
func upload(ctx context.Context, a service.Account, f *service.Upload, kind string) (string, error) {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	_ = w.WriteField("messaging_product", "whatsapp") // a buffer takes everything
	_ = w.WriteField("type", kind)
	head := textproto.MIMEHeader{}
	head.Set("Content-Disposition", multipart.FileContentDisposition("file", cmp.Or(f.Name, "file")))
	head.Set("Content-Type", kind)
	part, _ := w.CreatePart(head)
	_, _ = part.Write(f.Data)
	_ = w.Close()
	var got struct {
		ID string `json:"id"`
	}
	if err := do(ctx, a, http.MethodPost, "/"+a.Value("phone_number_id")+"/media", w.FormDataContentType(), &body, &got); err != nil {
		return "", err
	}
	return got.ID, nil
}
