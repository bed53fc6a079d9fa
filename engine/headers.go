package engine

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// OwnHeader reports whether a header belongs to flow or to what converts
// records, such as the name of a schema or the reason of a failure. No
// converter of headers sees it.
func OwnHeader(name string) bool {
	return strings.HasPrefix(name, "flow.") || strings.HasPrefix(name, "__")
}

// HeaderValidator is a *Config of a converter with options that do not go with
// the block header_values.
type HeaderValidator interface {
	// ValidateHeaders reports each of them that is set, besides what Validate
	// reports.
	ValidateHeaders() []Problem
}

// HeaderDecoding returns the Recode that makes text of headers with a working
// copy of a converter; nil if there is nothing to do. A string becomes its
// text, bytes stay, a null is a header without value, and any other value
// becomes its JSON text.
func HeaderDecoding(c Converter) Recode {
	if c == nil {
		return nil
	}
	decode, def := c.NewDecoder(), c.Decoded()
	if decode == nil && plainText(def) {
		return nil
	}
	var own, text []byte // scratch
	return func(dst, src []byte, _ record.Encoding, m *Meta) ([]byte, record.Encoding, error) {
		out, enc := src, def
		if decode != nil {
			var err error
			var as record.Encoding
			if out, as, err = decode(own[:0], src, m); err != nil {
				return dst, nil, err
			}
			if as != nil {
				enc = as
			}
			if out != nil {
				own = out
			}
		}
		switch {
		case out == nil:
			return nil, nil, nil
		case plainText(enc):
			return append(dst, out...), nil, nil
		}
		var err error
		if text, err = enc.AppendJSON(text[:0], out); err != nil {
			return dst, nil, err
		}
		dst, err = appendHeader(dst, text, record.SchemaOf(enc))
		return dst, nil, err
	}
}

// plainText: the bytes of the encoding are what a header has.
func plainText(enc record.Encoding) bool {
	return enc == nil || enc == record.Text || enc == record.Opaque
}

// appendHeader appends what a header has for a JSON value of a schema; nil for
// a null.
func appendHeader(dst, text []byte, s *schema.Schema) ([]byte, error) {
	text = trimSpace(text)
	switch {
	case string(text) == "null":
		return nil, nil
	case text[0] != '"':
		return append(dst, text...), nil
	case s == nil || s.Type != schema.Bytes:
		return record.AppendUnquoted(dst, text), nil
	}
	start := len(dst)
	dst, err := base64.StdEncoding.AppendDecode(dst, text[1:len(text)-1])
	if err != nil {
		return dst[:start], fmt.Errorf("bytes in base64: %w", err)
	}
	return dst, nil
}

