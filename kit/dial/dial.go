// Package dial owns every outbound connection of the program: it resolves a host, judges each address,
// and dials the very address that it judged, so that a name which changes its answer gains nothing.
//
// Nothing else may build an http.Client or a net.Dialer. The package knows no provider and no credential;
// what a caller may reach beyond the public internet is said once, in a Policy.
package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"
)

// Resolver finds the addresses of a host; *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Policy says what a client may reach and how long it waits. The zero value reaches public addresses only.
type Policy struct {
	// AllowPrivate opens loopback, private, ULA and CGNAT space, for an address that the operator configured
	// (a local Ollama). Link-local, metadata services, multicast and translation prefixes stay shut.
	AllowPrivate bool
	Allow        []netip.Prefix // opened whatever they are
	AllowHosts   []string       // exact host names whose addresses are not judged; no wildcards

	Connect   time.Duration // for the whole dial; 0 = 10 s
	TLS       time.Duration // handshake; 0 = 10 s
	FirstByte time.Duration // from the request's end to the response headers; 0 = 60 s, negative = no limit
	Idle      time.Duration // between two reads of a body; 0 = 60 s, negative = no limit
	Redirects int           // followed at most; 0 = 5, negative = none (the redirect itself is returned)

	Resolver Resolver // nil = the system's
}

// BlockedError says that an address may not be reached. Its text is safe to show to the person who asked.
type BlockedError struct {
	Host   string
	Addr   netip.Addr // invalid when the host itself was refused
	Reason string     // "loopback", "private", "metadata service", …
}

func (e *BlockedError) Error() string {
	if !e.Addr.IsValid() || e.Host == e.Addr.String() {
		return fmt.Sprintf("address %q is not allowed: %s", e.Host, e.Reason)
	}
	return fmt.Sprintf("host %q is not allowed: %s is %s", e.Host, e.Addr, e.Reason)
}

// IsBlocked reports whether err is a refusal by policy, not a failure of the network.
func IsBlocked(err error) bool {
	_, ok := errors.AsType[*BlockedError](err)
	return ok
}

// Dialer opens guarded TCP connections, for protocols other than HTTP (SMTP, WebSocket).
type Dialer struct{ policy Policy }

// NewDialer makes a dialer for a policy.
func NewDialer(p Policy) *Dialer { return &Dialer{p.withDefaults()} }

// DialContext resolves, judges every address, and connects to a judged one.
// One bad address refuses the host: a name that mixes public and private answers is an attack.
func (d *Dialer) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.policy.Connect)
	defer cancel()
	addrs, err := d.Resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	// The public port number is resolved by net.Dialer; the host is already an address here.
	var first error
	for i, a := range addrs {
		conn, err := d.connect(ctx, network, net.JoinHostPort(a.String(), port), host, share(ctx, len(addrs)-i))
		if err == nil {
			return conn, nil
		}
		if first == nil {
			first = err
		}
		if ctx.Err() != nil {
			break
		}
	}
	return nil, first
}

// share splits the time left evenly among the addresses still to try, so that a dead one cannot eat it all.
func share(ctx context.Context, left int) time.Duration {
	end, _ := ctx.Deadline()
	return max(time.Until(end)/time.Duration(left), time.Millisecond)
}

// connect dials one address; Control judges the socket's own target once more, right before connect(2).
func (d *Dialer) connect(ctx context.Context, network, address, host string, limit time.Duration) (net.Conn, error) {
	inner := net.Dialer{Timeout: limit, KeepAlive: 30 * time.Second,
		Control: func(_, target string, _ syscall.RawConn) error {
			ap, err := netip.ParseAddrPort(target)
			if err != nil {
				return err
			}
			return d.policy.check(host, ap.Addr())
		}}
	return inner.DialContext(ctx, network, address)
}

// Resolve gives the addresses of a host that may be dialled, IPv4 first, or a *BlockedError.
func (d *Dialer) Resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	if err := d.policy.CheckHost(host); err != nil {
		return nil, err
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{a.Unmap()}, nil
	}
	name := strings.TrimSuffix(host, ".")
	addrs, err := d.policy.Resolver.LookupNetIP(ctx, "ip", name)
	if dns, ok := errors.AsType[*net.DNSError](err); ok { // which resolver we ask is for nobody outside
		bare := *dns
		bare.Server = ""
		return nil, &bare
	}
	if err != nil {
		return nil, err
	}
	if len(addrs) == 0 {
		return nil, &net.DNSError{Err: "no addresses", Name: name, IsNotFound: true}
	}
	out := make([]netip.Addr, 0, len(addrs))
	for _, a := range addrs {
		if err := d.policy.check(host, a); err != nil {
			return nil, err
		}
		out = append(out, a.Unmap())
	}
	slices.SortStableFunc(out, func(a, b netip.Addr) int { return a.BitLen() - b.BitLen() })
	return out, nil
}

func (p Policy) withDefaults() Policy {
	p.Connect = orDefault(p.Connect, 10*time.Second)
	p.TLS = orDefault(p.TLS, 10*time.Second)
	p.FirstByte = orDefault(p.FirstByte, time.Minute)
	p.Idle = orDefault(p.Idle, time.Minute)
	if p.Redirects == 0 {
		p.Redirects = 5
	}
	if p.Resolver == nil {
		p.Resolver = net.DefaultResolver
	}
	return p
}

func orDefault(d, def time.Duration) time.Duration {
	if d == 0 {
		return def
	}
	return d
}
