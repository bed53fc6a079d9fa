package http

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
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
