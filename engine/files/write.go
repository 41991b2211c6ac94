package files

import (
	"bytes"
	"context"
	"time"

	"lobstead/engine/sandbox"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/models"
)

// Write says how a file is written.
type Write struct {
	Path  string
	Data  []byte
	Mode  uint32 // 0 = as it is, 0644 for a new one
	New   bool   // refuse to replace: Conflict sandbox.exists
	Known bool   // refuse to make: NotFound file.not_found
	Stamp string // refuse another version than this one: Conflict sandbox.changed
}

// Put writes a file whole; directories above it are made.
func (d *Desk) Put(ctx context.Context, i *models.Instance, w Write) (Entry, error) {
	rel, err := local(w.Path)
	if err != nil {
		return Entry{}, err
	}
	var e Entry
	err = d.change(ctx, i, func(h sandbox.Hands) error {
		if err := nameable(ctx, h, rel); err != nil {
			return err
		}
		p := sandbox.Put{Path: rel, Mode: w.Mode, Size: int64(len(w.Data)), New: w.New, Known: w.Known, Stamp: w.Stamp}
		if err := h.Put(ctx, p, bytes.NewReader(w.Data)); err != nil {
			return said(err, rel)
		}
		e, err = d.Stat(ctx, i, filename.Spell(rel)) // from outside: that costs the sandbox nothing
		return err
	})
	return spelled(rel, e), err
}

// Edit is a change of a part of a file. Position and Length count bytes; nil means as the verb says.
type Edit struct {
	Verb             string // append, prepend, replace
	Data             []byte
	Position, Length *int
}

// Patch changes a part of a file. replace without Position replaces all of it, and without Length as many bytes as come.
// The file is written whole, and read anew when somebody was quicker: among many, each time one is the quickest.
func (d *Desk) Patch(ctx context.Context, i *models.Instance, p string, x Edit) (Entry, error) {
	for tries := 0; ; tries++ {
		c, err := d.Read(ctx, i, p, MaxText)
		if err != nil {
			return Entry{}, err
		}
		data, err := x.apply(c.Data)
		if err != nil {
			return Entry{}, err
		}
		e, err := d.Put(ctx, i, Write{Path: p, Data: data, Known: true, Stamp: c.Stamp()})
		if err == nil || fault.As(err).Code != "sandbox.changed" || tries >= patchTries {
			return e, err
		}
		if !clock.Sleep(ctx, clock.Backoff(time.Millisecond, min(tries, 4))) {
			return Entry{}, ctx.Err()
		}
	}
}

const patchTries = 200

func (x *Edit) apply(old []byte) ([]byte, error) {
	switch x.Verb {
	case "append":
		return bytes.Join([][]byte{old, x.Data}, nil), nil
	case "prepend":
		return bytes.Join([][]byte{x.Data, old}, nil), nil
	}
	if x.Position == nil && x.Length == nil {
		return x.Data, nil
	}
	at, n := 0, len(x.Data)
	if x.Position != nil {
		at = *x.Position
	}
	if x.Length != nil {
		n = *x.Length
	}
	if at < 0 || n < 0 || at > len(old) {
		return nil, fault.New(fault.Invalid, "file.position", "The position is not in the file, which has %d bytes", len(old))
	}
	return bytes.Join([][]byte{old[:at], x.Data, old[min(at+n, len(old)):]}, nil), nil
}

// Mkdir makes a directory; parents makes those above it too.
func (d *Desk) Mkdir(ctx context.Context, i *models.Instance, p string, parents bool, mode uint32) error {
	rel, err := local(p)
	if err != nil {
		return err
	}
	return d.change(ctx, i, func(h sandbox.Hands) error {
		if err := nameable(ctx, h, rel); err != nil {
			return err
		}
		return said(h.Mkdir(ctx, rel, parents, mode), rel)
	})
}

// Carry copies or moves. Without overwrite what is at to stays: Conflict sandbox.exists.
type Carry struct {
	From, To  string
	Move      bool
	Overwrite bool
}

// Pack makes an archive.
func (d *Desk) Pack(ctx context.Context, i *models.Instance, p sandbox.Pack) (out sandbox.Packed, err error) {
	list := make([]string, 0, len(p.Paths))
	for _, one := range p.Paths {
		rel, err := local(one)
		if err != nil {
			return out, err
		}
		list = append(list, rel)
	}
	if p.Paths = list; len(list) == 0 {
		return out, fault.New(fault.Invalid, "archive.paths", "Nothing to pack was named")
	}
	if p.To, err = local(p.To); err != nil {
		return out, err
	}
	err = d.change(ctx, i, func(h sandbox.Hands) error {
		if err := nameable(ctx, h, p.To); err != nil {
			return err
		}
		out, err = h.Pack(ctx, p)
		return said(err, p.Paths[0])
	})
	return out, err
}

// Unpack unpacks an archive: all of it, or nothing when one entry may not be.
func (d *Desk) Unpack(ctx context.Context, i *models.Instance, u sandbox.Unpack) (out sandbox.Unpacked, err error) {
	if u.Archive, err = local(u.Archive); err != nil {
		return out, err
	}
	if u.To, err = local(u.To); err != nil {
		return out, err
	}
	err = d.change(ctx, i, func(h sandbox.Hands) error {
		if err := nameable(ctx, h, u.To); err != nil {
			return err
		}
		out, err = h.Unpack(ctx, u)
		return said(err, u.Archive)
	})
	return out, err
}

// PackFree is Pack by a name that is free, which is given.
func (d *Desk) PackFree(ctx context.Context, i *models.Instance, p sandbox.Pack) (out sandbox.Packed, at string, err error) {
	at, err = free(p.To, func(to string) (err error) {
		p.To = to
		out, err = d.Pack(ctx, i, p)
		return err
	})
	return out, at, err
}
