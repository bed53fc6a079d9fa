package split

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Factory describes split.
func Factory() engine.ProcessorFactory {
	return engine.ProcessorFactory{
		Component: engine.Component{
			Type:    "split",
			Summary: "Turns one record into many: the elements of an array, or the parts of a text.",
			Description: "The new records keep key, headers, topic, timestamp and origin of the old one. " +
				"The source position moves on only when all of them are confirmed. " +
				"If anything about the record fails, none of its parts goes on and the whole record goes to the errors edge.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{{Title: "One record for each item of an order", HCL: `pipeline "items" {
  input "file" "orders" {
    path = "orders.jsonl"
  }

  processor "split" "items" {
    path  = "items"
    into  = "item"
    index = "line"
  }

  output "stdout" "out" {}
}
`}},
		},
		New: func(config any, _ engine.Env) (engine.Processor, error) {
			return &split{config: config.(*Config)}, nil
		},
		Schemas: func(config any, in engine.Schemas) (engine.Schemas, []engine.Problem) {
			return config.(*Config).schemas(in)
		},
		Changes: func(config any) engine.Changes { return config.(*Config).changes() },
	}
}

type split struct{ config *Config }

func (*split) Ports() []string { return nil }

func (p *split) Bind(l *record.Layout) (engine.Bound, error) {
	w := &worker{
		config: p.config,
		path:   l.Value.Add(p.config.Path.Path),
		whole:  len(p.config.Into.Path) == 0,
	}
	if w.whole {
		alone := record.NewLayout()
		w.index = alone.Value.Add(p.config.Index.Path)
		w.part = record.NewRecord(alone)
	} else {
		w.into = l.Value.Add(p.config.Into.Path)
		w.index = l.Value.Add(p.config.Index.Path)
	}
	return engine.Bound{Expand: w.expand}, nil
}

// worker is the working copy of one split.
type worker struct {
	config            *Config
	path, into, index record.PathID
	whole             bool
	part              *record.Record // a part alone, when whole
	elem              *schema.Schema // of the parts at hand; nil: not known
	scratch           []byte         // its value
	key               []byte         // its key
}

var errEmpty = errors.New("nothing to split: the array is empty")

func (w *worker) expand(r *record.Record, emit func(*record.Record) error) error {
	v, err := r.Value.Get(w.path)
	if err != nil {
		return err
	}
	if w.elem, err = w.config.elemOf(r.Value, w.path); err != nil {
		return err
	}
	r.Value.Mark()
	if err := w.parts(r, v, emit); err != nil {
		r.Value.Rollback()
		return err
	}
	return nil
}

func (w *worker) parts(r *record.Record, v record.Value, emit func(*record.Record) error) (err error) {
	var n int
	if w.config.Delimiter != "" {
		n, err = w.splitText(r, v, emit)
	} else {
		n, err = w.splitArray(r, v, emit)
	}
	if err != nil {
		return err
	}
	if n == 0 && w.config.Empty == "error" {
		return errEmpty
	}
	return nil
}

func (w *worker) splitArray(r *record.Record, v record.Value, emit func(*record.Record) error) (int, error) {
	switch {
	case v.Kind() == record.Array:
	case v.Kind() == record.Object && len(w.config.Path.Path) == 0:
		return 0, errors.New("value is object, not an array; to split an array in it, give path")
	default:
		return 0, fmt.Errorf("%s is %s, not an array", w.name(), v.Kind())
	}
	n := 0
	err := v.Elements(func(e record.Value) error {
		n++
		return w.emit(r, n-1, e, emit)
	})
	return n, err
}

func (w *worker) splitText(r *record.Record, v record.Value, emit func(*record.Record) error) (int, error) {
	if v.Kind() != record.String && v.Kind() != record.Bytes {
		return 0, fmt.Errorf("%s is %s, not a text", w.name(), v.Kind())
	}
	rest, sep := v.Text(), []byte(w.config.Delimiter)
	n := 0
	for len(rest) > 0 {
		part, after, _ := bytes.Cut(rest, sep)
		rest = after
		n++
		if err := w.emit(r, n-1, record.TextValue(part), emit); err != nil {
			return n, err
		}
	}
	return n, nil
}

// emit stores part number i.
func (w *worker) emit(r *record.Record, i int, part record.Value, emit func(*record.Record) error) error {
	if i >= w.config.MaxParts {
		return fmt.Errorf("more than %d parts (option max_parts)", w.config.MaxParts)
	}
	out := r
	if w.whole {
		if err := w.alone(r, part); err != nil {
			return err
		}
		out = w.part
	} else {
		if err := r.Value.Delete(w.path); err != nil {
			return err
		}
		if err := w.put(r.Value, part); err != nil {
			return err
		}
	}
	if len(w.config.Index.Path) > 0 {
		if err := out.Value.Set(w.index, record.IntValue(int64(i))); err != nil {
			return err
		}
	}
	return emit(out)
}

// put sets a part where into says, with its type.
func (w *worker) put(d *record.Doc, part record.Value) (err error) {
	if w.elem == nil {
		return d.Set(w.into, part)
	}
	if part, err = part.As(w.elem); err != nil {
		return err
	}
	return d.SetAs(w.into, part, w.elem)
}

// alone makes w.part a record whose value is the part alone.
func (w *worker) alone(r *record.Record, part record.Value) error {
	w.part.CopyMeta(r)
	var err error
	if r.Key.IsNull() {
		w.part.Key.Reset(r.Key.Encoding(), nil)
	} else {
		if w.key, err = r.Key.AppendTo(w.key[:0]); err != nil {
			return err
		}
		w.part.Key.Reset(r.Key.Encoding(), w.key)
	}
	switch {
	case part.IsNil():
		w.part.Value.Reset(record.JSON, nil)
	case w.config.Delimiter != "":
		w.part.Value.Reset(record.Text, part.Text())
	default:
		if w.scratch, err = part.AppendJSON(w.scratch[:0]); err != nil {
			return err
		}
		w.part.Value.Reset(record.JSONOf(w.elem), w.scratch)
	}
	return nil
}

// name is the path for messages.
func (w *worker) name() string {
	if len(w.config.Path.Path) == 0 {
		return "value"
	}
	return "value." + w.config.Path.Path.String()
}
