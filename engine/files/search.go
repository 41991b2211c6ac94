package files

import (
	"context"
	"path"
	"regexp"
	"strconv"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Query asks for files by name, by content, or both.
type Query struct {
	Text          string // in a name with * or ?: a pattern of the whole name
	Path          string
	Names         bool
	Content       bool
	Glob          string // only files whose name matches
	CaseSensitive bool
	Max           int
}

// Found is a file or directory that a search found; Lines are those that match, with their numbers.
type Found struct {
	Entry
	Lines []string
}

// MaxFound is the most that one search gives.
const MaxFound = 1000

const linesEach = 20 // of one file

// Search finds what fits: names first, each file once. more tells that there was more than Max, or more than could be searched.
func (d *Desk) Search(ctx context.Context, i *models.Instance, q Query) (out []Found, more bool, err error) {
	if strings.TrimSpace(q.Text) == "" || len(q.Text) > 500 {
		return nil, false, fault.New(fault.Invalid, "search.query", "Say what to look for, in at most 500 characters")
	}
	if _, err := path.Match(q.Glob, ""); err != nil {
		return nil, false, fault.New(fault.Invalid, "sandbox.glob", "Not a file name pattern: %q", q.Glob)
	}
	if q.Path, err = local(q.Path); err != nil {
		return nil, false, err
	}
	if q.Max <= 0 || q.Max > MaxFound {
		q.Max = MaxFound
	}
	err = d.read(ctx, i, func(v sandbox.View) error {
		out, more, err = q.find(ctx, v)
		for n, f := range out {
			out[n].Entry = spelled(f.Path, f.Entry)
		}
		return said(err, q.Path)
	})
	if len(out) > q.Max {
		return out[:q.Max], true, err
	}
	return out, more, err
}

const maxNames = 100_000 // that one search looks at

// find tells too whether it was cut before it had seen everything.
func (q *Query) find(ctx context.Context, v sandbox.View) (out []Found, cut bool, err error) {
	out, at := []Found{}, map[string]int{}
	if q.Names {
		list, err := v.List(ctx, q.Path, 64, maxNames)
		if err != nil {
			return nil, false, err
		}
		cut = len(list) == maxNames
		for _, e := range list {
			if len(out) <= q.Max && q.named(path.Base(e.Path)) && q.wanted(e) {
				at[e.Path] = len(out)
				out = append(out, Found{Entry: e})
			}
		}
	}
	if !q.Content {
		return out, cut, nil
	}
	pattern := regexp.QuoteMeta(q.Text)
	if !q.CaseSensitive {
		pattern = "(?i)" + pattern
	}
	matches, err := v.Search(ctx, sandbox.SearchQuery{Pattern: pattern, Path: q.Path, Glob: q.Glob, Max: 10 * (q.Max + 1)})
	if sandbox.SearchCut(err) {
		cut, err = true, nil
	}
	if err != nil {
		return nil, false, err
	}
	for _, m := range matches {
		n, ok := at[m.Path]
		if !ok {
			if len(out) > q.Max {
				break
			}
			e, err := v.Stat(ctx, m.Path)
			if err != nil {
				continue
			}
			n = len(out)
			at[m.Path] = n
			out = append(out, Found{Entry: e})
		}
		if len(out[n].Lines) < linesEach {
			out[n].Lines = append(out[n].Lines, strconv.Itoa(m.Line)+": "+strings.ToValidUTF8(m.Text, "�"))
		}
	}
	return out, cut, nil
}

func (q *Query) wanted(e Entry) bool {
	if q.Glob == "" {
		return true
	}
	ok, _ := path.Match(q.Glob, path.Base(e.Path))
	return ok && !e.Dir
}

func (q *Query) named(name string) bool {
	text := q.Text
	if !q.CaseSensitive {
		name, text = strings.ToLower(name), strings.ToLower(text)
	}
	if strings.ContainsAny(text, "*?") {
		ok, err := path.Match(text, name)
		return err == nil && ok
	}
	return strings.Contains(name, text)
}
