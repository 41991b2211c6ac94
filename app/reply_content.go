package app

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/engine/sandbox"
)

// content answers with a file of a workspace, whole or the one range that was asked for. It is an attachment in a sandbox
// of its own: what an agent wrote is never a page of ours. Images may be shown, in that sandbox too.
type content struct {
	name, kind string
	from       sandbox.Seeker
	size       int64
	changed    time.Time
	inline     bool
}

func (r content) write(c *Ctx) error {
	how := "attachment"
	if r.inline {
		how = "inline"
	}
	fileHead(c, r.name, r.kind, how, "private, no-cache")
	c.f.Set(fiber.HeaderAcceptRanges, "bytes")
	c.f.Set(fiber.HeaderLastModified, r.changed.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"))
	from, n, ok := byteRange(c.f.Get(fiber.HeaderRange), r.size)
	if !ok {
		_ = r.from.Close()
		c.f.Set(fiber.HeaderContentRange, "bytes */"+strconv.FormatInt(r.size, 10))
		c.f.Response().Header.Del(fiber.HeaderContentDisposition)
		return c.f.SendStatus(fiber.StatusRequestedRangeNotSatisfiable)
	}
	if n < r.size {
		c.f.Status(fiber.StatusPartialContent)
		c.f.Set(fiber.HeaderContentRange, fmt.Sprintf("bytes %d-%d/%d", from, from+n-1, r.size))
	}
	if _, err := r.from.Seek(from, io.SeekStart); err != nil {
		_ = r.from.Close()
		return err
	}
	c.f.Context().Response.SetBodyStream(piece{io.LimitReader(r.from, n), r.from}, int(n))
	return nil
}

// piece is a part of a file; closing it closes the file.
type piece struct {
	io.Reader
	io.Closer
}

// byteRange reads the header Range: where and how many bytes. Several ranges, and other units, are answered with all;
// one that is not in the file is not ok.
func byteRange(header string, size int64) (from, n int64, ok bool) {
	spec, found := strings.CutPrefix(header, "bytes=")
	first, last, dash := strings.Cut(spec, "-")
	if !found || !dash || strings.Contains(spec, ",") {
		return 0, size, true
	}
	a, aerr := strconv.ParseInt(strings.TrimSpace(first), 10, 64)
	b, berr := strconv.ParseInt(strings.TrimSpace(last), 10, 64)
	switch {
	case first == "" && berr == nil && b > 0: // the last b bytes
		n = min(b, size)
		return size - n, n, size > 0
	case aerr != nil || last != "" && berr != nil || last != "" && b < a:
		return 0, size, true
	case a >= size:
		return 0, 0, false
	case last == "":
		return a, size - a, true
	}
	return a, min(b, size-1) - a + 1, true
}
