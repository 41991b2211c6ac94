package sandbox

import "time"

// What every daemon keeps to.
const (
	MaxTerminals   = 8                // of one sandbox at once
	TerminalGrace  = 30 * time.Second // that one which somebody left waits for them to come back
	TerminalIdle   = 30 * time.Minute // without a byte either way
	TerminalScroll = 256 << 10        // bytes of output that who comes back is shown again
	MaxTerminal    = 1000             // rows, and columns
)

// TerminalSpec asks for a terminal with a shell of the sandbox. Session names it: whoever asks for the same one again takes it
// over, and who had it is told so (Conflict sandbox.terminal_taken).
type TerminalSpec struct {
	Session       string
	Rows, Columns int
	Prompt        string // what the shell's prompt begins with; letters, digits, '.', '_' and '-' of it count
}

// Terminal is one end of an open terminal. One goroutine may read while others write.
type Terminal interface {
	// Resumed tells whether the shell ran before, and how many bytes of what it showed come first.
	Resumed() (before bool, replay int)
	// Read gives what the terminal shows; io.EOF when the shell has ended, and a fault when this end was cut off.
	Read(p []byte) (int, error)
	// Write is what a person types.
	Write(p []byte) (int, error)
	Resize(rows, columns int) error
	// Result is how the shell ended, after io.EOF.
	Result() Result
	// Kill ends the shell and everything that was started from it; Close only leaves it.
	Kill() error
	Close() error
}
