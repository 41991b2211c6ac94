package door

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
)

// world makes candidates and a wish from a seed.
func world(seed uint64) (want, []candidate) {
	r := rand.New(rand.NewPCG(seed, 1))
	var all []candidate
	for n := range r.IntN(9) {
		c := candidate{route: Route{service: fmt.Sprint("s", r.IntN(3)), Model: fmt.Sprint("m", n), tier: llm.Tiers[r.IntN(5)], Window: []int{8_000, 32_000, 200_000}[r.IntN(3)],
			Images: r.IntN(2) == 0, tools: r.IntN(4) > 0, known: r.IntN(4) > 0, priced: r.IntN(5) > 0}, nanos: int64(r.IntN(1000)), set: r.IntN(3) == 0}
		if !c.route.priced {
			c.nanos = 0
		}
		switch r.IntN(8) {
		case 0:
			c.stand = standing{rest: time.Duration(1+r.IntN(100)) * time.Second, why: "it failed several times"}
		case 1:
			c.stand = standing{near: true}
		case 2:
			c.stand = standing{waiting: time.Minute}
		case 3:
			c.stand = standing{rest: BreakerMaxCooldown, forced: true, why: "an operator took it out of service"}
		}
		all = append(all, c)
	}
	w := want{tier: llm.Tiers[r.IntN(5)], ceiling: llm.Tiers[r.IntN(5)], most: -1, input: r.IntN(40_000), images: r.IntN(4) == 0, tools: r.IntN(2) == 0}
	if r.IntN(3) == 0 {
		w.answer = 1 + r.IntN(10_000)
	}
	if len(all) > 0 && r.IntN(3) == 0 {
		named := all[r.IntN(len(all))]
		w.named = named.route.key()
		if named.route.tier.Rank() < w.ceiling.Rank() {
			w.ceiling = named.route.tier
		}
		if named.route.Priced() {
			w.most = named.nanos
		}
	}
	return w, all
}

func keys(cs []candidate) []string {
	out := []string{}
	for _, c := range cs {
		out = append(out, c.route.key())
	}
	return out
}

// What holds for every choice.
func checkChoice(t *testing.T, w want, all []candidate) {
	ranked, choices, err := choose(w, slices.Clone(all))
	require.Len(t, choices, len(all), "every candidate is explained")
	usable := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return w.unfit(c) != "" })
	require.Len(t, ranked, len(usable))
	if len(usable) == 0 {
		require.Error(t, err)
		clear := llm.KindOf(err) != "" || fault.Is(err, fault.Unavailable) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.TooLarge) || fault.Is(err, fault.Invalid)
		require.True(t, clear, "a clear fault: %v", err)
		return
	}
	require.NoError(t, err)
	first := ranked[0]
	for _, c := range ranked {
		require.LessOrEqual(t, c.route.Tier().Rank(), w.ceiling.Rank(), "never above the ceiling")
		require.LessOrEqual(t, w.input+c.route.keeps(w.answer), c.route.Window, "always fits")
		require.True(t, !w.images || c.route.Images || !c.route.known)
		require.Zero(t, c.stand.rest, "always healthy")
		if w.most >= 0 && c.route.key() != w.named {
			require.LessOrEqual(t, c.nanos, w.most, "never dearer than the named model")
		}
	}
	target := llm.Tiers[min(w.tier.Rank(), w.ceiling.Rank())]
	if w.named != first.route.key() {
		for _, c := range ranked[1:] {
			if first.stand.waiting > 0 {
				require.Positive(t, c.stand.waiting, "whom we were asked to leave alone comes last")
			}
			enough := func(c candidate) bool {
				return c.stand.waiting == 0 && c.route.Tier().Rank() >= target.Rank() && c.route.Priced() == first.route.Priced()
			}
			if enough(c) && enough(first) {
				require.LessOrEqual(t, first.effective(), c.effective(), "the cheapest of those that will do")
			}
			require.False(t, enough(c) && first.stand.waiting == 0 && first.route.Tier().Rank() < target.Rank(), "capable enough comes first")
		}
	}
	// The order in which candidates are found, and those that were not chosen, decide nothing.
	shuffled := slices.Clone(all)
	rand.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
	again, _, _ := choose(w, shuffled)
	require.Equal(t, keys(ranked), keys(again))
	if n := len(ranked) - 1; n > 0 {
		last := ranked[n].route.key()
		fewer := slices.DeleteFunc(slices.Clone(all), func(c candidate) bool { return c.route.key() == last })
		again, _, err = choose(w, fewer)
		require.NoError(t, err)
		require.Equal(t, keys(ranked[:n]), keys(again))
	}
	// A higher ceiling never turns an answer into a fault, never gives a less capable model than called for, and never a dearer
	// one when what is called for was within the lower ceiling.
	if w.named == "" && w.ceiling != llm.TierFlagship {
		higher := w
		higher.ceiling = llm.Tiers[w.ceiling.Rank()+1]
		more, _, err := choose(higher, slices.Clone(all))
		require.NoError(t, err)
		if w.tier.Rank() <= w.ceiling.Rank() && first.route.Tier().Rank() >= w.tier.Rank() && first.stand.waiting == 0 && first.route.Priced() {
			require.LessOrEqual(t, more[0].effective(), first.effective())
			require.GreaterOrEqual(t, more[0].route.Tier().Rank(), w.tier.Rank())
		}
	}
}

func TestChoiceProperties(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20_000) {
		w, all := world(seed)
		checkChoice(t, w, all)
	}
}

func FuzzChoice(f *testing.F) {
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) {
		w, all := world(seed)
		checkChoice(t, w, all)
	})
}

