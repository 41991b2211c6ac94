package offline_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/engine/llm/offline"
)

func tools(names ...string) []llm.Tool {
	if len(names) == 0 {
		names = []string{"bash", "read_file", "write_file", "edit_file", "list_files", "search_files", "fetch_url", "remember", "recall"}
	}
	var out []llm.Tool
	for _, n := range names {
		out = append(out, llm.Tool{Name: n})
	}
	return out
}

func user(text string) llm.Message {
	return llm.Message{Role: llm.User, Parts: []llm.Part{{Text: text}}}
}

func ask(t *testing.T, r llm.Request) (llm.Message, llm.Done) {
	t.Helper()
	m, d, err := llm.Collect(offline.New(offline.Options{Pace: -1}).Stream(context.Background(), r))
	require.NoError(t, err)
	return m, d
}

func calls(m llm.Message) []string {
	var out []string
	for _, p := range m.Parts {
		if p.Call != nil {
			out = append(out, p.Call.Name+" "+string(p.Call.Input))
		}
	}
	return out
}

func text(m llm.Message) string {
	s := ""
	for _, p := range m.Parts {
		s += p.Text
	}
	return s
}

// run plays the agent: it answers every call with what the tool table says, until the model stops.
func run(t *testing.T, request string, results map[string]string) (all []string, final string) {
	t.Helper()
	r := llm.Request{Model: offline.Model, Tools: tools(), Messages: []llm.Message{user(request)}}
	for range 20 {
		m, d := ask(t, r)
		if d.Stop == llm.StopEnd {
			return all, text(m)
		}
		all = append(all, calls(m)...)
		answer := llm.Message{Role: llm.User}
		for _, p := range m.Parts {
			if p.Call != nil {
				out, known := results[p.Call.Name]
				answer.Parts = append(answer.Parts, llm.Part{Result: &llm.ToolResult{CallID: p.Call.ID, Name: p.Call.Name, Content: strings.TrimPrefix(out, "ERROR "), Error: !known || strings.HasPrefix(out, "ERROR ")}})
			}
		}
		r.Messages = append(r.Messages, m, answer)
	}
	t.Fatal("the model does not end")
	return nil, ""
}

var ok = map[string]string{"bash": "ok", "read_file": "content", "write_file": "written", "edit_file": "edited", "list_files": "a.txt\nsrc/",
	"search_files": "a.txt:1: hit", "fetch_url": "page", "remember": "saved", "recall": "colour: teal"}

