package flatten

import (
	"slices"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/flat"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes flatten.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "flatten",
			Summary: "Lifts nested fields to the top: {a: {b: 1}} becomes {\"a.b\": 1}.",
			Description: "Arrays, and maps of a schema, stay whole, and so does an empty object. A record that is null stays null; any other that is no object is an error, " +
				"and so are two fields that would have one name. With a schema the fields of an optional parent become optional.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Columns", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "flatten" "columns" {
    delimiter = "_"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			p := &processor{config: config.(*Config)}
			p.plans.Make = func(s *schema.Schema) (*schema.Schema, error) { return flat.Schema(s, p.config.options()) }
			return p, nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			c := config.(*Config)
			return c.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
				out, err := flat.Schema(s, c.options())
				switch {
				case err == nil && slices.ContainsFunc(out.Fields, func(f schema.Field) bool { return f.Schema.Type == schema.Any }):
					return nil, nil // it may be an object with fields of its own
				case err != nil:
					return nil, []engine.Problem{{Summary: "the records cannot be flat", Detail: "Of the schema that they have here: " + err.Error() + "."}}
				}
				return out, nil
			})
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	plans  transform.Plans[*schema.Schema]
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p, root: p.config.Projection(l).Add(nil), planner: p.plans.Planner()}
	w.walker.Options = p.config.options()
	return p.config.Bound(l, w.edit)
}

type worker struct {
	*processor
	root    record.PathID
	planner *transform.Planner[*schema.Schema]
	walker  flat.Walker
	text    []byte
}

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	if d.IsNull() {
		return nil
	}
	v, err := d.Get(w.root)
	if err != nil {
		return err
	}
	var to *schema.Schema
	s := transform.SchemaOf(d)
	if s != nil {
		if to, err = w.planner.Of(s); err != nil {
			return err
		}
	}
	switch v.Kind() {
	case record.Null:
		return nil
	case record.Object:
	default:
		return flat.ErrObject
	}
	if w.text, err = w.walker.Append(w.text[:0], v, s); err != nil {
		return err
	}
	return transform.SetAs(d, record.Root, record.RawJSON(w.text), to)
}
