package app_test

import (
	"bytes"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
)

// lines is a log that a test reads while the server writes it.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.b.Write(p) }
func (l *lines) String() string              { l.mu.Lock(); defer l.mu.Unlock(); return l.b.String() }

// That nothing is connected is a state to tell of, and no error of the server.
func TestNoModelIsNoErrorInTheLog(t *testing.T) {
	t.Parallel()
	log := &lines{}
	w := apptest.Start(t, apptest.Options{NoWorker: true, Log: log})
	w.Exec("DELETE FROM providers WHERE organization_id = ?", w.Acme.ID)
	w.Exec("UPDATE instances SET provider_id = NULL, model = '' WHERE organization_id = ?", w.Acme.ID)
	a := w.Do(api("POST", "/api/turns/"+w.Acme.Turn.ID+"/analyze", w.Acme.Member, `{}`))
	require.Equal(t, 503, a.Status, a.Body)
	require.Contains(t, log.String(), "request failed")
	require.NotContains(t, log.String(), "level=ERROR")
}
