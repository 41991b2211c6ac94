package door

import (
	"cmp"
	"context"
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"time"

	"lobstead/engine/llm"
	"lobstead/kit/fault"
	"lobstead/models"
)

const (
	embedLimit = 5 * time.Second // that an answer may be held up for finding a similar one
	embedMost  = 16_000          // bytes of a message that is compared; longer ones are hardly ever alike
)

var errNoEmbeddings = fault.New(fault.NotFound, "llm.no_embeddings", "No connected service has embeddings")

// Embedder is who places messages for an instance's cache: the first of its services that is known to have the named model, else
// the first that can. NotFound llm.no_embeddings when none can.
func (d *Door) Embedder(ctx context.Context, sc *models.Scope, i *models.Instance, named string) (Route, error) {
	all, err := d.servicesOf(ctx, sc, i)
	if err != nil {
		return Route{}, err
	}
	p := d.policy(ctx, sc)
	having := func(a, b service) int { return cmp.Compare(b.embeds(named), a.embeds(named)) }
	for _, s := range slices.SortedStableFunc(slices.Values(all), having) {
		model := cmp.Or(named, llm.EmbeddingModel(s.kind))
		if _, ok := s.provider.(llm.Embedder); !ok || model == "" {
			continue
		}
		r := d.route(p, s, model)
		if e, ok := llm.LookupEmbedder(s.kind, model); ok && !r.edited {
			r.entry, r.Window, r.priced = e, e.Context, s.kind == "openai" || s.kind == "openrouter"
		}
		return r, nil
	}
	return Route{}, errNoEmbeddings
}

// embeds is 1 for a service that is known to have an embedding model.
func (s service) embeds(model string) int {
	_, priced := llm.LookupEmbedder(s.kind, model)
	if model != "" && (model == llm.EmbeddingModel(s.kind) || priced && (s.kind == "openai" || s.kind == "openrouter")) {
		return 1
	}
	return 0
}

// embed places a text: reserved before and settled after, as every paid call.
func (d *Door) embed(ctx context.Context, sc *models.Scope, call Call, r Route, text string) ([]float32, error) {
	e, ok := r.Provider.(llm.Embedder)
	if !ok {
		return nil, errNoEmbeddings
	}
	if err := d.health.enter(r, d.policy(ctx, sc).orders[r.service], d.now()); err != nil {
		return nil, err
	}
	call.Purpose = "embedding"
	charge := call.charge(r)
	m := meter{route: r, req: llm.Request{Messages: []llm.Message{{Role: llm.User, Parts: []llm.Part{{Text: text}}}}}, mute: true}
	m.input = llm.EstimateRequest(m.req)
	worst := charge
	worst.InputTokens = m.input
	worst.CostNanos = r.cost(llm.Usage{Input: worst.InputTokens}, d.now())
	if err := sc.Reserve(ctx, worst); err != nil {
		d.health.leave(r, outcome{mute: true}, d.now())
		return nil, err
	}
	defer func() { d.settle(ctx, sc, call, charge, &m, manner{}) }()
	inner, done := context.WithTimeout(d.health.watch(ctx, r, d.now), embedLimit)
	defer done()
	out, err := e.Embed(inner, r.Model, text)
	m.mute = err != nil && ctx.Err() != nil
	if err != nil {
		m.err = err
		return nil, err
	}
	used := out.Usage.Bounded(worst.InputTokens, r.Window, 1, 0)
	m.done = &used
	return out.Vector, nil
}

// placed is where a message lies, and who says so; the zero value is nowhere.
type placed struct {
	vector []float32 // of length one
	by     string
}

func (p placed) bytes() []byte {
	var out []byte
	for _, v := range p.vector {
		out = binary.LittleEndian.AppendUint32(out, math.Float32bits(v))
	}
	return out
}

// like is the cosine with a stored one; -1 when they cannot be compared.
func (p placed) like(stored []byte) float64 {
	if len(stored) != 4*len(p.vector) || len(stored) == 0 {
		return -1
	}
	sum := 0.
	for n, v := range p.vector {
		sum += float64(v) * float64(math.Float32frombits(binary.LittleEndian.Uint32(stored[4*n:])))
	}
	return sum
}

func normal(v []float32) []float32 {
	sum := 0.
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	if sum == 0 {
		return nil
	}
	out := make([]float32, len(v))
	for n, x := range v {
		out[n] = float32(float64(x) / math.Sqrt(sum))
	}
	return out
}

// similar finds the answer to the message that means most nearly the same, all else being equal; NotFound when none is near
// enough.
func (m *memo) similar(ctx context.Context) (*models.CachedAnswer, error) {
	none := fault.NotFoundf("answer")
	text := lastWords(m.ask.Request)
	if text == "" || len(text) > embedMost {
		return nil, none
	}
	r, err := m.door.Embedder(ctx, m.sc, m.ask.Instance, m.rule.EmbeddingModel)
	if err != nil {
		return nil, err
	}
	call := m.ask.Call
	call.Settled = func(s Spent) { m.paid = s }
	vector, err := m.door.embed(ctx, m.sc, call, r, text)
	if err != nil {
		return nil, err
	}
	m.place = placed{normal(vector), r.key()}
	rows, err := m.sc.Comparable(ctx, m.ask.Instance.ID, m.frame, m.place.by)
	if err != nil {
		return nil, err
	}
	best, found := float64(m.rule.Threshold)/100, ""
	for _, row := range rows {
		if near := m.place.like(row.Place); near >= best && (found == "" || near > best) {
			best, found = near, row.ID
		}
	}
	if found == "" {
		return nil, none
	}
	return m.sc.CachedAnswerAt(ctx, found)
}

// lastWords are those of the last message, "" when it is not in words.
func lastWords(r llm.Request) string {
	var b strings.Builder
	for _, p := range r.Messages[len(r.Messages)-1].Parts {
		b.WriteString(p.Text)
	}
	return strings.TrimSpace(b.String())
}
