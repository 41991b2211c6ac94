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
	"os"
	"path"
	"strconv"
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

// store is what is kept for one sandbox, beside it: contents by their hash, and the snapshots that name them.
type store struct {
	root *os.Root
	room int64 // bytes of contents that may still be added
	// known are the contents by their hash, with how large they are: read from their names, so that thousands cost little.
	known map[string]int64
}

func (s *store) has(hash string) bool {
	_, ok := s.known[hash]
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
	if int64(len(data)) > s.room {
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
	s.room -= int64(len(data))
	s.known[hash] = int64(len(data))
	return hash, false, nil
}

// content reads what was kept; nil when it is not there any more.
func (s *store) content(hash string) []byte {
	size, ok := s.known[hash]
	if !ok {
		return nil
	}
	data, err := s.root.ReadFile(object(hash, size))
	if err != nil {
		return nil
	}
	return data
}

func (s *store) save(name string, snap *snapshot) error {
	var b bytes.Buffer
	z, _ := gzip.NewWriterLevel(&b, gzip.BestSpeed)
	if err := gob.NewEncoder(z).Encode(snap); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	if err := s.root.MkdirAll("snapshots", 0o700); err != nil {
		return err
	}
	temp := path.Join("snapshots", name+".new")
	if err := s.root.WriteFile(temp, b.Bytes(), 0o600); err != nil {
		return err
	}
	return s.root.Rename(temp, path.Join("snapshots", name))
}

// load reads a snapshot; an empty one when there is none.
func (s *store) load(name string) (*snapshot, bool) {
	snap := &snapshot{}
	f, err := s.root.Open(path.Join("snapshots", name))
	if err != nil {
		return snap, false
	}
	defer func() { _ = f.Close() }()
	z, err := gzip.NewReader(f)
	if err == nil {
		err = gob.NewDecoder(io.LimitReader(z, maxSnapshot)).Decode(snap)
	}
	return snap, err == nil
}

// take looks at the workspace. What did not change since last is not read again.
func (s *store) take(ctx context.Context, v sandbox.View, last *snapshot, most int) (*snapshot, error) {
	ctx, done := context.WithTimeout(ctx, snapWithin)
	defer done()
	t := &taking{most: most, ctx: ctx, v: v, s: s, last: last, now: time.Now(), budget: readAtOnce, snap: &snapshot{Items: map[string]item{}}}
	if err := v.Index(ctx, passed, t.visit); err != nil {
		return nil, err
	}
	switch {
	case t.err != nil:
		return nil, t.err
	case t.over:
		return nil, fault.New(fault.TooLarge, "checkpoint.size", "The workspace has more files than are looked at before a turn")
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
	most   int
	unread int
	over   bool
	err    error
}

func (t *taking) visit(e Entry) bool {
	if len(t.snap.Items) >= t.most {
		t.over = true
		return false
	}
	it := item{Size: e.Size, Version: e.Version, Mode: e.Mode, Link: e.Link, Fresh: t.now.Add(-unsettled).UnixNano() < e.Version}
	if e.Link == "" && !e.Special {
		old, ok := t.last.Items[e.Path]
		if ok && !old.Fresh && old.Version == it.Version && old.Size == it.Size && (old.Hash == "" || t.s.has(old.Hash)) && (old.Hash != "" || it.Size > maxKept) {
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
