package fleet

import (
	"encoding/base64"
	"path"
	"strconv"
	"strings"

	"lobstead/api/wire"
	"lobstead/kit/fault"
)

// FileBody is a body with content.
type FileBody struct {
	Content     []byte
	Overwrite   bool
	Permissions uint32
}

// ReadFileBody reads what is to be written.
func ReadFileBody(f *wire.Fields) (b FileBody, err error) {
	content, sent := f.String("content")
	encoding := f.Text("encoding")
	if over := f.OptionalBool("overwrite"); over != nil {
		b.Overwrite = *over
	}
	b.Permissions = permissions(f)
	if err := f.Err(); err != nil || !sent {
		return b, err
	}
	switch encoding {
	case "", "utf-8", "utf8":
		b.Content = []byte(content)
	case "base64":
		if b.Content, err = base64.StdEncoding.DecodeString(strings.Join(strings.Fields(content), "")); err != nil {
			return b, fault.Wrap(err, fault.Invalid, "file.encoding", "content is not base64")
		}
	default:
		return b, fault.New(fault.Invalid, "file.encoding", "encoding must be one of utf-8, base64")
	}
	return b, nil
}

// permissions reads "644", "0644" or 644; 0 when nothing was said.
func permissions(f *wire.Fields) uint32 {
	if !f.Has("permissions") {
		return 0
	}
	before := len(f.Issues)
	text := ""
	if s, ok := f.OptionalString("permissions"); ok && s != nil {
		text = *s
	} else {
		f.Issues = f.Issues[:before]
		if n := f.OptionalInt("permissions", 0, 777); n != nil {
			text = strconv.Itoa(*n)
		}
	}
	mode, err := strconv.ParseUint(text, 8, 32)
	if err != nil || mode > 0o777 || mode == 0 {
		f.Issues.Custom("permissions", "permissions must be octal digits such as 644")
		return 0
	}
	return uint32(mode)
}

// either reads a text under its two spellings.
func either(f *wire.Fields, names ...string) string {
	for _, n := range names {
		if f.Has(n) {
			return f.Text(n)
		}
	}
	return ""
}

func eitherBool(f *wire.Fields, names ...string) bool {
	for _, n := range names {
		if b := f.OptionalBool(n); b != nil {
			return *b
		}
	}
	return false
}

// ReadDirectoryBody reads how a directory is to be made.
func ReadDirectoryBody(f *wire.Fields) (recursive bool, mode uint32, err error) {
	recursive, mode = eitherBool(f, "recursive"), permissions(f)
	return recursive, mode, f.Err()
}

// PatchBody is a change of a part of a file.
type PatchBody struct {
	Operation        string
	Content          []byte
	Position, Length *int
}

// ReadPatch reads one.
func ReadPatch(f *wire.Fields) (p PatchBody, err error) {
	p.Operation, _ = f.Enum("operation", "append", "prepend", "replace")
	p.Position, p.Length = f.OptionalInt("position", 0, 1<<30), f.OptionalInt("length", 0, 1<<30)
	b, err := ReadFileBody(f)
	p.Content = b.Content
	return p, err
}

// MaxOperations is how many copies or moves one call asks for.
const MaxOperations = 100

// CarryBody is one copy or move.
type CarryBody struct {
	Source      string `json:"source"`
	Destination string `json:"destination"`
	Overwrite   bool   `json:"overwrite"`
}

// ReadCarries reads one, or a list of them.
func ReadCarries(f *wire.Fields) ([]CarryBody, error) {
	list := []*wire.Fields{f}
	if f.Has("operations") {
		list = f.Objects("operations")
		if err := f.Err(); err != nil {
			return nil, err
		}
	}
	if len(list) == 0 || len(list) > MaxOperations {
		return nil, fault.New(fault.Invalid, "operations.count", "operations must have 1 to %d entries", MaxOperations)
	}
	out := []CarryBody{}
	for _, one := range list {
		b := CarryBody{Overwrite: eitherBool(one, "overwrite")}
		b.Source, _ = one.String("source")
		b.Destination, _ = one.String("destination")
		if err := one.Err(); err != nil {
			return nil, err
		}
		out = append(out, b)
	}
	return out, nil
}

// SearchBody asks for files.
type SearchBody struct {
	Query, Path, Glob string
	Names, Content    bool
	CaseSensitive     bool
	Max               int
}

// ReadSearch reads the reference's body and that of the example.
func ReadSearch(f *wire.Fields) (s SearchBody, err error) {
	s.Query, s.Path, s.Glob = either(f, "query", "pattern"), either(f, "path"), either(f, "filePattern", "file_pattern")
	s.CaseSensitive = eitherBool(f, "caseSensitive", "case_sensitive")
	for _, name := range []string{"maxResults", "max_results"} {
		if n := f.OptionalInt(name, 1, 1000); n != nil {
			s.Max = *n
		}
	}
	kind := either(f, "type")
	switch {
	case kind == "" && f.Has("content_search"):
		kind = "filename"
		if eitherBool(f, "content_search") {
			kind = "content"
		}
	case kind == "":
		kind = "filename"
	case kind != "filename" && kind != "content" && kind != "both":
		f.Issues.NotOneOf("type", kind, "filename", "content", "both")
	}
	s.Names, s.Content = kind != "content", kind != "filename"
	if s.Query == "" {
		f.Issues.Required("query", "string")
	}
	return s, f.Err()
}

// ArchiveBody asks for a new archive; Level is -1 where nothing was said.
type ArchiveBody struct {
	Paths     []string
	Output    string
	Format    string
	Level     int
	Overwrite bool
}

// ReadArchive reads one. Without a format the name of the archive says it.
func ReadArchive(f *wire.Fields) (a ArchiveBody, err error) {
	a.Paths, a.Output, a.Format, a.Level = f.OptionalStrings("paths"), either(f, "outputPath", "output_path"), either(f, "format"), -1
	for _, name := range []string{"compressionLevel", "compression_level"} {
		if n := f.OptionalInt(name, 0, 9); n != nil {
			a.Level = *n
		}
	}
	a.Overwrite = eitherBool(f, "overwrite")
	if len(a.Paths) == 0 {
		f.Issues.Required("paths", "array")
	}
	if a.Output == "" {
		f.Issues.Required("outputPath", "string")
	}
	if a.Format == "" {
		a.Format = FormatOf(a.Output)
	}
	return a, f.Err()
}

// FormatOf reads an archive's format from its name, zip where it says nothing.
func FormatOf(name string) string {
	name = strings.ToLower(path.Base(name))
	for suffix, format := range map[string]string{".tar": "tar", ".tar.gz": "tar.gz", ".tgz": "tar.gz", ".tar.bz2": "tar.bz2", ".tbz2": "tar.bz2"} {
		if strings.HasSuffix(name, suffix) {
			return format
		}
	}
	return "zip"
}

// ExtractBody asks for an archive's files; without a destination they come to where it lies.
type ExtractBody struct {
	Archive, Destination string
	Overwrite            bool
}

// ReadExtract reads one.
func ReadExtract(f *wire.Fields) (e ExtractBody, err error) {
	e.Archive, e.Destination, e.Overwrite = either(f, "archivePath", "archive_path"), either(f, "destination", "outputPath", "output_path"), eitherBool(f, "overwrite")
	if e.Archive == "" {
		f.Issues.Required("archivePath", "string")
	}
	if e.Destination == "" {
		e.Destination = path.Dir(e.Archive)
	}
	return e, f.Err()
}
