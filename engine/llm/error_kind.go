package llm

import "strings"

// The labels and phrases that decide a kind whatever the status, in this order. Labels are stable names from
// the providers' documentation; phrases are for those that only send prose.
var marks = []struct {
	kind    ErrorKind
	labels  []string
	phrases []string
}{
	{KindContextLength,
		[]string{"context_length_exceeded", "string_above_max_length", "request_too_large", "exceed_context_size_error"},
		[]string{"maximum context length", "prompt is too long", "context window", "input token count", "exceeds the maximum number of tokens",
			"context length", "too many tokens", "exceed context limit", "reduce the length of the messages"}},
	{KindQuota,
		[]string{"insufficient_quota", "billing_error", "billing_hard_limit_reached", "insufficient_credits", "payment_required"},
		[]string{"credit balance is too low", "insufficient credits", "insufficient balance", "requires more credits"}},
	{KindContentFilter,
		[]string{"content_filter", "content_policy_violation", "moderation", "safety"},
		[]string{"content management policy", "flagged by", "content policy", "usage policies", "requires moderation"}},
	{KindAuth,
		[]string{"invalid_api_key", "api_key_invalid", "authentication_error", "permission_error", "unauthenticated", "account_deactivated"},
		[]string{"api key not valid", "incorrect api key", "invalid api key", "invalid x-api-key", "no auth credentials", "api key expired"}},
	{KindOverloaded,
		[]string{"overloaded_error", "server_overloaded", "unavailable", "engine_overloaded"},
		[]string{"overloaded", "at capacity"}},
	{KindNotFound,
		[]string{"model_not_found", "not_found_error"},
		[]string{"model not found", "no such model", "is not a valid model id", "try pulling it first"}},
	{KindRateLimit,
		[]string{"rate_limit_error", "rate_limit_exceeded", "resource_exhausted", "too_many_requests"},
		[]string{"rate limit"}},
	{KindTimeout, []string{"timeout_error", "deadline_exceeded"}, nil},
	{KindBadRequest, []string{"invalid_request_error", "invalid_argument", "failed_precondition"}, nil},
}

func classify(status int, f failure) ErrorKind {
	said := strings.ToLower(f.message)
	for _, m := range marks {
		for _, l := range m.labels {
			if strings.Contains(f.labels, l) && fits(m.kind, status) {
				return m.kind
			}
		}
		for _, p := range m.phrases {
			if strings.Contains(said, p) && fits(m.kind, status) {
				return m.kind
			}
		}
	}
	return byStatus(status)
}

// fits keeps prose from overruling a status that says something definite: a rate limit that mentions tokens in
// the context is still a rate limit, and a failing server is not the fault of the request.
func fits(k ErrorKind, status int) bool {
	switch {
	case status == 429:
		return k == KindQuota || k == KindRateLimit || k == KindOverloaded
	case status == 401:
		return k == KindAuth
	case status >= 500:
		return k == KindOverloaded || k == KindTimeout || k == KindContextLength
	}
	return true
}

func byStatus(status int) ErrorKind {
	switch status {
	case 401, 403:
		return KindAuth
	case 402:
		return KindQuota
	case 404:
		return KindNotFound
	case 408, 504, 524:
		return KindTimeout
	case 413:
		return KindContextLength
	case 429:
		return KindRateLimit
	case 503, 529:
		return KindOverloaded
	}
	if status >= 400 && status < 500 {
		return KindBadRequest
	}
	return KindUpstream
}
