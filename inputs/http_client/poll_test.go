package httpclient

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
)

// pages answers with numbers from after on, size at a time, up to total.
func pages(total, size int) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		after, _ := strconv.Atoi(r.URL.Query().Get("after"))
		var items []map[string]int
		for i := after; i < min(after+size, total); i++ {
			items = append(items, map[string]int{"id": i + 1})
		}
		next, more := "", after+size < total
		if more {
			next = strconv.Itoa(after + size)
			w.Header().Set("X-Next", next)
			w.Header().Set("Link", fmt.Sprintf(`</?first=1>; rel="first", <?after=%s>; title="a, <b>; rel=next"; rel="other next"`, next))
		}
		_ = json.NewEncoder(w).Encode(map[string]any{"data": map[string]any{"items": items}, "next": next, "more": more})
	}
}

func TestConformance(t *testing.T) {
	t.Parallel()
	var want []enginetest.Record
	for i := range 20 {
		want = append(want, enginetest.Record{Value: fmt.Appendf(nil, `{"id":%d}`, i+1)})
	}
	s := serve(t, pages(20, 3))
	for _, once := range []bool{true, false} {
		t.Run(fmt.Sprintf("once=%v", once), func(t *testing.T) {
			enginetest.RunInput(t, enginetest.InputCase{
				New: func(t *testing.T) engine.Input {
					c := config(s.URL, func(c *Config) {
						c.Records, c.Once = path(t, "data.items"), once
						c.Cursor = &Cursor{Record: path(t, "id"), Param: "after"}
						c.Interval = time.Hour
					})
					in, err := newInput(c, enginetest.Env(t, "input.http_client.in"))
					if err != nil {
						t.Fatal(err)
					}
					return in
				},
				Want: want, OneOrder: true, Unbounded: !once,
			})
		})
	}
}

// TestCursors: each way to find the next page reads every record once, in
// order, and asks for these pages.
func TestCursors(t *testing.T) {
	t.Parallel()
	const all = `{"id":1}|{"id":2}|{"id":3}|{"id":4}|{"id":5}`
	byNumber := "GET /\nGET /?after=2\nGET /?after=4"
	tests := []struct {
		name     string
		cursor   func(t *testing.T) *Cursor
		requests string
	}{
		{"path", func(t *testing.T) *Cursor { return &Cursor{Path: path(t, "next"), Param: "after"} }, byNumber},
		{"header", func(*testing.T) *Cursor { return &Cursor{Header: "X-Next", Param: "after"} }, byNumber},
		{"link", func(*testing.T) *Cursor { return &Cursor{Link: true} }, byNumber},
		{"record", func(t *testing.T) *Cursor { return &Cursor{Record: path(t, "id"), Param: "after"} }, byNumber + "\nGET /?after=5"},
		{"record with more", func(t *testing.T) *Cursor {
			return &Cursor{Record: path(t, "id"), Param: "after", More: path(t, "more"), Start: "0"}
		}, strings.Replace(byNumber, "GET /\n", "GET /?after=0\n", 1)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, pages(5, 2))
			in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
				c.Records, c.Once, c.Cursor = path(t, "data.items"), true, tt.cursor(t)
			}))
			got, _ := read(t, in, -1)
			if texts(got) != all {
				t.Errorf("read %s", texts(got))
			}
			for i, r := range got {
				if r.Offset != int64(i) {
					t.Errorf("record %d has offset %d", i, r.Offset)
				}
			}
			if got := s.requests(); got != tt.requests {
				t.Errorf("asked for\n%s\nwant\n%s", got, tt.requests)
			}
		})
	}
}

