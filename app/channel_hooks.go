package app

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"lobstead/api/runtime"
	"lobstead/engine/channels/service"
	"lobstead/kit/fault"
	"lobstead/kit/limit"
	"lobstead/kit/secret"
	"lobstead/models"
)

// ChannelHooks take the calls of services. No credential of ours is asked for: each service proves itself by its own rules, over the
// bytes as they came, before anything is read of them.
type ChannelHooks struct{ *App }

// channelCalls is how often one account may be called by its service: more than any service does, and less than would hurt.
var channelCalls = limit.Rule{N: 3000, Per: time.Minute}

// channelBody is the largest call of a service.
const channelBody = 4 << 20

// Create takes a call for the account that the path names.
func (h *ChannelHooks) Create(c *Ctx) (Reply, error) {
	var ch *models.Channel
	var reply Reply
	id, err := c.ID("id")
	if err == nil {
		ch, err = h.Store.AsSystem("a service calls").ChannelByID(c, id)
	}
	if fault.Is(err, fault.NotFound) {
		err = fault.NotFoundf("channel")
	}
	if err == nil {
		reply, err = h.receive(c, ch)
	}
	if err != nil {
		return nil, c.stranger(err)
	}
	return reply, nil
}

func (h *ChannelHooks) receive(c *Ctx, ch *models.Channel) (Reply, error) {
	r, err := c.serviceRequest()
	if err != nil {
		return nil, err
	}
	reply, err := h.Channels.Receive(c, ch, r, func() error {
		_, err := c.take("channel "+ch.ID, channelCalls)
		return err
	})
	if err != nil {
		return nil, err
	}
	return serviceReply(reply), nil
}

// serviceRequest is the request as it came.
func (c *Ctx) serviceRequest() (service.Request, error) {
	r := service.Request{Method: c.f.Method(), Query: c.f.Queries(), Header: func(name string) string { return c.f.Get(name) }, Arrived: time.Now()}
	if safeMethod(c.f.Method()) {
		return r, nil
	}
	var err error
	r.Body, err = c.body()
	return r, err
}

// Telegram takes a call at the runtime API's address: its secret names the account (runtime-api.md, section 18).
func (h *ChannelHooks) Telegram(c *Ctx) (Reply, error) {
	system := h.Store.AsSystem("a service calls")
	some, err := system.ChannelsOf(c, models.TelegramChannel, 1)
	if err == nil && len(some) == 0 {
		return data(runtime.NewHook("Telegram not configured")).with(fiber.StatusServiceUnavailable), nil
	}
	if err != nil {
		return nil, err
	}
	ch, err := system.ChannelByHook(c, models.TelegramChannel, secret.Of(c.f.Get("X-Telegram-Bot-Api-Secret-Token")))
	if fault.Is(err, fault.NotFound) {
		if err := c.stranger(err); fault.Is(err, fault.TooMany) {
			return nil, err
		}
		return data(runtime.NewHook("Invalid secret token")).with(fiber.StatusUnauthorized), nil
	}
	if err != nil {
		return nil, err
	}
	return h.receive(c, ch)
}

// mostTried bounds how many accounts a call that names none is held against.
const mostTried = 50

// WhatsApp takes a call at the runtime API's address: of the accounts that there are, the one whose secret it proves to know.
func (h *ChannelHooks) WhatsApp(c *Ctx) (Reply, error) {
	list, err := h.Store.AsSystem("a service calls").ChannelsOf(c, models.WhatsAppChannel, mostTried)
	if err != nil {
		return nil, err
	}
	get := safeMethod(c.f.Method())
	if len(list) == 0 && !get {
		return bare(fiber.StatusServiceUnavailable, false, "WhatsApp not configured"), nil
	}
	for n := range list {
		reply, err := h.receive(c, &list[n])
		if !fault.Is(err, fault.Unauthenticated) && !fault.Is(err, fault.Forbidden) {
			return reply, err
		}
	}
	if err := c.stranger(errNoProof); fault.Is(err, fault.TooMany) {
		return nil, err
	}
	if get {
		return bare(fiber.StatusForbidden, true, ""), nil
	}
	return bare(fiber.StatusUnauthorized, false, "Invalid signature"), nil
}

var errNoProof = fault.New(fault.Unauthenticated, "channel.proof", "The call does not prove which account it is for")

// bare is an answer without a body for the challenge, and in the family's words for a call.
func bare(status int, empty bool, words string) Reply {
	if empty {
		return serviceReply(service.Reply{Status: status, Type: "text/plain; charset=utf-8", Body: []byte{}})
	}
	return data(runtime.NewHook(words)).with(status)
}

// serviceReply answers a service in its own words.
type serviceReply service.Reply

func (r serviceReply) write(c *Ctx) error {
	if r.Body == nil {
		r.Type, r.Body = fiber.MIMEApplicationJSON, []byte(`{"ok":true}`)
	}
	if r.Status == 0 {
		r.Status = fiber.StatusOK
	}
	if r.Type == "" {
		r.Type = fiber.MIMEApplicationJSON
	}
	c.f.Status(r.Status).Set(fiber.HeaderContentType, r.Type)
	c.f.Set(fiber.HeaderCacheControl, "no-store")
	return c.f.Send(r.Body)
}
