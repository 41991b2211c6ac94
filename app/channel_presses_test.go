package app_test

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/app/apptest"
	"lobstead/engine/channels/servicetest"
	"lobstead/models"
)

// asked waits for the question whether a command may run, which the test made unlike others.
func (x *talk) asked(who, command string) servicetest.Sent {
	x.say(who, "run `git push "+command+"`")
	s := x.told(who, "git push "+command)
	require.Len(x.t, s.Buttons, 2)
	require.Equal(x.t, []string{"Approve", "Deny"}, []string{s.Buttons[0].Label, s.Buttons[1].Label})
	return s
}

// stands tells how the approval of a command was decided, and by whom.
func (x *talk) stands(command, status, by string) {
	x.t.Helper()
	require.Equal(x.t, 1, x.Count("SELECT count(*) FROM approvals WHERE instance_id = ? AND input LIKE ?", x.agent, "%"+command+"%"), command)
	require.Equal(x.t, 1, x.Count("SELECT count(*) FROM approvals WHERE instance_id = ? AND input LIKE ? AND status = ? AND decided_name = ?", x.agent, "%"+command+"%", status, by), "%s is not %s", command, status)
}

func (x *talk) approves() {
	s := x.asked("ada", "one")
	x.press("ada", s, 0)
	x.told("ada", "Approved by "+x.Acme.Owner.Name)
	x.settled()
	x.stands("git push one", "approved", x.Acme.Owner.Name)
	require.Equal(x.t, 1, x.Count("SELECT count(*) FROM channel_buttons WHERE channel_id = ? AND used_at IS NOT NULL", x.ch.ID))
}

func (x *talk) denies() {
	s := x.asked("ada", "two")
	x.press("ada", s, 1)
	x.told("ada", "Denied by "+x.Acme.Owner.Name)
	x.settled()
	x.stands("git push two", "denied", x.Acme.Owner.Name)
	for _, c := range x.sent() {
		if c.ID == s.ID && c.Edits > 0 {
			require.Empty(x.t, c.Buttons, "what is decided has no buttons any more")
		}
	}
}

// approvesNotified: who may decide what another's message caused is notified by their account, with the same buttons.
func (x *talk) approvesNotified() {
	sy := x.Store.AsSystem("test")
	choose := func(kind models.ChannelKind) {
		require.NoError(x.t, sy.ChooseNotifications(x.t.Context(), x.Acme.Owner.UserID, []models.NotificationChoice{{Kind: models.NoteApproval, Channel: kind, Digest: models.DigestOnce}}))
	}
	choose(x.kind)
	defer choose("")
	role := func(r models.Role) {
		x.Exec("UPDATE memberships SET role = ? WHERE user_id = ? AND organization_id = ?", r, x.Acme.Owner.UserID, x.Acme.ID)
	}
	ask := func(what string) servicetest.Sent {
		x.say("bob", "run `git push noted "+what+"`")
		x.until(func() bool {
			require.NoError(x.t, sy.WriteNotifications(x.t.Context()))
			return slices.ContainsFunc(x.sent(), func(s servicetest.Sent) bool { return s.Peer == x.at("ada") && strings.Contains(s.Text, "noted "+what) })
		}, "the owner is notified")
		s := x.told("ada", "noted "+what)
		require.Len(x.t, s.Buttons, 2)
		return s
	}
	s := ask("alpha")
	x.press("bob", s, 0)
	role(models.Member)
	x.press("ada", s, 0)
	x.told("ada", "Insufficient permissions")
	role(models.Owner)
	x.stands("noted alpha", "pending", "")
	x.forge("ada", s, s.Buttons[0].Token) // a button works once
	time.Sleep(200 * time.Millisecond)
	x.stands("noted alpha", "pending", "")
	open, err := x.Acme.Scope.PendingApprovals(x.t.Context())
	require.NoError(x.t, err)
	for _, p := range open {
		if p.InstanceID == x.agent {
			require.Equal(x.t, 303, x.Do(apptest.Call{Method: "POST", Path: "/approvals/" + p.ID + "/deny", Who: x.Acme.Admin, Form: url.Values{}}).Status)
		}
	}
	x.settled()
	s = ask("beta")
	x.press("ada", s, 0)
	x.told("ada", "Approved by "+x.Acme.Owner.Name)
	x.forge("ada", s, s.Buttons[1].Token)
	x.settled()
	x.stands("noted beta", "approved", x.Acme.Owner.Name)
}

func (x *talk) badPresses() {
	// A member may not decide, and gets no buttons.
	x.say("bob", "run `git push of bob`")
	require.Empty(x.t, x.told("bob", "git push of bob").Buttons)
	open, err := x.Acme.Scope.PendingApprovals(x.t.Context())
	require.NoError(x.t, err)
	for _, p := range open {
		if p.InstanceID == x.agent {
			require.Equal(x.t, 303, x.Do(apptest.Call{Method: "POST", Path: "/approvals/" + p.ID + "/deny", Who: x.Acme.Admin, Form: url.Values{}}).Status)
		}
	}
	x.told("bob", "denied it")
	s := x.asked("ada", "three")
	token := s.Buttons[0].Token
	before := x.Count("SELECT count(*) FROM deliveries")
	for _, forged := range []string{"a:" + strings.Repeat("1", len(token)-2), "a:1234567890123456", strings.Replace(token, "a:", "x:", 1), token[:len(token)-1], "d:" + token[2:len(token)-2] + "00"} {
		x.forge("ada", s, forged)
	}
	x.press("bob", s, 0)
	x.press("eve", s, 0)
	x.say("ada", "/help") // behind them all
	x.until(func() bool { return x.Count("SELECT count(*) FROM deliveries") > before }, "help is given")
	x.told("ada", "/unlink")
	x.stands("git push three", "pending", "")
	x.Exec("UPDATE channel_buttons SET expires_at = ? WHERE channel_id = ?", x.Store.Now().Add(-time.Second), x.ch.ID)
	x.press("ada", s, 0)
	time.Sleep(200 * time.Millisecond)
	x.stands("git push three", "pending", "")
	x.Exec("UPDATE channel_buttons SET expires_at = ? WHERE channel_id = ?", x.Store.Now().Add(time.Hour), x.ch.ID)
	x.press("ada", s, 1)
	x.told("ada", "Denied by "+x.Acme.Owner.Name)
	x.forge("ada", s, token) // it is pressed again, before the buttons went
	x.settled()
	x.stands("git push three", "denied", x.Acme.Owner.Name)
}