func TestPhrases(t *testing.T) {
	for phrase, want := range map[string]string{
		"list files":                `list_files {}`,
		"List files.":               `list_files {}`,
		"please list all the files": `list_files {}`,
		"Could you please list the files in src?":               `list_files {"path":"src"}`,
		"list files in the src folder":                          `list_files {"path":"src"}`,
		"show me the files in ./docs/":                          `list_files {"path":"./docs/"}`,
		"what files are there?":                                 `list_files {}`,
		"What files do I have here?":                            `list_files {}`,
		"what's in the workspace":                               `list_files {}`,
		"ls":                                                    `bash {"command":"ls"}`,
		"ls src":                                                `list_files {"path":"src"}`,
		"ls -la":                                                `bash {"command":"ls -la"}`,
		"list files here":                                       `list_files {}`,
		"list":                                                  `list_files {}`,
		"read notes.txt":                                        `read_file {"path":"notes.txt"}`,
		"Please read the file notes.txt for me":                 `read_file {"path":"notes.txt"}`,
		"show me README.md":                                     `read_file {"path":"README.md"}`,
		"cat src/main.go":                                       `read_file {"path":"src/main.go"}`,
		"what is in config.yaml?":                               `read_file {"path":"config.yaml"}`,
		"what does notes.txt say?":                              `read_file {"path":"notes.txt"}`,
		"open `my file.txt`":                                    `read_file {"path":"my file.txt"}`,
		"show the contents of Makefile":                         `read_file {"path":"Makefile"}`,
		"show the first 5 lines of a.log":                       `read_file {"limit":5,"path":"a.log"}`,
		"show the last 3 lines of a.log":                        `bash {"command":"tail -n 3 -- 'a.log'"}`,
		"summarize README.md":                                   `read_file {"path":"README.md"}`,
		"write notes.txt with hello world":                      `write_file {"content":"hello world\n","path":"notes.txt"}`,
		"create a file called a.txt containing 'x y'":           `write_file {"content":"x y\n","path":"a.txt"}`,
		"Create file todo.md with the content \"- milk\"":       `write_file {"content":"- milk\n","path":"todo.md"}`,
		"write hello to a.txt":                                  `write_file {"content":"hello\n","path":"a.txt"}`,
		"save \"42\" as answer.txt":                             `write_file {"content":"42\n","path":"answer.txt"}`,
		"write a.txt with Hello there.":                         `write_file {"content":"Hello there.\n","path":"a.txt"}`,
		"create an empty file x.txt":                            `write_file {"content":"","path":"x.txt"}`,
		"write a.py with:\n```python\nprint(1)\n\nx = 2\n```":   `write_file {"content":"print(1)\n\nx = 2\n","path":"a.py"}`,
		"write a file hello.txt that says hi then":              `write_file {"content":"hi then\n","path":"hello.txt"}`,
		"edit notes.txt: replace hello with goodbye":            `edit_file {"new_text":"goodbye","old_text":"hello","path":"notes.txt"}`,
		"In a.go replace all `foo` with `bar`":                  `edit_file {"new_text":"bar","old_text":"foo","path":"a.go","replace_all":true}`,
		"replace \"a b\" by \"c d\" in x.txt":                   `edit_file {"new_text":"c d","old_text":"a b","path":"x.txt"}`,
		"change port 80 to port 8080 in app.conf":               `edit_file {"new_text":"port 8080","old_text":"port 80","path":"app.conf"}`,
		"search for TODO":                                       `search_files {"pattern":"TODO"}`,
		"search for \"func main\" in src":                       `search_files {"path":"src","pattern":"func main"}`,
		"find the word lobster in all files":                    `search_files {"pattern":"lobster"}`,
		"grep error in logs/app.log":                            `search_files {"path":"logs/app.log","pattern":"error"}`,
		"search for a.b(":                                       `search_files {"pattern":"a\\.b\\("}`,
		"search for `/a+b/`":                                    `search_files {"pattern":"a+b"}`,
		"where is parseConfig used?":                            `search_files {"pattern":"parseConfig"}`,
		"find files named *.go":                                 `bash {"command":"find '.' -name '*.go' -not -path '*/.git/*' | head -100"}`,
		"run `uname -a`":                                        `bash {"command":"uname -a"}`,
		"run `a` and `b`, then `c`":                             `bash {"command":"a"}|bash {"command":"b"}|bash {"command":"c"}`,
		"Please execute the command `go test ./...`":            `bash {"command":"go test ./..."}`,
		"run `sleep 9` with a timeout of 2 seconds":             `bash {"command":"sleep 9","timeout_seconds":2}`,
		"run:\n```bash\necho a\necho b\n```":                    `bash {"command":"echo a\necho b"}`,
		"run git status":                                        `bash {"command":"git status"}`,
		"$ echo hi":                                             `bash {"command":"echo hi"}`,
		"run hello.py":                                          `bash {"command":"python3 hello.py"}`,
		"`ls -l | wc -l`":                                       `bash {"command":"ls -l | wc -l"}`,
		"fetch https://example.com/a?b=c.":                      `fetch_url {"url":"https://example.com/a?b=c"}`,
		"https://example.com":                                   `fetch_url {"url":"https://example.com"}`,
		"get the page at https://example.com please":            `fetch_url {"url":"https://example.com"}`,
		"fetch example.com":                                     `fetch_url {"url":"https://example.com"}`,
		"remember that my favourite colour is teal":             `remember {"key":"favourite_colour","value":"teal"}`,
		"Remember: the deploy key = abc":                        `remember {"key":"deploy_key","value":"abc"}`,
		"please remember I prefer tabs":                         `remember {"category":"user_pref","key":"i_prefer_tabs","value":"I prefer tabs"}`,
		"don't forget that the standup is at 9":                 `remember {"key":"standup","value":"at 9"}`,
		"what do you remember?":                                 `recall {}`,
		"what do you remember about my favourite colour?":       `recall {"query":"favourite colour"}`,
		"recall colour":                                         `recall {"query":"colour"}`,
		"What is my favourite colour?":                          `recall {"query":"favourite colour"}`,
		"show your memory":                                      `recall {}`,
		"delete the file a.txt":                                 `bash {"command":"rm -- 'a.txt'"}`,
		"create a folder called build":                          `bash {"command":"mkdir -p -- 'build'"}`,
		"rename a.txt to b.txt":                                 `bash {"command":"mv -- 'a.txt' 'b.txt'"}`,
		"what time is it?":                                      `bash {"command":"date"}`,
		"count the lines in a.txt":                              `bash {"command":"wc -l -- 'a.txt'"}`,
		"write a small python script that prints hello":         `write_file {"content":"print(\"hello\")\n","path":"script.py"}`,
		"write a script in bash that counts from 1 to 3":        `write_file {"content":"#!/bin/sh\nn=1\nwhile [ \"$n\" -le 3 ]; do\n\techo \"$n\"\n\tn=$((n + 1))\ndone\n","path":"script.sh"}`,
		"write a program in go called hi.go that prints \"hi\"": `write_file {"content":"package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(\"hi\")\n}\n","path":"hi.go"}`,
		// several steps
		"write a.txt with hello then read it":                              `write_file {"content":"hello\n","path":"a.txt"}|read_file {"path":"a.txt"}`,
		"create a.txt containing eggs and bacon, and then list files":      `write_file {"content":"eggs and bacon\n","path":"a.txt"}|list_files {}`,
		"write x.txt with one and read it":                                 `write_file {"content":"one\n","path":"x.txt"}|read_file {"path":"x.txt"}`,
		"1. list files\n2. read a.txt\n3. run `date`":                      `list_files {}|read_file {"path":"a.txt"}|bash {"command":"date"}`,
		"Please do this:\n- write b.txt with hi\n- show it":                `write_file {"content":"hi\n","path":"b.txt"}|read_file {"path":"b.txt"}`,
		"list files\nread a.txt":                                           `list_files {}|read_file {"path":"a.txt"}`,
		"write a python script that prints the numbers 1 to 3 and run it":  `write_file {"content":"for n in range(1, 4):\n    print(n)\n","path":"script.py"}|bash {"command":"python3 script.py"}`,
		"First write a.sh with `echo hi`, then run it, finally delete it.": `write_file {"content":"echo hi\n","path":"a.sh"}|bash {"command":"sh a.sh"}|bash {"command":"rm -- 'a.sh'"}`,
		"remember that k is v and then what do you remember about k":       `remember {"key":"k","value":"v"}|recall {"query":"k"}`,
	} {
		t.Run(phrase, func(t *testing.T) {
			got, final := run(t, phrase, ok)
			require.Equal(t, want, strings.Join(got, "|"))
			require.NotEmpty(t, final)
		})
	}
}

