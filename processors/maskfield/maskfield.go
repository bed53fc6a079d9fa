package maskfield

import (
	"errors"
	"fmt"
	"time"

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
	mode   cast.Mode
	plans  transform.Plans[[]masked]
}

func newProcessor(c *Config) *processor {
	p := &processor{config: c, paths: transform.Paths(c.Fields)}
	p.plans.Make = p.plan
	if c.Connect {
		p.mode = cast.Java
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
		m.value, m.err = p.typed(f)
		out[i] = m
	}
	return out, nil
}

// typed is what stands for a value of a type.
func (p *processor) typed(s *schema.Schema) (record.Value, error) {
	if p.config.With != "" {
		return p.replacement(s)
	}
	switch s.Type {
	case schema.Bool:
		return record.BoolValue(false), nil
	case schema.String:
		return record.StringValue(""), nil
	case schema.Enum:
		if s.Optional {
			return record.NullValue(), nil
		}
		return record.Value{}, errors.New("an enum has no empty value")
	case schema.UUID:
		return record.StringValue("00000000-0000-0000-0000-000000000000"), nil
	case schema.Bytes:
		if !p.config.Connect {
			return record.BytesValue(make([]byte, s.Size)), nil
		}
	case schema.Decimal, schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32, schema.Uint64, schema.Float32, schema.Float64:
		return record.IntValue(0), nil
	case schema.Date, schema.Timestamp, schema.LocalTimestamp:
		return record.TimeValue(time.Unix(0, 0).UTC()), nil
	case schema.Time, schema.Duration:
		return record.DurationValue(0), nil
	case schema.Array:
		return record.RawJSON([]byte("[]")), nil
	case schema.Map:
		return record.RawJSON([]byte("{}")), nil
	}
	return record.Value{}, errors.New("a value of its type cannot be masked: name what is in it")
}

var targets = map[schema.Type]cast.Type{
	schema.Int8: cast.Int8, schema.Int16: cast.Int16, schema.Int32: cast.Int32, schema.Int64: cast.Int64,
	schema.Float32: cast.Float32, schema.Float64: cast.Float64, schema.String: cast.String,
	schema.Uint8: cast.Int64, schema.Uint16: cast.Int64, schema.Uint32: cast.Int64, schema.Uint64: cast.Int64,
}

func (p *processor) replacement(s *schema.Schema) (record.Value, error) {
	if s.Type == schema.Decimal {
		if record.ValidateJSON([]byte(p.config.With)) == nil {
			if v := record.RawJSON([]byte(p.config.With)); v.Kind() == record.Int || v.Kind() == record.Float {
				return v, nil
			}
		}
		return record.Value{}, errors.New("the replacement is no number")
	}
	to, ok := targets[s.Type]
	if !ok {
		return record.Value{}, errors.New("a value of its type cannot be replaced by a text")
	}
	v := record.StringValue(p.config.With)
	if text := []byte(p.config.With); p.mode == cast.Java && to <= cast.Int64 && record.ValidateJSON(text) == nil {
		// Java reads the number with all its digits and then narrows it.
		if number := record.RawJSON(text); number.Kind() == record.Int || number.Kind() == record.Float {
			v, _, err := cast.Value(nil, number, &schema.Schema{Type: schema.Decimal}, to, p.mode)
			return v, err
		}
	}
	v, _, err := cast.Value(nil, v, nil, to, p.mode)
	return v, err
}

// untyped is what stands for a value that has no schema.
func (p *processor) untyped(v record.Value) (record.Value, error) {
	switch v.Kind() {
	case record.String:
		return record.StringValue(p.config.With), nil
	case record.Int:
		if p.config.With != "" {
			return p.replacement(&schema.Schema{Type: schema.Int64})
		}
		return record.IntValue(0), nil
	case record.Float:
		if p.config.With != "" {
			return p.replacement(&schema.Schema{Type: schema.Float64})
		}
		return record.IntValue(0), nil
	}
	if p.config.With != "" {
		return record.Value{}, fmt.Errorf("a %s cannot be replaced by a text", v.Kind())
	}
	switch v.Kind() {
	case record.Bool:
		return record.BoolValue(false), nil
	case record.Array:
		return record.RawJSON([]byte("[]")), nil
	case record.Object:
		return record.RawJSON([]byte("{}")), nil
	}
	return record.Value{}, fmt.Errorf("a %s cannot be masked", v.Kind())
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
	if d.IsNull() {
		if w.config.Connect {
			return errNull
		}
		return nil
	}
	if len(w.ids) == 1 {
		return w.masks(d)
	}
	return transform.Atomic(d, w.masks)
}

func (w *worker) masks(d *record.Doc) error {
	var plan []masked
	if s := transform.SchemaOf(d); s != nil {
		var err error
		if plan, err = w.planner.Of(s); err != nil {
			return err
		}
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
			v, err = w.untyped(v)
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
