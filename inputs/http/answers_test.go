package http

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	conn "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
)

func header(name, value string) func(*http.Request) {
	return func(r *http.Request) { r.Header.Set(name, value) }
}

// TestRefusals: what is no good request is answered with a reason, and nothing
// of it enters.
func TestRefusals(t *testing.T) {
	t.Parallel()
	token := func(c *Config) {
		c.BearerTokens = []engine.Secret{engine.NewSecret("old"), engine.NewSecret("s3cret-token")}
	}
	basic := func(c *Config) { c.Basic = &conn.Basic{User: "ann", Password: engine.NewSecret("pass")} }
	login := func(user, password string) func(*http.Request) {
		return func(r *http.Request) { r.SetBasicAuth(user, password) }
	}
	small := func(c *Config) { c.MaxBody, c.MaxRecord = 100, 10 }
	format := func(f string) func(*Config) { return func(c *Config) { c.Format = f } }
	gzipped := header("Content-Encoding", "gzip")
	chunked := func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(r.Body), -1 }
	method := func(m string) func(*http.Request) { return func(r *http.Request) { r.Method = m } }
	tests := []struct {
		name   string
		edit   func(*Config)
		path   string
		typ    string
		body   string
		send   []func(*http.Request)
		status int
		text   string // part of the error
		line   int
	}{
		{"path", func(c *Config) { c.Paths = []string{"/a", "/b/"} }, "/a/b", jsonType, "1", nil, 404, "path", 0},
		{"path above", func(c *Config) { c.Paths = []string{"/b/"} }, "/b", jsonType, "1", nil, 404, "path", 0},
		{"path out of a tree", func(c *Config) { c.Paths = []string{"/b/"} }, "/a/../b", jsonType, "1", nil, 404, "path", 0},
		{"method", nil, "/", jsonType, "1", []func(*http.Request){method("DELETE")}, 405, `"DELETE"`, 0},
		{"get", nil, "/", "", "", []func(*http.Request){method("GET")}, 405, "", 0},
		{"no token", token, "/", jsonType, "1", nil, 401, "not authorized", 0},
		{"wrong token", token, "/", jsonType, "1", []func(*http.Request){header("Authorization", "Bearer s3cret-toke")}, 401, "", 0},
		{"token by another scheme", token, "/", jsonType, "1", []func(*http.Request){header("Authorization", "Token s3cret-token")}, 401, "", 0},
		{"password for a token", token, "/", jsonType, "1", []func(*http.Request){login("s3cret-token", "")}, 401, "", 0},
		{"no password", basic, "/", jsonType, "1", nil, 401, "", 0},
		{"wrong user", basic, "/", jsonType, "1", []func(*http.Request){login("bob", "pass")}, 401, "", 0},
		{"wrong password", basic, "/", jsonType, "1", []func(*http.Request){login("ann", "Pass")}, 401, "", 0},
		{"no type", nil, "/", "", "1", nil, 415, "application/x-ndjson", 0},
		{"form", nil, "/", "application/x-www-form-urlencoded", "1", nil, 415, "form", 0},
		{"coding", nil, "/", jsonType, "1", []func(*http.Request){header("Content-Encoding", "br")}, 415, `"br"`, 0},
		{"empty JSON", nil, "/", jsonType, " ", nil, 400, "empty", 0},
		{"bad JSON", nil, "/", jsonType, "{\n \"a\": 1,\n  oops\n}", nil, 400, "line 3, column 3: invalid JSON", 3},
		{"cut JSON", nil, "/", "application/vnd.x+json; charset=utf-8", `{"a":`, nil, 400, "line 1, column 6", 1},
		{"two texts", nil, "/", jsonType, "{}\n{}", nil, 400, "line 2, column 1", 2},
		{"deep", nil, "/", jsonType, strings.Repeat("[", 600), nil, 400, "nested deeper", 1},
		{"not UTF-8", nil, "/", jsonType, "\"a\xff\"", nil, 400, "UTF-8", 1},
		{"bad line", nil, "/", lineType, "{}\n\n{}\n{]\n{}\n", nil, 400, "line 4, column 2: invalid JSON", 4},
		{"line by format", format("ndjson"), "/", jsonType, "{\n}", nil, 400, "line 1", 1},
		{"announced too large", small, "/", jsonType, strings.Repeat(" ", 101), nil, 413, "100 bytes", 0},
		{"too large", small, "/", jsonType, strings.Repeat(" ", 101), []func(*http.Request){chunked}, 413, "max_body", 0},
		{"too large when inflated", small, "/", jsonType, zipped(t, strings.Repeat(" ", 50_000_000)), []func(*http.Request){chunked, gzipped}, 413, "max_body", 0},
		{"line too large", small, "/", lineType, "1\n\"0123456789\"\n", nil, 413, "line 2", 2},
		{"no gzip", nil, "/", jsonType, `{"a":"no header of gzip"}`, []func(*http.Request){gzipped}, 400, "no gzip", 0},
		{"empty gzip", nil, "/", jsonType, "", []func(*http.Request){gzipped}, 400, "no gzip", 0},
		{"cut gzip", nil, "/", jsonType, zipped(t, "{}")[:20], []func(*http.Request){gzipped}, 400, "broke off", 0},
		{"wrong sum of gzip", nil, "/", jsonType, zipped(t, "{}")[:18] + "00000000", []func(*http.Request){gzipped}, 400, "gzip", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := open(t, engine.BatchLimits{}, tt.edit)
			a := r.send(r.request(tt.path, tt.typ, tt.body, tt.send...))
			if a.err != nil || a.status != tt.status || !strings.Contains(a.text, tt.text) || a.line != tt.line {
				t.Errorf("answer %+v, want %d %q line %d", a, tt.status, tt.text, tt.line)
			}
			switch tt.status {
			case 401:
				if a.header.Get("WWW-Authenticate") == "" {
					t.Error("the answer does not say how to authenticate")
				}
			case 405:
				if a.header.Get("Allow") != "POST" {
					t.Errorf("Allow: %q", a.header.Get("Allow"))
				}
			case 503:
				if a.header.Get("Retry-After") != "1" {
					t.Errorf("Retry-After: %q", a.header.Get("Retry-After"))
				}
			}
			until(t, "the end of the handler", func() bool { return len(r.in.srv.slots) == 0 })
			r.nothing()
		})
	}
}

