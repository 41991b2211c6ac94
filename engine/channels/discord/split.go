package discord

import "lobstead/engine/channels/text"

// Split gives messages in Discord's Markdown.
func (s *Service) Split(markdown string) []string { return text.Discord.Split(markdown) }
