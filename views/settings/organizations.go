package settings

import "strings"

// initialOf is the letter on an organization's mark.
func initialOf(name string) string {
	for _, r := range strings.TrimSpace(name) {
		return strings.ToUpper(string(r))
	}
	return "?"
}
