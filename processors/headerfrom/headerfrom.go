package headerfrom

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes header_from.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "header_from",
			Summary: "Copies or moves fields into headers.",
			Description: "Headers are added; those of the same name that are there stay. Text stands in a header as it is, all else as JSON; a null makes a header that is null. " +
				"A field that is not there makes none.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "The country as a header", HCL: `connection "kafka" "main" {
  brokers = ["localhost:9092"]
}

pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "header_from" "country" {
    fields    = ["customer.country"]
    headers   = ["country"]
    operation = "move"
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
			if p.config.Connect {
				p.mode = cast.Java
			}
			return p, nil
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
		Equal:   func(config any) []string { return config.(*Config).equal() },
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			return config.(*Config).schemas(in)
		},
	}
}

type processor struct {
	config *Config
	paths  []record.Path
	mode   cast.Mode
	plans  transform.Plans[[]typed]
}

// typed is a field of a schema.
type typed struct {
	s   *schema.Schema // nil: not known
	def record.Value   // for a null, if it counts as its default
	gap bool           // the schema has no such field
}

func (p *processor) plan(s *schema.Schema) ([]typed, error) {
	out := make([]typed, len(p.paths))
	for i, path := range p.paths {
		f := record.TypeAt(s, path)
		out[i] = typed{s: f, gap: f == nil && !transform.Unknown(s, path)}
		if f != nil && p.config.ReplaceNull && len(f.Default) > 0 {
			var err error
			if out[i].def, err = cast.Default(f); err != nil {
				return nil, fmt.Errorf("reading the default of %s: %w", path, err)
			}
		}
	}
	return out, nil
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p, ids: transform.IDs(p.config.Projection(l), p.paths), planner: p.plans.Planner()}
	w.texts = make([]text, len(w.ids))
	edit := transform.Edit(w.edit)
	if p.config.move() {
		edit = p.config.Filled(&p.config.Common, edit)
	}
	return p.config.Bound(l, edit)
}

type worker struct {
	*processor
	ids     []record.PathID
	planner *transform.Planner[[]typed]
	scratch []byte
	texts   []text
}

// text is the value of a header, within scratch.
type text struct {
	from, to    int
	there, null bool
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
	if err := w.read(d); err != nil {
		return err
	}
	if w.config.move() {
		if err := transform.Atomic(d, w.remove); err != nil {
			return err
		}
	}
	for i, t := range w.texts {
		switch {
		case t.null:
			r.AddHeader(w.config.Headers[i], nil)
		case t.there:
			r.AddHeader(w.config.Headers[i], w.scratch[t.from:t.to:t.to])
		}
	}
	return nil
}

// read writes the values of all headers before anything changes.
func (w *worker) read(d *record.Doc) error {
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
		if v.IsNil() && t.def.Kind() != record.Missing {
			v = t.def
		}
		out := text{from: len(w.scratch), there: !v.IsNil(), null: v.Kind() == record.Null}
		if v.Kind() == record.Missing && w.config.Connect {
			if t.gap {
				return fmt.Errorf("there is no %s", w.paths[i])
			}
			if err := transform.Object(d); err != nil {
				return err
			}
			out.null = true
		}
		if out.there {
			if w.scratch, err = w.text(v, t.s); err != nil {
				return fmt.Errorf("%s: %w", w.paths[i], err)
			}
		}
		out.to = len(w.scratch)
		w.texts[i] = out
	}
	return nil
}

func (w *worker) text(v record.Value, s *schema.Schema) ([]byte, error) {
	switch v.Kind() {
	case record.Array, record.Object:
		return v.AppendJSON(w.scratch)
	case record.Float:
		return v.AppendText(w.scratch)
	}
	return cast.Text(w.scratch, v, s, w.mode)
}

func (w *worker) remove(d *record.Doc) error {
	for i, id := range w.ids {
		if err := d.Delete(id); err != nil {
			return fmt.Errorf("%s: %w", w.paths[i], err)
		}
	}
	return nil
}
