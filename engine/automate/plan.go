package automate

import (
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lobstead/engine/automate/when"
	"lobstead/kit/fault"
	"lobstead/models"
)

// Command is what a person wants made of their words.
type Command string

// The commands that make something, in the agent API's words.
const (
	Automate  Command = "automate" // whatever the words ask for
	Recurring Command = "schedule"
	Remind    Command = "remind"
	Trigger   Command = "trigger"
)

// Plan is what was understood of a text, before anything is made of it.
type Plan struct {
	Name     string
	Prompt   string // what the agent is told at each run
	Webhook  bool   // it runs when it is called; Schedule is empty
	Schedule when.Schedule
	Options
}

// Options are what else may be said of an automation. What is empty has its default: see models.NewAutomation.
type Options struct {
	Description string
	Missed      models.MissedPolicy
	Overlap     models.Overlap
	Jitter      int // seconds
	AllowedFrom string
	Strict      bool
	Action      models.AutomationAction
	Payload     string
	Paused      bool
}

// onCall are the ways to say that something outside begins it.
var onCall = regexp.MustCompile(`(?i)^(?:when|whenever|if|as soon as|each time|every time)\b|\bwebhook\b`)

// Read understands a text as a command asks for it; what it does not is when.Unclear.
func Read(c Command, text string, now time.Time, zone *time.Location) (Plan, error) {
	text = strings.TrimSpace(text)
	if c == Automate || c == Recurring {
		expr, task, err := when.LeadingCron(text)
		if err != nil {
			return Plan{}, err
		}
		if expr != "" {
			return At(task, expr, now, zone)
		}
	}
	parsed, err := when.Parse(text, now, zone)
	switch {
	case text == "":
		return Plan{}, when.Unclear("Say what is to be done")
	case c == Trigger && err == nil:
		return Plan{}, when.Unclear("A trigger waits for a call, and “" + parsed.When + "” is a time: use schedule for that")
	case c == Trigger, c == Automate && err != nil && onCall.MatchString(text):
		return Plan{Name: name(text), Prompt: text, Webhook: true}, nil
	case err != nil:
		return Plan{}, err
	case !slices.ContainsFunc([]rune(parsed.Task), unicode.IsLetter):
		return Plan{}, when.Unclear("“" + parsed.When + "” was understood: say also what is to be done then")
	}
	p := Plan{Name: name(parsed.Task), Prompt: parsed.Task, Schedule: parsed.Schedule}
	if c == Remind {
		p.Prompt = "This is the reminder that you were asked for. Pass it on: " + parsed.Task
	}
	return p, nil
}

const maxName = 60 // characters

// name makes a title of what is to be done.
func name(task string) string {
	words, short := strings.Fields(task), ""
	for _, w := range words {
		if short != "" && utf8.RuneCountInString(short+" "+w) > maxName {
			short += " …"
			break
		}
		short = strings.TrimSpace(short + " " + w)
	}
	if r := []rune(short); len(r) > maxName+2 {
		short = string(r[:maxName]) + "…"
	}
	short = strings.TrimRight(short, ".!?,;:")
	first, size := utf8.DecodeRuneInString(short)
	return string(unicode.ToUpper(first)) + short[size:]
}

// At makes a plan of a task and a time that was said apart from it, as when.Alone reads it.
func At(task, text string, now time.Time, zone *time.Location) (Plan, error) {
	task = strings.TrimSpace(task)
	if task == "" {
		return Plan{}, when.Unclear("Say what is to be done")
	}
	s, err := when.Alone(text, now, zone)
	return Plan{Name: name(task), Prompt: task, Schedule: s}, err
}

// Check tells what of a plan does not go together.
func (p Plan) Check(now time.Time) error {
	if p.Webhook {
		return nil
	}
	if err := p.Schedule.Check(now); err != nil {
		return err
	}
	return spread(p.Schedule, p.Jitter, now)
}

// spread refuses a jitter by which a run could begin after the next one is due.
func spread(s when.Schedule, jitter int, now time.Time) error {
	if jitter <= 0 {
		return nil
	}
	runs := s.Runs(now, shownGaps)
	for n := 1; n < len(runs); n++ {
		if gap := runs[n].Sub(runs[n-1]); gap <= time.Duration(jitter)*time.Second {
			var is fault.Issues
			is.Custom("jitter", "It must be shorter than the time between two runs, which is "+gap.String())
			return is.Err()
		}
	}
	return nil
}

// shownGaps is how many coming runs are looked at for the shortest time between two.
const shownGaps = 50

// New is what is to be written of the plan.
func (p Plan) New(instanceID string, now time.Time) models.NewAutomation {
	n := models.NewAutomation{Kind: models.AutomationWebhook, TimeZone: "UTC", InstanceID: instanceID, Name: p.Name, Prompt: p.Prompt, Description: p.Description, Paused: p.Paused,
		MissedPolicy: p.Missed, Overlap: p.Overlap, JitterSeconds: p.Jitter, AllowedFrom: p.AllowedFrom, Strict: p.Strict, Action: p.Action, Payload: p.Payload}
	if !p.Webhook {
		put(&n, p.Schedule, now)
	}
	return n
}
