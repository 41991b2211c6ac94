// Package usage shows what model calls cost and how they went, and the ledger's entries behind each number. It knows no
// handler; props are models and plain data.
package usage

import (
	"lobstead/models"
	"lobstead/views/layout"
)

// IndexProps is /usage.
type IndexProps struct {
	Frame    layout.FrameProps
	Query    Query
	Span     models.UsageSpan
	Whole    models.UsageSum
	Steps    []models.UsageSum // one for each step of Span
	Groups   []Group           // the dearest first
	Hidden   int               // groups that the table leaves out: the export has them
	Chips    []Chip            // what narrows the page
	UnderWay int               // calls that count when they end
	Services []Service
	Fresh    bool // nobody has called a model yet
}

// Group is one row of the table and one colour of the plot.
type Group struct {
	Key, Name string
	Sum       models.UsageSum
	Nanos     []float64 // cost of each step; nil when a plot by it would say nothing
}

// Chip is one filter, with the address of the page without it.
type Chip struct{ Text, Href string }

// Service is a model service with the state of its breaker.
type Service struct {
	Name, State string // closed, open, half_open
	Forced      bool
	NoCredit    bool
	Models      map[string]string // whose own breaker is not closed
}

// EntriesProps is /usage/entries: the settled calls behind a number.
type EntriesProps struct {
	Frame    layout.FrameProps
	Query    Query
	Only     models.UsageOnly
	Entries  []models.LedgerEntry
	Sum      models.UsageSum // of all entries of the filter, whatever Only is
	From, To string          // in the organization's zone
	Chips    []Chip
	Names    map[models.UsageBy]map[string]string
	Newest   string // address of the first page; "" when this is it
	Older    string
	MayOpen  bool // the conversations
}
