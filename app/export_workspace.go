package app

import (
	"archive/zip"
	"context"
	"io"
	"path"

	"lobstead/engine/sandbox"
	"lobstead/kit/fault"
	"lobstead/models"
)

// workspaceReport tells what of a workspace is in an archive.
type workspaceReport struct {
	Files   int               `json:"files"`
	Bytes   int64             `json:"bytes"`
	Links   map[string]string `json:"links,omitempty"`   // path → target: links are told, not followed
	LeftOut []string          `json:"leftOut,omitempty"` // files that could not be read, or claim to be larger than the disk
	Note    string            `json:"note,omitempty"`
}

// workspace writes the files of an instance below dir/workspace, and beside them what became of each that is not there.
func (a *archive) workspace(ctx context.Context, dir string, i *models.Instance) error {
	report := workspaceReport{Links: map[string]string{}}
	room := int64(i.StorageMB) << 20
	err := a.walk(ctx, i.ID, func(e sandbox.Entry, content io.Reader) error {
		switch {
		case e.Link != "":
			report.Links[e.Path] = e.Link
			return nil
		case content == nil || e.Size > room: // a file full of holes says any size
			report.LeftOut = append(report.LeftOut, e.Path)
			return nil
		}
		w, err := a.zip.CreateHeader(&zip.FileHeader{Name: path.Join(dir, "workspace", e.Path), Method: zip.Deflate, Modified: e.Time})
		if err != nil {
			return err
		}
		n, err := io.Copy(w, content)
		report.Files, report.Bytes = report.Files+1, report.Bytes+n
		return err
	})
	if fault.Is(err, fault.NotFound) {
		report.Note, err = "This server has no files of the instance: it has none yet, or they are on another host.", nil
	}
	if err != nil {
		return err
	}
	return a.json(path.Join(dir, "workspace.json"), report)
}

func (a *archive) walk(ctx context.Context, instance string, visit func(sandbox.Entry, io.Reader) error) error {
	if a.files == nil {
		return fault.NotFoundf("sandbox")
	}
	return a.files.Walk(ctx, instance, visit)
}
