package agent

import (
	"sync"

	"lobstead/models"
)

// maxWaiting bounds what a process remembers of hints; the sweep finds what was dropped.
const maxWaiting = 10_000

// waiting holds the turns that this process heard of and has no worker for yet. Organizations take turns, so
// that a burst of one does not hold up the others; within one it is first come, first served.
type waiting struct {
	mu    sync.Mutex
	known map[string]bool // turn ids that wait or run here
	lines map[string][]models.TurnRef
	order []string // organizations with a line, next first
	size  int
	wake  chan struct{}
}

func newWaiting() *waiting {
	return &waiting{known: map[string]bool{}, lines: map[string][]models.TurnRef{}, wake: make(chan struct{}, 1)}
}

// push adds a turn unless it waits or runs here already.
func (w *waiting) push(ref models.TurnRef) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.known[ref.ID] || w.size >= maxWaiting {
		return
	}
	w.known[ref.ID] = true
	if len(w.lines[ref.OrganizationID]) == 0 {
		w.order = append(w.order, ref.OrganizationID)
	}
	w.lines[ref.OrganizationID] = append(w.lines[ref.OrganizationID], ref)
	w.size++
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// pop takes the next turn; it stays known until forget.
func (w *waiting) pop() (models.TurnRef, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.order) == 0 {
		return models.TurnRef{}, false
	}
	org := w.order[0]
	w.order = w.order[1:]
	line := w.lines[org]
	ref := line[0]
	if len(line) == 1 {
		delete(w.lines, org)
	} else {
		w.lines[org] = line[1:]
		w.order = append(w.order, org)
	}
	w.size--
	return ref, true
}

// forget lets a turn be pushed again.
func (w *waiting) forget(turn string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.known, turn)
}
