package telegramtest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/go-telegram/bot/models"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
	"lobstead/engine/channels/text"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// person gives somebody by the user name; the id of their own conversation with the bot is theirs. s.mu is held.
func (s *Server) person(name string) *models.User {
	if u := s.people[name]; u != nil {
		return u
	}
	u := &models.User{ID: int64(1001 + len(s.people)), FirstName: strings.ToUpper(name[:1]) + name[1:], Username: name, LanguageCode: "en"}
	s.people[name] = u
	s.chats[u.ID] = &room{Chat: models.Chat{ID: u.ID, Type: models.ChatTypePrivate, FirstName: u.FirstName, Username: name}, next: 1}
	return u
}

// Peer gives somebody's own conversation with the bot.
func (s *Server) Peer(name string) service.Peer {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(name)
	return service.Peer{ID: itoa(u.ID), Direct: true, Name: "@" + name}
}

// Group makes a group with the bot in it and gives its id. It has topics by their numbers.
func (s *Server) Group(title string, topics ...int) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := int64(-1002000000000 - len(s.chats))
	r := &room{Chat: models.Chat{ID: id, Type: models.ChatTypeSupergroup, Title: title, IsForum: len(topics) > 0}, topics: map[int]bool{}, next: 1}
	for _, n := range topics {
		r.topics[n] = true
	}
	s.chats[id] = r
	return id
}

// Words is a message of a person with all that it may have.
type Words struct {
	Chat    int64 // 0 = the person's own
	Topic   int
	ReplyTo string
	Text    string
	File    *service.Upload
	Change  func(*models.Message) // the last hand on it
}

// Say lets somebody write to the bot and gives the message's id.
func (s *Server) Say(name, words string) string { return s.Write(name, Words{Text: words}) }

// SayIn lets somebody write in a group.
func (s *Server) SayIn(chat int64, name, words string) string {
	return s.Write(name, Words{Chat: chat, Text: words})
}

// Attach lets somebody send a file with words.
func (s *Server) Attach(name, words string, f service.Upload) string {
	return s.Write(name, Words{Text: words, File: &f})
}

// Write lets somebody write a message and gives its id.
func (s *Server) Write(name string, w Words) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(name)
	r := s.chats[u.ID]
	if w.Chat != 0 {
		r = s.chats[w.Chat]
	}
	m := r.message(u)
	if w.Topic != 0 {
		m.MessageThreadID, m.IsTopicMessage = w.Topic, true
	}
	if old := r.find(w.ReplyTo); old != nil {
		m.ReplyToMessage = &old.Message
	}
	if w.File == nil {
		m.Text, m.Entities = w.Text, entities(w.Text)
	} else {
		m.Caption, m.CaptionEntities = w.Text, entities(w.Text)
		s.attach(&m.Message, w.File)
	}
	if w.Change != nil {
		w.Change(&m.Message)
	}
	s.deliver(&models.Update{Message: &m.Message})
	return strconv.Itoa(m.ID)
}

// Edit lets somebody change a message.
func (s *Server) Edit(chat int64, id, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.chats[chat].find(id)
	m.Text, m.Entities, m.EditDate = words, entities(words), int(time.Now().Unix())
	changed := m.Message
	s.deliver(&models.Update{EditedMessage: &changed})
}

// Press lets somebody press the n-th button of a message of the bot.
func (s *Server) Press(name, chat, id string, n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	where, _ := strconv.ParseInt(chat, 10, 64)
	m := s.chats[where].find(id)
	if m == nil || n >= len(m.buttons) {
		s.t.Errorf("message %s has no button %d", id, n)
		return
	}
	s.press(name, m, m.buttons[n].Token)
}

// Forge tells of a press of a button that a message does not have, or not any more.
func (s *Server) Forge(name, chat, id, token string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	where, _ := strconv.ParseInt(chat, 10, 64)
	s.press(name, s.chats[where].find(id), token)
}

func (s *Server) press(name string, m *post, token string) {
	q := fmt.Sprintf("44%d", 100000+len(s.presses))
	s.presses[q] = false
	s.deliver(&models.Update{CallbackQuery: &models.CallbackQuery{ID: q, From: *s.person(name), ChatInstance: "1", Data: token,
		Message: models.MaybeInaccessibleMessage{Type: models.MaybeInaccessibleMessageTypeMessage, Message: &m.Message}}})
}

// Answered tells how many presses were acknowledged.
func (s *Server) Answered() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := 0
	for _, done := range s.presses {
		if done {
			n++
		}
	}
	return n
}

