package models

// DeliveryState is how far a delivery is.
type DeliveryState string

// The states of a delivery.
const (
	DeliveryPending DeliveryState = "pending" // due, or waiting for its next attempt
	DeliverySent    DeliveryState = "sent"    // the other side took it
	DeliveryDead    DeliveryState = "dead"    // refused for good, or tried too often: it waits for somebody
	DeliveryDropped DeliveryState = "dropped" // nobody wants it any more
)

// DeliveryMove is what can happen to a delivery.
type DeliveryMove string

// The moves.
const (
	DeliverySend   DeliveryMove = "send"
	DeliveryRetry  DeliveryMove = "retry" // an attempt failed, another follows
	DeliveryDie    DeliveryMove = "die"
	DeliveryDrop   DeliveryMove = "drop"
	DeliveryReplay DeliveryMove = "replay"
	DeliveryRefuse DeliveryMove = "refuse" // the other side had taken it, and gives it back
)

// DeliveryMoves is the table: state and move give the next state; what is missing is refused.
var DeliveryMoves = map[DeliveryState]map[DeliveryMove]DeliveryState{
	DeliveryPending: {DeliverySend: DeliverySent, DeliveryRetry: DeliveryPending, DeliveryDie: DeliveryDead, DeliveryDrop: DeliveryDropped},
	DeliverySent:    {DeliveryReplay: DeliveryPending, DeliveryRefuse: DeliveryDead}, // replayed of webhooks only: their receivers tell repetitions by the key
	DeliveryDead:    {DeliveryReplay: DeliveryPending, DeliveryDrop: DeliveryDropped},
	DeliveryDropped: {},
}

// DeliveryStates and AllDeliveryMoves list both sides of the table in reading order.
var (
	DeliveryStates   = []DeliveryState{DeliveryPending, DeliverySent, DeliveryDead, DeliveryDropped}
	AllDeliveryMoves = []DeliveryMove{DeliverySend, DeliveryRetry, DeliveryDie, DeliveryDrop, DeliveryReplay, DeliveryRefuse}
)

// May tells whether a move of the table is allowed to this delivery: what arrived is sent again only where the other side
// can tell.
func (d *Delivery) May(m DeliveryMove) bool {
	return d.State.May(m) && (d.State != DeliverySent || d.Kind == WebhookDelivery)
}

// May tells whether a move is allowed.
func (s DeliveryState) May(m DeliveryMove) bool { _, ok := DeliveryMoves[s][m]; return ok }

// sources lists the states from which a move is allowed: the guard of the conditional update.
func (m DeliveryMove) sources() []DeliveryState {
	out := []DeliveryState{}
	for _, s := range DeliveryStates {
		if s.May(m) {
			out = append(out, s)
		}
	}
	return out
}
