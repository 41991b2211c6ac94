package models

import (
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strings"
	"time"
	"unicode"

	"lobstead/kit/fault"
)

// MissedPolicy is what becomes of due times that passed while nobody could start them.
type MissedPolicy string

// The policies: they are left out, one run stands for them all, or each is made up for.
const (
	MissedSkip MissedPolicy = "skip"
	MissedOnce MissedPolicy = "once"
	MissedAll  MissedPolicy = "all"
)

// Overlap is what becomes of a due time while the run before is still under way.
type Overlap string

// The policies: it waits in the conversation, is left out, or runs at the same time in a conversation of its own.
const (
	OverlapQueue Overlap = "queue"
	OverlapSkip  Overlap = "skip"
	OverlapAllow Overlap = "allow"
)

// AutomationAction is what a run does.
type AutomationAction string

// The actions: a turn with the prompt; the other two, which the runtime API knows, start none.
const (
	ActionTask AutomationAction = "task"
	ActionLog  AutomationAction = "log" // a line in the instance's log: the prompt
	ActionNoop AutomationAction = "noop"
)

// dueColumns are the columns of when one is due; its share of the jitter is its own and the time's, so that every worker knows it.
func dueColumns(automationID string, jitter int, next *time.Time) map[string]any {
	if next == nil {
		return map[string]any{"next_at": nil, "fire_at": nil}
	}
	at := next.UTC()
	return map[string]any{"next_at": at, "fire_at": at.Add(share(automationID, jitter, at))}
}

func share(automationID string, jitter int, at time.Time) time.Duration {
	if jitter <= 0 {
		return 0
	}
	h := fnv.New64a()
	_, _ = fmt.Fprint(h, automationID, at.Unix())
	return time.Duration(h.Sum64()%uint64(jitter*1000)) * time.Millisecond
}

// checkNetworks reads networks and single addresses, parted by lines, commas or blanks, and gives them one a line.
func checkNetworks(is *fault.Issues, text string) string {
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
	if len(words) > MaxNetworks {
		is.Custom("allowed_from", "At most 50 networks can be named")
		return ""
	}
	out := []string{}
	for _, w := range words {
		p, err := ParseNetwork(w)
		if err != nil {
			is.Custom("allowed_from", "“"+clip(w, 60)+"” is no network; one is called 192.0.2.0/24 or 2001:db8::/32")
			return ""
		}
		out = append(out, p.String())
	}
	return strings.Join(out, "\n")
}

// ParseNetwork reads "192.0.2.0/24", "2001:db8::/32", or a single address.
func ParseNetwork(text string) (netip.Prefix, error) {
	if !strings.Contains(text, "/") {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return netip.Prefix{}, fmt.Errorf("no address: %w", err)
		}
		addr = addr.Unmap()
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err == nil && p.Addr().Is4In6() { // such a prefix never contains the address as it is compared
		if p.Bits() < 96 {
			return netip.Prefix{}, errors.New("no network of one kind")
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), err
}

// Allows tells whether a trigger may be called from an address.
func (a *Automation) Allows(address string) bool {
	if a.AllowedFrom == "" {
		return true
	}
	from, err := netip.ParseAddr(address)
	if err != nil {
		return false
	}
	for line := range strings.SplitSeq(a.AllowedFrom, "\n") {
		if p, err := ParseNetwork(line); err == nil && p.Contains(from.Unmap()) {
			return true
		}
	}
	return false
}