func TestAnswersWithoutTools(t *testing.T) {
	for phrase, want := range map[string]string{
		"hello": "built-in offline model", "Hi there!": "Try one of these", "help": "| To | Say, for example |", "what can you do?": "list files",
		"who are you?": "not a large language model", "Are you ChatGPT?": "deterministic", "What model are you?": "deterministic",
		"how do I connect a provider": "OPENAI_API_KEY", "ping": "pong", "thanks!": "welcome", "say good morning": "good morning",
		"what is 12 * (3 + 4)?": "**84**", "2+2": "**4**", "calculate 7 / 2": "**3.5**", "what's 15% of 80?": "**12**", "2^10": "**1024**",
		"what is 1/3": "≈ 0.3333333333", "1,000 x 3": "**3000**", "what is the square root of 144?": "**12**", "5 / 0": "divides by zero",
		"7 mod 3": "**1**", "how much is 3 plus 4 times 2": "**11**",
		"write me a poem about the sea": "I do not understand", "why is the sky blue?": "A connected model provider", "": "built-in offline model",
		"search the web for lobsters": "no web search", "remind me tomorrow to call": "schedule",
		"This is the reminder that you were asked for. Pass it on: stretch": "You asked to be reminded: stretch",
		"write a program in python that solves sudoku":                      "I cannot program", "write notes.txt": "What should `notes.txt` contain?",
		"think about list files": "just say `list files`", "think hard about the meaning of life": "no opinion",
	} {
		m, d := ask(t, llm.Request{Tools: tools(), Messages: []llm.Message{user(phrase)}})
		require.Equal(t, llm.StopEnd, d.Stop, phrase)
		require.Contains(t, text(m), want, phrase)
		require.True(t, d.Usage.Estimated)
	}
	m, _ := ask(t, llm.Request{Messages: []llm.Message{user("think about lobsters")}})
	require.NotNil(t, m.Parts[0].Thinking)
}

