package text_test

import (
	"encoding/xml"
	"io"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/text"
)

// bare writes no markup at all: what is left of it is how lines are cut.
func bare(limit int) *text.Dialect {
	same := func(s string) string { return s }
	return &text.Dialect{Limit: limit, Size: utf8.RuneCountInString, Plain: func(s string, _ bool) string { return s },
		Code: same, Fence: func(_, s string) string { return s }, Quote: same, Link: func(l, _ string) string { return l }, Rule: "", Bullets: []string{"• "}}
}

func limited(d *text.Dialect, limit int) *text.Dialect {
	short := *d
	short.Limit = limit
	return &short
}

// check says what must hold of every text in every dialect.
func check(t *testing.T, md string, limit int) {
	t.Helper()
	plain := bare(limit)
	require.Equal(t, plain.Words(md), text.Tight(strings.Join(plain.Split(md), " ")), "words lost or doubled")
	for _, c := range []struct {
		d    *text.Dialect
		well func(*testing.T, string)
	}{{text.Telegram, telegramWell}, {text.Slack, slackWell}, {text.Discord, discordWell}, {text.WhatsApp, whatsappWell}} {
		d := limited(c.d, limit)
		pieces := d.Split(md)
		for _, p := range pieces {
			require.LessOrEqual(t, d.Size(p), d.Limit)
			require.NotEmpty(t, strings.TrimSpace(p))
			require.True(t, utf8.ValidString(p))
			c.well(t, p)
		}
		if c.d == text.Telegram {
			require.Equal(t, words(d.Words(md)), words(text.Untag(strings.Join(pieces, " "))))
		}
	}
}

func words(s string) string {
	return strings.NewReplacer("—", "", "\u200b", "").Replace(text.Tight(s))
}

var telegramTags = map[string]bool{"b": true, "i": true, "s": true, "code": true, "pre": true, "a": true, "blockquote": true}

// telegramWell reads a piece as strictly as the Bot API: known tags, closed in order, nothing within code, no unknown entity.
func telegramWell(t *testing.T, p string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader("<x>" + p + "</x>"))
	d.Entity = map[string]string{}
	var open []string
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		require.NoError(t, err, p)
		switch tok := tok.(type) {
		case xml.StartElement:
			name := tok.Name.Local
			require.True(t, telegramTags[name] || name == "x" && len(open) == 0, p)
			for _, o := range open {
				require.NotEqual(t, "code", o, p)
				require.True(t, o != "pre" || name == "code", p)
				require.False(t, o == name, p)
			}
			for _, a := range tok.Attr {
				require.True(t, name == "a" && a.Name.Local == "href" && address.MatchString(a.Value) || name == "code" && a.Name.Local == "class", p)
			}
			open = append(open, name)
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
		default:
			t.Fatalf("%T in %q", tok, p)
		}
	}
	require.Empty(t, open)
}

var (
	address   = regexp.MustCompile(`^(?i:https?://|mailto:|tel:)`)
	slackLink = regexp.MustCompile(`<(?i:https?://|mailto:|tel:)[^<>|\s]+(\|[^<>|\n]+)?>`)
	slackAmp  = regexp.MustCompile(`&(amp|lt|gt);`)
	mention   = regexp.MustCompile(`@everyone|@here|<[@#:]|</|<t:|<id:`)
	discordLn = regexp.MustCompile(`(?s)\]\(<[^<>\s]+>\)|<(?i:https?://|mailto:|tel:)[^<>\s]+>`)
)

func slackWell(t *testing.T, p string) {
	t.Helper()
	rest := slackLink.ReplaceAllString(p, "")
	require.NotContains(t, rest, "<", p)
	for _, l := range strings.Split(rest, "\n") {
		require.NotContains(t, strings.TrimPrefix(l, "> "), ">", p)
	}
	require.NotContains(t, slackAmp.ReplaceAllString(rest, ""), "&", p)
	require.Zero(t, strings.Count(p, "```")%2, p)
}

// discordWell reads a piece as Discord does, from left to right: escapes, code, addresses, and what is left.
func discordWell(t *testing.T, p string) {
	t.Helper()
	var outside strings.Builder
	for rest := p; rest != ""; {
		fence := rest[:len(rest)-len(strings.TrimLeft(rest, "`"))]
		switch {
		case rest[0] == '\\' && len(rest) > 1:
			outside.WriteByte('~')
			rest = rest[2:]
		case fence != "":
			require.LessOrEqual(t, len(fence), 3, p)
			_, after, closed := strings.Cut(rest[len(fence):], fence)
			require.True(t, closed, p)
			rest = after
		default:
			outside.WriteByte(rest[0])
			rest = rest[1:]
		}
	}
	left := discordLn.ReplaceAllString(outside.String(), "")
	require.False(t, mention.MatchString(left), p)
	require.NotContains(t, left, "|", p)
}

func whatsappWell(t *testing.T, p string) {
	t.Helper()
	require.Zero(t, strings.Count(p, "```")%2, p)
	for i, part := range strings.Split(p, "```") {
		require.True(t, i%2 == 1 || strings.Count(part, "`")%2 == 0, p)
	}
}

