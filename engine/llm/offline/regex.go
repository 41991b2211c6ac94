package offline

import (
	"regexp"
	"sync"
)

// regex is a regular expression that is compiled when it is first used. The grammar has enough of them to
// cost tens of milliseconds, and the daemon of every sandbox is this same program and needs none.
type regex struct {
	source string
	once   sync.Once
	re     *regexp.Regexp
}

// all lists every expression, so that a server can compile them ahead of the first question.
var all []*regex

func late(source string) *regex {
	r := &regex{source: source}
	all = append(all, r)
	return r
}

// warm compiles what is not compiled yet.
func warm() {
	for _, r := range all {
		r.get()
	}
}

func (r *regex) get() *regexp.Regexp {
	r.once.Do(func() { r.re = regexp.MustCompile(r.source) })
	return r.re
}

func (r *regex) MatchString(s string) bool                  { return r.get().MatchString(s) }
func (r *regex) FindString(s string) string                 { return r.get().FindString(s) }
func (r *regex) FindStringIndex(s string) []int             { return r.get().FindStringIndex(s) }
func (r *regex) FindStringSubmatch(s string) []string       { return r.get().FindStringSubmatch(s) }
func (r *regex) FindAllString(s string, n int) []string     { return r.get().FindAllString(s, n) }
func (r *regex) FindAllStringIndex(s string, n int) [][]int { return r.get().FindAllStringIndex(s, n) }
func (r *regex) FindAllStringSubmatchIndex(s string, n int) [][]int {
	return r.get().FindAllStringSubmatchIndex(s, n)
}
func (r *regex) ReplaceAllString(s, with string) string { return r.get().ReplaceAllString(s, with) }
func (r *regex) ReplaceAllStringFunc(s string, f func(string) string) string {
	return r.get().ReplaceAllStringFunc(s, f)
}
func (r *regex) Split(s string, n int) []string { return r.get().Split(s, n) }
