package bytesconv

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes bytes.
func Factory() engine.ConverterFactory {
	return engine.ConverterFactory{
		Component: engine.Component{
			Type:    "bytes",
			Summary: "Values are bytes that nobody looks into.",
			Description: "Reading: the value is one bytes value, whatever it holds. Writing: the record's bytes go out as they are, in whatever encoding they are; " +
				"nothing is checked.\n\n" +
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

func (converter) NewEncoder(record.Encoding) engine.Encode { return nil }
