package httpclient

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"

	conn "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// Config holds the options of the http_client input.
type Config struct {
	URL         string                   `flow:"url,required" doc:"What to ask for. It must hold no secrets: those go into secret_query, secret_headers, bearer_token or basic." example:"\"https://api.example.com/orders\""`
	Method      string                   `flow:"method" oneof:"GET POST" doc:"Method of the request."`
	Body        string                   `flow:"body" doc:"Body of the request." example:"\"{\\\"size\\\": 500}\""`
	Headers     map[string]string        `flow:"headers" doc:"Headers of the request." example:"{ Accept = \"application/json\" }"`
	SecretQuery map[string]engine.Secret `flow:"secret_query" doc:"Parameters of the query whose values are secrets." example:"{ key = env(\"API_KEY\") }"`

	Format  string            `flow:"format" oneof:"json ndjson raw sse" doc:"What an answer is. json: one JSON text, whose elements are the records if it is a list, else itself; see records. ndjson: a record a line. raw: one record of any bytes. sse: an endless stream of server-sent events."`
	Records engine.PathOption `flow:"records" doc:"Where in a JSON answer the list of records is. A list that is missing or null is empty." example:"\"data.items\""`
	Stream  bool              `flow:"stream" doc:"With format ndjson: the answer is an endless stream, whose lines are records as they come."`

	Interval time.Duration `flow:"interval" min:"0s" max:"24h" doc:"Time from one poll to the next, pages of one poll not counted. Of a stream that ended, the pause before the next connection, unless the server names one."`
	Once     bool          `flow:"once" doc:"End behind the last page, or with the end of the stream."`
	Rate     float64       `flow:"rate" unit:"requests per second" min:"0" doc:"Most requests per second, pages included. 0 sets no limit."`

	Cursor *Cursor `flow:"cursor,block" doc:"How to ask for the next page. Without it a poll is one request."`

	MaxResponse    engine.ByteSize `flow:"max_response" min:"1KiB" max:"1GiB" doc:"Largest answer, after decompression. A larger one stops the pipeline."`
	MaxRecord      engine.ByteSize `flow:"max_record" min:"1" max:"1GiB" doc:"Largest record of a stream. A larger one goes to the errors edge with its beginning."`
	SilenceTimeout time.Duration   `flow:"silence_timeout" min:"0s" max:"24h" doc:"How long a stream may say nothing before it is taken for dead and connected anew. 0s waits for ever."`

	conn.ClientConfig
}

// Cursor holds the options of a cursor block.
type Cursor struct {
	Param  string            `flow:"param" doc:"Parameter of the query that the cursor is sent as." example:"\"page_token\""`
	Path   engine.PathOption `flow:"path" doc:"Where in a JSON answer the next cursor is. The page without one, or with null or an empty text, is the last." example:"\"meta.next\""`
	Header string            `flow:"header" doc:"Header of the answer that holds the next cursor." example:"\"X-Next-Page\""`
	Link   bool              `flow:"link" doc:"The header Link names the next page (rel=\"next\"). It must be at the same host."`
	Record engine.PathOption `flow:"record" doc:"Where in a record its cursor is; the one of the last record is sent next. For lists that are sorted by it." example:"\"id\""`
	Start  string            `flow:"start" doc:"Cursor of the very first request. Empty: it is sent without." example:"\"0\""`
	More   engine.PathOption `flow:"more" doc:"Where in a JSON answer it says, as true or false, whether there are more pages. Without it a page without records is the last." example:"\"has_more\""`
	AtEnd  string            `flow:"at_end" oneof:"start stay" doc:"Where the next poll begins when the last page named no cursor: at the start again, or at the last page. Empty means start."`
}

// Defaults returns the default of every option.
func Defaults() any {
	return &Config{
		Method:         http.MethodGet,
		Format:         "json",
		Interval:       10 * time.Second,
		MaxResponse:    64 << 20,
		MaxRecord:      limits.RecordBytes,
		SilenceTimeout: 5 * time.Minute,
		ClientConfig:   conn.DefaultClientConfig(),
	}
}

