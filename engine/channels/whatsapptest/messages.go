package whatsapptest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"unicode/utf8"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/servicetest"
)

// outgoing is what a business may ask to be sent.
type outgoing struct {
	Product   string `json:"messaging_product"`
	Kind      string `json:"recipient_type"`
	To        string `json:"to"`
	Recipient string `json:"recipient"`
	Type      string `json:"type"`
	Status    string `json:"status"`
	MessageID string `json:"message_id"`
	Typing    *struct {
		Type string `json:"type"`
	} `json:"typing_indicator"`
	Context *struct {
		ID string `json:"message_id"`
	} `json:"context"`
	Text *struct {
		Body string `json:"body"`
	} `json:"text"`
	Image       *file `json:"image"`
	Video       *file `json:"video"`
	Audio       *file `json:"audio"`
	Document    *file `json:"document"`
	Interactive *struct {
		Type string `json:"type"`
		Body struct {
			Text string `json:"text"`
		} `json:"body"`
		Action struct {
			Button  string `json:"button"`
			Buttons []struct {
				Type  string `json:"type"`
				Reply row    `json:"reply"`
			} `json:"buttons"`
			Sections []struct {
				Rows []row `json:"rows"`
			} `json:"sections"`
		} `json:"action"`
	} `json:"interactive"`
}

type file struct {
	ID   string `json:"id"`
	Name string `json:"filename"`
}

type row struct {
	ID    string `json:"id"`
	Title string `json:"title"`
}

func (s *Server) message(w http.ResponseWriter, r *http.Request) {
	if !s.allowed(w, r) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var m outgoing
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil || m.Product != "whatsapp" {
		refuse(w, 400, 100, 0, "(#100) The parameter messaging_product is required.", "")
		return
	}
	if r.PathValue("number") != s.Number {
		refuse(w, 400, 100, 33, "Unsupported post request. Object with ID '"+r.PathValue("number")+"' does not exist", "")
		return
	}
	if m.Status == "read" {
		s.read = append(s.read, m.MessageID)
		reply(w, 200, map[string]any{"success": true})
		return
	}
	p := s.find(m)
	switch {
	case p == nil:
		refuse(w, 400, 100, 0, "(#100) Invalid parameter", "Param to must be a valid WhatsApp number")
	case p.gone:
		refuse(w, 400, 131026, 0, "(#131026) Message undeliverable", "Message undeliverable.")
	case p.late:
		refuse(w, 400, 131047, 0, "(#131047) Re-engagement message", "Message failed to send because more than 24 hours have passed since the customer last replied to this number.")
	default:
		one, wrong := s.read1(m)
		if wrong != "" {
			refuse(w, 400, 131009, 0, "(#131009) Parameter value is not valid", wrong)
			return
		}
		one.ID, one.Peer = s.next(), p.id()
		if m.Context != nil {
			one.Thread = m.Context.ID
		}
		s.sent = append(s.sent, one)
		reply(w, 200, map[string]any{"messaging_product": "whatsapp", "contacts": []map[string]any{{"input": one.Peer, "wa_id": p.phone}}, "messages": []map[string]any{{"id": one.ID}}})
	}
}

// Group is a group that the number is in. Groups have no interactive messages.
const Group = "Y2FwaV9ncm91cDoxNzA1NTU1MDEzOToxMjAzNjM0MDQ2OTQyMzM4MjAZD"

func (s *Server) find(m outgoing) *person {
	if m.Kind == "group" && m.To == Group && m.Interactive == nil {
		return &person{phone: Group}
	}
	for _, p := range s.people {
		if m.To != "" && p.phone == m.To && m.Kind == "individual" || m.Recipient != "" && p.id() == m.Recipient {
			return p
		}
	}
	return nil
}

