package dial

import (
	"encoding/binary"
	"net/netip"
	"strings"
)

type block struct {
	prefix netip.Prefix
	reason string
	soft   bool // opened by Policy.AllowPrivate
}

func hard(p, reason string) block { return block{netip.MustParsePrefix(p), reason, false} }
func soft(p, reason string) block { return block{netip.MustParsePrefix(p), reason, true} }

// The first match decides. Source: the IANA special-purpose address registries for IPv4 and IPv6, and the
// metadata services of the large clouds, which come first because some lie inside softer ranges.
var blocks = []block{
	hard("169.254.0.0/16", "link-local (metadata service)"),
	hard("100.100.100.200/32", "a metadata service"),
	hard("192.0.0.192/32", "a metadata service"),
	hard("168.63.129.16/32", "a metadata service"),
	hard("fd00:ec2::/32", "a metadata service"),
	hard("fd20:ce::254/128", "a metadata service"),
	soft("127.0.0.0/8", "loopback"),
	soft("10.0.0.0/8", "private"),
	soft("172.16.0.0/12", "private"),
	soft("192.168.0.0/16", "private"),
	soft("100.64.0.0/10", "carrier-grade NAT"),
	soft("::1/128", "loopback"),
	soft("fc00::/7", "private"),
	hard("0.0.0.0/8", "this network"),
	hard("192.0.0.0/24", "reserved"),
	hard("192.0.2.0/24", "documentation"),
	hard("192.31.196.0/24", "reserved"),
	hard("192.52.193.0/24", "reserved"),
	hard("192.88.99.0/24", "a 6to4 relay"),
	hard("192.175.48.0/24", "reserved"),
	hard("198.18.0.0/15", "benchmarking"),
	hard("198.51.100.0/24", "documentation"),
	hard("203.0.113.0/24", "documentation"),
	hard("224.0.0.0/4", "multicast"),
	hard("240.0.0.0/4", "reserved"),
	hard("::/96", "IPv4-compatible"),
	hard("64:ff9b:1::/48", "a local NAT64 prefix"),
	hard("100::/32", "discard-only"),
	hard("2001::/23", "Teredo or reserved"),
	hard("2001:db8::/32", "documentation"),
	hard("2002::/16", "6to4"),
	hard("2620:4f:8000::/48", "reserved"),
	hard("3fff::/20", "documentation"),
	hard("5f00::/16", "segment routing"),
	hard("fe80::/10", "link-local"),
	hard("fec0::/10", "site-local"),
	hard("ff00::/8", "multicast"),
}

var (
	nat64  = netip.MustParsePrefix("64:ff9b::/96")
	global = netip.MustParsePrefix("2000::/3")
)

// Check gives nil for an address that the policy reaches, else a *BlockedError.
func (p Policy) Check(a netip.Addr) error { return p.check(a.String(), a) }

// CheckHost judges a host as far as its spelling goes, before anything is resolved: nil for one that may be looked up, else a
// *BlockedError.
func (p Policy) CheckHost(host string) error {
	if a, err := netip.ParseAddr(host); err == nil {
		return p.check(host, a)
	}
	if reason := badName(strings.TrimSuffix(host, ".")); reason != "" {
		return &BlockedError{Host: host, Reason: reason}
	}
	return nil
}

func (p Policy) check(host string, a netip.Addr) error {
	if a.Zone() != "" {
		return &BlockedError{Host: host, Addr: a, Reason: "scoped to an interface"}
	}
	a = a.Unmap()
	if p.trusts(host, a) {
		return nil
	}
	if reason := p.judge(a); reason != "" {
		return &BlockedError{Host: host, Addr: a, Reason: reason}
	}
	return nil
}

func (p Policy) trusts(host string, a netip.Addr) bool {
	for _, prefix := range p.Allow {
		if prefix.Contains(a) {
			return true
		}
	}
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	for _, h := range p.AllowHosts {
		if name == strings.TrimSuffix(strings.ToLower(h), ".") {
			return true
		}
	}
	return false
}

// judge gives the reason to refuse an unmapped address, "" for none.
func (p Policy) judge(a netip.Addr) string {
	if !a.IsValid() || a.IsUnspecified() {
		return "unspecified"
	}
	for _, b := range blocks {
		if !b.prefix.Contains(a) {
			continue
		}
		if b.soft && p.AllowPrivate {
			return ""
		}
		return b.reason
	}
	if a.Is4() {
		return ""
	}
	if nat64.Contains(a) { // a DNS64 network spells public IPv4 this way: judge what is inside
		return Policy{}.judge(embedded(a))
	}
	if !global.Contains(a) {
		return "not global unicast"
	}
	if isatap(a) {
		return "an ISATAP tunnel"
	}
	return ""
}

// embedded gives the IPv4 address in the last four bytes.
func embedded(a netip.Addr) netip.Addr {
	b := a.As16()
	return netip.AddrFrom4([4]byte(b[12:]))
}

// isatap sees interface identifiers 0000:5efe and 0200:5efe (RFC 5214), which carry an IPv4 address.
func isatap(a netip.Addr) bool {
	b := a.As16()
	id := binary.BigEndian.Uint32(b[8:12])
	return id&^0x02000000 == 0x00005efe
}

// badName gives the reason to refuse a host that is no address, "" for none. Resolvers of the C library read
// "0x7f.1" and "2130706433" as addresses; a name whose last label is a number is never a public name.
func badName(name string) string {
	if name == "" || len(name) > 253 {
		return "no valid host name"
	}
	if strings.ContainsAny(name, "%:/\\@?#[] \t\r\n\x00") {
		return "no valid host name"
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	if last == "" || isNumber(last) {
		return "an unusual spelling of an address"
	}
	return ""
}

func isNumber(s string) bool {
	s = strings.ToLower(s)
	if rest, ok := strings.CutPrefix(s, "0x"); ok {
		return strings.Trim(rest, "0123456789abcdef") == ""
	}
	return strings.Trim(s, "0123456789") == ""
}
