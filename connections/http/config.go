// Package http holds what the components that speak HTTP share: the options of
// a client, the client itself, and what its errors and answers mean.
package http

import (
	"maps"
	"slices"
	"time"

	"github.com/flowrecords/flow/connections/oauth"
	"github.com/flowrecords/flow/connections/tlsconf"
	"github.com/flowrecords/flow/engine"
)

// ClientConfig holds the options of an HTTP client. A component embeds it in
// its Config.
type ClientConfig struct {
	Timeout        time.Duration `flow:"timeout" min:"1ms" max:"1h" doc:"Longest wait for the whole answer to a request."`
	ConnectTimeout time.Duration `flow:"connect_timeout" min:"1ms" max:"10m" doc:"Longest wait for a connection, TLS included."`
	IdleTimeout    time.Duration `flow:"idle_timeout" min:"0s" max:"1h" doc:"How long a connection that nobody uses is kept. 0s closes each after its request."`
	HTTP2          bool          `flow:"http2" doc:"Speak HTTP/2 to servers that offer it over TLS."`
	Redirects      int           `flow:"max_redirects" unit:"redirects" min:"0" max:"20" doc:"Most redirects to follow, within the same host only and never by another method."`
	UserAgent      string        `flow:"user_agent" doc:"User-Agent to send. Empty: flow and its version." example:"\"orders-sync/1.0\""`

	SecretHeaders map[string]engine.Secret `flow:"secret_headers" doc:"Headers whose values are secrets, such as API keys." example:"{ X-Api-Key = env(\"API_KEY\") }"`
	BearerToken   engine.Secret            `flow:"bearer_token" doc:"Token to send as Authorization: Bearer." example:"env(\"API_TOKEN\")"`
	Credentials   *oauth.ClientCredentials `flow:"client_credentials,block" doc:"Where flow asks for a token to send as Authorization: Bearer (OAuth 2.0)."`
	Basic         *Basic                   `flow:"basic,block" doc:"Authenticate with a name and a password."`
	TLS           *tlsconf.Client          `flow:"tls,block" doc:"How servers are verified and which certificate is shown to them. Without it the system's authorities are trusted."`
}

// Basic holds the options of a basic block.
type Basic struct {
	User     string        `flow:"user,required" doc:"Name to authenticate as." example:"\"flow\""`
	Password engine.Secret `flow:"password,required" doc:"Password of the name." example:"env(\"API_PASSWORD\")"`
}

// DefaultClientConfig returns the default of every option.
func DefaultClientConfig() ClientConfig {
	return ClientConfig{
		Timeout:        30 * time.Second,
		ConnectTimeout: 10 * time.Second,
		IdleTimeout:    90 * time.Second,
		HTTP2:          true,
		Redirects:      5,
	}
}

// Problems reports the mistakes that the options' types cannot express.
func (c *ClientConfig) Problems() []engine.Problem {
	var ps []engine.Problem
	const one = "A request carries one Authorization header. Remove one of the two."
	if c.Basic != nil && !c.BearerToken.IsZero() {
		ps = append(ps, engine.Problem{Option: "basic", Summary: "basic and bearer_token exclude each other", Detail: one})
	}
	if c.Credentials != nil {
		for _, other := range []struct {
			option string
			given  bool
		}{{"basic", c.Basic != nil}, {"bearer_token", !c.BearerToken.IsZero()}} {
			if other.given {
				ps = append(ps, engine.Problem{Option: other.option, Summary: other.option + " and client_credentials exclude each other", Detail: one})
			}
		}
		ps = append(ps, c.Credentials.Problems("client_credentials")...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.SecretHeaders)) {
		ps = append(ps, CheckHeader("secret_headers", name)...)
	}
	return append(ps, c.TLS.Problems("tls")...)
}
