package registry

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	chttp "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/connections/registry/registrytest"
	"github.com/flowrecords/flow/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fixture is a registry and a connection to it.
type fixture struct {
	*Connection
	fake   *registrytest.Registry
	server *httptest.Server
}

func open(t *testing.T, edit func(*Config)) *fixture {
	t.Helper()
	fake := registrytest.New()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	cfg := Defaults()
	cfg.URLs = []string{server.URL}
	cfg.Retries, cfg.RetryWait = 1, time.Millisecond
	if edit != nil {
		edit(cfg)
	}
	if ps := cfg.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	c := New(cfg, engine.Env{Version: "1.2.3"})
	if err := c.Acquire(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Release)
	return &fixture{Connection: c, fake: fake, server: server}
}

const (
	v1 = `{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}`
	v2 = `{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string","default":"x"}]}`
	v3 = `{"type":"record","name":"R","fields":[{"name":"a","type":"string"}]}`
)

func TestRegister(t *testing.T) {
	t.Parallel()
	f := open(t, nil)
	ctx := t.Context()
	one, err := f.Register(ctx, "s/ä-value", Text{Type: Avro, Text: v1})
	if err != nil || one.ID != 1 || len(one.GUID) != 36 {
		t.Fatalf("%+v, %v", one, err)
	}
	for range 3 {
		if again, err := f.Register(ctx, "s/ä-value", Text{Type: Avro, Text: v1}); err != nil || again != one {
			t.Errorf("%+v, %v", again, err)
		}
	}
	if n := f.fake.Requests("POST /subjects/s/ä-value/versions"); n != 1 {
		t.Errorf("%d requests for one schema", n)
	}
	two, err := f.Register(ctx, "s/ä-value", Text{Type: Avro, Text: v2})
	if err != nil || two.ID != 2 {
		t.Fatalf("%+v, %v", two, err)
	}
	_, err = f.Register(ctx, "s/ä-value", Text{Type: Avro, Text: v3})
	if !errors.Is(err, ErrIncompatible) || !strings.Contains(err.Error(), "a: data has int and the reader's schema has string") {
		t.Errorf("incompatible: %v", err)
	}
	if _, err = f.Register(ctx, "s", Text{Type: Avro, Text: `{"type":"x"}`}); !errors.Is(err, ErrInvalid) {
		t.Errorf("invalid: %v", err)
	}
	if got, err := f.Lookup(ctx, "s/ä-value", Text{Type: Avro, Text: v2}); err != nil || got.ID != two.ID || got.GUID != two.GUID || got.Version != 2 {
		t.Errorf("looked up %+v, %v", got, err)
	}
	if _, err := f.Lookup(ctx, "s/ä-value", Text{Type: Avro, Text: v3}); !errors.Is(err, ErrNotFound) {
		t.Errorf("unknown: %v", err)
	}
	s, err := f.ByID(ctx, 2)
	if err != nil || s.Text.Text != v2 || s.Type != Avro {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = f.ByGUID(ctx, two.GUID); err != nil || s.Text.Text != v2 {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err = f.Latest(ctx, "s/ä-value"); err != nil || s.ID != 2 || s.Version != 2 {
		t.Errorf("latest %+v, %v", s, err)
	}
	if s, err = f.Version(ctx, "s/ä-value", 1); err != nil || s.ID != 1 {
		t.Errorf("first %+v, %v", s, err)
	}
	if ok, why, err := f.Compatible(ctx, "s/ä-value", Text{Type: Avro, Text: v3}); ok || len(why) == 0 || err != nil {
		t.Errorf("%v %v %v", ok, why, err)
	}
	if ok, _, err := f.Compatible(ctx, "new", Text{Type: Avro, Text: v3}); !ok || err != nil {
		t.Errorf("%v %v", ok, err)
	}
}

// TestOutage: what was read stays, what was not makes its reader wait, and a
// wrong id does not flood the registry.
func TestOutage(t *testing.T) {
	t.Parallel()
	f := open(t, func(c *Config) { c.LatestTTL = 0 })
	ctx := t.Context()
	for _, text := range []string{v1, v2} {
		if _, err := f.Register(ctx, "s", Text{Type: Avro, Text: text}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := f.ByID(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Latest(ctx, "s"); err != nil {
		t.Fatal(err)
	}
	f.fake.SetDown(true)
	if _, err := f.ByID(ctx, 1); err != nil {
		t.Errorf("a schema that was read: %v", err)
	}
	if s, err := f.Latest(ctx, "s"); err != nil || s.ID != 2 {
		t.Errorf("the latest: %+v, %v", s, err)
	}
	if _, err := f.Register(ctx, "s", Text{Type: Avro, Text: v1}); err != nil {
		t.Errorf("a schema that was registered: %v", err)
	}
	_, err := f.ByID(ctx, 2)
	if _, transient := errors.AsType[*engine.RetryError](err); !transient {
		t.Errorf("a schema that was not read: %v", err)
	}
	if n := f.fake.Requests("GET /schemas/ids/2"); n != 2 {
		t.Errorf("%d requests, want one and a retry", n)
	}
	f.fake.SetDown(false)
	if _, err := f.ByID(ctx, 2); err != nil {
		t.Errorf("after the outage: %v", err)
	}
	for range 5 {
		if _, err := f.ByID(ctx, 77); !errors.Is(err, ErrNotFound) {
			t.Errorf("unknown id: %v", err)
		}
	}
	if n := f.fake.Requests("GET /schemas/ids/77"); n != 1 {
		t.Errorf("%d requests for an id that is not there", n)
	}
}

func TestFailOver(t *testing.T) {
	t.Parallel()
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	f := open(t, func(c *Config) { c.URLs = append([]string{gone.URL}, c.URLs...) })
	if _, err := f.Register(t.Context(), "s", Text{Type: Avro, Text: v1}); err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	good := f.good
	f.mu.Unlock()
	if good != 1 {
		t.Errorf("the server that answers is number %d", good)
	}
}

func TestCredentials(t *testing.T) {
	t.Parallel()
	fatal := func(c *fixture) error {
		_, err := c.ByID(t.Context(), 1)
		if _, ok := errors.AsType[*engine.FatalError](err); !ok {
			return err
		}
		return nil
	}
	f := open(t, nil)
	f.fake.SetBasic("ann", "pw")
	if err := fatal(f); err != nil {
		t.Errorf("without a password: %v", err)
	}
	f = open(t, func(c *Config) {
		c.Basic = &chttp.Basic{User: "ann", Password: engine.NewSecret("pw")}
	})
	f.fake.SetBasic("ann", "pw")
	if _, err := f.Register(t.Context(), "s", Text{Type: Avro, Text: v1}); err != nil {
		t.Error(err)
	}
	f = open(t, func(c *Config) { c.BearerToken = engine.NewSecret("tok") })
	f.fake.SetToken("tok")
	if _, err := f.Register(t.Context(), "s", Text{Type: Avro, Text: v1}); err != nil {
		t.Error(err)
	}
	f = open(t, func(c *Config) { c.URLs[0] += "/nowhere" })
	if err := fatal(f); err != nil {
		t.Errorf("a wrong path: %v", err)
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	f := open(t, nil)
	ctx := t.Context()
	register := func(subject, text string, refs ...Reference) Stored {
		t.Helper()
		s, err := f.Register(ctx, subject, Text{Type: Avro, Text: text, References: refs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	register("kind", `{"type":"enum","name":"Kind","symbols":["A"]}`)
	register("customer", `{"type":"record","name":"Customer","fields":[{"name":"k","type":"Kind"}]}`, Reference{"Kind", "kind", 1})
	id := register("order", `{"type":"record","name":"Order","fields":[{"name":"c","type":"Customer"},{"name":"k","type":"Kind"}]}`, Reference{"Customer", "customer", 1}, Reference{"Kind", "kind", 1})
	s, err := f.ByID(ctx, id.ID)
	if err != nil || len(s.Uses) != 2 || s.Uses[0].Name != "Kind" || s.Uses[1].Name != "Customer" {
		t.Fatalf("%+v, %v", s, err)
	}
}

// TestOneRequest: those who ask at the same time share a request.
func TestOneRequest(t *testing.T) {
	t.Parallel()
	f := open(t, nil)
	if _, err := f.Register(t.Context(), "s", Text{Type: Avro, Text: v1}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := f.ByID(context.Background(), 1); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	// Whoever comes after the end of the first request finds the answer kept.
	if n := f.fake.Requests("GET /schemas/ids/1"); n != 1 {
		t.Errorf("%d requests", n)
	}
}

func TestLargeAnswer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat(" ", 1<<20))
		for range 20 {
			_, _ = w.Write(chunk)
		}
	}))
	defer s.Close()
	f := open(t, func(c *Config) { c.URLs, c.Retries = []string{s.URL}, 0 })
	if _, err := f.ByID(t.Context(), 1); err == nil || !strings.Contains(err.Error(), "larger than") {
		t.Errorf("error %v", err)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	f := open(t, nil)
	var r engine.CheckReport
	f.Check(t.Context(), &r)
	for _, c := range r.Checks() {
		if c.Status != engine.CheckOK {
			t.Errorf("%+v", c)
		}
	}
	f.fake.SetBasic("ann", "pw")
	var refused engine.CheckReport
	f.Check(t.Context(), &refused)
	last := refused.Checks()[len(refused.Checks())-1]
	if last.Status != engine.CheckFailure || !strings.Contains(last.Detail, "Unauthorized") {
		t.Errorf("%+v", last)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	c := Defaults()
	c.URLs = []string{"http://a", "http://a", "ftp://b", "http://c?x=1"}
	c.Context = ":.x:"
	var got []string
	for _, p := range c.Validate() {
		got = append(got, p.Option)
	}
	if strings.Join(got, " ") != "urls urls urls context" {
		t.Errorf("problems at %v", got)
	}
}
