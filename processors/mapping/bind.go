package mapping

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

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

// prepare adds a check that may fail and changes nothing.
func (b *binder) prepare(f func() error) { b.worker.checks = append(b.worker.checks, f) }

// edit adds a change of the value, which may fail and is then rolled back.
func (b *binder) edit(f func(r *record.Record) error) {
	b.worker.edits = append(b.worker.edits, f)
}

// commit adds a change that cannot fail.
func (b *binder) commit(f func(r *record.Record)) { b.worker.commits = append(b.worker.commits, f) }

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
	b.edit(func(r *record.Record) error { return r.Value.SetAs(root, orNull(w.results[i]), w.plan.value) })
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

func (b *binder) set(n int, a engine.Assignment) {
	option := "set." + a.Path.String()
	w, i := b.worker, b.eval(option, a.Expr)
	id := b.layout.Value.Add(a.Path)
	b.edit(func(r *record.Record) error {
		if err := r.Value.SetAs(id, orNull(w.results[i]), w.plan.of(n)); err != nil {
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
		if err := r.Key.SetAs(root, orNull(w.results[i]), w.plan.key); err != nil {
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

// removeHeaders comes before header, so that a name that is removed and set is
// set.
func (b *binder) removeHeaders(names []string) {
	for _, name := range names {
		b.commit(func(r *record.Record) { r.DeleteHeader(name) })
	}
}

func (b *binder) header(h engine.NamedExpression) {
	w, i := b.worker, b.eval("headers."+h.Name, h.Expr)
	var text []byte // of the current record; nil removes the header
	b.prepare(func() error {
		text = nil
		v := w.results[i]
		if v.IsNil() {
			return nil
		}
		start := len(w.scratch)
		all, err := v.AppendText(w.scratch)
		if err != nil {
			return fmt.Errorf("headers.%s: %w", h.Name, err)
		}
		w.scratch = all
		text = all[start:len(all):len(all)]
		return nil
	})
	b.commit(func(r *record.Record) {
		if text == nil {
			r.DeleteHeader(h.Name)
			return
		}
		r.SetHeader(h.Name, text)
	})
}

func (b *binder) topic(e engine.Expression) {
	if e.IsZero() {
		return
	}
	w, i := b.worker, b.eval("topic", e)
	var topic string
	b.prepare(func() error {
		v := w.results[i]
		if v.Kind() != record.String {
			return fmt.Errorf("topic: the result is %s, not a string", v.Kind())
		}
		text := v.Text()
		topic = w.names.string(text)
		if w.topics != nil && !w.topics[topic] {
			return fmt.Errorf("topic: %q is not one of topics", topic)
		}
		if err := engine.CheckTopic(text); err != nil {
			return fmt.Errorf("topic: %w", err)
		}
		return nil
	})
	b.commit(func(r *record.Record) { r.Topic = topic })
}

func (b *binder) timestamp(e engine.Expression) {
	if e.IsZero() {
		return
	}
	w, i := b.worker, b.eval("timestamp", e)
	b.prepare(func() error {
		if v := w.results[i]; !v.IsNil() && v.Kind() != record.Time {
			return fmt.Errorf("timestamp: the result is %s, not a time; make one with parseTime() or fromUnixMilli()", v.Kind())
		}
		return nil
	})
	b.commit(func(r *record.Record) {
		v := w.results[i]
		if r.HasTimestamp = !v.IsNil(); r.HasTimestamp {
			r.Timestamp = v.Time().UnixNano()
		}
	})
}
