package extractfield

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes extract_field.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "extract_field",
			Summary: "Replaces the value or key by one of its fields.",
			Description: "A record that is null stays null. A field that is not there is an error of the record unless `missing` says otherwise: " +
				"a value that silently becomes null is a tombstone, which deletes.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "The id of a key", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
    key "json" {}
  }

  processor "extract_field" "id" {
    on    = "key"
    field = "id"
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
			return (&processor{config: config.(*Config)}).schemas(in)
		},
		Changes: func(config any) engine.Changes {
			c := config.(*Config)
			return c.Replaces(c.Field.Path)
		},
		Equal: func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	plans  transform.Plans[typed]
}

// typed is the field of a schema.
type typed struct {
	s   *schema.Schema // nil: the schema has no such field
	def record.Value
	any bool // the schema says nothing of it
}

func (p *processor) plan(s *schema.Schema) (typed, error) {
	t := typed{s: record.TypeAt(s, p.config.Field.Path)}
	if p.config.Missing == "connect" {
		for i := range p.config.Field.Path {
			if of := record.TypeAt(s, p.config.Field.Path[:i]); of != nil && of.Type != schema.Struct && of.Type != schema.Any {
				return t, fmt.Errorf("%s is no object in the schema", where(p.config.Field.Path[:i]))
			}
		}
	}
	if t.s == nil {
		t.any = transform.Unknown(s, p.config.Field.Path)
		return t, nil
	}
	if len(t.s.Default) > 0 && p.config.ReplaceNull {
		var err error
		if t.def, err = cast.Default(t.s); err != nil {
			return t, fmt.Errorf("reading the default of %s: %w", p.config.Field.Path, err)
		}
	}
	return t, nil
}

func (p *processor) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	return p.config.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
		t, err := p.plan(s)
		if err != nil {
			return nil, transform.Unfit("field", p.config.Field.Path, s, err)
		}
		return t.s, transform.Missing("field", s, p.config.Field.Path)
	})
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	proj := p.config.Projection(l)
	w := &worker{processor: p, id: proj.Add(p.config.Field.Path), planner: p.plans.Planner()}
	return p.config.Bound(l, w.edit)
}

type worker struct {
	*processor
	id      record.PathID
	planner *transform.Planner[typed]
}

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	if d.IsNull() {
		s := transform.SchemaOf(d)
		if s == nil {
			return nil
		}
		t, err := w.planner.Of(s)
		switch {
		case err != nil:
			return err
		case t.s != nil:
			return transform.SetAs(d, record.Root, record.NullValue(), t.s)
		case w.config.Missing == "connect" && !t.any:
			return fmt.Errorf("there is no %s", w.config.Field.Path)
		}
		return nil
	}
	v, err := d.Get(w.id)
	if err != nil {
		return err
	}
	s := transform.SchemaOf(d)
	if s == nil {
		if v.Kind() == record.Missing {
			return w.missing(d, nil)
		}
		return d.Set(record.Root, v)
	}
	t, err := w.planner.Of(s)
	if err != nil {
		return err
	}
	if v.IsNil() && t.def.Kind() != record.Missing {
		v = t.def
	}
	if v.Kind() == record.Missing {
		return w.missing(d, &t)
	}
	return transform.SetAs(d, record.Root, v, t.s)
}

// missing handles a field that is not there. t is nil without a schema.
func (w *worker) missing(d *record.Doc, t *typed) error {
	root, err := d.Get(record.Root)
	if err != nil {
		return err
	}
	switch {
	case root.Kind() == record.Null && t == nil:
		return nil
	case w.config.Missing == "error", w.config.Missing == "connect" && t != nil && t.s == nil && !t.any:
		return fmt.Errorf("there is no %s", w.config.Field.Path)
	case w.config.Missing == "connect":
		if err := w.through(d); err != nil {
			return err
		}
	}
	if t != nil {
		return transform.SetAs(d, record.Root, record.NullValue(), t.s)
	}
	return d.Set(record.Root, record.NullValue())
}

// through finds what is on the way to the field and has no fields.
func (w *worker) through(d *record.Doc) error {
	for id := d.Projection().Parent(w.id); id >= 0; id = d.Projection().Parent(id) {
		v, err := d.Get(id)
		if err != nil {
			return err
		}
		if k := v.Kind(); k != record.Object && k != record.Null && k != record.Missing {
			return fmt.Errorf("%s is a %s, not an object", where(d.Projection().Path(id)), k)
		}
	}
	return nil
}

func where(p record.Path) string {
	if len(p) == 0 {
		return "it"
	}
	return p.String()
}
