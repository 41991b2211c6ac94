package settings

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"lobstead/models"
)

func (p AuditProps) query(before string) string {
	v := url.Values{}
	for name, text := range map[string]string{"q": p.Text, "act": p.Act, "since": p.Since, "until": p.Until, "before": before} {
		if text != "" {
			v.Set(name, text)
		}
	}
	if len(v) == 0 {
		return ""
	}
	return "?" + v.Encode()
}

func (p AuditProps) newest() string {
	if p.Before == 0 {
		return ""
	}
	return auditPath + p.query("")
}

func (p AuditProps) older() string {
	if p.Next == 0 {
		return ""
	}
	return auditPath + p.query(strconv.FormatInt(p.Next, 10))
}

func (p AuditProps) export() string { return auditPath + "/export" + p.query("") }

func (p AuditProps) none() string {
	if p.query("") != "" {
		return "Nothing fits this filter."
	}
	return "Nothing was done yet that is kept here."
}

// ActWords says an act in words: "member.role_changed" is "Member role changed".
func ActWords(name string) string {
	return upperFirst(strings.NewReplacer(".", " ", "_", " ").Replace(name))
}

// Changes says what an act changed, in a line: "role: MEMBER → ADMIN".
func Changes(e *models.AuditEntry) string {
	var before, after map[string]any
	_ = json.Unmarshal([]byte(e.Before), &before)
	_ = json.Unmarshal([]byte(e.After), &after)
	names := []string{}
	for name := range before {
		names = append(names, name)
	}
	for name := range after {
		if _, known := before[name]; !known {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	out := []string{}
	for _, name := range names {
		was, is := said(before, name), said(after, name)
		switch {
		case was != "" && is != "":
			out = append(out, name+": "+was+" → "+is)
		case was+is != "":
			out = append(out, name+": "+was+is)
		}
	}
	return strings.Join(out, ", ")
}

func said(m map[string]any, name string) string {
	v, ok := m[name]
	if !ok || v == nil || v == "" {
		return ""
	}
	return fmt.Sprint(v)
}
