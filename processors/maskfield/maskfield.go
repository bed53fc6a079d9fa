package maskfield

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes mask_field.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "mask_field",
			Summary: "Replaces fields by the empty value of their type, or by a fixed value.",
			Description: "The type of a field stays what it is. For parts of a text, hashes and what personal data looks like see `redact`, " +
				"and the functions `mask`, `maskEmail`, `maskCard` and `hmac` in a `map`.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "No card numbers", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "mask_field" "card" {
    fields      = ["card", "customer.phone"]
    replacement = "****"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return newProcessor(config.(*Config)), nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			return newProcessor(config.(*Config)).schemas(in)
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	paths  []record.Path
	blank  cast.Blank
	plans  transform.Plans[[]masked]
}

func newProcessor(c *Config) *processor {
	p := &processor{config: c, paths: transform.Paths(c.Fields), blank: cast.Blank{With: c.With}}
	p.plans.Make = p.plan
	if c.Connect {
		p.blank.Mode = cast.Java
	}
	return p
}

// schemas: masked fields keep their types.
func (p *processor) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	return p.config.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
		plan, _ := p.plan(s)
		var problems []engine.Problem
		for i, m := range plan {
			option := transform.Item("fields", i)
			if m.err == nil && m.s != nil && !m.value.IsNil() && !m.value.Fits(m.s) {
				m.err = errors.New("the replacement is none of its values")
			}
			if m.err != nil {
				problems = append(problems, transform.Unfit(option, p.paths[i], m.s, m.err)...)
			} else {
				problems = append(problems, transform.Missing(option, s, p.paths[i])...)
			}
		}
		return s, problems
	})
}

// masked is what becomes of a field of a schema.
type masked struct {
	s      *schema.Schema // nil: not known
	value  record.Value
	hasDef bool // a null counts as its default, which is masked
	err    error
}

// plan masks by type, once for all records of a schema.
func (p *processor) plan(s *schema.Schema) ([]masked, error) {
	out := make([]masked, len(p.paths))
	for i, path := range p.paths {
		f := record.TypeAt(s, path)
		if f == nil || f.Type == schema.Any {
			continue
		}
		m := masked{s: f, hasDef: len(f.Default) > 0 && p.config.ReplaceNull}
		m.value, m.err = p.blank.OfType(f)
		out[i] = m
	}
	return out, nil
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p, ids: transform.IDs(p.config.Projection(l), p.paths), planner: p.plans.Planner()}
	return p.config.Bound(l, p.config.Filled(&p.config.Common, w.edit))
}

type worker struct {
	*processor
	ids     []record.PathID
	planner *transform.Planner[[]masked]
}

var errNull = errors.New("it is null, so it has no fields")

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	switch {
	case w.config.Connect && transform.IsNull(d):
		return errNull
	case d.IsNull():
		return nil
	}
	if len(w.ids) == 1 {
		return w.masks(d)
	}
	return transform.Atomic(d, w.masks)
}

func (w *worker) masks(d *record.Doc) error {
	plan, err := w.planner.At(d)
	if err != nil {
		return err
	}
	for i, id := range w.ids {
		v, err := d.Get(id)
		if err != nil {
			return err
		}
		var m masked
		if plan != nil {
			m = plan[i]
		}
		switch {
		case v.Kind() == record.Missing && w.config.Connect:
			if err := transform.Object(d); err != nil {
				return err
			}
			if plan == nil {
				err = d.Set(id, record.NullValue())
			}
			if err != nil {
				return err
			}
			continue
		case v.IsNil() && !m.hasDef:
			continue
		case m.s != nil:
			v, err = m.value, m.err
		default:
			v, err = w.blank.Of(v, nil)
		}
		if err == nil {
			err = transform.SetAs(d, id, v, m.s)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", w.paths[i], err)
		}
	}
	return nil
}
