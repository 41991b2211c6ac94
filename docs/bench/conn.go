package main

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"time"
)

// conn is one kept-alive HTTP/1.1 connection that costs as little as it can: the client shares the two cores with
// what it measures.
type conn struct {
	net.Conn
	in   *bufio.Reader
	addr string
	buf  []byte
}

func dial(addr string) (*conn, error) {
	c, err := net.DialTimeout("tcp", addr, 5*time.Second)
	if err != nil {
		return nil, err
	}
	return &conn{Conn: c, in: bufio.NewReaderSize(c, 16<<10), addr: addr}, nil
}

func (c *conn) close() { _ = c.Close() }

// send writes a request; headers end in CRLF each.
func (c *conn) send(method, path, headers string, body []byte) error {
	b := append(c.buf[:0], method+" "+path+" HTTP/1.1\r\nHost: "+c.addr+"\r\n"+headers...)
	if body != nil {
		b = append(b, "Content-Length: "+strconv.Itoa(len(body))+"\r\n"...)
	}
	b = append(append(b, "\r\n"...), body...)
	c.buf = b[:0]
	_, err := c.Write(b)
	return err
}

// do sends a request and reads the whole answer.
func (c *conn) do(method, path, headers string, body []byte) (int, []byte, error) {
	if err := c.SetDeadline(time.Now().Add(90 * time.Second)); err != nil {
		return 0, nil, err
	}
	if err := c.send(method, path, headers, body); err != nil {
		return 0, nil, err
	}
	code, h, err := c.head()
	if err != nil {
		return 0, nil, err
	}
	if h.Get("Transfer-Encoding") == "chunked" {
		out, err := c.chunks()
		return code, out, err
	}
	n, err := strconv.Atoi(h.Get("Content-Length"))
	if err != nil {
		if code == 204 || code == 304 {
			return code, nil, nil
		}
		return 0, nil, errors.New("an answer without a length")
	}
	out := make([]byte, n)
	_, err = io.ReadFull(c.in, out)
	return code, out, err
}

func (c *conn) head() (int, textproto.MIMEHeader, error) {
	r := textproto.NewReader(c.in)
	line, err := r.ReadLine()
	if err != nil {
		return 0, nil, err
	}
	_, rest, _ := strings.Cut(line, " ")
	text, _, _ := strings.Cut(rest, " ")
	code, err := strconv.Atoi(text)
	if err != nil {
		return 0, nil, err
	}
	h, err := r.ReadMIMEHeader()
	return code, h, err
}

func (c *conn) chunks() ([]byte, error) {
	var out []byte
	for {
		line, err := c.in.ReadString('\n')
		if err != nil {
			return nil, err
		}
		n, err := strconv.ParseInt(strings.TrimSpace(line), 16, 64)
		if err != nil {
			return nil, err
		}
		part := make([]byte, n+2)
		if _, err := io.ReadFull(c.in, part); err != nil {
			return nil, err
		}
		if n == 0 {
			return out, nil
		}
		out = append(out, part[:n]...)
	}
}

// rate is how many requests a second a number of connections get answered.
func rate(addr, path, headers string, conns int, d time.Duration) (float64, error) {
	var all sync.WaitGroup
	var mu sync.Mutex
	var first error
	total := 0
	began := time.Now()
	for range conns {
		all.Go(func() {
			n, err := hammer(addr, path, headers, began.Add(d))
			mu.Lock()
			defer mu.Unlock()
			total += n
			if err != nil {
				first = err
			}
		})
	}
	all.Wait()
	return float64(total) / time.Since(began).Seconds(), first
}

func hammer(addr, path, headers string, until time.Time) (n int, err error) {
	c, err := dial(addr)
	if err != nil {
		return 0, err
	}
	defer c.close()
	for time.Now().Before(until) {
		code, _, err := c.do("GET", path, headers, nil)
		if err != nil {
			return n, err
		}
		if code != 200 {
			return n, errors.New(path + " answers " + strconv.Itoa(code))
		}
		n++
	}
	return n, nil
}

// times asks n times, one after the other.
func times(addr, path, headers string, n int) (sample, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	defer c.close()
	out := make(sample, 0, n)
	for range n {
		began := time.Now()
		code, _, err := c.do("GET", path, headers, nil)
		if err != nil {
			return nil, err
		}
		if code != 200 {
			return nil, errors.New(path + " answers " + strconv.Itoa(code))
		}
		out = append(out, time.Since(began))
	}
	return out, nil
}
