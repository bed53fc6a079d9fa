package http

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/engine"
)

// Client sends requests with the options of a ClientConfig. Any goroutine may
// use it.
type Client struct {
	cfg   *ClientConfig
	agent string
	own   map[string]string // headers of every request
	// tokens are those of client_credentials; nil without.
	tokens *oauth.Source

	// mu guards all below.
	mu      sync.Mutex
	stamp   string // of the files of the tls block
	checked time.Time
	http    *http.Client
}

// recheck is how often the files of the tls block are looked at.
const recheck = time.Second

// NewClient reads the files of the tls block and makes a client; it dials
// nothing. perHost is how many requests may run at once; 0 sets no limit.
func NewClient(cfg *ClientConfig, env engine.Env, perHost int) (*Client, error) {
	c := &Client{cfg: cfg, agent: cfg.UserAgent, own: make(map[string]string)}
	if c.agent == "" {
		c.agent = "flow/" + env.Version
	}
	for name, v := range cfg.SecretHeaders {
		c.own[name] = v.Reveal()
	}
	if !cfg.BearerToken.IsZero() {
		c.own["Authorization"] = "Bearer " + cfg.BearerToken.Reveal()
	}
	if cfg.Credentials != nil {
		c.tokens = oauth.NewSource(cfg.Credentials)
	}
	t, err := c.transport(perHost)
	if err != nil {
		return nil, err
	}
	c.stamp, c.checked = cfg.TLS.Stamp(), time.Now()
	c.http = &http.Client{Transport: t, CheckRedirect: c.redirect}
	return c, nil
}

func (c *Client) transport(perHost int) (*http.Transport, error) {
	tc, err := c.cfg.TLS.Load()
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: c.cfg.ConnectTimeout, KeepAlive: 30 * time.Second}
	idle := perHost
	if idle == 0 {
		idle = 64
	}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(c.cfg.HTTP2)
	return &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		DialContext:         dialer.DialContext,
		TLSClientConfig:     tc,
		TLSHandshakeTimeout: c.cfg.ConnectTimeout,
		MaxConnsPerHost:     perHost,
		MaxIdleConns:        idle,
		MaxIdleConnsPerHost: idle,
		IdleConnTimeout:     c.cfg.IdleTimeout,
		DisableKeepAlives:   c.cfg.IdleTimeout == 0,
		Protocols:           protocols,
		// Compression is asked for by whoever can bound what comes out of it.
		DisableCompression:     true,
		MaxResponseHeaderBytes: 1 << 20,
		ExpectContinueTimeout:  time.Second,
	}, nil
}

// client returns the current client, made anew when files of the tls block
// have changed. Requests that run on the one before are not disturbed.
func (c *Client) client() *http.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cfg.TLS == nil || time.Since(c.checked) < recheck {
		return c.http
	}
	c.checked = time.Now()
	stamp := c.cfg.TLS.Stamp()
	if stamp == c.stamp {
		return c.http
	}
	old, _ := c.http.Transport.(*http.Transport)
	if t, err := c.transport(old.MaxConnsPerHost); err == nil {
		// Files that cannot be loaded are being replaced: the next call tries again.
		old.CloseIdleConnections()
		c.stamp, c.http = stamp, &http.Client{Transport: t, CheckRedirect: c.redirect}
	}
	return c.http
}

// Do sends a request and returns its answer, whose body the caller must close.
// The context of the request bounds the reading of the body, too; see
// WithTimeout. Headers that the request has already win. An error never shows
// more of the URL than Redact and is to be classified by Classify.
func (c *Client) Do(req *http.Request) (*http.Response, error) {
	setDefault(req.Header, "User-Agent", c.agent)
	for name, v := range c.own {
		setDefault(req.Header, name, v)
	}
	if b := c.cfg.Basic; b != nil && req.Header.Get("Authorization") == "" {
		req.SetBasicAuth(b.User, b.Password.Reveal())
	}
	if c.tokens != nil && req.Header.Get("Authorization") == "" {
		return c.doWithToken(req)
	}
	return c.do(req)
}

// doWithToken sends a request with a token, and again with another one if the
// server refuses the first: it may have been withdrawn before its time.
func (c *Client) doWithToken(req *http.Request) (*http.Response, error) {
	for again := false; ; again = true {
		token, err := c.tokens.Get(req.Context())
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", req.Method, Redact(req.URL), err)
		}
		one := req.Clone(req.Context())
		if again && req.Body != nil {
			if one.Body, err = req.GetBody(); err != nil {
				return nil, fmt.Errorf("%s %s: %w", req.Method, Redact(req.URL), err)
			}
		}
		one.Header.Set("Authorization", "Bearer "+token)
		resp, err := c.do(one)
		if err != nil || resp.StatusCode != http.StatusUnauthorized {
			return resp, err
		}
		c.tokens.Forget(token)
		if again || req.Body != nil && req.GetBody == nil {
			return resp, nil
		}
		_ = resp.Body.Close() // nobody reads it
	}
}

func (c *Client) do(req *http.Request) (*http.Response, error) {
	resp, err := c.client().Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // its text holds the whole URL
		}
		return nil, fmt.Errorf("%s %s: %w", req.Method, Redact(req.URL), err)
	}
	return resp, nil
}

func setDefault(h http.Header, name, value string) {
	if h.Get(name) == "" {
		h.Set(name, value)
	}
}

// WithTimeout returns a context for one request: it ends after the option
// timeout with an error that says so.
func (c *Client) WithTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, c.cfg.Timeout, fmt.Errorf("no complete answer within the timeout of %s", engine.DurationText(c.cfg.Timeout)))
}

// Close lets go of connections that nobody uses.
func (c *Client) Close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.http.CloseIdleConnections()
}

// errRedirect stops at a redirect that waiting does not change.
type errRedirect string

func (e errRedirect) Error() string { return string(e) }

// redirect keeps requests, which carry credentials and records, at the host
// that the config names, and never turns one into another method: a POST that
// became a GET would look delivered.
func (c *Client) redirect(req *http.Request, via []*http.Request) error {
	first := via[0]
	switch {
	case len(via) > c.cfg.Redirects:
		return errRedirect(fmt.Sprintf("redirected more than %d times (option redirects)", c.cfg.Redirects))
	case req.URL.Host != first.URL.Host || first.URL.Scheme == "https" && req.URL.Scheme != "https":
		return errRedirect("redirected to " + Redact(req.URL) + ", which is another host or not encrypted: name it in the config if that is right")
	case req.Method != first.Method:
		return errRedirect("redirected to " + Redact(req.URL) + " by another method: name that URL in the config")
	}
	return nil
}
