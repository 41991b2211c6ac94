package chat

import (
	"context"
	"io"
	"strings"

	"github.com/a-h/templ"

	"lobstead/models"
)

// Events renders a window of the log: a section per turn, in the order of their first events, and what belongs to no
// turn between them. A tool call and its result are one card; a result whose call lies before the window has its own.
func Events(list []models.Event) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return renderEvents(ctx, w, list, func(string, []models.Event) bool { return true })
	})
}

// Event renders one entry by itself, as a search result or a link's target shows it.
func Event(e models.Event) templ.Component {
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		return newPage([]models.Event{e}, nil).event(ctx, w, e, "")
	})
}

// renderEvents gives an id to the sections for which named says so.
func renderEvents(ctx context.Context, w io.Writer, list []models.Event, named func(turn string, events []models.Event) bool) error {
	p := newPage(list, nil)
	turns := map[string][]models.Event{}
	for _, e := range list {
		if e.TurnID != nil {
			turns[*e.TurnID] = append(turns[*e.TurnID], e)
		}
	}
	for _, e := range list {
		if e.TurnID == nil {
			if err := p.event(ctx, w, e, ""); err != nil {
				return err
			}
			continue
		}
		events, first := turns[*e.TurnID]
		if !first {
			continue
		}
		delete(turns, *e.TurnID)
		id := ""
		if named(*e.TurnID, events) {
			id = turnID(*e.TurnID)
		}
		if err := p.turn(ctx, w, id, events, ""); err != nil {
			return err
		}
	}
	return nil
}

// Patches gives what a page needs that shows the log up to the first of list: new entries at the end of their turn, the
// card of a call that has ended. known finds the call of a result that is not in list; nil when there is none.
func Patches(list []models.Event, known func(callID string) *models.ToolCall) string {
	var b strings.Builder
	ctx, p := context.Background(), newPage(list, known)
	for _, e := range list {
		var err error
		switch {
		case e.TurnID == nil:
			err = p.event(ctx, &b, e, "append:flow")
		case e.Kind == models.KindUser:
			err = p.turn(ctx, &b, turnID(*e.TurnID), []models.Event{e}, "append:flow")
		default:
			err = p.event(ctx, &b, e, "append:"+turnID(*e.TurnID))
		}
		if err != nil { // a strings.Builder has none
			return b.String()
		}
	}
	return b.String()
}

// cut leaves out the begin of a window as far as turns and calls there began before it, so that what is shown is whole;
// "show earlier" begins there. A turn that is longer than half the window is cut all the same.
func cut(list []models.Event) []models.Event {
	if len(list) == 0 || list[0].Seq <= 1 {
		return list
	}
	whole := wholeFrom(list, func(e models.Event, start map[string]int, n int) int {
		if e.TurnID == nil {
			return n
		}
		return place(start, *e.TurnID, e.Kind == models.KindUser, n)
	})
	if whole <= len(list)/2 {
		return list[whole:]
	}
	paired := wholeFrom(list, func(e models.Event, start map[string]int, n int) int {
		switch e.Kind {
		case models.KindCall:
			c, _ := models.Decode[models.ToolCall](e)
			return place(start, turnOf(e)+" "+c.CallID, true, n)
		case models.KindResult:
			r, _ := models.Decode[models.ToolResult](e)
			return place(start, turnOf(e)+" "+r.CallID, false, n)
		}
		return n
	})
	if paired < len(list) {
		return list[paired:]
	}
	return list
}

func place(start map[string]int, key string, begins bool, n int) int {
	if begins {
		start[key] = n
		return n
	}
	if at, ok := start[key]; ok {
		return at
	}
	return -1
}

// wholeFrom gives the first place from which on nothing belongs to what began before it.
func wholeFrom(list []models.Event, began func(e models.Event, start map[string]int, n int) int) int {
	starts, start := make([]int, len(list)), map[string]int{}
	for n, e := range list {
		starts[n] = began(e, start, n)
	}
	least, from := len(list), len(list)
	for n := len(list) - 1; n >= 0; n-- {
		if least = min(least, starts[n]); least >= n {
			from = n
		}
	}
	return from
}

func turnOf(e models.Event) string {
	if e.TurnID == nil {
		return ""
	}
	return *e.TurnID
}

// Earlier is the answer to "show earlier": the entries before those that the page shows, and a link to what is before
// them. Only turns that are here from beginning to end get their id; the page may show the rest of the others.
func Earlier(sessionID string, list []models.Event) templ.Component {
	list = cut(list)
	return templ.ComponentFunc(func(ctx context.Context, w io.Writer) error {
		if at := before(list); at > 0 {
			if err := earlierLink(sessionID, at).Render(ctx, w); err != nil {
				return err
			}
		}
		return renderEvents(ctx, w, list, func(_ string, events []models.Event) bool {
			return events[0].Kind == models.KindUser && events[len(events)-1].Kind == models.KindEnded
		})
	})
}

// before is the cursor of "show earlier": 0 when the log begins here.
func before(list []models.Event) int64 {
	if len(list) == 0 || list[0].Seq <= 1 {
		return 0
	}
	return list[0].Seq
}
