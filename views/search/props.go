// Package search shows what was found: as the palette's options and as a page. It knows no handler; what may be seen
// and done was decided before.
package search

import (
	"strconv"

	"lobstead/views/layout"
	"lobstead/views/ui"
)

// Hit is one result: a link to Href, or an act that posts Name=Value to Action.
type Hit struct {
	Icon                ui.Icon
	Text, Note, Kind    string
	Href                string
	Action, Name, Value string
}

// ShowProps is the page at /search; Options needs Query and Hits only.
type ShowProps struct {
	Frame layout.FrameProps
	Query string
	Hits  []Hit
}

// note says how many there are.
func (p ShowProps) note() string {
	switch n := len(p.Hits); {
	case n == 0:
		return "Nothing here has these words"
	case p.Query == "":
		return "Type to search everything"
	case n == 1:
		return "1 result"
	default:
		return strconv.Itoa(n) + " results"
	}
}
