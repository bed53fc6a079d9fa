package insertfield

import (
	"fmt"

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
			p := &processor{config: config.(*Config)}
			for _, in := range p.config.inserts() {
				f := field{insert: in, s: schemaOf(in, p.config.Connect)}
				f.static = record.StringValue(p.config.StaticValue)
				p.fields = append(p.fields, f)
			}
			return p, nil
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
			if typed && transform.At(transform.SchemaOf(d), f.path) != nil {
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
	if err := d.SetAs(w.ids[i], v, s); err != nil || s.Optional {
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
		default:
			return record.TimeValue(w.r.Time())
		}
	case "static":
		return f.static
	}
	return record.Value{}
}
