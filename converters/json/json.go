package jsonconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes json.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:    "json",
			Summary: "Values are JSON texts.",
			Description: "Reading: the bytes stay as they are and are looked at when an expression or a processor needs them; what is not valid JSON is then an error of the record. " +
				"With `strict` every value is checked at once: syntax, numbers, escapes, UTF-8, depth.\n\n" +
				"Writing: JSON as it is, byte for byte; a text becomes a JSON string, and bytes become a JSON string with their base64 text.\n\n" +
				"A record without value (a tombstone) stays one in both directions. The JSON text `null` is a value of four bytes and stays that.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Refuse what is not JSON when it is read", HCL: `pipeline "checked" {
  input "stdin" "in" {
    value "json" {
      strict = true
    }
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

func (converter) Decoded() record.Encoding { return record.JSON }

func (c converter) NewDecoder() engine.Decode {
	if !c.strict {
		return nil
	}
	return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
		if src == nil {
			return nil, nil, nil
		}
		if err := record.ValidateJSON(src); err != nil {
			return dst, nil, err
		}
		return append(dst, src...), nil, nil
	}
}

func (converter) NewEncoder(from record.Encoding) engine.Encode {
	if from == nil || record.IsJSON(from) {
		return nil
	}
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		return from.AppendJSON(dst, src)
	}
}
