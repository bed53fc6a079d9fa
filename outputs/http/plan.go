package http

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// plan makes of a record what its request is: the options of the config, bound
// to the goroutine of Write.
type plan struct {
	url     engine.TemplateProgram // nil: the URL is literal
	literal string
	headers []headerProgram
	rec     *record.Record // nil: no option looks at the record

	// key is the text of the URL and of all headers of a record, each behind a
	// zero byte; lastKey and last are those of the record before, which most
	// often are the same.
	key, lastKey []byte
	last         *target
}

type headerProgram struct {
	name     string
	prog     engine.Program
	required bool // null refuses the record
}

// target is where and how a request is sent. Records share a request only if
// they share their target.
type target struct {
	id     string // the same for targets that are the same
	url    *url.URL
	values []string // of plan.headers; empty: not set
}

func (p *plan) bind(c *Config) error {
	*p = plan{}
	layout := record.NewLayout()
	look := false
	if text, ok := c.URL.Source.Literal(); ok {
		p.literal = text
	} else {
		var err error
		if p.url, err = c.URL.Source.Bind(layout); err != nil {
			return fmt.Errorf("url: %w", err)
		}
		look = true
	}
	add := func(name string, e engine.Expression, required bool) error {
		prog, err := e.Source.Bind(layout)
		if err != nil {
			return fmt.Errorf("header %s: %w", name, err)
		}
		p.headers = append(p.headers, headerProgram{http.CanonicalHeaderKey(name), prog, required})
		look = true
		return nil
	}
	for _, h := range c.Headers {
		if err := add(h.Name, h.Expr, false); err != nil {
			return err
		}
	}
	if !c.IdempotencyKey.IsZero() {
		if err := add(c.IdempotencyHeader, c.IdempotencyKey, true); err != nil {
			return err
		}
	}
	if look {
		p.rec = record.NewRecord(layout)
	}
	return nil
}

// target returns that of record i. An error is one of the record.
func (p *plan) target(b *engine.Batch, i int) (*target, error) {
	if p.rec == nil && p.last != nil {
		return p.last, nil
	}
	if p.rec != nil {
		b.Load(i, p.rec)
	}
	var err error
	if p.url == nil {
		p.key = append(p.key[:0], p.literal...)
	} else if p.key, err = p.url.Append(p.key[:0], p.rec); err != nil {
		return nil, fmt.Errorf("url: %w", err)
	}
	for n := range p.headers {
		p.key = append(p.key, 0)
		if err := p.header(&p.headers[n]); err != nil {
			return nil, fmt.Errorf("header %s: %w", p.headers[n].name, err)
		}
	}
	if p.last != nil && bytes.Equal(p.key, p.lastKey) {
		return p.last, nil
	}
	id := string(p.key)
	texts := strings.Split(id, "\x00")
	u, err := parseURL(texts[0])
	if err != nil {
		return nil, err
	}
	p.last = &target{id: id, url: u, values: texts[1:]}
	p.lastKey = append(p.lastKey[:0], p.key...)
	return p.last, nil
}

// header appends the value of a header to key.
func (p *plan) header(h *headerProgram) error {
	v, err := h.prog.Eval(p.rec)
	if err != nil {
		return err
	}
	if v.IsNil() {
		if h.required {
			return errors.New("the option idempotency_key gives nil")
		}
		return nil
	}
	at := len(p.key)
	if p.key, err = v.AppendText(p.key); err != nil {
		return err
	}
	for _, c := range p.key[at:] {
		if c < ' ' && c != '\t' || c == 0x7f {
			return errors.New("the value holds a control character, which would break the request")
		}
	}
	if h.required && len(p.key) == at {
		return errors.New("the option idempotency_key gives an empty text")
	}
	return nil
}

// maxURL is more than servers take.
const maxURL = 64 << 10

func parseURL(text string) (*url.URL, error) {
	if len(text) > maxURL {
		return nil, fmt.Errorf("url: it has %d bytes, at most %d are sent", len(text), maxURL)
	}
	u, err := url.Parse(text)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // its text holds the whole URL
		}
		return nil, fmt.Errorf("url: %w", err)
	}
	for segment := range strings.SplitSeq(u.Path, "/") {
		if segment == "." || segment == ".." {
			return nil, fmt.Errorf("url: its path has a segment %q, which would lead to another path", segment)
		}
	}
	return u, nil
}
