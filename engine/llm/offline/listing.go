package offline

import (
	"encoding/json"
	"fmt"
	"strings"
)

// entry is one line of a listing.
type entry struct{ name, kind, size string }

var (
	longLine  = late(`^([dlcbps-])[rwxsStT-]{9}\S*\s+\d+\s+\S+\s+\S+\s+(\d+)\s+\S+\s+\S+\s+\S+\s+(.+)$`)
	sizedLine = late(`^(.+?)(?:\t+| {2,}|\s+\()(\d[\d.,]*\s?(?:[KMGT]i?B?|B|bytes?)?)\)?$`)
	sizeFirst = late(`^\s*(\d[\d.,]*\s?(?:[KMGT]i?B?|B|bytes?)?)(?:\t+| {2,})(.+)$`)
)

// showListing writes a table of what the tool listed, whichever form it chose; a form that is not understood is
// shown as it came.
func showListing(path string, r result) string {
	where := "the workspace"
	if path != "." {
		where = code(path)
	}
	if r.failed || r.exit != 0 {
		return failure("Listing "+where, r)
	}
	entries, notes := parseListing(r.text)
	if len(entries) == 0 {
		if strings.TrimSpace(r.text) == "" || len(notes) < 2 {
			return "There are no files in " + where + "."
		}
		return fence("", r.text)
	}
	const most = 200
	rows, sizes, dirs := [][]string{}, false, 0
	for _, e := range entries {
		sizes = sizes || e.size != ""
		if e.kind == "directory" {
			dirs++
		}
	}
	head := []string{"Name", "Kind"}
	if sizes {
		head = append(head, "Size")
	}
	for _, e := range entries[:min(len(entries), most)] {
		row := []string{code(e.name), e.kind}
		if sizes {
			row = append(row, e.size)
		}
		rows = append(rows, row)
	}
	out := fmt.Sprintf("I found %s and %s in %s:\n\n%s", count(len(entries)-dirs, "file"), count(dirs, "directory"), where, table(head, rows))
	if len(entries) > most {
		out += fmt.Sprintf("\nShown: the first %d of %d entries.", most, len(entries))
	}
	return out
}

func parseListing(text string) (out []entry, notes []string) {
	var list []struct {
		Path string `json:"path"`
		Name string `json:"name"`
		Dir  bool   `json:"dir"`
		Type string `json:"type"`
		Size *int64 `json:"size"`
	}
	if json.Unmarshal([]byte(text), &list) == nil {
		for _, l := range list {
			e := entry{name: l.Path, kind: "file"}
			if e.name == "" {
				e.name = l.Name
			}
			if l.Dir || strings.HasPrefix(l.Type, "dir") {
				e.kind = "directory"
			} else if l.Size != nil {
				e.size = fmt.Sprintf("%d B", *l.Size)
			}
			out = append(out, e)
		}
		return out, nil
	}
	for line := range strings.SplitSeq(text, "\n") {
		e, ok := parseEntry(line)
		if ok {
			out = append(out, e)
		} else if strings.TrimSpace(line) != "" {
			notes = append(notes, strings.TrimSpace(line))
		}
	}
	return out, notes
}

func parseEntry(line string) (entry, bool) {
	trimmed := strings.TrimSpace(line)
	if trimmed == "" || strings.HasPrefix(trimmed, "total ") || strings.HasPrefix(trimmed, "(") || strings.HasPrefix(trimmed, "…") ||
		strings.HasPrefix(trimmed, "[") || strings.HasSuffix(trimmed, ":") || strings.HasSuffix(trimmed, ".") && strings.Contains(trimmed, " ") {
		return entry{}, false
	}
	e := entry{name: strings.TrimPrefix(strings.TrimRight(line, " \r"), "./"), kind: "file"}
	if m := longLine.FindStringSubmatch(trimmed); m != nil {
		if m[3] == "." || m[3] == ".." {
			return entry{}, false
		}
		e.name, e.size = m[3], m[2]+" B"
		if m[1] == "d" {
			e.name, e.size = m[3]+"/", ""
		}
	} else if m := sizedLine.FindStringSubmatch(trimmed); m != nil {
		e.name, e.size = strings.TrimSpace(m[1]), m[2]
	} else if m := sizeFirst.FindStringSubmatch(line); m != nil {
		e.name, e.size = strings.TrimSpace(m[2]), m[1]
	}
	if rest, ok := strings.CutPrefix(e.name, "dir "); ok {
		e.name = strings.TrimSpace(rest) + "/"
	}
	e.name = strings.TrimPrefix(strings.TrimSpace(strings.TrimPrefix(e.name, "file ")), "- ")
	if strings.Contains(e.name, " -> ") {
		e.kind = "link"
	}
	if strings.HasSuffix(e.name, "/") {
		e.kind, e.size = "directory", ""
	}
	return e, e.name != ""
}
