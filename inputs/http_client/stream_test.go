package httpclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

// TestEvents reads one stream of server-sent events with all that may stand in
// one.
func TestEvents(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"one", "data: a\n\n", "a"},
		{"no space", "data:a\n\n", "a"},
		{"one space goes", "data:  a\n\n", " a"},
		{"lines", "data: a\ndata\ndata: b\n\n", "a\n\nb"},
		{"ends of lines", "data: a\r\n\r\ndata: b\r\rdata: c\n\n", "a|b|c"},
		{"mark of UTF-8", "\xef\xbb\xbfdata: a\n\n", "a"},
		{"comments and unknown fields", ": hello\nx: y\ndata: a\n: again\n\n", "a"},
		{"id and type", "event: add\nid: 7\ndata: a\n\ndata: b\n\n", "a event=add id=7|b id=7"},
		{"no id any more", "id: 7\ndata: a\n\nid\ndata: b\n\n", "a id=7|b"},
		{"id with a null", "id: 7\x00\ndata: a\n\n", "a"},
		{"without data", "id: 7\nevent: x\n\ndata: b\n\n", "b id=7"},
		{"empty data", "data\n\n", ""},
		{"not complete", "data: a\n\ndata: b\n", "a"},
		{"bad retry", "retry: soon\ndata: a\n\n", "a"},
		{"too long", "data: 0123456789\n\ndata: 01234567890\n\ndata: 0123456\ndata: 789\n\ndata: ok\n\n", "0123456789|!0123456789|!0123456\n78|ok"},
		{"too long for its line", "data: " + strings.Repeat("x", 100_000) + "\n\ndata: ok\n\n", "!xxxxxxxxxx|ok"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/event-stream; charset=utf-8")
				_, _ = io.WriteString(w, tt.in)
			})
			in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
				c.Format, c.Once, c.MaxRecord = "sse", true, 10
			}))
			list, _ := read(t, in, -1)
			var got []string
			for _, r := range list {
				text := string(r.Value)
				if r.Failure.Reason != nil {
					text = "!" + text
				}
				for _, h := range r.Headers {
					text += fmt.Sprintf(" %s=%s", strings.TrimPrefix(h.Key, "sse."), h.Value)
				}
				got = append(got, text)
			}
			if strings.Join(got, "|") != tt.want {
				t.Errorf("got %q, want %q", strings.Join(got, "|"), tt.want)
			}
		})
	}
}

// events serves numbered events behind Last-Event-ID; each connection breaks
// in another way.
func events(total int) http.HandlerFunc {
	var connections atomic.Int32
	return func(w http.ResponseWriter, r *http.Request) {
		connection := connections.Add(1)
		last := 0
		_, _ = fmt.Sscan(r.Header.Get("Last-Event-ID"), &last)
		w.Header().Set("Content-Type", "text/event-stream")
		for i := last + 1; i <= min(last+3, total); i++ {
			fmt.Fprintf(w, "retry: 1\nid: %d\ndata: %d\n\n", i, i)
		}
		if last >= total {
			w.Header().Set("Content-Type", "")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		fmt.Fprintf(w, "id: 99\ndata: half") // of an event
		w.(http.Flusher).Flush()
		switch connection % 3 {
		case 0:
			panic(http.ErrAbortHandler)
		case 1:
			<-r.Context().Done() // says nothing more
		}
	}
}

// TestReconnects: after each way to end, the stream goes on behind the last
// event, and 204 ends it for good.
func TestReconnects(t *testing.T) {
	t.Parallel()
	s := serve(t, events(12))
	in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
		c.Format, c.SilenceTimeout, c.Interval = "sse", 500*time.Millisecond, time.Hour
	}))
	got, retries := read(t, in, -1)
	if want := "1|2|3|4|5|6|7|8|9|10|11|12"; texts(got) != want {
		t.Errorf("read %s", texts(got))
	}
	if want := "GET /\nGET / Last-Event-ID:3\nGET / Last-Event-ID:6\nGET / Last-Event-ID:9\nGET / Last-Event-ID:12"; s.requests() != want {
		t.Errorf("it did not ask as it must")
	}
	if len(retries) != 3 { // silent, cut, silent; the second one ended well
		t.Fatalf("%d tries: %v", len(retries), retries)
	}
	for i, want := range []string{"silence_timeout", "EOF", "silence_timeout"} {
		if !strings.Contains(retries[i].Error(), want) || retries[i].After != time.Millisecond {
			t.Errorf("failure %d: %v after %s", i, retries[i], retries[i].After)
		}
	}
}

