//go:build !linux

package hands

import (
	"fmt"
	"os"
)

// Main is not there on this system: sandboxes of the process driver need Linux.
func Main([]string) int {
	fmt.Fprintln(os.Stderr, "hands: needs Linux")
	return 2
}
