package http

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/outputs/internal/player"
)

// TestFaults: whatever happens on the way, every record arrives, in order, and
// the fault has really happened.
func TestFaults(t *testing.T) {
	t.Parallel()
	const every = 7 // of the requests has the fault
	status := func(code int, header ...string) func(w http.ResponseWriter) (bool, bool) {
		return func(w http.ResponseWriter) (bool, bool) {
			if len(header) > 0 {
				w.Header().Set(header[0], header[1])
			}
			http.Error(w, "not now", code)
			return true, false
		}
	}
	for _, tt := range []struct {
		name  string
		fault func(w http.ResponseWriter) (answered, store bool)
		want  string
		after time.Duration
		twice bool
	}{
		{"500 then 200", status(500), "status 500 Internal Server Error: not now", 0, false},
		{"503 with a wait", status(503, "Retry-After", "2"), "status 503 Service Unavailable", 2 * time.Second, false},
		{"429 with a wait", status(429, "Retry-After", "1"), "status 429 Too Many Requests", time.Second, false},
		{"408", status(408), "status 408 Request Timeout", 0, false},
		{"cut before it is stored", func(w http.ResponseWriter) (bool, bool) { hangUp(w); return true, false }, "EOF", 0, false},
		{"cut after it is stored", func(w http.ResponseWriter) (bool, bool) { hangUp(w); return true, true }, "EOF", 0, true},
		{"cut in the answer", func(w http.ResponseWriter) (bool, bool) {
			c, rw, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = rw.WriteString("HTTP/1.1 20")
				_ = rw.Flush()
				_ = c.Close()
			}
			return true, true
		}, "", 0, true},
		{"no HTTP", func(w http.ResponseWriter) (bool, bool) {
			c, rw, err := http.NewResponseController(w).Hijack()
			if err == nil {
				_, _ = rw.WriteString("SSH-2.0-dropbear\r\n")
				_ = rw.Flush()
				_ = c.Close()
			}
			return true, false
		}, "malformed HTTP", 0, false},
	} {
		for _, body := range []string{bodySingle, bodyLines, bodyArray} {
			t.Run(tt.name+"/"+body, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				faults := 0
				s.answer = func(n int, w http.ResponseWriter, _ *http.Request, _ string) (bool, bool) {
					if n%every != 1 {
						return false, true
					}
					faults++
					return tt.fault(w)
				}
				_, p := open(t, config(s.URL, func(c *Config) {
					c.Body = body
					if body != bodySingle {
						c.BatchRecords = 4
					}
				}))
				p.Write(t.Context(), numbers(20, 10)...)
				if p.Stopped != nil || len(p.Refused) > 0 {
					t.Fatalf("stopped: %v, refused: %v", p.Stopped, p.Refused)
				}
				more := player.InOrder(t, s.bodies(), 200)
				if !tt.twice && more > 0 {
					t.Errorf("%d records came twice", more)
				}
				if faults == 0 || len(p.Retries) == 0 {
					t.Fatalf("%d faults, %d tries again", faults, len(p.Retries))
				}
				var r *engine.RetryError
				if i := slices.IndexFunc(p.Retries, func(err error) bool { return strings.Contains(err.Error(), tt.want) }); i < 0 {
					t.Errorf("the errors were %v, want %q", p.Retries, tt.want)
				} else if errors.As(p.Retries[i], &r) && r.After != tt.after {
					t.Errorf("the wait is %s, want %s", r.After, tt.after)
				}
			})
		}
	}
}

// TestCutInTheRequest: the server goes away while it reads a large request.
func TestCutInTheRequest(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	var inner http.Handler = http.HandlerFunc(s.handle)
	cuts := 0
	s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if cuts < 2 {
			cuts++
			_, _ = io.CopyN(io.Discard, r.Body, 1000)
			hangUp(w)
			return
		}
		inner.ServeHTTP(w, r)
	})
	_, p := open(t, config(s.URL, func(c *Config) { c.Body = bodyLines }))
	var list []string
	for i := range 200 {
		list = append(list, fmt.Sprintf("%q", strings.Repeat(strconv.Itoa(i%10), 20000)))
	}
	p.Write(t.Context(), values(record.JSON, list...))
	if got := s.bodies(); !slices.Equal(got, list) {
		t.Errorf("%d records arrived as they were not", len(got))
	}
	if cuts != 2 || len(p.Retries) != 2 {
		t.Errorf("%d cuts, %d tries again", cuts, len(p.Retries))
	}
}

// TestServerAway: records wait for a server that is not there yet.
func TestServerAway(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	o, p := open(t, config("http://"+addr))
	b := numbers(1, 5)[0]
	told := make(chan error, 1)
	o.Write(t.Context(), b, func(err error) { told <- err })
	var again *engine.RetryError
	if err := <-told; !errors.As(err, &again) || !strings.Contains(err.Error(), "refused") {
		t.Fatalf("got %v", err)
	}
	s := newServer(t)
	if l, err = net.Listen("tcp", addr); err != nil {
		t.Skipf("the port was taken meanwhile: %v", err)
	}
	there := httptest.NewUnstartedServer(http.HandlerFunc(s.handle))
	_ = there.Listener.Close()
	there.Listener = l
	there.Start()
	defer there.Close()
	p.Write(t.Context(), b)
	player.InOrder(t, s.bodies(), 5)
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	gone := make(chan struct{})
	s.answer = func(n int, _ http.ResponseWriter, r *http.Request, _ string) (bool, bool) {
		if n == 1 {
			<-r.Context().Done()
			close(gone)
			return true, false
		}
		return false, true
	}
	_, p := open(t, config(s.URL, func(c *Config) { c.Timeout = 50 * time.Millisecond }))
	p.Write(t.Context(), numbers(1, 3)...)
	player.InOrder(t, s.bodies(), 3)
	<-gone
	if len(p.Retries) != 1 || !strings.Contains(p.Retries[0].Error(), "no complete answer within the timeout of 50ms") {
		t.Errorf("got %v", p.Retries)
	}
}

