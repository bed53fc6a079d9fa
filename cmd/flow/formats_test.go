package main

import (
	"bytes"
	"fmt"

	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

// carrier is a format that has schemas of its own. there returns the schema as
// which records of s are read back, and what carries such a record; an error
// says that it cannot carry them.
type carrier struct {
	name  string
	there func(s *schema.Schema) (back *schema.Schema, carry func(text []byte) ([]byte, error), err error)
}

var carriers = []carrier{
	{"Connect's envelope", func(s *schema.Schema) (*schema.Schema, func([]byte) ([]byte, error), error) {
		o := connect.Options{Numeric: true, KeepNulls: true}
		node, err := connect.AppendSchema(nil, s, o)
		if err != nil {
			return nil, nil, err
		}
		back, err := connect.ParseSchema(node)
		if err != nil {
			return nil, nil, err
		}
		w, r := connect.NewWriter(s, o), connect.NewReader(back, o)
		return back, func(text []byte) ([]byte, error) {
			raw, err := w.Append(nil, text)
			if err != nil {
				return nil, err
			}
			return r.Append(nil, raw)
		}, nil
	}},
	{"Avro", func(s *schema.Schema) (*schema.Schema, func([]byte) ([]byte, error), error) {
		own, err := avro.FromSchema(s, avro.FromOptions{})
		if err != nil {
			return nil, nil, err
		}
		if own, err = avro.Parse([]byte(own.Text())); err != nil {
			return nil, nil, err
		}
		e, err := avro.NewEncoding(own)
		if err != nil {
			return nil, nil, err
		}
		w, err := avro.NewWriter(own, s, avro.WriterOptions{})
		if err != nil {
			return nil, nil, err
		}
		return e.Schema(), func(text []byte) ([]byte, error) {
			raw, err := w.Append(nil, text)
			if err != nil {
				return nil, err
			}
			return e.AppendJSON(nil, raw)
		}, nil
	}},
	{"JSON Schema", func(s *schema.Schema) (*schema.Schema, func([]byte) ([]byte, error), error) {
		text, err := jsonschema.Append(nil, s)
		if err != nil {
			return nil, nil, err
		}
		back, err := jsonschema.Parse(text, nil)
		if err != nil {
			return nil, nil, err
		}
		if list := jsonschema.Ambiguous(s); len(list) > 0 {
			return nil, nil, &list[0]
		}
		return back, func(text []byte) ([]byte, error) {
			raw, err := jsonschema.AppendPayload(nil, text, s, jsonschema.Options{KeepNulls: true})
			if err != nil {
				return nil, err
			}
			return jsonschema.AppendTyped(nil, raw, back, jsonschema.Options{KeepNulls: true})
		}, nil
	}},
	{"Protobuf", func(s *schema.Schema) (*schema.Schema, func([]byte) ([]byte, error), error) {
		m, err := protobuf.FromSchema(s, protobuf.FromOptions{})
		if err != nil {
			return nil, nil, err
		}
		e, err := protobuf.NewEncoding(m)
		if err != nil {
			return nil, nil, err
		}
		w, err := e.NewWriter(s, protobuf.WriterOptions{})
		if err != nil {
			return nil, nil, err
		}
		return e.Schema(), func(text []byte) ([]byte, error) {
			raw, err := w.Append(nil, text)
			if err != nil {
				return nil, err
			}
			return e.AppendJSON(nil, raw)
		}, nil
	}},
	{"Parquet", func(s *schema.Schema) (*schema.Schema, func([]byte) ([]byte, error), error) {
		own, err := parquetfile.FromSchema(s, parquetfile.Options{})
		if err != nil {
			return nil, nil, err
		}
		carry := func(text []byte) (*schema.Schema, []byte, error) {
			var file bytes.Buffer
			w, err := parquetfile.NewWriter(&file, own, parquetfile.WriterOptions{})
			if err != nil {
				return nil, nil, err
			}
			p, err := own.NewPacker()
			if err != nil {
				return nil, nil, err
			}
			row, err := p.Append(nil, text)
			if err == nil {
				err = w.Write(row)
			}
			if err == nil {
				err = w.Close()
			}
			if err != nil {
				return nil, nil, err
			}
			r, err := parquetfile.NewReader(bytes.NewReader(file.Bytes()), int64(file.Len()))
			if err != nil {
				return nil, nil, err
			}
			defer r.Close()
			got, err := r.Next()
			return r.Schema().Flow(), bytes.Clone(got), err
		}
		return own.Flow(), func(text []byte) ([]byte, error) {
			is, got, err := carry(text)
			if err == nil && !schema.Equal(is, own.Flow()) {
				err = fmt.Errorf("the file's schema is %s", is)
			}
			return got, err
		}, nil
	}},
}
