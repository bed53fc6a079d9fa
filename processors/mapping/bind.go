package mapping

import (
	"errors"
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// maxTopic is the longest name of a topic that Kafka takes.
const maxTopic = 249

// binder builds a worker. The first error ends it.
type binder struct {
	layout *record.Layout
	worker *worker
	err    error
}

func (b *binder) program(option string, e engine.Expression) engine.Program {
	p, err := e.Source.Bind(b.layout)
	if err != nil && b.err == nil {
		b.err = fmt.Errorf("%s: %w", option, err)
	}
	return p
}

// eval adds an evaluation and returns the index of its result.
func (b *binder) eval(option string, e engine.Expression) int {
	w := b.worker
	w.evals = append(w.evals, eval{option, b.program(option, e)})
	w.results = append(w.results, record.Value{})
	return len(w.evals) - 1
}

func (b *binder) edit(f func(r *record.Record) error) {
	b.worker.edits = append(b.worker.edits, f)
}

func (b *binder) ids(paths []engine.PathOption) []record.PathID {
	ids := make([]record.PathID, len(paths))
	for i, p := range paths {
		ids[i] = b.layout.Value.Add(p.Path)
	}
	return ids
}

func (b *binder) when(e engine.Expression) {
	if !e.IsZero() {
		b.worker.when = b.program("when", e)
	}
}

func (b *binder) value(e engine.Expression) {
	if e.IsZero() {
		return
	}
	w, i := b.worker, b.eval("value", e)
	root := b.layout.Value.Add(nil)
	b.edit(func(r *record.Record) error { return r.Value.Set(root, orNull(w.results[i])) })
}

func (b *binder) keep(paths []engine.PathOption) {
	if len(paths) == 0 {
		return
	}
	ids := b.ids(paths)
	b.edit(func(r *record.Record) error {
		if err := r.Value.Keep(ids); err != nil {
			return fmt.Errorf("keep: %w", err)
		}
		return nil
	})
}

func (b *binder) remove(paths []engine.PathOption) {
	for i, id := range b.ids(paths) {
		b.edit(func(r *record.Record) error {
			if err := r.Value.Delete(id); err != nil {
				return fmt.Errorf("remove %s: %w", paths[i].Path, err)
			}
			return nil
		})
	}
}

func (b *binder) rename(renames engine.Renames) {
	for _, rn := range renames {
		from, to := b.layout.Value.Add(rn.From), b.layout.Value.Add(rn.To)
		b.edit(func(r *record.Record) error {
			if err := r.Value.Rename(from, to); err != nil {
				return fmt.Errorf("rename %s: %w", rn.From, err)
			}
			return nil
		})
	}
}

func (b *binder) set(a engine.Assignment) {
	option := "set." + a.Path.String()
	w, i := b.worker, b.eval(option, a.Expr)
	id := b.layout.Value.Add(a.Path)
	b.edit(func(r *record.Record) error {
		if err := r.Value.Set(id, orNull(w.results[i])); err != nil {
			return fmt.Errorf("%s: %w", option, err)
		}
		return nil
	})
}

func (b *binder) key(e engine.Expression) {
	if e.IsZero() {
		return
	}
	w, i := b.worker, b.eval("key", e)
	root := b.layout.Key.Add(nil)
	b.edit(func(r *record.Record) error {
		if err := r.Key.Set(root, orNull(w.results[i])); err != nil {
			return fmt.Errorf("key: %w", err)
		}
		return nil
	})
}

// orNull: expressions know nil only, so what they give is never missing.
func orNull(v record.Value) record.Value {
	if v.IsNil() {
		return record.NullValue()
	}
	return v
}

func (b *binder) header(h engine.NamedExpression) {
	w, i := b.worker, b.eval("headers."+h.Name, h.Expr)
	b.edit(func(r *record.Record) error {
		v := w.results[i]
		if v.IsNil() {
			r.DeleteHeader(h.Name)
			return nil
		}
		start := len(w.scratch)
		text, err := v.AppendText(w.scratch)
		if err != nil {
			return fmt.Errorf("headers.%s: %w", h.Name, err)
		}
		w.scratch = text
		r.SetHeader(h.Name, text[start:len(text):len(text)])
		return nil
	})
}

func (b *binder) topic(e engine.Expression) {
	if e.IsZero() {
		return
	}
	w, i := b.worker, b.eval("topic", e)
	b.edit(func(r *record.Record) error {
		v := w.results[i]
		if v.Kind() != record.String {
			return errors.New("topic: the result is not a string")
		}
		text := v.Text()
		if len(text) == 0 || len(text) > maxTopic {
			return fmt.Errorf("topic: %d bytes; a topic has 1 to %d", len(text), maxTopic)
		}
		topic := w.names.string(text)
		if w.topics != nil && !w.topics[topic] {
			return fmt.Errorf("topic: %q is not one of topics", topic)
		}
		r.Topic = topic
		return nil
	})
}

func (b *binder) timestamp(e engine.Expression) {
	if e.IsZero() {
		return
	}
	w, i := b.worker, b.eval("timestamp", e)
	b.edit(func(r *record.Record) error {
		switch v := w.results[i]; {
		case v.IsNil():
			r.HasTimestamp = false
		case v.Kind() == record.Time:
			r.Timestamp, r.HasTimestamp = v.Time().UnixNano(), true
		default:
			return errors.New("timestamp: the result is not a time; make one with parseTime() or fromUnixMilli()")
		}
		return nil
	})
}
