// Package whatsapp speaks Meta's WhatsApp Cloud API: one business number, called by signed webhooks. It knows no rows and no agents.
//
// What WhatsApp guarantees: a delivery comes again for days until it is answered, under the same message ids (wamid), several messages in
// one request and in no certain order. Sending has no idempotency: to send again after an answer was lost may show a message twice.
// A sent message cannot be changed; a change is a new message that quotes the old one. Whether a message arrived is told later, by a
// status: what WhatsApp refuses only then (above all answers to people who have not written for 24 hours) is an event of its own.
package whatsapp

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"

	"lobstead/engine/channels/service"
	"lobstead/engine/channels/text"
	"lobstead/kit/fault"
)

const (
	name    = "WhatsApp"
	home    = "https://graph.facebook.com"
	version = "/v24.0"
)

// WhatsApp implements service.Service. The zero value is ready.
type WhatsApp struct{}

// Fields of an account.
func (*WhatsApp) Fields() []service.Field {
	return []service.Field{
		{Name: "phone_number_id", Label: "Phone number ID", Required: true, Max: 40,
			Hint: "In the Meta app dashboard under WhatsApp, API setup. It is not the phone number itself."},
		{Name: "access_token", Label: "Access token", Secret: true, Required: true, Max: 1000,
			Hint: "A permanent token of a system user with the permissions whatsapp_business_messaging and whatsapp_business_management; the one of the API setup page ends after a day."},
		{Name: "app_secret", Label: "App secret", Secret: true, Required: true, Proof: true, Max: 200,
			Hint: "In the Meta app dashboard under App settings, Basic. It proves that a call is WhatsApp's."},
		{Name: "verify_token", Label: "Verify token", Required: true, Generate: true, Max: 200,
			Hint: "Enter it together with the callback URL in the Meta app dashboard under WhatsApp, Configuration, and subscribe to the field messages."},
	}
}

// Split gives messages in WhatsApp's formatting.
func (*WhatsApp) Split(markdown string) []string { return text.WhatsApp.Split(markdown) }

// Check asks who the number is. It proves the app's secret too: with a wrong one every delivery would be refused.
func (*WhatsApp) Check(ctx context.Context, a service.Account) (service.Profile, error) {
	number := a.Value("phone_number_id")
	if number == "" || strings.Trim(number, "0123456789") != "" {
		return service.Profile{}, fault.New(fault.Invalid, "whatsapp.number", "The phone number ID has digits only")
	}
	proof := hmac.New(sha256.New, []byte(a.Value("app_secret")))
	proof.Write([]byte(a.Value("access_token")))
	q := url.Values{"fields": {"verified_name,display_phone_number,quality_rating,code_verification_status,webhook_configuration"},
		"appsecret_proof": {hex.EncodeToString(proof.Sum(nil))}}
	var got struct {
		ID       string `json:"id"`
		Name     string `json:"verified_name"`
		Phone    string `json:"display_phone_number"`
		Quality  string `json:"quality_rating"`
		Verified string `json:"code_verification_status"`
		Hooks    *struct {
			App    string `json:"application"`
			WABA   string `json:"whatsapp_business_account"`
			Number string `json:"phone_number"`
		} `json:"webhook_configuration"`
	}
	if err := get(ctx, a, "/"+number+"?"+q.Encode(), &got); err != nil {
		return service.Profile{}, err
	}
	var notes []string
	if got.Verified != "" && got.Verified != "VERIFIED" {
		notes = append(notes, "The number is not verified (WhatsApp says "+strings.ToLower(got.Verified)+"): people may not be able to write to it. Verify it in the WhatsApp manager.")
	}
	if got.Quality == "RED" {
		notes = append(notes, "WhatsApp rates the number's quality low and may limit it.")
	}
	if h := got.Hooks; h != nil && h.App+h.WABA+h.Number == "" {
		notes = append(notes, "WhatsApp has no address to deliver messages to: enter the callback URL in the Meta app dashboard.")
	}
	p := service.Profile{ID: got.ID, Name: strings.TrimSpace(got.Name + " " + got.Phone), Note: strings.Join(notes, " ")}
	if digits := digits(got.Phone); digits != "" {
		p.Link = "https://wa.me/" + digits
	}
	return p, nil
}

// digits is a number as it stands in addresses and senders.
func digits(s string) string {
	return strings.Map(func(r rune) rune {
		if r < '0' || r > '9' {
			return -1
		}
		return r
	}, s)
}

// Typing shows "typing…" for 25 seconds or until an answer comes, and marks what was written as read. WhatsApp wants to know for which
// message.
func (*WhatsApp) Typing(ctx context.Context, a service.Account, _ service.Peer, message string) error {
	if message == "" {
		return nil
	}
	return post(ctx, a, "/messages", map[string]any{"messaging_product": "whatsapp", "status": "read", "message_id": message,
		"typing_indicator": map[string]any{"type": "text"}}, nil)
}