// TestAccepts: what must be taken is taken, with these records.
func TestAccepts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*Config)
		path string
		typ  string
		body string
		send []func(*http.Request)
		want string // records, joined by |
	}{
		{"JSON", nil, "/any/path", jsonType, "{\n\"a\": 1}\n", nil, "{\n\"a\": 1}\n"},
		{"lines", nil, "/", "application/jsonl", "1\r\n\n 2\n3", nil, "1|2|3"},
		{"raw", func(c *Config) { c.Format = "raw" }, "/", "", "\x00\n\xff", nil, "\x00\n\xff"},
		{"empty raw", func(c *Config) { c.Format = "raw" }, "/", "", "", nil, ""},
		{"gzip", nil, "/", lineType, zipped(t, "1\n2\n"), []func(*http.Request){header("Content-Encoding", "GZIP")}, "1|2"},
		{"members of gzip", nil, "/", lineType, zipped(t, "1\n") + zipped(t, "2\n"), []func(*http.Request){header("Content-Encoding", "gzip")}, "1|2"},
		{"path", func(c *Config) { c.Paths = []string{"/a", "/b/"} }, "/b/c", jsonType, "1", nil, "1"},
		{"token", func(c *Config) { c.BearerTokens = []engine.Secret{engine.NewSecret("one"), engine.NewSecret("two")} }, "/", jsonType, "1",
			[]func(*http.Request){header("Authorization", "bearer two")}, "1"},
		{"full", func(c *Config) { c.MaxBody = 3 }, "/", jsonType, "[1]", nil, "[1]"},
		{"as large as the buffer", func(c *Config) { c.MaxBody, c.MaxBuffer = 70_000, 70_000 }, "/", jsonType, `"` + strings.Repeat("a", 69_998) + `"`,
			[]func(*http.Request){func(r *http.Request) { r.Body, r.ContentLength = io.NopCloser(r.Body), -1 }}, `"` + strings.Repeat("a", 69_998) + `"`},
		{"created", func(c *Config) { c.Status = 204 }, "/", jsonType, "1", nil, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := open(t, engine.BatchLimits{}, tt.edit)
			answer := r.post(r.request(tt.path, tt.typ, tt.body, tt.send...))
			b := r.read()
			if got := strings.Join(values(b), "|"); got != tt.want {
				t.Errorf("records %q, want %q", got, tt.want)
			}
			finish(b)
			r.commit()
			if a := r.wait(answer); a.err != nil || a.status != r.in.cfg.Status {
				t.Errorf("answer %+v", a)
			}
			r.nothing()
		})
	}
	t.Run("nothing", func(t *testing.T) {
		t.Parallel()
		r := open(t, engine.BatchLimits{}, nil)
		if a := r.send(r.request("/", lineType, "\n \n")); a.status != 200 || a.records != 0 {
			t.Errorf("answer %+v", a)
		}
		r.nothing()
	})
}