func TestToolsThatAreMissing(t *testing.T) {
	m, _ := ask(t, llm.Request{Messages: []llm.Message{user("list files")}})
	require.Contains(t, text(m), "no `list_files` tool")
	m, _ = ask(t, llm.Request{Tools: tools("bash"), Messages: []llm.Message{user("read `it's; rm x`")}})
	require.Equal(t, []string{`bash {"command":"cat -- 'it'\\''s; rm x'"}`}, calls(m))
	m, _ = ask(t, llm.Request{Tools: tools("bash"), Messages: []llm.Message{user("list files in src")}})
	require.Equal(t, []string{`bash {"command":"ls -la -- 'src'"}`}, calls(m))
}

func TestItMeansTheLastFile(t *testing.T) {
	m, d := ask(t, llm.Request{Tools: tools(), Messages: []llm.Message{user("write a.py with print(1)"),
		{Role: llm.Assistant, Parts: []llm.Part{{Call: &llm.ToolCall{ID: "1", Name: "write_file", Input: json.RawMessage(`{"path":"a.py"}`)}}}},
		{Role: llm.User, Parts: []llm.Part{{Result: &llm.ToolResult{CallID: "1", Name: "write_file"}}}},
		{Role: llm.Assistant, Parts: []llm.Part{{Text: "done"}}}, user("now run it please")}})
	require.Equal(t, []string{`bash {"command":"python3 a.py"}`}, calls(m))
	require.Equal(t, llm.StopTools, d.Stop)
	require.Equal(t, "offline_5_1", m.Parts[len(m.Parts)-1].Call.ID)
}

func TestStreamStopsAndStartsAtOnce(t *testing.T) {
	p := offline.New(offline.Options{})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	var last error
	for _, err := range p.Stream(ctx, llm.Request{Messages: []llm.Message{user("help")}}) {
		if n++; n == 3 {
			cancel()
		}
		last = err
	}
	require.Equal(t, llm.KindCancelled, llm.KindOf(last))
	require.Less(t, n, 6)
	for range p.Stream(context.Background(), llm.Request{Messages: []llm.Message{user("help")}}) {
		break
	}
}

func FuzzNoPanicAndAnswer(f *testing.F) {
	for _, s := range []string{"list files", "1. a\n2. b", "```", "write `a` with ```b", "2^512^512", "((((", "replace a with b in c.d", "run ``", "\ue000", "think"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, _, err := llm.Collect(offline.New(offline.Options{Pace: -1}).Stream(context.Background(), llm.Request{Tools: tools(), Messages: []llm.Message{user(s)}}))
		require.NoError(t, err)
		require.NotEmpty(t, m.Parts)
	})
}

func BenchmarkFirstChunk(b *testing.B) {
	p := offline.New(offline.Options{Pace: -1})
	r := llm.Request{Tools: tools(), Messages: []llm.Message{user("please write a small essay about lobsters and then nothing at all")}}
	for b.Loop() {
		for range p.Stream(context.Background(), r) {
			break
		}
	}
}

func BenchmarkLongest(b *testing.B) {
	p := offline.New(offline.Options{Pace: -1})
	for _, s := range []string{strings.Repeat("read a.txt and then ", 190), strings.Repeat("list files and lobsters, then ", 4000)} {
		r := llm.Request{Tools: tools(), Messages: []llm.Message{user(s)}}
		b.Run("", func(b *testing.B) {
			for b.Loop() {
				_, _, _ = llm.Collect(p.Stream(context.Background(), r))
			}
		})
	}
}

// What the system remarks behind a result is not a request: the person's is still the one that is answered.
func TestARemarkIsNoRequest(t *testing.T) {
	first, _ := ask(t, llm.Request{Tools: tools(), Messages: []llm.Message{user("run `echo alive`")}})
	var id string
	for _, p := range first.Parts {
		if p.Call != nil {
			id = p.Call.ID
		}
	}
	m, d := ask(t, llm.Request{Tools: tools(), Messages: []llm.Message{user("run `echo alive`"), first, {Role: llm.User, Parts: []llm.Part{
		{Result: &llm.ToolResult{CallID: id, Name: "bash", Content: "alive\n"}}, {Text: "(Notice of the system: a fresh sandbox was started)", Remark: true}}}}})
	require.Equal(t, llm.StopEnd, d.Stop)
	require.Contains(t, text(m), "alive")
	require.NotContains(t, text(m), "understand")
}
