//go:build !linux

package sandboxtest

const (
	escaped = "ESCAPED"
	held    = "HELD"
)

// Helper needs Linux.
func Helper([]string) int { return 2 }
