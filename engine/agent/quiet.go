package agent

import (
	"strings"
	"unicode"

	"lobstead/models"
)

// NothingToReport is the answer by which a run of an automation says that all is well and nobody is to be troubled: the run is
// listed as quiet, and its answer is delivered nowhere.
const NothingToReport = "NOTHING_TO_REPORT"

// aloneWords tell the model of a run how it can stay quiet.
const aloneWords = `
This turn was started by an automation: nobody is waiting for the answer, and it may be passed on to people by itself.
- When what you were asked to watch or check gives no reason to trouble anybody, answer with ` + NothingToReport + ` and nothing else.
- When there is something to tell, or something went wrong, tell that, and never write those words.
`

// saysNothing tells whether an answer is the mark: alone, whatever emphasis or full stop is around it.
func saysNothing(text string) bool {
	bare := strings.TrimFunc(text, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return strings.EqualFold(strings.ReplaceAll(bare, " ", "_"), NothingToReport)
}

// quiet tells whether the last events of a turn say so.
func quiet(tail []models.EventData) bool {
	for _, d := range tail {
		if m, ok := d.(models.AssistantMessage); ok && m.Final {
			return m.Quiet
		}
	}
	return false
}
