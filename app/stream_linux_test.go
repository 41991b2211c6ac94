package app_test

import (
	"context"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
)

// Many streams, some still opening while a turn talks, end at once with the server; nothing stays behind.
func TestShutdownEndsStreams(t *testing.T) {
	before := files(t)
	w := apptest.New(t)
	var open sync.WaitGroup
	streams := make(chan *apptest.Stream, 200)
	paths := []string{"/live/chat/" + w.Acme.Session.ID + "?after=0", "/live/overview?after=0", "/live/instances?after=0", "/live/instances/" + w.Acme.Instance.ID + "?after=0"}
	for n := range 200 {
		open.Go(func() { streams <- w.Open(paths[n%4], w.Acme.Member) })
	}
	open.Wait()
	close(streams)
	say(w, w.Acme, "run `wait forever`")
	<-w.Boxes.Waiting
	late := make(chan struct{})
	go func() { // these come while the server goes
		defer close(late)
		for range 20 {
			c, err := net.Dial("tcp", w.Address)
			if err != nil {
				return
			}
			_, _ = io.WriteString(c, "GET "+paths[0]+" HTTP/1.1\r\nHost: "+w.Address+"\r\nCookie: lobstead="+w.Acme.Member.Cookie+"\r\n\r\n")
			defer func() { _ = c.Close() }()
		}
	}()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	require.NoError(t, w.App.Shutdown(ctx))
	require.NoError(t, ctx.Err(), "the shutdown ran into its limit")
	for s := range streams {
		s.Ended(2 * time.Second)
	}
	<-late
	close(w.Boxes.Release)
	w.Stop()
	assert.Eventually(t, func() bool { return files(t) <= before+20 }, waitLong, waitStep, "%d open files before, %d after", before, files(t))
}

// files counts what this process holds open.
func files(t *testing.T) int {
	list, err := os.ReadDir("/proc/self/fd")
	require.NoError(t, err)
	return len(list)
}
