package registry

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	chttp "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/connections/registry/registrytest"
	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/internal/servers"
)

// anyRegistry is what the tests below know of a registry, fake or real.
type anyRegistry struct {
	url      string
	down, up func(t *testing.T)
	// guids: it gives schemas a GUID.
	guids bool
}

func fakeRegistry(t *testing.T) anyRegistry {
	t.Helper()
	fake := registrytest.New()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return anyRegistry{
		url: server.URL, guids: true,
		down: func(*testing.T) { fake.SetDown(true) },
		up:   func(*testing.T) { fake.SetDown(false) },
	}
}

func realRegistry(t *testing.T) (anyRegistry, *servers.RegistryServer) {
	t.Helper()
	r := servers.Registry(t)
	return anyRegistry{
		url: r.URL(),
		down: func(t *testing.T) {
			if err := r.Kill(); err != nil {
				t.Fatal(err)
			}
		},
		up: func(t *testing.T) {
			if err := r.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
	}, r
}

// connect opens a connection that knows nothing yet.
func connect(t *testing.T, url string, edit func(*Config)) *Connection {
	t.Helper()
	cfg := Defaults()
	cfg.URLs, cfg.Retries, cfg.RetryWait = []string{url}, 0, time.Millisecond
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
	return c
}

// TestFake and TestReal run the same: what the fake one answers is what the real
// one does.
func TestFake(t *testing.T) {
	t.Parallel()
	r := fakeRegistry(t)
	bothRegistries(t, r)
	t.Run("verdicts", func(t *testing.T) { verdicts(t, r) })
	t.Run("outage", func(t *testing.T) { realOutage(t, r) })
}

func TestReal(t *testing.T) {
	t.Parallel()
	r, server := realRegistry(t)
	bothRegistries(t, r)
	t.Run("TLS", func(t *testing.T) { realTLS(t, server) })
	t.Run("verdicts", func(t *testing.T) { verdicts(t, r) })
	t.Run("verdicts of JSON Schema", func(t *testing.T) { verdictsJSON(t, r) })
	t.Run("outage", func(t *testing.T) { realOutage(t, r) })
}

func bothRegistries(t *testing.T, r anyRegistry) {
	for name, test := range map[string]func(*testing.T, anyRegistry){
		"versions": realVersions, "incompatible": realIncompatible, "references": realReferences, "credentials": realCredentials, "doctor": realCheck, "levels": realLevels,
	} {
		t.Run(name, func(t *testing.T) { test(t, r) })
	}
}

func realVersions(t *testing.T, r anyRegistry) {
	c, ctx, subject := connect(t, r.url, nil), t.Context(), servers.UniqueName(t)+"-ä/x"
	one, err := c.Register(ctx, subject, Text{Type: Avro, Text: v1})
	if err != nil || one.ID == 0 {
		t.Fatalf("%+v, %v", one, err)
	}
	if again, err := connect(t, r.url, nil).Register(ctx, subject, Text{Type: Avro, Text: v1}); err != nil || again != one {
		t.Errorf("registered again: %+v, was %+v: %v", again, one, err)
	}
	two, err := c.Register(ctx, subject, Text{Type: Avro, Text: v2})
	if err != nil || two.ID == one.ID {
		t.Fatalf("%+v, %v", two, err)
	}
	if s, err := c.ByID(ctx, two.ID); err != nil || s.Type != Avro || s.Text.Text != v2 {
		t.Errorf("by id: %+v, %v", s, err)
	}
	if s, err := c.Latest(ctx, subject); err != nil || s.ID != two.ID || s.Version != 2 {
		t.Errorf("latest: %+v, %v", s, err)
	}
	if s, err := c.Version(ctx, subject, 1); err != nil || s.ID != one.ID {
		t.Errorf("first: %+v, %v", s, err)
	}
	if s, err := c.Lookup(ctx, subject, Text{Type: Avro, Text: v1}); err != nil || s.ID != one.ID {
		t.Errorf("looked up: %+v, %v", s, err)
	}
	for what, err := range map[string]error{
		"an unknown schema":  second(c.Lookup(ctx, subject, Text{Type: Avro, Text: v3})),
		"an unknown subject": second(c.Latest(ctx, subject+"-none")),
		"an unknown version": second(c.Version(ctx, subject, 9)),
		"an unknown id":      second(c.ByID(ctx, 1<<30)),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: %v", what, err)
		}
	}
	if _, err := c.Register(ctx, subject, Text{Type: Avro, Text: `{"type":"x"}`}); !errors.Is(err, ErrInvalid) {
		t.Errorf("no schema: %v", err)
	}
	if !r.guids {
		return
	}
	if s, err := c.ByGUID(ctx, two.GUID); err != nil || s.Text.Text != v2 {
		t.Errorf("by GUID: %+v, %v", s, err)
	}
}

