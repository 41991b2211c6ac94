package models

// TurnState is how far a turn is.
type TurnState string

// The turn states. docs/turns.md shows this table; a test holds the two together.
const (
	TurnQueued          TurnState = "queued"
	TurnRunning         TurnState = "running"
	TurnWaitingApproval TurnState = "waiting_approval"
	TurnInterrupting    TurnState = "interrupting"
	TurnDone            TurnState = "done"
	TurnFailed          TurnState = "failed"
	TurnInterrupted     TurnState = "interrupted"
)

// TurnMove is what can happen to a turn.
type TurnMove string

// The moves.
const (
	TurnClaim     TurnMove = "claim"     // a worker takes it
	TurnTakeOver  TurnMove = "take over" // another worker takes it after the lease ran out
	TurnAsk       TurnMove = "ask"       // a tool call waits for a person
	TurnAnswer    TurnMove = "answer"    // the person decided
	TurnInterrupt TurnMove = "interrupt" // somebody pressed Stop
	TurnFinish    TurnMove = "finish"
	TurnFail      TurnMove = "fail"
	TurnCut       TurnMove = "cut"  // the worker ended it after an interrupt
	TurnJoin      TurnMove = "join" // a later message of the same person is answered together with it
)

// TurnMoves is the table: state and move give the next state; what is missing is refused.
var TurnMoves = map[TurnState]map[TurnMove]TurnState{
	TurnQueued:          {TurnClaim: TurnRunning, TurnJoin: TurnDone, TurnInterrupt: TurnInterrupted, TurnFail: TurnFailed},
	TurnRunning:         {TurnTakeOver: TurnRunning, TurnAsk: TurnWaitingApproval, TurnInterrupt: TurnInterrupting, TurnFinish: TurnDone, TurnFail: TurnFailed, TurnCut: TurnInterrupted},
	TurnWaitingApproval: {TurnTakeOver: TurnWaitingApproval, TurnAnswer: TurnRunning, TurnInterrupt: TurnInterrupting, TurnFail: TurnFailed, TurnCut: TurnInterrupted},
	TurnInterrupting:    {TurnTakeOver: TurnInterrupting, TurnCut: TurnInterrupted, TurnFail: TurnFailed, TurnFinish: TurnDone},
	TurnDone:            {},
	TurnFailed:          {},
	TurnInterrupted:     {},
}

// TurnStates and AllTurnMoves list both sides of the table in reading order.
var (
	TurnStates   = []TurnState{TurnQueued, TurnRunning, TurnWaitingApproval, TurnInterrupting, TurnDone, TurnFailed, TurnInterrupted}
	AllTurnMoves = []TurnMove{TurnClaim, TurnJoin, TurnTakeOver, TurnAsk, TurnAnswer, TurnInterrupt, TurnFinish, TurnFail, TurnCut}
)

// Ended tells whether nothing can happen to the turn any more.
func (s TurnState) Ended() bool { return len(TurnMoves[s]) == 0 }

// Held tells whether a worker's lease belongs to the state.
func (s TurnState) Held() bool {
	return s == TurnRunning || s == TurnWaitingApproval || s == TurnInterrupting
}

// WaitReason is what a parked turn waits for.
type WaitReason string

// The reasons: a budget is used up, or a tool call waits for a person.
const (
	WaitBudget   WaitReason = "budget"
	WaitApproval WaitReason = "approval"
	// WaitResume is of one that is not parked: it has not begun, and its instance is paused or stopped.
	WaitResume WaitReason = "resume"
)

// Parked tells whether the turn waits for a person or a time without a worker: it holds no lease.
func (t *Turn) Parked() bool { return t.State == TurnWaitingApproval && t.WaitsFor != "" }

// sources lists the states from which a move is allowed: the guard of the conditional update.
func (m TurnMove) sources() []TurnState {
	out := []TurnState{}
	for _, s := range TurnStates {
		if _, ok := TurnMoves[s][m]; ok {
			out = append(out, s)
		}
	}
	return out
}
