package discord

import (
	"crypto/ed25519"
	"encoding/hex"
	"encoding/json"
	"strconv"
	"time"

	"lobstead/engine/channels/call"
	"lobstead/engine/channels/service"
)

// window is how far a request's time may be from ours.
const window = 300 * time.Second

// Types of interactions and of answers to them (discord.com/developers/docs, Receiving and Responding).
const (
	isPing      = 1
	isCommand   = 2
	isComponent = 3

	answerPong     = 1
	answerMessage  = 4
	answerDeferred = 6

	onlyForYou = 1 << 6
)

// verify proves an interaction by its Ed25519 signature over the time and the raw body.
func verify(a service.Account, r service.Request) error {
	k := key(a)
	stamp := r.Header("X-Signature-Timestamp")
	sig, err := hex.DecodeString(r.Header("X-Signature-Ed25519"))
	if k == nil || err != nil || len(sig) != ed25519.SignatureSize || !ed25519.Verify(k, append([]byte(stamp), r.Body...), sig) {
		return call.Signature("X-Signature-Ed25519")
	}
	at, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || r.Arrived.Sub(time.Unix(at, 0)).Abs() > window {
		return call.Signature("X-Signature-Timestamp")
	}
	return nil
}

// Receive verifies and reads an interaction: a press, a slash command, or Discord's question whether we are there. Its reply
// acknowledges, so it has to be sent only when the events are kept.
func (s *Service) Receive(a service.Account, r service.Request) (service.Received, error) {
	if err := verify(a, r); err != nil {
		return service.Received{}, err
	}
	var i interaction
	if json.Unmarshal(r.Body, &i) != nil {
		return service.Received{}, nil
	}
	if i.Type == isPing {
		return service.Received{Reply: reply(answer{Type: answerPong})}, nil
	}
	e, ok := i.event(nil, r.Arrived)
	if !ok {
		return service.Received{Reply: reply(i.answer())}, nil
	}
	return service.Received{Events: []service.Event{e}, Reply: reply(i.answer())}, nil
}

type answer struct {
	Type int         `json:"type"`
	Data *answerData `json:"data,omitempty"`
}

type answerData struct {
	Content string `json:"content"`
	Flags   int    `json:"flags"`
}

func reply(a answer) service.Reply {
	b, _ := json.Marshal(a) // two numbers and a constant
	return service.Reply{Status: 200, Type: "application/json", Body: b}
}

// answer is what Discord has to hear within three seconds: a press changes the message later, a command is told that it came.
func (i interaction) answer() answer {
	if i.Type == isCommand {
		return answer{Type: answerMessage, Data: &answerData{Content: "Got it.", Flags: onlyForYou}}
	}
	return answer{Type: answerDeferred}
}
