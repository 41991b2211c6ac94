package models

import "context"

// TurnPlace is a turn with the message that began it, and where it happens.
type TurnPlace struct {
	Turn     Turn
	Said     UserMessage
	Session  Session
	Instance Instance
}

// TurnPlaces reads turns with what belongs to them, by turn, in four questions however many there are. Those that are gone,
// or whose conversation or instance is, are left out.
func (sc *Scope) TurnPlaces(ctx context.Context, ids []string) (map[string]TurnPlace, error) {
	out := map[string]TurnPlace{}
	if len(ids) == 0 {
		return out, nil
	}
	turns, err := all[Turn](sc.read(ctx).Where("id IN ?", ids))
	if err != nil {
		return nil, err
	}
	sessionIDs, instanceIDs := make([]string, len(turns)), make([]string, len(turns))
	for n, t := range turns {
		sessionIDs[n], instanceIDs[n] = t.SessionID, t.InstanceID
	}
	sessions, err := all[Session](sc.read(ctx).Where("id IN ?", sessionIDs))
	if err != nil {
		return nil, err
	}
	instances, err := all[Instance](sc.read(ctx).Where("id IN ?", instanceIDs))
	if err != nil {
		return nil, err
	}
	messages, err := all[Event](sc.read(ctx).Where("turn_id IN ? AND kind = ?", ids, KindUser).Order("seq DESC"))
	if err != nil {
		return nil, err
	}
	said := map[string]UserMessage{}
	for _, e := range messages { // the first one of each comes last
		if said[*e.TurnID], err = Decode[UserMessage](e); err != nil {
			return nil, err
		}
	}
	inSession, ofInstance := byKey(sessions, func(s *Session) string { return s.ID }), byKey(instances, func(i *Instance) string { return i.ID })
	for _, t := range turns {
		s, i := inSession[t.SessionID], ofInstance[t.InstanceID]
		if s != nil && i != nil {
			out[t.ID] = TurnPlace{Turn: t, Said: said[t.ID], Session: *s, Instance: *i}
		}
	}
	return out, nil
}

func byKey[T any](rows []T, key func(*T) string) map[string]*T {
	out := make(map[string]*T, len(rows))
	for n := range rows {
		out[key(&rows[n])] = &rows[n]
	}
	return out
}