func TestSignatures(t *testing.T) {
	t.Parallel()
	const key, body = "k3y", `{"a":1}`
	sign := func(h func() hash.Hash, key, text string) []byte {
		m := hmac.New(h, []byte(key))
		m.Write([]byte(text))
		return m.Sum(nil)
	}
	now := time.Now()
	unix := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	stamped := func(c *Signature) { c.TimestampHeader = "X-Time" }
	tests := []struct {
		name string
		edit func(*Signature)
		sig  string
		time string
		ok   bool
	}{
		{"sha256", nil, hex.EncodeToString(sign(sha256.New, key, body)), "", true},
		{"older key", nil, hex.EncodeToString(sign(sha256.New, "old", body)), "", true},
		{"upper case", nil, strings.ToUpper(hex.EncodeToString(sign(sha256.New, key, body))), "", true},
		{"sha1 with prefix", func(s *Signature) { s.Algorithm, s.Prefix = "sha1", "sha1=" }, "sha1=" + hex.EncodeToString(sign(sha1.New, key, body)), "", true},
		{"sha512 in base64", func(s *Signature) { s.Algorithm, s.Encoding = "sha512", "base64" }, base64.StdEncoding.EncodeToString(sign(sha512.New, key, body)), "", true},
		{"with time", stamped, hex.EncodeToString(sign(sha256.New, key, unix(0)+"."+body)), unix(0), true},
		{"own text", func(s *Signature) { stamped(s); s.Signed = "v0:{timestamp}:{body}!" }, hex.EncodeToString(sign(sha256.New, key, "v0:"+unix(-time.Minute)+":"+body+"!")), unix(-time.Minute), true},
		{"wide tolerance", func(s *Signature) { stamped(s); s.Tolerance = time.Hour }, hex.EncodeToString(sign(sha256.New, key, unix(-30*time.Minute)+"."+body)), unix(-30 * time.Minute), true},

		{"none", nil, "", "", false},
		{"no hex", nil, "xyz", "", false},
		{"cut", nil, hex.EncodeToString(sign(sha256.New, key, body))[:32], "", false},
		{"wrong key", nil, hex.EncodeToString(sign(sha256.New, "key", body)), "", false},
		{"no key", nil, hex.EncodeToString(sign(sha256.New, "", body)), "", false},
		{"other body", nil, hex.EncodeToString(sign(sha256.New, key, body+" ")), "", false},
		{"other hash", nil, hex.EncodeToString(sign(sha512.New, key, body)), "", false},
		{"without prefix", func(s *Signature) { s.Prefix = "sha256=" }, hex.EncodeToString(sign(sha256.New, key, body)), "", false},
		{"too old", stamped, hex.EncodeToString(sign(sha256.New, key, unix(-6*time.Minute)+"."+body)), unix(-6 * time.Minute), false},
		{"too new", stamped, hex.EncodeToString(sign(sha256.New, key, unix(6*time.Minute)+"."+body)), unix(6 * time.Minute), false},
		{"time not signed", stamped, hex.EncodeToString(sign(sha256.New, key, unix(-6*time.Minute)+"."+body)), unix(0), false},
		{"no time", stamped, hex.EncodeToString(sign(sha256.New, key, "."+body)), "", false},
		{"giant time", stamped, hex.EncodeToString(sign(sha256.New, key, "9223372036854775807."+body)), "9223372036854775807", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := open(t, engine.BatchLimits{}, func(c *Config) {
				c.Signature = &Signature{Header: "X-Signature", Secrets: []engine.Secret{engine.NewSecret("old"), engine.NewSecret(key)}}
				if tt.edit != nil {
					tt.edit(c.Signature)
				}
			})
			answer := r.post(r.request("/", jsonType, body, header("X-Signature", tt.sig), header("X-Time", tt.time)))
			if tt.ok {
				finish(r.read())
				r.commit()
				if a := r.wait(answer); a.status != 200 {
					t.Errorf("answer %+v", a)
				}
			} else if a := r.wait(answer); a.status != 401 || strings.Contains(a.text, key) {
				t.Errorf("answer %+v", a)
			}
			r.nothing()
		})
	}
	t.Run("compressed", func(t *testing.T) {
		t.Parallel()
		r := open(t, engine.BatchLimits{}, func(c *Config) {
			c.Signature = &Signature{Header: "X-Signature", Secrets: []engine.Secret{engine.NewSecret(key)}}
		})
		z := zipped(t, body)
		answer := r.post(r.request("/", jsonType, z, header("Content-Encoding", "gzip"), header("X-Signature", hex.EncodeToString(sign(sha256.New, key, z)))))
		finish(r.read())
		r.commit()
		if a := r.wait(answer); a.status != 200 {
			t.Errorf("answer %+v", a)
		}
	})
}

