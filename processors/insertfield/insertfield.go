package insertfield

import (
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes insert_field.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "insert_field",
			Summary: "Adds topic, partition, offset, timestamp or a fixed text to the value or key.",
			Description: "A record that is null stays null. What a record has not (a topic, a timestamp) is not added, with a schema it is null. " +
				"For anything that is computed use a `map` with `set`.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Where a record was", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "kafka" "orders" {
    connection = connection.kafka.main
    topics     = ["orders"]
    group      = "orders"
  }

  processor "insert_field" "origin" {
    topic_field  = "origin.topic"
    offset_field = "origin.offset"
    static_field = "origin.system"
    static_value = "shop"
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

func schemaOf(in insert, connect bool) *schema.Schema {
	s := transform.Plain(schema.String, !in.required)
	switch in.what {
	case "partition":
		s.Type = schema.Int32
	case "offset":
		s.Type = schema.Int64
	case "timestamp":
		s.Type = schema.Timestamp
		if connect {
			s.Unit = schema.Millisecond
		}
	}
	return s
}

type processor struct {
	config *Config
	fields []field
}

type field struct {
	insert
	s      *schema.Schema
	static record.Value
}

func newProcessor(c *Config) *processor {
	p := &processor{config: c}
	for _, in := range c.inserts() {
		f := field{insert: in, s: schemaOf(in, c.Connect)}
		f.static = record.StringValue(c.StaticValue)
		p.fields = append(p.fields, f)
	}
	return p
}

func (p *processor) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	return p.config.Schemas(in, func(s *schema.Schema) (out *schema.Schema, problems []engine.Problem) {
		out = s
		for i := 0; out != nil && i < len(p.fields); i++ {
			f := &p.fields[i]
			option := f.what + "_field"
			there := record.TypeAt(out, f.path)
			if there != nil && there.Type != schema.Any && p.config.Existing == "connect" {
				problems = append(problems, engine.Problem{Option: option, Summary: fmt.Sprintf("there is a field %s already", f.path), Detail: "Existing fields are refused (option existing): choose another name."})
				continue
			}
			problems = append(problems, transform.Unsettable(option, out, f.path)...)
			set := record.SchemaSetAs(out, f.path, f.s)
			if set != nil && !f.s.Optional && !transform.Many(out, f.path) {
				set = record.SchemaRetype(set, f.path, f.s)
			}
			if p.config.Existing == "keep" && (there != nil || transform.Unknown(out, f.path)) {
				set = schema.Join(out, set)
			}
			out = set
		}
		return out, problems
	})
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p}
	proj := p.config.Projection(l)
	for _, f := range p.fields {
		w.ids = append(w.ids, proj.Add(f.path))
	}
	return p.config.Bound(l, p.config.Filled(&p.config.Common, w.edit))
}

type worker struct {
	*processor
	ids []record.PathID
	r   *record.Record
}

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	if transform.IsNull(d) {
		return nil
	}
	w.r = r
	if len(w.ids) == 1 {
		return w.inserts(d)
	}
	return transform.Atomic(d, w.inserts)
}

func (w *worker) inserts(d *record.Doc) error {
	typed := transform.SchemaOf(d) != nil
	for i := range w.fields {
		f := &w.fields[i]
		v := w.value(f, typed)
		if v.Kind() == record.Missing {
			if f.required {
				return fmt.Errorf("%s_field: the record has no %s", f.what, f.what)
			}
			if !typed {
				continue
			}
			v = record.NullValue()
		}
		if w.config.Existing != "replace" {
			old, err := d.Get(w.ids[i])
			if err != nil {
				return err
			}
			if old.Kind() != record.Missing && w.config.Existing == "keep" {
				continue
			}
			if w.config.Existing == "connect" && typed && record.TypeAt(transform.SchemaOf(d), f.path) != nil {
				return fmt.Errorf("%s_field: the schema has a field %s already", f.what, f.path)
			}
		}
		if err := w.set(d, i, v, typed); err != nil {
			return fmt.Errorf("%s_field: %w", f.what, err)
		}
	}
	return nil
}

func (w *worker) set(d *record.Doc, i int, v record.Value, typed bool) error {
	if !typed {
		return d.Set(w.ids[i], v)
	}
	s := w.fields[i].s
	many := transform.Many(transform.SchemaOf(d), w.fields[i].path)
	if err := d.SetAs(w.ids[i], v, s); err != nil || s.Optional || many {
		return err
	}
	return d.Retype(w.ids[i], s) // a new member is optional otherwise
}

// value is what goes into a field; Missing: the record has none.
func (w *worker) value(f *field, typed bool) record.Value {
	switch f.what {
	case "topic":
		if w.r.Topic != "" {
			return record.StringValue(w.r.Topic)
		}
	case "partition":
		return record.IntValue(int64(w.r.Partition))
	case "offset":
		return record.IntValue(w.r.Offset)
	case "timestamp":
		switch {
		case !w.r.HasTimestamp:
		case w.config.Connect && !typed:
			return record.IntValue(w.r.Time().UnixMilli())
		case w.config.Connect:
			return record.TimeValue(w.r.Time().Truncate(time.Millisecond))
		default:
			return record.TimeValue(w.r.Time())
		}
	case "static":
		return f.static
	}
	return record.Value{}
}
