package http

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func newClient(t *testing.T, edit func(*ClientConfig)) *Client {
	t.Helper()
	cfg := DefaultClientConfig()
	if edit != nil {
		edit(&cfg)
	}
	c, err := NewClient(&cfg, engine.Env{Version: "1.2.3"}, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func get(t *testing.T, c *Client, target string) (string, error) {
	t.Helper()
	ctx, cancel := c.WithTimeout(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, target, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err != nil {
		return "", Cause(ctx, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return string(body), Cause(ctx, err)
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%s|%s|%s", r.Header.Get("User-Agent"), r.Header.Get("Authorization"), r.Header.Get("X-Key"))
	}))
	defer s.Close()
	tests := []struct {
		name string
		edit func(*ClientConfig)
		want string
	}{
		{"plain", nil, "flow/1.2.3||"},
		{"agent", func(c *ClientConfig) { c.UserAgent = "me" }, "me||"},
		{"bearer", func(c *ClientConfig) { c.BearerToken = engine.NewSecret("tok") }, "flow/1.2.3|Bearer tok|"},
		{"basic", func(c *ClientConfig) { c.Basic = &Basic{User: "ann", Password: engine.NewSecret("pw")} }, "flow/1.2.3|Basic YW5uOnB3|"},
		{"secret", func(c *ClientConfig) { c.SecretHeaders = map[string]engine.Secret{"x-key": engine.NewSecret("k")} }, "flow/1.2.3||k"},
	}
	for _, tt := range tests {
		if got, err := get(t, newClient(t, tt.edit), s.URL); got != tt.want || err != nil {
			t.Errorf("%s: %q %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

// TestRedirects: they are followed within the host, with a limit, and never by
// another method or to another host.
func TestRedirects(t *testing.T) {
	t.Parallel()
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the other host was asked") }))
	defer other.Close()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/once":
			http.Redirect(w, r, "/end?token=hush", http.StatusFound)
		case "/other":
			http.Redirect(w, r, other.URL+"/x?token=hush", http.StatusTemporaryRedirect)
		case "/loop":
			http.Redirect(w, r, "/loop", http.StatusTemporaryRedirect)
		default:
			_, _ = io.WriteString(w, r.Method)
		}
	}))
	defer s.Close()
	c := newClient(t, nil)
	if got, err := get(t, c, s.URL+"/once"); got != "GET" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	for path, want := range map[string]string{"/other": "another host", "/loop": "more than 5 times"} {
		_, err := get(t, c, s.URL+path)
		var again *engine.RetryError
		if err = Classify("asking", err); err == nil || errors.As(err, &again) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", path, err)
		}
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/once", strings.NewReader("x"))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	if err == nil || !strings.Contains(err.Error(), "another method") {
		t.Errorf("a POST has become %v, %v", resp, err)
	}
}

func TestClassify(t *testing.T) {
	t.Parallel()
	tests := []struct {
		err   error
		retry bool
		after time.Duration
	}{
		{&net.OpError{Op: "dial", Err: errors.New("connection refused")}, true, 0},
		{io.ErrUnexpectedEOF, true, 0},
		{context.DeadlineExceeded, true, 0},
		{&StatusError{Status: 429, After: time.Minute}, true, time.Minute},
		{&StatusError{Status: 503}, true, 0},
		{&StatusError{Status: 400}, false, 0},
		{&StatusError{Status: 501}, false, 0},
		{tls.RecordHeaderError{}, false, 0},
		{&tls.CertificateVerificationError{Err: errors.New("x")}, false, 0},
	}
	for _, tt := range tests {
		err := Classify("asking", fmt.Errorf("wrapped: %w", tt.err))
		var retry *engine.RetryError
		if errors.As(err, &retry) != tt.retry || !strings.HasPrefix(err.Error(), "asking: ") || retry != nil && retry.After != tt.after {
			t.Errorf("%v is classified as %#v", tt.err, err)
		}
	}
	if Classify("asking", nil) != nil {
		t.Error("no error has become one")
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	for v, want := range map[string]time.Duration{
		"": 0, "0": 0, "7": 7 * time.Second, " 7 ": 7 * time.Second, "-7": 0, "1.5": 0, "soon": 0,
		"99999999999999999999": 0, "4000000000": time.Hour, "7200": time.Hour,
		"Fri, 02 Jan 2026 03:04:35 GMT":  30 * time.Second,
		"Friday, 02-Jan-26 03:04:35 GMT": 30 * time.Second,
		"Fri, 02 Jan 2026 03:04:00 GMT":  0,
		"Fri, 02 Jan 2099 03:04:00 GMT":  time.Hour,
	} {
		if got := RetryAfter(http.Header{"Retry-After": {v}}, now); got != want {
			t.Errorf("%q: %s, want %s", v, got, want)
		}
	}
}

func TestMessage(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                         "",
		" a\r\n\tb\x00c \n":        "a b c",
		"\xff\xfe":                 "",
		strings.Repeat("ä", 10_00): strings.Repeat("ä", 240),
	} {
		if got := Message(strings.NewReader(in)); got != want {
			t.Errorf("%.20q: %q", in, got)
		}
	}
}

func TestStatusError(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		http.Error(w, "try\nlater", http.StatusServiceUnavailable)
	}))
	defer s.Close()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/p?token=hush", nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := newClient(t, nil).Do(req) //nolint:bodyclose // NewStatusError closes it
	if err != nil {
		t.Fatal(err)
	}
	e := NewStatusError(resp, time.Now())
	if want := "GET " + s.URL + "/p?...: status 503 Service Unavailable: try later"; e.Error() != want || e.After != 3*time.Second {
		t.Errorf("%v after %s, want %s", e, e.After, want)
	}
}

