package http

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	connhttp "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
)

// The values of body.
const (
	bodySingle = "single"
	bodyLines  = "ndjson"
	bodyArray  = "json_array"
	bodyNone   = "none"
)

// The values of order.
const (
	orderKey       = "key"
	orderPartition = "partition"
	orderNone      = "none"
)

// Config holds the options of the http output.
type Config struct {
	URL         engine.Template         `flow:"url,required,destination,url" doc:"Where each record goes. Scheme and host are literal; what {{ }} gives is percent-encoded." example:"\"https://api.example.com/orders/{{ value.id }}\""`
	Method      string                  `flow:"method" oneof:"POST PUT PATCH DELETE" doc:"Method of the requests."`
	Headers     engine.NamedExpressions `flow:"headers" doc:"Headers of each request, by expressions over its record; null sets none." example:"{ X-Tenant = \"value.tenant\" }"`
	ContentType string                  `flow:"content_type" doc:"Content-Type of the requests. Empty: what body and the records' encoding say." example:"\"application/vnd.orders+json\""`

	Body         string          `flow:"body" oneof:"single ndjson json_array none" doc:"What a request carries: the value of a single record; the values of several as lines of JSON, or as an array of JSON; or no body, for a URL that says it all."`
	BatchRecords int             `flow:"batch_records" unit:"records" min:"1" max:"100000" doc:"Most records of a request with body = \"ndjson\" or \"json_array\". Only records of the same URL and headers share a request, and no request waits for more records than there are."`
	BatchBytes   engine.ByteSize `flow:"batch_bytes" min:"1KiB" max:"64MiB" doc:"Bytes, before compression, after which a request gets no further record."`
	Compression  string          `flow:"compression" oneof:"none gzip" doc:"How bodies are compressed."`
	Tombstones   string          `flow:"tombstones" oneof:"error skip empty" doc:"What becomes of a record whose value is null: error refuses it, skip leaves it out and counts it as dropped, empty sends an empty body, or null within ndjson and json_array."`

	Concurrency int    `flow:"concurrency" unit:"requests" min:"1" max:"1024" doc:"Most requests at a time. With 1 all records keep their order."`
	Order       string `flow:"order" oneof:"key partition none" doc:"What keeps its order with a concurrency over 1: key, the records of one key, while those without a key have no order; partition, the records of one source partition; none, nothing."`

	IdempotencyKey    engine.Expression `flow:"idempotency_key" doc:"Text by which the server recognises a record that comes twice; a record without one is refused. With body = \"single\" or \"none\"." example:"\"value.id\""`
	IdempotencyHeader string            `flow:"idempotency_header" doc:"Header that carries idempotency_key."`

	SuccessStatuses []string `flow:"success_statuses" doc:"Statuses that confirm the records of a request: 200, 2xx or 200-206. Statuses are looked up here first." example:"[\"2xx\", \"409\"]"`
	RetryStatuses   []string `flow:"retry_statuses" doc:"Statuses after which a request is sent again, after the wait that Retry-After asks for, for as long as it takes. They are looked up after success_statuses."`
	StopStatuses    []string `flow:"stop_statuses" doc:"Statuses that stop the pipeline, with nothing lost, since the config is to blame and not the record. They are looked up after retry_statuses; every other status is permanent and refuses the records of the request."`
	SplitStatuses   []string `flow:"split_statuses" doc:"Permanent statuses after which a request with several records is sent again in halves, until the records are found that the server refuses; the others arrive. With any other permanent status, or an empty list, all records of the request are refused."`

	connhttp.ClientConfig
}

// Defaults is what an empty block means.
func Defaults() *Config {
	return &Config{
		Method:       http.MethodPost,
		Body:         bodySingle,
		BatchRecords: 500,
		// What most servers and proxies take by default.
		BatchBytes:        1 << 20,
		Compression:       "none",
		Tombstones:        "error",
		Concurrency:       1,
		Order:             orderKey,
		IdempotencyHeader: "Idempotency-Key",
		SuccessStatuses:   []string{"2xx"},
		RetryStatuses:     []string{"408", "425", "429", "5xx"},
		StopStatuses:      []string{"3xx", "401", "403", "407"},
		SplitStatuses:     []string{"400", "409", "413", "422"},
		ClientConfig:      connhttp.DefaultClientConfig(),
	}
}

// batched reports whether a request may carry several records.
func (c *Config) batched() bool { return c.Body == bodyLines || c.Body == bodyArray }

// prefixed is a template that says what stands in front of its first hole.
type prefixed interface{ LiteralPrefix() string }

