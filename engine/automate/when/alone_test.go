package when_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/engine/automate/when"
	"lobstead/kit/fault"
)

// A time that is said alone, and what it is written as when it is shown in a form again.
func TestAlone(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"0 9 * * 1-5": "0 9 * * 1-5", "  30  0 9 * * MON ": "30 0 9 * * MON", "every weekday at 9": "0 9 * * 1-5", "@every 45 minutes": "every 45 minutes", "every 90 seconds": "every 90 seconds",
		"2030-11-30 17:00": "2030-11-30 17:00", "2030-11-30T17:00:05": "2030-11-30 17:00:05", "2030-11-30T17:00:00Z": "2030-11-30 18:00", "every other day at 9:30": "every 2 days at 09:30",
	} {
		s, err := when.Alone(text, now, berlin)
		require.NoError(t, err, text)
		require.Equal(t, want, s.Text(), text)
		again, err := when.Alone(s.Text(), now, berlin)
		require.NoError(t, err, text)
		assert.Equal(t, s.Text(), again.Text(), text)
		require.NoError(t, s.Check(now), text)
	}
	for text, hint := range map[string]string{"every day at 9 look": "is no time", "0 9 * *": "five fields", "0 9 * * * 2030": "five fields", "2020-01-01 09:00": "over", "": "No time", "61 * * * *": "“61” is no minute", "0 25 * * *": "“25” is no hour"} {
		_, err := when.Alone(text, now, berlin)
		require.True(t, fault.Is(err, fault.Unclear), "%s: %v", text, err)
		assert.Contains(t, fault.As(err).Hint, hint, text)
	}
	for expr, says := range map[string]string{"* * * * * *": "every second", "*/15 * * * * *": "every 15 seconds", "0 0 9 * * 1-5": "every weekday at 09:00", "30 0 9 * * 1": "30 0 9 * * 1"} {
		assert.Equal(t, says, when.Schedule{Kind: when.Cron, Expr: expr, Zone: berlin}.String())
	}
}

// A sentence may begin with a cron expression; what could be five fields or six is asked about.
func TestLeadingCron(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"*/5 * * * * check the site":       {"*/5 * * * *", "check the site"},
		"Cron: 0 9 * * 1-5 report":         {"0 9 * * 1-5", "report"},
		"30 0 9 * * 1-5 write the report":  {"30 0 9 * * 1-5", "write the report"},
		"*/5 * * * *":                      {"*/5 * * * *", ""},
		"every 5 minutes check the site":   {"", "every 5 minutes check the site"},
		"5 files are to be deleted at 9am": {"", "5 files are to be deleted at 9am"},
		"0 9 * * 1 mon report":             {"0 9 * * 1", "mon report"},
	} {
		expr, task, err := when.LeadingCron(text)
		require.NoError(t, err, text)
		require.Equal(t, want, []string{expr, task}, text)
	}
	_, _, err := when.LeadingCron("0 9 * * 1 2 reports")
	require.True(t, fault.Is(err, fault.Unclear))
}
