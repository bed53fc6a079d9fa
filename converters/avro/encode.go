package avroconv

import (
	"context"
	"fmt"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
)

func (c *converter) NewEncoder(from record.Encoding) engine.Encode {
	return registered.NewEncoder(c.Client, &source{c, from})
}

// source is what records of one encoding are. It implements registered.Source.
type source struct {
	*converter
	enc record.Encoding
}

func (s *source) Own() (*avro.Schema, error) {
	if s.given != nil {
		return s.given.Avro(), nil
	}
	if enc, ok := s.enc.(*avro.Encoding); ok && !s.config.Connect {
		return enc.Avro(), nil
	}
	own := record.SchemaOf(s.enc)
	if own == nil {
		return nil, registered.ErrNoSchema
	}
	return avro.FromSchema(own, s.from)
}

func (s *source) Name(a *avro.Schema) (name, what string) { return a.Name, a.Kind.String() }

func (s *source) Text(_ context.Context, a *avro.Schema) (registry.Text, error) {
	text := registry.Text{Type: registry.Avro, Text: a.Source()}
	if text.Text == "" {
		text.Text = a.Text()
	}
	return text, nil
}

func (s *source) Parse(r *registry.Schema) (*avro.Schema, error) { return parseRegistered(r) }

func (s *source) Unreadable(writer, reader *avro.Schema) []string {
	var reasons []string
	for _, i := range avro.Compatible(writer, reader) {
		reasons = append(reasons, i.String())
	}
	return reasons
}

// Writer returns how records of the source encoding become data of to.
func (s *source) Writer(to *avro.Schema) (registered.Write, []byte, error) {
	own := record.SchemaOf(s.enc)
	w, err := avro.NewWriter(to, own, avro.WriterOptions{Lenient: s.config.Lenient})
	if err != nil {
		return nil, nil, fmt.Errorf("the records do not fit the Avro schema: %w", err)
	}
	if enc, ok := s.enc.(*avro.Encoding); ok {
		if enc.Avro() == to {
			return func(dst, src []byte) ([]byte, error) { return append(dst, src...), nil }, nil, nil
		}
		if v, err := avro.NewResolver(enc.Avro(), to); err == nil {
			return v.Append, nil, nil
		}
	}
	if s.enc == nil || record.IsJSON(s.enc) {
		return w.Append, nil, nil
	}
	var text []byte
	return func(dst, src []byte) (_ []byte, err error) {
		if text, err = s.enc.AppendJSON(text[:0], src); err != nil {
			return dst, err
		}
		return w.Append(dst, text)
	}, nil, nil
}
