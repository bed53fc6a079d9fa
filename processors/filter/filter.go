package filter

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes filter.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "filter",
			Summary: "Keeps the records that a condition holds for.",
			Description: "A record for which `where` is false is dropped: no output sees it, it is counted as dropped, and its source position moves on. " +
				"When `where` cannot be evaluated (a string compared with a number, say), the record goes to the errors edge; it is never dropped silently.\n\n" +
				"Kafka Connect's `Filter` drops what its predicate matches; this one keeps it.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Paid orders above a limit", HCL: `pipeline "paid" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "filter" "paid" {
    where = "value.status == 'paid' && value.amount >= 100"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &filter{config: config.(*Config)}, nil
		},
		Passes:  func(config any) engine.Expression { return config.(*Config).Where },
		Changes: func(any) engine.Changes { return engine.Changes{} },
	}
}

type filter struct{ config *Config }

func (*filter) Ports() []string { return nil }

// ReadOnly says that filter edits no record.
func (*filter) ReadOnly() bool { return true }

func (f *filter) Bind(l *record.Layout) (engine.Bound, error) {
	where, err := f.config.Where.Source.Bind(l)
	if err != nil {
		return engine.Bound{}, err
	}
	return engine.Bound{Step: func(r *record.Record) (bool, error) {
		keep, err := where.Test(r)
		if err != nil {
			return false, fmt.Errorf("where: %w", err)
		}
		return keep, nil
	}}, nil
}
