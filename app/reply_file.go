package app

import (
	"context"
	"io"
	"os"

	"github.com/gofiber/fiber/v2"

	"lobstead/kit/fault"
)

// fileHead sets what every answer with a file has: nothing in it is shown or run on our origin.
func fileHead(c *Ctx, name, kind, how, cache string) {
	c.f.Set(fiber.HeaderContentType, kind)
	c.f.Set(fiber.HeaderContentSecurityPolicy, "sandbox; default-src 'none'")
	c.f.Set(fiber.HeaderContentDisposition, how+"; filename*=UTF-8''"+escapeName(name))
	c.f.Set(fiber.HeaderCacheControl, cache)
}

// file answers with bytes that a person stored: always a download, never shown on our origin.
type file struct {
	name, kind string
	data       []byte
	inline     bool // images only: inside a sandbox of its own
}

func (r file) write(c *Ctx) error {
	how := "attachment"
	if r.inline {
		how = "inline"
	}
	fileHead(c, r.name, r.kind, how, "private, max-age=3600")
	return c.f.Send(r.data)
}

// download answers with a file of the disk, which the server closes.
type download struct {
	name, kind string
	from       *os.File
}

func (r download) write(c *Ctx) error {
	size, err := r.from.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = r.from.Seek(0, io.SeekStart)
	}
	if err != nil {
		_ = r.from.Close()
		return err
	}
	fileHead(c, r.name, r.kind, "attachment", "no-store")
	c.f.Context().Response.SetBodyStream(r.from, int(size))
	return nil
}

// piped answers with lines that are still being written; the server closes the reader.
type piped struct {
	name, kind string
	from       io.ReadCloser
}

func (r piped) write(c *Ctx) error {
	fileHead(c, r.name, r.kind, "attachment", "no-store")
	c.f.Context().SetBodyStream(r.from, -1)
	return nil
}

// pipe answers with a file that is written while it is sent; its writer ends when the caller leaves.
func pipe(c *Ctx, name, kind string, write func(context.Context, io.Writer) error) Reply {
	r, w := io.Pipe()
	ctx := c.Context
	go func() {
		defer func() {
			if p := recover(); p != nil {
				_ = w.CloseWithError(fault.New(fault.Internal, "panic", "Server error"))
			}
		}()
		_ = w.CloseWithError(write(ctx, w))
	}()
	return piped{name: name, kind: kind, from: r}
}
