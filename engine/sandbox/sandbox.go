// Package sandbox owns the contract of the hands: what a driver must do to keep one isolated sandbox per
// instance, and the client of the daemon that runs inside. It knows neither HTTP nor SQL, and it never
// runs anything of an agent outside a sandbox.
package sandbox

import (
	"context"
	"io"
	"os"
	"time"
)

// Spec is what an instance asks of its sandbox. ID is the instance's id.
type Spec struct {
	ID             string
	OrganizationID string
	Limits         Limits
	Env            map[string]string // nothing secret but the instance's own gateway token
}

// Limits come from the instance's tier.
type Limits struct {
	MemoryMB  int // resident memory of all processes together
	StorageMB int // bytes in the workspace
	Processes int // processes and threads together; 0 means the driver's default
	CPUs      float64
}

// State is what a driver observes of a sandbox.
type State string

// A sandbox is absent (nothing kept), stopped (workspace kept, no process) or running.
const (
	Absent  State = "absent"
	Stopped State = "stopped"
	Running State = "running"
)

// Layer is one measure of isolation: applied or not, and if not why.
type Layer struct {
	Name    string `json:"name"` // "user namespace", "landlock", "seccomp", "cgroup memory", …
	Applied bool   `json:"applied"`
	Detail  string `json:"detail,omitempty"`
}

// Isolation is every layer that the driver tried, in order.
type Isolation []Layer

// Usage is a reading of a running sandbox; all processes together.
type Usage struct {
	CPUSeconds  float64 // user and system time since start
	MemoryBytes int64
	DiskBytes   int64 // workspace
	Processes   int
}

// Observed is what is really there.
type Observed struct {
	State     State
	Since     time.Time
	Isolation Isolation
	Usage     Usage
	Reason    string // why it stopped, when it did by itself: "killed: out of memory"
}

// Driver keeps sandboxes on one kind of host. Every method is idempotent and safe for concurrent use; two
// processes on the same host may call it for the same sandbox. Errors are faults (kit/fault).
type Driver interface {
	Name() string
	// Ensure makes the workspace and records the limits; files of an earlier sandbox stay.
	Ensure(ctx context.Context, s Spec) error
	// Start brings the daemon up and waits until it answers; nothing happens when it already does.
	Start(ctx context.Context, id string) error
	// Stop ends every process of the sandbox and keeps its files.
	Stop(ctx context.Context, id string) error
	// Destroy is Stop, then the files are removed.
	Destroy(ctx context.Context, id string) error
	// Observe tells what is there; an unknown id is Absent without an error.
	Observe(ctx context.Context, id string) (Observed, error)
	// Hands opens the daemon of a running sandbox: fault kind Unavailable when it does not run.
	Hands(ctx context.Context, id string) (Hands, error)
	// Walk visits the files and links of a workspace directory by directory, whether the sandbox runs or not, and ends with
	// the first error of visit. It follows no link and runs nothing of the workspace. content is nil for a link and
	// for a file that cannot be read; it ends where the file did when it was opened. Files that come and go
	// meanwhile may be missed. Unknown ids are fault.NotFound.
	Walk(ctx context.Context, id string, visit func(e Entry, content io.Reader) error) error
	// View opens a workspace for reading from outside, whether the sandbox runs or not. Unknown ids are fault.NotFound.
	View(ctx context.Context, id string) (View, error)
	// Keep gives a directory of the host that belongs to the sandbox, that nothing inside can reach, and that goes with
	// Destroy. Unknown ids are fault.NotFound.
	Keep(ctx context.Context, id string) (*os.Root, error)
	// List gives the ids that have a workspace or a process on this host, so that a sweep finds orphans.
	List(ctx context.Context) ([]string, error)
	// Close stops what this process started and releases the host.
	Close() error
}

