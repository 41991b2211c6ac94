package call

import (
	"io"
	"net/http"

	"lobstead/kit/fault"
)

// MaxFile is the largest attachment that is taken in, in bytes.
const MaxFile = 20 << 20

// Fetch sends a request for an attachment and gives its body, which fails with TooLarge instead of giving more than MaxFile.
func Fetch(name string, c *http.Client, r *http.Request) (*http.Response, error) {
	res, err := c.Do(r)
	if err != nil {
		return nil, Failed(name, err)
	}
	err = Refused(name, res.StatusCode, res.Header)
	if err == nil {
		err = Fits(res.ContentLength)
	}
	if err != nil {
		_ = res.Body.Close()
		return nil, err
	}
	res.Body = &capped{name, res.Body, MaxFile}
	return res, nil
}

// Fits gives TooLarge for more bytes than we take.
func Fits(size int64) error {
	if size > MaxFile {
		return fault.New(fault.TooLarge, "service.file", "Files of more than %d MB are not taken", MaxFile>>20)
	}
	return nil
}

type capped struct {
	name string
	body io.ReadCloser
	left int64
}

// Read asks for one byte more than fits, to tell a file that just fits from one that does not.
func (c *capped) Read(b []byte) (int, error) {
	if int64(len(b)) > c.left+1 {
		b = b[:c.left+1]
	}
	n, err := c.body.Read(b)
	if int64(n) > c.left {
		n = int(c.left)
		c.left = 0
		return n, Fits(MaxFile + 1)
	}
	c.left -= int64(n)
	if err != nil && err != io.EOF {
		err = Failed(c.name, err)
	}
	return n, err
}

func (c *capped) Close() error { return c.body.Close() }
