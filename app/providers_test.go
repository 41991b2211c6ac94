package app_test

import (
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
)

// A model service is asked inside the network only when who runs the installation named its address, in person: for whoever else
// manages services it is an address like any other, and the dialer refuses it (engine/llm/connect).
func TestModelServicesInsideTheNetwork(t *testing.T) {
	t.Parallel()
	w := apptest.Start(t, apptest.Options{NoWorker: true})
	for _, c := range []struct {
		who     *apptest.Person
		byKey   bool
		private int
	}{{w.Acme.Admin, false, 0}, {w.Acme.Owner, true, 0}, {w.Acme.Owner, false, 1}, {w.Acme.Admin, false, 0}} {
		form := url.Values{"kind": {"openai-compatible"}, "base_url": {"http://10.1.2.3/v1"}, "key": {apptest.GoodKey}, "model": {"inside-1"}}
		a := w.Do(apptest.Call{Method: "POST", Path: "/settings/models", Who: c.who, ByKey: c.byKey, Form: form})
		if !c.byKey { // of keys the page knows nothing
			require.Equal(t, 303, a.Status)
		}
		require.Equal(t, c.private, w.Count("SELECT count(*) FROM providers WHERE organization_id = ? AND base_url = 'http://10.1.2.3/v1' AND private", w.Acme.ID))
	}
}
