package http

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/flowrecords/flow/connections/probe"
	"github.com/flowrecords/flow/engine"
)

// Check reports whether the server of a URL can be reached and, with https,
// whether its certificate is in order. text is the URL or its beginning up to
// the first hole. No request is sent: any could have an effect.
func (c *ClientConfig) Check(ctx context.Context, r *engine.CheckReport, text string) {
	u, err := url.Parse(hostOnly(text))
	if err != nil || u.Hostname() == "" {
		r.Unknown("server", "the host of the URL is not known before a record is there", "")
		return
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	t := probe.Target{What: "server " + u.Host, Address: net.JoinHostPort(u.Hostname(), port), Timeout: c.ConnectTimeout, Option: "url"}
	conf, err := c.TLS.Load()
	if err != nil {
		r.Fail("tls", err.Error(), "Correct the files that the tls block names.")
		return
	}
	if u.Scheme == "https" {
		t.TLS = conf
	}
	if proxy := proxyOf(u); proxy != "" {
		r.Unknown("server "+u.Host, "it is reached through the proxy "+proxy+", which was not asked", "")
		return
	}
	probe.Reach(ctx, r, t)
}

// hostOnly cuts a URL behind its host: what follows may be half of something.
func hostOnly(text string) string {
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok {
		return ""
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return scheme + "://" + rest
}

// proxyOf names the proxy that a request to u would go through, by its host.
func proxyOf(u *url.URL) string {
	p, err := http.ProxyFromEnvironment(&http.Request{URL: u})
	if err != nil || p == nil {
		return ""
	}
	return p.Host
}
