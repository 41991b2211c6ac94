package hands

import (
	"context"
	"errors"
	"io"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/tree"
	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

// fileCall answers a call about files; each has its verb in package tree.
func (d *daemon) fileCall(c *wire.Call, b *body, w *writer) ([]byte, error) {
	ctx, t := context.Background(), d.tree
	switch c.Op {
	case wire.OpRead:
		return d.read(c, w)
	case wire.OpWrite:
		return nil, t.Put(ctx, sandbox.Put{Path: c.Path, Mode: c.Mode, Size: c.Limit, New: c.New, Known: c.Known, Stamp: c.Stamp}, b)
	case wire.OpAppend:
		return nil, t.Append(ctx, c.Path, c.Offset, b, c.Limit)
	case wire.OpStat:
		n, err := t.Stat(ctx, c.Path)
		return wire.EncodeEntry(n), err
	case wire.OpMkdir:
		return nil, t.Mkdir(ctx, c.Path, c.Recursive, c.Mode)
	case wire.OpChmod:
		return nil, t.Chmod(ctx, c.Path, c.Mode)
	case wire.OpRemove:
		return nil, t.Remove(ctx, c.Path, c.Recursive)
	case wire.OpRename:
		return nil, t.Rename(ctx, c.Path, c.To)
	case wire.OpCopy:
		return nil, t.Copy(ctx, sandbox.Carry{From: c.Path, To: c.To, Overwrite: !c.New, Keep: c.Keep})
	case wire.OpMove:
		return nil, t.Move(ctx, sandbox.Carry{From: c.Path, To: c.To, Overwrite: !c.New, Keep: c.Keep})
	case wire.OpList:
		return nil, d.list(c, w)
	case wire.OpSearch:
		q := sandbox.SearchQuery{Pattern: c.Pattern, Path: c.Path, Glob: c.Glob, Max: min(c.Max, wire.MaxMatches)}
		return nil, t.Search(ctx, q, func(m sandbox.Match) error { return w.frame(wire.Item, wire.EncodeMatch(m)) })
	}
	return nil, fault.New(fault.Invalid, "sandbox.op", "Unknown operation %q", string(c.Op))
}

// archiveCall answers a call about archives: they take long, and have few places of their own.
func (d *daemon) archiveCall(c *wire.Call) ([]byte, error) {
	d.archives <- struct{}{}
	defer func() { <-d.archives }()
	ctx, done := context.WithTimeout(context.Background(), tree.PackWithin)
	defer done()
	if c.Op == wire.OpPack {
		out, err := d.tree.Pack(ctx, sandbox.Pack{Paths: c.Paths, To: c.To, Format: c.Format, Level: c.Depth, Overwrite: !c.New})
		return wire.EncodeCounts(out.Size, int64(out.Files), int64(out.Skipped)), err
	}
	out, err := d.tree.Unpack(ctx, sandbox.Unpack{Archive: c.Path, To: c.To, Overwrite: !c.New})
	return wire.EncodeCounts(int64(out.Files), out.Bytes), err
}

func (d *daemon) list(c *wire.Call, w *writer) error {
	list, err := d.tree.List(context.Background(), c.Path, c.Depth, min(c.Max, wire.MaxEntries))
	if err != nil {
		return err
	}
	for _, n := range list {
		if err := w.frame(wire.Item, wire.EncodeEntry(n)); err != nil {
			return err
		}
	}
	return nil
}

func (d *daemon) read(c *wire.Call, w *writer) ([]byte, error) {
	if err := tree.CheckRange(c.Offset, c.Limit); err != nil {
		return nil, err
	}
	f, info, err := d.tree.OpenFile(c.Path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	left := c.Limit
	if left == 0 || left > wire.MaxRead {
		left = wire.MaxRead
	}
	r := io.NewSectionReader(f, c.Offset, left)
	buf := make([]byte, frameHead+wire.Chunk)
	for {
		n, err := io.ReadFull(r, buf[frameHead:])
		if n > 0 {
			if werr := w.framed(wire.Data, buf[:frameHead+n]); werr != nil {
				return nil, werr
			}
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return nil, fault.Wrap(err, fault.Invalid, "sandbox.path_invalid", "%q cannot be read", c.Path)
		}
	}
	return wire.EncodeFile(sandbox.File{Size: info.Size, Mode: info.Mode, Time: info.Time}), nil
}