// TestPositionBehindAPage: a page that is confirmed in part is asked for again,
// one that is confirmed is not, and the cursor and the count go on.
func TestPositionBehindAPage(t *testing.T) {
	t.Parallel()
	s := serve(t, pages(100, 4))
	edit := func(c *Config) {
		c.Records = path(t, "data.items")
		c.Cursor = &Cursor{Path: path(t, "next"), Param: "after"}
	}
	h := enginetest.NewHost(engine.BatchLimits{Records: 3})
	in := open(t, h, config(s.URL, edit))
	got, _ := read(t, in, 4+3) // the second page in part
	if got[6].Offset != 6 {
		t.Errorf("offset %d", got[6].Offset)
	}
	h.Commit()
	s.requests()
	in = open(t, h.Next(), config(s.URL, edit))
	got, _ = read(t, in, 4)
	if want := `{"id":5}|{"id":6}|{"id":7}|{"id":8}`; texts(got) != want || got[0].Offset != 4 {
		t.Errorf("read %s from offset %d, want %s from 4", texts(got), got[0].Offset, want)
	}
	if got := s.requests(); got != "GET /?after=4" {
		t.Errorf("asked for %s", got)
	}
}

// TestNextPoll: where the poll behind the last page begins.
func TestNextPoll(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		edit     func(t *testing.T, c *Config)
		records  int
		requests string
	}{
		{"start", func(t *testing.T, c *Config) { c.Cursor = &Cursor{Path: path(t, "next"), Param: "after", Start: "0"} }, 4, "GET /?after=0\nGET /?after=2\nGET /?after=0"},
		{"stay", func(t *testing.T, c *Config) {
			c.Cursor = &Cursor{Path: path(t, "next"), Param: "after", AtEnd: "stay"}
		}, 4, "GET /\nGET /?after=2\nGET /?after=2"},
		{"no cursor", func(_ *testing.T, _ *Config) {}, 4, "GET /\nGET /"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, pages(3, 2))
			in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
				c.Records = path(t, "data.items")
				tt.edit(t, c)
			}))
			got, _ := read(t, in, tt.records)
			if asked := s.requests(); asked != tt.requests {
				t.Errorf("read %s, asked for\n%s\nwant\n%s", texts(got), asked, tt.requests)
			}
		})
	}
}

