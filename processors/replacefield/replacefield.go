package replacefield

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes replace_field.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "replace_field",
			Summary: "Drops, keeps and renames fields.",
			Description: "Fields are found by the names that they have when the record comes in: first `include` keeps, then `exclude` drops, then `renames` renames. " +
				"What is not touched keeps its bytes. A field that is not there is no error.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Other names, and nothing internal", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "replace_field" "names" {
    exclude = ["internal"]
    renames = { order_id = "id", "customer.mail" = "email" }
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			p := &processor{config: config.(*Config)}
			p.plans.Make = func(s *schema.Schema) (*schema.Schema, error) { return bare(s), nil }
			return p, nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			return config.(*Config).schemas(in)
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	plans  transform.Plans[*schema.Schema] // without the default of the whole
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	c, proj := p.config, p.config.Projection(l)
	w := &worker{processor: p, planner: p.plans.Planner(), include: transform.IDs(proj, transform.Paths(c.Include)), exclude: transform.IDs(proj, transform.Paths(c.Exclude)), renames: transform.Moves(proj, c.Renames)}
	return c.Bound(l, c.Filled(&c.Common, w.edit))
}

type worker struct {
	*processor
	include, exclude []record.PathID
	renames          []transform.Move
	planner          *transform.Planner[*schema.Schema]
}

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	if d.IsNull() || w.config.Connect && transform.IsNull(d) {
		return nil
	}
	return transform.Atomic(d, w.edits)
}

func (w *worker) edits(d *record.Doc) error {
	if w.config.Connect {
		if err := w.refuse(d); err != nil {
			return err
		}
	}
	if s := transform.SchemaOf(d); s != nil && s.Default != nil {
		// Its members would not be those of the schema.
		bare, err := w.planner.Of(s)
		if err == nil {
			err = d.Retype(record.Root, bare)
		}
		if err != nil {
			return err
		}
	}
	if len(w.include) > 0 {
		if err := d.Keep(w.include); err != nil {
			return fmt.Errorf("include: %w", err)
		}
	}
	for i, id := range w.exclude {
		if err := d.Delete(id); err != nil {
			return fmt.Errorf("exclude %s: %w", w.config.Exclude[i].Path, err)
		}
	}
	for _, m := range w.renames {
		if err := d.Rename(m.From, m.To); err != nil {
			return fmt.Errorf("rename %s: %w", m.Of, err)
		}
	}
	return nil
}

// refuse finds what Connect does not take: a value that is no object, and a new
// name that another field of the schema keeps.
func (w *worker) refuse(d *record.Doc) error {
	if err := transform.Object(d); err != nil {
		return err
	}
	if s := transform.SchemaOf(d); s != nil {
		if rn := w.config.clash(s); rn != nil {
			return fmt.Errorf("rename %s: the schema has a field %s already", rn.From, rn.To)
		}
	}
	return nil
}

// clash is a rename to a name that another field of the schema keeps.
func (c *Config) clash(s *schema.Schema) *engine.Rename {
	for i, rn := range c.Renames {
		if c.stays(rn.To) && record.TypeAt(s, rn.To) != nil && record.TypeAt(s, rn.From) != nil {
			return &c.Renames[i]
		}
	}
	return nil
}
