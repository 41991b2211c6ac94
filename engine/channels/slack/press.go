package slack

import (
	"cmp"
	"encoding/json"
	"strings"
	"time"

	"lobstead/engine/channels/service"
)

type interaction struct {
	Type string `json:"type"`
	Team struct {
		ID string `json:"id"`
	} `json:"team"`
	User struct {
		ID       string `json:"id"`
		Name     string `json:"name"`
		Username string `json:"username"`
		Team     string `json:"team_id"`
	} `json:"user"`
	Channel struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	} `json:"channel"`
	Container struct {
		Message string `json:"message_ts"`
		Channel string `json:"channel_id"`
		Thread  string `json:"thread_ts"`
	} `json:"container"`
	Message struct {
		Thread string `json:"thread_ts"`
	} `json:"message"`
	Actions []struct {
		Type  string `json:"type"`
		Value string `json:"value"`
		At    string `json:"action_ts"`
	} `json:"actions"`
}

// pressed reads an interaction. Acknowledging the request is all that Slack wants to hear, so Event.Press stays empty.
func pressed(body []byte) []service.Event {
	var i interaction
	if json.Unmarshal(body, &i) != nil || i.Type != "block_actions" {
		return nil
	}
	channel, ts := i.Container.Channel, i.Container.Message
	if channel == "" {
		channel = i.Channel.ID
	}
	thread := i.Container.Thread
	if thread == "" {
		thread = i.Message.Thread
	}
	who := person(i.User.ID, i.User.Username, i.User.Team, i.Team.ID)
	if who.Name == "" && i.User.Name != "" {
		who.Name = "@" + i.User.Name
	}
	if channel == "" || who.ID == "" {
		return nil
	}
	p := conversation(channel, "", thread, ts)
	p.Called, p.Name = true, shown(p, i.Channel.Name)
	var out []service.Event
	for _, act := range i.Actions {
		if act.Type != "button" || act.Value == "" {
			continue
		}
		out = append(out, service.Event{ID: strings.Join([]string{"press", channel, ts, who.ID, act.At}, ":"), Kind: service.Pressed, Peer: p,
			Sender: who, Message: ts, Token: act.Value, At: moment(act.At)})
	}
	return out
}

// command is a slash command, in a form or in Socket Mode's JSON.
type command struct {
	Team        string `json:"team_id"`
	Channel     string `json:"channel_id"`
	ChannelName string `json:"channel_name"`
	User        string `json:"user_id"`
	UserName    string `json:"user_name"`
	Command     string `json:"command"`
	Text        string `json:"text"`
	Trigger     string `json:"trigger_id"`
}

// commanded gives a slash command as words that were said. Nobody sees it in the channel, so there is no message to answer. Its
// text is as it was typed; Slack does not escape it unless the app asks for that.
func commanded(c command, at time.Time) []service.Event {
	if c.Command == "" || c.Channel == "" || c.User == "" || c.Trigger == "" {
		return nil
	}
	p := conversation(c.Channel, "", "", "")
	p.Called, p.Name = true, shown(p, c.ChannelName)
	text := strings.TrimSpace(c.Command + " " + c.Text)
	return []service.Event{{ID: "command:" + c.Trigger, Kind: service.Said, Peer: p, Sender: person(c.User, c.UserName, "", c.Team), Text: text, At: at}}
}

func commandFrom(body []byte, at time.Time) []service.Event {
	var c command
	if json.Unmarshal(body, &c) != nil {
		return nil
	}
	return commanded(c, at)
}

func person(id, name, team, ours string) service.Sender {
	if id != "" && team != "" && ours != "" && team != ours {
		id = team + "/" + id
	}
	if name != "" {
		name = "@" + name
	}
	return service.Sender{ID: id, Name: name, Team: cmp.Or(team, ours)}
}

// shown is a channel's name; direct messages have only a technical one.
func shown(p service.Peer, name string) string {
	if p.Direct || name == "" || name == "privategroup" {
		return ""
	}
	return "#" + name
}
