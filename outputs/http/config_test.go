package http

import (
	"net/http"
	"strings"
	"testing"

	connhttp "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	header := func(names ...string) func(*Config) {
		return func(c *Config) {
			for _, n := range names {
				c.Headers = append(c.Headers, engine.NamedExpression{Name: n, Expr: expr(text)})
			}
		}
	}
	for _, tt := range []struct {
		name, url string
		edit      func(*Config)
		want      string
	}{
		{"fine", "https://h/x?y=%s", nil, ""},
		{"no scheme", "h/x", nil, "url"},
		{"another scheme", "ftp://h/x", nil, "url"},
		{"another scheme in a prefix", "ftp://h/%s", nil, "url"},
		{"password", "https://u:p@h/", nil, "url"},
		{"password in a prefix", "https://u:p@h/%s", nil, "url"},
		{"fragment", "https://h/#x", nil, "url"},
		{"host by content is lint's", "https://%s/x", nil, ""},
		{"bad header", "http://h/", header("a b"), "headers"},
		{"header of the client", "http://h/", header("content-length"), "headers"},
		{"header twice", "http://h/", header("X-A", "x-a"), "headers"},
		{"header of an option", "http://h/", header("content-type", "Content-Encoding"), "headers headers"},
		{"header of credentials", "http://h/", func(c *Config) {
			header("authorization")(c)
			c.Basic = &connhttp.Basic{User: "u"}
		}, "headers"},
		{"secret header too", "http://h/", func(c *Config) {
			header("x-key")(c)
			c.SecretHeaders = map[string]engine.Secret{"X-Key": {}}
		}, "headers"},
		{"authorization without credentials", "http://h/", header("authorization"), ""},
		{"idempotency of batches", "http://h/", func(c *Config) { c.IdempotencyKey, c.Body = expr(text), bodyLines }, "idempotency_key"},
		{"idempotency header", "http://h/", func(c *Config) { c.IdempotencyKey, c.IdempotencyHeader = expr(text), "a:b" }, "idempotency_header"},
		{"batch options", "http://h/", func(c *Config) { c.BatchRecords, c.BatchBytes, c.SplitStatuses = 1, 1, nil }, "batch_records batch_bytes split_statuses"},
		{"no body", "http://h/", func(c *Config) { c.Body, c.Compression, c.ContentType = bodyNone, "gzip", "a/b" }, "compression content_type"},
		{"content type", "http://h/", func(c *Config) { c.ContentType = "a/b\n" }, "content_type"},
		{"statuses", "http://h/", func(c *Config) { c.RetryStatuses, c.StopStatuses = []string{"5xx", "6xx"}, []string{"500-400"} }, "retry_statuses[1] stop_statuses[0]"},
		{"no success", "http://h/", func(c *Config) { c.SuccessStatuses = nil }, "success_statuses"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := config(tt.url)
			if tt.edit != nil {
				tt.edit(c)
			}
			var got []string
			for _, p := range c.Validate() {
				got = append(got, p.Option)
				if p.Summary == "" || p.Detail == "" {
					t.Errorf("problem without words: %+v", p)
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("problems at %q, want %q", s, tt.want)
			}
		})
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]statusRange{"200": {200, 200}, "2xx": {200, 299}, "5XX": {500, 599}, "400-404": {400, 404}} {
		if got, err := parseStatus(s); err != nil || got != want {
			t.Errorf("%s: %v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "x", "0xx", "6xx", "20", "99", "1000", "2xx-3xx", "404-400", "404-", "-404", "+20", "4-4", "2xxx"} {
		if got, err := parseStatus(s); err == nil {
			t.Errorf("%s is taken as %v", s, got)
		}
	}
}

func TestDelivery(t *testing.T) {
	t.Parallel()
	if d := config("http://h/").delivery(); d.Idempotent != "" || !strings.Contains(d.Confirms, "2xx") {
		t.Errorf("%+v", d)
	}
	if d := config("http://h/%s", func(c *Config) { c.Method = http.MethodPut }).delivery(); !strings.Contains(d.Idempotent, "PUT") {
		t.Errorf("%+v", d)
	}
	if d := config("http://h/", func(c *Config) { c.IdempotencyKey = expr(text) }).delivery(); !strings.Contains(d.Idempotent, "Idempotency-Key") {
		t.Errorf("%+v", d)
	}
}
