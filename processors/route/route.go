package route

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Factory describes route.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "route",
			Summary: "Sends records to named ports by condition.",
			Description: "Each `case` is a port that other elements read with `from = [processor.NAME.PORT]`. " +
				"A record that no case holds for goes on through the main port, which is read as `processor.NAME` or by the next element without `from`; " +
				"an `output \"drop\"` there says that such records are not wanted.\n\n" +
				"With `mode = \"all\"` a record goes to every port whose condition holds, and its source position moves on when all of them have confirmed it. " +
				"A condition that cannot be evaluated sends the record to the errors edge, and to no port.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "One file for each region", HCL: `pipeline "regions" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "route" "region" {
    case "asia" {
      when = "value.country in ['KR', 'JP']"
    }
    case "europe" {
      when = "value.country in ['DE', 'FR']"
    }
  }

  output "file" "asia" {
    from = [processor.region.asia]
    path = "asia.jsonl"
  }

  output "file" "europe" {
    from = [processor.region.europe]
    path = "europe.jsonl"
  }

  output "drop" "others" {
    from = [processor.region]
  }
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &route{config: config.(*Config)}, nil
		},
		Ports:      func(config any) []string { return ports(config.(*Config)) },
		Changes:    func(any) engine.Changes { return engine.Changes{} },
		FirstMatch: func(config any) bool { return config.(*Config).Mode == "first" },
	}
}

type route struct{ config *Config }

func (p *route) Ports() []string { return ports(p.config) }

// ReadOnly says that route edits no record.
func (*route) ReadOnly() bool { return true }

func ports(c *Config) []string {
	names := make([]string, len(c.Cases))
	for i, k := range c.Cases {
		names[i] = k.Port
	}
	return names
}

func (p *route) Bind(l *record.Layout) (engine.Bound, error) {
	cases := p.config.Cases
	tests := make([]engine.Program, len(cases))
	for i, k := range cases {
		var err error
		if tests[i], err = k.When.Source.Bind(l); err != nil {
			return engine.Bound{}, fmt.Errorf("case %s: %w", k.Port, err)
		}
	}
	first := p.config.Mode != "all"
	return engine.Bound{Route: func(r *record.Record, ports []int) ([]int, error) {
		start := len(ports)
		for i, t := range tests {
			ok, err := t.Test(r)
			if err != nil {
				return ports[:start], fmt.Errorf("case %s: %w", cases[i].Port, err)
			}
			if !ok {
				continue
			}
			ports = append(ports, i+1)
			if first {
				return ports, nil
			}
		}
		if len(ports) == start {
			ports = append(ports, 0)
		}
		return ports, nil
	}}, nil
}
