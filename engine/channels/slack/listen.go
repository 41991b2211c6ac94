package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/slack-go/slack"
	"github.com/slack-go/slack/socketmode"

	"lobstead/engine/channels/service"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
)

const (
	handshake = 20 * time.Second
	maxFrame  = 4 << 20  // bytes of one envelope that we read
	oneFrame  = 32 << 10 // Slack does not put an answer of several frames together again
	again     = time.Second
	backlog   = 1024 // envelopes that wait to be kept
	patience  = 8    // times that an event is tried before it is left to Slack's repetition
)

// Listens tells whether the account uses Socket Mode.
func (s *Service) Listens(a service.Account) bool { return a.Value("app_token") != "" }

// Listen keeps a Socket Mode connection. An envelope is acknowledged once hear has kept all of its events; meanwhile Slack may send
// it again, with the same ids. Slack allows ten connections of one app and spreads what happens over them, so another process is no
// conflict.
func (s *Service) Listen(ctx context.Context, a service.Account, hear func(context.Context, service.Event) error) error {
	ctx, cancel := context.WithCancel(ctx)
	line := socketmode.New(client(a), socketmode.OptionReadLimit(maxFrame), socketmode.OptionDialer(&websocket.Dialer{
		NetDialContext: a.Dial.DialContext, HandshakeTimeout: handshake, WriteBufferSize: oneFrame}))
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	envelopes := make(chan socketmode.Event, backlog)
	wg.Go(func() { s.work(ctx, line, envelopes, hear) })
	ended := make(chan error, 1)
	go func() { ended <- line.RunContext(ctx) }()
	for {
		select {
		case err := <-ended:
			if ctx.Err() != nil {
				return nil
			}
			if err := connecting(gone(err)); fault.Is(err, fault.Unauthenticated) {
				return err
			}
			if !clock.Sleep(ctx, again) {
				return nil
			}
			go func() { ended <- line.RunContext(ctx) }()
		case e := <-line.Events:
			if err := refused(e); err != nil {
				cancel()
				<-ended
				return err
			}
			select {
			case envelopes <- e:
			default: // left to Slack's repetition
			}
		}
	}
}

// work keeps one event after the other, apart from what reads them: an acknowledgement waits for a connection, and the library does
// not connect again while nobody takes its events.
func (s *Service) work(ctx context.Context, line *socketmode.Client, envelopes <-chan socketmode.Event, hear func(context.Context, service.Event) error) {
	for {
		select {
		case <-ctx.Done():
			return
		case e := <-envelopes:
			s.envelope(ctx, line, e, hear)
		}
	}
}

// gone spells the refusals that the library gives as bare words.
func gone(err error) error {
	if _, ok := errors.AsType[slack.SlackErrorResponse](err); ok {
		return err
	}
	if e, ok := errors.AsType[slack.StatusCodeError](err); ok && e.Code == http.StatusNotFound {
		return slack.SlackErrorResponse{Err: "invalid_auth"}
	}
	return err
}

// refused gives the error of a connection that no repetition will open.
func refused(e socketmode.Event) error {
	failure, ok := e.Data.(*slack.ConnectionErrorEvent)
	if !ok {
		return nil
	}
	reply, ok := errors.AsType[slack.SlackErrorResponse](failure.ErrorObj)
	if !ok {
		return nil
	}
	if err := connecting(reply); fault.Is(err, fault.Unauthenticated) {
		return err
	}
	return nil
}

// envelope hands over what is in one envelope, and acknowledges it. What the library cannot read it gives as it came: we read less of
// it than the library does, and what we cannot read either would only come again.
func (s *Service) envelope(ctx context.Context, line *socketmode.Client, e socketmode.Event, hear func(context.Context, service.Event) error) {
	if bad, ok := e.Data.(*socketmode.ErrorBadMessage); ok {
		e.Request = &socketmode.Request{}
		_ = json.Unmarshal(bad.Message, e.Request)
	}
	if e.Request == nil || e.Request.EnvelopeID == "" {
		return
	}
	var events []service.Event
	switch e.Request.Type {
	case socketmode.RequestTypeEventsAPI:
		events = happened(e.Request.Payload)
	case socketmode.RequestTypeInteractive:
		events = pressed(e.Request.Payload)
	case socketmode.RequestTypeSlashCommands:
		events = commandFrom(e.Request.Payload, time.Now().UTC())
	}
	for _, each := range events {
		if s.keep(ctx, each, hear) != nil {
			return
		}
	}
	_ = line.AckCtx(ctx, e.Request.EnvelopeID, nil)
}

// keep tries until hear has kept the event: Slack gives up after three repetitions, which is sooner than a database may be back.
func (s *Service) keep(ctx context.Context, e service.Event, hear func(context.Context, service.Event) error) error {
	for n := 1; ; n++ {
		err := hear(ctx, e)
		if err == nil || n == patience {
			return err
		}
		if !clock.Sleep(ctx, clock.Backoff(cmp.Or(s.Pause, 500*time.Millisecond), n)) {
			return ctx.Err()
		}
	}
}