func TestStreamConformance(t *testing.T) {
	t.Parallel()
	var want []enginetest.Record
	for i := range 12 {
		want = append(want, enginetest.Record{Value: fmt.Append(nil, i+1)})
	}
	lines := serve(t, func(w http.ResponseWriter, r *http.Request) {
		after := 0
		_, _ = fmt.Sscan(r.URL.Query().Get("after"), &after)
		for i := after + 1; i <= 12; i++ {
			fmt.Fprintf(w, "%d\n\n", i)
			w.(http.Flusher).Flush()
		}
		<-r.Context().Done()
	})
	t.Run("lines", func(t *testing.T) {
		enginetest.RunInput(t, enginetest.InputCase{Want: want, Unbounded: true, OneOrder: true, New: func(t *testing.T) engine.Input {
			in, err := newInput(config(lines.URL, func(c *Config) {
				c.Format, c.Stream, c.Cursor = "ndjson", true, &Cursor{Record: engine.PathOption{}, Param: "after"}
			}), enginetest.Env(t, "input.http_client.in"))
			if err != nil {
				t.Fatal(err)
			}
			return in
		}})
	})
	sse := serve(t, func(w http.ResponseWriter, r *http.Request) {
		after := 0
		_, _ = fmt.Sscan(r.Header.Get("Last-Event-ID"), &after)
		w.Header().Set("Content-Type", "text/event-stream")
		for i := after + 1; i <= 12; i++ {
			fmt.Fprintf(w, "id:%d\ndata:%d\n\n", i, i)
			w.(http.Flusher).Flush()
		}
		w.(http.Flusher).Flush()
		<-r.Context().Done()
	})
	t.Run("sse", func(t *testing.T) {
		withID := make([]enginetest.Record, len(want))
		for i, r := range want {
			withID[i] = r
			withID[i].Headers = headerList{{Key: "sse.id", Value: r.Value}}
		}
		enginetest.RunInput(t, enginetest.InputCase{Want: withID, Unbounded: true, OneOrder: true, New: func(t *testing.T) engine.Input {
			in, err := newInput(config(sse.URL, func(c *Config) { c.Format = "sse" }), enginetest.Env(t, "input.http_client.in"))
			if err != nil {
				t.Fatal(err)
			}
			return in
		}})
	})
}

// TestLines: a stream of lines delivers what is there, takes the last line
// without end, and fails what is too long.
func TestLines(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "1\r\n\n  2\n%s\n3", strings.Repeat("x", 200_000))
	})
	in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
		c.Format, c.Stream, c.Once, c.MaxRecord = "ndjson", true, true, 100_000
	}))
	got, _ := read(t, in, -1)
	if want := "1|2|!" + strings.Repeat("x", 120) + "|3"; texts(got) != want {
		t.Errorf("read %q", texts(got))
	}
}

func TestStreamRefused(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		h      http.HandlerFunc
		again  bool
		reason string
	}{
		{"another type", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "{}") }, false, "not text/event-stream"},
		{"forbidden", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, false, "403"},
		{"busy", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }, true, "503"},
		{"no answer", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, true, "timeout of 100ms"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, tt.h)
			in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
				c.Format = "sse"
				if tt.name == "no answer" {
					c.Timeout = 100 * time.Millisecond
				}
			}))
			_, err := in.Read(t.Context())
			var again *engine.RetryError
			if err == nil || !strings.Contains(err.Error(), tt.reason) || errors.As(err, &again) != tt.again {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestCloseCutsAStream: a stream that nobody reads ends with its input.
func TestCloseCutsAStream(t *testing.T) {
	t.Parallel()
	ended := make(chan struct{})
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		defer close(ended)
		for r.Context().Err() == nil {
			if _, err := io.WriteString(w, strings.Repeat("1\n", 1000)); err != nil {
				return
			}
		}
	})
	in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) { c.Format, c.Stream = "ndjson", true }))
	read(t, in, 10)
	if err := in.Close(context.WithoutCancel(t.Context())); err != nil {
		t.Error(err)
	}
	select {
	case <-ended:
	case <-time.After(10 * time.Second):
		t.Error("the request goes on")
	}
}

// FuzzLineReader: the sizes of pieces change nothing, and no line is over the
// limit.
func FuzzLineReader(f *testing.F) {
	f.Add([]byte("a\r\nb\rc\n\n\r\r\nd"), uint8(16), true)
	f.Add([]byte("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\nb"), uint8(5), false)
	f.Fuzz(func(t *testing.T, data []byte, most uint8, anyEnd bool) {
		text := string(data)
		if anyEnd {
			text = strings.ReplaceAll(strings.ReplaceAll(text, "\r\n", "\n"), "\r", "\n")
		}
		want := strings.Split(text, "\n")
		l := &lineReader{r: bufio.NewReaderSize(strings.NewReader(string(data)), 16), max: int(most), anyEnd: anyEnd}
		for i, w := range want {
			line, whole, err := l.next()
			if whole != (len(w) <= int(most)) || string(line) != w[:min(len(w), int(most))] || (err != nil) != (i == len(want)-1) {
				t.Fatalf("line %d: %q, whole %v, %v; want %q", i, line, whole, err, w)
			}
		}
	})
}

// FuzzNextLink: any header is read without a panic or a hang.
func FuzzNextLink(f *testing.F) {
	f.Add(`<a>; rel="x", <b>;rel=next`)
	f.Add(`<a>; rel="next`)
	f.Add(`<a>;;=,;rel=;next`)
	f.Fuzz(func(t *testing.T, v string) {
		if target, ok := nextLink(v); ok && !strings.Contains(v, "<"+target+">") {
			t.Errorf("%q is not in %q", target, v)
		}
	})
}

func TestNextLink(t *testing.T) {
	t.Parallel()
	for v, want := range map[string]string{
		`</2>; rel=next`:                               "/2",
		`</1>; rel="prev", </2>; rel="next"`:           "/2",
		`</2?a=,;>; title="x, <y>; rel=next"; rel=nex`: "",
		`</2>; REL="last NEXT"; a`:                     "/2",
		`</1>;rel=prev,</2>;rel=next`:                  "/2",
		`</2>; title="a \" b"; rel=next`:               "/2",
		`/2; rel=next`:                                 "",
		``:                                             "",
	} {
		if got, _ := nextLink(v); got != want {
			t.Errorf("%s: %q, want %q", v, got, want)
		}
	}
}
