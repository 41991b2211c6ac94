package text_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/channels/text"
)

const sample = "# Report\n\nIt **works**, *mostly*; ~~not~~ `a < b` & see [the *docs*](https://x.org/a_b?c=1&d=2).\nNext line.\n\n" +
	"- one\n- two\n  - deep *er*\n  - deeper\n    1. first\n    2. second\n- [x] done\n- [ ] open\n\n3. three\n4. four\n\n" +
	"> said **he**\n> again\n\n```go\nif a < b && c {\n\treturn \"x\"\n}\n```\n\n---\n\n| Name | Count |\n|---|--:|\n| a | 1 |\n| bcd | 22 |\n\nhttps://y.org/p_q_r end"

func TestTelegram(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{`<b>Report</b>

It <b>works</b>, <i>mostly</i>; <s>not</s> <code>a &lt; b</code> &amp; see <a href="https://x.org/a_b?c=1&amp;d=2">the <i>docs</i></a>.
Next line.

• one
• two
  ◦ deep <i>er</i>
  ◦ deeper
    1. first
    2. second
• ☑ done
• ☐ open

3. three
4. four

<blockquote>said <b>he</b>
again</blockquote>

<pre><code class="language-go">if a &lt; b &amp;&amp; c {
    return &quot;x&quot;
}</code></pre>

———

<pre>Name  Count
────  ─────
a         1
bcd      22</pre>

https://y.org/p_q_r end`}, text.Telegram.Split(sample))
}

func TestWhatsApp(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"*Report*\n\nIt *works*, _mostly_; ~not~ `a < b` & see the _docs_ (https://x.org/a_b?c=1&d=2).\nNext line.\n\n" +
		"• one\n• two\n  ◦ deep _er_\n  ◦ deeper\n    1. first\n    2. second\n• ☑ done\n• ☐ open\n\n3. three\n4. four\n\n> said *he*\n> again\n\n" +
		"```if a < b && c {\n    return \"x\"\n}```\n\n———\n\n```Name  Count\n────  ─────\na         1\nbcd      22```\n\nhttps://y.org/p_q_r end"}, text.WhatsApp.Split(sample))
}

func TestSlack(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"*Report*\n\nIt *works*, _mostly_; ~not~ `a &lt; b` &amp; see <https://x.org/a_b?c=1&amp;d=2|the docs>.\nNext line.\n\n" +
		"• one\n• two\n  ◦ deep _er_\n  ◦ deeper\n    1. first\n    2. second\n• ☑ done\n• ☐ open\n\n3. three\n4. four\n\n> said *he*\n> again\n\n" +
		"```\nif a &lt; b &amp;&amp; c {\n    return \"x\"\n}\n```\n\n———\n\n```\nName  Count\n────  ─────\na         1\nbcd      22\n```\n\n<https://y.org/p_q_r> end"}, text.Slack.Split(sample))
}

func TestDiscord(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"# Report\n\nIt **works**, _mostly_; ~~not~~ `a < b` & see [the _docs_](<https://x.org/a_b?c=1&d=2>).\nNext line.\n\n" +
		"- one\n- two\n  - deep _er_\n  - deeper\n    1. first\n    2. second\n- ☑ done\n- ☐ open\n\n3. three\n4. four\n\n> said **he**\n> again\n\n" +
		"```go\nif a < b && c {\n    return \"x\"\n}\n```\n\n———\n\n```\nName  Count\n────  ─────\na         1\nbcd      22\n```\n\n<https://y.org/p_q_r> end"}, text.Discord.Split(sample))
}

