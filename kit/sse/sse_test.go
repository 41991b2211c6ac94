package sse_test

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/stretchr/testify/require"

	"lobstead/kit/sse"
)

func all(t *testing.T, r io.Reader) ([]sse.Event, error) {
	t.Helper()
	var out []sse.Event
	in := sse.NewReader(r, sse.Limits{Line: 100, Event: 300})
	for {
		e, err := in.Next()
		if err == io.EOF {
			return out, nil
		}
		if err == io.ErrUnexpectedEOF {
			out = append(out, e)
		}
		if err != nil {
			return out, err
		}
		out = append(out, e)
	}
}

func TestReader(t *testing.T) {
	for name, c := range map[string]struct {
		in   string
		want []sse.Event
		err  error
	}{
		"lf":              {in: "data: a\n\ndata: b\n\n", want: []sse.Event{{Data: "a"}, {Data: "b"}}},
		"crlf":            {in: "data: a\r\n\r\ndata: b\r\n\r\n", want: []sse.Event{{Data: "a"}, {Data: "b"}}},
		"cr":              {in: "data: a\r\rdata: b\r\r", want: []sse.Event{{Data: "a"}, {Data: "b"}}},
		"mixed":           {in: "data: a\r\n\ndata: b\r\r\n", want: []sse.Event{{Data: "a"}, {Data: "b"}}},
		"bom":             {in: "\xef\xbb\xbfdata: a\n\n", want: []sse.Event{{Data: "a"}}},
		"multi-line":      {in: "data: a\ndata:\ndata:  b\n\n", want: []sse.Event{{Data: "a\n\n b"}}},
		"no space":        {in: "data:{}\n\n", want: []sse.Event{{Data: "{}"}}},
		"field only":      {in: "data\n\n", want: []sse.Event{{}}},
		"comments":        {in: ": hi\n\n:\ndata: a\n: more\n\n", want: []sse.Event{{Data: "a"}}},
		"name":            {in: "event: ping\ndata: {}\n\ndata: x\n\n", want: []sse.Event{{Name: "ping", Data: "{}"}, {Data: "x"}}},
		"name, no data":   {in: "event: ping\n\ndata: x\n\n", want: []sse.Event{{Data: "x"}}},
		"id stays":        {in: "id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n", want: []sse.Event{{ID: "7", Data: "a"}, {ID: "7", Data: "b"}, {Data: "c"}}},
		"id with nul":     {in: "id: 7\x00\ndata: a\n\n", want: []sse.Event{{Data: "a"}}},
		"retry":           {in: "retry: 1500\ndata: a\n\nretry: x\ndata: b\n\n", want: []sse.Event{{Data: "a", Retry: 1500 * time.Millisecond}, {Data: "b"}}},
		"unknown fields":  {in: "foo: bar\ndata: a\nDATA: b\n\n", want: []sse.Event{{Data: "a"}}},
		"no blank at end": {in: "data: a\n", want: []sse.Event{{Data: "a"}}, err: io.ErrUnexpectedEOF},
		"cut in a line":   {in: "data: a\n\ndata: {\"x", want: []sse.Event{{Data: "a"}, {Data: "{\"x"}}, err: io.ErrUnexpectedEOF},
		"long line":       {in: "data: " + strings.Repeat("x", 200) + "\n\n", err: sse.ErrTooLong},
		"long event":      {in: strings.Repeat("data: "+strings.Repeat("x", 80)+"\n", 9) + "\n", err: sse.ErrTooLong},
		"empty":           {in: ""},
		"only newlines":   {in: "\n\n\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := all(t, strings.NewReader(c.in))
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
			got, err = all(t, iotest.OneByteReader(strings.NewReader(c.in)))
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
		})
	}
}

func TestReaderPassesErrorsOn(t *testing.T) {
	_, err := all(t, io.MultiReader(strings.NewReader("data: a\n"), iotest.ErrReader(io.ErrClosedPipe)))
	require.ErrorIs(t, err, io.ErrClosedPipe)
}

// An event must come out when its blank line has arrived, even when that line is a lone CR.
func TestReaderDoesNotHoldBack(t *testing.T) {
	r, w := io.Pipe()
	defer w.Close()
	go func() { _, _ = w.Write([]byte("data: a\r\r")) }()
	e, err := sse.NewReader(r, sse.Limits{}).Next()
	require.NoError(t, err)
	require.Equal(t, "a", e.Data)
}

func TestWriterCannotBeBrokenOut(t *testing.T) {
	evil := "x\n\ndata: forged\r\revent: y\r\nid: 9"
	b := sse.Append(nil, sse.Event{ID: evil, Name: evil, Data: evil})
	b = append(b, sse.Comment(nil, evil)...)
	got, err := all(t, strings.NewReader(string(b)))
	require.NoError(t, err)
	require.Len(t, got, 1)
	require.Equal(t, "x\n\ndata: forged\n\nevent: y\nid: 9", got[0].Data)
	require.Equal(t, "id: 3\nevent: tick\nretry: 20\ndata: \n\n",
		string(sse.Append(nil, sse.Event{ID: "3", Name: "tick", Retry: 20 * time.Millisecond})))
}

func FuzzRoundTrip(f *testing.F) {
	f.Add("1", "name", "a\nb")
	f.Add("", "", "\r\n\r")
	f.Add("\x00", "a\rb", ": x")
	clean := strings.NewReplacer("\r", "", "\n", "", "\x00", "")
	lines := strings.NewReplacer("\r\n", "\n", "\r", "\n")
	f.Fuzz(func(t *testing.T, id, name, data string) {
		_, _ = all(t, strings.NewReader(data)) // no panic on anything
		r := sse.NewReader(strings.NewReader(string(sse.Append(nil, sse.Event{ID: id, Name: name, Data: data}))), sse.Limits{})
		e, err := r.Next()
		require.NoError(t, err)
		require.Equal(t, sse.Event{ID: clean.Replace(id), Name: clean.Replace(name), Data: lines.Replace(data)}, e)
		_, err = r.Next()
		require.Equal(t, io.EOF, err)
	})
}
