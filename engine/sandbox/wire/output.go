package wire

// DefaultMaxOutput bounds what a Result keeps of each stream when the command does not say.
const DefaultMaxOutput = 1 << 20

// Capture keeps the beginning and the end of a stream and drops its middle: the first lines say what ran,
// the last ones what went wrong.
type Capture struct {
	max     int
	head    []byte
	tail    []byte // a ring once it is full
	at      int
	dropped int64
}

// NewCapture keeps at most limit bytes; 0 means DefaultMaxOutput.
func NewCapture(limit int) *Capture {
	if limit <= 0 {
		limit = DefaultMaxOutput
	}
	return &Capture{max: limit}
}

// Write takes the next piece; it never fails.
func (c *Capture) Write(p []byte) (int, error) {
	n := len(p)
	if room := c.max - c.max/2 - len(c.head); room > 0 {
		k := min(room, len(p))
		c.head = append(c.head, p[:k]...)
		p = p[k:]
	}
	ring := c.max / 2
	if extra := len(p) - ring; extra > 0 {
		c.dropped += int64(extra)
		p = p[extra:]
	}
	if room := ring - len(c.tail); room > 0 {
		k := min(room, len(p))
		c.tail = append(c.tail, p[:k]...)
		p = p[k:]
	}
	for len(p) > 0 {
		k := copy(c.tail[c.at:], p)
		c.at = (c.at + k) % len(c.tail)
		c.dropped += int64(k)
		p = p[k:]
	}
	return n, nil
}

// Truncated tells whether a middle was dropped.
func (c *Capture) Truncated() bool { return c.dropped > 0 }

// String is what was kept.
func (c *Capture) String() string {
	b := make([]byte, 0, len(c.head)+len(c.tail))
	b = append(b, c.head...)
	b = append(b, c.tail[c.at:]...)
	return string(append(b, c.tail[:c.at]...))
}
