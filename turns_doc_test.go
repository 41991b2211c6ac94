package main_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/models"
)

var row = regexp.MustCompile(`^\| ([a-z_]+) \| ([a-z ]+) \| ([a-z_]+) \|$`)

// docs/turns.md shows exactly the table of the code.
func TestTurnsDocument(t *testing.T) {
	var documented []string
	for _, line := range lines(t, "docs/turns.md") {
		if m := row.FindStringSubmatch(line); m != nil {
			documented = append(documented, strings.Join(m[1:], " → "))
		}
	}
	var coded []string
	for _, from := range models.TurnStates {
		for _, move := range models.AllTurnMoves {
			if to, ok := models.TurnMoves[from][move]; ok {
				coded = append(coded, strings.Join([]string{string(from), string(move), string(to)}, " → "))
			}
		}
	}
	require.ElementsMatch(t, coded, documented)
}
