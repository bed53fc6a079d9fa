package bytesconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes bytes.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:    "bytes",
			Summary: "Values are bytes that nobody looks into.",
			Description: "Reading: the value is one bytes value, whatever it holds. Writing: the record's bytes go out as they are, in whatever encoding they are, and " +
				"nothing is checked; a bytes value that has a schema goes out as the bytes that it stands for.\n\n" +
				"A record without value (a tombstone) stays one in both directions. The text `null` is four bytes.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Pass lines on without a look at them", HCL: `pipeline "pass" {
  input "stdin" "in" {
    value "bytes" {}
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(any, engine.Env) (engine.Converter, error) { return converter{}, nil },
	}
}

type converter struct{}

func (converter) Decoded() record.Encoding { return record.Opaque }

func (converter) NewDecoder() engine.Decode { return nil }

func (converter) NewEncoder(from record.Encoding) engine.Encode {
	s := record.SchemaOf(from)
	if s == nil || s.Type != schema.Bytes {
		return nil
	}
	// Bytes with a schema are text in their encoding, which is not what they are.
	doc := record.NewDoc(record.NewProjection())
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		doc.Reset(from, src)
		v, err := doc.Get(0)
		switch {
		case err != nil:
			return dst, err
		case v.Kind() == record.Null:
			return nil, nil
		}
		if dst == nil {
			dst = []byte{} // empty bytes are no null
		}
		return append(dst, v.Text()...), nil
	}
}
