package slack

import "lobstead/engine/channels/text"

// mrkdwn is Slack's format within what one block holds, so that every piece can have buttons, and be changed.
var mrkdwn = func() *text.Dialect {
	d := *text.Slack
	d.Limit = maxText
	return &d
}()

// Split gives messages in Slack's mrkdwn.
func (s *Service) Split(markdown string) []string { return mrkdwn.Split(markdown) }
