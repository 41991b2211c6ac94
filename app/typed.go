package app

import (
	"regexp"
	"strconv"
	"strings"
)

// typedFigure is a number as people write it, its thousands parted by commas or spaces or not at all.
var typedFigure = regexp.MustCompile(`^[-+]?(\d+|\d{1,3}([ ,]\d{3})+)?(\.\d*)?$`)

// figureTyped reads a number that a person typed: "12.50", "$1,250", "1 250.5". A comma parts thousands and nothing else: who
// writes 12,50 means twelve and a half, and must be told, not given 1,250. ok is false for what is no such number.
func figureTyped(text string) (n float64, ok bool) {
	clean := strings.TrimSpace(strings.ReplaceAll(text, "$", ""))
	if !typedFigure.MatchString(clean) {
		return 0, false
	}
	n, err := strconv.ParseFloat(strings.NewReplacer(",", "", " ", "").Replace(clean), 64)
	return n, err == nil
}
