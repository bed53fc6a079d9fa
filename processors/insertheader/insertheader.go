package insertheader

import (
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes insert_header.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:        "insert_header",
			Summary:     "Adds a header with a fixed value.",
			Description: "Headers of that name that are there stay unless `replace` is set. For a value from the record use a `map` with `headers`.",
			Defaults:    func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Where records come from", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "insert_header" "source" {
    header  = "source"
    value   = "orders file"
    replace = true
  }

  output "kafka" "orders" {
    connection = connection.kafka.main
    topic      = "orders"
  }
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &processor{config: config.(*Config)}, nil
		},
		Changes: func(config any) engine.Changes { return engine.Changes{Headers: []string{config.(*Config).Header}} },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct{ config *Config }

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	name, value := p.config.Header, []byte(p.config.Value)
	edit := func(r *record.Record) error {
		r.AddHeader(name, value)
		return nil
	}
	if p.config.Replace {
		edit = func(r *record.Record) error {
			r.SetHeader(name, value)
			return nil
		}
	}
	return p.config.Bound(l, edit)
}
