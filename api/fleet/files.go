package fleet

import (
	"encoding/base64"
	"time"
	"unicode/utf8"

	"lobstead/api/wire"
	"lobstead/kit/fault"
)

// The shapes of the file system (fleet-api.md, section 6). Paths are absolute below /workspace. Bodies are taken in
// camelCase and in snake_case, since the contract's lists and its examples differ.

// FileContent is a file with what is in it.
type FileContent struct {
	Path       string `json:"path"`
	Content    string `json:"content"`
	Encoding   string `json:"encoding"`
	Size       int64  `json:"size"`
	MimeType   string `json:"mime_type"`
	ModifiedAt string `json:"modified_at"`
}

// NewFileContent spells content; utf-8 that is none is refused when it was asked for, and base64 otherwise.
func NewFileContent(p string, content []byte, kind, encoding string, modified time.Time) (FileContent, error) {
	out := FileContent{Path: p, Encoding: encoding, Size: int64(len(content)), MimeType: kind, ModifiedAt: wire.Time(modified)}
	text := utf8.Valid(content)
	switch {
	case encoding != "" && encoding != "utf-8" && encoding != "utf8" && encoding != "base64":
		return out, fault.New(fault.Invalid, "file.encoding", "encoding must be one of utf-8, base64")
	case encoding == "base64", encoding == "" && !text:
		out.Encoding, out.Content = "base64", base64.StdEncoding.EncodeToString(content)
		return out, nil
	case !text:
		return out, fault.New(fault.Invalid, "file.encoding", "The file is not UTF-8 text: ask for encoding=base64")
	}
	out.Encoding, out.Content = "utf-8", string(content)
	return out, nil
}

// FileWritten answers what made, changed or deleted something; the time is that of what happened.
type FileWritten struct {
	Path      string `json:"path"`
	Size      *int64 `json:"size,omitempty"`
	CreatedAt string `json:"created_at,omitempty"`
	UpdatedAt string `json:"updated_at,omitempty"`
	DeletedAt string `json:"deleted_at,omitempty"`
}

// Directory is what a directory has.
type Directory struct {
	Path      string           `json:"path"`
	Entries   []DirectoryEntry `json:"entries"`
	Truncated bool             `json:"truncated,omitempty"` // there was more
}

// DirectoryEntry is one of it. Name is relative to the directory.
type DirectoryEntry struct {
	Name       string `json:"name"`
	Path       string `json:"path"`
	Type       string `json:"type"`
	Size       int64  `json:"size"`
	ModifiedAt string `json:"modified_at"`
}

// Metadata describes a file or a directory.
type Metadata struct {
	Path        string `json:"path"`
	Type        string `json:"type"`
	Size        int64  `json:"size"`
	Permissions string `json:"permissions"`
	CreatedAt   string `json:"created_at"`
	ModifiedAt  string `json:"modified_at"`
	Stamp       string `json:"stamp"` // of this version
}

// FileType is what the family calls a kind of thing.
func FileType(dir bool) string {
	if dir {
		return "directory"
	}
	return "file"
}

// Operations is what became of several copies or moves.
type Operations struct {
	Results []Operation `json:"results"`
}

// Operation is one of them.
type Operation struct {
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Success     bool   `json:"success"`
	Error       string `json:"error,omitempty"`
}

// FoundFiles is what a search found.
type FoundFiles struct {
	Results   []FoundFile `json:"results"`
	Total     int         `json:"total"`
	Truncated bool        `json:"truncated,omitempty"`
}

// FoundFile is one of it; Matches are lines with their numbers.
type FoundFile struct {
	Path    string   `json:"path"`
	Type    string   `json:"type"`
	Size    int64    `json:"size"`
	Matches []string `json:"matches,omitempty"`
}

// ArchiveMade answers a new archive.
type ArchiveMade struct {
	Path    string `json:"path"`
	Size    int64  `json:"size"`
	Format  string `json:"format"`
	Files   int    `json:"files"`
	Skipped int    `json:"skipped,omitempty"` // links that lead out, pipes, devices
}

// ArchiveExtracted answers one that was unpacked.
type ArchiveExtracted struct {
	Destination    string `json:"destination"`
	FilesExtracted int    `json:"files_extracted"`
}
