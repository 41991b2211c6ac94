package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"
)

// Encoder appends values; the zero value is ready.
type Encoder struct{ B []byte }

func (e *Encoder) str(s string) {
	e.B = binary.AppendUvarint(e.B, uint64(len(s)))
	e.B = append(e.B, s...)
}
func (e *Encoder) int(n int64)      { e.B = binary.AppendVarint(e.B, n) }
func (e *Encoder) float(f float64)  { e.B = binary.BigEndian.AppendUint64(e.B, math.Float64bits(f)) }
func (e *Encoder) time(t time.Time) { e.int(t.UnixNano()) }
func (e *Encoder) strs(list []string) {
	e.int(int64(len(list)))
	for _, s := range list {
		e.str(s)
	}
}

func (e *Encoder) bool(b bool) {
	if b {
		e.B = append(e.B, 1)
	} else {
		e.B = append(e.B, 0)
	}
}

func (e *Encoder) env(m map[string]string) {
	e.int(int64(len(m)))
	for k, v := range m {
		e.str(k)
		e.str(v)
	}
}

// Decoder takes values off a payload. After the first malformed one every value is zero and Err tells.
type Decoder struct {
	b   []byte
	err error
}

// NewDecoder decodes b.
func NewDecoder(b []byte) *Decoder { return &Decoder{b: b} }

// Err is nil when all was read and nothing is left.
func (d *Decoder) Err() error {
	if d.err == nil && len(d.b) > 0 {
		return fmt.Errorf("%w: %d bytes left over", ErrFrame, len(d.b))
	}
	return d.err
}

func (d *Decoder) fail(what string) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: bad %s", ErrFrame, what)
	}
	d.b = nil
}

func (d *Decoder) str() string {
	n, w := binary.Uvarint(d.b)
	if w <= 0 || n > uint64(len(d.b)-w) {
		d.fail("string")
		return ""
	}
	s := string(d.b[w : w+int(n)])
	d.b = d.b[w+int(n):]
	return s
}

func (d *Decoder) int() int64 {
	n, w := binary.Varint(d.b)
	if w <= 0 {
		d.fail("number")
		return 0
	}
	d.b = d.b[w:]
	return n
}

func (d *Decoder) bool() bool {
	if len(d.b) == 0 || d.b[0] > 1 {
		d.fail("flag")
		return false
	}
	v := d.b[0] == 1
	d.b = d.b[1:]
	return v
}

func (d *Decoder) float() float64 {
	if len(d.b) < 8 {
		d.fail("float")
		return 0
	}
	f := math.Float64frombits(binary.BigEndian.Uint64(d.b))
	d.b = d.b[8:]
	return f
}

func (d *Decoder) time() time.Time { return time.Unix(0, d.int()).UTC() }

// count reads a length; every element takes a byte at least, which bounds it by what is left.
func (d *Decoder) count() int {
	n := d.int()
	if n < 0 || n > int64(len(d.b)) {
		d.fail("count")
		return 0
	}
	return int(n)
}

func (d *Decoder) strs() []string {
	n := d.count()
	var list []string
	for range n {
		list = append(list, d.str())
	}
	return list
}

func (d *Decoder) env() map[string]string {
	n := d.count()
	if n == 0 {
		return nil
	}
	m := map[string]string{}
	for range n {
		k := d.str()
		m[k] = d.str()
	}
	return m
}
