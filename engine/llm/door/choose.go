package door

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

// The choice is a pure function of the request and of what is known of the models, so that it can be tested as one, shown,
// and repeated: the smallest tier that the complexity calls for, never above the ceiling, in it the cheapest that fits and
// is well; then what stands in for it.

// want is what a request asks of a model.
type want struct {
	tier    llm.Tier // that the complexity calls for
	ceiling llm.Tier
	named   string // the route's key that the caller named, "" = none
	most    int64  // nano-dollars: the named model's cost, which no other may exceed; below 0 = no bound
	input   int    // tokens
	answer  int    // tokens asked for at most; 0 = what the model keeps free
	images  bool
	tools   bool
}

// candidate is a model that may answer.
type candidate struct {
	route Route
	stand standing
	nanos int64 // what this request would cost there, about
	set   bool  // somebody chose this model for its service: it was meant to be used
}

// key names a model among all services.
func (r Route) key() string { return r.service + "/" + r.Model }

const nearPenalty = 4 // a model whose provider is near its limit counts as so many times dearer

// effective is the cost that decides.
func (c candidate) effective() int64 {
	if c.stand.near {
		return c.nanos*nearPenalty + 1
	}
	return c.nanos
}

// unfit says why a model cannot answer, "" = it can.
func (w want) unfit(c candidate) string {
	r := c.route
	switch {
	case r.Tier().Rank() > w.ceiling.Rank():
		return "above the ceiling"
	case w.most >= 0 && w.named != r.key() && c.nanos > w.most:
		return "dearer than the named model"
	case w.named != "" && w.named != r.key() && !r.Priced():
		return "its price is not known"
	case w.input+r.keeps(w.answer) > r.Window:
		return fmt.Sprintf("too small: %d tokens of context", r.Window)
	case w.images && r.known && !r.Images:
		return "takes no images"
	case w.tools && r.known && !r.tools && !c.set:
		return "takes no tools"
	case c.stand.forced:
		return c.stand.why
	case c.stand.rest > 0:
		return fmt.Sprintf("rests for %s: %s", c.stand.rest.Round(time.Second), c.stand.why)
	}
	return ""
}

// choose ranks the usable candidates, the one to ask first, and says of each candidate how it stands. Nobody usable is
// an error: the most telling one.
func choose(w want, all []candidate) ([]candidate, []Choice, error) {
	target := w.tier
	if target.Rank() > w.ceiling.Rank() {
		target = w.ceiling
	}
	var usable []candidate
	var rest []Choice
	for _, c := range all {
		if why := w.unfit(c); why != "" {
			rest = append(rest, c.choice(0, false, why))
			continue
		}
		usable = append(usable, c)
	}
	slices.SortFunc(usable, func(a, b candidate) int { return w.compare(target, a, b) })
	slices.SortFunc(rest, func(a, b Choice) int {
		return cmp.Or(cmp.Compare(a.Tier.Rank(), b.Tier.Rank()), cmp.Compare(a.Provider, b.Provider), cmp.Compare(a.Model, b.Model))
	})
	if len(usable) == 0 {
		return nil, rest, w.nobody(all)
	}
	out := make([]Choice, 0, len(all))
	least := usable[0].effective()
	for _, c := range usable {
		least = min(least, c.effective())
	}
	for _, c := range usable {
		out = append(out, c.choice(share(least, c.effective()), true, w.remark(target, c)))
	}
	return usable, append(out, rest...), nil
}

// share is how a cost compares with the least, 0–100; 100 is the cheapest.
func share(least, cost int64) float64 {
	const grain = 1000 // a micro-dollar: what is free is not infinitely better
	return float64(1000*(least+grain)/(cost+grain)) / 10
}

// compare ranks: the target's tier and above by cost, then what lies below, the most capable first. A named model comes
// first when no smaller tier will do.
func (w want) compare(target llm.Tier, a, b candidate) int {
	return cmp.Or(
		cmp.Compare(w.class(target, a), w.class(target, b)),
		cmp.Compare(-w.shortfall(target, b), -w.shortfall(target, a)),
		cmp.Compare(btoi(!a.route.Priced()), btoi(!b.route.Priced())),
		cmp.Compare(a.effective(), b.effective()),
		cmp.Compare(a.route.Tier().Rank(), b.route.Tier().Rank()),
		cmp.Compare(btoi(!a.set), btoi(!b.set)),
		cmp.Compare(a.route.key(), b.route.key()),
	)
}

// class: 0 the named model where it is called for, 1 what is capable enough, 2 what is not, and 3 whom we were asked to leave
// alone for a while.
func (w want) class(target llm.Tier, c candidate) int {
	switch {
	case c.stand.waiting > 0:
		return 3
	case w.named == c.route.key() && target.Rank() >= c.route.Tier().Rank():
		return 0
	case c.route.Tier().Rank() >= target.Rank():
		return 1
	}
	return 2
}

// shortfall is how many tiers a model lies below the target.
func (w want) shortfall(target llm.Tier, c candidate) int {
	return max(target.Rank()-c.route.Tier().Rank(), 0)
}

func (w want) remark(target llm.Tier, c candidate) string {
	switch {
	case c.stand.waiting > 0:
		return fmt.Sprintf("asked to be left alone for %s", c.stand.waiting.Round(time.Second))
	case c.stand.near:
		return "near its provider's limit"
	case c.stand.trial:
		return "being tried again after failures"
	case !c.route.Priced():
		return "its price is not known"
	case c.route.Tier().Rank() < target.Rank():
		return "below the tier that the request calls for"
	}
	return ""
}

func (c candidate) choice(score float64, usable bool, note string) Choice {
	return Choice{Provider: c.route.service, Model: c.route.Model, Tier: c.route.Tier(), Score: score, Usable: usable, Note: note, CostNanos: c.nanos,
		Priced: c.route.Priced(), Blocked: c.stand.rest > 0}
}

// nobody says why no model can answer.
func (w want) nobody(all []candidate) error {
	if len(all) == 0 {
		return fault.New(fault.Unavailable, "llm.none", "No model is connected").Hinting("Connect one under Settings.")
	}
	soonest, under, wide, sees := -1, false, false, false
	for i, c := range all {
		if c.route.Tier().Rank() > w.ceiling.Rank() {
			continue
		}
		under = true
		without := want{ceiling: w.ceiling, most: w.most, named: w.named, input: w.input, answer: w.answer, images: w.images, tools: w.tools}
		healthy := candidate{route: c.route, nanos: c.nanos, set: c.set}
		if without.unfit(healthy) == "" && (soonest < 0 || c.stand.rest < all[soonest].stand.rest) {
			soonest = i
		}
		without.images, without.tools = false, false
		wide = wide || without.unfit(healthy) == ""
		without.images, without.input, without.answer = w.images, 0, 1
		sees = sees || without.unfit(healthy) == ""
	}
	switch {
	case soonest >= 0:
		return all[soonest].stand.refusal(all[soonest].route)
	case !under:
		return fault.New(fault.Forbidden, "llm.ceiling", "No connected model is within the plan's ceiling, %s", w.ceiling)
	case !wide:
		return fault.New(fault.TooLarge, "llm.context_length", "The conversation, about %d tokens, is too long for every model that may answer", w.input)
	case w.images && !sees:
		return fault.New(fault.Invalid, "llm.no_images", "No model that may answer takes images")
	}
	return fault.New(fault.Invalid, "llm.no_model", "No model that may answer can do what this request needs")
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}
