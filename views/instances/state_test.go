package instances_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/models"
	"lobstead/views/instances"
	"lobstead/views/ui"
)

func TestTheBadgeTellsWhatIsUnderWay(t *testing.T) {
	for _, c := range []struct {
		state    models.InstanceState
		want     models.Desired
		answered bool
		kind     ui.Kind
		text     string
		buttons  string
	}{
		{models.Provisioning, models.WantRunning, false, ui.Busy, "Provisioning", ""},
		{models.Running, models.WantRunning, true, ui.OK, "Running", "stop restart"},
		{models.Running, models.WantRunning, false, ui.Busy, "Restarting", "stop"},
		{models.Running, models.WantStopped, false, ui.Busy, "Stopping", "restart"},
		{models.Stopped, models.WantStopped, true, ui.Off, "Stopped", "start"},
		{models.Stopped, models.WantRunning, false, ui.Busy, "Starting", ""},
		{models.Errored, models.WantRunning, false, ui.Bad, "Error", "recover"},
		{models.Suspended, models.WantRunning, true, ui.Warn, "Suspended", ""},
		{models.Running, models.WantDeleted, false, ui.Busy, "Deleting", ""},
		{"NEW STATE", models.WantRunning, true, ui.Off, "NEW STATE", ""},
	} {
		i := models.Instance{ID: "i1", Name: "one", State: c.state, Desired: c.want, Generation: 2, ObservedGeneration: 1}
		if c.answered {
			i.ObservedGeneration = 2
		}
		asleep := i
		asleep.AsleepFor = 2
		require.Equal(t, c.text == "Running", instances.StateBadge(&asleep).Text == "Asleep", c.text)
		b := instances.StateBadge(&i)
		require.Equal(t, c.text, b.Text)
		require.Equal(t, c.kind, b.Kind, c.text)
		var html strings.Builder
		require.NoError(t, instances.Head(instances.ShowProps{Instance: &i}).Render(context.Background(), &html))
		for _, a := range []string{"start", "stop", "restart", "recover", "delete"} {
			shown := strings.Contains(html.String(), `name="action" value="`+a+`"`)
			require.Equal(t, strings.Contains(" "+c.buttons+" ", " "+a+" "), shown, "%s: %s", c.text, a)
		}
	}
}
