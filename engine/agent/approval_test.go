package agent_test

import (
	"context"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/engine/agent"
	"lobstead/engine/llm"
	"lobstead/kit/clock"
	"lobstead/kit/fault"
	"lobstead/models"
	"lobstead/models/modelstest"
)

func (g *rig) rule(v models.Verdict, tool, pattern string) *models.PolicyRule {
	g.t.Helper()
	r, err := g.sc.CreatePolicyRule(g.t.Context(), models.NewPolicyRule{InstanceID: g.inst.ID, Tool: tool, Pattern: pattern, Verdict: v})
	require.NoError(g.t, err)
	return r
}

// asked waits until so many calls wait for a person.
func (g *rig) asked(want int) []models.Approval {
	g.t.Helper()
	var out []models.Approval
	require.Eventually(g.t, func() bool {
		var err error
		out, err = g.sc.PendingApprovals(g.t.Context())
		return err == nil && len(out) == want
	}, 30*time.Second, 5*time.Millisecond)
	return out
}

func (g *rig) resolve(a models.Approval, d models.Resolution) *models.Approval {
	g.t.Helper()
	out, err := g.turns.Resolve(g.t.Context(), g.sc, a.ID, d)
	require.NoError(g.t, err)
	return out
}

// commands makes a model that calls bash with each at once, then says that it is done.
func commands(list ...string) func(context.Context, int, llm.Request, func(llm.Chunk) bool) error {
	return func(_ context.Context, _ int, r llm.Request, emit func(llm.Chunk) bool) error {
		if _, result := lastUser(r); result != nil {
			emit(text("done"))
			return nil
		}
		for n, c := range list {
			emit(call("c"+itoa(n), "bash", `{"command":"`+c+`"}`))
		}
		return nil
	}
}

func (g *rig) effects(key string) int {
	g.boxes.mu.Lock()
	defer g.boxes.mu.Unlock()
	return g.boxes.effects[key]
}

// A call that needs a person waits through a restart without a worker, with the calls after it; approved, it runs once and
// they follow. The model is not asked again for any of it.
func TestCallWaitsForApproval(t *testing.T) {
	g := newRig(t, commands("count before", "count k", "count after"))
	g.rule(models.Ask, "bash", "count k")
	turn, behind := g.start("go"), g.start("next")
	stop := g.run("a")
	a := g.asked(1)[0]
	require.Equal(t, []any{turn.ID, "c1", "bash", `{"command":"count k"}`}, []any{a.TurnID, a.CallID, a.Tool, a.Input})
	stop()
	g.run("b")
	time.Sleep(500 * time.Millisecond) // sweeps pass it by
	row, err := g.sc.Turn(t.Context(), turn.ID)
	require.NoError(t, err)
	require.True(t, row.Parked())
	require.Equal(t, []any{1, "", models.WaitApproval}, []any{row.Attempt, row.LeaseOwner, row.WaitsFor})
	require.NoError(t, g.turns.ResumeAll(t.Context(), g.sc), "a budget was changed")
	require.NoError(t, g.turns.Resume(t.Context(), g.sc, turn.ID))
	require.Equal(t, []int{1, 0, 0}, []int{g.effects("before"), g.effects("k"), g.effects("after")})
	_, err = g.turns.Await(t.Context(), g.sc, turn.ID)
	require.Equal(t, "approval.required", fault.As(err).Code, "whoever waits is told")

	g.resolve(a, models.Resolution{Approve: true})
	second := g.asked(1)[0]
	require.Equal(t, behind.ID, second.TurnID, "once was once")
	require.Equal(t, models.TurnDone, g.await(turn).State)
	require.Equal(t, []int{2, 1, 1}, []int{g.effects("before"), g.effects("k"), g.effects("after")})
	g.resolve(second, models.Resolution{Approve: true})
	require.Equal(t, models.TurnDone, g.await(behind).State)
	require.Len(t, g.model.asked(), 4)
	require.Equal(t, []models.EventKind{models.KindUser, models.KindUser, models.KindCall, models.KindCall, models.KindCall, models.KindResult, models.KindPaused,
		models.KindDecided, models.KindResult, models.KindResult, models.KindAssistant, models.KindEnded}, kinds(g.log())[:12])
	policy, err := g.sc.TurnPolicy(t.Context(), turn.ID)
	require.NoError(t, err)
	said := []string{}
	for _, d := range policy {
		said = append(said, d.CallID+" "+string(d.Verdict)+" "+d.RuleName)
	}
	require.Equal(t, []string{"c0 allow default", "c1 ask ask bash count k", "c2 allow default", "c1 allow approval", "c2 allow default"}, said)
	g.honest()
}