// TestUnchanged: what is unchanged is asked for conditionally and not read
// again, also by the next run.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	for _, header := range []string{"ETag", "Last-Modified"} {
		t.Run(header, func(t *testing.T) {
			t.Parallel()
			version := "1"
			s := serve(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("If-None-Match")+r.Header.Get("If-Modified-Since") == version {
					w.WriteHeader(http.StatusNotModified)
					return
				}
				w.Header().Set(header, version)
				fmt.Fprintf(w, `[%s]`, version)
			})
			h := enginetest.NewHost(engine.BatchLimits{})
			once := func(c *Config) { c.Once = true }
			in := open(t, h, config(s.URL, once))
			if got, _ := read(t, in, -1); texts(got) != "1" {
				t.Errorf("read %s", texts(got))
			}
			h.Commit()
			h = h.Next()
			if got, _ := read(t, open(t, h, config(s.URL, once)), -1); len(got) != 0 {
				t.Errorf("unchanged, read %s", texts(got))
			}
			version = "2"
			if got, _ := read(t, open(t, h, config(s.URL, once)), -1); texts(got) != "2" {
				t.Errorf("changed, read %s", texts(got))
			}
			name := map[string]string{"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[header]
			if got, want := s.requests(), "GET /\nGET / "+name+":1\nGET / "+name+":1"; got != want {
				t.Errorf("asked for\n%s\nwant\n%s", got, want)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		edit   func(c *Config)
		answer string
		header string // name: value
		want   string
		err    string // of a pipeline that stops
	}{
		{"object", nil, "{\"a\":\n1}", "", "{\"a\":\n1}", ""},
		{"list", nil, ` [ {"a": 1}, 2, "x\ny", null ]`, "", `{"a": 1}|2|"x\ny"|null`, ""},
		{"empty list", nil, `[]`, "", "", ""},
		{"nothing", nil, ``, "", "", ""},
		{"gzip", nil, zipped(t, `[1,2]`), "Content-Encoding: gzip", "1|2", ""},
		{"list at a path", func(c *Config) { c.Records = path(t, "a[0].b") }, `{"a":[{"b":[1,2]}]}`, "", "1|2", ""},
		{"list that is missing", func(c *Config) { c.Records = path(t, "a.b") }, `{"a":null}`, "", "", ""},
		{"no list", func(c *Config) { c.Records = path(t, "a") }, `{"a":{}}`, "", "", "has no list at a"},
		{"lines", func(c *Config) { c.Format = "ndjson" }, "1\r\n\n 2\n{oops\n3", "", "1|2|{oops|3", ""},
		{"raw", func(c *Config) { c.Format = "raw" }, "\x00\n\xff", "", "\x00\n\xff", ""},
		{"empty raw", func(c *Config) { c.Format = "raw" }, "", "", "", ""},
		{"too large", func(c *Config) { c.MaxResponse = 1024 }, strings.Repeat(" ", 1025), "", "", "max_response"},
		{"too large when inflated", func(c *Config) { c.MaxResponse = 1024 }, zipped(t, strings.Repeat(" ", 1e6)), "Content-Encoding: gzip", "", "max_response"},
		{"brotli", nil, "x", "Content-Encoding: br", "", `"br"`},
		{"cursor of another kind", func(c *Config) { c.Cursor = &Cursor{Path: path(t, "a"), Param: "p"} }, `{"a":[1]}`, "", "", "cursor at a"},
		{"record without cursor", func(c *Config) { c.Cursor = &Cursor{Record: path(t, "id"), Param: "p"} }, `[{"id":1},{"x":1}]`, "", "", "cursor at id of a record: is missing"},
		{"link to another host", func(c *Config) { c.Cursor = &Cursor{Link: true} }, `[1]`, "Link: <http://evil.example/?a=b>; rel=next", "", "another server"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := serve(t, func(w http.ResponseWriter, _ *http.Request) {
				if name, v, ok := strings.Cut(tt.header, ": "); ok {
					w.Header().Set(name, v)
				}
				_, _ = io.WriteString(w, tt.answer)
			})
			in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
				c.Once = true
				if tt.edit != nil {
					tt.edit(c)
				}
			}))
			if tt.err != "" {
				_, err := in.Read(t.Context())
				var again *engine.RetryError
				if err == nil || errors.As(err, &again) || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("error %v, want %q for good", err, tt.err)
				}
				return
			}
			if got, _ := read(t, in, -1); texts(got) != tt.want {
				t.Errorf("read %q, want %q", texts(got), tt.want)
			}
		})
	}
}

// TestTransient: after failures that pass, the same page is asked for again,
// and every record comes once.
func TestTransient(t *testing.T) {
	t.Parallel()
	broken := []http.HandlerFunc{
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "7")
			http.Error(w, "slow\ndown", http.StatusTooManyRequests)
		},
		func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) },
		func(w http.ResponseWriter, _ *http.Request) { // cut in the middle of the body
			w.Header().Set("Content-Length", "100")
			_, _ = io.WriteString(w, `{"data":{"items":[{"id":3}`)
			w.(http.Flusher).Flush()
			panic(http.ErrAbortHandler)
		},
		func(w http.ResponseWriter, _ *http.Request) { panic(http.ErrAbortHandler) },
		func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>maintenance</html>") },
		func(w http.ResponseWriter, r *http.Request) { // hangs
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		},
		func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = io.WriteString(w, zipped(t, `{"data":{}}`)[:20])
		},
	}
	var calls, failed atomic.Int32
	good := pages(5, 2)
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > 1 && int(failed.Load()) < len(broken) { // the second page fails
			broken[failed.Add(1)-1](w, r)
			return
		}
		good(w, r)
	})
	in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
		c.Records, c.Once, c.Timeout = path(t, "data.items"), true, time.Second
		c.Cursor = &Cursor{Path: path(t, "next"), Param: "after"}
	}))
	got, retries := read(t, in, -1)
	if want := `{"id":1}|{"id":2}|{"id":3}|{"id":4}|{"id":5}`; texts(got) != want {
		t.Errorf("read %s", texts(got))
	}
	if int(failed.Load()) != len(broken) || len(retries) != len(broken) {
		t.Fatalf("%d faults, %d tries that failed: %v", failed.Load(), len(retries), retries)
	}
	for i, want := range []string{"429 Too Many Requests: slow down", "500", "EOF", "EOF", "invalid JSON", "timeout of 1s", "EOF"} {
		if got := retries[i].Error(); !strings.Contains(got, want) {
			t.Errorf("failure %d: %q, want %q", i, got, want)
		}
	}
	if retries[0].After != 7*time.Second || retries[1].After != 0 {
		t.Errorf("waits of %s and %s were asked for", retries[0].After, retries[1].After)
	}
}

