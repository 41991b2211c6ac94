package usage

import (
	"net/url"
	"strconv"
	"time"

	"lobstead/models"
)

// Where the pages are.
const (
	Path        = "/usage"
	EntriesPath = "/usage/entries"
	ExportPath  = "/usage/export"
)

// None is how the address says "calls without one": an empty value would be no filter.
const None = "-"

// Spans are the stretches that can be shown, in their order; the first stands when none is named.
var Spans = []struct{ Value, Text string }{{"24h", "24 hours"}, {"7d", "7 days"}, {"30d", "30 days"}, {"90d", "90 days"}}

// Ways are what a page can be cut into, with their words.
var Ways = []struct {
	By        models.UsageBy
	Text, One string
}{{models.ByModel, "Model", "model"}, {models.ByProvider, "Service", "service"}, {models.ByInstance, "Instance", "instance"}, {models.ByMember, "Member", "member"},
	{models.ByKey, "API key", "API key"}, {models.BySession, "Conversation", "conversation"}, {models.ByPurpose, "Purpose", "purpose"}}

// Query is what the address says.
type Query struct {
	Span string
	By   models.UsageBy
	Only map[models.UsageBy]string
}

func (q Query) values() url.Values {
	v := url.Values{}
	for way, value := range q.Only {
		if value == "" {
			value = None
		}
		v.Set(string(way), value)
	}
	return v
}

// Href is the address of the page.
func (q Query) Href(path string) string {
	v := q.values()
	v.Set("span", q.Span)
	v.Set("by", string(q.By))
	return path + "?" + v.Encode()
}

func (q Query) with(span string) string      { q.Span = span; return q.Href(Path) }
func (q Query) cut(by models.UsageBy) string { q.By = by; return q.Href(Path) }

// Without is the page without one filter.
func (q Query) Without(way models.UsageBy) string {
	q.Only = q.narrowed("", "")
	delete(q.Only, way)
	return q.Href(Path)
}

// narrowed copies the filters, with one more.
func (q Query) narrowed(way models.UsageBy, value string) map[models.UsageBy]string {
	out := map[models.UsageBy]string{}
	for w, v := range q.Only {
		out[w] = v
	}
	if way != "" {
		out[way] = value
	}
	return out
}

// into is the page narrowed to one group.
func (q Query) into(key string) string {
	q.Only = q.narrowed(q.By, key)
	return q.Href(Path)
}

// EntriesHref is the address of the entries of a stretch of time.
func (q Query) EntriesHref(from, until time.Time, only models.UsageOnly) string {
	v := q.values()
	v.Set("from", strconv.FormatInt(from.Unix(), 10))
	v.Set("until", strconv.FormatInt(until.Unix(), 10))
	if only != "" {
		v.Set("only", string(only))
	}
	return EntriesPath + "?" + v.Encode()
}

// of is the same for one group of the page.
func (q Query) of(key string, s *models.UsageSpan, only models.UsageOnly) string {
	q.Only = q.narrowed(q.By, key)
	return q.EntriesHref(s.From, s.Until, only)
}

// WayText is a way's word for people, WayOne the same inside a sentence.
func WayText(by models.UsageBy) string {
	for _, w := range Ways {
		if w.By == by {
			return w.Text
		}
	}
	return string(by)
}

func wayOne(by models.UsageBy) string {
	for _, w := range Ways {
		if w.By == by {
			return w.One
		}
	}
	return string(by)
}

// GroupName is how a group is called; name is what the rows of the organization say, "" when they say nothing.
func GroupName(by models.UsageBy, key, name string) string {
	switch {
	case name != "":
		return name
	case key == "":
		return "No " + wayOne(by)
	case by == models.ByMember || by == models.ByKey || by == models.ByInstance || by == models.BySession:
		return "A " + wayOne(by) + " that is gone, " + short(key)
	}
	return key
}

// short is the end of an id: enough to tell two apart.
func short(key string) string {
	if len(key) > 6 {
		return key[len(key)-6:]
	}
	return key
}
