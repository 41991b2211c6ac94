package app_test

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/llm/llmtest"
)

// A client that leaves ends the call at the provider, and what it took is settled: before the first piece, in the
// middle of a stream, and while a whole answer is waited for.
func TestClientsThatLeave(t *testing.T) {
	t.Parallel()
	w, model := doors(t, apptest.Options{})
	for name, c := range map[string]struct {
		step llmtest.Step
		more string
		read bool
	}{"stream": {llmtest.Say("one ", "two ").Hangs(), `"stream":true`, true}, "before the first piece": {llmtest.Say().Hangs(), `"stream":true`, false},
		"whole": {llmtest.Say("one ").Hangs(), "", false}} {
		for _, path := range []string{chatPath, messagesPath} {
			settled := w.Count("SELECT count(*) FROM ledger_entries WHERE kind = 'settle' AND purpose = 'gateway'")
			p := model.set(c.step)
			ctx, leave := context.WithCancel(t.Context())
			req := w.Request(apptest.Call{Method: "POST", Path: path, Who: w.Acme.Owner, ByKey: true, JSON: hello(path, c.more)}).WithContext(ctx)
			got := make(chan struct{})
			go func() {
				defer close(got)
				resp, err := http.DefaultClient.Do(req)
				if err != nil {
					return
				}
				defer func() { _ = resp.Body.Close() }()
				one := make([]byte, 20)
				_, _ = io.ReadFull(resp.Body, one)
				if c.read {
					leave()
				}
			}()
			require.Eventually(t, func() bool { return p.Running() == 1 || p.Stopped() == 1 }, waitLong, waitStep, name)
			if !c.read {
				leave()
			}
			<-got
			assert.Eventually(t, func() bool { return p.Running() == 0 && p.Stopped() == 1 }, waitLong, waitStep, "%s %s", name, path)
			assert.Eventually(t, func() bool {
				return w.Count("SELECT count(*) FROM ledger_entries WHERE kind = 'settle' AND purpose = 'gateway'") == settled+1
			}, waitLong, waitStep, "%s %s", name, path)
			leave()
		}
	}
}
