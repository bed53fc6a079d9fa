package http

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/flowrecords/flow/engine"
)

// own are headers that the client writes itself.
var own = map[string]string{
	"Host":              "It is taken from the URL.",
	"Content-Length":    "It is what the body has.",
	"Transfer-Encoding": "The client decides on it.",
	"Connection":        "The client decides on it.",
}

// CheckHeader reports why name cannot be a header of a request, at the option.
func CheckHeader(option, name string) []engine.Problem {
	if !IsToken(name) {
		return []engine.Problem{{Option: option, Summary: fmt.Sprintf("%q is no name of a header", name),
			Detail: "The name of a header has letters, digits and - only."}}
	}
	for h, why := range own {
		if strings.EqualFold(h, name) {
			return []engine.Problem{{Option: option, Summary: fmt.Sprintf("the header %s cannot be set", h), Detail: why + " Remove it."}}
		}
	}
	return nil
}

// CheckURL reports why text cannot be the URL of a request, at the option.
func CheckURL(option, text string) []engine.Problem {
	problem := func(summary, detail string) []engine.Problem {
		return []engine.Problem{{Option: option, Summary: summary, Detail: detail}}
	}
	u, err := url.Parse(text)
	switch {
	case err != nil:
		// The error quotes the URL, which may hold a password.
		return problem(option+" is no URL", `Write it as "https://HOST/PATH".`)
	case u.Scheme != "http" && u.Scheme != "https":
		return problem(option+" is no URL of http or https", `It must begin with "http://" or "https://".`)
	case u.Hostname() == "":
		return problem(option+" has no host", `Write it as "https://HOST/PATH".`)
	case u.User != nil:
		return problem(option+" holds a name or password", "Use the block basic, whose password is a secret and is never shown.")
	case u.Fragment != "":
		return problem(option+" has a fragment", "What follows # is never sent to a server. Remove it, or write %23 for the character itself.")
	}
	return nil
}

// Redact returns a URL as it may be shown: without name and password, and
// without the values of its query, which may be tokens (Invariant 7).
func Redact(u *url.URL) string {
	if u == nil {
		return ""
	}
	shown := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	s := shown.String()
	if u.RawQuery != "" {
		s += "?..."
	}
	return s
}

// IsToken reports whether s can be the name of a header or a method (RFC 9110).
func IsToken(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0:
		default:
			return false
		}
	}
	return s != ""
}
