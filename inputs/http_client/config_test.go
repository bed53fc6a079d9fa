package httpclient

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	some := path(t, "a")
	tests := []struct {
		edit func(*Config)
		want string
	}{
		{func(*Config) {}, ""},
		{func(c *Config) { c.Method, c.Body = "POST", "x" }, ""},
		{func(c *Config) { c.URL = "ftp://h" }, "url: url is no URL of http or https"},
		{func(c *Config) { c.Headers = map[string]string{"b c": "", "Host": ""} }, `headers: the header Host cannot be set; headers: "b c" is no name of a header`},
		{func(c *Config) { c.Body = "x" }, "body: a GET with a body"},
		{func(c *Config) { c.Format, c.Records = "raw", some }, "records: records without format json"},
		{func(c *Config) { c.Stream = true }, "stream: stream of another format than ndjson"},
		{func(c *Config) { c.Cursor = &Cursor{Param: "p"} }, "cursor: a cursor comes from one place"},
		{func(c *Config) { c.Cursor = &Cursor{Param: "p", Path: some, Record: some} }, "cursor: a cursor comes from one place"},
		{func(c *Config) { c.Cursor = &Cursor{Path: some} }, "cursor.param: param and link"},
		{func(c *Config) { c.Cursor = &Cursor{Link: true, Param: "p"} }, "cursor.param: param and link"},
		{func(c *Config) { c.Cursor = &Cursor{Link: true, Start: "1"} }, "cursor.start: start with link"},
		{func(c *Config) { c.Cursor = &Cursor{Header: "a b", Param: "p"} }, "cursor.header: no name of a header"},
		{func(c *Config) { c.Format, c.Cursor = "ndjson", &Cursor{Path: some, Param: "p"} }, "cursor.path: path without format json"},
		{func(c *Config) { c.Format, c.Cursor = "ndjson", &Cursor{Header: "h", More: some, Param: "p"} }, "cursor.more: more without format json"},
		{func(c *Config) { c.Format, c.Cursor = "raw", &Cursor{Record: some, Param: "p"} }, "cursor.record: record with format raw"},
		{func(c *Config) { c.Format, c.Cursor = "sse", &Cursor{Record: some, Param: "p"} }, "cursor: a cursor with server-sent events"},
		{func(c *Config) { c.Format, c.Stream, c.Cursor = "ndjson", true, &Cursor{Header: "h", Param: "p"} }, "cursor: a stream has no pages"},
		{func(c *Config) { c.Format, c.Stream, c.Cursor = "ndjson", true, &Cursor{Record: some, Param: "p"} }, ""},
		{func(c *Config) { c.Basic, c.BearerToken = nil, engine.NewSecret("x") }, ""},
	}
	for _, tt := range tests {
		c := Defaults().(*Config)
		c.URL = "https://h/p"
		tt.edit(c)
		var got []string
		for _, p := range c.Validate() {
			if p.Detail == "" {
				t.Errorf("%s has no detail", p.Summary)
			}
			got = append(got, p.Option+": "+p.Summary)
		}
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("problems %q, want %q", s, tt.want)
		}
	}
}
