package size_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/kit/size"
)

func TestOf(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{0: "0 bytes", 1: "1 byte", 1023: "1023 bytes", 1024: "1 KB", 1536: "1.5 KB", 512 << 20: "512 MB", 1 << 30: "1 GB", 3 << 29: "1.5 GB", 200 << 30: "200 GB"} {
		require.Equal(t, want, size.Of(n))
	}
}
