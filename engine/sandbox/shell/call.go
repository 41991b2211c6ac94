package shell

import (
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/expand"
)

// call is one run of a built-in command.
type call struct {
	name string
	dir  string
	in   io.Reader
	out  io.Writer
	err  io.Writer
	env  expand.Environ

	flags map[byte]bool
	n     int // of head and tail
	args  []string
	code  int
}

// known are each command's flags; another one is refused rather than ignored.
var known = map[string]string{"ls": "laA1Rd", "cat": "", "mkdir": "p", "rm": "rRf", "cp": "rRaf", "mv": "f", "head": "n",
	"tail": "n", "wc": "lwc", "grep": "ivnrRlcqEFHhsow", "env": "", "uname": "asnrm", "date": "u", "touch": "", "sleep": "",
	"sort": "rnu", "basename": "", "dirname": "", "find": "", "tee": "a", "chmod": "", "ln": "sf", "rmdir": "", "whoami": "",
	"id": "u", "hostname": ""}

// free are the commands that read their own arguments.
var free = map[string]bool{"find": true, "chmod": true}

func (c *call) parse(args []string) error {
	c.flags, c.n = map[byte]bool{}, 10
	if free[c.name] {
		c.args = args
		return nil
	}
	for i := 0; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			c.args = append(c.args, args[i+1:]...)
			return nil
		}
		if len(a) < 2 || a[0] != '-' {
			c.args = append(c.args, a)
			continue
		}
		if n, err := strconv.Atoi(a[1:]); err == nil && strings.Contains(known[c.name], "n") {
			c.n = n // head -5
			continue
		}
		for j := 1; j < len(a); j++ {
			if strings.IndexByte(known[c.name], a[j]) < 0 {
				return fmt.Errorf("unknown option -%c", a[j])
			}
			if a[j] == 'n' && (c.name == "head" || c.name == "tail") {
				v := a[j+1:]
				if v == "" && i+1 < len(args) {
					i++
					v = args[i]
				}
				n, err := strconv.Atoi(v)
				if err != nil {
					return fmt.Errorf("bad number %q", v)
				}
				c.n = n
				break
			}
			c.flags[a[j]] = true
		}
	}
	return nil
}

func (c *call) has(flags string) bool {
	for i := range len(flags) {
		if c.flags[flags[i]] {
			return true
		}
	}
	return false
}

func (c *call) at(p string) string {
	if filepath.IsAbs(p) {
		return p
	}
	return filepath.Join(c.dir, p)
}

func (c *call) fail(err error) {
	if err != nil {
		_, _ = fmt.Fprintf(c.err, "%s: %v\n", c.name, err)
		c.code = 1
	}
}

func (c *call) printf(format string, args ...any) { _, _ = fmt.Fprintf(c.out, format, args...) }
