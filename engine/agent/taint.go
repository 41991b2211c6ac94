package agent

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"lobstead/models"
)

// ownTools are those whose words are the sandbox's own; what others answer somebody else may have written.
var ownTools = []string{"bash", "read_file", "write_file", "edit_file", "list_files", "search_files", "remember", "recall"}

// channels are the sources of messages that people outside may write.
var channels = []string{"telegram", "discord", "slack", "whatsapp", "webhook", "email"}

// tainted tells where the conversation has read words of people outside, and what they were: what it remembers from
// then on is held for review. It looks at the whole conversation, since the model does: a page of an earlier turn may
// have asked for this one. FromModel means nothing was read. What
// began at before or later is not looked at; 0 = all is.
func tainted(ctx context.Context, sc *models.Scope, sessionID string, before int64) (models.Origin, string, error) {
	log, err := sc.EventsOf(ctx, sessionID, models.KindUser, models.KindCall)
	if err != nil {
		return "", "", err
	}
	for _, e := range slices.Backward(log) { // the newest says most about what is being written
		if before > 0 && e.Seq >= before {
			continue
		}
		origin, note := models.FromModel, ""
		switch e.Kind {
		case models.KindUser:
			if m, err := models.Decode[models.UserMessage](e); err == nil {
				origin, note = taintOfMessage(m)
			}
		case models.KindCall:
			if c, err := models.Decode[models.ToolCall](e); err == nil {
				origin, note = taintOfCall(c)
			}
		}
		if origin.Untrusted() {
			return origin, note, nil
		}
	}
	return models.FromModel, "", nil
}

func taintOfMessage(m models.UserMessage) (models.Origin, string) {
	channel, outside := strings.CutPrefix(m.Source, RuntimeSource+"/")
	switch {
	case outside, slices.Contains(channels, m.Source):
		return models.FromChannel, channel
	case len(m.Attachments) > 0:
		return models.FromFile, m.Attachments[0].Name
	}
	return models.FromModel, ""
}

func taintOfCall(c models.ToolCall) (models.Origin, string) {
	var in struct{ URL, Path, Command string }
	_ = json.Unmarshal(c.Input, &in)
	words := strings.ToLower(in.Path + " " + in.Command)
	switch {
	case c.Tool == "fetch_url":
		return models.FromWeb, in.URL
	case !slices.Contains(ownTools, c.Tool):
		return models.FromTool, c.Tool
	case strings.Contains(words, "uploads/"):
		return models.FromFile, firstLine(in.Path+in.Command, 200)
	case strings.Contains(words, "http://"), strings.Contains(words, "https://"), strings.Contains(words, "curl "), strings.Contains(words, "wget "):
		return models.FromWeb, firstLine(in.Command, 200)
	}
	return models.FromModel, ""
}
