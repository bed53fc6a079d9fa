package http

import (
	"bytes"
	"net"
	"net/http"
	"sync/atomic"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// request is the body of one request on its way to its confirmation. The
// handler makes it and waits for outcome; from the queue on, until the outcome,
// the goroutine of Read uses all else.
type request struct {
	format  string
	data    []byte // what is in no batch yet; nil at the end
	size    int64  // bytes of the buffer that it holds until then
	key     []byte
	headers []record.Header
	at      int64 // when it was received, nanoseconds since 1970

	state   atomic.Int32
	outcome chan struct{} // one element: every record is confirmed
}

// The states of a request in the queue: either the pipeline takes it or the
// handler takes it back, never both.
const (
	waiting int32 = iota
	taken
	withdrawn
)

func (q *request) take() bool     { return q.state.CompareAndSwap(waiting, taken) }
func (q *request) withdraw() bool { return q.state.CompareAndSwap(waiting, withdrawn) }

// begin makes a request of what was received.
func (s *server) begin(r *http.Request, format string, data []byte) *request {
	q := &request{format: format, data: data, size: int64(cap(data)), at: s.env.Now().UnixNano(), outcome: make(chan struct{}, 1)}
	if format == "ndjson" {
		q.data = bytes.TrimRight(data, " \t\r\n") // so that a record ends it
	}
	if s.cfg.KeyHeader != "" {
		if v := r.Header.Values(s.cfg.KeyHeader); len(v) > 0 {
			q.key = []byte(v[0])
		}
	}
	add := func(name, value string) {
		q.headers = append(q.headers, record.Header{Key: name, Value: []byte(value)})
	}
	for _, name := range s.cfg.Headers {
		for _, v := range r.Header.Values(name) {
			add(name, v)
		}
	}
	if len(s.cfg.QueryParams) > 0 {
		query := r.URL.Query()
		for _, name := range s.cfg.QueryParams {
			for _, v := range query[name] {
				add(name, v)
			}
		}
	}
	for _, what := range s.cfg.Request {
		if v := requestPart(r, what); v != "" {
			add("http."+what, v)
		}
	}
	return q
}

func requestPart(r *http.Request, what string) string {
	switch what {
	case "method":
		return r.Method
	case "path":
		return r.URL.Path
	case "host":
		return r.Host
	case "remote_address":
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			return host
		}
		return r.RemoteAddr
	default: // user
		if user, _, ok := r.BasicAuth(); ok {
			return user
		}
		if r.TLS != nil && len(r.TLS.PeerCertificates) > 0 {
			return r.TLS.PeerCertificates[0].Subject.CommonName
		}
		return ""
	}
}

// hasHeaders reports whether records may have headers.
func (c *Config) hasHeaders() bool {
	return len(c.Headers)+len(c.QueryParams)+len(c.Request) > 0
}

// fill moves records of q into b until one of them has no more room. It
// returns how many, and whether q has no more.
func (q *request) fill(b *engine.Batch, c *Config, lim engine.BatchLimits) (n int, done bool) {
	for q.data != nil && b.Len() < lim.Records && len(b.Value.Data) < lim.Bytes {
		rec := q.data
		if q.format != "ndjson" {
			q.data = nil
		} else if rec, q.data = nextLine(q.data); len(q.data) == 0 {
			q.data = nil
		}
		if q.format == "ndjson" && len(rec) == 0 {
			continue
		}
		b.Value.Add(rec)
		b.Value.Lines = b.Value.Lines && q.format == "ndjson"
		b.Timestamps = append(b.Timestamps, q.at)
		if c.KeyHeader != "" {
			b.Key.Add(q.key)
		}
		if c.hasHeaders() {
			b.Headers.List = append(b.Headers.List, q.headers...)
			b.Headers.Ends = append(b.Headers.Ends, uint32(len(b.Headers.List)))
		}
		n++
	}
	return n, q.data == nil
}
