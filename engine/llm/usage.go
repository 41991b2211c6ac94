package llm

// Bounded gives a usage that can be true: providers and proxies have sent negative and absurd counts, and a ledger that
// believed them would block or empty a budget. input is the estimate of the prompt, window the most that the model takes,
// limit the longest answer that was asked for (0 = none), seen the bytes of the answer that arrived. What had to be
// corrected is marked as estimated.
func (u Usage) Bounded(input, window, limit, seen int) Usage {
	b := u
	if b.Input < 0 {
		b.Input = input
	}
	if b.Output < 0 {
		b.Output = (seen + 3) / 4
	}
	if limit <= 0 {
		limit = window
	}
	b.Input = min(b.Input, max(window, 2*input))
	b.Output = min(b.Output, max(limit, seen)) // a token is a byte at least
	b.CacheRead = min(max(b.CacheRead, 0), b.Input)
	b.CacheWrite = min(max(b.CacheWrite, 0), b.Input-b.CacheRead)
	b.Reasoning = min(max(b.Reasoning, 0), b.Output)
	if b != u {
		b.Estimated = true
	}
	return b
}
