package agent

// The named crash points of a turn, in the order in which a turn meets them. A test ends the worker there and
// looks what the next one makes of the log.
const (
	CrashClaimed  = "claimed"  // the lease is taken, nothing is written
	CrashReserved = "reserved" // right before the model is called
	CrashStream   = "stream"   // after the first piece of an answer was shown
	CrashStreamed = "streamed" // the model has ended, nothing of the step is in the log
	CrashCalls    = "calls"    // calls are in the log, none has run
	CrashRan      = "ran"      // a tool has run, its result is not in the log
	CrashResult   = "result"   // the result is in the log
	CrashFinal    = "final"    // right before the last events
	CrashEnded    = "ended"    // the turn has ended, nothing was enqueued
	CrashParked   = "parked"   // the turn waits for a decision, nobody was told
	CrashDecided  = "decided"  // right before an approved call is marked as run
	CrashBegun    = "begun"    // it is marked, and has not run
)

// CrashPoints lists those that every turn with a call meets.
var CrashPoints = []string{CrashClaimed, CrashReserved, CrashStream, CrashStreamed, CrashCalls, CrashRan, CrashResult, CrashFinal, CrashEnded}
