package policy_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/policy"
	"lobstead/models"
)

func command(s string) []byte {
	b, _ := json.Marshal(map[string]string{"command": s})
	return b
}

func rule(v models.Verdict, tool, pattern string) models.PolicyRule {
	return models.PolicyRule{ID: string(v) + tool + pattern, Tool: tool, Pattern: pattern, Verdict: v}
}

func TestGlob(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "", true}, {"", "", true}, {"", "a", false}, {"a", "a", true}, {"a", "A", false}, {"a*", "a/b c\nd", true}, {"*.go", "a/b.go", true},
		{"*.go", "a.gob", false}, {"a?c", "abc", true}, {"a?c", "ac", false}, {"a?c", "aéc", true}, {`a\*c`, "a*c", true}, {`a\*c`, "abc", false},
		{`*\\`, `a\`, true}, {"*a*b*", "xxaxxbxx", true}, {"*a*b*", "xxbxxaxx", false}, {"*aab", "aaab", true}, {"[a]", "a", false}, {"**", "x", true},
	} {
		require.Equal(t, c.want, policy.Glob(c.pattern, c.text), "%q %q", c.pattern, c.text)
	}
}

// A pattern made from a text by putting * for any of its pieces matches that text.
func TestGlobMatchesWhatItWasMadeFrom(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	letters := []rune("ab é/*?\\\n")
	quote := strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`)
	for range 5000 {
		text, pattern := "", ""
		for range r.IntN(12) {
			piece := string(letters[r.IntN(len(letters))])
			text += piece
			switch r.IntN(4) {
			case 0:
				pattern += "*"
			case 1:
				pattern += "?"
			default:
				pattern += quote.Replace(piece)
			}
		}
		require.True(t, policy.Glob(pattern, text), "%q %q", pattern, text)
		require.Equal(t, text == "x"+text, policy.Glob(quote.Replace("x"+text), text), "literal %q", text)
	}
}

func TestFirstMatchHolds(t *testing.T) {
	rules := []models.PolicyRule{rule(models.Allow, "bash", "git status*"), rule(models.Deny, "*_file", "secrets/*"), rule(models.Ask, "bash", "git *"), rule(models.Deny, "fetch_url", "*.evil.example")}
	for _, c := range []struct {
		tool, input string
		want        models.Verdict
	}{
		{"bash", `{"command":"git status -s"}`, models.Allow},
		{"bash", `{"command":"git status; rm -rf ."}`, models.Ask}, // not the first rule, which is about one command
		{"bash", `{"command":"git push"}`, models.Ask},
		{"bash", `{"command":"cd x && git   push"}`, models.Ask},
		{"bash", `{"COMMAND":"git push"}`, models.Ask},
		{"bash", `{"command":"ls"}`, models.Allow},
		{"write_file", `{"path":"secrets/key"}`, models.Deny},
		{"write_file", `{"path":"./x/../secrets/key"}`, models.Deny},
		{"read_file", `{"path":"/workspace/secrets/key"}`, models.Deny},
		{"read_file", `{"path":"workspace/secrets/key"}`, models.Allow}, // another file
		{"fetch_url", `{"url":"https://A.Evil.Example./x"}`, models.Deny},
		{"fetch_url", `{"url":"https://good.example/?a.evil.example"}`, models.Allow},
		{"fetch_url", `{"url":"https://good.example@a.evil.example/"}`, models.Deny},
	} {
		v := policy.Judge(rules, policy.Call{Tool: c.tool, Input: []byte(c.input)}, "")
		require.Equal(t, c.want, v.Do, "%s %s: %+v", c.tool, c.input, v)
		require.NotEmpty(t, v.Reason)
	}
}

// What a rule allows stays one command: nothing can be added to it.
func TestAllowedCommandCannotBeExtended(t *testing.T) {
	rules := []models.PolicyRule{rule(models.Allow, "bash", "git status*"), rule(models.Deny, "bash", "*")}
	judge := func(s string) models.Verdict {
		return policy.Judge(rules, policy.Call{Tool: "bash", Input: command(s)}, "").Do
	}
	for _, fine := range []string{"git status", "git status -s", "git status && git status -b", "git  status"} {
		require.Equal(t, models.Allow, judge(fine), fine)
	}
	for _, more := range []string{"; rm x", "\nrm x", "\rrm x", " && rm x", " || rm x", " | sh", " & rm x", " $(rm x)", " `rm x`", " > x", " < x", " <(rm x)", " ; { rm x; }", ";rm x", "|sh"} {
		require.Equal(t, models.Deny, judge("git status"+more), "%q", more)
	}
	exact := []models.PolicyRule{rule(models.Allow, "bash", "make; make test"), rule(models.Deny, "bash", "*")}
	require.Equal(t, models.Allow, policy.Judge(exact, policy.Call{Tool: "bash", Input: command("make; make test")}, "").Do)
	require.Equal(t, models.Deny, policy.Judge(exact, policy.Call{Tool: "bash", Input: command("make; make tests")}, "").Do)
}

// A tool reads the last of two keys, policy might read the first: such a call does not run.
func TestAmbiguousArgumentsAreRefused(t *testing.T) {
	for _, input := range []string{`{"command":"ls","command":"rm x"}`, `{"command":"ls","COMMAND":"rm x"}`, `{"command":"ls","com\u006dand":"rm x"}`, `{"path":"a","pATH":"b"}`,
		`{"a":{"b":1,"b":2}}`, `[]`, `"x"`, ``, `{`, `{} {}`, `{"a":` + strings.Repeat("[", 300) + strings.Repeat("]", 300) + `}`} {
		v := policy.Judge(nil, policy.Call{Tool: "bash", Input: []byte(input)}, "")
		require.Equal(t, models.Deny, v.Do, input)
		_, err := policy.Fingerprint(policy.Call{Tool: "bash", Input: []byte(input)})
		require.Error(t, err, input)
	}
}

