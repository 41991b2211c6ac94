package tree

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"strings"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
)

const (
	defaultMatches = 200
	maxLine        = 1000 // bytes of a line that are shown
	searchWithin   = 20 * time.Second
)

// Search gives emit the lines that match, in order of their files; it ends with emit's first error. sandbox.ErrSearchCut
// when not all of it was searched: what was emitted until then is true, and not everything.
func (t *Tree) Search(ctx context.Context, q sandbox.SearchQuery, emit func(sandbox.Match) error) error {
	if len(q.Pattern) > 4096 {
		return fault.New(fault.Invalid, "sandbox.pattern", "The pattern is too long")
	}
	re, err := regexp.Compile(q.Pattern)
	if err != nil {
		return fault.Wrap(err, fault.Invalid, "sandbox.pattern", "Not a regular expression (RE2): %s", err.Error())
	}
	if _, err := path.Match(q.Glob, ""); err != nil {
		return fault.New(fault.Invalid, "sandbox.glob", "Not a file name pattern: %q", q.Glob)
	}
	rel, err := t.follow(q.Path)
	if err != nil {
		return err
	}
	ctx, done := context.WithTimeout(ctx, searchWithin)
	defer done()
	s := &searcher{t: t, re: re, glob: q.Glob, left: q.Max, emit: emit}
	if q.Max <= 0 {
		s.left = defaultMatches
	}
	info, err := t.root.Stat(rel)
	if err != nil {
		return pathFault(err, q.Path)
	}
	if !info.IsDir() {
		s.file(rel, info)
		return s.err
	}
	seen, late := 0, false
	err = t.walk(rel, maxDepth, func(p string, info fs.FileInfo) (bool, bool) {
		seen++
		if late = ctx.Err() != nil; late {
			return false, false
		}
		if info.Mode().IsRegular() && s.named(p) {
			s.file(p, info)
		}
		return true, s.left > 0 && s.err == nil
	})
	switch {
	case s.err != nil:
		return s.err
	case err != nil:
		return pathFault(err, q.Path)
	case late || seen >= maxVisited:
		return sandbox.ErrSearchCut
	}
	return nil
}

type searcher struct {
	t    *Tree
	re   *regexp.Regexp
	glob string
	left int
	emit func(sandbox.Match) error
	err  error
}

// named matches the glob against the name, or against the path when the glob has one.
func (s *searcher) named(p string) bool {
	if s.glob == "" {
		return true
	}
	if !strings.Contains(s.glob, "/") {
		p = path.Base(p)
	}
	ok, _ := path.Match(strings.TrimPrefix(s.glob, "./"), p)
	return ok
}

func (s *searcher) file(p string, info fs.FileInfo) {
	if info.Size() > sandbox.MaxSearched {
		return
	}
	f, _, err := s.t.open(p, p)
	if err != nil {
		return
	}
	defer func() { _ = f.Close() }()
	r := bufio.NewReaderSize(io.LimitReader(f, sandbox.MaxSearched), 64<<10)
	if start, _ := r.Peek(8 << 10); bytes.IndexByte(start, 0) >= 0 {
		return // binary
	}
	for n := 1; s.left > 0; n++ {
		line, err := r.ReadSlice('\n')
		whole := line
		if errors.Is(err, bufio.ErrBufferFull) {
			whole = bytes.Clone(line)
		}
		for errors.Is(err, bufio.ErrBufferFull) { // a file without ends of lines is one, as long as a file may be
			line, err = r.ReadSlice('\n')
			whole = append(whole, line...)
		}
		whole = bytes.TrimRight(whole, "\r\n")
		if at := s.re.FindIndex(whole); at != nil && (len(whole) > 0 || err == nil) {
			s.left--
			m := sandbox.Match{Path: p, Line: n, Text: around(whole, at[0], at[1])}
			if s.err = s.emit(m); s.err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// around is so much of a line as is shown: its beginning, or where it matches when that is behind it.
func around(line []byte, from, to int) string {
	if to <= maxLine {
		return string(line[:min(len(line), maxLine)])
	}
	from = max(0, from-maxLine/4)
	return "…" + strings.ToValidUTF8(string(line[from:min(len(line), from+maxLine)]), "")
}
