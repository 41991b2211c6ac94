package shell_test

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/engine/sandbox/shell"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "sh" {
		os.Exit(shell.Main(os.Args[2:]))
	}
	os.Exit(m.Run())
}

func TestScripts(t *testing.T) {
	exe, err := os.Executable()
	require.NoError(t, err)
	for _, c := range []struct {
		script, out string
		code        int
	}{
		{"echo hello | cat", "hello\n", 0},
		{"mkdir -p a/b && echo x >a/b/f && cp -r a c && mv c/b/f c/g && ls -R c", "c:\nb\ng\n\nc/b:\n", 0},
		{"rm missing", "", 1},
		{"rm -f missing; rm -r a; ls", "", 0},
		{"for i in 3 1 2; do echo $i; done | sort -n | head -n 2", "1\n2\n", 0},
		{"printf 'a\\nb\\nab\\n' | grep -n a | wc -l", "2\n", 0},
		{"printf 'x\\n' | grep -q y", "", 1},
		{"X=1 env | grep ^X=", "X=1\n", 0},
		{"uname", "Linux\n", 0},
		{"head -z", "", 1},
		{"no-such-program", "", 127},
		{"echo one >f; cat f f | tail -1; find . -name f -type f", "one\n./f\n", 0},
		{"exit 7", "", 7},
		{"if", "", 2},
	} {
		cmd := exec.Command(exe, "sh", "-c", c.script)
		cmd.Dir, cmd.Env = t.TempDir(), []string{"PATH=/nowhere"}
		out, err := cmd.Output()
		code := 0
		if e, ok := errors.AsType[*exec.ExitError](err); ok {
			code = e.ExitCode()
		}
		require.Equal(t, c.code, code, c.script)
		require.Equal(t, c.out, string(out), c.script)
	}
}
