package llm

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const messageCap = 1000 // characters of a provider's text that are kept

var (
	// Providers quote parts of a wrong key back; the shapes are those of the large ones.
	keyShapes = regexp.MustCompile(`\b(sk|pk|rk|gsk|xai|hf|AIza|ya29)[-_A-Za-z0-9.*]{6,}|([?&](?:key|api_key|token)=)[^&\s"']+|(?i:bearer)\s+[-_A-Za-z0-9.~+/]{8,}`)
	htmlTitle = regexp.MustCompile(`(?is)<(?:title|h1)[^>]*>\s*([^<]{1,200})`)
)

// Clean makes a provider's text safe to show: no key, no control characters, at most 1,000 characters.
func Clean(s, key string) string {
	if len(s) > 64<<10 {
		s = s[:64<<10]
	}
	if len(key) >= 6 {
		s = strings.ReplaceAll(s, key, "[redacted]")
	}
	s = keyShapes.ReplaceAllString(s, "$2[redacted]")
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == unicode.ReplacementChar {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, " "))
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > messageCap {
		s = string(r[:messageCap-1]) + "…"
	}
	return s
}

// failure is the union of the error bodies: OpenAI, Anthropic, Gemini, OpenRouter, Ollama, vLLM.
type failure struct {
	message string
	labels  string // type, code, status and reason, lower case, joined by spaces
	retry   time.Duration
}

func readFailure(body []byte) failure {
	var list []json.RawMessage // Gemini wraps its errors in an array when asked to stream
	if json.Unmarshal(body, &list) == nil && len(list) > 0 {
		body = list[0]
	}
	var top map[string]json.RawMessage
	if json.Unmarshal(body, &top) != nil {
		if m := htmlTitle.FindSubmatch(body); m != nil {
			return failure{message: string(m[1])}
		}
		return failure{message: string(body)}
	}
	var f failure
	f.take(top)
	if inner, ok := top["error"]; ok {
		var m map[string]json.RawMessage
		if json.Unmarshal(inner, &m) == nil {
			f.take(m)
		} else {
			f.message = text(inner)
		}
	}
	return f
}

func (f *failure) take(m map[string]json.RawMessage) {
	for _, k := range []string{"detail", "message"} {
		if s := text(m[k]); s != "" && s != "null" {
			f.message = s
		}
	}
	for _, k := range []string{"type", "code", "status", "reason"} {
		f.labels += " " + strings.ToLower(text(m[k]))
	}
	var details []struct {
		Reason     string `json:"reason"`
		RetryDelay string `json:"retryDelay"`
	}
	_ = json.Unmarshal(m["details"], &details)
	for _, d := range details {
		f.labels += " " + strings.ToLower(d.Reason)
		if w, err := time.ParseDuration(d.RetryDelay); err == nil {
			f.retry = w
		}
	}
	var meta struct { // OpenRouter: what the provider behind it said
		Raw      json.RawMessage `json:"raw"`
		Provider string          `json:"provider_name"`
	}
	if json.Unmarshal(m["metadata"], &meta) == nil && len(meta.Raw) > 0 {
		inner := readFailure([]byte(text(meta.Raw)))
		f.message = strings.TrimSpace(f.message + " (" + meta.Provider + ": " + inner.message + ")")
		f.labels += inner.labels
	}
}

// text gives a JSON string's value, or the JSON itself.
func text(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// FromResponse reads a refused call: status, headers and the body as far as it was read.
func FromResponse(provider string, status int, h http.Header, body []byte, key string) *Error {
	f := readFailure(body)
	kind := classify(status, f)
	e := Fail(provider, kind, Clean(f.message, key), nil)
	e.Status = status
	if e.Message == "" {
		e.Message = strings.TrimSpace("no explanation; " + http.StatusText(status))
	}
	if e.RetryAfter = retryAfter(h); e.RetryAfter == 0 {
		e.RetryAfter = f.retry
	}
	return e
}

// FromEvent reads an error that came inside a stream, after the status 200.
func FromEvent(provider string, data []byte) *Error {
	f := readFailure(data)
	status := 0
	for word := range strings.FieldsSeq(f.labels) {
		if n, err := strconv.Atoi(word); err == nil && n >= 400 && n < 600 {
			status = n
		}
	}
	return FromResponse(provider, status, nil, data, "")
}

// retryAfter reads both spellings of the header: seconds and a date; milliseconds win when given.
func retryAfter(h http.Header) time.Duration {
	if ms, err := strconv.ParseFloat(h.Get("Retry-After-Ms"), 64); err == nil && ms > 0 {
		return limitWait(time.Duration(ms * float64(time.Millisecond)))
	}
	v := h.Get("Retry-After")
	if s, err := strconv.ParseFloat(v, 64); err == nil && s > 0 {
		return limitWait(time.Duration(s * float64(time.Second)))
	}
	if t, err := http.ParseTime(v); err == nil {
		return limitWait(time.Until(t))
	}
	return 0
}

func limitWait(d time.Duration) time.Duration { return min(max(d, 0), 24*time.Hour) }
