package cast

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes cast.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "cast",
			Summary: "Changes the types of fields, or of the whole value or key.",
			Description: "A number that does not fit its new type, and text that is no number, is an error of the record; a fraction is cut off toward zero. " +
				"A bool is 1 or 0. Bytes become base64. With a schema a date, time or timestamp becomes the number that its encoding holds, or its text; the field keeps whether it is optional, and its default.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Amounts as numbers, ids as text", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "cast" "types" {
    fields = { amount = "float64", "customer.id" = "string" }
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
	fields []field
	mode   cast.Mode
	plans  transform.Plans[[]typed]
}

func newProcessor(c *Config) *processor {
	p := &processor{config: c, fields: c.fields()}
	if c.Connect {
		p.mode = cast.Java
	}
	p.plans.Make = p.plan
	return p
}

// typed is what becomes of a field of a schema: nil if there is none, or if its
// type is not known.
type typed struct {
	from, to *schema.Schema
	def      record.Value
}

// plan says what becomes of the fields of a schema.
func (p *processor) plan(s *schema.Schema) ([]typed, error) {
	out := make([]typed, len(p.fields))
	for i, f := range p.fields {
		var err error
		if out[i], err = p.typed(s, f); err != nil {
			return nil, fmt.Errorf("cast %s: %w", where(f.path), err)
		}
	}
	return out, nil
}

func (p *processor) typed(s *schema.Schema, f field) (t typed, err error) {
	from := record.TypeAt(s, f.path)
	if from == nil || from.Type == schema.Any {
		return t, nil
	}
	if !transform.IsLeaf(from) || from.Type == schema.Bytes && f.to != cast.String {
		return t, fmt.Errorf("its type cannot be cast to %s", f.to)
	}
	to := transform.Plain(f.to.Schema(), from.Optional)
	if len(f.path) == 0 {
		to.Name, to.Version, to.Doc, to.Parameters = from.Name, from.Version, from.Doc, from.Parameters
	}
	if len(from.Default) > 0 {
		def, err := cast.Default(from)
		if err == nil && !def.IsNil() {
			t.def = def
			def, _, err = cast.Value(nil, def, from, f.to, p.mode)
		}
		if err == nil {
			to.Default, err = def.AppendJSON(nil)
		}
		if err != nil {
			return t, fmt.Errorf("its default: %w", err)
		}
	}
	t.from, t.to = from, to
	return t, nil
}

func (p *processor) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	return p.config.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
		out := s
		var problems []engine.Problem
		for _, f := range p.fields {
			option := "type"
			if len(f.path) > 0 {
				option = transform.Entry("fields", f.text)
			}
			t, err := p.typed(s, f)
			switch {
			case err != nil:
				problems = append(problems, transform.Unfit(option, f.path, record.TypeAt(s, f.path), err)...)
				out = transform.Converted(out, f.path, schema.Unknown)
			case t.to != nil:
				out = transform.Converted(out, f.path, t.to)
			default:
				problems = append(problems, transform.Missing(option, s, f.path)...)
			}
		}
		return out, problems
	})
}

func where(p record.Path) string {
	if len(p) == 0 {
		return "the whole"
	}
	return p.String()
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p, planner: p.plans.Planner()}
	proj := p.config.Projection(l)
	for _, f := range p.fields {
		w.ids = append(w.ids, proj.Add(f.path))
	}
	return p.config.Bound(l, p.config.Filled(&p.config.Common, w.edit))
}

type worker struct {
	*processor
	ids     []record.PathID
	planner *transform.Planner[[]typed]
	scratch []byte
}

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	if d.IsNull() && (transform.SchemaOf(d) == nil || w.config.Type == "" || w.config.Connect) {
		return nil
	}
	if len(w.ids) == 1 {
		return w.casts(d)
	}
	return transform.Atomic(d, w.casts)
}

func (w *worker) casts(d *record.Doc) error {
	plan, err := w.planner.At(d)
	if err != nil {
		return err
	}
	w.scratch = w.scratch[:0]
	for i, id := range w.ids {
		v, err := d.Get(id)
		if err != nil {
			return err
		}
		var t typed
		if plan != nil {
			t = plan[i]
		}
		switch v.Kind() {
		case record.Missing:
			if err = w.missing(d, id, plan != nil); err == nil {
				err = transform.Nested(d, id, w.fields[i].path, t.to)
			}
			if err != nil {
				return err
			}
			continue
		case record.Null:
			if t.def.Kind() == record.Missing || !w.config.ReplaceNull {
				if t.to != nil {
					if err := transform.SetAs(d, id, v, t.to); err != nil {
						return err
					}
				}
				continue
			}
			v = t.def
		}
		v, w.scratch, err = cast.Value(w.scratch, v, t.from, w.fields[i].to, w.mode)
		if err == nil {
			if t.to == nil && w.fields[i].to == cast.Float32 {
				v = cast.Short(v)
			}
			err = transform.SetAs(d, id, v, t.to)
		}
		if err != nil {
			return fmt.Errorf("cast %s: %w", where(w.fields[i].path), err)
		}
	}
	return nil
}

// missing makes a null of a field that is not there, as Connect does.
func (w *worker) missing(d *record.Doc, id record.PathID, typed bool) error {
	switch {
	case !w.config.Connect:
		return nil
	case typed:
		return transform.Object(d)
	}
	return transform.Null(d, id)
}
