package sandbox

import (
	"context"
	"errors"
	"io"
	"strconv"
	"strings"

	"lobstead/kit/fault"
)

// Hidden is the workspace's own corner, a directory at its top: what was deleted and can come back, and uploads that
// are not complete. Lists, searches, archives and Walk pass it by; who names it reaches it.
const Hidden = ".lobstead"

// MaxDepth is how many levels of directories a workspace may have. Deeper trees are made only to escape from being counted.
const MaxDepth = 200

// TooDeep refuses what would go deeper: levels counts the directories that are to be at rel, itself included. rel is relative
// to the workspace, and clean.
func TooDeep(rel string, levels int) error {
	if strings.Count(rel, "/")+levels > MaxDepth {
		return fault.New(fault.Invalid, "sandbox.too_deep", "A workspace has at most %d levels of directories, and this would go deeper", MaxDepth)
	}
	return nil
}

// MaxSearched is how many bytes a file may have for a search to read it; a larger one is passed by.
const MaxSearched = 8 << 20

// ErrSearchCut says that a search ended before it had seen everything: there is too much, or too little time.
var ErrSearchCut = fault.New(fault.Timeout, "sandbox.search_cut", "There is more than can be searched at once")

// SearchCut tells whether err is that one, whichever way it came.
func SearchCut(err error) bool {
	f, ok := errors.AsType[*fault.Error](err)
	return ok && f.Code == ErrSearchCut.Code
}

// Seeker is a file that is open for reading.
type Seeker interface {
	io.ReadSeekCloser
	io.ReaderAt
}

// View reads a workspace from outside, whether its sandbox runs or not, and changes nothing. Paths are those of Hands.
type View interface {
	Stat(ctx context.Context, path string) (Entry, error) // of a link itself
	// Open opens a regular file, following links that stay inside; the caller closes it.
	Open(ctx context.Context, path string) (Seeker, Entry, error)
	List(ctx context.Context, path string, depth, max int) ([]Entry, error)
	Search(ctx context.Context, s SearchQuery) ([]Match, error)
	// Index visits every file and link, in order of their paths, but not those below directories of the names in pass.
	// false ends it.
	Index(ctx context.Context, pass []string, visit func(Entry) bool) error
	Close() error
}

// Stamp names a version of a file: another size or time of change gives another one.
func (e Entry) Stamp() string {
	return strconv.FormatInt(e.Time.UnixNano(), 36) + "-" + strconv.FormatInt(e.Size, 36)
}

// Put says how a file is written: whole or not at all, parents are made.
type Put struct {
	Path string
	Mode uint32 // 0 keeps the mode of a replaced file and means 0644 for a new one
	Size int64  // of what follows, exactly
	// New refuses to replace anything (Conflict sandbox.exists), Known to make anything new (NotFound), and Stamp to
	// replace another version than the one named (Conflict sandbox.changed).
	New, Known bool
	Stamp      string
}

// Carry asks for a copy or a move. What is at To stays (Conflict sandbox.exists) unless Overwrite, and then only a file takes
// a file's place and a directory a directory's. It goes to Keep, where nothing is, or with "" for good.
type Carry struct {
	From, To  string
	Overwrite bool
	Keep      string
}

// OtherKind refuses to put a file where a directory is, or a directory where none is; dir tells which one is there.
func OtherKind(p string, dir bool) error {
	if dir {
		return fault.New(fault.Invalid, "sandbox.is_a_directory", "%q is a directory: a file cannot take its place", p)
	}
	return fault.New(fault.Invalid, "sandbox.not_a_directory", "%q is a file: a directory cannot take its place", p)
}

// Archive formats.
const (
	Zip      = "zip"
	Tar      = "tar"
	TarGzip  = "tar.gz"
	TarBzip2 = "tar.bz2"
)

// Pack asks for an archive of files and directories. Names in it begin at the directory that all of them share.
type Pack struct {
	Paths     []string
	To        string
	Format    string
	Level     int // 0 (store) to 9; -1 = the format's default
	Overwrite bool
}

// Packed is what came of it. Skipped are pipes, sockets, devices, and links that lead out of what is packed.
type Packed struct {
	Size           int64
	Files, Skipped int
}

// Unpack asks for the files of an archive below a directory: all of them, or none when one may not be.
type Unpack struct {
	Archive   string
	To        string
	Overwrite bool // files that are there; else Conflict sandbox.exists
}

// Unpacked is what came of it.
type Unpacked struct {
	Files int
	Bytes int64
}
