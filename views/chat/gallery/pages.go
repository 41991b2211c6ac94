package main

import (
	"time"

	"github.com/a-h/templ"

	"lobstead/models"
	"lobstead/views/chat"
	"lobstead/views/layout"
	"lobstead/views/markdown"
)

var instance = models.Instance{ID: "i1", Name: "data-sync", State: models.Running, MemoryMB: 512}

func frame(theme, title string) layout.FrameProps {
	return layout.FrameProps{Title: title, Active: "/chat", OrgName: "Acme Robotics", UserName: "Ada Lovelace", UserEmail: "ada@example.com", Theme: theme, Version: "0.1.0", PageClass: "main-full"}
}

func list(current string) chat.SessionListProps {
	at := func(d time.Duration) *time.Time { t := time.Now().Add(-d); return &t }
	s := func(id, title, category string, ago time.Duration, pinned bool) models.Session {
		return models.Session{ID: id, InstanceID: "i1", Title: title, Category: category, Pinned: pinned, LastMessageAt: at(ago), UpdatedAt: *at(ago), Status: "active"}
	}
	return chat.SessionListProps{Current: current, Names: map[string]string{"i1": "data-sync"}, Busy: map[string]models.WaitReason{"s1": ""}, Sessions: []models.Session{
		s("s2", "Weekly inventory check", "automation", 2*time.Hour, true), s("s1", "Why did the nightly sync fail?", "debug", time.Minute, false),
		s("s3", "Draft release notes for 2.4", "general", 40*time.Minute, false), s("s4", "Refund request #8841 from somebody with a very long name", "support", time.Hour, false),
		s("s5", "Set up the staging database", "task", 26*time.Hour, false), s("s6", "Compare three vector stores", "research", 90*time.Hour, false)}}
}

func show(theme string, events []models.Event) chat.ShowProps {
	s := list("s1").Sessions[1]
	s.MessageCount = 12
	return chat.ShowProps{Frame: frame(theme, s.Title), Sessions: list("s1"), Session: &s, Instance: &instance, Instances: []models.Instance{instance}, Events: events,
		Rail: chat.RailProps{SessionID: "s1", Instance: &instance, Isolation: "namespaces + landlock + seccomp", MemoryMB: 112, Model: "claude-sonnet", Tokens: 48_120, CostNanos: 61_100_000,
			Files:    []chat.FileTouched{{Path: "sync/reader.py", Added: 4, Removed: 1}, {Path: "logs/a-directory/with/a-rather-long-path/sync.log", Read: true}},
			Memories: []models.Memory{{Key: "orders.csv", Value: "comes from the Paris warehouse"}}},
		Composer: chat.ComposerProps{Action: "/chat/s1/messages", SessionID: "s1", InstanceID: "i1", Placeholder: "Message data-sync", Model: "claude-sonnet",
			Meter: chat.Meter{ContextTokens: 24_000, ContextWindow: 200_000, Tokens: 4812, CostNanos: 18_600_000}}}
}

// running is a turn in the middle of its work, with two messages that wait.
func running(theme string) chat.ShowProps {
	l := &log{events: nightly()}
	l.turns = 1
	l.say("Now compare it with last week, and write a report.")
	l.tool("bash", map[string]any{"command": "ls reports"}, models.ToolResult{Output: "week-45.md\nweek-46.md", ExitCode: one(0)})
	l.call("live", "bash", map[string]any{"command": "python compare.py --weeks 45 46"})
	run := *l.turn
	l.say("And mail it to Grace")
	l.say("No, to Alan")
	p := show(theme, l.events)
	p.Open = []models.Turn{{ID: run, State: models.TurnRunning}, {ID: "t3", State: models.TurnQueued}, {ID: "t4", State: models.TurnQueued}}
	var s markdown.Stream
	s.Write("Week 46 had **two** failures more than week 45:\n\n- both on Tuesday\n- both at 02:00\n\n```python\nfor week in (45, 46):\n    print(week, failures(week))\n```\n\nThe common cause is the enc")
	closed, tail := s.Flush()
	var thought markdown.Stream
	thought.Write("They want a *comparison*. The reports are there; I count the failures of both weeks.")
	_, thinking := thought.Flush()
	p.Live = live(chat.LiveTurn{TurnID: run, Attempt: 1, Blocks: []chat.LiveBlock{{Key: "thinking/2", Tail: thinking}, {Key: "text/2", Closed: closed, Tail: tail}}})
	p.Composer.Running = &p.Open[0]
	p.Composer.Queue = []chat.Queued{{TurnID: "t3", Text: "And mail it to Grace"}, {TurnID: "t4", Text: "No, to Alan"}}
	return p
}

func fresh(theme string) chat.ShowProps {
	p := show(theme, nil)
	p.Session, p.Offline = nil, true
	p.Frame.Title = "New chat"
	p.Instances = append(p.Instances, models.Instance{ID: "i2", Name: "support-triage"})
	p.Sessions = list("")
	p.Composer.Action, p.Composer.Meter, p.Composer.Model = "/chat", chat.Meter{}, "offline"
	p.Rail.Files, p.Rail.Tokens, p.Rail.CostNanos, p.Rail.Model = nil, 0, 0, "offline"
	return p
}

func nothing(theme string) chat.ShowProps {
	return chat.ShowProps{Frame: frame(theme, "New chat")}
}

func stopped(theme string) chat.ShowProps {
	p := show(theme, nightly())
	i := instance
	i.State, i.Desired = models.Stopped, models.WantStopped
	p.Instance, p.Rail.Instance = &i, &i
	p.Composer.Stopped, p.Composer.Error, p.Composer.Text = true, "This instance is stopped. Start it to send messages.", ""
	return p
}

func earlier(theme string) chat.ShowProps {
	p := show(theme, long(1000)[800:])
	p.Earlier = 801
	return p
}

func live(t chat.LiveTurn) string { return html(chat.Live(t)) }

// pages are the addresses that the tests walk.
var pages = map[string]func(theme string) templ.Component{
	"/chat":         func(t string) templ.Component { return chat.Show(show(t, nightly())) },
	"/chat/kinds":   func(t string) templ.Component { return chat.Show(show(t, kinds())) },
	"/chat/prose":   func(t string) templ.Component { return chat.Show(show(t, prose())) },
	"/chat/running": func(t string) templ.Component { return chat.Show(running(t)) },
	"/chat/new":     func(t string) templ.Component { return chat.Show(fresh(t)) },
	"/chat/none":    func(t string) templ.Component { return chat.Show(nothing(t)) },
	"/chat/stopped": func(t string) templ.Component { return chat.Show(stopped(t)) },
	"/chat/long":    func(t string) templ.Component { return chat.Show(earlier(t)) },
	"/chat/delete":  func(t string) templ.Component { return chat.Delete(show(t, nil)) },
}
