package httpclient

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/flowrecords/flow/engine/record"
)

// page is what one answer held.
type page struct {
	data  []byte // records that are left, a line each if lines
	lines bool
	none  bool // nothing is left
	first int64
	then  position // behind the last record
}

func (p *page) empty() bool { return p.none }

func (p *page) next() []byte {
	if !p.lines {
		p.none = true
		return p.data
	}
	rec, rest, _ := bytes.Cut(p.data, []byte{'\n'})
	p.data, p.none = rest, len(rest) == 0
	return rec
}

// answer is what an answer says, before it is known what follows.
type answer struct {
	data    []byte
	lines   bool
	count   int
	cursor  string
	found   bool // there is a cursor
	more    bool
	hasMore bool // the answer says whether there are more
}

// parser reads answers.
type parser struct {
	cfg                   *Config
	doc                   *record.Doc
	records, cursor, more record.PathID
	each                  *record.Doc // for the cursors of records
	own                   record.PathID
}

func newParser(c *Config) *parser {
	p := &parser{cfg: c}
	proj := record.NewProjection()
	p.records = proj.Add(c.Records.Path)
	if k := c.Cursor; k != nil {
		p.cursor, p.more = proj.Add(k.Path.Path), proj.Add(k.More.Path)
		each := record.NewProjection()
		p.own = each.Add(k.Record.Path)
		p.each = record.NewDoc(each)
	}
	p.doc = record.NewDoc(proj)
	return p
}

// parse reads the body of an answer to a request for u.
func (p *parser) parse(body []byte, h http.Header, u *url.URL) (*answer, error) {
	a := &answer{}
	var err error
	switch p.cfg.Format {
	case "raw":
		a.data, a.count = body, 1
	case "ndjson":
		a.data, a.count = splitLines(body)
		a.lines = true
	default:
		err = p.json(a, body)
	}
	if err != nil {
		return nil, err
	}
	if err := p.next(a, h, u); err != nil {
		return nil, err
	}
	return a, nil
}

// splitLines takes blank lines and white space around lines out, in place.
func splitLines(body []byte) ([]byte, int) {
	out, n := body[:0], 0
	for rest := body; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		if line = bytes.Trim(line, " \t\r"); len(line) > 0 {
			if n > 0 {
				out = append(out, '\n')
			}
			out = append(out, line...)
			n++
		}
	}
	return out, n
}

func (p *parser) json(a *answer, body []byte) error {
	if len(bytes.TrimSpace(body)) == 0 {
		return nil // 204, or a server that says nothing when there is nothing
	}
	p.doc.Reset(record.JSON, body)
	list, err := p.doc.Get(p.records)
	if err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch {
	case list.Kind() == record.Array:
		a.lines = true
		err = list.Elements(func(v record.Value) error {
			if a.count > 0 {
				a.data = append(a.data, '\n')
			}
			a.count++
			a.data, err = v.AppendJSON(a.data)
			return err
		})
		if err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
	case len(p.cfg.Records.Path) == 0:
		a.data, a.count = body, 1
	case !list.IsNil():
		return fatal("the answer has no list at %s, but %s: records must name a list", p.cfg.Records.Path, list.Kind())
	}
	return nil
}

// fatalError is a mistake that asking again does not change.
type fatalError string

func (e fatalError) Error() string { return string(e) }

func fatal(format string, args ...any) error { return fatalError(fmt.Sprintf(format, args...)) }

// next finds the cursor of the next page.
func (p *parser) next(a *answer, h http.Header, u *url.URL) error {
	k := p.cfg.Cursor
	if k == nil {
		return nil
	}
	if p.cfg.Format == "json" && p.doc != nil && a.count >= 0 && len(k.More.Path) > 0 {
		v, err := p.doc.Get(p.more)
		if err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		a.hasMore, a.more = true, v.Bool()
	}
	switch {
	case k.Link:
		return p.link(a, h, u)
	case k.Header != "":
		a.cursor = h.Get(k.Header)
	case len(k.Record.Path) > 0:
		if a.count == 0 {
			return nil
		}
		last := a.data
		if a.lines {
			last = a.data[bytes.LastIndexByte(a.data, '\n')+1:]
		}
		var err error
		if a.cursor, err = p.cursorOf(last); err != nil {
			return err
		}
	default:
		v, err := p.doc.Get(p.cursor)
		if err != nil {
			return fmt.Errorf("reading the answer: %w", err)
		}
		if a.cursor, err = cursorText(v); err != nil {
			return fmt.Errorf("the cursor at %s: %w", k.Path.Path, err)
		}
	}
	a.found = a.cursor != ""
	return nil
}

