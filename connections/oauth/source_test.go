package oauth

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/engine"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func refused(err error) bool {
	_, ok := errors.AsType[*Error](err)
	return ok
}

// provider is a token endpoint that answers as it is told.
type provider struct {
	t      *testing.T
	server *httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[func(w http.ResponseWriter, r *http.Request)]
}

func newProvider(t *testing.T) *provider {
	p := &provider{t: t}
	p.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.asked.Add(1)
		(*p.answer.Load())(w, r)
	}))
	t.Cleanup(p.server.Close)
	p.grant("t1", 100)
	return p
}

func (p *provider) says(f func(w http.ResponseWriter, r *http.Request)) { p.answer.Store(&f) }

func (p *provider) grant(token string, life int) {
	p.says(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"access_token":%q,"token_type":"Bearer","expires_in":%d}`, token, life)
	})
}

func (p *provider) fails(status int, body string) {
	p.says(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprint(w, body)
	})
}

const clientSecret = "s3cr3t/&=ä"

// source is a token source over the provider whose clock stands at now.
func (p *provider) source(now *time.Time, edit func(*ClientCredentials)) *Source {
	cc := &ClientCredentials{URL: p.server.URL + "/token?tenant=hidden", ClientID: "flow", ClientSecret: engine.NewSecret(clientSecret), Retries: 2}
	if edit != nil {
		edit(cc)
	}
	s := NewSource(cc)
	s.now = func() time.Time { return *now }
	e, err := newTokenEndpoint(cc)
	if err != nil {
		p.t.Fatal(err)
	}
	e.pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	s.endpoint = e
	return s
}

func (p *provider) wantAsked(n int64) {
	p.t.Helper()
	if got := p.asked.Load(); got != n {
		p.t.Errorf("the endpoint was asked %d times, want %d", got, n)
	}
}

func wantToken(t *testing.T, s *Source, want string) {
	t.Helper()
	if got, err := s.Get(t.Context()); got != want || err != nil {
		t.Errorf("token %q, %v, want %q", got, err, want)
	}
}

// A token is kept, renewed before its end, and used to its end while the
// endpoint is away.
func TestTokenLife(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	s := p.source(&now, nil)
	wantToken(t, s, "t1")
	now = now.Add(79 * time.Second)
	wantToken(t, s, "t1")
	p.wantAsked(1)

	p.fails(503, "")
	now = now.Add(2 * time.Second) // four fifths are over
	wantToken(t, s, "t1")
	p.wantAsked(4) // with two retries
	p.fails(401, `{"error":"invalid_client"}`)
	wantToken(t, s, "t1")
	p.wantAsked(5) // a refusal is not repeated
	now = now.Add(20 * time.Second)
	if _, err := s.Get(t.Context()); err == nil {
		t.Error("a token was used after its end")
	}
	p.grant("t2", 100)
	wantToken(t, s, "t2")

	// What the broker refused is not used again, though it has time left.
	s.Forget("t1")
	wantToken(t, s, "t2")
	p.grant("t3", 0)
	s.Forget("t2")
	wantToken(t, s, "t3")
	// One without a life is kept for a minute.
	p.grant("t4", 100)
	now = now.Add(59 * time.Second)
	wantToken(t, s, "t3")
	now = now.Add(2 * time.Second)
	wantToken(t, s, "t4")
}

// A JWT says itself when it ends.
func TestTokenLifeOfJWT(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	jwt := "h." + base64.RawURLEncoding.EncodeToString(fmt.Appendf(nil, `{"exp":%d}`, now.Add(1000*time.Second).Unix())) + ".s"
	p := newProvider(t)
	p.says(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintf(w, `{"access_token":%q}`, jwt) })
	s := p.source(&now, nil)
	wantToken(t, s, jwt)
	now = now.Add(799 * time.Second)
	wantToken(t, s, jwt)
	p.wantAsked(1)
	now = now.Add(2 * time.Second)
	wantToken(t, s, jwt)
	p.wantAsked(2)
}

func TestTokenRequest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		edit func(*ClientCredentials)
		want string // of the body, in order
		auth bool
	}{
		{"header", nil, "grant_type=client_credentials", true},
		{"body", func(c *ClientCredentials) { c.SendIn = "body" }, "client_id=flow&client_secret=s3cr3t%2F%26%3D%C3%A4&grant_type=client_credentials", false},
		{"all", func(c *ClientCredentials) {
			c.Scope, c.Audience, c.Params = []string{"a", "b"}, "kafka", map[string]string{"resource": "r/1"}
		}, "audience=kafka&grant_type=client_credentials&resource=r%2F1&scope=a+b", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			var body string
			var id, secret string
			var basic bool
			p.says(func(w http.ResponseWriter, r *http.Request) {
				id, secret, basic = r.BasicAuth()
				_ = r.ParseForm()
				body = r.PostForm.Encode()
				if r.Method != http.MethodPost || r.URL.RequestURI() != "/token?tenant=hidden" {
					t.Errorf("%s %s", r.Method, r.URL)
				}
				fmt.Fprint(w, `{"access_token":"t","token_type":"bearer","expires_in":"3600"}`)
			})
			now := time.Now()
			wantToken(t, p.source(&now, tt.edit), "t")
			if body != tt.want || basic != tt.auth {
				t.Errorf("body %s, header %v, want %s, %v", body, basic, tt.want, tt.auth)
			}
			if tt.auth && (id != "flow" || secret != "s3cr3t%2F%26%3D%C3%A4") { // encoded, as RFC 6749 asks for
				t.Errorf("header of %s:%s", id, secret)
			}
		})
	}
}

// What the provider answers decides whether the run ends at its start. No text
// holds the secret or the query.
func TestTokenRefusals(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		status int
		body   string
		want   string
		final  bool
	}{
		{"refused", 401, `{"error":"invalid_client","error_description":"who is \u001b[31mflow? s3cr3t/&=ä"}`, "it answered with status 401, invalid_client: who is  [31mflow? (secret)", true},
		{"wrong URL", 404, "<html>", "it answered with status 404", true},
		{"redirected", 302, "", "it answered with status 302", true},
		{"busy", 429, "", "it answered with status 429", false},
		{"away", 502, "<html>", "it answered with status 502", false},
		{"away for now", 400, `{"error":"temporarily_unavailable"}`, "temporarily_unavailable", false},
		{"no JSON", 200, "hello", "its answer is no JSON object with a token", true},
		{"no token", 200, "{}", "its answer holds no access_token", true},
		{"another type", 200, `{"access_token":"t","token_type":"mac"}`, "its token is of the type mac", true},
		{"a token that would end the message", 200, `{"access_token":"t\u0001auth=x"}`, "cannot be sent", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := newProvider(t)
			p.fails(tt.status, tt.body)
			now := time.Now()
			_, err := p.source(&now, nil).Get(t.Context())
			if err == nil || !strings.Contains(err.Error(), tt.want) || refused(err) != tt.final {
				t.Errorf("error %v (final %v), want %q (%v)", err, refused(err), tt.want, tt.final)
			}
			for _, secret := range []string{clientSecret, "s3cr3t", "hidden"} {
				if strings.Contains(fmt.Sprint(err), secret) {
					t.Errorf("the error shows %q: %v", secret, err)
				}
			}
			if tt.final {
				p.wantAsked(1)
			} else {
				p.wantAsked(3)
			}
		})
	}
	t.Run("not there", func(t *testing.T) {
		t.Parallel()
		p := newProvider(t)
		now := time.Now()
		s := p.source(&now, nil)
		p.server.Close()
		if _, err := s.Get(t.Context()); err == nil || refused(err) || strings.Contains(err.Error(), "hidden") {
			t.Errorf("error %v, want one that is retried and shows no query", err)
		}
	})
	t.Run("not trusted", func(t *testing.T) {
		t.Parallel()
		server := httptest.NewTLSServer(http.NotFoundHandler())
		t.Cleanup(server.Close)
		server.Config.ErrorLog = nil
		s := NewSource(&ClientCredentials{URL: server.URL, ClientID: "f", ClientSecret: engine.NewSecret("abc")})
		if _, err := s.Get(t.Context()); !refused(err) {
			t.Errorf("error %v, want one that ends the run", err)
		}
	})
}

// One who waits for a slow endpoint sees the end of his context.
func TestTokenContext(t *testing.T) {
	t.Parallel()
	p := newProvider(t)
	release, asked := make(chan struct{}), make(chan struct{})
	p.says(func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-release
		fmt.Fprint(w, `{"access_token":"t"}`)
	})
	now := time.Now()
	s := p.source(&now, nil)
	done := make(chan error, 1)
	go func() {
		_, err := s.Get(context.Background())
		done <- err
	}()
	<-asked
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.Get(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the end of the context", err)
	}
	close(release)
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// FuzzGrant: no answer of a provider makes a token that cannot be sent, nor a
// life that is no time.
func FuzzGrant(f *testing.F) {
	f.Add([]byte(`{"access_token":"t","token_type":"Bearer","expires_in":3600}`))
	f.Add([]byte(`{"access_token":"t","expires_in":"1e400"}`))
	f.Add([]byte(`{"access_token":"t","expires_in":-1}`))
	f.Add([]byte(`{"access_token":"t","expires_in":NaN}`))
	f.Add([]byte(`[]`))
	f.Fuzz(func(t *testing.T, body []byte) {
		token, life, err := parseGrant(body)
		if err != nil {
			if token != "" {
				t.Error("a token with an error")
			}
			return
		}
		if token == "" || len(token) > MaxToken || strings.ContainsAny(token, "\x00\x01\r\n") || life < 0 || life > 366*24*time.Hour {
			t.Errorf("token %q for %s", token, life)
		}
		Expiry(token)
	})
}
