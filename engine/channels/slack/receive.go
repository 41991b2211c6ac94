package slack

import (
	"encoding/json"
	"mime"
	"net/url"

	"lobstead/engine/channels/service"
)

// Receive verifies and reads a request: an event, a press, a slash command, or Slack's question whether we are there.
func (s *Service) Receive(a service.Account, r service.Request) (service.Received, error) {
	if err := verify(a, r); err != nil {
		return service.Received{}, err
	}
	kind, _, _ := mime.ParseMediaType(r.Header("Content-Type"))
	if kind == "application/x-www-form-urlencoded" {
		form, _ := url.ParseQuery(string(r.Body)) // what can be read of it
		// Slack shows the body of this answer as a message, so it has to be empty.
		silent := service.Reply{Status: 200, Type: "text/plain; charset=utf-8", Body: []byte{}}
		if p := form.Get("payload"); p != "" {
			return service.Received{Events: pressed([]byte(p)), Reply: silent}, nil
		}
		return service.Received{Events: commanded(commandOf(form), r.Arrived), Reply: silent}, nil
	}
	var hello struct{ Type, Challenge string }
	if json.Unmarshal(r.Body, &hello) == nil && hello.Type == "url_verification" {
		return service.Received{Reply: service.Reply{Status: 200, Type: "text/plain; charset=utf-8", Body: []byte(hello.Challenge)}}, nil
	}
	return service.Received{Events: happened(r.Body)}, nil
}

func commandOf(form url.Values) command {
	return command{Team: form.Get("team_id"), Channel: form.Get("channel_id"), ChannelName: form.Get("channel_name"), User: form.Get("user_id"),
		UserName: form.Get("user_name"), Command: form.Get("command"), Text: form.Get("text"), Trigger: form.Get("trigger_id")}
}