func TestNobodyIsAClearFault(t *testing.T) {
	t.Parallel()
	m := func(tier llm.Tier, s standing) candidate {
		return candidate{route: Route{service: "s", Model: string(tier), tier: tier, Window: 32_000, priced: true, tools: true, known: true}, stand: s}
	}
	for name, c := range map[string]struct {
		w    want
		all  []candidate
		kind fault.Kind
		code string
	}{
		"none":       {want{ceiling: llm.TierFlagship, most: -1}, nil, fault.Unavailable, "llm.none"},
		"ceiling":    {want{ceiling: llm.TierNano, most: -1}, []candidate{m(llm.TierSmall, standing{})}, fault.Forbidden, "llm.ceiling"},
		"too long":   {want{ceiling: llm.TierSmall, most: -1, input: 40_000}, []candidate{m(llm.TierSmall, standing{})}, fault.TooLarge, "llm.context_length"},
		"blind":      {want{ceiling: llm.TierSmall, most: -1, images: true}, []candidate{m(llm.TierSmall, standing{})}, fault.Invalid, "llm.no_images"},
		"resting":    {want{ceiling: llm.TierSmall, most: -1}, []candidate{m(llm.TierSmall, standing{rest: time.Minute, why: "it failed several times"})}, fault.Unavailable, "llm.overloaded"},
		"no credit":  {want{ceiling: llm.TierSmall, most: -1}, []candidate{m(llm.TierSmall, standing{rest: time.Minute, why: "the account has no credit left"})}, fault.Payment, "llm.quota"},
		"taken away": {want{ceiling: llm.TierSmall, most: -1}, []candidate{m(llm.TierSmall, standing{rest: time.Hour, forced: true, why: "an operator took it out of service"})}, fault.Unavailable, "llm.overloaded"},
	} {
		_, _, err := choose(c.w, c.all)
		require.Error(t, err, name)
		require.Equal(t, c.kind, fault.As(err).Kind, "%s: %v", name, err)
		require.Equal(t, c.code, fault.As(err).Code, name)
	}
}

// The breaker's life, by the rules of the runtime API.
func TestBreaker(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 22, 10, 0, 0, 0, time.UTC)
	b := breaker{}
	fail := func() { b.fail(now, 0, false) }
	fail()
	fail()
	now = now.Add(BreakerWindow)
	fail()
	require.Equal(t, Closed, b.state(now), "two of three are forgotten")
	fail()
	fail()
	require.Equal(t, Open, b.state(now))
	require.Equal(t, BreakerCooldown, b.rest(now))
	now = now.Add(BreakerCooldown)
	require.Equal(t, HalfOpen, b.state(now))
	require.Zero(t, b.rest(now))
	b.enter(now)
	require.Positive(t, b.rest(now), "one looks, the others wait")
	cooldown := BreakerCooldown
	for range 6 {
		fail()
		cooldown = min(2*cooldown, BreakerMaxCooldown)
		require.Equal(t, cooldown, b.rest(now), "each look that fails doubles the rest")
		now = now.Add(cooldown)
		b.enter(now)
	}
	b.leave()
	require.Zero(t, b.rest(now), "a look that said nothing leaves room for the next")
	b.enter(now)
	b.succeed()
	require.Equal(t, Closed, b.state(now))
	b.fail(now, 0, true)
	require.Equal(t, Open, b.state(now), "no credit opens at once")
	require.True(t, b.credit)
	b.succeed()
	require.False(t, b.credit)
	b.fail(now, 0, false)
	b.fail(now, 0, false)
	b.fail(now, 5*time.Hour, false)
	require.Equal(t, BreakerMaxCooldown, b.rest(now), "what a provider asks for is bounded")
	now = now.Add(BreakerMaxCooldown)
	b.enter(now)
	now = now.Add(BreakerCooldown)
	require.Zero(t, b.rest(now), "a look that never ended is forgotten")
}

func TestScore(t *testing.T) {
	t.Parallel()
	ask := func(text string) llm.Request {
		return llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: text}}}}}
	}
	hard := "Prove step by step that the algorithm terminates, analyse the trade-offs of its design, and debug func main() { in main.go. Write a comprehensive report as JSON."
	tool := ask("Please list the files.")
	tool.Tools = make([]llm.Tool, 12)
	for n, c := range []struct {
		r    llm.Request
		tier llm.Tier
	}{{ask("hi"), llm.TierNano}, {ask("What is the capital of France?"), llm.TierNano}, {ask(hard), llm.TierPremium}, {tool, llm.TierNano}} {
		score, features := Score(c.r)
		require.Equal(t, c.tier, TierFor(score), "%d: %d %v", n, score, features)
		sum := 0
		for _, f := range features {
			require.NotEmpty(t, f.Name)
			require.NotEmpty(t, f.Value)
			require.NotZero(t, f.Points)
			sum += f.Points
		}
		require.Equal(t, score, min(max(sum, 0), 100), "the features explain the whole")
	}
	low, _ := Score(ask(hard))
	effort := ask(hard)
	effort.Effort = llm.EffortHigh
	high, _ := Score(effort)
	require.Greater(t, high, low)
	require.Equal(t, llm.TierFlagship, TierFor(100))
}

func FuzzScore(f *testing.F) {
	f.Add("Write code", "```go", 3)
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		r := llm.Request{System: b, MaxTokens: n, Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: a}}}, {Role: llm.Assistant, Parts: []llm.Part{{Text: b}}}, {Role: llm.User, Parts: []llm.Part{{Text: b}}}}}
		score, features := Score(r)
		require.True(t, score >= 0 && score <= 100)
		for _, f := range features {
			require.NotZero(t, f.Points)
		}
	})
}
