package outbox

import (
	"context"
	"strings"

	"lobstead/kit/fault"
	"lobstead/kit/mail"
	"lobstead/models"
)

// Mail sends letters by the operator's server. The idempotency key is the Message-ID.
type Mail struct{ Server *mail.Sender }

// Send hands a letter over: 5xx is permanent, everything else may pass.
func (m Mail) Send(ctx context.Context, c *models.Claim) (Answer, error) {
	l, err := c.Mail()
	if err != nil {
		return Answer{}, Permanent(err)
	}
	answer, err := m.Server.Send(ctx, mail.Letter{Key: c.IdempotencyKey, To: c.Destination, Subject: l.Subject,
		Text: strings.ReplaceAll(l.Text, models.SecretMark, c.Secret.Reveal())})
	if err != nil && fault.As(err).Code == mail.Refused {
		err = Permanent(err)
	}
	return Answer{Text: answer}, err
}
