package outbox

// What the tests of the pauses need to see from inside.
var (
	Pauses = pauses
	Pause  = pause
)
