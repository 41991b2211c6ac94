package automate_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/engine/automate"
	"lobstead/kit/fault"
)

var (
	berlin = zone("Europe/Berlin")
	now    = time.Date(2026, 11, 22, 14, 7, 30, 0, berlin) // a Sunday
)

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// What people write, and what it means: a cron expression, a span with its first time, or one time.
func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"every weekday at 9":                               "0 9 * * 1-5",
		"Every weekday at 9, send the report":              "0 9 * * 1-5",
		"send me the sales figures every Monday at 8:30am": "30 8 * * 1",
		"every monday, wednesday and friday at 17:45":      "45 17 * * 1,3,5",
		"on mondays and thursdays at 9 am":                 "0 9 * * 1,4",
		"every tuesday at noon":                            "0 12 * * 2",
		"every day at midnight":                            "0 0 * * *",
		"daily at 07:05":                                   "5 7 * * *",
		"every day at 9 o'clock":                           "0 9 * * *",
		"every morning":                                    "0 8 * * *",
		"every evening at 7pm":                             "0 19 * * *",
		"every night at 11:15pm":                           "15 23 * * *",
		"on weekdays at 18:00":                             "0 18 * * 1-5",
		"every weekend at 10":                              "0 10 * * 0,6",
		"weekly on friday at 4pm":                          "0 16 * * 5",
		"every week on sunday at 20:00":                    "0 20 * * 0",
		"hourly":                                           "0 * * * *",
		"every hour":                                       "0 * * * *",
		"every minute":                                     "* * * * *",
		"every 15 minutes":                                 "*/15 * * * *",
		"check the queue every five minutes":               "*/5 * * * *",
		"every 2 hours":                                    "0 */2 * * *",
		"every 2 hours between 9 and 17":                   "0 9-17/2 * * *",
		"every 2 hours between 9 and 17 on weekdays":       "0 9-17/2 * * 1-5",
		"every 30 minutes from 8am to 6pm":                 "*/30 8-17 * * *",
		"on the first of each month at 08:30":              "30 8 1 * *",
		"on the 15th of every month at noon":               "0 12 15 * *",
		"the last day of every month at 23:59":             "59 23 L * *",
		"every month on the 3rd at 7am":                    "0 7 3 * *",
		"monthly on the first monday at 9":                 "0 9 * * 1#1",
		"on the second tuesday of every month at 10":       "0 10 * * 2#2",
		"the last friday of each month at 16:00":           "0 16 * * 5L",
		"every 45 minutes":                                 "every 45 minutes from 2026-11-22 14:52",
		"every 7 hours":                                    "every 7 hours from 2026-11-22 21:07",
		"every other day at 9":                             "every 2 days from 2026-11-23 09:00",
		"every 2 weeks at 15:00":                           "every 2 weeks from 2026-11-22 15:00",
		"in 20 minutes":                                    "2026-11-22 14:28",
		"remind me in 20 minutes to stretch":               "2026-11-22 14:28",
		"in an hour":                                       "2026-11-22 15:08",
		"in half an hour":                                  "2026-11-22 14:38",
		"in two days":                                      "2026-11-24 14:07",
		"in 3 weeks at 9":                                  "2026-12-13 09:00",
		"tomorrow at 5pm":                                  "2026-11-23 17:00",
		"tomorrow morning":                                 "2026-11-23 08:00",
		"today at 6pm":                                     "2026-11-22 18:00",
		"tonight":                                          "2026-11-22 21:00",
		"at 17:30":                                         "2026-11-22 17:30",
		"at 8am":                                           "2026-11-23 08:00",
		"call the bank at 11am tomorrow":                   "2026-11-23 11:00",
		"next Tuesday noon":                                "2026-11-24 12:00",
		"on friday at 9":                                   "2026-11-27 09:00",
		"next sunday at 10":                                "2026-11-29 10:00",
		"on 3 march at 09:00":                              "2027-03-03 09:00",
		"on march 3rd 2028 at 9pm":                         "2028-03-03 21:00",
		"2026-12-01 at 08:30":                              "2026-12-01 08:30",
		"on december 24th in the evening":                  "2026-12-24 18:00",
	} {
		p, err := automate.Parse(text, now, berlin)
		if !assert.NoError(t, err, text) {
			continue
		}
		assert.Equal(t, want, shown(p.Schedule), text)
		assert.NotEmpty(t, p.Runs(now, 5), text)
		assert.Equal(t, berlin, p.Zone)
	}
}

