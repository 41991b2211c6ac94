package usage

import (
	"net/url"

	"lobstead/models"
	"lobstead/views/overview"
	"lobstead/views/ui"
)

// lead says what the entries come to: the number that led here.
func (p EntriesProps) lead() string {
	text := ui.Plural(int(p.Only.Of(&p.Sum)), "call", "calls")
	switch p.Only {
	case models.OnlyErrors:
		text += " that failed"
	case models.OnlyUnpriced:
		text += " of models without a price"
	case models.OnlyCompared:
		text += " that the router chose the model of: " + overview.Dollars(p.Sum.ComparedNanos) + " instead of " + overview.Dollars(p.Sum.BaselineNanos)
	case models.OnlyCached:
		text += " answered from a cache, which had cost " + overview.Dollars(p.Sum.CachedNanos)
	default:
		text += ": " + overview.Dollars(p.Sum.CostNanos) + ", " + ui.Thousands(p.Sum.InputTokens) + " tokens read and " + ui.Thousands(p.Sum.OutputTokens) + " written"
	}
	return text + ". Begun from " + p.From + " to " + p.To + "."
}

// name is whose a call was, "—" for nobody's.
func (p EntriesProps) name(by models.UsageBy, key string) string {
	if key == "" {
		return "—"
	}
	return GroupName(by, key, p.Names[by][key])
}

// Link leads on to older entries, and back to the newest.
func (p *EntriesProps) Link(f models.UsageFilter, after, next string) {
	here := p.Query.EntriesHref(f.From, f.Until, p.Only)
	if after != "" {
		p.Newest = here
	}
	if next != "" {
		p.Older = here + "&after=" + url.QueryEscape(next)
	}
}
