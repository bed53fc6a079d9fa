package valuetokey

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes value_to_key.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "value_to_key",
			Summary: "Makes the key of fields of the value.",
			Description: "The key becomes an object of these fields in their order, with `unwrap` the field itself. " +
				"A field that is not there is an error of the record unless `missing` says otherwise: records whose key lacks a part would share a key by mistake. " +
				"A tombstone has no fields and keeps the key that it has.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "The id as key", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "value_to_key" "id" {
    fields = ["id"]
    unwrap = true
  }

  output "kafka" "orders" {
    connection = connection.kafka.main
    topic      = "orders"
  }
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			p := &processor{config: config.(*Config), paths: config.(*Config).paths()}
			p.plans.Make = p.plan
			for i, path := range p.paths {
				lead := []byte{','}
				if i == 0 {
					lead[0] = '{'
				}
				p.names = append(p.names, append(record.AppendQuoted(lead, []byte(path[len(path)-1].Name)), ':'))
			}
			return p, nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			c := config.(*Config)
			return (&processor{config: c, paths: c.paths()}).schemas(in)
		},
		Changes: func(config any) engine.Changes { return engine.Changes{Reads: config.(*Config).paths(), Key: true} },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	paths  []record.Path
	names  [][]byte // what stands before each value in the key
	plans  transform.Plans[typed]
}

// typed is what a schema of values makes of the key.
type typed struct {
	key  *schema.Schema // nil: it has a field of unknown type
	defs []record.Value // of the fields, where a null counts as its default
	gaps []bool         // fields that the schema has not
}

// field is the schema of a field in a key that is an object.
func (t *typed) field(i int) *schema.Schema {
	if t.key == nil {
		return nil
	}
	return t.key.Fields[i].Schema
}

func (p *processor) plan(s *schema.Schema) (typed, error) {
	t := typed{key: &schema.Schema{Type: schema.Struct}, defs: make([]record.Value, len(p.paths)), gaps: make([]bool, len(p.paths))}
	for i, path := range p.paths {
		f := record.TypeAt(s, path)
		if f == nil {
			t.gaps[i] = !transform.Unknown(s, path)
			f = transform.Plain(schema.Any, true)
		}
		if p.config.ReplaceNull && len(f.Default) > 0 {
			var err error
			if t.defs[i], err = cast.Default(f); err != nil {
				return t, fmt.Errorf("reading the default of %s: %w", path, err)
			}
		}
		if p.config.Unwrap {
			t.key = f
			return t, nil
		}
		t.key.Fields = append(t.key.Fields, schema.Field{Name: path[len(path)-1].Name, Schema: f})
	}
	return t, nil
}

func (p *processor) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	out := in
	out.Key = nil
	if in.Value == nil {
		return out, nil
	}
	var problems []engine.Problem
	for i, path := range p.paths {
		problems = append(problems, transform.Missing(transform.Item("fields", i), in.Value, path)...)
	}
	t, err := p.plan(in.Value)
	if err == nil && (!p.config.Unwrap || in.Key != nil || !transform.IsText(t.key)) {
		out.Key = t.key
	}
	return p.config.Known(in, out), problems
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p, ids: transform.IDs(l.Value, p.paths), planner: p.plans.Planner(), root: l.Key.Add(nil)}
	return p.config.Bound(l, w.edit)
}

type worker struct {
	*processor
	ids     []record.PathID
	root    record.PathID // of the key
	planner *transform.Planner[typed]
	text    []byte
}

var errTombstone = errors.New("the value is null, so it has no fields for a key")

func (w *worker) edit(r *record.Record) error {
	if r.Value.IsNull() {
		if w.config.Missing == "connect" {
			return errTombstone
		}
		return nil
	}
	var t typed
	if s := transform.SchemaOf(r.Value); s != nil {
		var err error
		if t, err = w.planner.Of(s); err != nil {
			return err
		}
	}
	text := w.text[:0]
	for i, id := range w.ids {
		v, err := r.Value.Get(id)
		if err != nil {
			return err
		}
		if t.key != nil && v.IsNil() && t.defs[i].Kind() != record.Missing {
			v = t.defs[i]
		}
		if v.Kind() == record.Missing {
			if done, err := w.missing(r, &t, i); done || err != nil {
				return err
			}
			v = record.NullValue()
		}
		if w.config.Unwrap {
			return transform.SetAs(r.Key, w.root, v, t.key)
		}
		if text, err = v.AppendAs(append(text, w.names[i]...), t.field(i)); err != nil {
			return err
		}
	}
	w.text = append(text, '}')
	return transform.SetAs(r.Key, w.root, record.RawJSON(w.text), t.key)
}

// missing handles a field that is not there; done: the record passes.
func (w *worker) missing(r *record.Record, t *typed, i int) (done bool, err error) {
	switch root, err := r.Value.Get(record.Root); {
	case err != nil:
		return false, err
	case root.Kind() == record.Null && w.config.Missing != "connect":
		return true, nil
	case root.Kind() != record.Object && w.config.Missing == "connect":
		return false, fmt.Errorf("the value is a %s, not an object", root.Kind())
	}
	if w.config.Missing == "error" || w.config.Missing == "connect" && t.key != nil && t.gaps[i] {
		return false, fmt.Errorf("there is no %s", w.paths[i])
	}
	return false, nil
}
