package telegram

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"strings"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// maxUpload is the largest file that a bot may send, and maxPhoto the largest picture that is shown as one, in bytes.
const (
	maxUpload = 50 << 20
	maxPhoto  = 10 << 20
)

// files gives a message's attachments: Telegram has one in each message, an album being several messages.
func files(m *message) []service.File {
	var out []service.File
	add := func(a *attachment, base, kind string) {
		if a == nil || a.FileID == "" {
			return
		}
		f := service.File{Name: a.Name, MediaType: cmp.Or(a.Type, kind), Size: a.Size, Open: open(a.FileID, a.Size)}
		if f.Name == "" {
			f.Name = base + "-" + number(m.ID) + extension(f.MediaType)
		}
		out = append(out, f)
	}
	if n := len(m.Photo); n > 0 { // sizes of one picture, the largest last
		best := &m.Photo[n-1]
		for i := range m.Photo {
			if m.Photo[i].Size > best.Size {
				best = &m.Photo[i]
			}
		}
		add(best, "photo", "image/jpeg")
	}
	if m.Animation == nil { // which comes as a document too
		add(m.Document, "file", "application/octet-stream")
	}
	add(m.Animation, "animation", "video/mp4")
	add(m.Audio, "audio", "audio/mpeg")
	add(m.Voice, "voice", "audio/ogg")
	add(m.Video, "video", "video/mp4")
	add(m.VideoNote, "video", "video/mp4")
	return out
}

var extensions = map[string]string{"image/jpeg": ".jpg", "audio/ogg": ".ogg", "audio/mpeg": ".mp3", "video/mp4": ".mp4", "image/png": ".png", "image/gif": ".gif", "image/webp": ".webp"}

func extension(kind string) string {
	if e, ok := extensions[kind]; ok {
		return e
	}
	if all, err := mime.ExtensionsByType(kind); err == nil && len(all) > 0 {
		return all[0]
	}
	return ""
}

// open fetches a file: its path first, which holds for an hour, then its bytes.
func open(id string, size int64) func(context.Context, service.Account) (io.ReadCloser, error) {
	return func(ctx context.Context, a service.Account) (io.ReadCloser, error) {
		if err := call.Fits(size); err != nil {
			return nil, err
		}
		var file struct {
			Path string `json:"file_path"`
			Size int64  `json:"file_size"`
		}
		if err := invoke(ctx, a, "getFile", map[string]any{"file_id": id}, &file); err != nil {
			return nil, err
		}
		if err := call.Fits(file.Size); err != nil {
			return nil, err
		}
		if file.Path == "" || path.Clean("/"+file.Path) != "/"+file.Path {
			return nil, fault.New(fault.Upstream, "telegram.answer", "Telegram's answer cannot be read")
		}
		parts := strings.Split(file.Path, "/")
		for i := range parts {
			parts[i] = url.PathEscape(parts[i])
		}
		to, err := address(a, "/file/bot", "/"+strings.Join(parts, "/"))
		if err != nil {
			return nil, err
		}
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, to, nil)
		if err != nil {
			return nil, fault.New(fault.Invalid, "service.address", "The address of %s is not valid", name)
		}
		res, err := call.Fetch(name, a.Client, req)
		if err != nil {
			return nil, hide(a, err)
		}
		return res.Body, nil
	}
}

// upload sends a file: a picture as one, everything else, and what Telegram cannot show, as a document.
func upload(ctx context.Context, a service.Account, in map[string]any, f *service.Upload, out any) error {
	if len(f.Data) > maxUpload {
		return fault.New(fault.TooLarge, "service.too_large", "Telegram takes files of at most %d MB", maxUpload>>20)
	}
	if len(f.Data) == 0 {
		return fault.New(fault.Invalid, "service.refused", "Telegram takes no empty files")
	}
	if len(f.Data) <= maxPhoto && (f.MediaType == "image/jpeg" || f.MediaType == "image/png") {
		err := form(ctx, a, "sendPhoto", "photo", in, f, out)
		if why, _ := description(err); !strings.Contains(why, "photo") && !strings.Contains(why, "image") {
			return err
		}
	}
	return form(ctx, a, "sendDocument", "document", in, f, out)
}

func form(ctx context.Context, a service.Account, method, field string, in map[string]any, f *service.Upload, out any) error {
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for k, v := range in {
		s, ok := v.(string)
		if !ok {
			b, err := json.Marshal(v)
			if err != nil {
				return fault.Wrap(err, fault.Internal, "telegram.request", "The request cannot be written")
			}
			s = string(b)
		}
		_ = w.WriteField(k, s) // a buffer takes everything
	}
	head := textproto.MIMEHeader{}
	head.Set("Content-Disposition", multipart.FileContentDisposition(field, cmp.Or(f.Name, "file")))
	head.Set("Content-Type", cmp.Or(f.MediaType, "application/octet-stream"))
	part, _ := w.CreatePart(head)
	_, _ = part.Write(f.Data)
	_ = w.Close()
	return post(ctx, a, method, w.FormDataContentType(), &body, out)
}