func TestDeniedCallIsTold(t *testing.T) {
	g := newRig(t, commands("count k", "count after"))
	g.rule(models.Ask, "bash", "count k")
	g.run("a")
	turn := g.start("go")
	g.resolve(g.asked(1)[0], models.Resolution{Note: "Not on a Friday."})
	require.Equal(t, models.TurnDone, g.await(turn).State)
	results := of[models.ToolResult](t, g.log())
	require.Equal(t, "not run: Owner of Acme denied it. Not on a Friday.", results[0].Output)
	require.True(t, results[0].Error)
	require.Equal(t, []int{0, 1}, []int{g.effects("k"), g.effects("after")})
}

func TestPolicyDenies(t *testing.T) {
	g := newRig(t, commands("count k", "count after"))
	g.rule(models.Deny, "bash", "count k")
	g.run("a")
	require.Equal(t, models.TurnDone, g.await(g.start("go")).State)
	require.Contains(t, of[models.ToolResult](t, g.log())[0].Output, "denied by policy (deny bash count k)")
	require.Equal(t, []int{0, 1}, []int{g.effects("k"), g.effects("after")})
}

func TestNobodyDecides(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	g := newRigAt(t, now, commands("count k"))
	g.rule(models.Ask, "bash", "count k")
	g.run("a")
	turn := g.start("go")
	a := g.asked(1)[0]
	now.Add(models.ApprovalLife - time.Second)
	require.NoError(t, g.turns.SweepLedger(t.Context()))
	g.asked(1)
	now.Add(time.Second)
	_, err := g.turns.Resolve(t.Context(), g.sc, a.ID, models.Resolution{Approve: true})
	require.Equal(t, "approval.decided", fault.As(err).Code, "too late is too late, before any sweep")
	require.NoError(t, g.turns.SweepLedger(t.Context()))
	require.Equal(t, models.TurnDone, g.await(turn).State)
	require.Contains(t, of[models.ToolResult](t, g.log())[0].Output, "nobody decided in time")
	row, err := g.sc.Approval(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, []any{models.ApprovalTimedOut, ""}, []any{row.Status, row.DecidedBy})
	require.Zero(t, g.effects("k"))

	turn = g.start("again")
	g.asked(1)
	now.Add(models.ApprovalLife)
	require.NoError(t, g.turns.SweepLedger(t.Context()), "the sweep alone")
	require.Equal(t, models.TurnDone, g.await(turn).State)
}

// A grant covers exactly its call: in its conversation, or until its day.
func TestGrants(t *testing.T) {
	now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
	var cmd atomic.Value
	g := newRigAt(t, now, func(ctx context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		return commands(cmd.Load().(string))(ctx, n, r, emit)
	})
	g.rule(models.Ask, "bash", "count *")
	g.run("a")
	asks := func(session, command string, d *models.Resolution) {
		t.Helper()
		cmd.Store(command)
		turn := g.startIn(session, "go")
		if d != nil {
			g.resolve(g.asked(1)[0], *d)
		}
		require.Equal(t, models.TurnDone, g.await(turn).State)
		g.asked(0)
	}
	deny := &models.Resolution{}
	asks(g.session.ID, "count k", &models.Resolution{Approve: true, Lasts: models.GrantSession})
	asks(g.session.ID, "count k", nil)
	asks(g.session.ID, "count k ", deny)
	asks(g.session.ID, "count other", deny)
	other := g.newSession().ID
	asks(other, "count k", &models.Resolution{Approve: true, Lasts: models.GrantDays, Days: 7})
	asks(g.newSession().ID, "count k", nil)
	now.Add(7*24*time.Hour - time.Second)
	asks(g.newSession().ID, "count k", nil)
	now.Add(time.Second)
	asks(g.newSession().ID, "count k", deny)
	require.Equal(t, 5, g.effects("k"))
	grants, err := g.sc.Grants(t.Context(), g.inst.ID)
	require.NoError(t, err)
	require.Len(t, grants, 1, "what ran out is not listed")
	require.NoError(t, g.sc.RevokeGrant(t.Context(), grants[0].ID))
	asks(g.session.ID, "count k", deny)
	for _, wrong := range []models.Resolution{{Approve: true, Lasts: models.GrantDays}, {Approve: true, Lasts: models.GrantDays, Days: 91}, {Approve: true, Lasts: "forever"}} {
		_, err := g.turns.Resolve(t.Context(), g.sc, "cnone", wrong)
		require.True(t, fault.Is(err, fault.Invalid), "%v", err)
	}
}

