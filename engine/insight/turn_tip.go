package insight

import "fmt"

// Above 90 % of the room; 95 % is critical.
func budgetPressure(f *Figures, _ int64) found {
	used := share(f.prompt(), f.Room)
	if used <= .90 {
		return found{}
	}
	return found{graver(used > .95, critical, warning), fmt.Sprintf("The prompt takes %s of the room (%d of %d tokens)", percent(used), f.prompt(), f.Room),
		"Start a new conversation for a new topic, or choose a model with a larger window."}
}

// Above 40 % of the room; 60 % is critical.
func systemPromptHeavy(f *Figures, _ int64) found {
	used := share(f.System, f.Room)
	if used <= .40 {
		return found{}
	}
	return found{graver(used > .60, critical, warning), fmt.Sprintf("The system prompt takes %s of the room (%d tokens)", percent(used), f.System),
		"Use a model with a larger window: the instructions leave little room for the conversation."}
}

// starvedPrompt is how large a prompt must be before the lack of memories in it says anything, in tokens.
const starvedPrompt = 2000

// Below 1 % of a prompt that is not small.
func memoryStarvation(f *Figures, _ int64) found {
	part := share(f.Memory, f.prompt())
	if f.Room == 0 || f.prompt() < starvedPrompt || part >= .01 {
		return found{}
	}
	return found{info, fmt.Sprintf("Memories are %s of the prompt (%d of %d tokens)", percent(part), f.Memory, f.prompt()),
		"Ask the agent to remember what it should know next time, or add it on the instance's memory page."}
}

// Fewer than three messages.
func shallowHistory(f *Figures, _ int64) found {
	if f.Room == 0 || f.Depth >= 3 {
		return found{}
	}
	return found{info, fmt.Sprintf("The model saw %d messages of the conversation", f.Depth),
		"Normal at the beginning. Later, say in the message what the model cannot know."}
}

// More than three calls; more than eight are a warning.
func highToolDensity(f *Figures, _ int64) found {
	if f.Calls <= 3 {
		return found{}
	}
	return found{graver(f.Calls > 8, warning, info), fmt.Sprintf("%d tool calls in one turn", f.Calls),
		"Name files and commands in the message, or ask for one script that does several steps."}
}

// Any failure; more than half is critical.
func toolFailures(f *Figures, _ int64) found {
	if f.Failures == 0 {
		return found{}
	}
	rate := share(f.Failures, max(f.Calls, f.Failures))
	return found{graver(rate > .5, critical, warning), fmt.Sprintf("%d of %d tool calls failed (%s)", f.Failures, max(f.Calls, f.Failures), percent(rate)),
		"Open the failed calls below: each retry sends the whole conversation again."}
}

// More than twice what the session's other turns cost; five times is critical.
func expensiveTurn(f *Figures, others int64) found {
	ratio := share(f.CostNanos, others)
	if ratio <= 2 {
		return found{}
	}
	return found{graver(ratio > 5, critical, warning), fmt.Sprintf("%s is %.1f times what the other turns of this conversation cost (%s)", dollars(f.CostNanos), ratio, dollars(others)),
		"See the cost by part: a long context, many steps or a dear model make a turn expensive."}
}

// Reasoning was paid for and none was shown.
func emptyReasoning(f *Figures, _ int64) found {
	if f.Reasoning == 0 || f.Thought {
		return found{}
	}
	return found{info, fmt.Sprintf("The model spent %d tokens on reasoning and showed none of it", f.Reasoning),
		"Nothing to do when the answer was good; otherwise try a model that shows how it reasons."}
}

// cent in nano-dollars.
const cent = 10_000_000

// More than 30 % of the last prompt and more than a cent; five cents are a warning.
func systemPromptTax(f *Figures, _ int64) found {
	part := share(f.System, f.prompt())
	nanos := int64(float64(f.CostNanos) * part)
	if part <= .30 || nanos <= cent {
		return found{}
	}
	return found{graver(nanos > 5*cent, warning, info), fmt.Sprintf("The system prompt is about %s of this turn's cost (%s of the prompt)", dollars(nanos), percent(part)),
		"Services that keep prompts charge less for the same beginning: several messages in one conversation cost less than one in each of several."}
}

// More than 60 % of the prompt; 80 % is a warning.
func historyCostDominant(f *Figures, _ int64) found {
	part := share(f.History, f.prompt())
	if part <= .60 {
		return found{}
	}
	return found{graver(part > .80, warning, info), fmt.Sprintf("The conversation is %s of the prompt (%d of %d tokens)", percent(part), f.History, f.prompt()),
		"Start a new conversation when the topic changes; memories go along."}
}

// largeOutput is from how many tokens on an answer counts as long.
const largeOutput = 2000

// More than twice the input, and more than 2,000 tokens.
func largeOutputRatio(f *Figures, _ int64) found {
	ratio := share(f.Out, f.In)
	if ratio <= 2 || f.Out <= largeOutput {
		return found{}
	}
	return found{info, fmt.Sprintf("The output (%d tokens) is %.1f times the input (%d tokens)", f.Out, ratio, f.In),
		"Ask for the length that you need: output costs several times what input does."}
}

// The instance's cache gave the answer, or more than half of the input came out of the service's cache.
func cachedTurnSavings(f *Figures, _ int64) found {
	if f.Saved > 0 {
		return found{info, fmt.Sprintf("The instance's cache gave the answer: %d tokens were not paid", f.Saved),
			"Ask again in other words, or in this conversation, when you want a fresh answer."}
	}
	part := share(f.CacheRead, f.In)
	if part <= .50 {
		return found{}
	}
	return found{info, fmt.Sprintf("%s of the input (%d tokens) came out of the service's cache", percent(part), f.CacheRead),
		"These tokens cost a part of the price. Keep going in this conversation while it is fresh."}
}
