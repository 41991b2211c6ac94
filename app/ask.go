package app

import (
	runtimeapi "lobstead/api/runtime"
	"lobstead/engine/insight"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/views/turns"
)

// asking gives the price of a question that was made, as a page shows it; that there is nobody to ask is no failure.
func asking(q *insight.Inquiry, err error) (turns.AskProps, error) {
	if fault.Is(err, fault.Unavailable) {
		return turns.AskProps{}, nil
	}
	if err != nil {
		return turns.AskProps{}, err
	}
	price := turns.Price(q.Quote())
	return turns.AskProps{Price: &price}, nil
}

// ask puts a question to its model, unless it could not be made.
func (a *App) ask(c *Ctx, q *insight.Inquiry, err error) (*models.Opinion, error) {
	if err != nil {
		return nil, err
	}
	return a.inspector.Ask(c, c.Scope, q)
}

// heard goes to the place that shows an opinion. A person who cannot have one is told why on the page that was left.
func (c *Ctx) heard(o *models.Opinion, err error, place string, page func(problem string, status int) (Reply, error)) (Reply, error) {
	if words, ok := refusal(err); ok && !c.wantsJSON() {
		return page(words, statuses[fault.KindOf(err)])
	}
	if err != nil {
		return nil, err
	}
	return redirect(place).json(runtimeapi.NewAsked(o)), nil
}

// refusal gives the words for a question that was not answered and may be on another day; what is a defect, or not there, is
// no refusal.
func refusal(err error) (string, bool) {
	if err == nil {
		return "", false
	}
	switch fault.KindOf(err) {
	case fault.Internal, fault.NotFound, fault.Forbidden:
		return "", false
	}
	return sentence(fault.As(err)), true
}
