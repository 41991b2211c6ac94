package app

import (
	"context"
	"time"

	"lobstead/kit/fault"
	"lobstead/static"
)

// Health answers operators' tools and serves the program's own files.
type Health struct{ *App }

// Alive says that the process answers.
func (*Health) Alive(*Ctx) (Reply, error) { return text("ok\n"), nil }

// Ready says that it can do its work: the database answers. Redis is not asked: without it everything still
// completes.
func (h *Health) Ready(c *Ctx) (Reply, error) {
	ctx, cancel := context.WithTimeout(c, 2*time.Second)
	defer cancel()
	if err := h.Store.Ping(ctx); err != nil {
		h.Log.Error("not ready", "error", err)
		return unready("database does not answer\n"), nil
	}
	return text("ok\n"), nil
}

// Asset serves an embedded file.
func (*Health) Asset(c *Ctx) (Reply, error) {
	f, ok := static.Open(c.f.Params("*"))
	if !ok {
		return nil, fault.NotFoundf("asset")
	}
	return asset{f}, nil
}

// Favicon is asked for by browsers whatever the page says.
func (*Health) Favicon(*Ctx) (Reply, error) {
	f, ok := static.Open("icon-32.png")
	if !ok {
		return nil, fault.NotFoundf("asset")
	}
	return asset{f}, nil
}
