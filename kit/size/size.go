// Package size owns how numbers of bytes are said to people. It knows nothing of what has them.
package size

import (
	"strconv"
	"strings"
)

// Of says a number of bytes in its largest unit, each 1024 of the one below: "1 byte", "12 KB", "512 MB", "1.5 GB".
func Of(n int64) string {
	for _, u := range []struct {
		bytes int64
		name  string
	}{{1 << 30, " GB"}, {1 << 20, " MB"}, {1 << 10, " KB"}} {
		if n >= u.bytes {
			return strings.TrimSuffix(strconv.FormatFloat(float64(n)/float64(u.bytes), 'f', 1, 64), ".0") + u.name
		}
	}
	if n == 1 {
		return "1 byte"
	}
	return strconv.FormatInt(n, 10) + " bytes"
}