// A worker that is killed between a decision and the call's result: the call runs once, or nobody runs it again.
func TestApprovedCallIsNeverRunTwice(t *testing.T) {
	for point, want := range map[string]struct {
		effects     int
		interrupted bool
	}{
		agent.CrashDecided: {1, false},
		agent.CrashBegun:   {0, true},
		agent.CrashRan:     {1, true},
		agent.CrashResult:  {1, false},
		agent.CrashParked:  {1, false},
	} {
		t.Run(point, func(t *testing.T) {
			now := clock.NewFake(time.Date(2026, 3, 10, 12, 0, 0, 0, time.UTC))
			g := newRigAt(t, now, commands("count k"))
			g.rule(models.Ask, "bash", "count k")
			var dead atomic.Bool
			died := make(chan struct{})
			g.config = func(c *agent.Config) {
				c.Crash = func(p string) {
					if p == point && !dead.Swap(true) {
						close(died)
						runtime.Goexit()
					}
				}
			}
			stop := g.run("a")
			turn := g.start("go")
			g.resolve(g.asked(1)[0], models.Resolution{Approve: true})
			wait(t, died)
			stop()
			now.Add(models.TurnLease + time.Second)
			g.run("b")
			turn = g.await(turn)
			require.Equal(t, models.TurnDone, turn.State, turn.Reason)
			results := of[models.ToolResult](t, g.log())
			require.Len(t, results, 1)
			require.Equal(t, want.interrupted, results[0].Interrupted)
			require.Equal(t, want.effects, g.effects("k"))
		})
	}
}

// A server that is told to stop right after a decision leaves the call for its successor.
func TestDrainKeepsADecision(t *testing.T) {
	g := newRig(t, commands("count k"))
	g.rule(models.Ask, "bash", "count k")
	stop := g.run("a")
	turn := g.start("go")
	a := g.asked(1)[0]
	stop()
	g.resolve(a, models.Resolution{Approve: true})
	g.run("b")
	require.Equal(t, models.TurnDone, g.await(turn).State)
	require.Equal(t, 1, g.effects("k"))
}

func TestStopWithdrawsAnApproval(t *testing.T) {
	g := newRig(t, commands("count k", "count after"))
	g.rule(models.Ask, "bash", "count k")
	g.run("a")
	turn := g.start("go")
	a := g.asked(1)[0]
	_, err := g.turns.Stop(t.Context(), g.sc, turn.ID)
	require.NoError(t, err)
	require.Equal(t, models.TurnInterrupted, g.await(turn).State)
	require.Len(t, of[models.ToolResult](t, g.log()), 2, "no call stays open")
	_, err = g.turns.Resolve(t.Context(), g.sc, a.ID, models.Resolution{Approve: true})
	require.Equal(t, "approval.decided", fault.As(err).Code)
	row, err := g.sc.Approval(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, models.ApprovalWithdrawn, row.Status)
	require.NoError(t, g.sc.DeleteSession(t.Context(), g.session.ID))
	_, err = g.sc.Approval(t.Context(), a.ID)
	require.True(t, fault.Is(err, fault.NotFound))
	require.Zero(t, g.effects("k")+g.effects("after"))
}

// Ten decide at once: one of them does.
func TestOneDecides(t *testing.T) {
	g := newRig(t, commands("count k"))
	g.rule(models.Ask, "bash", "count k")
	g.run("a")
	turn := g.start("go")
	a := g.asked(1)[0]
	var won, lost atomic.Int64
	var all sync.WaitGroup
	for n := range 10 {
		all.Go(func() {
			_, err := g.turns.Resolve(t.Context(), g.sc, a.ID, models.Resolution{Approve: n%2 == 0})
			switch {
			case err == nil:
				won.Add(1)
			case fault.As(err).Code == "approval.decided":
				lost.Add(1)
			default:
				t.Error(err)
			}
		})
	}
	all.Wait()
	require.EqualValues(t, []int64{1, 9}, []int64{won.Load(), lost.Load()})
	require.Equal(t, models.TurnDone, g.await(turn).State)
	row, err := g.sc.Approval(t.Context(), a.ID)
	require.NoError(t, err)
	require.Equal(t, row.Status == models.ApprovalApproved, g.effects("k") == 1)
	require.Len(t, of[models.Decided](t, g.log()), 1)
}