// TestOrderByKey: with many requests at a time that fail at random, records of
// a key never overtake each other, nothing is lost, and requests do run at the
// same time.
func TestOrderByKey(t *testing.T) {
	t.Parallel()
	for _, body := range []string{bodySingle, bodyLines} {
		t.Run(body, func(t *testing.T) {
			t.Parallel()
			const keys, batches, records = 13, 60, 40
			s := newServer(t)
			rnd := rand.New(rand.NewPCG(1, 7))
			var inner http.Handler = http.HandlerFunc(s.handle)
			var came atomic.Int32
			second := make(chan struct{})
			s.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch came.Add(1) {
				case 1: // waits for one at the same time
					select {
					case <-second:
					case <-time.After(10 * time.Second):
						t.Error("requests do not run at the same time")
					}
				case 2:
					close(second)
				}
				inner.ServeHTTP(w, r)
			})
			s.answer = func(_ int, w http.ResponseWriter, _ *http.Request, _ string) (bool, bool) {
				switch rnd.IntN(40) {
				case 0:
					http.Error(w, "busy", http.StatusServiceUnavailable)
					return true, false
				case 1:
					hangUp(w)
					return true, true
				}
				return false, true
			}
			_, p := open(t, config(s.URL, func(c *Config) {
				c.Concurrency, c.Body = 8, body
				if body == bodyLines {
					c.BatchRecords = 5
				}
			}))
			var list []*engine.Batch
			next := make([]int, keys)
			for range batches {
				b := engine.NewBatch()
				b.Value.Encoding = record.JSON
				for range records {
					k := rnd.IntN(keys)
					b.Key.Add(fmt.Appendf(nil, "key-%d", k))
					b.Value.Add(fmt.Appendf(nil, `{"k":%d,"n":%d}`, k, next[k]))
					next[k]++
				}
				list = append(list, b)
			}
			p.Write(t.Context(), list...)
			if p.Stopped != nil || len(p.Refused) > 0 || len(p.Retries) == 0 {
				t.Fatalf("stopped %v, refused %v, %d tries again", p.Stopped, p.Refused, len(p.Retries))
			}
			byKey := make([][]string, keys)
			for _, r := range s.bodies() {
				var k, n int
				if _, err := fmt.Sscanf(r, `{"k":%d,"n":%d}`, &k, &n); err != nil {
					t.Fatal(r, err)
				}
				byKey[k] = append(byKey[k], strconv.Itoa(n))
			}
			more := 0
			for k := range byKey {
				more += player.InOrder(t, byKey[k], next[k])
			}
			t.Logf("%d tries again, %d records twice", len(p.Retries), more)
		})
	}
}

// TestSlowServer: a server that does not answer holds Write up, Flush returns
// when its context ends, and so does everything when the pipeline is cut.
func TestSlowServer(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	arrived := make(chan struct{}, 100)
	s.answer = func(_ int, _ http.ResponseWriter, r *http.Request, _ string) (bool, bool) {
		arrived <- struct{}{}
		<-r.Context().Done()
		return true, false
	}
	o, p := open(t, config(s.URL, func(c *Config) { c.Body, c.BatchRecords = bodyLines, 2 }))
	giveUp := errors.New("the pipeline is cut")
	ctx, cancel := context.WithCancelCause(t.Context())
	list := numbers(10, 2)
	returned := make(chan int, 10)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for i, b := range list {
			p.Hand(ctx, b)
			returned <- i
		}
	}()
	<-arrived
	for n := range laneRequests + 1 {
		if got := <-returned; got != n {
			t.Fatalf("batch %d returned", got)
		}
	}
	select {
	case i := <-returned:
		t.Errorf("batch %d was taken though one is sent and %d wait", i, laneRequests)
	case <-time.After(50 * time.Millisecond):
	}
	cancel(giveUp)
	<-ended
	if err := o.Close(ctx); err != nil {
		t.Error(err)
	}
	if p.Open() > 0 || !errors.Is(p.Stopped, giveUp) {
		t.Errorf("%d batches without an answer, stopped by %v", p.Open(), p.Stopped)
	}
}

// TestFlushReturns: Flush waits for a lane no longer than its context lasts,
// and loses nothing then.
func TestFlushReturns(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	arrived, free := make(chan struct{}, 100), make(chan struct{})
	s.answer = func(int, http.ResponseWriter, *http.Request, string) (bool, bool) {
		arrived <- struct{}{}
		<-free
		return false, true
	}
	o, p := open(t, config(s.URL, func(c *Config) { c.Body, c.BatchRecords = bodyLines, 2 }))
	p.Hand(t.Context(), values(record.JSON, "0", "1", "2", "3"))
	p.Hand(t.Context(), values(record.JSON, "4"))
	<-arrived
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := o.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
	close(free)
	if err := o.Close(t.Context()); err != nil {
		t.Error(err)
	}
	player.InOrder(t, s.bodies(), 5)
	if p.Open() > 0 || p.Stopped != nil {
		t.Errorf("%d batches without an answer, stopped by %v", p.Open(), p.Stopped)
	}
}