// TestBackPressure: beyond max_requests requests are refused at once, and taken
// again when others are done.
func TestBackPressure(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, func(c *Config) { c.MaxRequests, c.RetryAfter = 2, 7*time.Second })
	one, two := r.post(r.request("/", jsonType, "1")), r.post(r.request("/", jsonType, "2"))
	until(t, "the arrival of two requests", func() bool { return len(r.in.srv.queue) == 2 })
	if a := r.send(r.request("/", jsonType, "3")); a.status != 503 || a.header.Get("Retry-After") != "7" {
		t.Errorf("answer %+v", a)
	}
	b := r.read()
	if a := r.send(r.request("/", jsonType, "3")); a.status != 503 {
		t.Errorf("in flight: answer %+v", a)
	}
	finish(b)
	r.commit()
	r.wait(one)
	r.wait(two)
	three := r.post(r.request("/", jsonType, "3"))
	finish(r.read())
	r.commit()
	if a := r.wait(three); a.status != 200 {
		t.Errorf("answer %+v", a)
	}
}

// TestBuffer: bodies that wait take of max_buffer what they hold, no more, and
// give it back.
func TestBuffer(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, func(c *Config) { c.MaxBuffer, c.MaxBody = 160<<10, 64<<10 })
	body := `"` + strings.Repeat("a", 60<<10) + `"`
	first := r.post(r.request("/", jsonType, body))
	until(t, "the arrival of the first", func() bool { return len(r.in.srv.queue) == 1 })
	if used := r.in.srv.buffer.used.Load(); used < 60<<10 || used > 70<<10 {
		t.Errorf("a body of %d bytes takes %d", len(body), used)
	}
	second := r.post(r.request("/", jsonType, body))
	until(t, "the arrival of the second", func() bool { return len(r.in.srv.queue) == 2 })
	if a := r.send(r.request("/", jsonType, body)); a.status != 503 {
		t.Errorf("answer %+v", a)
	}
	b := r.read() // takes both
	if used := r.in.srv.buffer.used.Load(); used != 0 {
		t.Errorf("%d bytes are taken by what the pipeline has", used)
	}
	third := r.post(r.request("/", jsonType, body))
	c := r.read()
	finish(b)
	finish(c)
	r.commit()
	for _, ch := range []<-chan reply{first, second, third} {
		if a := r.wait(ch); a.status != 200 {
			t.Errorf("answer %+v", a)
		}
	}
	r.nothing()
}

