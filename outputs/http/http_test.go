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
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/outputs/internal/player"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Config)
		// empty says what becomes of an empty value.
		empty error
	}{
		{"single", func(*Config) {}, nil},
		{"compressed", func(c *Config) { c.Compression = "gzip" }, nil},
		{"lines", func(c *Config) { c.Body, c.BatchRecords = bodyLines, 3 }, errors.New("no JSON")},
		{"array", func(c *Config) { c.Body = bodyArray }, errors.New("no JSON")},
		{"by key", func(c *Config) { c.Concurrency, c.Order = 4, orderPartition }, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			enginetest.RunOutput(t, enginetest.OutputCase{
				New: func(t *testing.T) enginetest.Target {
					s := newServer(t)
					return enginetest.Target{
						Output: newOutput(config(s.URL, tt.edit), enginetest.Env(t, "output.http.out")),
						Read: func(*testing.T) []enginetest.Record {
							var list []enginetest.Record
							for _, body := range s.bodies() {
								list = append(list, enginetest.Record{Value: []byte(body)})
							}
							return list
						},
					}
				},
				Arrives: func(r enginetest.Record) (enginetest.Record, error) {
					switch {
					case r.Value == nil:
						return r, errTombstone
					case len(r.Value) == 0:
						return enginetest.Record{Value: r.Value}, tt.empty
					}
					return enginetest.Record{Value: r.Value}, nil
				},
			})
		})
	}
}

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

// TestSplit: a refused request is taken apart until the bad records are found.
func TestSplit(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name     string
		status   int
		bad      []string
		list     []string
		refused  int
		requests int
	}{
		{"one of many", 400, []string{"77"}, nil, 1, 15},
		{"some", 422, []string{"0", "50", "99"}, nil, 3, 33},
		{"none can be told apart", 404, []string{"77"}, nil, 100, 1},
		{"too large as a whole", 413, nil, nil, 0, 7},
		{"not wanted", 400, []string{"77"}, []string{}, 100, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.answer = func(_ int, w http.ResponseWriter, _ *http.Request, body string) (bool, bool) {
				records := strings.Fields(body)
				if slices.ContainsFunc(tt.bad, func(b string) bool { return slices.Contains(records, b) }) || tt.status == 413 && len(records) > 30 {
					http.Error(w, `{"error": "bad\nrecord"}`, tt.status)
					return true, false
				}
				return false, true
			}
			_, p := open(t, config(s.URL, func(c *Config) {
				c.Body = bodyLines
				if tt.list != nil {
					c.SplitStatuses = tt.list
				}
			}))
			p.Write(t.Context(), numbers(1, 100)...)
			if p.Stopped != nil || len(p.Retries) > 0 || len(p.Refused) != tt.refused {
				t.Fatalf("stopped %v, %d tries again, refused %d: %v", p.Stopped, len(p.Retries), len(p.Refused), p.Refused)
			}
			if _, n := s.requests(); n != tt.requests {
				t.Errorf("%d requests, want %d", n, tt.requests)
			}
			var want []string
			for i := range 100 {
				if n := strconv.Itoa(i); tt.refused < 100 && !slices.Contains(tt.bad, n) {
					want = append(want, n)
				}
			}
			if got := s.bodies(); !slices.Equal(got, want) {
				t.Errorf("arrived %v", got)
			}
			for _, r := range p.Refused {
				if !strings.Contains(r, fmt.Sprintf("POST %s: status %d", s.URL, tt.status)) || !strings.HasSuffix(r, `: {"error": "bad\nrecord"}`) {
					t.Errorf("refused %s", r)
				}
			}
		})
	}
}

func TestStatuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		status int
		edit   func(*Config)
		want   string
	}{
		{200, nil, "delivered"}, {204, nil, "delivered"}, {206, nil, "delivered"},
		{304, nil, "stopped"}, {401, nil, "stopped"}, {403, nil, "stopped"},
		{400, nil, "refused"}, {404, nil, "refused"}, {418, nil, "refused"},
		{409, func(c *Config) { c.SuccessStatuses = []string{"2xx", "409"} }, "delivered"},
		{202, func(c *Config) { c.SuccessStatuses = []string{"200-201"} }, "refused"},
		{404, func(c *Config) { c.StopStatuses = []string{"4xx"} }, "stopped"},
		{403, func(c *Config) { c.StopStatuses = nil }, "refused"},
		{501, func(c *Config) { c.RetryStatuses = nil }, "refused"},
		{404, func(c *Config) { c.RetryStatuses = []string{"404"} }, "again"},
		{500, nil, "again"}, {501, nil, "again"}, {599, nil, "again"}, {425, nil, "again"},
	} {
		t.Run(fmt.Sprint(tt.status, " ", tt.want), func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.answer = func(n int, w http.ResponseWriter, _ *http.Request, _ string) (bool, bool) {
				if n > 1 {
					return false, true
				}
				w.WriteHeader(tt.status)
				return true, tt.want == "delivered"
			}
			c := config(s.URL)
			if tt.edit != nil {
				tt.edit(c)
			}
			_, p := open(t, c)
			p.Write(t.Context(), numbers(1, 1)...)
			got := "delivered"
			switch {
			case p.Stopped != nil:
				got = "stopped"
			case len(p.Refused) > 0:
				got = "refused"
			case len(p.Retries) > 0:
				got = "again"
			}
			if list, _ := s.requests(); got != tt.want || (got == "delivered" || got == "again") != (len(list) == 1) {
				t.Errorf("%s, with %d requests stored: %v %v", got, len(list), p.Stopped, p.Refused)
			}
		})
	}
}

// TestStops: behind a request that stops the pipeline nothing is sent.
func TestStops(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.answer = func(n int, w http.ResponseWriter, _ *http.Request, _ string) (bool, bool) {
		if n == 3 {
			http.Error(w, "who are you?", http.StatusUnauthorized)
		}
		return n == 3, n != 3
	}
	_, p := open(t, config(s.URL))
	p.Write(t.Context(), numbers(1, 10)...)
	if got := s.bodies(); !slices.Equal(got, []string{"0", "1"}) {
		t.Errorf("arrived %v", got)
	}
	if want := "POST " + s.URL + ": status 401 Unauthorized: who are you? (a status of stop_statuses)"; p.Stopped == nil || p.Stopped.Error() != want {
		t.Errorf("stopped by %v, want %s", p.Stopped, want)
	}
}

