// Package oauth gets tokens of OAuth 2.0 by the grant of client credentials, for
// the connections that send them.
package oauth

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
)

// ClientCredentials holds the options of a client_credentials block: the grant
// of that name of OAuth 2.0 (RFC 6749, section 4.4).
type ClientCredentials struct {
	URL          string            `flow:"url,required" doc:"Token endpoint of the identity provider." example:"\"https://login.example.com/oauth2/token\""`
	ClientID     string            `flow:"client_id,required" doc:"Name that the provider knows flow by." example:"\"flow\""`
	ClientSecret engine.Secret     `flow:"client_secret,required" doc:"Secret of that name." example:"env(\"OAUTH_CLIENT_SECRET\")"`
	Scope        []string          `flow:"scope" doc:"Scopes to ask for." example:"[\"records\"]"`
	Audience     string            `flow:"audience" doc:"Whom the token is for, where the provider asks for it." example:"\"records\""`
	Params       map[string]string `flow:"params" doc:"Further parameters of the request." example:"{ resource = \"records\" }"`
	SendIn       string            `flow:"send_in" oneof:"header body" doc:"Where client_id and client_secret are sent: in the header Authorization, or in the body as some providers want it. Empty means header."`
	Timeout      time.Duration     `flow:"timeout" min:"0s" max:"5m" doc:"Longest wait for an answer. 0s means 10s."`
	Retries      int               `flow:"retries" unit:"retries" min:"0" max:"20" doc:"How often a request is repeated that could not be answered, before what needs the token fails and is tried again. 0 means 3."`
	TLS          *tlsconf.Client   `flow:"tls,block" doc:"How the provider is verified and which certificate is shown to it. Without it the system's authorities are trusted."`
}

// Problems reports mistakes of the block, whose name is given; c may be nil.
func (c *ClientCredentials) Problems(block string) []engine.Problem {
	if c == nil {
		return nil
	}
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: block + "." + option, Summary: summary, Detail: detail})
	}
	switch u, err := url.Parse(c.URL); {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		add("url", "url is no URL of a token endpoint", `Write it whole: "https://login.example.com/oauth2/token".`)
	case u.User != nil:
		add("url", "url holds a name or password", "Give them as client_id and client_secret.")
	case u.Scheme == "http" && c.TLS != nil:
		add("tls", "tls for a URL without it", "Write the URL with https, or remove the tls block.")
	}
	if c.ClientID == "" {
		add("client_id", "client_id is empty", "Give the name that the provider knows flow by.")
	}
	if c.ClientSecret.IsZero() {
		add("client_secret", "client_secret is empty", `Give it by a function: client_secret = env("OAUTH_CLIENT_SECRET").`)
	}
	for _, s := range c.Scope {
		if s == "" || strings.ContainsAny(s, " \"\\") {
			add("scope", strconv.Quote(s)+" is no scope", "Each element of the list is one scope, without spaces and quotes.")
		}
	}
	for name := range c.Params {
		if slices.Contains([]string{"grant_type", "client_id", "client_secret", "scope", "audience"}, name) {
			add("params", name+" in params", "flow sets "+name+" itself. Remove it; client_id, client_secret, scope and audience are options of the block.")
		}
	}
	return append(ps, c.TLS.Problems(block+".tls")...)
}

// tokenEndpoint asks for tokens. It is used by one goroutine at a time.
type tokenEndpoint struct {
	config *ClientCredentials
	pause  func(ctx context.Context, d time.Duration) error

	date, asked time.Time // of the last answer, by its clock and by ours
}

func newTokenEndpoint(c *ClientCredentials) (*tokenEndpoint, error) {
	if _, err := c.TLS.Load(); err != nil {
		return nil, &Error{fmt.Errorf("client_credentials: %w", err)}
	}
	return &tokenEndpoint{config: c, pause: pause}, nil
}

func (c *ClientCredentials) timeout() time.Duration {
	if c.Timeout == 0 {
		return 10 * time.Second
	}
	return c.Timeout
}

