package shell

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"mvdan.cc/sh/v3/expand"
)

var commands map[string]func(*call)

func init() { // an initializer would be a cycle: none of these calls another, but the compiler cannot know
	commands = map[string]func(*call){"ls": ls, "cat": cat, "mkdir": mkdir, "rm": rm, "rmdir": rmdir, "cp": cp, "mv": mv,
		"head": head, "tail": tail, "wc": wc, "grep": grep, "env": env, "uname": uname, "date": date, "touch": touch,
		"sleep": sleep, "sort": sortLines, "basename": basename, "dirname": dirname, "find": find, "tee": tee,
		"chmod": chmod, "ln": ln, "whoami": whoami, "id": id, "hostname": hostname}
}

// each runs f over the named files, or over standard input when none is named.
func (c *call) each(f func(name string, r io.Reader) error) {
	if len(c.args) == 0 {
		c.fail(f("", c.in))
	}
	for _, a := range c.args {
		if a == "-" {
			c.fail(f(a, c.in))
			continue
		}
		file, err := os.Open(c.at(a))
		if err != nil {
			c.fail(err)
			continue
		}
		c.fail(f(a, file))
		_ = file.Close()
	}
}

func cat(c *call) {
	c.each(func(_ string, r io.Reader) error { _, err := io.Copy(c.out, r); return err })
}

func mkdir(c *call) {
	for _, a := range c.args {
		if c.has("p") {
			c.fail(os.MkdirAll(c.at(a), 0o755))
		} else {
			c.fail(os.Mkdir(c.at(a), 0o755))
		}
	}
}

func rmdir(c *call) {
	for _, a := range c.args {
		c.fail(syscall.Rmdir(c.at(a)))
	}
}

func rm(c *call) {
	for _, a := range c.args {
		info, err := os.Lstat(c.at(a))
		switch {
		case errors.Is(err, fs.ErrNotExist) && c.has("f"):
		case err != nil:
			c.fail(err)
		case c.has("rR"):
			c.fail(os.RemoveAll(c.at(a)))
		case info.IsDir():
			c.fail(fmt.Errorf("%s: is a directory", a))
		default:
			c.fail(os.Remove(c.at(a)))
		}
	}
}

// into gives the targets of cp and mv: a file, or the names within a directory.
func (c *call) into(f func(from, to string) error) {
	if len(c.args) < 2 {
		c.fail(errors.New("needs a source and a target"))
		return
	}
	to := c.at(c.args[len(c.args)-1])
	info, err := os.Stat(to)
	dir := err == nil && info.IsDir()
	if len(c.args) > 2 && !dir {
		c.fail(fmt.Errorf("%s: not a directory", to))
		return
	}
	for _, a := range c.args[:len(c.args)-1] {
		t := to
		if dir {
			t = filepath.Join(to, filepath.Base(a))
		}
		c.fail(f(c.at(a), t))
	}
}

func mv(c *call) { c.into(os.Rename) }

