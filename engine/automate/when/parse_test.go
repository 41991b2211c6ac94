package when_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/engine/automate/when"
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
		"at 5pm every monday, plan the week":               "0 17 * * 1",
		"9am every weekday read my mail":                   "0 9 * * 1-5",
		"at 9 on friday call the bank":                     "2026-11-27 09:00",
		"at 17:30 on december 24th":                        "2026-12-24 17:30",
		"at 9 next tuesday":                                "2026-11-24 09:00",
		"every evening at 7":                               "0 19 * * *",
		"every night at 11":                                "0 23 * * *",
		"every morning at 6":                               "0 6 * * *",
		"every day at 9 in the evening":                    "0 21 * * *",
		"every day at 5 in the morning":                    "0 5 * * *",
		"every day at 9 at night":                          "0 21 * * *",
		"at 7 every evening":                               "0 19 * * *",
		"every monday evening at 8":                        "0 20 * * 1",
		"every evening at 19:30":                           "30 19 * * *",
		"tonight at 9":                                     "2026-11-22 21:00",
		"at 9 tonight":                                     "2026-11-22 21:00",
		"this evening at 8":                                "2026-11-22 20:00",
		"tomorrow evening at 7":                            "2026-11-23 19:00",
		"at 8 tomorrow evening":                            "2026-11-23 20:00",
		"at 8 on friday evening":                           "2026-11-27 20:00",
		"at 10 on mondays and thursdays":                   "0 10 * * 1,4",
		"every friday at 4pm write the weekly report":      "0 16 * * 5",
		"every day at 9 say what happens today":            "0 9 * * *",
		"the daily news, every day at 7:30":                "30 7 * * *",
	} {
		p, err := when.Parse(text, now, berlin)
		if !assert.NoError(t, err, text) {
			continue
		}
		assert.Equal(t, want, shown(p.Schedule), text)
		assert.NotEmpty(t, p.Runs(now, 5), text)
		assert.Equal(t, berlin, p.Zone)
	}
}

func shown(s when.Schedule) string {
	at := s.At.Format("2006-01-02 15:04")
	switch s.Kind {
	case when.Cron:
		return s.Expr
	case when.Every:
		return fmt.Sprintf("every %d %s", s.N, s.Unit) + " from " + at
	}
	return at
}

// What was understood is said back in other words than it was written in.
func TestSchedulesAreSaid(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"every weekday at 9": "every weekday at 09:00", "daily at 07:05": "every day at 07:05", "every weekend at 10": "every weekend at 10:00",
		"every monday, wednesday and friday at 17:45": "every Monday, Wednesday and Friday at 17:45", "every tuesday at noon": "every Tuesday at 12:00",
		"every 15 minutes": "every 15 minutes", "every minute": "every minute", "hourly": "every hour", "every 2 hours": "every 2 hours",
		"every 2 hours between 9 and 17 on weekdays": "every 2 hours from 09:00 to 17:00, every weekday", "every 30 minutes from 8am to 6pm": "every 30 minutes from 08:00 to 17:59",
		"on the 22nd of every month at noon": "on the 22nd of the month at 12:00", "the last day of every month at 23:59": "on the last day of the month at 23:59",
		"monthly on the first monday at 9": "on the 1st Monday of the month at 09:00", "the last friday of each month at 16:00": "on the last Friday of the month at 16:00",
		"every 45 minutes": "every 45 minutes", "every other day at 9": "every 2 days at 09:00", "tomorrow at 5pm": "on Monday 23 November 2026 at 17:00",
	} {
		p, err := when.Parse(text, now, berlin)
		require.NoError(t, err, text)
		assert.Equal(t, want, p.String(), text)
	}
	assert.Equal(t, "1,31 2 * 5 *", when.Schedule{Kind: when.Cron, Expr: "1,31 2 * 5 *", Zone: berlin}.String())
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
		p, err := when.Parse(text, now, berlin)
		require.NoError(t, err, text)
		assert.Equal(t, want, [2]string{p.When, p.Task}, text)
	}
}

// A zone that stands behind a time is that time's.
func TestParseTakesTheZone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][3]string{
		"every day at 9 UTC write the news":                    {"UTC", "every day at 9 UTC", "write the news"},
		"every weekday at 9:30 in America/New_York, say hi":    {"America/New_York", "every weekday at 9:30 in America/New_York", "say hi"},
		"tomorrow at 5pm Asia/Tokyo time call the office":      {"Asia/Tokyo", "tomorrow at 5pm Asia/Tokyo time", "call the office"},
		"every day at 9 in Europe/Berlin check and/or mend it": {"Europe/Berlin", "every day at 9 in Europe/Berlin", "check and/or mend it"},
		"every day at 9 in the office list who is there":       {"Europe/Berlin", "every day at 9", "in the office list who is there"},
		"at 7:15 pm in New York post the news":                 {"America/New_York", "at 7:15 pm in New York", "post the news"},
		"at 7:15pm New York time, post":                        {"America/New_York", "at 7:15pm New York time", "post"},
		"every day at 9 Berlin time say hi":                    {"Europe/Berlin", "every day at 9 Berlin time", "say hi"},
		"tomorrow at 9 in mumbai say hi":                       {"Asia/Kolkata", "tomorrow at 9 in mumbai", "say hi"},
		"every day at 9 time the race":                         {"Europe/Berlin", "every day at 9", "time the race"},
	} {
		p, err := when.Parse(text, now, berlin)
		require.NoError(t, err, text)
		assert.Equal(t, want, [3]string{p.Zone.String(), p.When, p.Task}, text)
	}
	for name, area := range when.Places() {
		_, err := time.LoadLocation(area)
		require.NoError(t, err, name)
	}
	p, err := when.Parse("tomorrow at 5pm Asia/Tokyo", now, berlin)
	require.NoError(t, err)
	assert.Equal(t, "2026-11-23 17:00 JST", p.At.Format("2006-01-02 15:04 MST"), "tomorrow is Tokyo's")
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
		"every day at 9 and 17":   "a second time of day", "every day at 9, 12 and 17": "a second time of day", "every monday at 9 and on friday": "“friday” was understood: at what time?",
		"every day at 9 except on sundays": "“except” was understood as a limit", "every day at 9 except monday": "a limit", "every hour until december 24": "a limit",
		"every day at 9 for two weeks": "a limit", "every day at 9 for the next month": "a limit", "every day at 9 CET": "more than one time zone",
		"every day at 9 Springfield time": "“Springfield” is not the name of exactly one", "at 9 eastern time": "exactly one", "at 9 in Europe/Nowhere": "no time zone",
		"tonight at 12": "does not fit", "every morning at 15:00": "does not fit", "every night at 3": "does not fit",
		"weekly at 9": "on which day?", "monthly report at 9": "on which day?", "remind me tomorrow to call at 5pm": "“tomorrow” was understood: at what time?",
	} {
		_, err := when.Parse(text, now, berlin)
		require.True(t, fault.Is(err, fault.Unclear), "%.60s: %v", text, err)
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
		p, err := when.Parse(text, now, berlin)
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