func TestPermanent(t *testing.T) {
	t.Parallel()
	for _, status := range []int{400, 401, 403, 404, 410, 501} {
		s := serve(t, func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no way", status) })
		in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL+"/x?token=hush", nil))
		_, err := in.Read(t.Context())
		var again *engine.RetryError
		if err == nil || errors.As(err, &again) || !strings.Contains(err.Error(), strconv.Itoa(status)) || !strings.Contains(err.Error(), "no way") || strings.Contains(err.Error(), "hush") {
			t.Errorf("status %d: error %v", status, err)
		}
	}
}

// TestSecrets: what is sent as a secret is in no position, origin or error.
func TestSecrets(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("key") != "hush" || r.Header.Get("X-Api") != "hush" || r.Header.Get("Authorization") != "Bearer hush" || r.Header.Get("User-Agent") != "flow/test" {
			http.Error(w, "wrong", http.StatusForbidden)
			return
		}
		if r.URL.Query().Get("page") == "" {
			w.Header().Set("Link", "<"+r.URL.RequestURI()+"&page=2>; rel=next")
		}
		_, _ = io.WriteString(w, "[1]")
	})
	h := enginetest.NewHost(engine.BatchLimits{})
	in := open(t, h, config(s.URL, func(c *Config) {
		secret := engine.NewSecret("hush")
		c.SecretQuery, c.SecretHeaders = map[string]engine.Secret{"key": secret}, map[string]engine.Secret{"X-Api": secret}
		c.BearerToken, c.Cursor = secret, &Cursor{Link: true, AtEnd: "stay"}
	}))
	got, _ := read(t, in, 2)
	h.Commit()
	p, ok := h.Stored(h.Sources()[0].Info().ID)
	if !ok || !strings.Contains(p.State, "page=2") || strings.Contains(fmt.Sprint(p, got, h.Sources()[0].Info()), "hush") {
		t.Errorf("position %+v, records %v", p, got)
	}
}

// TestInterval: polls are an interval apart and requests a rate, and a wait
// ends with its context.
func TestInterval(t *testing.T) {
	t.Parallel()
	s := serve(t, pages(4, 2))
	began := time.Now()
	in := open(t, enginetest.NewHost(engine.BatchLimits{}), config(s.URL, func(c *Config) {
		c.Records, c.Interval, c.Rate = path(t, "data.items"), 300*time.Millisecond, 20
		c.Cursor = &Cursor{Path: path(t, "next"), Param: "after"}
	}))
	read(t, in, 4)
	if d := time.Since(began); d < 50*time.Millisecond {
		t.Errorf("two pages took %s at 20 requests a second", d)
	}
	read(t, in, 2)
	if d := time.Since(began); d < 300*time.Millisecond {
		t.Errorf("the second poll came after %s", d)
	}
	read(t, in, 2)
	in.due = time.Now().Add(time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := in.Read(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Read: %v", err)
	}
}
