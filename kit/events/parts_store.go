package events

import (
	"container/list"
	"slices"
	"sync"
)

const (
	keepTurns = 256     // turns with parts in memory, the least recently written goes first
	keepBytes = 1 << 20 // text a turn
)

// partStore is the copy in memory of the parts that this process appended: reloads are served without
// a round trip, and a flushed Redis takes nothing away. The zero value is ready.
type partStore struct {
	mu    sync.Mutex
	turns map[string]*list.Element
	order list.List // of *turnParts, most recently written in front
}

type turnParts struct {
	turn    string
	attempt int
	bytes   int
	parts   []Part
}

func (s *partStore) add(p Part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.turns[p.Turn]
	if e == nil {
		if s.turns == nil {
			s.turns = map[string]*list.Element{}
		}
		e = s.order.PushFront(&turnParts{turn: p.Turn, attempt: p.Attempt})
		s.turns[p.Turn] = e
		if s.order.Len() > keepTurns {
			oldest := s.order.Remove(s.order.Back()).(*turnParts)
			delete(s.turns, oldest.turn)
		}
	}
	s.order.MoveToFront(e)
	e.Value.(*turnParts).add(p)
}

func (t *turnParts) add(p Part) {
	switch {
	case p.Attempt < t.attempt:
		return // a worker that lost its lease
	case p.Attempt > t.attempt:
		t.attempt, t.bytes, t.parts = p.Attempt, 0, nil
	}
	t.parts = append(t.parts, p)
	t.bytes += len(p.Text)
	for len(t.parts) > partsMax || t.bytes > keepBytes && len(t.parts) > 1 {
		t.bytes -= len(t.parts[0].Text)
		t.parts[0] = Part{} // let the text go, the array stays for a while
		t.parts = t.parts[1:]
	}
}

func (s *partStore) get(turn string, attempt int) []Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.turns[turn]
	if e == nil || e.Value.(*turnParts).attempt != attempt {
		return nil
	}
	return tidy(slices.Clone(e.Value.(*turnParts).parts))
}

func (s *partStore) drop(turn string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if e := s.turns[turn]; e != nil {
		s.order.Remove(e)
		delete(s.turns, turn)
	}
}