// raw sends text over a connection and returns what comes back until the
// server closes it.
func (r *rig) raw(text string) string {
	r.t.Helper()
	c, err := net.Dial("tcp", r.in.srv.address)
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, text); err != nil {
		r.t.Fatal(err)
	}
	if err := c.SetReadDeadline(time.Now().Add(15 * time.Second)); err != nil {
		r.t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil {
		r.t.Fatalf("the server did not close the connection: %v", err)
	}
	return string(got)
}

// TestSlowClients: who sends too slowly is cut, with an answer where there is
// a request to answer.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, func(c *Config) {
		c.HeaderTimeout, c.BodyTimeout, c.IdleTimeout = 100*time.Millisecond, 100*time.Millisecond, 100*time.Millisecond
	})
	head := "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
	if got := r.raw(head + "Content-Length: 10\r\n\r\n{\"a\""); !strings.HasPrefix(got, "HTTP/1.1 408 ") || !strings.Contains(got, "body_timeout") || !strings.Contains(got, "Connection: close") {
		t.Errorf("half a body: %q", got)
	}
	if got := r.raw("POST / HTTP/1.1\r\nHost: x\r\nX-Slow"); strings.Contains(got, " 200 ") {
		t.Errorf("half a header: %q", got)
	}
	if got := r.raw(""); got != "" {
		t.Errorf("nothing: %q", got)
	}
	until(t, "the end of the handlers", func() bool { return len(r.in.srv.slots) == 0 })
	r.nothing()
}

// TestPatience: a client that waits longer for its confirmation than any
// timeout of receiving is not taken for gone.
func TestPatience(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, func(c *Config) {
		c.HeaderTimeout, c.BodyTimeout, c.IdleTimeout = 50*time.Millisecond, 50*time.Millisecond, 50*time.Millisecond
	})
	answer := r.post(r.request("/", jsonType, "1"))
	b := r.read()
	over := make(chan struct{})
	time.AfterFunc(300*time.Millisecond, func() { close(over) })
	<-over
	finish(b)
	r.commit()
	if a := r.wait(answer); a.status != 200 {
		t.Errorf("answer %+v", a)
	}
}

// TestAbortedBodies: of a body that breaks off nothing enters, wherever the
// connection is cut.
func TestAbortedBodies(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, nil)
	text := "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n1\n2\n\r\n2\r\n3\n\r\n0\r\n\r\n"
	aborted := 0
	for cut := strings.Index(text, "\r\n\r\n"); cut < len(text); cut++ {
		c, err := net.Dial("tcp", r.in.srv.address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(c, text[:cut]); err != nil {
			t.Fatal(err)
		}
		if err := c.(*net.TCPConn).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		got, _ := io.ReadAll(c) // it may be reset
		_ = c.Close()
		if strings.Contains(string(got), " 200 ") {
			t.Errorf("cut at %q: %q", text[cut:], got)
		}
		if strings.Contains(string(got), "broke off") {
			aborted++
		}
	}
	if aborted < 10 {
		t.Errorf("only %d bodies were seen to break off", aborted)
	}
	until(t, "the end of the handlers", func() bool { return len(r.in.srv.slots) == 0 })
	r.nothing()
}

// TestMaxConnections: one more connection waits for another to close.
func TestMaxConnections(t *testing.T) {
	t.Parallel()
	r := open(t, engine.BatchLimits{}, func(c *Config) { c.MaxConnections = 1 })
	c, err := net.Dial("tcp", r.in.srv.address)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "POST /x HTTP/1.1\r\n"); err != nil {
		t.Fatal(err)
	}
	waits := r.post(r.request("/", "", ""))
	over := make(chan struct{})
	time.AfterFunc(100*time.Millisecond, func() { close(over) })
	<-over
	r.unanswered(waits, "although the only connection is taken")
	_ = c.Close()
	if a := r.wait(waits); a.status != 415 {
		t.Errorf("answer %+v", a)
	}
}
