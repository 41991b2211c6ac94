package secret

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
)

// LogHandler scrubs messages and attributes before the next handler sees them.
type LogHandler struct {
	next  slog.Handler
	scrub *Scrubber
}

// NewLogHandler wraps a handler.
func NewLogHandler(next slog.Handler, s *Scrubber) *LogHandler { return &LogHandler{next, s} }

// Enabled asks the next handler.
func (h *LogHandler) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

// Handle passes a scrubbed copy on.
func (h *LogHandler) Handle(ctx context.Context, r slog.Record) error {
	if h.scrub.now.Load() == nil {
		return h.next.Handle(ctx, r)
	}
	clean := slog.NewRecord(r.Time, r.Level, h.scrub.Scrub(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(h.attr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

// WithAttrs scrubs at once: these attributes are rendered before any record comes.
func (h *LogHandler) WithAttrs(as []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(as))
	for i, a := range as {
		clean[i] = h.attr(a)
	}
	return &LogHandler{h.next.WithAttrs(clean), h.scrub}
}

// WithGroup opens a group below.
func (h *LogHandler) WithGroup(name string) slog.Handler {
	return &LogHandler{h.next.WithGroup(name), h.scrub}
}

func (h *LogHandler) attr(a slog.Attr) slog.Attr {
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindString:
		v = slog.StringValue(h.scrub.Scrub(v.String()))
	case slog.KindGroup:
		group := make([]slog.Attr, len(v.Group()))
		for i, g := range v.Group() {
			group[i] = h.attr(g)
		}
		v = slog.GroupValue(group...)
	case slog.KindAny:
		v = h.other(v)
	default: // numbers and times hide nothing
	}
	return slog.Attr{Key: a.Key, Value: v}
}

// other keeps a value that shows nothing in either print, so that a JSON handler can still write it as
// JSON. Both are looked at: the text form stops at inner pointers, which JSON follows.
func (h *LogHandler) other(v slog.Value) slog.Value {
	text := fmt.Sprintf("%+v", v.Any())
	if b, ok := v.Any().([]byte); ok {
		text = string(b)
	}
	if clean := h.scrub.Scrub(text); clean != text {
		return slog.StringValue(clean)
	}
	if b, err := json.Marshal(v.Any()); err == nil {
		if clean := h.scrub.Scrub(string(b)); clean != string(b) {
			return slog.StringValue(clean)
		}
	}
	return v
}
