package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"lobstead/kit/clock"
	"lobstead/kit/config"
	"lobstead/kit/secret"
	"lobstead/models"
)

// seed fills an empty installation with something to look at on every screen. It goes through the same verbs
// as the pages, under a clock that runs through the last day.
func seed(ctx context.Context, cfg *config.Config) error {
	n, err := newNode(ctx, cfg)
	if err != nil {
		return err
	}
	defer n.close()
	fake := clock.NewFake(time.Now().Add(-23 * time.Hour))
	store, err := n.storeAt(ctx, fake)
	if err != nil {
		return err
	}
	defer func() { _ = store.Close() }()
	password, _ := secret.Token("demo-")
	founded, err := store.AsSystem("seed").FoundOnHost(ctx, models.Founding{Email: "demo@example.com", Name: "Dana Demo",
		Organization: "Harbour Labs", Password: password})
	if err != nil {
		return err
	}
	s := seeder{Scope: store.In(founded.Organization.ID).As(models.Actor{UserID: founded.User.ID, Name: founded.User.Name, Role: models.Owner}),
		store: store, clock: fake}
	for i, d := range demoInstances {
		if err := s.instance(ctx, d, i); err != nil {
			return err
		}
	}
	fmt.Printf("Example data written. Start the server and sign in as %s with the password %s\n", founded.User.Email, password.Reveal())
	return nil
}

// storeAt opens the same database under another clock.
func (n *node) storeAt(ctx context.Context, c clock.Clock) (*models.Store, error) {
	box, _, err := secret.LoadOrCreate(n.cfg.DataDir, n.cfg.SecretKey)
	if err != nil {
		return nil, err
	}
	return models.Open(ctx, models.Options{URL: n.cfg.Database.Reveal(), Dir: n.cfg.DataDir, Box: box, Clock: c, Log: n.log})
}

type seeder struct {
	*models.Scope
	store *models.Store
	clock *clock.Fake
}

type demoInstance struct {
	name   string
	region string
	tier   models.Tier
	saw    models.Observation
	reason string
	chats  []demoChat
}

type demoChat struct {
	title, category string
	pinned          bool
	turns           []demoTurn
}

type demoTurn struct {
	ask, tool, input, output, say string
	failed                        bool
	fail                          string
}

func (s *seeder) instance(ctx context.Context, d demoInstance, n int) error {
	i, err := s.CreateInstance(ctx, models.NewInstance{Name: d.name, Region: d.region, Tier: d.tier})
	if err != nil {
		return err
	}
	s.clock.Add(2 * time.Second)
	if i, err = s.Observe(ctx, i.ID, models.Observed{Saw: models.SawRunning, Generation: i.Generation}); err != nil {
		return err
	}
	for _, c := range d.chats {
		if err := s.chat(ctx, i, c); err != nil {
			return err
		}
		s.clock.Add(25 * time.Minute)
	}
	if err := s.measure(ctx, i, n); err != nil {
		return err
	}
	if _, err := s.Remember(ctx, models.NewMemory{InstanceID: i.ID, Key: "timezone", Value: "Europe/Lisbon", Category: "user_pref"}); err != nil {
		return err
	}
	if d.saw == models.SawRunning {
		return nil
	}
	if d.saw == models.SawStopped {
		if i, err = s.ActOnInstance(ctx, i.ID, models.Stop); err != nil {
			return err
		}
	}
	_, err = s.Observe(ctx, i.ID, models.Observed{Saw: d.saw, Generation: i.Generation, Reason: d.reason})
	return err
}

// measure draws an afternoon of readings.
func (s *seeder) measure(ctx context.Context, i *models.Instance, n int) error {
	cpu := 0.0
	for k := range 40 {
		cpu += 0.4 + math.Abs(math.Sin(float64(k+n)/5))*6
		use := 0.35 + 0.2*math.Sin(float64(k)/7+float64(n))
		r := models.Reading{CPUSeconds: cpu, MemoryBytes: int64(use * float64(i.MemoryMB) * (1 << 20)), DiskBytes: int64(k+3) << 20, Processes: 2 + k%3}
		if _, err := s.Measure(ctx, i.ID, r); err != nil {
			return err
		}
		s.clock.Add(30 * time.Second)
	}
	return nil
}

func (s *seeder) chat(ctx context.Context, i *models.Instance, c demoChat) error {
	session, err := s.CreateSession(ctx, models.NewSession{InstanceID: i.ID, Title: c.title, Category: c.category})
	if err != nil {
		return err
	}
	for _, t := range c.turns {
		if err := s.turn(ctx, session.ID, t); err != nil {
			return err
		}
		s.clock.Add(3 * time.Minute)
	}
	if !c.pinned {
		return nil
	}
	_, err = s.UpdateSession(ctx, session.ID, models.SessionChange{Pinned: &c.pinned})
	return err
}

func (s *seeder) turn(ctx context.Context, session string, d demoTurn) error {
	turn, _, err := s.StartTurn(ctx, session, models.Input{Text: d.ask, Source: "page"})
	if err != nil {
		return err
	}
	_, lease, err := s.ClaimTurn(ctx, turn.ID, "seed")
	if err != nil {
		return err
	}
	s.clock.Add(420 * time.Millisecond)
	progress := models.TurnProgress{Provider: "offline", Model: "offline-1", FirstToken: true, Steps: 1, InputTokens: 640 + 3*len(d.ask), OutputTokens: len(d.say) / 4, ContextTokens: 900}
	if err := s.spend(ctx, turn, progress); err != nil {
		return err
	}
	if d.tool != "" {
		call := models.ToolCall{CallID: "call_" + turn.ID, Tool: d.tool, Input: json.RawMessage(d.input), Step: 1}
		code := 0
		result := models.ToolResult{CallID: call.CallID, Tool: d.tool, Output: d.output, Millis: 38, ExitCode: &code}
		if _, err := s.AppendTurn(ctx, lease, progress, call, result); err != nil {
			return err
		}
		s.clock.Add(900 * time.Millisecond)
	} else if _, err := s.AppendTurn(ctx, lease, progress); err != nil {
		return err
	}
	if d.failed {
		_, err = s.EndTurn(ctx, lease, models.TurnFail, models.TurnEnded{Reason: d.fail, Code: "upstream"})
		return err
	}
	_, err = s.EndTurn(ctx, lease, models.TurnFinish, models.TurnEnded{},
		models.AssistantMessage{Text: strings.TrimSpace(d.say), Step: 2, Provider: "offline", Model: "offline-1", Final: true})
	return err
}

func (s *seeder) spend(ctx context.Context, t *models.Turn, p models.TurnProgress) error {
	c := models.Charge{CallID: "seed_" + t.ID, Purpose: "chat", InstanceID: t.InstanceID, SessionID: t.SessionID, TurnID: t.ID, Provider: p.Provider, Model: p.Model,
		InputTokens: p.InputTokens, OutputTokens: p.OutputTokens}
	if err := s.Reserve(ctx, c); err != nil {
		return err
	}
	return s.Settle(ctx, c)
}
