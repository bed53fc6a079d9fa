package schemametadata

import (
	"errors"
	"maps"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes set_schema_metadata.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:        "set_schema_metadata",
			Summary:     "Changes name, version, documentation or parameters of a record's schema.",
			Description: "The data stays as it is, and so does what is not given. A record without a schema is an error unless it is null.",
			Defaults:    func() any { return Defaults() },
			Examples: []engine.Example{{Title: "A name for the registry", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
  }

  processor "set_schema_metadata" "name" {
    schema_name    = "shop.Order"
    schema_version = 2
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			p := &processor{config: config.(*Config)}
			p.plans.Make = p.plan
			return p, nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			c := config.(*Config)
			return c.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
				out, err := (&processor{config: c}).plan(s)
				if err != nil {
					return nil, []engine.Problem{{Option: "connect", Summary: "the schema cannot be changed", Detail: "Of records of type " + s.Type.String() + ": " + err.Error() + "."}}
				}
				return out, nil
			})
		},
		Changes: func(config any) engine.Changes { return config.(*Config).Changes(nil, nil, nil) },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	plans  transform.Plans[*schema.Schema]
}

var (
	errNoSchema = errors.New("it has no schema to change: decode it with a converter that gives one")
	errStruct   = errors.New("its schema is not that of an object")
)

func (p *processor) plan(s *schema.Schema) (*schema.Schema, error) {
	if p.config.Connect && s.Type != schema.Struct {
		return nil, errStruct
	}
	out := s.Clone()
	if p.config.Name != "" {
		out.Name = p.config.Name
	}
	if p.config.Version != 0 {
		out.Version = p.config.Version
	}
	if p.config.About != "" {
		out.Doc = p.config.About
	}
	if len(p.config.Parameters) > 0 {
		out.Parameters = maps.Clone(s.Parameters)
		if out.Parameters == nil {
			out.Parameters = make(map[string]string)
		}
		maps.Copy(out.Parameters, p.config.Parameters)
	}
	return out, nil
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	p.config.Projection(l).Add(nil)
	planner := p.plans.Planner()
	return p.config.Bound(l, p.config.Filled(&p.config.Common, func(r *record.Record) error {
		d := p.config.Doc(r)
		s := transform.SchemaOf(d)
		if s == nil {
			if transform.IsNull(d) {
				return nil
			}
			return errNoSchema
		}
		to, err := planner.Of(s)
		if err != nil {
			return err
		}
		return d.Retype(record.Root, to)
	}))
}
