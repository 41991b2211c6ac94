package files

import (
	"context"
	"io"
	"mime"
	"net/http"
	"path"
	"strings"
	"unicode/utf8"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/kit/size"
	"lobstead/models"
)

// Limits of what is answered at once.
const (
	MaxEntries = 10_000   // of a list
	MaxText    = 10 << 20 // bytes of a file that is read into memory
)

// Entry is a file, directory or link of the workspace; Path is relative to it.
type Entry = sandbox.Entry

// spelled is an entry at a path of the disk, with names as callers get them.
func spelled(rel string, e Entry) Entry {
	e.Path, e.Link = filename.Spell(rel), filename.Spell(e.Link)
	return e
}

// Stat describes what is at a path; a link is followed, and described as what it leads to. NotFound file.not_found.
func (d *Desk) Stat(ctx context.Context, i *models.Instance, p string) (e Entry, err error) {
	rel, err := local(p)
	if err != nil {
		return e, err
	}
	err = d.read(ctx, i, func(v sandbox.View) error {
		if e, err = v.Stat(ctx, rel); err != nil {
			return said(err, rel)
		}
		e = spelled(rel, e)
		if e.Link == "" {
			return nil
		}
		link := e.Link
		if f, to, ferr := v.Open(ctx, rel); ferr == nil {
			_ = f.Close()
			e = to
		} else if _, lerr := v.List(ctx, rel, 1, 1); lerr == nil {
			e.Dir = true
		}
		e = spelled(rel, e)
		e.Link = link
		return nil
	})
	return e, err
}

// List gives what is in a directory: its own entries, or with recursive all below it. more tells that there were too many.
func (d *Desk) List(ctx context.Context, i *models.Instance, p string, recursive bool) (list []Entry, more bool, err error) {
	rel, err := local(p)
	if err != nil {
		return nil, false, err
	}
	depth := 1
	if recursive {
		depth = 64
	}
	err = d.read(ctx, i, func(v sandbox.View) error {
		list, err = v.List(ctx, rel, depth, MaxEntries+1)
		for n, e := range list {
			list[n] = spelled(e.Path, e)
		}
		return said(err, rel)
	})
	if len(list) > MaxEntries {
		return list[:MaxEntries], true, err
	}
	return list, false, err
}

// Open opens a file for reading; closing it releases all. The entry is of the file itself where the path is a link.
func (d *Desk) Open(ctx context.Context, i *models.Instance, p string) (sandbox.Seeker, Entry, error) {
	rel, err := local(p)
	if err != nil {
		return nil, Entry{}, err
	}
	v, err := d.view(ctx, i)
	if err != nil {
		return nil, Entry{}, err
	}
	f, e, err := v.Open(ctx, rel)
	_ = v.Close()
	return f, spelled(rel, e), said(err, rel)
}

// Content is a whole file in memory.
type Content struct {
	Entry
	Data []byte
	Kind string // media type
}

// Text tells whether the content is text that can be shown and edited as such.
func (c *Content) Text() bool {
	return utf8.Valid(c.Data) && !strings.ContainsRune(string(c.Data[:min(len(c.Data), 8<<10)]), 0)
}

// Read reads a whole file of at most limit bytes: TooLarge file.too_large above.
func (d *Desk) Read(ctx context.Context, i *models.Instance, p string, limit int64) (*Content, error) {
	f, e, err := d.Open(ctx, i, p)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	if e.Size > limit {
		return nil, fault.New(fault.TooLarge, "file.too_large", "%q has %s, and %s are read at once", Full(e.Path), size.Of(e.Size), size.Of(limit)).Hinting("Download it")
	}
	data, err := io.ReadAll(io.LimitReader(f, limit))
	if err != nil {
		return nil, err
	}
	e.Size = int64(len(data))
	return &Content{Entry: e, Data: data, Kind: KindOf(e.Path, data)}, nil
}

// kinds are what the host's tables may lack, or call otherwise from host to host.
var kinds = map[string]string{".go": "text/x-go", ".md": "text/markdown", ".txt": "text/plain", ".json": "application/json", ".yaml": "application/yaml",
	".yml": "application/yaml", ".py": "text/x-python", ".js": "text/javascript", ".ts": "text/typescript", ".csv": "text/csv", ".html": "text/html", ".css": "text/css",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp", ".pdf": "application/pdf",
	".zip": "application/zip", ".gz": "application/gzip", ".tar": "application/x-tar", ".bz2": "application/x-bzip2", ".sh": "text/x-shellscript", ".xml": "application/xml",
	".toml": "application/toml", ".sql": "application/sql"}

// KindOf names a media type by a file's name, else by how it begins.
func KindOf(name string, head []byte) string {
	ext := strings.ToLower(path.Ext(name))
	if k := kinds[ext]; k != "" {
		return k
	}
	k := mime.TypeByExtension(ext)
	if k == "" {
		k = http.DetectContentType(head[:min(len(head), 512)])
	}
	k, _, _ = strings.Cut(k, ";")
	return k
}
