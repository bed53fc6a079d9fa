package jsonschemaconv

import (
	"bytes"
	"context"
	"fmt"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

func (c *converter) NewEncoder(from record.Encoding) engine.Encode {
	if from == nil {
		from = record.Opaque
	}
	return registered.NewEncoder(c.Client, &source{c, from})
}

// source is what records of one encoding are. It implements registered.Source.
type source struct {
	*converter
	enc record.Encoding
}

// Texts and bytes have no schema of their own.
var (
	stringSchema = schema.New(schema.String)
	bytesSchema  = schema.New(schema.Bytes)
)

// model is the schema that records have of themselves; nil: none.
func (s *source) model() *schema.Schema {
	switch s.enc {
	case record.Text:
		return stringSchema
	case record.Opaque:
		return bytesSchema
	}
	return record.SchemaOf(s.enc)
}

func (s *source) Own() (*text, error) {
	if s.given != nil {
		return s.given, nil
	}
	own := s.model()
	if own == nil {
		return nil, registered.ErrNoSchema
	}
	if s.Conn != nil {
		if r := s.Conn.Noted(own); r != nil {
			t, err := parseRegistered(r)
			if err == nil {
				t.schema, t.model = own, own
			}
			return t, err
		}
	}
	t, err := s.config.textOf(own)
	if err != nil {
		return nil, fmt.Errorf("making a JSON Schema for the record: %w", err)
	}
	return t, nil
}

func (s *source) Name(t *text) (name, what string) { return t.model.Name, t.model.Type.String() }

func (s *source) Text(_ context.Context, t *text) (registry.Text, error) {
	return registry.Text{Type: registry.JSON, Text: t.text, References: t.refs}, nil
}

func (s *source) Parse(r *registry.Schema) (*text, error) { return parseRegistered(r) }

func (s *source) Unreadable(writer, reader *text) []string {
	var reasons []string
	for _, e := range jsonschema.Compatible(reader.model, writer.model) {
		reasons = append(reasons, e.Error())
	}
	return reasons
}

// Writer returns how records of the source encoding become data of t.
func (s *source) Writer(t *text) (registered.Write, []byte, error) {
	w := &writer{from: s.enc, to: t.schema, options: s.config.payload()}
	w.same, w.nulls = jsonschema.Same(t.schema, w.options)
	own := s.model()
	var err error
	switch {
	case own == nil:
		w.read = true
	case own == t.model:
	case s.config.Lenient:
		w.own = s.config.style().Of(own)
	default:
		if w.plan, err = jsonschema.Plan(own, t.model); err != nil {
			return nil, nil, fmt.Errorf("the records do not fit the JSON Schema: %w", err)
		}
		if w.plan.Action == schema.Keep {
			w.plan = nil
		}
	}
	if s.config.Validation {
		if w.valid, err = newValidator(t); err != nil {
			return nil, nil, err
		}
	}
	return w.write, nil, nil
}

// writer writes records of one encoding as data of one schema, in one goroutine.
type writer struct {
	from    record.Encoding
	to      *schema.Schema
	options jsonschema.Options
	// same and nulls are those of jsonschema.Same.
	same, nulls bool
	// read: the records are JSON without a schema, which must be of to's.
	read bool
	// own, unless nil, is what the records are, to be read leniently as to's.
	own  *schema.Schema
	plan *schema.Plan // nil: they are of to's schema
	// valid is nil if types alone are checked.
	valid *validator

	one, two, three []byte
}

func (w *writer) write(dst, src []byte) ([]byte, error) {
	begin := len(dst)
	out, err := w.append(dst, src)
	if err == nil && w.valid != nil {
		err = w.valid.check(out[begin:])
	}
	return out, err
}

func (w *writer) append(dst, src []byte) (_ []byte, err error) {
	if !record.IsJSON(w.from) {
		if w.one, err = w.from.AppendJSON(w.one[:0], src); err != nil {
			return dst, err
		}
		src = w.one
	}
	if w.own != nil {
		if w.two, err = jsonschema.AppendPayload(w.two[:0], src, w.own, w.options); err != nil {
			return dst, err
		}
		src = w.two
	}
	switch {
	case w.read || w.own != nil:
		if w.same && !w.options.Lenient && schema.Check(w.to, src) == nil {
			break
		}
		if w.three, err = jsonschema.AppendTyped(w.three[:0], src, w.to, w.options); err != nil {
			return dst, err
		}
		src = w.three
	case w.plan != nil:
		if w.two, err = w.plan.Append(w.two[:0], src); err != nil {
			return dst, err
		}
		src = w.two
	}
	if w.same && (!w.nulls || !bytes.Contains(src, null)) {
		return append(dst, src...), nil
	}
	return jsonschema.AppendPayload(dst, src, w.to, w.options)
}

var null = []byte("null")
