package wire_test

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/sandbox"
	"lobstead/engine/sandbox/wire"
	"lobstead/kit/fault"
)

func TestCallRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "s")) })
		c := wire.Call{Op: wire.OpExec, Path: s.Draw(t, "path"), To: s.Draw(t, "to"), Offset: rapid.Int64().Draw(t, "offset"),
			Limit: rapid.Int64().Draw(t, "limit"), Mode: rapid.Uint32().Draw(t, "mode"), Recursive: rapid.Bool().Draw(t, "r"),
			Depth: rapid.Int().Draw(t, "depth"), Max: rapid.Int().Draw(t, "max"), Pattern: s.Draw(t, "p"), Glob: s.Draw(t, "g"),
			Command: sandbox.Command{Shell: s.Draw(t, "sh"), Dir: s.Draw(t, "dir"), Timeout: time.Duration(rapid.Int64().Draw(t, "t"))}}
		if argv := rapid.SliceOf(s).Draw(t, "argv"); len(argv) > 0 {
			c.Command.Argv = argv
		}
		if env := rapid.MapOf(s, s).Draw(t, "env"); len(env) > 0 {
			c.Command.Env = env
		}
		got, err := wire.DecodeCall(c.Encode())
		if err != nil {
			t.Fatal(err)
		}
		require.Equal(t, c, got)
	})
}

func TestFaultsKeepKindAndCode(t *testing.T) {
	got := fault.As(wire.DecodeFault(wire.EncodeFault(fault.New(fault.Full, "sandbox.disk_full", "full"))))
	require.Equal(t, fault.Error{Kind: fault.Full, Code: "sandbox.disk_full", Detail: "full"}, *got)
	got = fault.As(wire.DecodeFault(wire.EncodeFault(fault.Wrap(io.ErrShortWrite, fault.Full, "sandbox.disk_full", "full"))))
	require.EqualError(t, got.Err, "short write", "the log tells a quota from a disk")
	require.Equal(t, "sandbox.protocol", fault.As(wire.DecodeFault([]byte{1})).Code)
}

func TestReaderRefusesGarbage(t *testing.T) {
	_, _, err := wire.NewReader(bytes.NewReader([]byte{'d', 255, 255, 255, 255})).Read()
	require.ErrorIs(t, err, wire.ErrFrame)
	_, _, err = wire.NewReader(bytes.NewReader([]byte{'Z', 0, 0, 0, 0})).Read()
	require.ErrorIs(t, err, wire.ErrFrame)
	_, _, err = wire.NewReader(bytes.NewReader([]byte{'d', 0, 0, 0, 2, 1})).Read()
	require.ErrorIs(t, err, io.ErrUnexpectedEOF)
	_, _, err = wire.NewReader(bytes.NewReader(nil)).Read()
	require.ErrorIs(t, err, io.EOF)
}

func TestReaderFrames(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stream []byte
		sizes := rapid.SliceOf(rapid.IntRange(0, 200_000)).Draw(t, "sizes")
		for i, n := range sizes {
			stream = wire.AppendFrame(stream, wire.Data, bytes.Repeat([]byte{byte(i)}, n))
		}
		r := wire.NewReader(bytes.NewReader(stream))
		for i, n := range sizes {
			k, p, err := r.Read()
			if err != nil || k != wire.Data || !bytes.Equal(p, bytes.Repeat([]byte{byte(i)}, n)) {
				t.Fatalf("frame %d of %d bytes: %v", i, n, err)
			}
		}
	})
}

func TestCapture(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 50).Draw(t, "limit")
		c := wire.NewCapture(limit)
		var all []byte
		for _, p := range rapid.SliceOf(rapid.SliceOfN(rapid.Byte(), 0, 80)).Draw(t, "pieces") {
			n, err := c.Write(p)
			if n != len(p) || err != nil {
				t.Fatal(n, err)
			}
			all = append(all, p...)
		}
		want := string(all)
		if len(all) > limit {
			want = string(all[:limit-limit/2]) + string(all[len(all)-limit/2:])
		}
		if c.String() != want || c.Truncated() != (len(all) > limit) {
			t.Fatalf("%q, want %q", c.String(), want)
		}
	})
}

// FuzzDecoders: no bytes make a decoder panic, loop, or take more memory than a frame may hold.
func FuzzDecoders(f *testing.F) {
	call := wire.Call{Op: wire.OpExec, Command: sandbox.Command{Argv: []string{"a"}, Env: map[string]string{"k": "v"}}}
	f.Add(wire.AppendFrame(nil, wire.CallOp, call.Encode()))
	f.Add(wire.AppendFrame(nil, wire.Done, wire.EncodeResult(sandbox.Result{Reason: "x"})))
	f.Add(wire.AppendFrame(nil, wire.Item, wire.EncodeEntry(sandbox.Entry{Path: "p"})))
	f.Fuzz(func(t *testing.T, b []byte) {
		r := wire.NewReader(bytes.NewReader(b))
		for {
			_, p, err := r.Read()
			if err != nil {
				if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, wire.ErrFrame) {
					t.Fatal(err)
				}
				break
			}
			decodeAll(p)
		}
		decodeAll(b)
	})
}

func decodeAll(p []byte) {
	_, _ = wire.DecodeCall(p)
	_, _ = wire.DecodeResult(p)
	_, _ = wire.DecodeFile(p)
	_, _ = wire.DecodeEntry(p)
	_, _ = wire.DecodeMatch(p)
	_, _ = wire.DecodeUsage(p)
	_ = wire.DecodeFault(p)
}
