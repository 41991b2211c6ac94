package files

import (
	"context"
	"path"
	"strconv"
	"strings"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/kit/filename"
	"lobstead/kit/size"
	"lobstead/models"
)

// MaxPiece is how many bytes of an upload come at once.
const MaxPiece = 8 << 20

func inUploads(id string) string { return path.Join(uploadDir, id) }

// free tries a path, and while something is there the numbered ones beside it. It gives the last that it tried.
func free(p string, try func(to string) error) (string, error) {
	to := p
	for n := 2; ; n++ {
		err := try(to)
		if err == nil || fault.As(err).Code != "sandbox.exists" || n >= 100 {
			return to, err
		}
		to = numbered(p, n)
	}
}

// numbered is "notes (2).txt" for "notes.txt", and keeps both parts of ".tar.gz" together.
func numbered(p string, n int) string {
	dir, name := path.Split(p)
	ext := path.Ext(name)
	switch {
	case ext == name: // ".profile"
		ext = ""
	case path.Ext(strings.TrimSuffix(name, ext)) == ".tar":
		ext = ".tar" + ext
	}
	return dir + strings.TrimSuffix(name, ext) + " (" + strconv.Itoa(n) + ")" + ext
}

// Upload is one that is under way.
type Upload struct {
	*models.FileUpload
	Offset int64 // bytes that are there
	Done   bool  // the file has taken its place
}

// Begin starts an upload of so many bytes. TooLarge when the instance's storage could not hold it, Conflict
// sandbox.exists when something is there that it may not replace.
func (d *Desk) Begin(ctx context.Context, sc *models.Scope, i *models.Instance, p string, bytes int64, overwrite bool) (*Upload, error) {
	rel, err := local(p)
	if err != nil {
		return nil, err
	}
	switch {
	case rel == "." || strings.HasSuffix(p, "/"):
		return nil, fault.New(fault.Invalid, "sandbox.is_a_directory", "%q is a directory", Full(rel))
	case bytes < 0:
		return nil, fault.New(fault.Invalid, "upload.size", "Say how many bytes the file has")
	case bytes > int64(i.StorageMB)<<20:
		return nil, fault.New(fault.TooLarge, "upload.size", "The instance has %s of storage: the file does not fit", size.Of(int64(i.StorageMB)<<20))
	}
	if err := sandbox.TooDeep(rel, 0); err != nil { // not after all of it came
		return nil, err
	}
	var up *Upload
	err = d.change(ctx, i, func(h sandbox.Hands) error {
		e, err := h.Stat(ctx, rel)
		switch {
		case err == nil && (!overwrite || e.Dir):
			return fault.New(fault.Conflict, "sandbox.exists", "%q exists", Full(rel))
		case err != nil && !fault.Is(err, fault.NotFound): // where it leads could never be written: not after all of it came
			return err
		}
		if err := nameable(ctx, h, rel); err != nil {
			return err
		}
		row, err := sc.CreateUpload(ctx, models.FileUpload{InstanceID: i.ID, Path: filename.Spell(rel), Bytes: bytes, Overwrite: overwrite})
		if err != nil {
			return err
		}
		up = &Upload{FileUpload: row}
		if err := h.Append(ctx, inUploads(row.ID), 0, nil); err != nil {
			_ = sc.EndUpload(context.WithoutCancel(ctx), row.ID)
			return err
		}
		return nil
	})
	return up, err
}

// Upload tells how far one is. One that is complete is remembered for an hour.
func (d *Desk) Upload(ctx context.Context, sc *models.Scope, i *models.Instance, id string) (*Upload, error) {
	row, err := sc.Upload(ctx, i.ID, id)
	if err != nil {
		return nil, err
	}
	up := &Upload{FileUpload: row}
	err = d.read(ctx, i, func(v sandbox.View) error {
		e, err := v.Stat(ctx, inUploads(row.ID))
		up.Offset = e.Size
		return err
	})
	switch {
	case fault.Is(err, fault.NotFound) && row.PlacedAt != nil:
		up.Offset, up.Done = row.Bytes, true
		return up, nil
	case fault.Is(err, fault.NotFound): // somebody inside removed it
		_ = sc.EndUpload(ctx, row.ID)
	}
	return up, err
}

