package http

import (
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/outputs/internal/player"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// got is one request that a server has stored.
type got struct {
	method, path, body string
	header             http.Header
}

// server stores requests. answer, if set, is called first, by one goroutine at
// a time, with the number of the request; it returns whether it has answered,
// and whether the request is stored all the same.
type server struct {
	*httptest.Server
	answer func(n int, w http.ResponseWriter, r *http.Request, body string) (answered, store bool)

	mu   sync.Mutex // guards all below
	n    int
	list []got
}

func newServer(t *testing.T) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(s.handle))
	t.Cleanup(s.Close)
	return s
}

func (s *server) handle(w http.ResponseWriter, r *http.Request) {
	var from io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		from = z
	}
	body, err := io.ReadAll(from)
	if err != nil {
		return // the client has gone away
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.n++
	answered, store := false, true
	if s.answer != nil {
		answered, store = s.answer(s.n, w, r, string(body))
	}
	if store {
		s.list = append(s.list, got{r.Method, r.URL.RequestURI(), string(body), r.Header.Clone()})
	}
	if !answered {
		w.WriteHeader(http.StatusNoContent)
	}
}

// requests returns what is stored, and how many requests came.
func (s *server) requests() ([]got, int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list, s.n
}

// bodies returns the records of all stored requests.
func (s *server) bodies() []string {
	list, _ := s.requests()
	var out []string
	for _, r := range list {
		body := strings.TrimSuffix(strings.TrimPrefix(r.body, "["), "]")
		split := "\n"
		if body != r.body {
			split = ","
		}
		out = append(out, strings.Split(strings.TrimSuffix(body, "\n"), split)...)
	}
	return out
}

// hangUp breaks the connection of a request.
func hangUp(w http.ResponseWriter) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err == nil {
		_ = c.Close()
	}
}

func config(url string, edit ...func(*Config)) *Config {
	c := Defaults()
	c.URL = literal(url)
	for _, e := range edit {
		e(c)
	}
	return c
}

// open opens an output and closes it at the end of the test.
func open(t *testing.T, c *Config) (*output, *player.Player) {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	o := newOutput(c, enginetest.Env(t, "output.http.out"))
	if err := o.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return o, player.New(t, o)
}

// numbers makes batches of so many records each, numbered through.
func numbers(batches, records int) []*engine.Batch {
	list := make([]*engine.Batch, batches)
	for k := range list {
		list[k] = values(record.JSON)
		for i := range records {
			list[k].Value.Add(fmt.Appendf(nil, "%d", k*records+i))
		}
	}
	return list
}

func values(enc record.Encoding, list ...string) *engine.Batch {
	b := engine.NewBatch()
	b.Value.Encoding = enc
	for _, v := range list {
		b.Value.Add([]byte(v))
	}
	return b
}

// template and expression stand in for what the compiler makes: %s is the text
// of the value.
type template string

func literal(text string) engine.Template { return engine.Template{Source: template(text)} }

func (t template) Text() string            { return string(t) }
func (t template) Literal() (string, bool) { return string(t), !strings.Contains(string(t), "%s") }
func (t template) LiteralPrefix() string {
	prefix, _, _ := strings.Cut(string(t), "%s")
	return prefix
}

func (t template) Bind(*record.Layout) (engine.TemplateProgram, error) {
	return templateProgram(t), nil
}

type templateProgram string

func (p templateProgram) Append(dst []byte, r *record.Record) ([]byte, error) {
	return fmt.Appendf(dst, string(p), r.Value.Raw()), nil
}

type expression func(r *record.Record) (record.Value, error)

func expr(f expression) engine.Expression { return engine.Expression{Source: f} }

// text is the value's own text, nil for the text null.
func text(r *record.Record) (record.Value, error) {
	if s := string(r.Value.Raw()); s != "null" {
		return record.StringValue(s), nil
	}
	return record.Value{}, nil
}

func (e expression) Text() string                                { return "test" }
func (e expression) Bind(*record.Layout) (engine.Program, error) { return e, nil }
func (e expression) Eval(r *record.Record) (record.Value, error) { return e(r) }
func (e expression) Test(*record.Record) (bool, error)           { return false, nil }