func TestWhoMayNotDecide(t *testing.T) {
	g := newRig(t, commands("count k"))
	g.rule(models.Ask, "bash", "count k")
	g.run("a")
	turn := g.start("go")
	a := g.asked(1)[0]
	for name, who := range map[string]models.Actor{"the system": {}, "a member": {UserID: "u", Role: models.Member}, "an agent": {Name: "an instance"},
		"a key without the scope": {UserID: "u", KeyID: "k", Role: models.Owner, Scopes: models.Scopes{models.CanUseInstances}}} {
		_, err := g.turns.Resolve(t.Context(), g.sc.As(who), a.ID, models.Resolution{Approve: true})
		require.True(t, fault.Is(err, fault.Forbidden), name)
	}
	rival, _ := modelstest.Found(t, g.store, "Rival")
	_, err := g.turns.Resolve(t.Context(), rival, a.ID, models.Resolution{Approve: true})
	require.True(t, fault.Is(err, fault.NotFound), "%v", err)
	g.asked(1)
	g.resolve(a, models.Resolution{})
	g.await(turn)
}

// A rule that was made while the call waited comes before the person's yes; a stopped instance runs nothing.
func TestTheWorldChangesWhileACallWaits(t *testing.T) {
	g := newRig(t, commands("count k"))
	asks := g.rule(models.Ask, "bash", "count k")
	g.run("a")
	turn := g.start("go")
	a := g.asked(1)[0]
	saw := func(o models.Observation, generation int64) {
		t.Helper()
		_, err := g.sc.Observe(t.Context(), g.inst.ID, models.Observed{Saw: o, Generation: generation})
		require.NoError(t, err)
	}
	power := func(act models.Action, o models.Observation) {
		t.Helper()
		i, err := g.sc.ActOnInstance(t.Context(), g.inst.ID, act)
		require.NoError(t, err)
		saw(o, i.Generation)
	}
	saw(models.SawRunning, 1)
	power(models.Stop, models.SawStopped)
	_, err := g.turns.Resolve(t.Context(), g.sc, a.ID, models.Resolution{Approve: true})
	require.Equal(t, "instance.stopped", fault.As(err).Code)
	power(models.Start, models.SawRunning)
	require.NoError(t, g.sc.UpdatePolicyRule(t.Context(), asks.ID, models.NewPolicyRule{Tool: "bash", Pattern: "count *", Verdict: models.Deny, Reason: "No more"}))
	g.resolve(a, models.Resolution{Approve: true})
	require.Equal(t, models.TurnDone, g.await(turn).State)
	require.Contains(t, of[models.ToolResult](t, g.log())[0].Output, "No more")
	require.Zero(t, g.effects("k"))
}

// Nothing asks by itself until words of others were read; then what goes out does, in this conversation.
func TestTaintAsks(t *testing.T) {
	var cmd atomic.Value
	cmd.Store("git push")
	g := newRig(t, func(ctx context.Context, n int, r llm.Request, emit func(llm.Chunk) bool) error {
		return commands(cmd.Load().(string))(ctx, n, r, emit)
	})
	g.run("a")
	require.Equal(t, models.TurnDone, g.await(g.start("go")).State)
	cmd.Store("curl -d x https://example.com")
	require.Equal(t, models.TurnDone, g.await(g.start("go")).State, "what the call itself reads comes after it was asked for")
	cmd.Store("git push")
	turn := g.start("go")
	a := g.asked(1)[0]
	require.Equal(t, "outward after untrusted content", a.RuleName)
	require.Contains(t, a.Reason, "sends data to another host with git, and this conversation has read curl -d x https://example.com")
	other := g.startIn(g.newSession().ID, "go")
	require.Equal(t, models.TurnDone, g.await(other).State, "another conversation has read nothing")
	g.resolve(a, models.Resolution{Approve: true})
	require.Equal(t, models.TurnDone, g.await(turn).State)
}
