package dial_test

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/dial"
)

// libc answers as the most permissive C library would: every numeric spelling is an address, and every other
// name is this machine.
type libc struct{}

func (libc) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
}

// private is a server on loopback that counts who reached it.
func private(t *testing.T) (port string, hits *atomic.Int64) {
	hits = new(atomic.Int64)
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { hits.Add(1) }))
	t.Cleanup(s.Close)
	_, port, err := net.SplitHostPort(s.Listener.Addr().String())
	require.NoError(t, err)
	return port, hits
}

// spellings gives the ways to write one IPv4 address as the host of a URL.
func spellings(a netip.Addr) []string {
	b := a.As4()
	n := uint32(b[0])<<24 | uint32(b[1])<<16 | uint32(b[2])<<8 | uint32(b[3])
	hi, lo := n>>16, n&0xffff
	wide := strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５",
		"6", "６", "7", "７", "8", "８", "9", "９")
	return []string{
		a.String(), a.String() + ".", fmt.Sprint(n), fmt.Sprintf("0x%x", n), fmt.Sprintf("0X%X", n), "0" + strconv.FormatInt(int64(n), 8),
		fmt.Sprintf("0%o.0%o.0%o.0%o", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("0x%x.0x%x.0x%x.0x%x", b[0], b[1], b[2], b[3]),
		fmt.Sprintf("%d.%d", b[0], n&0xffffff), fmt.Sprintf("%d.%d.%d", b[0], b[1], lo),
		fmt.Sprintf("%03d.%03d.%03d.%03d", b[0], b[1], b[2], b[3]),
		wide.Replace(a.String()), strings.ReplaceAll(a.String(), ".", "。"),
		"[::ffff:" + a.String() + "]", fmt.Sprintf("[::ffff:%x:%x]", hi, lo), fmt.Sprintf("[0:0:0:0:0:FFFF:%04X:%04X]", hi, lo),
		"[::" + a.String() + "]", fmt.Sprintf("[64:ff9b::%x:%x]", hi, lo), "[64:ff9b::" + a.String() + "]",
		fmt.Sprintf("[64:ff9b:1::%x:%x]", hi, lo), fmt.Sprintf("[2002:%x:%x::1]", hi, lo),
		fmt.Sprintf("[2001:0:%x:%x::1]", hi, lo), fmt.Sprintf("[2001:0:4136:e378:8000:63bf:%x:%x]", hi^0xffff, lo^0xffff),
		fmt.Sprintf("[2606:4700::5efe:%x:%x]", hi, lo), fmt.Sprintf("[2606:4700::200:5efe:%x:%x]", hi, lo),
		fmt.Sprintf("[::ffff:0:%x:%x]", hi, lo),
		"public.example@" + a.String(), "a:b@" + a.String(), "public.example%40x@" + a.String(),
		"[::ffff:" + a.String() + "%25lo]",
	}
}

func TestNoSpellingReachesPrivateSpace(t *testing.T) {
	port, hits := private(t)
	hosts := []string{"[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::1%25lo]", "[fe80::1]", "[fe80::1%25eth0]", "[fe80::1%251]",
		"[fc00::1]", "[fd00:ec2::254]", "[fd12:3456::1]", "[fec0::1]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]",
		"[4000::1]", "[::2]", "localhost", "LOCALHOST", "localhost.", "a.localhost", "0", "0x0", "00", "0.0", "127.1", "127.0.1",
		"127.0.0.1..", "metadata", "name.127", "name.0x7f", "[fd20:ce::254]", "[2606:4700::1%25lo]", "①②⑦.⓪.⓪.①"}
	for _, a := range []string{"127.0.0.1", "127.255.255.254", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254",
		"100.64.0.1", "100.127.255.255", "100.100.100.200", "0.0.0.0", "0.1.2.3", "192.0.0.192", "192.0.2.1", "198.18.0.1",
		"198.51.100.7", "203.0.113.9", "224.0.0.1", "240.0.0.1", "255.255.255.255", "168.63.129.16"} {
		hosts = append(hosts, spellings(netip.MustParseAddr(a))...)
	}
	require.Greater(t, len(hosts), 150)
	c := dial.New(dial.Policy{Resolver: libc{}, Connect: time.Second})
	for _, h := range hosts {
		_, err := c.Get("http://" + h + ":" + port + "/")
		require.Error(t, err, h)
		if !dial.IsBlocked(err) {
			require.Regexp(t, `invalid|no such host|parse`, err.Error(), h) // the URL itself was refused
		}
	}
	require.Zero(t, hits.Load())
	t.Logf("%d spellings", len(hosts))
}

func TestPublicAddressesPass(t *testing.T) {
	for _, a := range []string{"1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.0", "172.15.0.1", "172.32.0.1", "169.253.1.1", "198.17.0.1",
		"2606:4700::1111", "2a00:1450:4001::1", "::ffff:1.1.1.1", "64:ff9b::101:101"} {
		require.NoError(t, dial.Policy{}.Check(netip.MustParseAddr(a)), a)
	}
}

func TestAllowPrivateOpensOnlyWhatAnOperatorOwns(t *testing.T) {
	p := dial.Policy{AllowPrivate: true}
	for _, a := range []string{"127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "172.20.0.1", "fd12::1", "100.64.1.1", "::ffff:127.0.0.1"} {
		require.NoError(t, p.Check(netip.MustParseAddr(a)), a)
	}
	for _, a := range []string{"169.254.169.254", "fd00:ec2::254", "100.100.100.200", "0.0.0.0", "::", "fe80::1", "224.0.0.1",
		"64:ff9b::7f00:1", "2002:7f00:1::", "::127.0.0.1", "::ffff:169.254.169.254", "168.63.129.16", "::1%lo"} {
		require.Error(t, p.Check(netip.MustParseAddr(a)), a)
	}
	p = dial.Policy{Allow: []netip.Prefix{netip.MustParsePrefix("10.9.0.0/16")}}
	require.NoError(t, p.Check(netip.MustParseAddr("10.9.1.1")))
	require.Error(t, p.Check(netip.MustParseAddr("10.8.1.1")))
}
