//go:build !unix

package app

import "net"

// watchPeer has no means here: a client that left is noticed at the next write.
func watchPeer(net.Conn, func()) (stop func()) { return func() {} }
