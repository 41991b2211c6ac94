package sse

import (
	"strconv"
	"strings"
)

var (
	newlines = strings.NewReplacer("\r\n", "\n", "\r", "\n")
	// A name or id is one line; a NUL in an id would make readers drop it.
	oneLine = strings.NewReplacer("\r", "", "\n", "", "\x00", "")
)

// Append adds an event in wire form. Whatever the fields hold, nothing can begin a line of its own: data is
// cut into data lines, and the other fields lose their newlines. CR and CRLF in data arrive as LF.
func Append(b []byte, e Event) []byte {
	if id := oneLine.Replace(e.ID); id != "" {
		b = append(append(append(b, "id: "...), id...), '\n')
	}
	if name := oneLine.Replace(e.Name); name != "" {
		b = append(append(append(b, "event: "...), name...), '\n')
	}
	if ms := e.Retry.Milliseconds(); ms > 0 {
		b = append(strconv.AppendInt(append(b, "retry: "...), ms, 10), '\n')
	}
	for line := range strings.SplitSeq(newlines.Replace(e.Data), "\n") {
		b = append(append(append(b, "data: "...), line...), '\n')
	}
	return append(b, '\n')
}

// Comment adds a comment, which readers ignore: the heartbeat of a quiet stream.
func Comment(b []byte, text string) []byte {
	for line := range strings.SplitSeq(newlines.Replace(text), "\n") {
		b = append(append(append(b, ": "...), line...), '\n')
	}
	return append(b, '\n')
}
