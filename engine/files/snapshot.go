package files

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

// What a snapshot covers. It is taken before a tool changes files, so it may take a moment and no more: what is beyond is
// not known, and said so.
const (
	maxKept     = 2 << 20                 // bytes of a file whose content is kept; a larger one is noted as changed
	maxTracked  = 20_000                  // files and links
	readAtOnce  = 64 << 20                // bytes that one snapshot reads
	readWithin  = 1500 * time.Millisecond // what is left is read before later turns
	snapWithin  = 4 * time.Second
	unsettled   = 50 * time.Millisecond // a file that changed that close to a look may change again without a trace
	keepShare   = 4                     // what is kept takes at most a quarter of the instance's storage, and at most maxStore
	maxStore    = 512 << 20
	maxSnapshot = 64 << 20 // bytes of a record of ours
)

// passed are directories that programs fill by themselves: what is in them is made again by them.
var passed = []string{"node_modules", ".git", ".venv", "venv", "__pycache__", ".cache", ".npm", ".local"}

// item is a file or link as it was seen. Hash names its content; "" = it was not kept.
type item struct {
	Size    int64
	Version int64
	Mode    uint32
	Link    string
	Hash    string
	Fresh   bool // it had changed just before it was seen
}

// snapshot is a workspace as it was at a moment.
type snapshot struct {
	Items map[string]item
	Note  string // what is not covered
}

// store is what is kept for one sandbox, beside it: contents by their hash, and the snapshots that name them. What the
// last snapshot names is there, because a sweep spares it.
type store struct {
	root  *os.Root
	most  int64            // bytes of contents
	known map[string]int64 // contents by their hash, with how large they are; nil until somebody asks
	used  int64            // bytes of those
}

func (s *store) has(hash string) bool {
	_, ok := s.contents()[hash]
	return ok
}

// object is where a content lies.
func object(hash string, size int64) string {
	return path.Join("objects", hash[:2], hash+"."+strconv.FormatInt(size, 10))
}

// add keeps a content; full is true when there is no room for it.
func (s *store) add(data []byte) (hash string, full bool, err error) {
	sum := sha256.Sum256(data)
	hash = hex.EncodeToString(sum[:])
	if s.has(hash) {
		return hash, false, nil
	}
	if s.used+int64(len(data)) > s.most {
		return "", true, nil
	}
	name := object(hash, int64(len(data)))
	temp := name + ".new"
	err = s.root.WriteFile(temp, data, 0o600)
	if errors.Is(err, fs.ErrNotExist) { // the first of its kind
		if err = s.root.MkdirAll(path.Dir(temp), 0o700); err == nil {
			err = s.root.WriteFile(temp, data, 0o600)
		}
	}
	if err != nil {
		return "", false, err
	}
	if err := s.root.Rename(temp, name); err != nil {
		return "", false, err
	}
	s.used += int64(len(data))
	s.known[hash] = int64(len(data))
	return hash, false, nil
}

// content reads what was kept; nil when it is not there any more.
func (s *store) content(hash string) []byte {
	size, ok := s.contents()[hash]
	if !ok {
		return nil
	}
	data, err := s.root.ReadFile(object(hash, size))
	if err != nil {
		return nil
	}
	return data
}

// record is a snapshot as it is written: by columns, which cost a tenth of what rows do.
type record struct {
	Paths           []string
	Sizes, Versions []int64
	Modes           []uint32
	Hashes          []byte // of each, sha256.Size; zeros = it was not kept
	Fresh           []bool
	Links           map[int]string // by their place in Paths
	Note            string
}

func (snap *snapshot) record() record {
	paths := slices.Sorted(maps.Keys(snap.Items))
	n := len(paths)
	r := record{Paths: paths, Sizes: make([]int64, n), Versions: make([]int64, n), Modes: make([]uint32, n), Hashes: make([]byte, n*sha256.Size),
		Fresh: make([]bool, n), Links: map[int]string{}, Note: snap.Note}
	for i, p := range paths {
		it := snap.Items[p]
		r.Sizes[i], r.Versions[i], r.Modes[i], r.Fresh[i] = it.Size, it.Version, it.Mode, it.Fresh
		_, _ = hex.Decode(r.Hashes[i*sha256.Size:], []byte(it.Hash))
		if it.Link != "" {
			r.Links[i] = it.Link
		}
	}
	return r
}

