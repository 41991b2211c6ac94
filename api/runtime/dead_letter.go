package runtime

import "lobstead/models"

// DeadLetter is what could not be delivered, by whichever way.
type DeadLetter struct {
	ID             string `json:"id"`
	Channel        string `json:"channel"` // the service; of what no channel sends: mail, webhook
	RecipientID    string `json:"recipient_id"`
	Content        string `json:"content"`
	IdempotencyKey string `json:"idempotency_key"`
	Attempts       int    `json:"attempts"`
	MaxAttempts    int    `json:"max_attempts"`
	LastError      string `json:"last_error"`
	CreatedAt      string `json:"created_at"`
}

// DeadLetters answers GET /api/channels/dead-letter.
type DeadLetters struct {
	Items []DeadLetter `json:"items"`
	Count int          `json:"count"`
}

// DeadLetterReplayed answers POST /api/channels/dead-letter/:id/replay.
type DeadLetterReplayed struct {
	OK bool   `json:"ok"`
	ID string `json:"id"`
}

// Refused is how channels say no.
type Refused struct {
	OK    bool   `json:"ok"`
	Error string `json:"error"`
}

// NoDeadLetter refuses to replay what is not there, or not dead.
var NoDeadLetter = Refused{Error: "dead-letter item not found"}

// NewDeadLetters presents them.
func NewDeadLetters(rows []models.Delivery) DeadLetters {
	out := DeadLetters{Items: []DeadLetter{}, Count: len(rows)}
	for n := range rows {
		d := &rows[n]
		channel, to := d.Service()
		out.Items = append(out.Items, DeadLetter{ID: d.ID, Channel: channel, RecipientID: to, Content: d.Content(), IdempotencyKey: d.IdempotencyKey, Attempts: d.Attempts,
			MaxAttempts: d.MaxAttempts, LastError: d.Trouble(), CreatedAt: Time(d.CreatedAt)})
	}
	return out
}
