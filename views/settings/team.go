package settings

import (
	"encoding/json"
	"strings"

	"lobstead/models"
)

func memberPath(m *models.TeamMember, verb string) string {
	return teamPath + "/" + m.Membership.ID + "/" + verb
}

func roleName(r models.Role) string { return upperFirst(strings.ToLower(string(r))) }

// Article is the role in a sentence: "an admin".
func Article(r models.Role) string {
	if r == models.Member {
		return "a member"
	}
	return "an " + strings.ToLower(string(r))
}

// otherRole is what a member who is not the owner can be made.
func otherRole(r models.Role) models.Role {
	if r == models.Admin {
		return models.Member
	}
	return models.Admin
}

// capability is how a page begins a line with one: words with a capital, and a name such as files:read as programs write it.
func capability(c string) string {
	if strings.Contains(c, ":") {
		return c
	}
	return upperFirst(c)
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

func orExample(s, example string) string {
	if s == "" {
		return example
	}
	return s
}

// body is a request body for the example beside a form.
func body(v map[string]any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}