func second[A any](_ A, err error) error { return err }

// realIncompatible: people see the registry's own reason.
func realIncompatible(t *testing.T, r anyRegistry) {
	c, ctx := connect(t, r.url, nil), t.Context()
	for _, tt := range []struct{ kind, old, next, why string }{
		{Avro, v1, v3, "string"},
		{JSON, `{"type":"object","additionalProperties":false,"properties":{"a":{"type":"integer"}}}`, `{"type":"object","additionalProperties":false,"properties":{"a":{"type":"string"}}}`, "a"},
	} {
		subject := servers.UniqueName(t)
		if _, err := c.Register(ctx, subject, Text{Type: tt.kind, Text: tt.old}); err != nil {
			t.Fatal(err)
		}
		_, err := c.Register(ctx, subject, Text{Type: tt.kind, Text: tt.next})
		if !errors.Is(err, ErrIncompatible) || !strings.Contains(strings.ToLower(err.Error()), tt.why) {
			t.Errorf("%s: %v, want %q", tt.kind, err, tt.why)
		}
		if ok, _, err := c.Compatible(ctx, subject, Text{Type: tt.kind, Text: tt.next}); ok || err != nil {
			t.Errorf("%s: %v, %v", tt.kind, ok, err)
		}
		if ok, _, err := c.Compatible(ctx, subject, Text{Type: tt.kind, Text: tt.old}); !ok || err != nil {
			t.Errorf("%s itself: %v, %v", tt.kind, ok, err)
		}
		if ok, _, err := c.Compatible(ctx, subject+"-new", Text{Type: tt.kind, Text: tt.next}); !ok || err != nil {
			t.Errorf("%s under a new subject: %v, %v", tt.kind, ok, err)
		}
	}
}