func seeds() []string {
	return []string{sample, strings.Repeat("word ", 300), strings.Repeat("x", 700), strings.Repeat("**bold _it_ ~~s~~** ", 60),
		"```go\n" + strings.Repeat("line of `code` <b>\n", 60) + "```", strings.Repeat("[label here](https://x.org/some/path?q=1) ", 40),
		strings.Repeat("👩‍👩‍👧‍👦🇩🇪é", 80), "> " + strings.Repeat("quoted & <x> ", 90), "# " + strings.Repeat("h ", 300),
		strings.Repeat("- item **b**\n  - sub `c`\n", 40), "| a | b |\n|--|--|\n" + strings.Repeat("| long cell with words "+strings.Repeat("y", 40)+" | z |\n", 12),
		strings.Repeat("https://x.org/"+strings.Repeat("p", 60)+" ", 9), "***a** b* `` ` `` \\` __c__ <https://a|b> @everyone <@1> &amp; &lt;", "`a\\`b`@everyone",
		"\t\tcode\n\n1. a\n   ```\n   b\n   ```\n2. c", strings.Repeat(">", 150) + "a", strings.Repeat("*", 5000), strings.Repeat("a\n\n---\n\n", 40),
	}
}

func TestEveryPieceHolds(t *testing.T) {
	t.Parallel()
	for _, s := range seeds() {
		for _, limit := range []int{200, 333, 2000} {
			check(t, s, limit)
		}
	}
}

// Words of all kinds put together at random.
func TestRandomTextsHold(t *testing.T) {
	t.Parallel()
	bits := []string{"*", "**", "_", "__", "~~", "`", "```", "\n", "\n\n", "> ", "- ", "1. ", "# ", "| ", "|--|\n", "word", "two words", " ", "<b>", "&amp;", "&", "<@U1>", "@everyone", "[", "](", ")", "https://x.org/a_b", "é", "👩‍👧", "\\", "   ", "---\n", "(", "!", "<!channel>", "\t", "go\n", "x"}
	rnd := rand.New(rand.NewPCG(7, 11))
	for range 600 {
		var b strings.Builder
		for range rnd.IntN(120) {
			b.WriteString(bits[rnd.IntN(len(bits))])
		}
		check(t, b.String(), 200+rnd.IntN(200))
	}
}

func FuzzSplit(f *testing.F) {
	for _, s := range seeds() {
		f.Add(s, 200)
	}
	f.Fuzz(func(t *testing.T, md string, limit int) {
		if len(md) > 20000 { // more takes minutes, and finds nothing that this does not
			md = strings.ToValidUTF8(md[:20000], "")
		}
		check(t, md, 200+int(uint(limit)%4801)) // every number is a limit that a service could have
	})
}

// What has no escape gets look-alikes: nothing that was words is left that the service would read as a mark.
func TestLookAlikes(t *testing.T) {
	t.Parallel()
	marked := regexp.MustCompile("(^|[^\\pL\\pN])([*_~`])(\\S|\\S.*?\\S)([*_~`])($|[^\\pL\\pN])")
	alphabet := []rune("*_~`> ab.1")
	rnd := rand.New(rand.NewPCG(3, 5))
	for range 20000 {
		s := ""
		for range rnd.IntN(12) {
			s += string(alphabet[rnd.IntN(len(alphabet))])
		}
		for _, m := range marked.FindAllStringSubmatch(text.WhatsApp.Plain(s, true), -1) {
			require.NotEqual(t, m[2], m[4], "%q", s)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("Some words that go on & on. ", 2000)
	for _, d := range []*text.Dialect{text.Telegram, text.WhatsApp, text.Slack, text.Discord} {
		pieces := d.Split(long)
		for i, p := range pieces {
			require.LessOrEqual(t, d.Size(p), d.Limit)
			if i < len(pieces)-1 {
				require.Greater(t, d.Size(p), d.Limit*9/10, "pieces are full")
			}
		}
	}
	// Telegram counts UTF-16 after entities.
	require.Len(t, text.Telegram.Split(strings.Repeat("&", 4096)), 1)
	require.Len(t, text.Telegram.Split(strings.Repeat("👍", 2048)), 1)
	require.Len(t, text.Telegram.Split(strings.Repeat("👍", 2049)), 2)
	// No message has more than a hundred formatted words.
	for _, p := range text.Telegram.Split(strings.Repeat("**a** b ", 150)) {
		require.LessOrEqual(t, strings.Count(p, "<b>"), 100)
	}
}

// A block of code that is cut is closed, and opened again in its language; a heading does not stand last.
func TestCuts(t *testing.T) {
	t.Parallel()
	d := limited(text.Discord, 100)
	pieces := d.Split("```go\n" + strings.Repeat("fmt.Println(1)\n", 15) + "```")
	require.Len(t, pieces, 3)
	for _, p := range pieces {
		require.True(t, strings.HasPrefix(p, "```go\nfmt") && strings.HasSuffix(p, ")\n```"), p)
	}
	require.Equal(t, []string{strings.Repeat("a", 60), "# Head\n\n" + strings.Repeat("b", 60)},
		d.Split(strings.Repeat("a", 60)+"\n\n# Head\n\n"+strings.Repeat("b", 60)))
	bold := limited(text.Telegram, 60).Split("**" + strings.Repeat("word ", 24) + "end**")
	require.Equal(t, []string{"<b>" + strings.Repeat("word ", 11) + "word</b>", "<b>" + strings.Repeat("word ", 11) + "word</b>", "<b>end</b>"}, bold)
}

func TestBigTextIsQuick(t *testing.T) {
	t.Parallel()
	for _, s := range []string{strings.Repeat("*a* ", 60000), strings.Repeat("[", 200000), strings.Repeat("> ", 100000), strings.Repeat("- a\n", 50000), strings.Repeat("x", 300000)} {
		require.NotEmpty(t, text.Discord.Split(s))
	}
}

func BenchmarkSplit(b *testing.B) {
	md := strings.Repeat(sample+"\n\n", 20)
	b.SetBytes(int64(len(md)))
	for b.Loop() {
		text.Telegram.Split(md)
	}
}