// What a person or a page told the agent must not become formatting, a mention or a link of the service.
func TestNothingIsInjected(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		d        *text.Dialect
		in, want string
	}{
		{text.Telegram, `<b>x</b> &lt;a href="y"&gt; \*z\* <script>`, `&lt;b&gt;x&lt;/b&gt; &lt;a href=&quot;y&quot;&gt; *z* &lt;script&gt;`},
		{text.Telegram, "[x](javascript:alert(1)) [y](tg://user?id=1)", "x y"},
		{text.Telegram, `[x](https://a.b/"onclick="y)`, `<a href="https://a.b/%22onclick=%22y">x</a>`},
		{text.Telegram, "```x\"><b>\ny\n```", "<pre>y</pre>"},
		{text.WhatsApp, `\*x\* \_y\_ \~z\~ \> a`, "∗x∗ ＿y＿ ∼z∼ > a"},
		{text.WhatsApp, `\> a`, "﹥ a"},
		{text.WhatsApp, "2 * 3 * 4, snake_case_name, a*b", "2 * 3 * 4, snake_case_name, a*b"},
		{text.WhatsApp, "a **b`*`c** d", "a *b*`*`*c* d"},
		{text.Slack, "<!channel> <@U123> <#C1> <https://x|y> &lt;!here&gt;", "&lt;!channel&gt; &lt;@U123&gt; &lt;#C1&gt; https://x|y &lt;!here&gt;"},
		{text.Slack, "<https://x.org/a|b>", "<https://x.org/a%7Cb|https://x.org/a¦b>"},
		{text.Discord, "@everyone @here <@123> <@&5> <#9> <:e:1> </c:1>", "@\u200beveryone @\u200bhere \\<@123\\> \\<@&5\\> \\<#9\\> \\<:e:1\\> \\</c:1\\>"},
		{text.Discord, "me@x.org @e*very*one @**here**", "me@x.org @e\\*very\\*one @\u200b**here**"},
		{text.Discord, `\# a \*b\* \|\|c\|\| \[d\](e)`, `\# a \*b\* \|\|c\|\| \[d\](e)`},
		{text.Discord, "1\\. a\n\n\\- b\n\n\\> c", "1\\. a\n\n\\- b\n\n\\> c"},
		{text.Discord, "````\n```\nx\n````", "```\n\u200b`\u200b`\u200b`\nx\n```"},
	} {
		require.Equal(t, []string{c.want}, c.d.Split(c.in), c.in)
	}
}

func TestOddities(t *testing.T) {
	t.Parallel()
	for _, none := range []string{"", " \n\t", "---", "\u200b", "&#8203;", "```\n\n```", "\x00", "> ", "- "} {
		require.Empty(t, text.Telegram.Split(none), "%q", none)
	}
	for in, want := range map[string]string{
		"a\r\nb":                              "a\nb",
		"a  \nb":                              "a\nb",
		"**a *b* c**":                         "<b>a <i>b</i> c</b>",
		"*a **b** c*":                         "<i>a <b>b</b> c</i>",
		"**`x`** y":                           "<code>x</code> y",
		"[`x`](https://a.b)":                  `<a href="https://a.b">x</a>`,
		"![alt](https://a.b/c.png)":           `<a href="https://a.b/c.png">alt</a>`,
		"![](https://a.b/c.png)":              "https://a.b/c.png",
		"<ada@x.org>":                         "ada@x.org",
		"[m](mailto:ada@x.org)":               `<a href="mailto:ada@x.org">m</a>`,
		"a\n\n\n\nb":                          "a\n\nb",
		"- ```\n  x\n  ```":                   "•\n\n<pre>x</pre>",
		"> - a\n>\n> b":                       "<blockquote>• a\n\nb</blockquote>",
		"bad \xff utf":                        "bad \uFFFD utf",
		"x\u202ey\u2066z":                     "xyz",
		"&copy; &#x41; &nope; \\&amp; a&b":    "© A &amp;nope; &amp;amp; a&amp;b",
		"[a](" + strings.Repeat("x", 9) + ")": "a",
	} {
		got := text.Telegram.Split(in)
		require.Len(t, got, 1, in)
		require.Equal(t, want, strings.ReplaceAll(got[0], "• \n", "•\n"), in)
	}
	require.Equal(t, []string{"foo*bar*baz"}, text.Slack.Split("foo\\*bar\\*baz"))
	require.Equal(t, []string{"foobarbaz"}, text.Slack.Split("foo**bar**baz"))
	require.Equal(t, []string{"2*3*4"}, text.Slack.Split("2*3*4"))
	require.Equal(t, []string{"2*3*4 H~2~O <i>a</i>"}, text.Telegram.Split("2*3*4 H~2~O *a*"))
	require.Equal(t, []string{"foo**bar**baz"}, text.Discord.Split("foo**bar**baz"))
}