// cursorOf returns the cursor of a record.
func (p *parser) cursorOf(rec []byte) (string, error) {
	p.each.Reset(record.JSON, rec)
	v, err := p.each.Get(p.own)
	if err != nil {
		return "", fmt.Errorf("reading the last record: %w", err)
	}
	text, err := cursorText(v)
	if err == nil && text == "" {
		err = fatal("is missing")
	}
	if err != nil {
		return "", fatal("the cursor at %s of a record: %v", p.cfg.Cursor.Record.Path, err)
	}
	return text, nil
}

func cursorText(v record.Value) (string, error) {
	switch {
	case v.IsNil() || v.Kind() == record.Bool && !v.Bool():
		return "", nil // false stands for none, too
	case v.Kind() == record.Object || v.Kind() == record.Array || v.Kind() == record.Bool:
		return "", fatal("is a %s, not a text or number", v.Kind())
	}
	text, err := v.AppendText(nil)
	return string(text), err
}

// link takes the URL of rel="next" from the headers Link (RFC 8288).
func (p *parser) link(a *answer, h http.Header, u *url.URL) error {
	for _, v := range h.Values("Link") {
		target, ok := nextLink(v)
		if !ok {
			continue
		}
		next, err := u.Parse(target)
		if err != nil {
			return fatal("the header Link names a next page that is no URL")
		}
		if next.Host != u.Host || next.Scheme != u.Scheme || next.User != nil {
			// It would get the credentials.
			return fatal("the header Link names a next page at %s://%s, which is another server", next.Scheme, next.Host)
		}
		// What is secret in the query is added to each request and must not be
		// stored (Invariant 7).
		q := next.Query()
		for name := range p.cfg.SecretQuery {
			q.Del(name)
		}
		if len(p.cfg.SecretQuery) > 0 {
			next.RawQuery = q.Encode()
		}
		next.Fragment = ""
		a.cursor, a.found = next.String(), true
		return nil
	}
	return nil
}

// nextLink finds the target of the relation next in a header Link.
func nextLink(v string) (string, bool) {
	for {
		start := strings.IndexByte(v, '<')
		if start < 0 {
			return "", false
		}
		end := strings.IndexByte(v[start:], '>')
		if end < 0 {
			return "", false
		}
		target := v[start+1 : start+end]
		v = v[start+end+1:]
		var next bool
		if next, v = linkParams(v); next {
			return target, true
		}
	}
}

// linkParams reads the parameters up to the next link and reports whether they
// say rel=next.
func linkParams(v string) (next bool, rest string) {
	for {
		v = strings.TrimLeft(v, " \t")
		if !strings.HasPrefix(v, ";") {
			return next, strings.TrimPrefix(v, ",")
		}
		v = strings.TrimLeft(v[1:], " \t;")
		name := v
		if n := strings.IndexAny(v, "=;,"); n >= 0 {
			name, v = v[:n], v[n:]
		} else {
			v = ""
		}
		value := ""
		if strings.HasPrefix(v, "=") {
			value, v = linkValue(strings.TrimLeft(v[1:], " \t"))
		}
		if strings.EqualFold(strings.TrimSpace(name), "rel") {
			for rel := range strings.FieldsSeq(value) {
				next = next || strings.EqualFold(rel, "next")
			}
		}
	}
}

func linkValue(v string) (value, rest string) {
	if !strings.HasPrefix(v, `"`) {
		n := strings.IndexAny(v, ";,")
		if n < 0 {
			n = len(v)
		}
		return strings.TrimSpace(v[:n]), v[n:]
	}
	var b strings.Builder
	for i := 1; i < len(v); i++ {
		switch {
		case v[i] == '"':
			return b.String(), v[i+1:]
		case v[i] == '\\' && i+1 < len(v):
			i++
		}
		b.WriteByte(v[i])
	}
	return b.String(), ""
}

var errTooLarge = errors.New("larger than the limit")

// readBody reads a body to its end, bounded also after decompression.
func readBody(resp *http.Response, limit int64) ([]byte, error) {
	body := io.Reader(resp.Body)
	switch coding := strings.ToLower(resp.Header.Get("Content-Encoding")); coding {
	case "", "identity":
	case "gzip", "x-gzip":
		z, err := gzip.NewReader(body)
		if errors.Is(err, io.EOF) {
			return nil, nil // nothing at all: an answer without content
		}
		if err != nil {
			return nil, err
		}
		body = z
	default:
		return nil, fatal("the answer is compressed with %.40q, which was not asked for", coding)
	}
	data, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = errTooLarge
	}
	return data, err
}