func realReferences(t *testing.T, r anyRegistry) {
	c, ctx, base := connect(t, r.url, nil), t.Context(), servers.UniqueName(t)
	register := func(kind, subject, text string, refs ...Reference) Stored {
		t.Helper()
		s, err := c.Register(ctx, base+subject, Text{Type: kind, Text: text, References: refs})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	register(Avro, "kind", `{"type":"enum","name":"Kind","symbols":["A"]}`)
	register(Avro, "customer", `{"type":"record","name":"Customer","fields":[{"name":"k","type":"Kind"}]}`, Reference{"Kind", base + "kind", 1})
	id := register(Avro, "order", `{"type":"record","name":"Order","fields":[{"name":"c","type":"Customer"},{"name":"k","type":"Kind"}]}`, Reference{"Customer", base + "customer", 1}, Reference{"Kind", base + "kind", 1})
	s, err := connect(t, r.url, nil).ByID(ctx, id.ID)
	if err != nil || len(s.Uses) != 2 || s.Uses[0].Name != "Kind" || s.Uses[1].Name != "Customer" {
		t.Fatalf("%+v, %v", s, err)
	}
	register(JSON, "person", `{"type":"object","properties":{"name":{"type":"string"}}}`)
	id = register(JSON, "letter", `{"type":"object","properties":{"to":{"$ref":"person.json"}}}`, Reference{"person.json", base + "person", 1})
	if s, err := connect(t, r.url, nil).ByID(ctx, id.ID); err != nil || len(s.Uses) != 1 || s.Type != JSON || s.Uses[0].Name != "person.json" {
		t.Fatalf("%+v, %v", s, err)
	}
}

// realCredentials: a gate in front of the registry asks for them, since neither
// registry of the tests does so by itself.
func realCredentials(t *testing.T, r anyRegistry) {
	target, err := url.Parse(r.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(p *httputil.ProxyRequest) { p.SetURL(target) }, Transport: &http.Transport{DisableKeepAlives: true}}
	gate := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		user, password, _ := req.BasicAuth()
		if (user != "ann" || password != "pw") && req.Header.Get("Authorization") != "Bearer tok" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, req)
	}))
	defer gate.Close()
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(`{"access_token":"tok","expires_in":3600}`))
	}))
	defer provider.Close()
	for name, tt := range map[string]struct {
		edit func(*Config)
		ok   bool
	}{
		"nothing":          {nil, false},
		"a wrong password": {func(c *Config) { c.Basic = &chttp.Basic{User: "ann", Password: engine.NewSecret("x")} }, false},
		"a password":       {func(c *Config) { c.Basic = &chttp.Basic{User: "ann", Password: engine.NewSecret("pw")} }, true},
		"a token of a provider": {func(c *Config) {
			c.Credentials = &oauth.ClientCredentials{URL: provider.URL, ClientID: "flow", ClientSecret: engine.NewSecret("abc")}
		}, true},
		"a token": {func(c *Config) { c.BearerToken = engine.NewSecret("tok") }, true},
	} {
		_, err := connect(t, gate.URL, tt.edit).Register(t.Context(), servers.UniqueName(t), Text{Type: Avro, Text: v1})
		_, fatal := errors.AsType[*engine.FatalError](err)
		if tt.ok && err != nil || !tt.ok && !fatal {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func realTLS(t *testing.T, r *servers.RegistryServer) {
	subject := servers.UniqueName(t)
	c := connect(t, r.TLSURL(), func(c *Config) { c.TLS = &tlsconf.Client{CAFile: r.CA().File()} })
	if _, err := c.Register(t.Context(), subject, Text{Type: Avro, Text: v1}); err != nil {
		t.Error(err)
	}
	_, err := connect(t, r.TLSURL(), nil).Register(t.Context(), subject, Text{Type: Avro, Text: v1})
	if err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an authority that nobody knows: %v", err)
	}
}

func realCheck(t *testing.T, r anyRegistry) {
	var report engine.CheckReport
	connect(t, r.url, nil).Check(t.Context(), &report)
	for _, c := range report.Checks() {
		if c.Status != engine.CheckOK {
			t.Errorf("%+v", c)
		}
	}
}

// realOutage: what was read stays, what was not makes its reader wait, and after
// the outage all is as it was.
func realOutage(t *testing.T, r anyRegistry) {
	c, ctx, subject := connect(t, r.url, func(c *Config) { c.LatestTTL = 0 }), t.Context(), servers.UniqueName(t)
	one, err := c.Register(ctx, subject, Text{Type: Avro, Text: v1})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.ByID(ctx, one.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Latest(ctx, subject); err != nil {
		t.Fatal(err)
	}
	r.down(t)
	if _, err := c.ByID(ctx, one.ID); err != nil {
		t.Errorf("a schema that was read: %v", err)
	}
	if s, err := c.Latest(ctx, subject); err != nil || s.ID != one.ID {
		t.Errorf("the latest: %+v, %v", s, err)
	}
	if _, err := c.Register(ctx, subject, Text{Type: Avro, Text: v1}); err != nil {
		t.Errorf("a schema that was registered: %v", err)
	}
	for what, err := range map[string]error{
		"a schema that was not read":       second(connect(t, r.url, nil).ByID(ctx, one.ID)),
		"a schema that was not registered": second(c.Register(ctx, subject, Text{Type: Avro, Text: v2})),
	} {
		if _, away := errors.AsType[*engine.RetryError](err); !away {
			t.Errorf("%s: %v, want one that is tried again", what, err)
		}
	}
	r.up(t)
	if s, err := connect(t, r.url, nil).ByID(ctx, one.ID); err != nil || s.Text.Text != v1 {
		t.Errorf("after the outage: %+v, %v", s, err)
	}
	if two, err := c.Register(ctx, subject, Text{Type: Avro, Text: v2}); err != nil || two.ID == one.ID {
		t.Errorf("a new version after the outage: %+v, %v", two, err)
	}
}

// realLevels: the verdict depends on the level of the subject.
func realLevels(t *testing.T, r anyRegistry) {
	c, ctx := connect(t, r.url, nil), t.Context()
	required := `{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string"}]}`
	for _, tt := range []struct {
		level          string
		added, removed bool // without a default
	}{
		{"BACKWARD", false, true}, {"FORWARD", true, false}, {"FULL", false, false},
		{"BACKWARD_TRANSITIVE", false, true}, {"FORWARD_TRANSITIVE", true, false}, {"FULL_TRANSITIVE", false, false},
	} {
		for _, way := range []struct {
			old, next string
			want      bool
		}{{v1, required, tt.added}, {required, v1, tt.removed}} {
			subject := servers.UniqueName(t)
			if _, err := c.Register(ctx, subject, Text{Type: Avro, Text: way.old}); err != nil {
				t.Fatal(err)
			}
			level(t, r, subject, tt.level)
			if ok, _, err := c.Compatible(ctx, subject, Text{Type: Avro, Text: way.next}); ok != way.want || err != nil {
				t.Errorf("%s: %s after %s: %v, want %v: %v", tt.level, way.next, way.old, ok, way.want, err)
			}
		}
	}
}
