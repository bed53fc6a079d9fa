package httpclient

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func path(t *testing.T, s string) engine.PathOption {
	t.Helper()
	p, err := record.ParsePath(s)
	if err != nil {
		t.Fatal(err)
	}
	return engine.PathOption{Path: p}
}

type headerList = []record.Header

// site is a server that notes the requests.
type site struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string // method, URI and some headers
}

func serve(t *testing.T, h http.HandlerFunc) *site {
	t.Helper()
	s := &site{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		note := r.Method + " " + r.URL.RequestURI()
		for _, name := range []string{"If-None-Match", "If-Modified-Since", "Last-Event-ID"} {
			if v := r.Header.Get(name); v != "" {
				note += " " + name + ":" + v
			}
		}
		s.mu.Lock()
		s.seen = append(s.seen, note)
		s.mu.Unlock()
		h(w, r)
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *site) requests() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := strings.Join(s.seen, "\n")
	s.seen = nil
	return out
}

func config(url string, edit func(*Config)) *Config {
	c := Defaults().(*Config)
	c.URL, c.Interval = url, 0
	if edit != nil {
		edit(c)
	}
	return c
}

// open makes an input over a host.
func open(t *testing.T, h *enginetest.Host, c *Config) *input {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	made, err := newInput(c, enginetest.Env(t, "input.http_client.in"))
	if err != nil {
		t.Fatal(err)
	}
	in := made.(*input)
	if err := in.Open(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := in.Close(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
	return in
}

// read reads n records, or to the end with n < 0, confirming each batch. It
// returns the errors that asked for another try, too.
func read(t *testing.T, in *input, n int) (list []enginetest.Record, retries []*engine.RetryError) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for n < 0 || len(list) < n {
		b, err := in.Read(ctx)
		var again *engine.RetryError
		switch {
		case errors.Is(err, engine.ErrEnd) && n < 0:
			return list, retries
		case errors.As(err, &again):
			retries = append(retries, again)
			continue
		case err != nil:
			t.Fatalf("Read: %v", err)
		}
		list = append(list, enginetest.Records(b)...)
		b.Done()
		b.Release()
	}
	return list, retries
}

func texts(list []enginetest.Record) string {
	var out []string
	for _, r := range list {
		s := string(r.Value)
		if r.Failure.Reason != nil {
			s = "!" + s
		}
		out = append(out, s)
	}
	return strings.Join(out, "|")
}

func zipped(t *testing.T, s string) string {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}