func cp(c *call) {
	c.into(func(from, to string) error {
		info, err := os.Stat(from)
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return copyFile(from, to, info.Mode().Perm())
		}
		if !c.has("rRa") {
			return fmt.Errorf("%s: is a directory (use -r)", from)
		}
		if strings.HasPrefix(to+"/", from+"/") {
			return errors.New("cannot copy a directory into itself")
		}
		return os.CopyFS(to, os.DirFS(from))
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(out, in); err != nil {
		_ = out.Close()
		return err
	}
	return out.Close()
}

func touch(c *call) {
	for _, a := range c.args {
		f, err := os.OpenFile(c.at(a), os.O_CREATE|os.O_WRONLY, 0o644)
		if err == nil {
			_ = f.Close()
			err = os.Chtimes(c.at(a), time.Now(), time.Now())
		}
		c.fail(err)
	}
}

func ln(c *call) {
	if len(c.args) != 2 {
		c.fail(errors.New("needs a target and a name"))
		return
	}
	if c.has("f") {
		_ = os.Remove(c.at(c.args[1]))
	}
	if c.has("s") {
		c.fail(os.Symlink(c.args[0], c.at(c.args[1])))
	} else {
		c.fail(os.Link(c.at(c.args[0]), c.at(c.args[1])))
	}
}

func chmod(c *call) {
	if len(c.args) < 2 {
		c.fail(errors.New("needs a mode and a file"))
		return
	}
	mode, err := strconv.ParseUint(c.args[0], 8, 12)
	for _, a := range c.args[1:] {
		switch {
		case err == nil:
			c.fail(os.Chmod(c.at(a), fs.FileMode(mode)&fs.ModePerm))
		case c.args[0] == "+x":
			info, serr := os.Stat(c.at(a))
			if serr != nil {
				c.fail(serr)
				continue
			}
			c.fail(os.Chmod(c.at(a), info.Mode()|0o111))
		default:
			c.fail(fmt.Errorf("mode %q is neither octal nor +x", c.args[0]))
			return
		}
	}
}

func tee(c *call) {
	flags := os.O_CREATE | os.O_WRONLY | os.O_TRUNC
	if c.has("a") {
		flags = os.O_CREATE | os.O_WRONLY | os.O_APPEND
	}
	to := []io.Writer{c.out}
	for _, a := range c.args {
		f, err := os.OpenFile(c.at(a), flags, 0o644)
		if err != nil {
			c.fail(err)
			continue
		}
		defer func() { _ = f.Close() }()
		to = append(to, f)
	}
	_, err := io.Copy(io.MultiWriter(to...), c.in)
	c.fail(err)
}

func env(c *call) {
	if len(c.args) > 0 {
		c.fail(errors.New("only prints the environment: set variables before the command"))
		return
	}
	var list []string
	c.env.Each(func(name string, v expand.Variable) bool {
		if v.Exported {
			list = append(list, name+"="+v.String())
		}
		return true
	})
	slices.Sort(list)
	for _, l := range list {
		c.printf("%s\n", l)
	}
}

func date(c *call) {
	now := time.Now().UTC()
	if len(c.args) == 1 && strings.HasPrefix(c.args[0], "+") {
		r := strings.NewReplacer("%Y", now.Format("2006"), "%m", now.Format("01"), "%d", now.Format("02"), "%H", now.Format("15"),
			"%M", now.Format("04"), "%S", now.Format("05"), "%s", strconv.FormatInt(now.Unix(), 10), "%F", now.Format(time.DateOnly),
			"%T", now.Format(time.TimeOnly), "%%", "%")
		c.printf("%s\n", r.Replace(c.args[0][1:]))
		return
	}
	c.printf("%s\n", now.Format(time.UnixDate))
}

func sleep(c *call) {
	for _, a := range c.args {
		s, err := strconv.ParseFloat(a, 64)
		if err != nil || s < 0 {
			c.fail(fmt.Errorf("bad time %q", a))
			return
		}
		time.Sleep(time.Duration(s * float64(time.Second)))
	}
}

func basename(c *call) { c.name1(filepath.Base) }
func dirname(c *call)  { c.name1(filepath.Dir) }

func (c *call) name1(f func(string) string) {
	for _, a := range c.args {
		c.printf("%s\n", f(a))
	}
}

func whoami(c *call) { c.printf("sandbox\n") }

func hostname(c *call) {
	h, err := os.Hostname()
	c.fail(err)
	c.printf("%s\n", h)
}

func id(c *call) {
	if c.has("u") {
		c.printf("%d\n", os.Getuid())
		return
	}
	c.printf("uid=%d gid=%d\n", os.Getuid(), os.Getgid())
}

func lines(r io.Reader, f func(line string) bool) error {
	b := bufio.NewReader(r)
	for {
		s, err := b.ReadString('\n')
		if s != "" && !f(strings.TrimSuffix(s, "\n")) {
			return nil
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