// read1 checks one message and says what is wrong with it.
func (s *Server) read1(m outgoing) (one servicetest.Sent, wrong string) {
	long := func(text string, most int) bool { return text == "" || utf8.RuneCountInString(text) > most }
	switch m.Type {
	case "text":
		if m.Text == nil || long(m.Text.Body, 4096) {
			return one, "Param text['body'] must be at least 1 and at most 4096 characters long."
		}
		one.Text = m.Text.Body
	case "image", "video", "audio", "document":
		f := map[string]*file{"image": m.Image, "video": m.Video, "audio": m.Audio, "document": m.Document}[m.Type]
		if f == nil || s.media[f.ID] == nil {
			return one, "Media asset not found"
		}
		up := *s.media[f.ID]
		if m.Type == "document" {
			up.Name = f.Name
		}
		one.File = &up
	case "interactive":
		return s.interactive(m)
	default:
		return one, "Unsupported message type"
	}
	return one, ""
}

func (s *Server) interactive(m outgoing) (one servicetest.Sent, wrong string) {
	i := m.Interactive
	if i == nil {
		return one, "Param interactive is required"
	}
	var rows []row
	most, label, body := 3, 20, 1024
	for _, b := range i.Action.Buttons {
		if b.Type != "reply" {
			return one, "Button type is invalid"
		}
		rows = append(rows, b.Reply)
	}
	if i.Type == "list" {
		most, label, body = 10, 24, 4096
		for _, sec := range i.Action.Sections {
			rows = append(rows, sec.Rows...)
		}
		if i.Action.Button == "" || utf8.RuneCountInString(i.Action.Button) > 20 {
			return one, "Button label of the list is invalid"
		}
	} else if i.Type != "button" {
		return one, "Interactive type is invalid"
	}
	if i.Body.Text == "" || utf8.RuneCountInString(i.Body.Text) > body {
		return one, "Body text length invalid. Min length: 1, Max length: 1024"
	}
	if len(rows) == 0 || len(rows) > most {
		return one, "Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3"
	}
	seen := map[string]bool{}
	for _, b := range rows {
		if b.ID == "" || len(b.ID) > 200 || b.Title == "" || utf8.RuneCountInString(b.Title) > label || seen[b.ID] || seen["t"+b.Title] {
			return one, "Button title length invalid. Min length: 1, Max length: 20"
		}
		seen[b.ID], seen["t"+b.Title] = true, true
		one.Buttons = append(one.Buttons, service.Button{Label: b.Title, Token: b.ID})
	}
	one.Text = i.Body.Text
	return one, ""
}

// kinds are those that the media endpoint takes, with the most bytes.
var kinds = map[string]int{"audio/aac": 16, "audio/mp4": 16, "audio/mpeg": 16, "audio/amr": 16, "audio/ogg": 16, "application/pdf": 100, "text/plain": 100, "application/msword": 100,
	"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": 100, "image/jpeg": 5, "image/png": 5, "video/mp4": 16, "video/3gpp": 16}

func (s *Server) upload(w http.ResponseWriter, r *http.Request) {
	if !s.allowed(w, r) {
		return
	}
	if err := r.ParseMultipartForm(200 << 20); err != nil || r.FormValue("messaging_product") != "whatsapp" {
		refuse(w, 400, 100, 0, "(#100) The parameter messaging_product is required.", "")
		return
	}
	part, head, err := r.FormFile("file")
	if err != nil {
		refuse(w, 400, 100, 0, "(#100) The parameter file is required.", "")
		return
	}
	data, err := io.ReadAll(part)
	kind := head.Header.Get("Content-Type")
	most, ok := kinds[kind]
	if err != nil || !ok || len(data) == 0 || len(data) > most<<20 {
		refuse(w, 400, 100, 0, "(#100) Param file must be a file with one of the following types: "+strings.Join([]string{"audio/aac", "application/pdf", "…"}, ", ")+". Received file of type '"+kind+"'.", "")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	reply(w, 200, map[string]any{"id": s.keep(service.Upload{Name: head.Filename, MediaType: kind, Data: data})})
}

func (s *Server) keep(f service.Upload) string {
	s.count++
	id := "103768570243" + strings.TrimPrefix(s.next(), "wamid.HBgLMTY1MDM4Nzk0MzkVAgARGBI3N0EyQUJCMjFCNjZCQUMz")
	s.media[id] = &f
	return id
}
