package offline

import (
	"strings"
)

var talkRules = []rule{
	saying(`(?:hi|hello|hey|hiya|howdy|yo|greetings|good (?:morning|afternoon|evening|day)|hallo|moin|salut|hola)(?: (?:there|lobstead|agent|bot|assistant|everyone|all|again))?[\s!.,?]*`, func(p *parser, _ []string) string { return hello(p.tools) }),
	saying(`(?:(?:and )?how are you(?: doing)?|how do you do|what's up|sup|how(?:'s| is) it going)[\s!.?]*`, func(p *parser, _ []string) string {
		return "I am a program, so always the same: ready. " + tryThese(p.tools)
	}),
	saying(`(?:thanks|thank you|thx|ty|cheers|great|nice|cool|awesome|perfect|good job|well done|wonderful)(?: (?:a lot|so much|very much|you|work|job))*[\s!.]*`, func(*parser, []string) string {
		return "You are welcome."
	}),
	saying(`(?:bye|goodbye|see you(?: later| soon)?|good night|ciao)[\s!.]*`, func(*parser, []string) string {
		return "Goodbye. The conversation stays in the log, and the files stay in the workspace."
	}),
	saying(`ping[\s!.?]*`, func(*parser, []string) string { return "pong" }),
	saying(`(?:test|testing|are you (?:there|alive|awake|working|online))(?: 1 2 3)?[\s!.?]*`, func(p *parser, _ []string) string {
		return "Yes, I am here and working. " + tryThese(p.tools)
	}),
	saying(`(?:who|what) (?:are|r) (?:you|u)|(?:what|which)(?: (?:ai|llm|language))? model (?:are you|is this|do you use|am i talking to)|are you (?:an? )?(?:ai|real|llm|large language model|human|robot|bot|chatgpt|gpt.*|claude.*|gemini.*)|introduce yourself|tell me about yourself|what(?:'s| is) your name`, func(p *parser, _ []string) string { return identity(p.tools) }),
	saying(`help(?: me)?|what can you do(?: for me)?|what do you do|what are you able to do|how (?:do|can) (?:i|you) (?:use (?:you|this)|help(?: me)?|work)|what (?:commands|requests|things) (?:can|do) you (?:understand|know|do)|\?+|usage|commands|capabilities|what (?:tools|skills) do you have|list (?:your )?(?:tools|commands|capabilities)|show (?:me )?(?:your )?(?:tools|commands|help)`, func(p *parser, _ []string) string { return help(p.tools) }),
	saying(`how (?:do|can) i (?:connect|add|use|set up|configure) (?:a |an |my |another )?(?:real |better |large |own )?(?:model|provider|llm|ai|key|api key|openai|anthropic|claude|gemini|ollama|openrouter)(?: key| model| provider)?`, func(*parser, []string) string { return connecting }),
	saying(`(?:say|echo|repeat(?: after me)?)(?: the words?| this)?:? ([^|>&;$\x60]+)`, func(p *parser, m []string) string {
		return p.value(m[1])
	}),
}

const connecting = "Connect a provider, and it takes over from the next message on:\n\n" +
	"- on the **Models** page of the settings, with a key; or\n" +
	"- with one of `OPENAI_API_KEY`, `ANTHROPIC_API_KEY`, `GEMINI_API_KEY` or `OPENROUTER_API_KEY` in the environment at start; or\n" +
	"- with a local Ollama, which is found by itself at `127.0.0.1:11434` (or where `OLLAMA_HOST` says)."

func identity(tools map[string]bool) string {
	return "I am the **built-in offline model** of Lobstead. I am not a large language model: I am a small deterministic program that follows " +
		"plain requests with the tools of this agent, without a key and without a network. The same request always gives the same steps, " +
		"and I do not understand anything beyond them.\n\n" + tryThese(tools) + "\n\n" + connecting
}

func hello(tools map[string]bool) string {
	return "Hello! I am the built-in offline model: no key and no network needed, but no intelligence either. I follow plain requests. " + tryThese(tools)
}

type example struct{ tool, what, say string }

var examples = []example{
	{"bash", "Describe the machine", "describe this server"},
	{"list_files", "List files", "list files"},
	{"write_file", "Write a file", "write notes.txt with hello world"},
	{"read_file", "Read a file", "read notes.txt"},
	{"edit_file", "Edit a file", "edit notes.txt: replace hello with goodbye"},
	{"search_files", "Search in files", "search for goodbye in notes.txt"},
	{"bash", "Run commands", "run `uname -a` and `date`"},
	{"write_file", "Write a small script", "write a script in python that prints the numbers from 1 to 5 and run it"},
	{"fetch_url", "Fetch a page", "fetch https://example.com"},
	{"remember", "Remember a fact", "remember that my favourite colour is teal"},
	{"recall", "Recall facts", "what do you remember?"},
	{"", "Calculate", "what is 12 * (3 + 4)?"},
	{"", "Show how it thinks", "think about the plan for today"},
}

func help(tools map[string]bool) string {
	var rows [][]string
	for _, e := range examples {
		if e.tool == "" || tools[e.tool] {
			rows = append(rows, []string{e.what, code(e.say)})
		}
	}
	return "I am the **built-in offline model**: deterministic, without intelligence, and always available. With the tools of this agent I understand:\n\n" +
		table([]string{"To", "Say, for example"}, rows) +
		"\nSeveral requests can be joined with *then* or written as a numbered list.\n\n" + connecting
}

// suggestions gives three things that work with these tools.
func suggestions(tools map[string]bool) []string {
	var out []string
	for _, i := range []int{0, 1, 2, 9, 11, 12, 3} {
		if e := examples[i]; (e.tool == "" || tools[e.tool]) && len(out) < 3 {
			out = append(out, e.say)
		}
	}
	return out
}

func tryThese(tools map[string]bool) string {
	var b strings.Builder
	b.WriteString("Try one of these:\n\n")
	for _, s := range suggestions(tools) {
		b.WriteString("- " + code(s) + "\n")
	}
	return strings.TrimSpace(b.String())
}

// fallback is the honest answer to all that the grammar does not know.
func fallback(text string, tools map[string]bool) string {
	quote := strings.Join(strings.Fields(text), " ")
	if r := []rune(quote); len(r) > 80 {
		quote = string(r[:79]) + "…"
	}
	return "I do not understand " + code(quote) + ": I am the built-in offline model, a fixed set of plain requests without any intelligence behind it. " +
		"A connected model provider can answer this. " + tryThese(tools) + "\n\nSay " + code("help") + " for everything that I can do."
}
