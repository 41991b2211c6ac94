package telegramtest

import (
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/go-telegram/bot/models"

	"lobstead/engine/channels/service"
)

func multipart(r *http.Request, in input) error {
	form, err := r.MultipartReader()
	if err != nil {
		return err
	}
	for {
		p, err := form.NextPart()
		if errors.Is(err, io.EOF) { // the library ends a form without fields before it begins
			return nil
		}
		if err != nil {
			return err
		}
		b, err := io.ReadAll(p)
		if err != nil {
			return err
		}
		if p.FileName() == "" {
			in.values[p.FormName()] = string(b)
			continue
		}
		in.files[p.FormName()] = &service.Upload{Name: p.FileName(), MediaType: p.Header.Get("Content-Type"), Data: b}
	}
}

func (s *Server) sendFile(in input, kind string, most int) (any, *wrong) {
	r, err := s.room(in)
	if err != nil {
		return nil, err
	}
	f := in.files[kind]
	switch {
	case f == nil:
		return nil, bad("there is no %s in the request", kind)
	case len(f.Data) == 0:
		return nil, bad("file must be non-empty")
	case len(f.Data) > most:
		return nil, &wrong{code: 413, why: "Request Entity Too Large"}
	case kind == "photo" && !strings.HasPrefix(http.DetectContentType(f.Data), "image/"):
		return nil, bad("IMAGE_PROCESS_FAILED")
	}
	if _, _, err := words(in, "caption", 1024); err != nil {
		return nil, err
	}
	m := r.message(&s.Bot)
	if err := s.ready(r, in, m); err != nil {
		r.drop()
		return nil, err
	}
	m.ours, m.file = true, f
	s.written = append(s.written, m)
	shown := *f
	if kind == "photo" {
		shown.Name = ""
	}
	s.attach(&m.Message, &shown)
	return m.Message, nil
}

func getFile(s *Server, _ *http.Request, in input) (any, *wrong) {
	id := in.values["file_id"]
	f := s.files[id]
	switch {
	case f == nil:
		return nil, bad("invalid file_id")
	case len(f.Data) > 20<<20:
		return nil, bad("file is too big")
	}
	return models.File{FileID: id, FileUniqueID: "u" + id, FileSize: int64(len(f.Data)), FilePath: "documents/" + id}, nil
}

func (s *Server) download(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	f := s.files[strings.TrimPrefix(r.PathValue("path"), "documents/")]
	s.mu.Unlock()
	if r.PathValue("token") != s.Token || f == nil {
		reply(w, http.StatusNotFound, map[string]any{"ok": false, "error_code": 404, "description": "Not Found"})
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	_, _ = w.Write(f.Data)
}
