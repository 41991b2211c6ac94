package app

import (
	"net/url"
	"strconv"

	"github.com/fasthttp/websocket"
	"github.com/gofiber/fiber/v2"

	"lobstead/engine/terminal"
	"lobstead/kit/fault"
	"lobstead/models"
	terminalview "lobstead/views/terminal"
)

// Terminals are shells in the sandboxes of instances, in a browser: a page, and the socket behind it. Both are for people
// who may use the terminal, never for keys.
type Terminals struct{ *App }

// terminalState is what the page asks for when its socket is refused, for static/js/terminal.js.
type terminalState struct {
	Ready   bool   `json:"ready"`
	Code    string `json:"code,omitempty"`
	Message string `json:"message,omitempty"`
}

// Show is the page.
func (h *Terminals) Show(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	p := terminalview.ShowProps{Frame: c.frame("Terminal of "+i.Name, "/instances", ""), Instance: i}
	p.Frame.PageClass = "main-full"
	state := terminalState{Ready: true}
	if err := h.Terminals.Ready(c, i); err != nil {
		e := fault.As(err)
		if e.Kind != fault.Conflict && e.Kind != fault.Unavailable {
			return nil, err
		}
		state = terminalState{Code: e.Code, Message: sentence(e)}
		p.Problem, p.Startable = state.Message, e.Code == "terminal.stopped" && i.State.May(models.Start)
		p.Starting = e.Code == "terminal.starting"
		if p.Stopping = e.Code == "terminal.stopped" && i.State == models.Running; p.Stopping {
			p.Problem = "The instance is being stopped: it can be started again in a moment"
		}
	}
	return page(terminalview.Show(p)).json(state), nil
}

// Socket gives the browser's end of a shell. What refuses it answers as any request, before the connection is turned over.
func (h *Terminals) Socket(c *Ctx) (Reply, error) {
	i, err := h.pathInstance(c)
	if err != nil {
		return nil, err
	}
	if !ownPage(c.f) {
		return nil, errCrossSite
	}
	if !websocket.FastHTTPIsWebSocketUpgrade(c.f.Context()) {
		return nil, fault.New(fault.Invalid, "terminal.upgrade", "This address speaks WebSocket only").Hinting("Open the terminal's page")
	}
	name := c.Query("session")
	if len(name) < 8 || len(name) > 64 {
		return nil, fault.New(fault.Invalid, "terminal.session", "A session is named by 8 to 64 characters")
	}
	s := &shell{app: h.App, instance: i, scope: c.Scope, can: c.route.Access, org: c.Org(), user: c.Principal.User.ID}
	_, cookie := c.credentials()
	s.who = credential{token: cookie}
	s.use.Session = terminal.Session(s.user, name)
	if s.term, err = h.Terminals.Open(c, i, s.use.Session, number(c.Query("rows")), number(c.Query("columns"))); err != nil {
		return nil, err
	}
	s.use.Resumed, s.replay = s.term.Resumed()
	if err := c.Scope.AuditTerminalOpened(c, i, s.use); err != nil { // nobody has a shell that is not written down
		_ = s.term.Kill()
		_ = s.term.Close()
		return nil, err
	}
	return socketReply{s}, nil
}

// ownPage tells whether a page of ours asks: browsers send the origin with every socket, and cookies too, whichever
// site it is.
func ownPage(f *fiber.Ctx) bool {
	u, err := url.Parse(f.Get(fiber.HeaderOrigin))
	if site := f.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" {
		return false
	}
	return err == nil && u.Host != "" && u.Host == string(f.Context().Host())
}

func number(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0
	}
	return n
}