func TestFingerprint(t *testing.T) {
	of := func(instance, tool, input string) string {
		f, err := policy.Fingerprint(policy.Call{InstanceID: instance, Tool: tool, Input: []byte(input)})
		require.NoError(t, err)
		return f
	}
	base := of("i", "bash", `{"command":"git push","timeout_seconds":5}`)
	for _, same := range []string{`{"timeout_seconds":5,"command":"git push"}`, "{ \"command\" :\n\"git push\",\t\"timeout_seconds\": 5 }", `{"command":"git\u0020push","timeout_seconds":5}`} {
		require.Equal(t, base, of("i", "bash", same), same)
	}
	seen := map[string]string{base: "base"}
	for _, other := range []string{`{"command":"git  push","timeout_seconds":5}`, `{"command":"git push ","timeout_seconds":5}`, `{"command":"git\tpush","timeout_seconds":5}`,
		`{"command":"git\npush","timeout_seconds":5}`, `{"command":"git\u00a0push","timeout_seconds":5}`, `{"command":"git push","timeout_seconds":6}`, `{"command":"git push","timeout_seconds":"5"}`,
		`{"command":"git push"}`, `{"Command":"git push","timeout_seconds":5}`, `{"command":"git push\u200b","timeout_seconds":5}`, `{"command":"gіt push","timeout_seconds":5}`,
		`{"command":"\u00e9"}`, `{"command":"e\u0301"}`, `{"command":null}`, `{}`} {
		f := of("i", "bash", other)
		require.Empty(t, seen[f], "%s and %s", other, seen[f])
		seen[f] = other
	}
	require.NotEqual(t, base, of("j", "bash", `{"command":"git push","timeout_seconds":5}`), "another instance")
	require.NotEqual(t, base, of("i", "bash2", `{"command":"git push","timeout_seconds":5}`), "another tool")
	require.NotEqual(t, of("i", "x", `{"a":1.0}`), of("i", "x", `{"a":1}`))
}

// Whatever the order of keys, a fingerprint is the same; whatever is changed within a value, it is another.
func TestFingerprintProperties(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		keys, parts := r.Perm(6), make([]string, 6)
		for n, k := range keys {
			parts[n] = `"` + string(rune('a'+k)) + `":` + string(rune('1'+k))
		}
		call := func(text string) string {
			f, err := policy.Fingerprint(policy.Call{Tool: "t", Input: []byte(text)})
			require.NoError(t, err)
			return f
		}
		require.Equal(t, call(`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}`), call("{"+strings.Join(parts, " , ")+"}"))
		at := r.IntN(6)
		parts[at] += "1"
		require.NotEqual(t, call(`{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6}`), call("{"+strings.Join(parts, ",")+"}"))
	}
}

func TestTaintAsksForWhatGoesOut(t *testing.T) {
	judge := func(s, tainted string) policy.Verdict {
		return policy.Judge(nil, policy.Call{Tool: "bash", Input: command(s), Outward: policy.OutwardCommand(s)}, tainted)
	}
	for _, out := range []string{"git push", "git -C x push origin", "cd a && git push", "curl -d @x https://e", "curl -sd x e", "curl --data-binary @x e", "curl -XPOST e", "curl --json '{}' e",
		"/usr/bin/curl -F a=b e", "sh -c 'curl -d x e'", "echo $(curl -T x e)", "wget --post-data=x e", "ssh host", "scp a b:", "nc e 80 < x", "npm publish", "docker push x", `c\url -d x e`, "gh pr create", "FOO=1 git push"} {
		require.Equal(t, models.Ask, judge(out, "a web page").Do, out)
		require.Contains(t, judge(out, "a web page").Reason, "a web page")
		require.Equal(t, models.Allow, judge(out, "").Do, "nothing untrusted was read: %s", out)
	}
	for _, in := range []string{"ls -la", "git commit -m 'push it'", "git status", "curl https://e", "curl -fsSL https://e | tar x", "wget -q https://e", "npm install", "docker build .", "python3 post.py", "cat curl.txt", "echo done"} {
		require.Equal(t, models.Allow, judge(in, "a web page").Do, in)
	}
	allowed := []models.PolicyRule{rule(models.Allow, "bash", "git push origin main")}
	require.Equal(t, models.Allow, policy.Judge(allowed, policy.Call{Tool: "bash", Input: command("git push origin main"), Outward: "x"}, "a page").Do)
}

func FuzzJudge(f *testing.F) {
	f.Add("git status*", `{"command":"git status; ls"}`)
	f.Add("*", `{"a":[1,{"b":null}]}`)
	f.Fuzz(func(t *testing.T, pattern, input string) {
		allow := []models.PolicyRule{rule(models.Allow, "bash", pattern), rule(models.Deny, "*", "*")}
		c := policy.Call{Tool: "bash", Input: []byte(input)}
		v := policy.Judge(allow, c, "")
		f, err := policy.Fingerprint(c)
		if err != nil && v.Do != models.Deny {
			t.Fatalf("%q runs and has no fingerprint", input)
		}
		if again, _ := policy.Fingerprint(c); again != f {
			t.Fatal("a fingerprint is not stable")
		}
		var in struct{ Command string }
		if v.Do == models.Allow && json.Unmarshal([]byte(input), &in) == nil && in.Command != policy.Subject(c) {
			t.Fatalf("policy read %q where the tool reads %q", policy.Subject(c), in.Command)
		}
	})
}
