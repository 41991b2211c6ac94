package chat

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"

	"lobstead/models"
)

// wanted is a call in full: a command as it is, anything else as its arguments.
func wanted(tool string, input json.RawMessage) string {
	var shell map[string]any
	if tool == "bash" && json.Unmarshal(input, &shell) == nil && len(shell) == 1 {
		if s, ok := shell["command"].(string); ok {
			return s
		}
	}
	var b bytes.Buffer
	if json.Indent(&b, input, "", "  ") != nil {
		return string(input)
	}
	return b.String()
}

// visible spells out what cannot be seen, or would change how the rest is seen: a command must not look like another one.
func visible(s string) string {
	var b strings.Builder
	for _, r := range s {
		if r != '\n' && r != '\t' && r != ' ' && !unicode.IsGraphic(r) || unicode.Is(unicode.Zs, r) && r != ' ' {
			fmt.Fprintf(&b, "⟨U+%04X⟩", r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// DecidedWords says what became of a call that waited.
func DecidedWords(d models.Decided) string {
	switch d.Status {
	case models.ApprovalApproved:
		words := "Approved by " + d.By
		switch d.Lasts {
		case models.GrantSession:
			words += ", in this conversation"
		case models.GrantDays:
			words += fmt.Sprintf(", for %d days", d.Days)
		}
		return words
	case models.ApprovalDenied:
		if d.Note != "" {
			return "Denied by " + d.By + ": " + d.Note
		}
		return "Denied by " + d.By
	case models.ApprovalTimedOut:
		return "Nobody decided in time, so the call was denied"
	}
	return "The call was withdrawn: the turn was stopped"
}
