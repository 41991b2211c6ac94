package openapi

import (
	"lobstead/api/agent"
	"lobstead/api/cloud"
	"lobstead/models"
)

// Nouns are the sections, in the order of the page.
var Nouns = []Noun{
	{"instances", "Instances", "Deployed agents. Each runs in a sandbox of its own; deleting one deletes its files."},
	{"chat", "Chat", "Talk to an agent. Which one: the header X-Instance-Id, the query “instance”, else the organization's oldest."},
	{"sessions", "Sessions", "Conversations with an agent, kept until you delete them."},
	{"document", "This document", "What this page is made of."},
}

// which chooses the instance that a call of the agent API means.
var which = []Param{
	{Name: "instance", In: "query", Say: "Which instance, when not the default one", Example: exampleID},
	{Name: "X-Instance-Id", In: "header", Say: "The same, as a header", Example: exampleID},
}

var (
	view    = May(models.CanView)
	use     = May(models.CanUseInstances)
	create  = May(models.CanCreateInstances)
	destroy = May(models.CanDeleteInstances)
)

// Operations is the one table of them. A JSON route that is not here fails a test of the app, and so does an
// operation that has no route.
var Operations = []Operation{
	{Method: "GET", Path: "/api/instances", ID: "instances.list", Noun: "instances", Caller: view, Summary: "List instances",
		Note: "Newest first. The gateway's token is part of the answer: treat it as a secret.", Status: 200, Answer: []cloud.InstanceListItem{}},
	{Method: "POST", Path: "/api/instances", ID: "instances.create", Noun: "instances", Caller: create, Summary: "Deploy an instance",
		Note: "The answer comes at once; read the instance until its status is RUNNING.", Request: InstanceCreate{}, Status: 201, Answer: cloud.InstanceCreated{},
		Limit: "Creations per organization and hour are limited"},
	{Method: "GET", Path: "/api/instances/:id", ID: "instances.read", Noun: "instances", Caller: view, Summary: "Read an instance",
		Note: "With the last lines of its log and its last readings.", Status: 200, Answer: cloud.InstanceDetail{}},
	{Method: "PATCH", Path: "/api/instances/:id", ID: "instances.update", Noun: "instances", Caller: use, Summary: "Rename an instance or change its tier",
		Note: "At least one field.", Request: InstanceChange{}, Status: 200, Answer: cloud.InstanceListItem{}},
	{Method: "DELETE", Path: "/api/instances/:id", ID: "instances.delete", Noun: "instances", Caller: destroy, Summary: "Delete an instance",
		Note: "Its processes stop at once; its files, conversations and log are gone for good.", Status: 200, Answer: cloud.Deleted{}},
	{Method: "POST", Path: "/api/instances/:id/actions", ID: "instances.act", Noun: "instances", Caller: use, Summary: "Start, stop or restart an instance",
		Note:    "Waits a few seconds for it to get there; the answer says how far it is. 400 when its state does not allow the action.",
		Request: InstanceAction{}, Status: 200, Answer: cloud.InstanceActed{}},

	{Method: "POST", Path: "/api/agent/chat", ID: "chat.send", Noun: "chat", Caller: use, Summary: "Send a message and wait for the answer",
		Note:   "The call stays open until the turn has ended, at most ten minutes. 409 when the instance cannot run, 502 when the model failed.",
		Params: which, Request: ChatMessage{}, Status: 200, Answer: agent.Chat{}, Errors: []int{404, 409, 502, 503, 504}},

	{Method: "GET", Path: "/api/agent/sessions", ID: "sessions.list", Noun: "sessions", Caller: use, Summary: "List an instance's conversations",
		Note: "Pinned first, then the newest. Archived ones are left out.", Params: which, Status: 200, Answer: agent.SessionList{}, Errors: []int{404}},
	{Method: "POST", Path: "/api/agent/sessions", ID: "sessions.create", Noun: "sessions", Caller: use, Summary: "Open a conversation",
		Params: which, Request: SessionCreate{}, BodyOptional: true, Status: 200, Answer: agent.SessionAnswer{}, Errors: []int{404}},
	{Method: "PATCH", Path: "/api/agent/sessions", ID: "sessions.update", Noun: "sessions", Caller: use, Summary: "Rename, file, pin or archive a conversation",
		Note: "At least one field besides the name.", Request: SessionChange{}, Status: 200, Answer: agent.SessionAnswer{}, Errors: []int{404}},
	{Method: "DELETE", Path: "/api/agent/sessions", ID: "sessions.delete", Noun: "sessions", Caller: use, Summary: "Delete a conversation",
		Note:   "Proxies drop the body of a DELETE, so the query may name it too. 409 while it is answering.",
		Params: []Param{{Name: "sessionId", In: "query", Say: "Instead of the body", Example: exampleID}}, Request: SessionRef{}, BodyOptional: true,
		Status: 200, Answer: agent.Deleted{}, Errors: []int{404, 409}},

	{Method: "GET", Path: "/api/openapi.json", ID: "document.read", Noun: "document", Caller: Anybody, Summary: "This description as OpenAPI 3.1",
		Note: "For generators of clients and for tools.", Status: 200, Answer: map[string]any{}},
}
