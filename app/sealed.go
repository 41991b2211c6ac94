package app

import (
	"encoding/base64"
	"encoding/json"
	"time"
)

// A sealed cookie is kept by the browser and read by nobody but us.

func (c *Ctx) sealedName(name string) string {
	if c.app.secure() {
		return "__Host-" + name
	}
	return name
}

// setSealed gives the browser a value to bring back; it opens at its place alone.
func (c *Ctx) setSealed(name, place string, life time.Duration, v any) error {
	plain, err := json.Marshal(v)
	if err != nil {
		return err
	}
	sealed, err := c.app.Box.Seal(plain, place)
	if err != nil {
		return err
	}
	c.setCookie(c.sealedName(name), base64.RawURLEncoding.EncodeToString(sealed), life, true)
	return nil
}

// sealed reads what the browser brought; false: nothing that was sealed for this place.
func (c *Ctx) sealed(name, place string, into any) bool {
	sealed, err := base64.RawURLEncoding.DecodeString(c.f.Cookies(c.sealedName(name)))
	if err != nil || len(sealed) == 0 {
		return false
	}
	plain, err := c.app.Box.Open(sealed, place)
	return err == nil && json.Unmarshal(plain, into) == nil
}

// endSealed takes a sealed cookie away.
func (c *Ctx) endSealed(name string) { c.setCookie(c.sealedName(name), "", -time.Hour, true) }

const (
	onceCookie = "lobstead_once"
	onceLife   = time.Minute // from the redirect to the page that it leads to
)

// once is what one page shows a person one time, right after it was made: a secret, a code or a link.
type once struct {
	Value   string    `json:"v"`
	For     string    `json:"f,omitempty"` // whom it is for
	Until   time.Time `json:"u,omitzero"`  // how long it is good
	Expires time.Time `json:"e"`           // how long it is shown
}

func (c *Ctx) oncePlace(path string) string { return "once " + c.Principal.User.ID + " " + path }

// showOnce sends a browser on to the page that shows a value this once: neither its address nor a reload of it does anything
// again. The value travels sealed, for this person and that page.
func (c *Ctx) showOnce(path string, o once) (Reply, error) {
	o.Expires = time.Now().Add(onceLife)
	return redirect(path), c.setSealed(onceCookie, c.oncePlace(path), onceLife, o)
}

// shownOnce is what this page shows now and never again; empty without any.
func (c *Ctx) shownOnce() once {
	var o once
	if !c.sealed(onceCookie, c.oncePlace(c.f.Path()), &o) || time.Now().After(o.Expires) {
		return once{}
	}
	c.endSealed(onceCookie)
	return o
}
