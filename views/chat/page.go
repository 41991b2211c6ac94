package chat

import (
	"context"
	"io"

	"github.com/a-h/templ"

	"lobstead/models"
)

// page renders entries of one log, knowing which results belong to which calls. Calls and results are decoded once.
type page struct {
	results      map[callKey]*resultAt
	resultsBySeq map[int64]*resultAt
	calls        map[callKey]bool
	bySeq        map[int64]*models.ToolCall
	known        func(callID string) *models.ToolCall
}

type callKey struct{ turn, call string }

type resultAt struct {
	models.ToolResult
	seq int64
}

func newPage(list []models.Event, known func(string) *models.ToolCall) *page {
	p := &page{results: map[callKey]*resultAt{}, resultsBySeq: map[int64]*resultAt{}, calls: map[callKey]bool{}, bySeq: map[int64]*models.ToolCall{}, known: known}
	for _, e := range list {
		switch e.Kind {
		case models.KindCall:
			if c, err := models.Decode[models.ToolCall](e); err == nil {
				p.bySeq[e.Seq] = &c
				p.calls[callKey{turnOf(e), c.CallID}] = true
			}
		case models.KindResult:
			if r, err := models.Decode[models.ToolResult](e); err == nil {
				at := &resultAt{r, e.Seq}
				p.resultsBySeq[e.Seq] = at
				p.results[callKey{turnOf(e), r.CallID}] = at
			}
		}
	}
	return p
}

// turn renders a section with entries; id and op may be empty.
func (p *page) turn(ctx context.Context, w io.Writer, id string, events []models.Event, op string) error {
	body := templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		for _, e := range events {
			if err := p.event(ctx, w, e, ""); err != nil {
				return err
			}
		}
		return nil
	})
	return turnSection(id, op, body).Render(ctx, w)
}

// event renders one entry; op is what live.js does with it. A result whose call is here, too, is in the call's card.
func (p *page) event(ctx context.Context, w io.Writer, e models.Event, op string) error {
	if e.Kind == models.KindResult {
		return p.result(ctx, w, e, op)
	}
	return entry(e, op, p.body(e)).Render(ctx, w)
}

// body is what an entry shows. What cannot be read is said, not hidden: the log is whole.
func (p *page) body(e models.Event) templ.Component {
	switch e.Kind {
	case models.KindUser:
		if d, err := models.Decode[models.UserMessage](e); err == nil {
			return userMessage(e, d)
		}
	case models.KindAssistant:
		if d, err := models.Decode[models.AssistantMessage](e); err == nil {
			return assistantMessage(d)
		}
	case models.KindThinking:
		if d, err := models.Decode[models.Thinking](e); err == nil {
			return thinking(d)
		}
	case models.KindNotice:
		if d, err := models.Decode[models.Notice](e); err == nil {
			return notice(d)
		}
	case models.KindCompacted:
		if d, err := models.Decode[models.Compacted](e); err == nil {
			return compacted(d)
		}
	case models.KindPaused:
		if d, err := models.Decode[models.Paused](e); err == nil {
			return notice(models.Notice{Level: models.LogWarn, Text: "Paused. " + d.Text})
		}
	case models.KindEnded:
		if d, err := models.Decode[models.TurnEnded](e); err == nil {
			return ended(e, d)
		}
	case models.KindCall:
		if c := p.bySeq[e.Seq]; c != nil {
			return toolCard(newCard(e, *c, p.results[callKey{turnOf(e), c.CallID}]), "")
		}
	}
	return notice(models.Notice{Level: models.LogWarn, Text: "This entry cannot be shown."})
}

func (p *page) result(ctx context.Context, w io.Writer, e models.Event, op string) error {
	r := p.resultsBySeq[e.Seq]
	if r == nil {
		return entry(e, op, p.body(e)).Render(ctx, w)
	}
	if p.calls[callKey{turnOf(e), r.CallID}] {
		return nil
	}
	if op != "" && p.known != nil {
		if c := p.known(r.CallID); c != nil {
			return toolCard(newCard(e, *c, r), "replace").Render(ctx, w)
		}
	}
	alone := newCard(e, models.ToolCall{CallID: r.CallID, Tool: r.Tool}, r)
	alone.anchor = "" // its entry has it
	return entry(e, op, toolCard(alone, "")).Render(ctx, w)
}
