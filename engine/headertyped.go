package engine

import (
	"bytes"
	"encoding/base64"
	"errors"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// holdsOthers: values of the type are JSON of several values, or of any type.
func holdsOthers(t schema.Type) bool {
	switch t {
	case schema.Any, schema.Array, schema.Map, schema.Struct, schema.Union:
		return true
	}
	return false
}

// typedHeader is HeaderEncoding for a converter that writes values of s, which
// is the type of one value.
func typedHeader(c Converter, s *schema.Schema) Recode {
	typed := c.NewEncoder(record.JSONOf(s))
	whole := typed
	if s.Type == schema.Float32 || s.Type == schema.Float64 {
		whole = c.NewEncoder(record.JSON) // which refuses an integer that the float does not hold
	}
	var own []byte // scratch
	return func(dst, src []byte, _ record.Encoding, m *Meta) ([]byte, record.Encoding, error) {
		var text []byte // nil: a null
		if src != nil {
			var err error
			if text, err = appendTyped(own[:0], src, s); err != nil {
				return dst, nil, err
			}
			own = text
		}
		encode := typed
		if isWhole(text) {
			encode = whole
		}
		switch {
		case encode != nil:
			out, err := encode(dst, text, m)
			return out, nil, err
		case text == nil:
			return nil, nil, nil
		}
		return append(dst, text...), nil, nil
	}
}

var errHeaderUTF8 = errors.New("the text is not valid UTF-8")

// appendTyped appends the typed JSON text of what a header says.
func appendTyped(dst, src []byte, s *schema.Schema) ([]byte, error) {
	start := len(dst)
	switch {
	case s.Type == schema.Bytes:
		dst = append(base64.StdEncoding.AppendEncode(append(dst, '"'), src), '"')
	case !utf8.Valid(src):
		return dst, errHeaderUTF8
	case literal(s.Type) && bare(src):
		dst = append(dst, src...)
	default:
		dst = record.AppendQuoted(dst, src)
	}
	if err := schema.Check(s, dst[start:]); err != nil {
		return dst[:start], err
	}
	return dst, nil
}

// isWhole: the number has no point and no exponent. -0 is no integer, or it would
// lose its sign.
func isWhole(number []byte) bool {
	return len(number) > 0 && string(number) != "-0" && bytes.IndexFunc(number, func(r rune) bool { return r != '-' && (r < '0' || r > '9') }) < 0
}

// bare: src is a value of JSON, no string, without spaces around it.
func bare(src []byte) bool {
	n := len(src)
	return n > 0 && src[0] != '"' && !jsonSpace(src[0]) && !jsonSpace(src[n-1]) && record.ValidateJSON(src) == nil
}

// literal: values of the type are no strings in typed JSON, but for numbers that
// JSON does not have.
func literal(t schema.Type) bool {
	return t >= schema.Bool && t <= schema.Float64 || t == schema.Decimal
}