// Continue adds the next piece: Conflict sandbox.offset, with where it stands, when it is not the next one. With the last
// piece the file takes its place; who sends that one again, because no answer came, is told so again.
func (d *Desk) Continue(ctx context.Context, sc *models.Scope, i *models.Instance, id string, offset int64, piece []byte) (*Upload, error) {
	up, err := d.Upload(ctx, sc, i, id)
	if err != nil {
		return nil, err
	}
	end := offset + int64(len(piece))
	again := end == up.Bytes && up.Offset == up.Bytes // the last piece, which is there
	switch {
	case len(piece) > MaxPiece:
		return nil, fault.New(fault.TooLarge, "upload.piece", "A piece may have at most %d MB", MaxPiece>>20)
	case up.Done && again:
		return up, nil
	case offset != up.Offset && !again:
		return nil, fault.New(fault.Conflict, "sandbox.offset", "%d bytes are there, not %d", up.Offset, offset)
	case end > up.Bytes:
		return nil, fault.New(fault.Invalid, "upload.size", "More bytes came than the %d that were announced", up.Bytes)
	}
	err = d.change(ctx, i, func(h sandbox.Hands) error {
		if len(piece) > 0 && !again {
			if err := h.Append(ctx, inUploads(id), offset, piece); err != nil {
				return err
			}
			up.Offset = end
		}
		if up.Offset < up.Bytes {
			return nil
		}
		return d.settle(ctx, sc, i, h, up)
	})
	return up, err
}

// settle gives a complete file its place. The row says so first: whoever comes after a crash finds either the bytes, and
// goes on, or that they have gone where they belong. What it replaces goes to the trash.
func (d *Desk) settle(ctx context.Context, sc *models.Scope, i *models.Instance, h sandbox.Hands, up *Upload) error {
	if err := sc.PlaceUpload(ctx, up.ID, true); err != nil {
		return err
	}
	err := d.carry(ctx, sc, i, h, Carry{From: inUploads(up.ID), To: filename.Bytes(up.Path), Move: true, Overwrite: up.Overwrite})
	if err != nil && !fault.Is(err, fault.NotFound) { // not found: the same piece came twice, and the other one was quicker
		_ = sc.PlaceUpload(context.WithoutCancel(ctx), up.ID, false)
		return err
	}
	up.Done = true
	return nil
}

// Cancel gives an upload up.
func (d *Desk) Cancel(ctx context.Context, sc *models.Scope, i *models.Instance, id string) error {
	if _, err := sc.Upload(ctx, i.ID, id); err != nil {
		return err
	}
	return d.change(ctx, i, func(h sandbox.Hands) error {
		if err := h.Remove(ctx, inUploads(id), false); err != nil && !fault.Is(err, fault.NotFound) {
			return err
		}
		return sc.EndUpload(ctx, id)
	})
}

// NameOf is the name that a form's file gets in a directory, "/" for none: some browsers send a whole path.
func NameOf(f models.Upload) string {
	return path.Base(path.Clean("/" + strings.ReplaceAll(f.Name, `\`, "/")))
}

// Place puts whole files into a directory, each by a name that is free: forms send them so.
func (d *Desk) Place(ctx context.Context, i *models.Instance, dir string, list []models.Upload) ([]string, error) {
	rel, err := local(dir)
	if err != nil {
		return nil, err
	}
	out, names := []string{}, []string{}
	for _, f := range list {
		name := NameOf(f)
		if name == "/" {
			return out, fault.New(fault.Invalid, "upload.name", "A file without a name cannot be uploaded")
		}
		names = append(names, name)
	}
	err = each("uploaded", names, func(n int) error {
		to, err := free(filename.Spell(path.Join(rel, names[n])), func(to string) error {
			_, err := d.Put(ctx, i, Write{Path: to, Data: list[n].Data, New: true})
			return err
		})
		if err == nil {
			out = append(out, to)
		}
		return err
	})
	return out, err
}
