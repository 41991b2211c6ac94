package slack

import (
	"bytes"
	"context"
	"fmt"
	"unicode/utf8"

	"github.com/slack-go/slack"

	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
)

// Limits of Slack's blocks, in characters (docs.slack.dev, section block, button element, actions block).
const (
	maxText    = 3000
	maxLabel   = 75
	maxButtons = 25
)

// Send posts a text or a file, or changes a message. Its id is the message's time, which is unique in its conversation; a file's
// is the file's.
func (s *Service) Send(ctx context.Context, a service.Account, m service.Message) (string, error) {
	api := client(a)
	if m.File != nil {
		return upload(ctx, api, m)
	}
	opts, err := content(m)
	if err != nil {
		return "", err
	}
	if m.Change != "" {
		_, id, _, err := api.UpdateMessageContext(ctx, m.Peer.ID, m.Change, opts...)
		if err != nil {
			return "", failed(err)
		}
		return id, nil
	}
	if t := thread(m); t != "" {
		opts = append(opts, slack.MsgOptionTS(t))
	}
	_, id, err := api.PostMessageContext(withKey(ctx, m.Key), m.Peer.ID, opts...)
	if err != nil {
		return "", failed(err)
	}
	return id, nil
}

// thread is where a message goes: the conversation's, or in a channel the one that the answered message begins.
func thread(m service.Message) string {
	if m.Peer.Thread != "" || m.Peer.Direct {
		return m.Peer.Thread
	}
	return m.ReplyTo
}

// content is the text, as it is or in a block above its buttons. A change always has a block: it takes the place of the old one and
// of its buttons, which Slack keeps otherwise.
func content(m service.Message) ([]slack.MsgOption, error) {
	if m.Text == "" {
		return nil, fault.New(fault.Invalid, "service.empty", "There is nothing to send")
	}
	opts := []slack.MsgOption{slack.MsgOptionText(m.Text, false), slack.MsgOptionParse(false), slack.MsgOptionLinkNames(false),
		slack.MsgOptionDisableLinkUnfurl(), slack.MsgOptionDisableMediaUnfurl()}
	if m.Change == "" && len(m.Buttons) == 0 {
		return opts, nil
	}
	if utf8.RuneCountInString(m.Text) > maxText || len(m.Buttons) > maxButtons {
		return nil, fault.New(fault.Invalid, "service.too_long", "Slack takes %d characters and %d buttons in one message", maxText, maxButtons)
	}
	blocks := []slack.Block{slack.NewSectionBlock(slack.NewTextBlockObject(slack.MarkdownType, m.Text, false, true), nil, nil)}
	if len(m.Buttons) > 0 {
		var row []slack.BlockElement
		for i, b := range m.Buttons {
			row = append(row, button(i, b))
		}
		blocks = append(blocks, slack.NewActionBlock("choices", row...))
	}
	return append(opts, slack.MsgOptionBlocks(blocks...)), nil
}

func button(i int, b service.Button) slack.BlockElement {
	label := []rune(b.Label)
	if len(label) > maxLabel {
		label = append(label[:maxLabel-1], '…')
	}
	e := slack.NewButtonBlockElement(fmt.Sprintf("choice_%d", i), b.Token, slack.NewTextBlockObject(slack.PlainTextType, string(label), false, false))
	if b.Bad {
		return e.WithStyle(slack.StyleDanger)
	}
	return e
}

// upload takes Slack's three steps; only the last one is seen.
func upload(ctx context.Context, api *slack.Client, m service.Message) (string, error) {
	if len(m.File.Data) == 0 {
		return "", fault.New(fault.Invalid, "service.empty", "Slack takes no empty files")
	}
	p := slack.UploadFileParameters{Filename: m.File.Name, Title: m.File.Name, FileSize: len(m.File.Data), Reader: bytes.NewReader(m.File.Data),
		Channel: m.Peer.ID, ThreadTimestamp: thread(m)}
	if p.Filename == "" {
		p.Filename, p.Title = "file", "file"
	}
	f, err := api.UploadFileContext(ctx, p)
	if err != nil {
		return "", failed(err)
	}
	return f.ID, nil
}

// Typing sets the status line of a thread, the only sign of work that Slack has for bots, in apps that have the assistant's view.
// Elsewhere Slack refuses it, which is no failure.
func (s *Service) Typing(ctx context.Context, a service.Account, p service.Peer, _ string) error {
	if p.Thread == "" {
		return nil
	}
	err := client(a).SetAssistantThreadsStatusContext(ctx, slack.AssistantThreadsSetStatusParameters{ChannelID: p.ID, ThreadTS: p.Thread, Status: "is working…"})
	if err != nil {
		err = failed(err)
	}
	if fault.Is(err, fault.Invalid) || fault.Is(err, fault.Forbidden) || fault.Is(err, fault.NotFound) {
		err = nil
	}
	return err
}
