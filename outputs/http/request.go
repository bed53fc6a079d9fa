package http

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// request is one request that is being filled or sent. Its bytes are its own:
// the client may read a body after it has returned, and the batches are the
// engine's again by then.
type request struct {
	ctx   context.Context // of the Write that began it
	to    *target
	mime  string
	data  []byte // the records, one behind the other
	parts []part
}

// part is one record of a request.
type part struct {
	w        *write
	i        int // its number in the batch
	from, to int // in data
}

// errTombstone refuses a record without a value.
var errTombstone = errors.New(`the value is null, for which there is no body (option tombstones = "skip" or "empty" allows it)`)

// errSkipped says that an option leaves the record out.
var errSkipped = errors.New("left out, as an option says")

// appendRecord appends the record's part of a body. After an error, which is
// one of the record, dst is as it was.
func (c *Config) appendRecord(dst []byte, b *engine.Batch, i int) ([]byte, error) {
	if c.Body == bodyNone {
		return dst, nil
	}
	v := b.Value.At(i)
	switch {
	case v == nil && c.Tombstones == "skip":
		return dst, errSkipped
	case v == nil && c.Tombstones == "error":
		return dst, errTombstone
	case c.Body == bodySingle:
		return append(dst, v...), nil
	case v == nil:
		return append(dst, "null"...), nil
	}
	// One value that is no JSON would spoil the request of all the others.
	out, err := record.Compact(dst, v)
	if err != nil {
		return dst, fmt.Errorf(`the value is no JSON, which body = "%s" needs: %w`, c.Body, err)
	}
	return out, nil
}

// contentType is that of a body with records of b.
func (c *Config) contentType(b *engine.Batch) string {
	switch {
	case c.Body == bodyNone:
		return ""
	case c.ContentType != "":
		return c.ContentType
	case c.Body == bodyLines:
		return "application/x-ndjson"
	case c.Body == bodyArray || record.IsJSON(b.Value.Encoding):
		return "application/json"
	case b.Value.Encoding == record.Text:
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}

// body makes the body of some parts of r.
func (c *Config) body(r *request, parts []part) ([]byte, error) {
	var raw []byte
	switch c.Body {
	case bodyNone:
		return nil, nil
	case bodySingle:
		raw = r.data[parts[0].from:parts[0].to]
	default:
		raw = c.join(r, parts)
	}
	if c.Compression != "gzip" {
		return raw, nil
	}
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	if _, err := w.Write(raw); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("compressing: %w", err)
	}
	return z.Bytes(), nil
}

func (c *Config) join(r *request, parts []part) []byte {
	size := 1
	for _, p := range parts {
		size += p.to - p.from + 1
	}
	raw := make([]byte, 0, size)
	for n, p := range parts {
		if c.Body == bodyArray {
			raw = append(raw, "[,"[min(n, 1)])
		}
		raw = append(raw, r.data[p.from:p.to]...)
		if c.Body == bodyLines {
			raw = append(raw, '\n')
		}
	}
	if c.Body == bodyArray {
		raw = append(raw, ']')
	}
	return raw
}

// build makes the client's request of some parts of r.
func (o *output) build(ctx context.Context, r *request, parts []part) (*http.Request, error) {
	body, err := o.cfg.body(r, parts)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, o.cfg.Method, "", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	u := *r.to.url
	req.URL, req.Host = &u, u.Host
	for n, v := range r.to.values {
		if v != "" {
			req.Header.Set(o.plan.headers[n].name, v)
		}
	}
	if r.mime != "" {
		req.Header.Set("Content-Type", r.mime)
	}
	if o.cfg.Compression == "gzip" {
		req.Header.Set("Content-Encoding", "gzip")
	}
	return req, nil
}
