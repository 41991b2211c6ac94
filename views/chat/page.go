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
	waits        map[callKey]*models.Paused // calls that wait for a person
	known        func(callID string) *models.ToolCall
}

type callKey struct{ turn, call string }

type resultAt struct {
	models.ToolResult
	seq int64
}

func newPage(list []models.Event, known func(string) *models.ToolCall) *page {
	p := &page{results: map[callKey]*resultAt{}, resultsBySeq: map[int64]*resultAt{}, calls: map[callKey]bool{}, bySeq: map[int64]*models.ToolCall{},
		waits: map[callKey]*models.Paused{}, known: known}
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
		case models.KindPaused:
			if d, err := models.Decode[models.Paused](e); err == nil && d.ApprovalID != "" {
				p.waits[callKey{turnOf(e), d.CallID}] = &d
			}
		case models.KindDecided:
			if d, err := models.Decode[models.Decided](e); err == nil {
				delete(p.waits, callKey{turnOf(e), d.CallID})
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
	switch e.Kind {
	case models.KindResult:
		return p.result(ctx, w, e, op)
	case models.KindPaused:
		if d, err := models.Decode[models.Paused](e); err == nil && d.ApprovalID != "" {
			return p.card(ctx, w, e, op, d.CallID)
		}
	case models.KindDecided:
		if d, err := models.Decode[models.Decided](e); err == nil {
			if err := p.card(ctx, w, e, op, d.CallID); err != nil {
				return err
			}
		}
	}
	return entry(e, op, p.body(e)).Render(ctx, w)
}

// card replaces the card of a call that waits now, or does no more. One that is here, too, shows it already.
func (p *page) card(ctx context.Context, w io.Writer, e models.Event, op, callID string) error {
	key := callKey{turnOf(e), callID}
	if p.calls[key] || op == "" || p.known == nil {
		return nil
	}
	c := p.known(callID)
	if c == nil {
		return nil
	}
	return toolCard(newCard(e, *c, p.results[key], p.waits[key]), "replace").Render(ctx, w)
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
	case models.KindDecided:
		if d, err := models.Decode[models.Decided](e); err == nil {
			return decided(d)
		}
	case models.KindEnded:
		if d, err := models.Decode[models.TurnEnded](e); err == nil {
			return ended(e, d)
		}
	case models.KindCall:
		if c := p.bySeq[e.Seq]; c != nil {
			key := callKey{turnOf(e), c.CallID}
			return toolCard(newCard(e, *c, p.results[key], p.waits[key]), "")
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
			return toolCard(newCard(e, *c, r, nil), "replace").Render(ctx, w)
		}
	}
	alone := newCard(e, models.ToolCall{CallID: r.CallID, Tool: r.Tool}, r, nil)
	alone.anchor = "" // its entry has it
	return entry(e, op, toolCard(alone, "")).Render(ctx, w)
}