// Block lets somebody block the bot: it is told, and may not write any more.
func (s *Server) Block(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	u := s.person(name)
	s.chats[u.ID].closed = "Forbidden: bot was blocked by the user"
	s.leave(s.chats[u.ID], u, models.ChatMember{Type: models.ChatMemberTypeBanned, Banned: &models.ChatMemberBanned{User: &s.Bot}})
}

// Kick lets somebody take the bot out of a group.
func (s *Server) Kick(chat int64, name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chats[chat].closed = "Forbidden: bot was kicked from the supergroup chat"
	s.leave(s.chats[chat], s.person(name), models.ChatMember{Type: models.ChatMemberTypeLeft, Left: &models.ChatMemberLeft{User: &s.Bot}})
}

func (s *Server) leave(r *room, by *models.User, now models.ChatMember) {
	s.deliver(&models.Update{MyChatMember: &models.ChatMemberUpdated{Chat: r.Chat, From: *by, Date: int(time.Now().Unix()),
		OldChatMember: models.ChatMember{Type: models.ChatMemberTypeMember, Member: &models.ChatMemberMember{User: &s.Bot}}, NewChatMember: now}})
}

// Move gives a group a new id, as when it becomes a supergroup.
func (s *Server) Move(chat int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	old := s.chats[chat]
	id := chat - 5000
	s.chats[id] = &room{Chat: models.Chat{ID: id, Type: models.ChatTypeSupergroup, Title: old.Title}, topics: map[int]bool{}, next: 1}
	old.moved = id
	return id
}

// Revoke makes the token worthless, as @BotFather does; Restore undoes that.
func (s *Server) Revoke()  { s.mu.Lock(); s.revoked = true; s.mu.Unlock() }
func (s *Server) Restore() { s.mu.Lock(); s.revoked = false; s.mu.Unlock() }

// Actions gives what the bot showed ("typing 1001"), Asked the methods that it called.
func (s *Server) Actions() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.actions...)
}

// Asked gives the methods that were called.
func (s *Server) Asked() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]string(nil), s.asked...)
}

// Sent gives all that the bot wrote, as it stands now, in its order.
func (s *Server) Sent() []servicetest.Sent {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]servicetest.Sent, 0, len(s.written))
	for _, m := range s.written {
		one := servicetest.Sent{ID: strconv.Itoa(m.ID), Peer: itoa(m.Chat.ID), Text: m.sent, Buttons: m.buttons, File: m.file, Edits: m.edits}
		switch {
		case m.MessageThreadID != 0:
			one.Thread = strconv.Itoa(m.MessageThreadID)
		case m.ReplyToMessage != nil:
			one.Thread = strconv.Itoa(m.ReplyToMessage.ID)
		}
		out = append(out, one)
	}
	return out
}

func (r *room) message(from *models.User) *post {
	m := &post{Message: models.Message{ID: r.next, From: from, Chat: r.Chat, Date: int(time.Now().Unix())}}
	r.next++
	r.messages = append(r.messages, m)
	return m
}

func (r *room) find(id string) *post {
	for _, m := range r.messages {
		if strconv.Itoa(m.ID) == id {
			return m
		}
	}
	return nil
}

func (s *Server) attach(m *models.Message, f *service.Upload) {
	id := fmt.Sprintf("AgACAgIAAx%d", len(s.files)+1)
	s.files[id] = f
	if strings.HasPrefix(f.MediaType, "image/") && f.Name == "" {
		m.Photo = []models.PhotoSize{{FileID: id + "s", FileUniqueID: "u" + id, Width: 90, Height: 90, FileSize: 10}, {FileID: id, FileUniqueID: "v" + id, Width: 800, Height: 800, FileSize: len(f.Data)}}
		return
	}
	m.Document = &models.Document{FileID: id, FileUniqueID: "u" + id, FileName: f.Name, MimeType: f.MediaType, FileSize: int64(len(f.Data))}
}

var marked = regexp.MustCompile(`(?:^|\s)(/[a-z_0-9]+(?:@\w+)?|@\w+)`)

// entities finds commands and mentions, in UTF-16 units.
func entities(words string) []models.MessageEntity {
	var out []models.MessageEntity
	for _, at := range marked.FindAllStringSubmatchIndex(words, -1) {
		part := words[at[2]:at[3]]
		kind := models.MessageEntityTypeMention
		if part[0] == '/' {
			kind = models.MessageEntityTypeBotCommand
		}
		out = append(out, models.MessageEntity{Type: kind, Offset: text.UTF16(words[:at[2]]), Length: text.UTF16(part)})
	}
	return out
}
