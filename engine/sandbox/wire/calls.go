package wire

import (
	"bytes"
	"context"
	"io"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// Bounds of single calls; the daemon enforces them too.
const (
	MaxRead    = 32 << 20  // bytes of one ReadFile
	MaxWrite   = 256 << 20 // bytes of one WriteFile
	MaxEntries = 50_000    // entries of one List
	MaxMatches = 10_000    // matches of one Search
)

// Exec implements sandbox.Hands.
func (c *Client) Exec(ctx context.Context, cmd sandbox.Command, out func(sandbox.Output)) (sandbox.Result, error) {
	stdout, stderr := NewCapture(cmd.MaxOutput), NewCapture(cmd.MaxOutput)
	p, err := c.call(ctx, &Call{Op: OpExec, Command: cmd}, stdin(cmd.Stdin), func(k Kind, b []byte) error {
		keep := stdout
		switch k {
		case Stdout:
		case Stderr:
			keep = stderr
		default:
			return protocol(k, b)
		}
		_, _ = keep.Write(b)
		if out != nil {
			out(sandbox.Output{Stderr: k == Stderr, Data: append([]byte(nil), b...)})
		}
		return nil
	})
	if err != nil {
		return sandbox.Result{ExitCode: -1, Stdout: stdout.String(), Stderr: stderr.String()}, err
	}
	r, err := DecodeResult(p)
	r.Stdout, r.Stderr = stdout.String(), stderr.String()
	r.Truncated = stdout.Truncated() || stderr.Truncated()
	return r, decoded(err)
}

// stdin is a command's input; most have none.
func stdin(b []byte) io.Reader {
	if len(b) == 0 {
		return nil
	}
	return bytes.NewReader(b)
}

// ReadFile implements sandbox.Hands; limit 0 reads to the end, at most MaxRead bytes.
func (c *Client) ReadFile(ctx context.Context, path string, offset, limit int64) (sandbox.File, error) {
	var data []byte
	p, err := c.call(ctx, &Call{Op: OpRead, Path: path, Offset: offset, Limit: limit}, nil, func(k Kind, b []byte) error {
		if k != Data || len(data)+len(b) > MaxRead {
			return protocol(k, b)
		}
		data = append(data, b...)
		return nil
	})
	if err != nil {
		return sandbox.File{}, err
	}
	f, err := DecodeFile(p)
	f.Data = data
	return f, decoded(err)
}

// WriteFile implements sandbox.Hands; mode 0 keeps the mode of a replaced file and means 0644 for a new one.
func (c *Client) WriteFile(ctx context.Context, path string, data []byte, mode uint32) error {
	if len(data) > MaxWrite {
		return tooLarge()
	}
	return c.do(ctx, &Call{Op: OpWrite, Path: path, Mode: mode, Limit: int64(len(data))}, bytes.NewReader(data))
}

func tooLarge() error {
	return fault.New(fault.TooLarge, "sandbox.too_large", "A file written at once may have at most %d MB", MaxWrite>>20)
}

// Remove implements sandbox.Hands.
func (c *Client) Remove(ctx context.Context, path string, recursive bool) error {
	return c.do(ctx, &Call{Op: OpRemove, Path: path, Recursive: recursive}, nil)
}

// Rename implements sandbox.Hands.
func (c *Client) Rename(ctx context.Context, from, to string) error {
	return c.do(ctx, &Call{Op: OpRename, Path: from, To: to}, nil)
}

// Ping implements sandbox.Hands.
func (c *Client) Ping(ctx context.Context) error { return c.do(ctx, &Call{Op: OpPing}, nil) }

// List implements sandbox.Hands.
func (c *Client) List(ctx context.Context, path string, depth, max int) ([]sandbox.Entry, error) {
	list := []sandbox.Entry{}
	_, err := c.call(ctx, &Call{Op: OpList, Path: path, Depth: depth, Max: max}, nil, func(k Kind, b []byte) error {
		if k != Item || len(list) >= MaxEntries {
			return protocol(k, b)
		}
		n, err := DecodeEntry(b)
		list = append(list, n)
		return decoded(err)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Search implements sandbox.Hands.
func (c *Client) Search(ctx context.Context, s sandbox.SearchQuery) ([]sandbox.Match, error) {
	list := []sandbox.Match{}
	req := &Call{Op: OpSearch, Path: s.Path, Pattern: s.Pattern, Glob: s.Glob, Max: s.Max}
	_, err := c.call(ctx, req, nil, func(k Kind, b []byte) error {
		if k != Item || len(list) >= MaxMatches {
			return protocol(k, b)
		}
		m, err := DecodeMatch(b)
		list = append(list, m)
		return decoded(err)
	})
	if sandbox.SearchCut(err) {
		return list, err
	}
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Usage implements sandbox.Hands.
func (c *Client) Usage(ctx context.Context) (sandbox.Usage, error) {
	p, err := c.call(ctx, &Call{Op: OpUsage}, nil, protocol)
	if err != nil {
		return sandbox.Usage{}, err
	}
	u, err := DecodeUsage(p)
	return u, decoded(err)
}

func (c *Client) do(ctx context.Context, req *Call, body io.Reader) error {
	_, err := c.call(ctx, req, body, protocol)
	return err
}

func decoded(err error) error {
	if err != nil {
		return fault.Wrap(err, fault.Unavailable, "sandbox.protocol", "The sandbox answered with garbage")
	}
	return nil
}
