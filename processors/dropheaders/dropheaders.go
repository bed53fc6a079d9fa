package dropheaders

import (
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes drop_headers.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:        "drop_headers",
			Summary:     "Removes headers.",
			Description: "All headers of these exact names go. One that is not there is no error.",
			Defaults:    func() any { return Defaults() },
			Examples: []engine.Example{{Title: "No traces", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
  }

  processor "drop_headers" "traces" {
    headers = ["trace-id", "span-id"]
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &processor{config: config.(*Config)}, nil
		},
		Changes: func(config any) engine.Changes {
			return engine.Changes{Headers: slices.Clone(config.(*Config).Headers)}
		},
		Equal: func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct{ config *Config }

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	names := p.config.Headers
	return p.config.Bound(l, func(r *record.Record) error {
		if len(r.Headers()) > 0 {
			for _, name := range names {
				r.DeleteHeader(name)
			}
		}
		return nil
	})
}
