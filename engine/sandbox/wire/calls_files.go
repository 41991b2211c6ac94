package wire

import (
	"bytes"
	"context"
	"io"

	"lobstead/engine/sandbox"
)

// Put implements sandbox.Hands.
func (c *Client) Put(ctx context.Context, p sandbox.Put, body io.Reader) error {
	if p.Size > MaxWrite {
		return tooLarge()
	}
	return c.do(ctx, &Call{Op: OpWrite, Path: p.Path, Mode: p.Mode, Limit: p.Size, New: p.New, Known: p.Known, Stamp: p.Stamp}, body)
}

// Append implements sandbox.Hands.
func (c *Client) Append(ctx context.Context, path string, offset int64, data []byte) error {
	if len(data) > MaxWrite {
		return tooLarge()
	}
	return c.do(ctx, &Call{Op: OpAppend, Path: path, Offset: offset, Limit: int64(len(data))}, bytes.NewReader(data))
}

// Stat implements sandbox.Hands.
func (c *Client) Stat(ctx context.Context, path string) (sandbox.Entry, error) {
	p, err := c.call(ctx, &Call{Op: OpStat, Path: path}, nil, protocol)
	if err != nil {
		return sandbox.Entry{}, err
	}
	e, err := DecodeEntry(p)
	return e, decoded(err)
}

// Mkdir implements sandbox.Hands.
func (c *Client) Mkdir(ctx context.Context, path string, parents bool, mode uint32) error {
	return c.do(ctx, &Call{Op: OpMkdir, Path: path, Recursive: parents, Mode: mode}, nil)
}

// Chmod implements sandbox.Hands.
func (c *Client) Chmod(ctx context.Context, path string, mode uint32) error {
	return c.do(ctx, &Call{Op: OpChmod, Path: path, Mode: mode}, nil)
}

// Copy implements sandbox.Hands.
func (c *Client) Copy(ctx context.Context, q sandbox.Carry) error {
	return c.do(ctx, &Call{Op: OpCopy, Path: q.From, To: q.To, New: !q.Overwrite, Keep: q.Keep}, nil)
}

// Move implements sandbox.Hands.
func (c *Client) Move(ctx context.Context, q sandbox.Carry) error {
	return c.do(ctx, &Call{Op: OpMove, Path: q.From, To: q.To, New: !q.Overwrite, Keep: q.Keep}, nil)
}

// Pack implements sandbox.Hands.
func (c *Client) Pack(ctx context.Context, q sandbox.Pack) (out sandbox.Packed, err error) {
	p, err := c.call(ctx, &Call{Op: OpPack, Paths: q.Paths, To: q.To, Format: q.Format, Depth: q.Level, New: !q.Overwrite}, nil, protocol)
	if err != nil {
		return out, err
	}
	var files, skipped int64
	err = DecodeCounts(p, &out.Size, &files, &skipped)
	out.Files, out.Skipped = int(files), int(skipped)
	return out, decoded(err)
}

// Unpack implements sandbox.Hands.
func (c *Client) Unpack(ctx context.Context, q sandbox.Unpack) (out sandbox.Unpacked, err error) {
	p, err := c.call(ctx, &Call{Op: OpUnpack, Path: q.Archive, To: q.To, New: !q.Overwrite}, nil, protocol)
	if err != nil {
		return out, err
	}
	var files int64
	err = DecodeCounts(p, &files, &out.Bytes)
	out.Files = int(files)
	return out, decoded(err)
}