func shown(s automate.Schedule) string {
	at := s.At.Format("2006-01-02 15:04")
	switch s.Kind {
	case automate.Cron:
		return s.Expr
	case automate.Every:
		return fmt.Sprintf("every %d %s", s.N, s.Unit) + " from " + at
	}
	return at
}

func TestParseKeepsTheTask(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][2]string{
		"every weekday at 9, send the report":             {"every weekday at 9", "send the report"},
		"Remind me in 20 minutes to stretch.":             {"in 20 minutes", "stretch."},
		"please check the Harbour cameras every 2 hours!": {"every 2 hours", "check the Harbour cameras"},
		"tell Ann, tomorrow at 5pm, that it is done":      {"tomorrow at 5pm", "tell Ann that it is done"},
		"tomorrow at 5pm":                                 {"tomorrow at 5pm", ""},
		"every day at 9 list the files in /workspace":     {"every day at 9", "list the files in /workspace"},
	} {
		p, err := automate.Parse(text, now, berlin)
		require.NoError(t, err, text)
		assert.Equal(t, want, [2]string{p.When, p.Task}, text)
	}
}

// Nothing is guessed: the hint says what was understood, and what is missing.
func TestParseSaysWhatIsUnclear(t *testing.T) {
	t.Parallel()
	for text, hint := range map[string]string{
		"": "No time was found", "send the report": "No time was found", "sometimes": "No time was found", "every so often": "No time was found",
		"every day": "“every day” was understood: at what time?", "tomorrow": "“tomorrow” was understood: at what time?", "next tuesday": "at what time?",
		"every weekday at 5": "“5” could be in the morning or in the afternoon: write 5am or 5pm", "every week at 9": "on which day?", "weekly": "on which day?", "monthly at 9": "on which day?",
		"every 2 hours between 9 and 5": "could be in the morning or in the afternoon", "every 2 hours between 17:00 and 9:00": "the earlier one first",
		"every monday at 9 and every friday at 8": "there is a second time", "today at 9": "that is never, or over", "on 2020-01-01 at 09:00": "that is never, or over",
		"on february 30 at 9": "there is no day 30", "every 7 minutes between 9:00 and 17:00": "does not divide", "every 2 days": "at what time?",
		strings.Repeat("x", 9000): "too long",
	} {
		_, err := automate.Parse(text, now, berlin)
		require.True(t, fault.Is(err, fault.Invalid), "%.60s", text)
		f := fault.As(err)
		assert.Equal(t, []string{"schedule.unclear", "Could not understand the schedule"}, []string{f.Code, f.Detail})
		assert.Contains(t, f.Hint, hint, "%.60s", text)
	}
}

// Whatever is written: no panic, and what is understood can be due, later than now.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"every weekday at 9", "in 20 minutes", "on the first of each month at 08:30", "every 2 hours between 9 and 17", "next tuesday noon", "mondays, and at", "at", "in half an",
		"on february 29 at 9", "every month on the 31st at 9", "every 10000 weeks at 9"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := automate.Parse(text, now, berlin)
		if err != nil {
			if fault.As(err).Hint == "" {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		runs := p.Runs(now, 3)
		last := now
		for _, r := range runs {
			if !r.After(last) || r.Second() != 0 {
				t.Fatalf("%q: %v after %v", text, r, last)
			}
			last = r
		}
		if len(runs) == 0 || p.When == "" {
			t.Fatalf("%q is understood as %+v, and never due", text, p)
		}
	})
}
