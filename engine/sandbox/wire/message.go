package wire

import (
	"errors"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// Op names what a Call asks for.
type Op string

// The operations of the hands.
const (
	OpExec   Op = "exec"
	OpRead   Op = "read"
	OpWrite  Op = "write"
	OpRemove Op = "remove"
	OpRename Op = "rename"
	OpList   Op = "list"
	OpSearch Op = "search"
	OpUsage  Op = "usage"
	OpPing   Op = "ping"
	OpStat   Op = "stat"
	OpAppend Op = "append"
	OpMkdir  Op = "mkdir"
	OpChmod  Op = "chmod"
	OpCopy   Op = "copy"
	OpMove   Op = "move"
	OpPack   Op = "pack"
	OpUnpack Op = "unpack"

	OpTerminal Op = "terminal"
)

// Call is one request; which fields count depends on Op.
type Call struct {
	Op            Op
	Path, To      string
	Offset, Limit int64
	Mode          uint32
	Recursive     bool
	Depth, Max    int
	Pattern, Glob string
	New, Known    bool            // of a write
	Stamp, Format string          // of a write, of an archive
	Keep          string          // of a copy and a move
	Paths         []string        // of an archive
	Command       sandbox.Command // without Stdin, which follows as the body
}

// Body tells whether Data frames and an End follow the call.
func (c *Call) Body() bool {
	return c.Op == OpWrite || c.Op == OpAppend || c.Op == OpExec || c.Op == OpTerminal
}

// Encode gives the payload of a CallOp frame.
func (c *Call) Encode() []byte {
	e := Encoder{B: make([]byte, 0, 128)}
	e.str(string(c.Op))
	e.str(c.Path)
	e.str(c.To)
	e.int(c.Offset)
	e.int(c.Limit)
	e.int(int64(c.Mode))
	e.bool(c.Recursive)
	e.int(int64(c.Depth))
	e.int(int64(c.Max))
	e.str(c.Pattern)
	e.str(c.Glob)
	e.bool(c.New)
	e.bool(c.Known)
	e.str(c.Stamp)
	e.str(c.Format)
	e.str(c.Keep)
	e.strs(c.Paths)
	e.str(c.Command.Shell)
	e.strs(c.Command.Argv)
	e.str(c.Command.Dir)
	e.env(c.Command.Env)
	e.int(int64(c.Command.Timeout))
	return e.B
}

// DecodeCall reads the payload of a CallOp frame.
func DecodeCall(b []byte) (Call, error) {
	d := NewDecoder(b)
	c := Call{Op: Op(d.str()), Path: d.str(), To: d.str(), Offset: d.int(), Limit: d.int(),
		Mode: uint32(d.int()), Recursive: d.bool(), Depth: int(d.int()), Max: int(d.int()),
		Pattern: d.str(), Glob: d.str(), New: d.bool(), Known: d.bool(), Stamp: d.str(), Format: d.str(), Keep: d.str(), Paths: d.strs()}
	c.Command = sandbox.Command{Shell: d.str(), Argv: d.strs(), Dir: d.str(), Env: d.env(),
		Timeout: time.Duration(d.int())}
	return c, d.Err()
}

// EncodeResult gives the Done payload of an exec; output went ahead in its own frames.
func EncodeResult(r sandbox.Result) []byte {
	var e Encoder
	e.int(int64(r.ExitCode))
	e.bool(r.TimedOut)
	e.bool(r.Cancelled)
	e.int(int64(r.Killed))
	e.str(r.Reason)
	e.int(int64(r.Duration))
	return e.B
}

// DecodeResult reads the Done payload of an exec.
func DecodeResult(b []byte) (sandbox.Result, error) {
	d := NewDecoder(b)
	r := sandbox.Result{ExitCode: int(d.int()), TimedOut: d.bool(), Cancelled: d.bool(),
		Killed: int(d.int()), Reason: d.str(), Duration: time.Duration(d.int())}
	return r, d.Err()
}

// EncodeFile gives the Done payload of a read; Data went ahead.
func EncodeFile(f sandbox.File) []byte {
	var e Encoder
	e.int(f.Size)
	e.int(int64(f.Mode))
	e.time(f.Time)
	return e.B
}

// DecodeFile reads the Done payload of a read.
func DecodeFile(b []byte) (sandbox.File, error) {
	d := NewDecoder(b)
	f := sandbox.File{Size: d.int(), Mode: uint32(d.int()), Time: d.time()}
	return f, d.Err()
}

// EncodeEntry gives an Item payload of a list.
func EncodeEntry(n sandbox.Entry) []byte {
	var e Encoder
	e.str(n.Path)
	e.bool(n.Dir)
	e.str(n.Link)
	e.bool(n.Special)
	e.int(n.Size)
	e.int(int64(n.Mode))
	e.time(n.Time)
	return e.B
}

// DecodeEntry reads an Item payload of a list.
func DecodeEntry(b []byte) (sandbox.Entry, error) {
	d := NewDecoder(b)
	n := sandbox.Entry{Path: d.str(), Dir: d.bool(), Link: d.str(), Special: d.bool(), Size: d.int(), Mode: uint32(d.int()),
		Time: d.time()}
	return n, d.Err()
}

// EncodeMatch gives an Item payload of a search.
func EncodeMatch(m sandbox.Match) []byte {
	var e Encoder
	e.str(m.Path)
	e.int(int64(m.Line))
	e.str(m.Text)
	return e.B
}

// DecodeMatch reads an Item payload of a search.
func DecodeMatch(b []byte) (sandbox.Match, error) {
	d := NewDecoder(b)
	m := sandbox.Match{Path: d.str(), Line: int(d.int()), Text: d.str()}
	return m, d.Err()
}

// EncodeUsage gives the Done payload of a usage reading.
func EncodeUsage(u sandbox.Usage) []byte {
	var e Encoder
	e.float(u.CPUSeconds)
	e.int(u.MemoryBytes)
	e.int(u.DiskBytes)
	e.int(int64(u.Processes))
	return e.B
}

// DecodeUsage reads the Done payload of a usage reading.
func DecodeUsage(b []byte) (sandbox.Usage, error) {
	d := NewDecoder(b)
	u := sandbox.Usage{CPUSeconds: d.float(), MemoryBytes: d.int(), DiskBytes: d.int(), Processes: int(d.int())}
	return u, d.Err()
}

// EncodeFault gives the payload of a FaultOp frame; the cause stays in the daemon's side as text.
func EncodeFault(err error) []byte {
	f := fault.As(err)
	var e Encoder
	e.int(int64(f.Kind))
	e.str(f.Code)
	e.str(f.Detail)
	cause := ""
	if f.Err != nil {
		cause = f.Err.Error()
	}
	e.str(cause)
	return e.B
}

// DecodeFault reads the payload of a FaultOp frame.
func DecodeFault(b []byte) error {
	d := NewDecoder(b)
	k, code, detail, cause := d.int(), d.str(), d.str(), d.str()
	if d.Err() != nil || k < 0 || k > int64(fault.Full) {
		return fault.Wrap(ErrFrame, fault.Unavailable, "sandbox.protocol", "The sandbox answered with garbage")
	}
	out := &fault.Error{Kind: fault.Kind(k), Code: code, Detail: detail}
	if cause != "" {
		out.Err = errors.New(cause)
	}
	return out
}

// EncodeCounts gives a Done payload of numbers: what an archive became.
func EncodeCounts(n ...int64) []byte {
	var e Encoder
	for _, x := range n {
		e.int(x)
	}
	return e.B
}

// DecodeCounts reads a Done payload of so many numbers.
func DecodeCounts(b []byte, into ...*int64) error {
	d := NewDecoder(b)
	for _, x := range into {
		*x = d.int()
	}
	return d.Err()
}
