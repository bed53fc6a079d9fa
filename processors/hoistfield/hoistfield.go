package hoistfield

import (
	"errors"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes hoist_field.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:        "hoist_field",
			Summary:     "Wraps the whole value or key in an object: x becomes {field: x}.",
			Description: "Its bytes stay as they are. A null stays a null unless `null` says otherwise.",
			Defaults:    func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Lines of text as objects", HCL: `pipeline "log" {
  input "file" "log" {
    path = "app.log"
    value "string" {}
  }

  processor "hoist_field" "line" {
    field = "line"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			p := &processor{config: config.(*Config)}
			p.plans.Make = p.plan
			for i, name := range p.config.names() {
				if i > 0 {
					p.before = append(p.before, '{')
				} else {
					p.before = []byte("{")
				}
				p.before = append(record.AppendQuoted(p.before, []byte(name)), ':')
				p.after = append(p.after, '}')
			}
			return p, nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			c := config.(*Config)
			return c.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
				out, _ := (&processor{config: c}).plan(s)
				return out, nil
			})
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config        *Config
	before, after []byte
	plans         transform.Plans[*schema.Schema]
}

// plan wraps a schema.
func (p *processor) plan(s *schema.Schema) (*schema.Schema, error) {
	names := p.config.names()
	for i := len(names) - 1; i >= 0; i-- {
		s = &schema.Schema{Type: schema.Struct, Fields: []schema.Field{{Name: names[i], Schema: s}}}
	}
	return s, nil
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p, root: p.config.Projection(l).Add(nil), planner: p.plans.Planner()}
	return p.config.Bound(l, w.edit)
}

type worker struct {
	*processor
	root    record.PathID
	planner *transform.Planner[*schema.Schema]
	text    []byte
}

var errRequired = errors.New("its schema allows no null")

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	s := transform.SchemaOf(d)
	v := record.NullValue()
	if !d.IsNull() {
		var err error
		if v, err = d.Get(w.root); err != nil {
			return err
		}
	}
	if v.IsNil() {
		if w.config.Null == "keep" {
			return nil
		}
		if s != nil && !s.Optional {
			return errRequired
		}
	}
	var to *schema.Schema
	if s != nil {
		var err error
		if to, err = w.planner.Of(s); err != nil {
			return err
		}
	}
	text, err := v.AppendAs(append(w.text[:0], w.before...), s)
	if err != nil {
		return err
	}
	w.text = append(text, w.after...)
	return transform.SetAs(d, record.Root, record.RawJSON(w.text), to)
}
