package mapping

import (
	"fmt"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/processors/internal/transform"
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
		ids[i] = b.part().Add(p.Path)
	}
	return ids
}

// part is the projection of the part whose members are changed.
func (b *binder) part() *record.Projection {
	if b.worker.config.onKey() {
		return b.layout.Key
	}
	return b.layout.Value
}

// doc is that part of a record.
func (w *worker) doc(r *record.Record) *record.Doc {
	if w.onKey {
		return r.Key
	}
	return r.Value
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
	b.edit(func(r *record.Record) error {
		if w.nothing(i) {
			return nil
		}
		return r.Value.SetAs(root, w.results[i], w.plan.value)
	})
}

func (b *binder) keep(paths []engine.PathOption) {
	if len(paths) == 0 {
		return
	}
	w, ids := b.worker, b.ids(paths)
	b.edit(func(r *record.Record) error {
		if err := w.doc(r).Keep(ids); err != nil {
			return fmt.Errorf("keep: %w", err)
		}
		return nil
	})
}

func (b *binder) remove(paths []engine.PathOption) {
	w := b.worker
	for i, id := range b.ids(paths) {
		b.edit(func(r *record.Record) error {
			if err := w.doc(r).Delete(id); err != nil {
				return fmt.Errorf("remove %s: %w", paths[i].Path, err)
			}
			return nil
		})
	}
}

func (b *binder) rename(renames engine.Renames) {
	w, moves := b.worker, transform.Moves(b.part(), renames)
	for _, m := range moves {
		b.edit(func(r *record.Record) error {
			if err := w.doc(r).Rename(m.From, m.To); err != nil {
				return fmt.Errorf("rename %s: %w", m.Of, err)
			}
			return nil
		})
	}
}

func (b *binder) set(n int, a engine.Assignment) {
	option := "set." + a.Path.String()
	w, i := b.worker, b.eval(option, a.Expr)
	id := b.part().Add(a.Path)
	b.edit(func(r *record.Record) error {
		if w.nothing(i) {
			return nil
		}
		if err := w.doc(r).SetAs(id, w.results[i], w.plan.of(n)); err != nil {
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
		if w.nothing(i) {
			return nil
		}
		if err := r.Key.SetAs(root, w.results[i], w.plan.key); err != nil {
			return fmt.Errorf("key: %w", err)
		}
		return nil
	})
}

// nothing reports that an expression has no result, so that what is there stays.
func (w *worker) nothing(i int) bool { return w.results[i].Kind() == record.Missing }

// removeHeaders comes before header, so that a name that is removed and set is
// set.
func (b *binder) removeHeaders(names []string) {
	for _, name := range names {
		b.commit(func(r *record.Record) { r.DeleteHeader(name) })
	}
}

func (b *binder) header(h engine.NamedExpression) {
	text := b.headerText("headers", h)
	b.commit(func(r *record.Record) {
		switch {
		case text.null:
			r.DeleteHeader(h.Name)
		case text.value != nil:
			r.SetHeader(h.Name, text.value)
		}
	})
}

func (b *binder) addHeader(h engine.NamedExpression) {
	text := b.headerText("add_headers", h)
	b.commit(func(r *record.Record) {
		if text.null || text.value != nil {
			r.AddHeader(h.Name, text.value)
		}
	})
}

// headerText is what a header of the current record becomes: neither, if the
// expression has no result.
type headerText struct {
	null  bool
	value []byte
}

func (b *binder) headerText(option string, h engine.NamedExpression) *headerText {
	w, i := b.worker, b.eval(option+"."+h.Name, h.Expr)
	text := &headerText{}
	b.prepare(func() error {
		v := w.results[i]
		*text = headerText{null: v.Kind() == record.Null}
		if v.IsNil() {
			return nil
		}
		start := len(w.scratch)
		all, err := v.AppendText(w.scratch)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", option, h.Name, err)
		}
		w.scratch = all
		text.value = all[start:len(all):len(all)]
		return nil
	})
	return text
}

func (b *binder) topic(e engine.Expression) {
	if e.IsZero() {
		return
	}
	w, i := b.worker, b.eval("topic", e)
	var topic string
	b.prepare(func() error {
		v := w.results[i]
		if topic = ""; w.nothing(i) {
			return nil
		}
		if v.Kind() != record.String {
			return fmt.Errorf("topic: the result is %s, not a string", v.Kind())
		}
		text := v.Text()
		topic = w.names.String(text)
		if w.topics != nil && !w.topics[topic] {
			return fmt.Errorf("topic: %q is not one of topics", topic)
		}
		if err := engine.CheckTopic(text); err != nil {
			return fmt.Errorf("topic: %w", err)
		}
		return nil
	})
	b.commit(func(r *record.Record) {
		if topic != "" { // which CheckTopic refuses
			r.Topic = topic
		}
	})
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
		if w.nothing(i) {
			return
		}
		if r.HasTimestamp = !v.IsNil(); r.HasTimestamp {
			r.Timestamp = v.Time().UnixNano()
		}
	})
}
