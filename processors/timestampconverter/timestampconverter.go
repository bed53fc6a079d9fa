package timestampconverter

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
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
			p := &processor{config: config.(*Config), zone: config.(*Config).zone(), now: env.Now}
			if p.now == nil {
				p.now = time.Now
			}
			if p.config.Format != "" {
				var err error
				if p.format, err = javatime.Compile(p.config.Format, p.config.Connect); err != nil {
					return nil, fmt.Errorf("format: %w", err)
				}
			}
			p.plans.Make = p.plan
			return p, nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			return (&processor{config: config.(*Config)}).schemas(in)
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
		Equal:   func(config any) []string { return config.(*Config).equal() },
	}
}

type processor struct {
	config *Config
	format *javatime.Pattern // nil: RFC 3339
	zone   *time.Location
	now    func() time.Time
	plans  transform.Plans[typed]
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
	t.to = &schema.Schema{Optional: t.from.Optional}
	switch p.config.Target {
	case "string":
		t.to.Type = schema.String
	case "unix":
		t.to.Type = schema.Int64
	case "date":
		t.to.Type = schema.Date
	case "time":
		t.to.Type, t.to.Unit = schema.Time, p.unit(t.from)
	default:
		t.to.Type, t.to.Unit = schema.Timestamp, p.unit(t.from)
	}
	if !p.takes(t.from.Type) {
		return t, errType
	}
	if p.config.ReplaceNull && len(t.from.Default) > 0 {
		var err error
		if t.def, err = transform.Default(t.from); err != nil {
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

var errType = errors.New("a value of its type is no time")

func (p *processor) takes(t schema.Type) bool {
	switch t {
	case schema.Timestamp, schema.Date, schema.Time, schema.String, schema.Int64:
		return true
	case schema.LocalTimestamp, schema.Int32, schema.Uint32, schema.Uint64:
		return !p.config.Connect
	}
	return false
}

// unit is the precision of a time that is made of a type.
func (p *processor) unit(from *schema.Schema) schema.Unit {
	switch {
	case p.config.Connect:
		return schema.Millisecond
	case from.Type == schema.String:
		return schema.Nanosecond
	case from.Type == schema.Timestamp, from.Type == schema.LocalTimestamp, from.Type == schema.Time:
		return from.Unit
	case from.Type == schema.Date:
		return schema.Second
	}
	return p.config.unit()
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
	at, err := w.time(v)
	if err != nil {
		return w.failed(err)
	}
	if v, err = w.value(at, t.to != nil); err != nil {
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

// time reads what came in.
func (w *worker) time(v record.Value) (time.Time, error) {
	var t time.Time
	switch v.Kind() {
	case record.Time:
		t = v.Time()
	case record.Duration:
		t = time.Unix(0, int64(v.Duration()))
	case record.Int:
		t = fromUnix(v.Int(), w.config.unit(), w.config.Connect)
	case record.String:
		var err error
		if t, err = w.parse(v.String()); err != nil {
			return t, err
		}
	default:
		return t, fmt.Errorf("a %s is no time", v.Kind())
	}
	if w.config.Connect {
		t = time.UnixMilli(t.UnixMilli())
	} else if year := t.UTC().Year(); year < 0 || year > 9999 {
		return t, errors.New("the year is not one of four digits")
	}
	return t.In(w.zone), nil
}

func (w *worker) parse(text string) (time.Time, error) {
	if w.format != nil {
		return w.format.Parse(text, w.now(), w.zone)
	}
	if w.config.Connect {
		return time.Time{}, errors.New("it is a text, which needs format")
	}
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return t, fmt.Errorf("%.60q is no time of RFC 3339, such as 2006-01-02T15:04:05Z; give the pattern as format", text)
	}
	return t, nil
}

func perSecond(u schema.Unit) int64 {
	switch u {
	case schema.Second:
		return 1
	case schema.Millisecond:
		return 1e3
	case schema.Microsecond:
		return 1e6
	}
	return 1e9
}

// fromUnix is the time n units after 1970. cut leaves milliseconds, cut off
// toward zero.
func fromUnix(n int64, u schema.Unit, cut bool) time.Time {
	per := perSecond(u)
	if cut && per > 1e3 {
		return time.UnixMilli(n / (per / 1e3))
	}
	seconds, rest := n/per, n%per
	return time.Unix(seconds, rest*(1e9/per))
}

// toUnix counts units since 1970, the rest cut off downward.
func toUnix(t time.Time, u schema.Unit) (int64, error) {
	per := perSecond(u)
	seconds, part := t.Unix(), int64(t.Nanosecond())/(1e9/per)
	if seconds > math.MaxInt64/per-1 || seconds < math.MinInt64/per+1 {
		return 0, errors.New("the time does not fit a number of this precision")
	}
	return seconds*per + part, nil
}

// javaUnix counts units in milliseconds as TimeUnit.convert does: cut off toward
// zero, and no further than a long goes.
func javaUnix(ms int64, u schema.Unit) int64 {
	per := perSecond(u)
	if per <= 1e3 {
		return ms / (1e3 / per)
	}
	switch factor := per / 1e3; {
	case ms > math.MaxInt64/factor:
		return math.MaxInt64
	case ms < math.MinInt64/factor:
		return math.MinInt64
	default:
		return ms * factor
	}
}

// value makes what goes out.
func (w *worker) value(t time.Time, typed bool) (record.Value, error) {
	switch w.config.Target {
	case "unix":
		if w.config.Connect {
			return record.IntValue(javaUnix(t.UnixMilli(), w.config.unit())), nil
		}
		n, err := toUnix(t, w.config.unit())
		return record.IntValue(n), err
	case "string":
		if w.format != nil {
			w.text = w.format.Append(w.text[:0], t)
		} else {
			w.text = t.AppendFormat(w.text[:0], time.RFC3339Nano)
		}
		return record.TextValue(w.text), nil
	case "date":
		day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
		if typed {
			return record.TimeValue(day), nil
		}
		w.text = day.AppendFormat(w.text[:0], time.DateOnly)
		return record.TextValue(w.text), nil
	case "time":
		if typed {
			return record.DurationValue(time.Duration(t.Hour())*time.Hour + time.Duration(t.Minute())*time.Minute + time.Duration(t.Second())*time.Second + time.Duration(t.Nanosecond())), nil
		}
		w.text = t.AppendFormat(w.text[:0], "15:04:05.999999999")
		return record.TextValue(w.text), nil
	}
	return record.TimeValue(t.UTC()), nil
}
