package offline_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReportsTellWhatReallyHappened(t *testing.T) {
	with := func(k, v string) map[string]string { return map[string]string{k: v} }
	for _, c := range []struct {
		phrase  string
		results map[string]string
		want    []string
		not     string
	}{
		{"list files", with("list_files", "a.txt\t12\nsrc/\nb|c.md\t3.4 KB"), []string{"2 files and 1 directory", "| `a.txt` | file | 12 |", "| `src/` | directory |", `b\|c.md`}, ""},
		{"list files", with("list_files", "a.txt (12 bytes)\nsrc/"), []string{"| `a.txt` | file | 12 bytes |"}, ""},
		{"list files", with("list_files", "(the directory is empty)"), []string{"There are no files in the workspace."}, "|"},
		{"list files", with("list_files", "a b.txt\t12 bytes\nl -> a\n[only the first 2 entries]"), []string{"| `a b.txt` | file | 12 bytes |", "| `l -> a` | link |"}, ""},
		{"run `true`", with("bash", "[no output, exit code 0]"), []string{"printed nothing"}, "```"},
		{"run `x`", with("bash", "ERROR a\n[exit code 3]"), []string{"exit code **3**"}, "did not work"},
		{"recall q", with("recall", "(nothing found)"), []string{"I remember nothing"}, ""},
		{"list files", with("list_files", ""), []string{"no files in the workspace"}, ""},
		{"list files", with("list_files", `[{"path":"x","size":3},{"path":"d","dir":true}]`), []string{"| `x` | file | 3 B |", "| `d` | directory |"}, ""},
		{"list files in nope", with("list_files", "ERROR no such directory"), []string{"did not work", "no such directory"}, "I found"},
		{"read a.md", with("read_file", "x\n```\ny"), []string{"````markdown\nx\n```\ny\n````", "3 lines"}, ""},
		{"read a.txt", with("read_file", ""), []string{"is empty"}, ""},
		{"run `false`", with("bash", "oops\n[exit code 2]"), []string{"exit code **2**", "oops"}, "succeeded"},
		{"run `false`", with("bash", "exit code: 1\nstderr: no"), []string{"exit code **1**"}, ""},
		{"run `x`", with("bash", `{"stdout":"hi","stderr":"","exit_code":0}`), []string{"```\nhi\n```"}, "exit_code"},
		{"run `true`", with("bash", ""), []string{"printed nothing"}, ""},
		{"run `seq 400`", with("bash", strings.Repeat("1\n", 400)), []string{"the first 150 of 400 lines"}, ""},
		{"read a.txt then list files", with("read_file", "ERROR denied"), []string{"denied", "I stopped there", "2. Files"}, ""},
		{"recall x", with("recall", "x_y (fact): 1\nb: 2"), []string{"| x y | 1 |", "| b | 2 |"}, ""},
		{"what do you remember", with("recall", "[]"), []string{"I remember nothing"}, ""},
		{"search for q", with("search_files", "no matches"), []string{"Nothing matches `q`"}, ""},
		{"describe this server", with("bash", "System: Linux 6\nMachine: x86_64\n[exit code 0]"), []string{"| System | Linux 6 |", "**Disk**", "**Processes**"}, ""},
		{"what is running on this server?", with("bash", "PID USER %CPU %MEM COMMAND\n1 root 0.0 0.1 init"), []string{"| 1 | root | 0.0 | 0.1 | `init` |"}, ""},
		{"describe this server", with("bash", "ERROR no sandbox"), []string{"no sandbox"}, ""},
	} {
		_, final := run(t, c.phrase, c.results)
		for _, w := range c.want {
			require.Contains(t, final, w, c.phrase)
		}
		if c.not != "" {
			require.NotContains(t, final, c.not, c.phrase)
		}
		if strings.Contains(final, "````") {
			continue
		}
		require.Zero(t, strings.Count(final, "\n```")%2, final)
	}
}
