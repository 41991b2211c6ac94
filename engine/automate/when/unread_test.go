package when_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"lobstead/engine/automate/when"
	"lobstead/kit/fault"
)

// What was not read beside a single time, and why a time is none, is said.
func TestParseRefusesWhatItDidNotRead(t *testing.T) {
	t.Parallel()
	for text, hint := range map[string]string{
		"every second tuesday at noon report": "repeats", "every leap day at 9 say hi": "repeats", "alternate fridays at 9 report": "repeats", "twice a day at 9 look": "repeats",
		"at 9 three times a week look": "repeats", "at noon every second tuesday report": "repeats", "weekly sync on friday at 9": "repeats", "second tuesday at noon report": "stands before",
		"by friday at 5pm finish": "stands before", "on the first monday of june at 9 look": "begin with the time", "at 9 next week call": "stands behind", "next month at 9 call": "begin with the time",
		"the day after tomorrow at 9 call": "stands before", "every day at 25:00": "“25:00” is no time", "25:00 look": "“25:00” is no time", "yesterday at 5": "that is over", "at 5 yesterday": "that is over",
		"New York time every day at 9 say hi": "a time zone is written behind", "in Tokyo tomorrow at 9 say hi": "a time zone is written behind",
		"on 29 february 2027 at 9": "no day 29 in February 2027",
	} {
		p, err := when.Parse(text, now, berlin)
		require.True(t, fault.Is(err, fault.Unclear), "%s: %+v", text, p)
		assert.Contains(t, fault.As(err).Hint, hint, text)
	}
	for text, want := range map[string]string{"noon tomorrow": "2026-11-23 12:00", "5pm tomorrow call": "2026-11-23 17:00", "on 29 february at 9": "2028-02-29 09:00",
		"tomorrow at 5pm check every file": "2026-11-23 17:00", "send the weekly report tomorrow at 9": "2026-11-23 09:00"} {
		p, err := when.Parse(text, now, berlin)
		require.NoError(t, err, text)
		assert.Equal(t, want, shown(p.Schedule), text)
	}
	assert.Equal(t, "every year on 29 February at 00:00", when.Schedule{Kind: when.Cron, Expr: "0 0 29 2 *", Zone: berlin}.String())
}

// What has "every" or the like before or directly behind its time is never once; and each word is a part of the time, or of the task.
func TestWhatRepeatsIsNeverOnce(t *testing.T) {
	t.Parallel()
	one := func(t *rapid.T, name string, of ...string) string { return rapid.SampledFrom(of).Draw(t, name) }
	rapid.Check(t, func(t *rapid.T) {
		rhythm := one(t, "every", "every", "each", "on every", "on each", "Every", "on alternate") + " " +
			one(t, "count", "", "second ", "other ", "2 ", "third ", "single ", "odd ", "leap ", "first ", "last ", "1st ") +
			one(t, "unit", "tuesday", "day", "month", "week", "year", "friday and monday", "quarter", "weekend", "february", "hour", "day of the month", "monday of the month")
		time := one(t, "time", "at noon", "at 9", "at 17:30", "in the morning", "on friday at 9", "tomorrow at 5pm", "on 3 march at 09:00", "noon tomorrow", "next tuesday noon", "in 20 minutes")
		task := one(t, "task", "report", "say hi to Ann", "list the files, and mail them")
		text := one(t, "order", rhythm+" "+time+" "+task, time+" "+rhythm+" "+task, task+" "+rhythm+" "+time, rhythm+" "+task+" "+time, rhythm+", "+time+", "+task)
		p, err := when.Parse(text, now, berlin)
		if err != nil {
			require.NotEmpty(t, fault.As(err).Hint, text)
			return
		}
		require.NotEqual(t, when.Once, p.Kind, "%q: %s, task %q", text, p.When, p.Task)
		before, behind, found := strings.Cut(text, p.When)
		require.True(t, found, "%q: %q", text, p.When)
		words := func(s string) []string {
			return slices.DeleteFunc(strings.Fields(strings.ReplaceAll(s, ",", " ")), func(w string) bool { return w == "" })
		}
		require.Equal(t, append(words(before), words(behind)...), words(p.Task), text)
	})
}
