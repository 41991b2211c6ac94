package tree

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"

	"lobstead/kit/fault"
)

// escapes is the fault of every path that leaves the workspace.
func escapes(p string) error {
	return fault.New(fault.Forbidden, "sandbox.path", "%q is outside the workspace", p)
}

// local turns a caller's path into one relative to the workspace. It is only spelling: the kernel's view,
// symbolic links included, is checked by os.Root on every use.
func (t *Tree) local(p string) (string, error) {
	if strings.ContainsRune(p, 0) {
		return "", fault.New(fault.Invalid, "sandbox.path_invalid", "A path may not hold NUL characters")
	}
	if len(p) > 4096 {
		return "", fault.New(fault.Invalid, "sandbox.path_invalid", "The path is too long")
	}
	if !strings.HasPrefix(p, "/") {
		if p = path.Clean("./" + p); p == ".." || strings.HasPrefix(p, "../") {
			return "", escapes(p)
		}
		return p, nil
	}
	clean := path.Clean(p)
	for _, base := range []string{Home, t.home} {
		if clean == base {
			return ".", nil
		}
		if rest, ok := strings.CutPrefix(clean, base+"/"); ok {
			return rest, nil
		}
	}
	return "", escapes(p)
}

const maxLinks = 40

// follow resolves the links of a path as far as it exists. Links inside the sandbox often name the
// workspace absolutely, which os.Root refuses; those are spelled anew. The result has no links unless
// someone changes them meanwhile, and then os.Root refuses what leaves. In the workspace's own corner nothing is followed.
func (t *Tree) follow(p string) (string, error) {
	rel, err := t.local(p)
	if err != nil || hidden(rel) {
		return rel, err
	}
	done, rest := ".", strings.Split(rel, "/")
	for links := 0; len(rest) > 0; {
		next := path.Join(done, rest[0])
		rest = rest[1:]
		if strings.HasPrefix(next, "..") && (next == ".." || next[2] == '/') {
			return "", escapes(p)
		}
		target, err := t.root.Readlink(next)
		if err != nil { // not a link, or not there
			if isEscape(err) {
				return "", escapes(p)
			}
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", fault.New(fault.Invalid, "sandbox.path_invalid", "Too many symbolic links in %q", p)
		}
		if strings.HasPrefix(target, "/") {
			if target, err = t.local(target); err != nil {
				return "", escapes(p)
			}
			done = "."
		}
		rest = append(strings.Split(target, "/"), rest...)
	}
	return done, nil
}

// entry resolves all of a path but its last part, for what acts on a link itself.
func (t *Tree) entry(p string) (string, error) {
	rel, err := t.local(p)
	if err != nil || rel == "." || hidden(rel) {
		return rel, err
	}
	dir, err := t.follow(path.Dir(rel))
	return path.Join(dir, path.Base(rel)), err
}

// Dir is where a command starts.
func (t *Tree) Dir(p string) (string, error) {
	if p == "" {
		return ".", nil
	}
	rel, err := t.follow(p)
	if err != nil {
		return "", err
	}
	info, err := t.root.Stat(rel)
	if err != nil {
		return "", pathFault(err, p)
	}
	if !info.IsDir() {
		return "", fault.New(fault.Invalid, "sandbox.not_a_directory", "%q is not a directory", p)
	}
	return rel, nil
}

func isEscape(err error) bool {
	e, ok := errors.AsType[*fs.PathError](err)
	if ok {
		return e.Err.Error() == "path escapes from parent"
	}
	l, ok := errors.AsType[*os.LinkError](err)
	return ok && l.Err.Error() == "path escapes from parent"
}

// pathFault says what went wrong with a path, in the caller's spelling.
func pathFault(err error, p string) error {
	if _, ok := errors.AsType[*fault.Error](err); ok || err == nil {
		return err
	}
	mk := func(k fault.Kind, code, detail string) error { return fault.Wrap(err, k, code, detail, p) }
	switch {
	case isEscape(err):
		return escapes(p)
	case errors.Is(err, fs.ErrNotExist):
		return mk(fault.NotFound, "sandbox.file_not_found", "%q does not exist")
	case errors.Is(err, syscall.ENOTEMPTY):
		return mk(fault.Conflict, "sandbox.not_empty", "%q is not empty")
	case errors.Is(err, fs.ErrExist):
		return mk(fault.Conflict, "sandbox.exists", "%q exists")
	case errors.Is(err, fs.ErrPermission):
		return mk(fault.Forbidden, "sandbox.denied", "%q may not be touched")
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return mk(fault.Full, "sandbox.disk_full", "No space left for %q")
	case errors.Is(err, syscall.EISDIR):
		return mk(fault.Invalid, "sandbox.is_a_directory", "%q is a directory")
	case errors.Is(err, syscall.ENOTDIR):
		return mk(fault.Invalid, "sandbox.not_a_directory", "%q goes through a file")
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENOMEM):
		return mk(fault.Unavailable, "sandbox.busy", "The sandbox is out of resources for %q")
	default:
		return mk(fault.Invalid, "sandbox.path_invalid", "%q cannot be used")
	}
}
