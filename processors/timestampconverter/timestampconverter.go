package timestampconverter

import (
	"fmt"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/cast"
	"github.com/flowrecords/flow/engine/record/javatime"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/processors/internal/transform"
)

// Factory describes timestamp_converter.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "timestamp_converter",
			Summary: "Changes how a time is written: text, a number since 1970, a date, a time of the day, a timestamp.",
			Description: "What comes in is told by its type: a number counts units of `unix_precision` since 1970, text has the pattern `format`, and with a schema it may be a date, a time of the day or a timestamp. " +
				"Nanoseconds stay as far as the target can hold them. A field that is null or not there stays so; text that does not match is an error of the record.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "Text for people", HCL: `pipeline "orders" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "timestamp_converter" "created" {
    field  = "created_at"
    target = "string"
    format = "dd.MM.yyyy HH:mm"
    zone   = "Europe/Berlin"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, env engine.Env) (engine.Processor, error) {
			return newProcessor(config.(*Config), env.Now)
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			p, err := newProcessor(config.(*Config), nil)
			if err != nil {
				return engine.Schemas{}, nil // Validate says so
			}
			return p.schemas(in)
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	times  cast.Times
	plans  transform.Plans[typed]
}

func newProcessor(c *Config, now func() time.Time) (*processor, error) {
	if now == nil {
		now = time.Now
	}
	p := &processor{config: c, times: cast.Times{To: cast.TimeForm(c.Target), Unit: c.unit(), Zone: c.zone(), Now: now}}
	if c.Connect {
		p.times.Mode = cast.Java
	}
	if c.Format != "" {
		var err error
		if p.times.Pattern, err = javatime.Compile(c.Format, c.Connect); err != nil {
			return nil, fmt.Errorf("format: %w", err)
		}
	}
	p.plans.Make = p.plan
	return p, nil
}

// typed is what becomes of the field of a schema: nil if there is none, or if
// its type is not known.
type typed struct {
	from, to *schema.Schema
	def      record.Value
}

func (p *processor) plan(s *schema.Schema) (typed, error) {
	t := typed{from: record.TypeAt(s, p.config.Field.Path)}
	if t.from == nil || t.from.Type == schema.Any {
		return typed{}, nil
	}
	var err error
	if t.to, err = p.times.Schema(t.from); err != nil {
		return t, err
	}
	if p.config.ReplaceNull && len(t.from.Default) > 0 {
		if t.def, err = cast.Default(t.from); err != nil {
			return t, fmt.Errorf("reading the default: %w", err)
		}
	}
	return t, nil
}

func (p *processor) schemas(in engine.Schemas) (engine.Schemas, []engine.Problem) {
	path := p.config.Field.Path
	return p.config.Schemas(in, func(s *schema.Schema) (*schema.Schema, []engine.Problem) {
		t, err := p.plan(s)
		switch {
		case err != nil && t.from != nil:
			return transform.Converted(s, path, schema.Unknown), transform.Unfit("field", path, t.from, err)
		case t.to == nil:
			return s, transform.Missing("field", s, path)
		}
		return transform.Converted(s, path, t.to), nil
	})
}

func (*processor) Ports() []string { return nil }

func (p *processor) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{processor: p, id: p.config.Projection(l).Add(p.config.Field.Path), planner: p.plans.Planner()}
	return p.config.Bound(l, p.config.Filled(&p.config.Common, w.edit))
}

type worker struct {
	*processor
	id      record.PathID
	planner *transform.Planner[typed]
	text    []byte
}

func (w *worker) edit(r *record.Record) error {
	d := w.config.Doc(r)
	s := transform.SchemaOf(d)
	if d.IsNull() && (s == nil || len(w.config.Field.Path) > 0) {
		return nil
	}
	var t typed
	if s != nil {
		var err error
		if t, err = w.planner.Of(s); err != nil {
			return w.failed(err)
		}
	}
	v, err := d.Get(w.id)
	if err != nil {
		return err
	}
	switch v.Kind() {
	case record.Missing:
		switch {
		case !w.config.Connect:
			return transform.Nested(d, w.id, w.config.Field.Path, t.to)
		case s != nil:
			return transform.Object(d)
		}
		return transform.Null(d, w.id)
	case record.Null:
		if t.def.Kind() == record.Missing {
			if t.to == nil {
				return nil
			}
			return transform.SetAs(d, w.id, v, t.to)
		}
		v = t.def
	}
	if v, w.text, err = w.times.Value(w.text[:0], v, t.to != nil); err != nil {
		return w.failed(err)
	}
	return transform.SetAs(d, w.id, v, t.to)
}

func (w *worker) failed(err error) error {
	if len(w.config.Field.Path) == 0 {
		return err
	}
	return fmt.Errorf("%s: %w", w.config.Field.Path, err)
}
