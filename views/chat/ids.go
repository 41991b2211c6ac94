package chat

import (
	"encoding/hex"
	"strings"
)

// The ids of what the stream can patch. A call's id is unique within its turn only, so the turn is part of it.

func turnID(turn string) string { return "turn-" + plainID(turn) }

func cardID(turn, call string) string { return "call-" + plainID(turn) + "-" + plainID(call) }

func outputID(turn, call string) string { return "out-" + plainID(turn) + "-" + plainID(call) }

func blockID(kind, turn, key string) string { return kind + "-" + plainID(turn) + "-" + plainID(key) }

// plainID makes an id that needs no quoting anywhere: a slash becomes a hyphen, what is not a letter, digit, hyphen or
// underscore its code.
func plainID(s string) string {
	if strings.IndexFunc(s, oddInID) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '/':
			b.WriteByte('-')
		case oddInID(rune(c)):
			b.WriteString("_" + hex.EncodeToString([]byte{c}))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func oddInID(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
}
