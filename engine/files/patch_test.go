package files_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/engine/files"
)

// Everything that was answered with success stands in the file, however many change it at once.
func TestPatchesAtOnce(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.write("app.txt", "")
	r.write("row", strings.Repeat(".", 40))
	var wg sync.WaitGroup
	for n := range 40 {
		wg.Go(func() {
			_, err := r.c.Patch(t.Context(), r.i, "app.txt", files.Edit{Verb: "append", Data: fmt.Appendf(nil, "line%02d\n", n)})
			assert.NoError(t, err)
			_, err = r.c.Patch(t.Context(), r.i, "row", files.Edit{Verb: "replace", Data: []byte("x"), Position: &n})
			assert.NoError(t, err)
		})
	}
	wg.Wait()
	require.Len(t, strings.Split(strings.TrimSpace(r.read("app.txt")), "\n"), 40)
	require.Equal(t, strings.Repeat("x", 40), r.read("row"), "versions of one size are versions too")
}