func trimSpace(b []byte) []byte {
	for len(b) > 0 && jsonSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && jsonSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

func jsonSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// form is what a header is taken for when it is written.
type form int

const (
	textForm form = iota
	bytesForm
	boolForm
	integerForm
	floatForm
	jsonForm
	forms
)

// The encodings of forms that are a type by themselves. They are the same for
// all, so that what is made ready for a schema is made once.
var (
	boolHeader    = record.JSONOf(schema.New(schema.Bool))
	integerHeader = record.JSONOf(schema.New(schema.Int64))
	floatHeader   = record.JSONOf(schema.New(schema.Float64))
)

// HeaderEncoding returns the Recode that writes headers with working copies of
// a converter; nil if there is nothing to do. A converter that says the schema
// it writes gets each text as a value of it. Else text that is a number, a
// boolean, an object or an array in JSON is that value, if reading it back gives
// the same text; other text is a string, and what is no text is bytes.
func HeaderEncoding(c Converter) Recode {
	if c == nil {
		return nil
	}
	given := false
	if t, ok := c.(Typed); ok {
		s := t.Encodes()
		if s != nil && !holdsOthers(s.Type) {
			return typedHeader(c, s)
		}
		given = s != nil
	}
	strings := plainText(c.Decoded())
	as := [forms]record.Encoding{record.Text, record.Opaque, boolHeader, integerHeader, floatHeader, record.JSON}
	if given { // its schema says what it holds
		as[boolForm], as[integerForm], as[floatForm] = record.JSON, record.JSON, record.JSON
	}
	if strings && c.NewEncoder(record.Text) == nil && c.NewEncoder(record.Opaque) == nil {
		return nil
	}
	var made [forms]bool
	var encode [forms]Encode
	return func(dst, src []byte, _ record.Encoding, m *Meta) ([]byte, record.Encoding, error) {
		f := textForm
		switch {
		case !strings:
			f = formOf(src)
		case !utf8.Valid(src):
			f = bytesForm
		}
		if !made[f] {
			made[f], encode[f] = true, c.NewEncoder(as[f])
		}
		if encode[f] == nil {
			if src == nil {
				return nil, nil, nil
			}
			return append(dst, src...), nil, nil
		}
		out, err := encode[f](dst, src, m)
		return out, nil, err
	}
}

// formOf says what a header is taken for. A number or boolean counts only as it
// would be written again: 1.50 and 007 are text, or they would lose digits.
func formOf(b []byte) form {
	if len(b) == 0 {
		return textForm
	}
	switch c := b[0]; {
	case c == 't' && string(b) == "true", c == 'f' && string(b) == "false":
		return boolForm
	case c == '-' || c >= '0' && c <= '9':
		return numberForm(b)
	case (c == '{' || c == '[') && record.ValidateJSON(b) == nil:
		return jsonForm
	case !utf8.Valid(b):
		return bytesForm
	}
	return textForm
}

// numberDigits is more than any number has that is written with all its digits.
const numberDigits = 32

func numberForm(b []byte) form {
	var buf [numberDigits]byte
	var again []byte
	f := integerForm
	if len(b) <= numberDigits {
		if slices.Contains(b, '.') {
			if x, err := strconv.ParseFloat(string(b), 64); err == nil && !math.IsInf(x, 0) {
				f, again = floatForm, strconv.AppendFloat(buf[:0], x, 'f', -1, 64)
			}
		} else if n, err := strconv.ParseInt(string(b), 10, 64); err == nil {
			again = strconv.AppendInt(buf[:0], n, 10)
		}
	}
	switch {
	case string(again) == string(b):
		return f
	case utf8.Valid(b):
		return textForm
	}
	return bytesForm
}

// header converts one header, waiting for what is away. It appends to data,
// whose bytes nobody else has yet.
func (t *Transcoder) header(data []byte, h record.Header) (record.Header, []byte, error) {
	t.meta.Name = h.Key
	start := len(data)
	out, _, err := t.call(t.Headers, data, h.Value, nil)
	if err != nil {
		return h, data[:start], fmt.Errorf("header %s: %w", h.Key, err)
	}
	if out == nil {
		h.Value = nil
		return h, data[:start], nil
	}
	if h.Value = out[start:len(out):len(out)]; h.Value == nil {
		h.Value = []byte{} // empty is not null
	}
	return h, out, nil
}

// headersOf converts the headers of record i into the spare list, or leaves
// none of it there.
func (t *Transcoder) headersOf(b *Batch, i int) (err error) {
	from, add := t.meta.Headers, t.meta.AddHeader
	t.meta.Header, t.meta.Key, t.meta.Headers, t.meta.AddHeader = true, false, nil, nil
	n, data := len(t.headers), len(b.Headers.data)
	for _, h := range from {
		if !OwnHeader(h.Key) {
			if h, b.Headers.data, err = t.header(b.Headers.data, h); err != nil {
				t.headers, b.Headers.data = t.headers[:n], b.Headers.data[:data]
				break
			}
		}
		t.headers = append(t.headers, h)
	}
	t.meta.Header, t.meta.Name, t.meta.Headers, t.meta.AddHeader = false, "", from, add
	return err
}

// finishHeaders puts what was converted into its place.
func (t *Transcoder) finishHeaders(h *Headers) {
	clear(h.List)
	h.List, t.headers = t.headers, h.List[:0]
	h.Ends, t.headerEnds = t.headerEnds, h.Ends[:0]
}

// call is f, waiting for what is away. After an error of Wait stop is set.
func (t *Transcoder) call(f Recode, dst, src []byte, from record.Encoding) ([]byte, record.Encoding, error) {
	hn := len(t.added)
	for {
		out, enc, err := f(dst, src, from, &t.meta)
		if err == nil {
			return out, enc, nil
		}
		t.added = t.added[:hn]
		var again *RetryError
		if t.Wait == nil || !errors.As(err, &again) {
			return nil, nil, err
		}
		if err := t.Wait(t.meta.Context, again); err != nil {
			t.stop = err
			return nil, nil, err
		}
	}
}