// streams reports whether answers have no end.
func (c *Config) streams() bool { return c.Format == "sse" || c.Stream }

// Validate reports the mistakes that the options' types cannot express.
func (c *Config) Validate() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	if c.URL != "" {
		ps = append(ps, conn.CheckURL("url", c.URL)...)
	}
	for _, name := range slices.Sorted(maps.Keys(c.Headers)) {
		ps = append(ps, conn.CheckHeader("headers", name)...)
	}
	if c.Body != "" && c.Method == http.MethodGet {
		add("body", "a GET with a body", `Many servers ignore it. Use method = "POST", or remove body.`)
	}
	if len(c.Records.Path) > 0 && c.Format != "json" {
		add("records", "records without format json", "Only in a JSON answer there is a list to find. Remove records, or set format = \"json\".")
	}
	if c.Stream && c.Format != "ndjson" && c.Format != "sse" {
		add("stream", "stream of another format than ndjson", "Records of a stream must have ends that can be seen. Set format = \"ndjson\", or remove stream.")
	}
	ps = append(ps, c.cursorProblems()...)
	return append(ps, c.ClientConfig.Problems()...)
}

func (c *Config) cursorProblems() []engine.Problem {
	k := c.Cursor
	if k == nil {
		return nil
	}
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	ways := 0
	for _, given := range []bool{len(k.Path.Path) > 0, k.Header != "", k.Link, len(k.Record.Path) > 0} {
		if given {
			ways++
		}
	}
	if ways != 1 {
		add("cursor", "a cursor comes from one place", "Give exactly one of path, header, link and record.")
	}
	if c.Format == "sse" {
		add("cursor", "a cursor with server-sent events", "Their ids are the position, sent as Last-Event-ID. Remove the block.")
		return ps
	}
	if c.streams() && len(k.Record.Path) == 0 {
		add("cursor", "a stream has no pages", "The position of a stream can only be in its records: use record, or remove the block.")
	}
	if c.Format == "raw" && len(k.Record.Path) > 0 {
		add("cursor.record", "record with format raw", "Raw bytes have no fields. Use header or link.")
	}
	for name, path := range map[string]engine.PathOption{"path": k.Path, "more": k.More} {
		if len(path.Path) > 0 && c.Format != "json" {
			add("cursor."+name, name+" without format json", "Only a JSON answer has paths. Use header, link or record.")
		}
	}
	if k.Header != "" && !conn.IsToken(k.Header) {
		add("cursor.header", "no name of a header", "The name of a header has letters, digits and - only.")
	}
	if (k.Param == "") != k.Link {
		add("cursor.param", "param and link", "A cursor needs the parameter that it is sent as; a link is the whole URL of the next page and needs none.")
	}
	if k.Link && k.Start != "" {
		add("cursor.start", "start with link", "The first page is that of url. Remove start.")
	}
	return ps
}

// target returns the URL of a request with that cursor.
func (c *Config) target(cursor string) (*url.URL, error) {
	u, err := url.Parse(c.URL)
	if err != nil {
		return nil, err
	}
	if c.Cursor != nil && c.Cursor.Link && cursor != "" {
		if u, err = url.Parse(cursor); err != nil {
			return nil, err
		}
	}
	if len(c.SecretQuery) == 0 && (cursor == "" || c.Cursor == nil || c.Cursor.Link) {
		return u, nil // the query stays as it was written
	}
	q := u.Query()
	if cursor != "" && c.Cursor != nil && !c.Cursor.Link {
		q.Set(c.Cursor.Param, cursor)
	}
	for name, v := range c.SecretQuery {
		q.Set(name, v.Reveal())
	}
	u.RawQuery = q.Encode()
	return u, nil
}