// TestRequests: what goes over the wire.
func TestRequests(t *testing.T) {
	t.Parallel()
	named := func(name string) func(*Config) {
		return func(c *Config) {
			c.Headers = engine.NamedExpressions{{Name: name, Expr: expr(text)}}
		}
	}
	for _, tt := range []struct {
		name, path string
		enc        record.Encoding
		edit       func(*Config)
		values     []string
		want       []string // METHOD PATH BODY and then chosen headers
	}{
		{"plain", "/a?b=c", record.JSON, nil, []string{"1"}, []string{"POST /a?b=c 1 Content-Type=application/json User-Agent=flow/test"}},
		{"text", "", record.Text, nil, []string{"x y"}, []string{"POST / x y Content-Type=text/plain; charset=utf-8"}},
		{"bytes", "", record.Opaque, nil, []string{"\x00\xff"}, []string{"POST / \x00\xff Content-Type=application/octet-stream"}},
		{"type", "", record.JSON, func(c *Config) { c.ContentType = "a/b" }, []string{"1"}, []string{"POST / 1 Content-Type=a/b"}},
		{"lines", "", record.JSON, func(c *Config) { c.Body = bodyLines }, []string{"{ \"a\":\n1 }", "2"}, []string{"POST / {\"a\":1}\n2\n Content-Type=application/x-ndjson"}},
		{"array", "", record.JSON, func(c *Config) { c.Body = bodyArray }, []string{"1", "[2]"}, []string{"POST / [1,[2]] Content-Type=application/json"}},
		{"array of one", "", record.JSON, func(c *Config) { c.Body, c.BatchRecords = bodyArray, 1 }, []string{"1", "2"}, []string{"POST / [1]", "POST / [2]"}},
		{"bytes of a batch", "", record.JSON, func(c *Config) { c.Body, c.BatchBytes = bodyLines, 4 }, []string{"11", "22", "33"}, []string{"POST / 11\n22\n", "POST / 33\n"}},
		{"none", "/%s", record.JSON, func(c *Config) { c.Body, c.Method = bodyNone, "DELETE" }, []string{"1"}, []string{"DELETE /1  Content-Type="}},
		{"url of each", "/o/%s?x=1", record.JSON, func(c *Config) { c.Method = "PUT" }, []string{"1", "2"}, []string{"PUT /o/1?x=1 1", "PUT /o/2?x=1 2"}},
		{"a request for each url", "/o/%s", record.JSON, func(c *Config) { c.Body = bodyArray }, []string{"1", "1", "2", "1"}, []string{"POST /o/1 [1,1]", "POST /o/2 [2]", "POST /o/1 [1]"}},
		{"header", "", record.JSON, named("x-id"), []string{"7", "null"}, []string{"POST / 7 X-Id=7", "POST / null X-Id="}},
		{"a request for each header", "", record.JSON, func(c *Config) { named("X-Id")(c); c.Body = bodyLines }, []string{"7", "7", "8"}, []string{"POST / 7\n7\n X-Id=7", "POST / 8\n X-Id=8"}},
		{"idempotency key", "", record.JSON, func(c *Config) { c.IdempotencyKey = expr(text) }, []string{"7"}, []string{"POST / 7 Idempotency-Key=7"}},
		{"gzip", "", record.JSON, func(c *Config) { c.Compression = "gzip" }, []string{"7"}, []string{"POST / 7 Content-Encoding=gzip"}},
		{"bearer", "", record.JSON, func(c *Config) { c.BearerToken = engine.NewSecret("tok") }, []string{"7"}, []string{"POST / 7 Authorization=Bearer tok"}},
		{"secret header", "", record.JSON, func(c *Config) { c.SecretHeaders = map[string]engine.Secret{"x-key": engine.NewSecret("k")} }, []string{"7"}, []string{"POST / 7 X-Key=k"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			c := config(s.URL + tt.path)
			if tt.edit != nil {
				tt.edit(c)
			}
			_, p := open(t, c)
			p.Write(t.Context(), values(tt.enc, tt.values...))
			list, _ := s.requests()
			if p.Stopped != nil || len(p.Refused) > 0 || len(list) != len(tt.want) {
				t.Fatalf("stopped %v, refused %v, requests %v", p.Stopped, p.Refused, list)
			}
			for i, want := range tt.want {
				r := list[i]
				got := r.method + " " + r.path + " " + r.body
				rest, ok := strings.CutPrefix(want, got)
				if !ok {
					t.Errorf("request %q, want %q", got, want)
				}
				for rest = strings.TrimSpace(rest); rest != ""; {
					name, value, _ := strings.Cut(rest, "=")
					value, rest, _ = strings.Cut(value, " User-Agent=")
					if rest != "" {
						rest = "User-Agent=" + rest
					}
					if h := r.header.Get(name); h != value {
						t.Errorf("header %s is %q, want %q", name, h, value)
					}
				}
			}
		})
	}
}

// TestRefusesRecords: a record that can be no request is refused alone.
func TestRefusesRecords(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, path, bad string
		edit            func(*Config)
		want            string
	}{
		{"no JSON", "", "{", func(c *Config) { c.Body = bodyArray }, `the value is no JSON, which body = "json_array" needs`},
		{"two values", "", "1\n2", func(c *Config) { c.Body = bodyLines }, `the value is no JSON, which body = "ndjson" needs`},
		{"line break in a header", "", "a\r\nX-Evil: 1", func(c *Config) { c.Headers = engine.NamedExpressions{{Name: "X-A", Expr: expr(text)}} }, "header X-A: the value holds a control character"},
		{"up", "/a/%s/b", "..", nil, `url: its path has a segment ".."`},
		{"no path", "/a/%s", "%zz", nil, `url: invalid URL escape "%zz"`},
		{"endless", "/a/%s", strings.Repeat("x", maxURL), nil, "url: it has "},
		{"no key", "", "null", func(c *Config) { c.IdempotencyKey = expr(text) }, "header Idempotency-Key: the option idempotency_key gives nil"},
		{"empty key", "", "", func(c *Config) { c.IdempotencyKey = expr(text) }, "header Idempotency-Key: the option idempotency_key gives an empty text"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			c := config(s.URL + tt.path)
			if tt.edit != nil {
				tt.edit(c)
			}
			_, p := open(t, c)
			p.Write(t.Context(), values(record.JSON, "1", tt.bad, "2"))
			if len(p.Refused) != 1 || !strings.HasPrefix(p.Refused[0], tt.bad+": "+tt.want) || p.Stopped != nil {
				t.Errorf("refused %q, stopped %v", p.Refused, p.Stopped)
			}
			if got := s.bodies(); !slices.Equal(got, []string{"1", "2"}) {
				t.Errorf("arrived %q", got)
			}
		})
	}
}

