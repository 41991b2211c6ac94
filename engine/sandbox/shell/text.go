package shell

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

func ls(c *call) {
	if len(c.args) == 0 {
		c.args = []string{"."}
	}
	for i, a := range c.args {
		info, err := os.Lstat(c.at(a))
		if err != nil {
			c.fail(err)
			continue
		}
		if !info.IsDir() || c.has("d") {
			c.entry(a, info)
			continue
		}
		if len(c.args) > 1 || c.has("R") {
			if i > 0 {
				c.printf("\n")
			}
			c.printf("%s:\n", a)
		}
		c.listDir(a)
	}
}

func (c *call) listDir(a string) {
	entries, err := os.ReadDir(c.at(a))
	c.fail(err)
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), ".") && !c.has("aA") {
			continue
		}
		if info, err := e.Info(); err == nil {
			c.entry(e.Name(), info)
		}
	}
	for _, e := range entries {
		if c.has("R") && e.IsDir() && (c.has("aA") || !strings.HasPrefix(e.Name(), ".")) {
			c.printf("\n%s:\n", path.Join(a, e.Name()))
			c.listDir(filepath.Join(a, e.Name()))
		}
	}
}

func (c *call) entry(name string, info fs.FileInfo) {
	if !c.has("l") {
		c.printf("%s\n", name)
		return
	}
	c.printf("%s %10d %s %s\n", info.Mode(), info.Size(), info.ModTime().UTC().Format("Jan _2 15:04"), name)
}

func head(c *call) {
	c.each(func(_ string, r io.Reader) error {
		n := c.n
		if n <= 0 {
			return nil
		}
		return lines(r, func(l string) bool { c.printf("%s\n", l); n--; return n > 0 })
	})
}

func tail(c *call) {
	c.each(func(_ string, r io.Reader) error {
		var keep []string
		err := lines(r, func(l string) bool {
			if keep = append(keep, l); len(keep) > c.n {
				keep = keep[1:]
			}
			return true
		})
		for _, l := range keep {
			c.printf("%s\n", l)
		}
		return err
	})
}

func wc(c *call) {
	c.each(func(name string, r io.Reader) error {
		b, err := io.ReadAll(r)
		var out []string
		for _, f := range []struct {
			flag string
			n    int
		}{{"l", strings.Count(string(b), "\n")}, {"w", len(strings.Fields(string(b)))}, {"c", len(b)}} {
			if c.has(f.flag) || !c.has("lwc") {
				out = append(out, strconv.Itoa(f.n))
			}
		}
		if name != "" {
			out = append(out, name)
		}
		c.printf("%s\n", strings.Join(out, " "))
		return err
	})
}

func sortLines(c *call) {
	var all []string
	c.each(func(_ string, r io.Reader) error {
		return lines(r, func(l string) bool { all = append(all, l); return true })
	})
	number := func(s string) float64 {
		f := strings.Fields(s)
		if len(f) == 0 {
			return 0
		}
		n, _ := strconv.ParseFloat(f[0], 64)
		return n
	}
	slices.SortStableFunc(all, func(a, b string) int {
		n := strings.Compare(a, b)
		if c.has("n") {
			n = cmp.Or(cmp.Compare(number(a), number(b)), n)
		}
		if c.has("r") {
			n = -n
		}
		return n
	})
	if c.has("u") {
		all = slices.Compact(all)
	}
	for _, l := range all {
		c.printf("%s\n", l)
	}
}

func grep(c *call) {
	if len(c.args) == 0 {
		c.fail(errors.New("needs a pattern"))
		c.code = 2
		return
	}
	pattern := c.args[0]
	c.args = c.args[1:]
	if c.has("F") {
		pattern = regexp.QuoteMeta(pattern)
	}
	if c.has("w") {
		pattern = `\b(?:` + pattern + `)\b`
	}
	if c.has("i") {
		pattern = "(?i)" + pattern
	}
	re, err := regexp.Compile(pattern)
	if err != nil {
		c.fail(err)
		c.code = 2
		return
	}
	if c.has("rR") {
		c.expandDirs()
	}
	many, found := (len(c.args) > 1 || c.has("rRH")) && !c.has("h"), false
	c.each(func(name string, r io.Reader) error { return c.grepOne(re, name, r, many, &found) })
	if !found && c.code == 0 {
		c.code = 1
	}
}

func (c *call) grepOne(re *regexp.Regexp, name string, r io.Reader, many bool, found *bool) error {
	n, count, prefix := 0, 0, ""
	if many {
		prefix = name + ":"
	}
	err := lines(r, func(l string) bool {
		n++
		if re.MatchString(l) == c.has("v") {
			return true
		}
		count++
		*found = true
		switch {
		case c.has("lq"):
			return false
		case c.has("c"):
		case c.has("o"):
			for _, m := range re.FindAllString(l, -1) {
				c.printf("%s%s\n", prefix, m)
			}
		case c.has("n"):
			c.printf("%s%d:%s\n", prefix, n, l)
		default:
			c.printf("%s%s\n", prefix, l)
		}
		return true
	})
	if c.has("l") && count > 0 {
		c.printf("%s\n", name)
	}
	if c.has("c") {
		c.printf("%s%d\n", prefix, count)
	}
	return err
}

func (c *call) expandDirs() {
	if len(c.args) == 0 {
		c.args = []string{"."}
	}
	var files []string
	for _, a := range c.args {
		_ = filepath.WalkDir(c.at(a), func(p string, e fs.DirEntry, err error) error {
			if err == nil && e.Type().IsRegular() {
				if rel, rerr := filepath.Rel(c.at(a), p); rerr == nil {
					p = path.Join(a, rel)
				}
				files = append(files, p)
			}
			return nil
		})
	}
	c.args = files
}

// find knows paths, -name and -type.
func find(c *call) {
	var roots []string
	name, kind := "", ""
	for i := 0; i < len(c.args); i++ {
		switch a := c.args[i]; {
		case (a == "-name" || a == "-type") && i+1 < len(c.args):
			i++
			if a == "-name" {
				name = c.args[i]
			} else {
				kind = c.args[i]
			}
		case strings.HasPrefix(a, "-"):
			c.fail(fmt.Errorf("unknown test %s", a))
			return
		default:
			roots = append(roots, a)
		}
	}
	if len(roots) == 0 {
		roots = []string{"."}
	}
	for _, root := range roots {
		c.fail(filepath.WalkDir(c.at(root), func(p string, e fs.DirEntry, err error) error {
			if err != nil {
				c.fail(err)
				return nil
			}
			ok, _ := path.Match(name, e.Name())
			if (name == "" || ok) && (kind == "" || kind == "d" == e.IsDir()) {
				rel, _ := filepath.Rel(c.at(root), p)
				if rel == "." {
					c.printf("%s\n", root)
				} else {
					c.printf("%s/%s\n", strings.TrimSuffix(root, "/"), rel)
				}
			}
			return nil
		}))
	}
}

func uname(c *call) {
	host, _ := os.Hostname()
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	machine := map[string]string{"amd64": "x86_64", "arm64": "aarch64"}[runtime.GOARCH]
	all := []struct{ flag, v string }{{"s", "Linux"}, {"n", host}, {"r", strings.TrimSpace(string(release))}, {"m", machine}}
	var out []string
	for _, f := range all {
		if c.has(f.flag) || c.has("a") || (f.flag == "s" && !c.has("snrma")) {
			out = append(out, f.v)
		}
	}
	c.printf("%s\n", strings.Join(out, " "))
}
