package enginetest

import (
	"context"
	"testing"

	"github.com/flowrecords/flow/engine"
)

// takesBack checks the contract of engine.Marker over three runs in one place:
// what came behind the stored mark is gone when the next run has opened, also
// when a mark was made that was never stored, and what is stored stays.
func (c *OutputCase) takesBack(t *testing.T) {
	w, again := c.marked(t, "")
	if again == nil {
		t.Skip("it takes nothing back")
	}
	n := 0
	write := func(w *writing) {
		w.write(t.Context(), Record{Value: c.value(n)}, Record{Value: c.value(n + 1)})
		n += 2
	}
	write(w)
	mark := w.mark(true)
	stored := w.sent
	write(w)
	w.mark(false) // made, and never stored
	write(w)
	w.close()

	w, _ = c.over(t, w.target, again(t), mark)
	n = 2 // what was taken back is read again
	write(w)
	stored = append(stored, w.sent...)
	mark = w.mark(true)
	w.close()

	w, _ = c.over(t, w.target, again(t), mark)
	w.sent = stored
	w.close()
	w.confirmed()
}

// marked opens an output over an empty place in a pipeline that delivers exactly
// once.
func (c *OutputCase) marked(t *testing.T, mark string) (*writing, func(*testing.T) engine.Output) {
	t.Helper()
	target := c.New(t)
	if _, ok := target.Output.(engine.Marker); !ok || target.Again == nil {
		return nil, nil
	}
	return c.over(t, target, target.Output, mark)
}

func (c *OutputCase) over(t *testing.T, target Target, out engine.Output, mark string) (*writing, func(*testing.T) engine.Output) {
	t.Helper()
	target.Output = out
	w := &writing{t: t, c: c, target: target, wake: make(chan struct{}, 1)}
	w.source = engine.NewSource(engine.SourceInfo{ID: "suite/0", Topic: "suite", OffsetSeparator: "/"}, nil, nil)
	out.(engine.Marker).Restore(mark)
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
	defer cancel()
	if err := out.Open(ctx); err != nil {
		t.Fatalf("Open: %v", err)
	}
	return w, target.Again
}

// mark makes a cut, which is stored or not.
func (w *writing) mark(stored bool) string {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), w.c.timeout())
	defer cancel()
	if err := w.target.Output.Flush(ctx); err != nil {
		w.t.Fatalf("Flush: %v", err)
	}
	w.settle()
	m := w.target.Output.(engine.Marker)
	mark, err := m.Mark(ctx)
	if err != nil || mark == "" {
		w.t.Fatalf("Mark: %q, %v", mark, err)
	}
	if err := m.Sync(ctx); err != nil {
		w.t.Fatalf("Sync: %v", err)
	}
	if !stored {
		return mark
	}
	if err := m.Marked(ctx); err != nil {
		w.t.Fatalf("Marked: %v", err)
	}
	return mark
}