func TestTombstones(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		body, tombstones, want string
		refused                int
		skipped                int64
	}{
		{bodySingle, "error", "1 2", 1, 0}, {bodySingle, "skip", "1 2", 0, 1}, {bodySingle, "empty", "1  2", 0, 0},
		{bodyLines, "error", "1 2", 1, 0}, {bodyLines, "empty", "1 null 2", 0, 0}, {bodyArray, "skip", "1 2", 0, 1},
	} {
		t.Run(tt.body+" "+tt.tombstones, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			_, p := open(t, config(s.URL, func(c *Config) { c.Body, c.Tombstones = tt.body, tt.tombstones }))
			b := values(record.JSON, "1")
			b.Value.Add(nil)
			b.Value.Add([]byte("2"))
			p.Write(t.Context(), b)
			if got := strings.Join(s.bodies(), " "); got != tt.want || len(p.Refused) != tt.refused || p.Skipped != tt.skipped {
				t.Errorf("got %q, refused %q, skipped %d", got, p.Refused, p.Skipped)
			}
		})
	}
}

// TestRedirects: records go to the host that the config names and no other.
func TestRedirects(t *testing.T) {
	t.Parallel()
	other := newServer(t)
	for _, tt := range []struct {
		name, to string
		status   int
		ok       bool
	}{
		{"other host", other.URL, 307, false}, {"same host", "/there", 307, true},
		{"another method", "/there", 303, false}, {"for ever", "", 307, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			s.answer = func(_ int, w http.ResponseWriter, r *http.Request, _ string) (bool, bool) {
				if r.URL.Path == "/there" {
					return false, true
				}
				http.Redirect(w, r, tt.to, tt.status)
				return true, false
			}
			_, p := open(t, config(s.URL))
			p.Write(t.Context(), values(record.JSON, "1"))
			if (p.Stopped == nil) != tt.ok || len(s.bodies()) > 0 != tt.ok {
				t.Errorf("stopped %v, arrived %v", p.Stopped, s.bodies())
			}
		})
	}
	t.Cleanup(func() {
		if _, n := other.requests(); n > 0 {
			t.Error("a record was sent to another host")
		}
	})
}

// TestSecretsInAnswers: what a server tells of a request shows no secret.
func TestSecretsInAnswers(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	s.answer = func(_ int, w http.ResponseWriter, r *http.Request, _ string) (bool, bool) {
		http.Error(w, "no luck with "+r.Header.Get("Authorization")+" and\x1b[31m "+r.Header.Get("X-Key")+strings.Repeat("x", 5000), 400)
		return true, false
	}
	_, p := open(t, config(s.URL+"/?token=abc123", func(c *Config) {
		c.BearerToken = engine.NewSecret("s3cret")
		c.SecretHeaders = map[string]engine.Secret{"X-Key": engine.NewSecret("hidden")}
	}))
	p.Write(t.Context(), values(record.JSON, "1"))
	if len(p.Refused) != 1 || !strings.Contains(p.Refused[0], "no luck with Bearer (secret) and") || !strings.Contains(p.Refused[0], "(secret)x") {
		t.Fatalf("refused %q", p.Refused)
	}
	if r := p.Refused[0]; strings.Contains(r, "s3cret") || strings.Contains(r, "hidden") || strings.Contains(r, "abc123") || strings.Contains(r, "\x1b") || len(r) > 1000 {
		t.Errorf("refused %q", r)
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

func BenchmarkWrite(b *testing.B) {
	for _, body := range []string{bodySingle, bodyLines} {
		for _, concurrency := range []int{1, 8} {
			b.Run(fmt.Sprintf("%s/%d", body, concurrency), func(b *testing.B) {
				s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { _, _ = io.Copy(io.Discard, r.Body) }))
				defer s.Close()
				o := newOutput(config(s.URL, func(c *Config) { c.Body, c.Concurrency = body, concurrency }), engine.Env{Now: time.Now})
				if err := o.Open(b.Context()); err != nil {
					b.Fatal(err)
				}
				batch := values(record.JSON)
				const records = 512
				for i := range records {
					batch.Value.Add(fmt.Appendf(nil, `{"id":%d,"text":%q}`, i, strings.Repeat("x", 280)))
				}
				b.ReportAllocs()
				for b.Loop() {
					told := make(chan error, 1)
					o.Write(b.Context(), batch, func(err error) { told <- err })
					_ = o.Flush(b.Context())
					if err := <-told; err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/records, "ns/record")
				_ = o.Close(b.Context())
			})
		}
	}
}
