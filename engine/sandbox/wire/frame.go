// Package wire owns the protocol between the control plane and the hands: framed messages over a stream,
// one call at a time per connection, and the client that speaks it. It must not touch files or processes;
// the daemon's side of each call is package hands.
//
// A frame is one byte of kind, four bytes of big-endian length and a payload. A connection opens with a
// Hello that carries the sandbox's token; then each Call is followed by its body (Data…, End) and is
// answered by any number of Data, Stdout, Stderr and Item frames and exactly one Done or Fault. The codec
// is written by hand because file names are bytes: JSON would mangle those that are not UTF-8.
package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// MaxFrame bounds a payload; a longer one is refused before anything is allocated for it.
const MaxFrame = 1 << 20

// Chunk is how much of a body or of output one frame carries.
const Chunk = 64 << 10

// Kind says what a frame carries.
type Kind byte

// The kinds of frames.
const (
	Hello   Kind = 'h' // client: the token
	CallOp  Kind = 'c' // client: one Call
	Cancel  Kind = 'x' // client: end the running exec, or the terminal with all that it started
	Resize  Kind = 'z' // client: the terminal has another size
	Data    Kind = 'd' // both: a piece of a file or of standard input
	End     Kind = '.' // client: the body is complete
	Stdout  Kind = 'o' // daemon
	Stderr  Kind = 'e' // daemon
	Item    Kind = 'i' // daemon: an Entry or a Match
	Done    Kind = 'r' // daemon: the result of the call
	FaultOp Kind = 'f' // daemon: the call failed
)

// ErrFrame is a stream that does not speak this protocol.
var ErrFrame = errors.New("wire: malformed frame")

const head = 5

// AppendFrame appends a whole frame to b.
func AppendFrame(b []byte, k Kind, payload []byte) []byte {
	b = append(b, byte(k))
	b = binary.BigEndian.AppendUint32(b, uint32(len(payload)))
	return append(b, payload...)
}

// WriteFrame writes a frame in one call to w.
func WriteFrame(w io.Writer, k Kind, payload []byte) error {
	if len(payload) > MaxFrame {
		return fmt.Errorf("%w: %d bytes", ErrFrame, len(payload))
	}
	_, err := w.Write(AppendFrame(make([]byte, 0, head+len(payload)), k, payload))
	return err
}

// Reader reads frames. The payload it returns is valid until the next Read.
type Reader struct {
	r   io.Reader
	buf []byte // read and not yet returned: buf[lo:hi]
	lo  int
	hi  int
}

// NewReader reads frames from r.
func NewReader(r io.Reader) *Reader { return &Reader{r: r, buf: make([]byte, 4<<10)} }

// Read gives the next frame: io.EOF between frames, io.ErrUnexpectedEOF inside one, ErrFrame for garbage.
func (r *Reader) Read() (Kind, []byte, error) {
	if err := r.fill(head); err != nil {
		return 0, nil, err
	}
	k, n := Kind(r.buf[r.lo]), binary.BigEndian.Uint32(r.buf[r.lo+1:])
	if n > MaxFrame || !k.known() {
		return 0, nil, fmt.Errorf("%w: kind %q, %d bytes", ErrFrame, byte(k), n)
	}
	if err := r.fill(head + int(n)); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	p := r.buf[r.lo+head : r.lo+head+int(n)]
	r.lo += head + int(n)
	return k, p, nil
}

// fill reads until n bytes are buffered.
func (r *Reader) fill(n int) error {
	if r.hi-r.lo >= n {
		return nil
	}
	if r.lo+n > len(r.buf) {
		b := r.buf
		if n > len(b) {
			b = make([]byte, max(n, Chunk+head)) // grown once for those that carry data, never for idle ones
		}
		r.hi = copy(b, r.buf[r.lo:r.hi])
		r.lo, r.buf = 0, b
	}
	got, err := io.ReadAtLeast(r.r, r.buf[r.hi:], n-(r.hi-r.lo))
	empty := r.hi == r.lo && got == 0
	r.hi += got
	if err != nil && !empty && errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}

func (k Kind) known() bool {
	switch k {
	case Hello, CallOp, Cancel, Resize, Data, End, Stdout, Stderr, Item, Done, FaultOp:
		return true
	}
	return false
}
