package filename_test

import (
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"lobstead/kit/filename"
)

func TestSpell(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"plain name ü.txt": "plain name ü.txt", "a\nb": "a\uf70ab", "\xff": "\uf7ff", "d/\xc3(\t": "d/\uf7c3(\uf709", "x\x7f": "x\uf77f",
		"\uf7ff": "\uf7ef\uf79f\uf7bf", "\uf741": "\uf741", "�": "�",
	} {
		require.Equal(t, want, filename.Spell(raw))
		require.Equal(t, raw, filename.Bytes(want))
		require.Equal(t, raw == want, filename.Plain(raw))
	}
}

// Every name comes back, and no two are spelled alike.
func FuzzSpell(f *testing.F) {
	f.Add("a\xff\uf7ff\n")
	f.Fuzz(func(t *testing.T, raw string) {
		s := filename.Spell(raw)
		require.True(t, utf8.ValidString(s))
		require.Equal(t, raw, filename.Bytes(s))
	})
}
