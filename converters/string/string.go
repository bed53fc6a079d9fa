package stringconv

import (
	"bytes"
	"errors"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes string.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:    "string",
			Summary: "Values are texts in UTF-8.",
			Description: "Reading: the value is one string. What is not UTF-8 is an error of the record as soon as an expression or a processor needs it, with `strict` at once.\n\n" +
				"Writing: a text as it is; of JSON a string without its quotes and escapes, and anything else as its JSON text; dates and times that have a schema by their text, such as 2006-01-02; bytes as they are, which `strict` refuses when they are not UTF-8.\n\n" +
				"A record without value (a tombstone) stays one in both directions, and an empty text stays an empty text. JSON's `null` is written as the text `null`, and a null that has a schema as a tombstone.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Lines that are plain text", HCL: `pipeline "text" {
  input "stdin" "in" {
    value "string" {}
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Converter, error) {
			return converter{strict: config.(*Config).Strict}, nil
		},
	}
}

type converter struct{ strict bool }

func (converter) Decoded() record.Encoding { return record.Text }

func (c converter) NewDecoder() engine.Decode {
	if !c.strict {
		return nil
	}
	return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
		dst, err := check(dst, src, nil)
		return dst, nil, err
	}
}

var errUTF8 = errors.New("the text is not valid UTF-8")

// check copies what is UTF-8.
func check(dst, src []byte, _ *engine.Meta) ([]byte, error) {
	if src == nil {
		return nil, nil
	}
	if !utf8.Valid(src) {
		return dst, errUTF8
	}
	return appendFilled(dst, src), nil
}

// appendFilled appends p. The result is never nil, which would be a null.
func appendFilled(dst, p []byte) []byte {
	if dst == nil {
		dst = []byte{}
	}
	return append(dst, p...)
}

func (c converter) NewEncoder(from record.Encoding) engine.Encode {
	if s := record.SchemaOf(from); s != nil {
		return newTyped(from, s)
	}
	if from != nil && record.IsJSON(from) {
		return newUnquote(from)
	}
	switch from {
	case nil, record.Text, record.Opaque:
		if c.strict {
			return check
		}
		return nil
	}
	return newText(from)
}

// newUnquote returns an Encode for JSON. Only strings are read: a number or
// an object is its own text.
func newUnquote(from record.Encoding) engine.Encode {
	unquote := newText(from)
	return func(dst, src []byte, m *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		if text := bytes.TrimLeft(src, " \t\r\n"); len(text) > 0 && text[0] != '"' {
			if err := record.ValidateJSON(src); err != nil {
				return dst, err
			}
			return append(dst, src...), nil
		}
		return unquote(dst, src, m)
	}
}

// newTyped returns an Encode for values with a schema: texts, dates and the like
// by their text, bytes as they are, anything else as its typed JSON text.
func newTyped(from record.Encoding, s *schema.Schema) engine.Encode {
	bytesOf := newText(from)
	unquote := newText(record.JSON)
	var text []byte
	return func(dst, src []byte, m *engine.Meta) (out []byte, err error) {
		if src == nil {
			return nil, nil
		}
		if text, err = from.AppendJSON(text[:0], src); err != nil {
			return dst, err
		}
		switch {
		case string(text) == "null":
			return nil, nil
		case s.Type == schema.Bytes:
			return bytesOf(dst, src, m)
		case text[0] == '"':
			return unquote(dst, text, m)
		}
		return append(dst, text...), nil
	}
}

// newText returns an Encode that decodes the value.
func newText(from record.Encoding) engine.Encode {
	doc := record.NewDoc(record.NewProjection())
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		doc.Reset(from, src)
		v, err := doc.Get(0)
		if err != nil {
			return dst, err
		}
		switch v.Kind() {
		case record.String, record.Bytes:
			return appendFilled(dst, v.Text()), nil
		}
		return v.AppendJSON(dst)
	}
}
