package filename

import (
	"cmp"
	"strings"
)

// Compare orders names as people do: numbers in them by their value, "page 2" before "page 10", and small and capital
// letters alike. Names that are equal so are ordered by their bytes.
func Compare(a, b string) int {
	x, y := strings.ToLower(a), strings.ToLower(b)
	for x != "" && y != "" {
		p, q := number(x), number(y)
		if p == "" || q == "" {
			if x[0] != y[0] {
				return cmp.Compare(x[0], y[0])
			}
			x, y = x[1:], y[1:]
			continue
		}
		x, y = x[len(p):], y[len(q):]
		p, q = strings.TrimLeft(p, "0"), strings.TrimLeft(q, "0")
		if n := cmp.Or(cmp.Compare(len(p), len(q)), strings.Compare(p, q)); n != 0 {
			return n
		}
	}
	return cmp.Or(cmp.Compare(len(x), len(y)), strings.Compare(a, b))
}

// number is the digits that a name begins with.
func number(s string) string { return s[:len(s)-len(strings.TrimLeft(s, "0123456789"))] }