func (c *ClientCredentials) retries() int {
	if c.Retries == 0 {
		return 3
	}
	return c.Retries
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ask returns a token and how long it lives; 0 if that is not said. What the
// provider refuses is an *Error; what it could not answer is repeated.
func (e *tokenEndpoint) ask(ctx context.Context) (token string, life time.Duration, err error) {
	for try := 0; ; try++ {
		token, life, err = e.once(ctx)
		var refused *Error
		if err == nil || errors.As(err, &refused) || ctx.Err() != nil || try >= e.config.retries() {
			break
		}
		if perr := e.pause(ctx, min(200*time.Millisecond<<try, 5*time.Second)); perr != nil {
			break
		}
	}
	if err != nil {
		// A provider may repeat in its answer what it was sent.
		return "", 0, hide(fmt.Errorf("asking %s for a token: %w", e.where(), err), e.config.ClientSecret)
	}
	return token, life, nil
}

// hide takes a secret out of an error's text.
func hide(err error, secret engine.Secret) error {
	text := err.Error()
	if s := secret.Reveal(); len(s) > 2 && strings.Contains(text, s) {
		return &hidden{strings.ReplaceAll(text, s, secret.String()), err}
	}
	return err
}

type hidden struct {
	text string
	err  error
}

func (h *hidden) Error() string { return h.text }
func (h *hidden) Unwrap() error { return h.err }

// where names the endpoint for people; a query may hold a key.
func (e *tokenEndpoint) where() string {
	u, err := url.Parse(e.config.URL)
	if err != nil {
		return "the token endpoint"
	}
	return u.Scheme + "://" + u.Host + u.EscapedPath()
}

func (e *tokenEndpoint) request(ctx context.Context) (*http.Request, error) {
	c := e.config
	form := url.Values{"grant_type": {"client_credentials"}}
	if len(c.Scope) > 0 {
		form.Set("scope", strings.Join(c.Scope, " "))
	}
	if c.Audience != "" {
		form.Set("audience", c.Audience)
	}
	for name, v := range c.Params {
		form.Set(name, v)
	}
	if c.SendIn == "body" {
		form.Set("client_id", c.ClientID)
		form.Set("client_secret", c.ClientSecret.Reveal())
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.URL, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, &Error{errors.New("the URL cannot be used")}
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	if c.SendIn != "body" {
		req.SetBasicAuth(url.QueryEscape(c.ClientID), url.QueryEscape(c.ClientSecret.Reveal()))
	}
	return req, nil
}

// maxAnswer bounds what is read of the provider.
const maxAnswer = 1 << 20

// once sends one request. Each has a connection of its own: they are an hour
// apart, and files of the tls block may have changed.
func (e *tokenEndpoint) once(ctx context.Context) (string, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, e.config.timeout())
	defer cancel()
	req, err := e.request(ctx)
	if err != nil {
		return "", 0, err
	}
	transport := &http.Transport{
		Proxy:             http.ProxyFromEnvironment,
		DialContext:       (&net.Dialer{}).DialContext,
		DisableKeepAlives: true,
	}
	if transport.TLSClientConfig, err = e.config.TLS.Load(); err != nil {
		return "", 0, err
	}
	client := &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // the secret goes to where the config says
	}}
	resp, err := client.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // its text holds the whole URL
		}
		if tlsconf.Refusal(err) {
			err = &Error{err}
		}
		return "", 0, err
	}
	defer func() { _ = resp.Body.Close() }()
	if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil {
		e.date, e.asked = date, time.Now()
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return "", 0, fmt.Errorf("reading the answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return "", 0, refusal(resp.StatusCode, body)
	}
	return parseGrant(body)
}

// refusal judges an answer that is no token.
func refusal(status int, body []byte) error {
	text := fmt.Sprintf("it answered with status %d", status)
	var why struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &why) == nil && why.Error != "" {
		text += ", " + Clean(why.Error)
		if why.Description != "" {
			text += ": " + Clean(why.Description)
		}
	}
	if status >= 500 || status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || why.Error == "temporarily_unavailable" {
		return errors.New(text)
	}
	return &Error{errors.New(text)}
}

// parseGrant reads the answer with the token (RFC 6749, section 5.1).
func parseGrant(body []byte) (string, time.Duration, error) {
	var answer struct {
		Token   string          `json:"access_token"`
		Type    string          `json:"token_type"`
		Expires json.RawMessage `json:"expires_in"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return "", 0, &Error{errors.New("its answer is no JSON object with a token")}
	}
	switch {
	case answer.Token == "":
		return "", 0, &Error{errors.New("its answer holds no access_token")}
	case len(answer.Token) > MaxToken || strings.ContainsAny(answer.Token, "\x00\x01\r\n"):
		return "", 0, &Error{errors.New("its access_token cannot be sent")}
	case answer.Type != "" && !strings.EqualFold(answer.Type, "bearer"):
		return "", 0, &Error{fmt.Errorf("its token is of the type %s, not bearer", Clean(answer.Type))}
	}
	// Some providers write the number as a string.
	seconds, err := strconv.ParseFloat(string(bytes.Trim(answer.Expires, `"`)), 64)
	if err != nil || !(seconds > 0) {
		return answer.Token, 0, nil
	}
	return answer.Token, time.Duration(min(seconds, 365*24*3600) * float64(time.Second)), nil
}