// snapshot is what was recorded; false when the columns do not belong together.
func (r *record) snapshot() (*snapshot, bool) {
	n := len(r.Paths)
	snap := &snapshot{Items: make(map[string]item, n), Note: r.Note}
	if len(r.Sizes) != n || len(r.Versions) != n || len(r.Modes) != n || len(r.Fresh) != n || len(r.Hashes) != n*sha256.Size {
		return snap, false
	}
	hashes, none := hex.EncodeToString(r.Hashes), strings.Repeat("0", 2*sha256.Size)
	for i, p := range r.Paths {
		it := item{Size: r.Sizes[i], Version: r.Versions[i], Mode: r.Modes[i], Fresh: r.Fresh[i], Link: r.Links[i]}
		if h := hashes[2*sha256.Size*i : 2*sha256.Size*(i+1)]; h != none {
			it.Hash = h
		}
		snap.Items[p] = it
	}
	return snap, true
}

func recorded(name string) string { return path.Join("snapshots", name) }

func (s *store) save(name string, snap *snapshot) error {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err := gob.NewEncoder(z).Encode(snap.record()); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := s.root.MkdirAll("snapshots", 0o700); err != nil {
		return err
	}
	temp := recorded(name + ".new")
	if err := s.root.WriteFile(temp, b.Bytes(), 0o600); err != nil {
		return err
	}
	return s.root.Rename(temp, recorded(name))
}

// again gives a record another name too. Records are replaced and never written to, so that both may be one file.
func (s *store) again(name, as string) error {
	_ = s.root.Remove(recorded(as))
	return s.root.Link(recorded(name), recorded(as))
}

// load reads a snapshot; an empty one when there is none.
func (s *store) load(name string) (*snapshot, bool) {
	f, err := s.root.Open(recorded(name))
	if err != nil {
		return &snapshot{}, false
	}
	defer func() { _ = f.Close() }()
	r := record{}
	z, err := gzip.NewReader(f)
	if err == nil {
		err = gob.NewDecoder(io.LimitReader(z, maxSnapshot)).Decode(&r)
	}
	if err != nil {
		return &snapshot{}, false
	}
	return r.snapshot()
}

func (snap *snapshot) same(other *snapshot) bool {
	return snap.Note == other.Note && maps.Equal(snap.Items, other.Items)
}

// take looks at the workspace. What did not change since last is not read again.
func (s *store) take(ctx context.Context, v sandbox.View, last *snapshot) (*snapshot, error) {
	ctx, done := context.WithTimeout(ctx, snapWithin)
	defer done()
	t := &taking{ctx: ctx, v: v, s: s, last: last, now: time.Now(), budget: readAtOnce, snap: &snapshot{Items: make(map[string]item, len(last.Items))}}
	if err := v.Index(ctx, passed, t.visit); err != nil {
		return nil, err
	}
	switch {
	case t.err != nil:
		return nil, t.err
	case t.over:
		return nil, fault.New(fault.TooLarge, "checkpoint.size", "The workspace has more than %d files, which is too much to look at in each turn", maxTracked)
	case ctx.Err() != nil:
		return nil, fault.New(fault.Timeout, "checkpoint.slow", "The workspace could not be looked at in time")
	case t.unread > 0:
		t.snap.Note = "The store of earlier contents is full, or the workspace is too large: not everything can be put back."
	}
	return t.snap, nil
}

type taking struct {
	ctx    context.Context
	v      sandbox.View
	s      *store
	last   *snapshot
	snap   *snapshot
	now    time.Time
	budget int64
	unread int
	over   bool
	err    error
}

func (t *taking) visit(e Entry) bool {
	if len(t.snap.Items) >= maxTracked {
		t.over = true
		return false
	}
	it := item{Size: e.Size, Version: e.Version, Mode: e.Mode, Link: e.Link, Fresh: t.now.Add(-unsettled).UnixNano() < e.Version}
	if e.Link == "" && !e.Special {
		old, ok := t.last.Items[e.Path]
		if ok && !old.Fresh && old.Version == it.Version && old.Size == it.Size && (old.Hash != "" || it.Size > maxKept) {
			it.Hash = old.Hash
		} else {
			t.read(&it, e.Path)
		}
	}
	if !e.Special {
		t.snap.Items[e.Path] = it
	}
	return t.err == nil && t.ctx.Err() == nil
}

// read keeps a file's content, where it is small enough.
func (t *taking) read(it *item, p string) {
	if it.Size > maxKept {
		return
	}
	if it.Size > t.budget || time.Since(t.now) > readWithin {
		t.unread++
		return
	}
	f, e, err := t.v.Open(t.ctx, p)
	if err != nil {
		if !errors.Is(err, fs.ErrPermission) && !fault.Is(err, fault.NotFound) {
			t.unread++
		}
		return
	}
	defer func() { _ = f.Close() }()
	data, err := io.ReadAll(io.LimitReader(f, maxKept+1))
	if err != nil || len(data) > maxKept {
		return
	}
	t.budget -= int64(len(data))
	it.Size, it.Version = int64(len(data)), e.Version
	hash, full, err := t.s.add(data)
	if full {
		t.unread++
	}
	it.Hash, t.err = hash, err
}