// Hands is the protocol of the daemon inside, the same over every driver. Paths are relative to the
// workspace or absolute below /workspace; anything that leaves it is fault.Forbidden "sandbox.path".
type Hands interface {
	// Exec runs a command until it ends, its deadline passes, or ctx is cancelled: then the whole
	// process tree is killed and the result says so. out receives output as it comes, in order.
	Exec(ctx context.Context, c Command, out func(Output)) (Result, error)
	// Terminal opens a terminal, or takes over the one of that name; ctx bounds the opening only. TooMany
	// sandbox.terminals when there are MaxTerminals.
	Terminal(ctx context.Context, s TerminalSpec) (Terminal, error)
	ReadFile(ctx context.Context, path string, offset, limit int64) (File, error)
	// WriteFile replaces a file whole or not at all; parents are made. fault.Full when over quota.
	WriteFile(ctx context.Context, path string, data []byte, mode uint32) error
	// Put is WriteFile for a stream and with conditions; body gives exactly p.Size bytes.
	Put(ctx context.Context, p Put, body io.Reader) error
	// Append adds to a file that has exactly offset bytes, else Conflict "sandbox.offset"; at 0 it makes the file.
	Append(ctx context.Context, path string, offset int64, data []byte) error
	// Stat describes a file, a directory or a link itself.
	Stat(ctx context.Context, path string) (Entry, error)
	// Mkdir makes a directory, with those above it when parents is set; Conflict sandbox.exists when it is there.
	Mkdir(ctx context.Context, path string, parents bool, mode uint32) error
	Chmod(ctx context.Context, path string, mode uint32) error
	// Copy copies a file or a whole directory, links as links.
	Copy(ctx context.Context, c Carry) error
	// Move is Rename that replaces nothing that it was not told to, and then directories too.
	Move(ctx context.Context, c Carry) error
	Pack(ctx context.Context, p Pack) (Packed, error)
	Unpack(ctx context.Context, u Unpack) (Unpacked, error)
	Remove(ctx context.Context, path string, recursive bool) error
	Rename(ctx context.Context, from, to string) error
	// List gives entries below path to a depth (1 = direct children), at most max, sorted by path.
	List(ctx context.Context, path string, depth, max int) ([]Entry, error)
	// Search finds lines that match a regular expression (RE2) in text files. When not all could be searched, what was found
	// comes with ErrSearchCut.
	Search(ctx context.Context, s SearchQuery) ([]Match, error)
	Usage(ctx context.Context) (Usage, error)
	Ping(ctx context.Context) error
	Close() error
}

// Command is one exec. Either Shell (run by the sandbox's shell) or Argv is set.
type Command struct {
	Shell   string
	Argv    []string
	Dir     string
	Env     map[string]string
	Stdin   []byte
	Timeout time.Duration // 0 = the daemon's default of two minutes
	// MaxOutput bounds what Result keeps, in bytes; the middle is dropped. out still receives all.
	MaxOutput int
}

// Output is a piece of a running command's output.
type Output struct {
	Stderr bool
	Data   []byte
}

// Result is how a command ended.
type Result struct {
	ExitCode  int // -1 when it was killed
	Stdout    string
	Stderr    string
	Truncated bool
	TimedOut  bool
	Cancelled bool
	Killed    int    // processes that had to be killed
	Reason    string // "out of memory", "disk quota exceeded", "deadline of 2m0s passed"
	Duration  time.Duration
}

// File is a piece of a file.
type File struct {
	Data []byte
	Size int64
	Mode uint32
	Time time.Time
}

// Entry is a file, directory or link of the workspace.
type Entry struct {
	Path string
	Dir  bool
	Link string // target, when it is a symbolic link
	// Special is set for pipes, sockets and devices: nothing reads them.
	Special bool
	// Version changes with every change of a file, in nanoseconds. Views know it, hands do not.
	Version int64
	Size    int64
	Mode    uint32
	Time    time.Time
}

// SearchQuery asks for lines that match Pattern in files below Path whose name matches Glob.
type SearchQuery struct {
	Pattern string
	Path    string
	Glob    string
	Max     int
}

// Match is one found line.
type Match struct {
	Path string
	Line int
	Text string
}