func TestTimeoutIsNamed(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	defer s.Close()
	_, err := get(t, newClient(t, func(c *ClientConfig) { c.Timeout = 20 * time.Millisecond }), s.URL)
	if err = Classify("asking", err); err == nil || !strings.Contains(err.Error(), "timeout of 20ms") {
		t.Errorf("error %v", err)
	}
}

func TestURLs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"https://h/p?q=1":     "",
		"http://[::1]:80":     "",
		"ftp://h":             "no URL of http",
		"h/p":                 "no URL of http",
		"http:///p":           "no host",
		"http://u:hush@h/":    "name or password",
		"http://h/#f":         "fragment",
		"http://u:hush@h:x/ ": "is no URL",
	} {
		got := ""
		for _, p := range CheckURL("url", text) {
			got += p.Summary + " " + p.Detail
		}
		if (want == "") != (got == "") || !strings.Contains(got, want) || strings.Contains(got, "hush") {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
	u, err := url.Parse("https://u:hush@h/a%2Fb?token=hush#hush")
	if err != nil {
		t.Fatal(err)
	}
	if got := Redact(u); got != "https://h/a%2Fb?..." {
		t.Errorf("shown as %s", got)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	c := DefaultClientConfig()
	if ps := c.Problems(); len(ps) > 0 {
		t.Error(ps)
	}
	c.Basic, c.BearerToken = &Basic{}, engine.NewSecret("x")
	c.SecretHeaders = map[string]engine.Secret{"a b": {}}
	c.TLS = &tlsconf.Client{CertFile: "x"}
	var got []string
	for _, p := range c.Problems() {
		got = append(got, p.Option)
	}
	if strings.Join(got, " ") != "basic secret_headers tls" {
		t.Errorf("problems at %q", got)
	}
	got = nil
	c.SecretHeaders, c.TLS = nil, nil
	c.Credentials = &oauth.ClientCredentials{URL: "https://a/token", ClientID: "f"}
	for _, p := range c.Problems() {
		got = append(got, p.Option)
	}
	if strings.Join(got, " ") != "basic basic bearer_token client_credentials.client_secret" {
		t.Errorf("problems at %q", got)
	}
	for _, h := range []string{"host", "Content-Length"} {
		if len(CheckHeader("headers", h)) != 1 {
			t.Errorf("%s may be set", h)
		}
	}
}

// TestTokens: a token is asked for once, sent with each request, and asked for
// anew when the server has refused it.
func TestTokens(t *testing.T) {
	t.Parallel()
	var given, served atomic.Int64
	valid := func() string { return fmt.Sprintf("Bearer t%d", given.Load()) }
	provider := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id, secret, _ := r.BasicAuth(); id != "flow" || secret != "abc" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		fmt.Fprintf(w, `{"access_token":"t%d","expires_in":3600}`, given.Add(1))
	}))
	defer provider.Close()
	var withdrawn, never atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if served.Add(1); r.Header.Get("Authorization") != valid() || string(body) != "records" || withdrawn.Swap(false) || never.Load() {
			w.WriteHeader(http.StatusUnauthorized)
		}
	}))
	defer server.Close()
	c := newClient(t, func(c *ClientConfig) {
		c.Credentials = &oauth.ClientCredentials{URL: provider.URL, ClientID: "flow", ClientSecret: engine.NewSecret("abc")}
	})
	post := func(c *Client) (int, error) {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader("records"))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := c.Do(req)
		if err != nil {
			return 0, err
		}
		return resp.StatusCode, resp.Body.Close()
	}
	for _, step := range []struct {
		name            string
		before          func()
		status          int
		given, requests int64
	}{
		{"first", func() {}, 200, 1, 1},
		{"kept", func() {}, 200, 1, 2},
		{"withdrawn", func() { withdrawn.Store(true) }, 200, 2, 4},
		{"no right", func() { never.Store(true) }, 401, 3, 6},
	} {
		step.before()
		if status, err := post(c); status != step.status || err != nil || given.Load() != step.given || served.Load() != step.requests {
			t.Errorf("%s: status %d, %v, %d tokens, %d requests", step.name, status, err, given.Load(), served.Load())
		}
	}
	bad := newClient(t, func(c *ClientConfig) {
		c.Credentials = &oauth.ClientCredentials{URL: provider.URL, ClientID: "flow", ClientSecret: engine.NewSecret("abd")}
	})
	if _, err := post(bad); !Fatal(err) || strings.Contains(err.Error(), "abd") {
		t.Errorf("refused by the provider: %v", err)
	}
}
