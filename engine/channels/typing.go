package channels

import (
	"context"
	"encoding/json"
	"time"

	"lobstead/engine/channels/service"
)

// typingEvery is a little less than the five seconds for which services show it.
const (
	typingEvery = 4 * time.Second
	mostTyping  = 200
	typingLimit = 3 * time.Second
)

// showWork shows in conversations that an agent is at work for them, here: of several processes each shows its own. It is worth no failure.
func (k *Keeper) showWork(ctx context.Context) {
	busy, err := k.system().BusyPeers(ctx, k.Node, mostTyping)
	if err != nil || len(busy) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, typingLimit)
	go func() {
		defer cancel()
		for _, b := range busy {
			ch, err := k.system().ChannelByID(ctx, b.ChannelID)
			if err != nil || k.Desk.Services[ch.Kind] == nil {
				continue
			}
			var p service.Peer
			a, err := k.Desk.Account(ch)
			if err != nil || json.Unmarshal([]byte(b.Peer), &p) != nil {
				continue
			}
			_ = k.Desk.Services[ch.Kind].Typing(ctx, a, p, b.MessageID)
		}
	}()
}