// Validate implements engine.Validator.
func (c *Config) Validate() []engine.Problem {
	ps := c.ClientConfig.Problems()
	if c.URL.Source != nil {
		text, literal := c.URL.Source.Literal()
		if p, ok := c.URL.Source.(prefixed); !literal && ok {
			text = p.LiteralPrefix()
		}
		// A prefix without its whole host is a destination by content, which
		// lint finds for every component.
		if _, rest, ok := strings.Cut(text, "://"); literal || ok && strings.ContainsAny(rest, "/?") {
			ps = append(ps, connhttp.CheckURL("url", text)...)
		}
	}
	ps = append(ps, c.headerProblems()...)
	ps = append(ps, c.bodyProblems()...)
	for _, x := range []struct {
		option string
		list   []string
	}{{"success_statuses", c.SuccessStatuses}, {"retry_statuses", c.RetryStatuses}, {"stop_statuses", c.StopStatuses}, {"split_statuses", c.SplitStatuses}} {
		for i, s := range x.list {
			if _, err := parseStatus(s); err != nil {
				ps = append(ps, engine.Problem{Option: fmt.Sprintf("%s[%d]", x.option, i), Summary: fmt.Sprintf("%q is no status", s),
					Detail: `Write a status as "404", a class as "4xx", or a range as "500-504".`})
			}
		}
	}
	if len(c.SuccessStatuses) == 0 {
		ps = append(ps, engine.Problem{Option: "success_statuses", Summary: "no status confirms a record",
			Detail: `Nothing could ever be confirmed. Name at least one status, such as "2xx".`})
	}
	return ps
}

func (c *Config) bodyProblems() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	d := Defaults()
	if !c.batched() {
		const detail = `A request carries several records only with body = "ndjson" or "json_array". Set the body, or remove the option.`
		if c.BatchRecords != d.BatchRecords {
			add("batch_records", "batch_records without batches", detail)
		}
		if c.BatchBytes != d.BatchBytes {
			add("batch_bytes", "batch_bytes without batches", detail)
		}
		if !slices.Equal(c.SplitStatuses, d.SplitStatuses) {
			add("split_statuses", "split_statuses without batches", detail)
		}
	}
	if c.Body == bodyNone {
		if c.Compression != "none" {
			add("compression", "there is no body to compress", "Remove compression, or set another body.")
		}
		if c.ContentType != "" {
			add("content_type", "there is no body with a type", "Remove content_type, or set another body.")
		}
	}
	if strings.ContainsFunc(c.ContentType, func(r rune) bool { return r < ' ' || r > '~' }) {
		add("content_type", "invalid content type", `It has printable ASCII characters only, as in "application/json".`)
	}
	if !c.IdempotencyKey.IsZero() && c.batched() {
		add("idempotency_key", "a request of several records has no key", `With body = "`+c.Body+`" the same records may be sent in other portions again, so that a server would not recognise them. Use body = "single".`)
	}
	return ps
}

func (c *Config) headerProblems() []engine.Problem {
	var ps []engine.Problem
	add := func(option, summary, detail string) {
		ps = append(ps, engine.Problem{Option: option, Summary: summary, Detail: detail})
	}
	taken := map[string]string{"Content-Type": "The option content_type sets it.", "Content-Encoding": "The option compression sets it."}
	if c.Basic != nil || c.Credentials != nil || !c.BearerToken.IsZero() {
		taken["Authorization"] = "The block basic or client_credentials or the option bearer_token sets it."
	}
	for name := range c.SecretHeaders {
		taken[http.CanonicalHeaderKey(name)] = "It stands in secret_headers too."
	}
	if !c.IdempotencyKey.IsZero() {
		ps = append(ps, connhttp.CheckHeader("idempotency_header", c.IdempotencyHeader)...)
		taken[http.CanonicalHeaderKey(c.IdempotencyHeader)] = "The option idempotency_key sets it."
	}
	for _, h := range c.Headers {
		name := http.CanonicalHeaderKey(h.Name)
		if why, ok := taken[name]; ok {
			add("headers", "the header "+h.Name+" is set twice", why+" Remove one of the two.")
			continue
		}
		taken[name] = "It stands in headers twice."
		ps = append(ps, connhttp.CheckHeader("headers", h.Name)...)
	}
	return ps
}

// delivery says what a confirmation means.
func (c *Config) delivery() engine.Delivery {
	d := engine.Delivery{Confirms: "the server has answered its request with a status of " + strings.Join(c.SuccessStatuses, ", ")}
	holes := false
	if c.URL.Source != nil {
		_, literal := c.URL.Source.Literal()
		holes = !literal
	}
	switch {
	case !c.IdempotencyKey.IsZero():
		d.Idempotent = "the server recognises a repeat by its " + c.IdempotencyHeader
	case holes && !c.batched() && (c.Method == http.MethodPut || c.Method == http.MethodDelete):
		d.Idempotent = "a " + c.Method + " to the URL of a record can be repeated"
	}
	return d
}
