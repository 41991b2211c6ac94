//go:build unix

package app

import (
	"net"
	"syscall"
	"time"
)

// watchPeer calls gone when the other side of a connection leaves, without taking a byte from it. The server itself
// would notice at its next write only. stop returns when nobody watches any more. Over TLS nothing is watched.
func watchPeer(conn net.Conn, gone func()) (stop func()) {
	sys, ok := conn.(syscall.Conn)
	if !ok {
		return func() {}
	}
	raw, err := sys.SyscallConn()
	if err != nil {
		return func() {}
	}
	_ = conn.SetReadDeadline(time.Time{}) // the server's own was for the request
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		left := false
		_ = raw.Read(func(fd uintptr) bool {
			var one [1]byte
			n, _, err := syscall.Recvfrom(int(fd), one[:], syscall.MSG_PEEK)
			switch {
			case err == syscall.EAGAIN, err == syscall.EINTR:
				return false // wait
			case n <= 0:
				left = true
			}
			return true // it left, or it sends the next request already
		})
		if left {
			gone()
		}
	}()
	return func() {
		_ = conn.SetReadDeadline(time.Unix(1, 0)) // wakes the watcher
		<-ended
		_ = conn.SetReadDeadline(time.Time{})
	}
}
