package app_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/models"
)

// What is shown once is on the page that a form leads to: not in the answer to the form, of which a reload would do it again, not in
// an address, and on no other page or for anybody else.
func TestShownOnce(t *testing.T) {
	t.Parallel()
	log := &locked{}
	w := apptest.Start(t, apptest.Options{NoWorker: true, Log: log})
	owner, trigger := w.Acme.Owner, "/automations/"+w.Acme.Trigger
	a := w.Do(apptest.Call{Method: "POST", Path: trigger + "/secret", Who: owner, Form: url.Values{"keep": {"true"}}})
	require.Equal(t, 303, a.Status)
	require.Equal(t, trigger, a.Header.Get("Location"))
	lacks(t, a.Body, models.TriggerSecretPrefix)
	cookie := a.Cookie("lobstead_once")
	require.NotNil(t, cookie)
	assert.True(t, cookie.HttpOnly)
	assert.LessOrEqual(t, cookie.MaxAge, 60)
	lacks(t, cookie.Value, models.TriggerSecretPrefix)

	with := func(path string, who *apptest.Person) apptest.Answer {
		return w.Do(apptest.Call{Method: "GET", Path: path, Who: who, Header: map[string]string{"Cookie": w.CookieName() + "=" + who.Cookie + "; lobstead_once=" + cookie.Value}})
	}
	for _, other := range []string{"/automations", "/automations/" + w.Acme.Automation, "/settings/keys", "/settings/team"} {
		page := with(other, owner)
		require.Equal(t, 200, page.Status)
		assert.Nil(t, page.Cookie("lobstead_once"), "%s leaves it to the page that it is for", other)
		assert.NotRegexp(t, `whs_\w`, page.Body, other)
	}
	assert.NotRegexp(t, `whs_\w`, with(trigger, w.Acme.Admin).Body, "another person")
	page := with(trigger, owner)
	assert.Regexp(t, `whs_\w{20}`, page.Body)
	require.NotNil(t, page.Cookie("lobstead_once"))
	assert.Negative(t, page.Cookie("lobstead_once").MaxAge, "gone after the page that shows it")
	assert.NotRegexp(t, `whs_\w`, w.Do(get(trigger, owner)).Body)
	lacks(t, log.String(), "whs_")

	a = w.Do(apptest.Call{Method: "POST", Path: trigger + "/secret", Who: owner, Form: url.Values{"keep": {"true"}}, Face: apptest.Partial})
	require.Equal(t, 204, a.Status)
	require.Equal(t, trigger, a.Header.Get("HX-Location"))
	require.NotNil(t, a.Cookie("lobstead_once"))
	require.True(t, strings.HasPrefix(w.Do(get(trigger+"/test", owner)).Header.Get("Location"), trigger+"#"), "the console's address shows its page")
}
