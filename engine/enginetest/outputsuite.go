package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Target is an output over an empty place of its system, and a way to look
// into that place without the output.
type Target struct {
	Output engine.Output
	// Read returns what is there, in order. It is called after Close.
	Read func(t *testing.T) []Record
	// Again makes another output over the same place, for one that is an
	// engine.Marker; nil skips the test of that.
	Again func(t *testing.T) engine.Output
}

// OutputCase says what RunOutput needs to know of an output.
type OutputCase struct {
	// New makes an output over an empty target at each call, without opening
	// anything.
	New func(t *testing.T) Target
	// Arrives says what the documentation says of a record: how it lies in
	// the target (what Read returns for it; Source and Origin do not count),
	// or an error if the output refuses it. nil: value only, nulls refused.
	Arrives func(r Record) (Record, error)
	// Value makes the value of record i; nil: {"n":i}.
	Value func(i int) []byte
	// Encoding of the values; nil: JSON.
	Encoding record.Encoding
	// Discards: nothing can be read back (drop).
	Discards bool
	// Away makes an output whose system cannot be reached; nil skips the test.
	Away func(t *testing.T) engine.Output
	// Timeout bounds one call; 0 means 10 s.
	Timeout time.Duration
}

func (c *OutputCase) timeout() time.Duration {
	if c.Timeout == 0 {
		return 10 * time.Second
	}
	return c.Timeout
}

func (c *OutputCase) value(i int) []byte {
	if c.Value == nil {
		return fmt.Appendf(nil, `{"n":%d}`, i)
	}
	return c.Value(i)
}

func (c *OutputCase) arrives(r Record) (Record, error) {
	if c.Arrives != nil {
		return c.Arrives(r)
	}
	if r.Value == nil {
		return Record{}, errors.New("no value")
	}
	return Record{Value: r.Value}, nil
}

// RunOutput checks the contract of engine.Output: that records arrive in
// order, that done is called exactly once for each batch and not before the
// records can be read back, that batches are let go, and how special records
// arrive.
func RunOutput(t *testing.T, c OutputCase) {
	t.Run("writes in order", c.inOrder)
	t.Run("flush confirms", c.flush)
	t.Run("special records", c.special)
	t.Run("takes back what came behind a mark", c.takesBack)
	t.Run("closes without having been opened", c.closes)
	t.Run("returns when its context ends", c.cancel)
	t.Run("asks for another try when its system is away", c.away)
}

// writing is one output at work.
type writing struct {
	t      *testing.T
	c      *OutputCase
	target Target
	source *engine.Source
	sent   []Record
	offset int64

	mu   sync.Mutex // guards all below
	open int        // batches without answer
	errs []error    // by batch
	wake chan struct{}
}

func (c *OutputCase) open(t *testing.T) *writing {
	t.Helper()
	w := &writing{t: t, c: c, target: c.New(t), wake: make(chan struct{}, 1)}
	w.source = engine.NewSource(engine.SourceInfo{ID: "suite/0", Topic: "suite", OffsetSeparator: "/"}, nil, nil)
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
	defer cancel()
	if err := w.target.Output.Open(ctx); err != nil {
		t.Fatalf("Open: %v", err)
	}
	return w
}

// write hands records over as one batch.
func (w *writing) write(ctx context.Context, records ...Record) {
	w.t.Helper()
	b := engine.NewBatch()
	Fill(b, records...)
	b.Value.Encoding, b.Key.Encoding = w.c.Encoding, w.c.Encoding
	if w.c.Encoding == nil {
		b.Value.Encoding, b.Key.Encoding = record.JSON, record.JSON
	}
	first := w.offset
	w.offset += int64(len(records))
	w.source.Begin(b, engine.Position{Offset: w.offset}, first, nil)
	w.sent = append(w.sent, records...)
	w.mu.Lock()
	k := len(w.errs)
	w.errs = append(w.errs, errNoAnswer)
	w.open++
	w.mu.Unlock()
	within(w.t, "Write", w.c.timeout(), func() {
		w.target.Output.Write(ctx, b, func(err error) { w.done(k, b, err) })
	})
}

var errNoAnswer = errors.New("done was not called")

func (w *writing) done(k int, b *engine.Batch, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !errors.Is(w.errs[k], errNoAnswer) {
		w.t.Errorf("done was called twice for batch %d", k)
		return
	}
	w.errs[k] = err
	w.open--
	// The batch is the engine's again: whoever still reads it sees rubbish.
	for i := range b.Value.Data {
		b.Value.Data[i] = '#'
	}
	for i := range b.Key.Data {
		b.Key.Data[i] = '#'
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

// settle waits until every batch has its answer.
func (w *writing) settle() {
	w.t.Helper()
	deadline := time.NewTimer(w.c.timeout())
	defer deadline.Stop()
	for {
		w.mu.Lock()
		open := w.open
		w.mu.Unlock()
		if open == 0 {
			return
		}
		select {
		case <-w.wake:
		case <-deadline.C:
			w.t.Fatalf("%d batches have no answer", open)
		}
	}
}

func (w *writing) close() {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(w.t.Context(), w.c.timeout())
	defer cancel()
	if err := w.target.Output.Close(ctx); err != nil {
		w.t.Errorf("Close: %v", err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.open > 0 {
		w.t.Errorf("%d batches have no answer after Close", w.open)
	}
}

// confirmed checks that every batch was confirmed, and reads them back.
func (w *writing) confirmed() {
	w.t.Helper()
	for k, err := range w.errs {
		if err != nil {
			w.t.Errorf("batch %d: %v", k, err)
		}
	}
	var want []Record
	for _, r := range w.sent {
		a, err := w.c.arrives(r)
		if err != nil {
			w.t.Fatalf("the suite wrote what the output refuses: %v", err)
		}
		want = append(want, a)
	}
	w.compare(want)
}

func (w *writing) compare(want []Record) {
	w.t.Helper()
	if w.c.Discards {
		return
	}
	got := w.target.Read(w.t)
	for i := range min(len(got), len(want)) {
		if why := differ(got[i], want[i]); why != "" {
			w.t.Fatalf("record %d: %s\n got %v\nwant %v", i, why, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		w.t.Fatalf("%d records arrived, want %d", len(got), len(want))
	}
}

// inOrder writes many batches of different sizes; Close alone must make them
// durable.
func (c *OutputCase) inOrder(t *testing.T) {
	w := c.open(t)
	n := 0
	for size := range 40 {
		records := make([]Record, size%7+1)
		for i := range records {
			records[i] = Record{Value: c.value(n)}
			n++
		}
		w.write(t.Context(), records...)
	}
	w.close()
	w.confirmed()
}

// flush must lead to an answer for all that was written, again and again.
func (c *OutputCase) flush(t *testing.T) {
	w := c.open(t)
	for i := range 3 {
		w.write(t.Context(), Record{Value: c.value(2 * i)}, Record{Value: c.value(2*i + 1)})
		ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
		if err := w.target.Output.Flush(ctx); err != nil {
			t.Fatalf("Flush: %v", err)
		}
		cancel()
		w.settle()
	}
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
	defer cancel()
	if err := w.target.Output.Flush(ctx); err != nil {
		t.Errorf("Flush with nothing to do: %v", err)
	}
	w.close()
	w.confirmed()
}

// specials are records with all that a record may have, around plain ones.
func (c *OutputCase) specials() map[string]Record {
	return map[string]Record{
		"null value":      {Key: []byte(`"k"`)},
		"null all over":   {},
		"empty value":     {Value: []byte{}},
		"key":             {Key: []byte(`"k"`), Value: c.value(1)},
		"empty key":       {Key: []byte{}, Value: c.value(1)},
		"timestamp":       {Value: c.value(1), Timestamp: 1_700_000_000_123_000_000, HasTimestamp: true},
		"first timestamp": {Value: c.value(1), Timestamp: 0, HasTimestamp: true},
		"headers": {Value: c.value(1), Headers: []record.Header{
			{Key: "a", Value: []byte("1")}, {Key: "b", Value: []byte{}}, {Key: "a", Value: []byte("\x00\xff")}, {Key: "n", Value: nil}}},
	}
}

func (c *OutputCase) special(t *testing.T) {
	for name, r := range c.specials() {
		t.Run(name, func(t *testing.T) {
			w := c.open(t)
			w.write(t.Context(), Record{Value: c.value(0)}, r, Record{Value: c.value(2)})
			w.close()
			var want []Record
			refused := false
			for _, r := range w.sent {
				a, err := c.arrives(r)
				if err != nil {
					refused = true
					continue
				}
				want = append(want, a)
			}
			w.answer(refused)
			w.compare(want)
		})
	}
}

// answer checks the answer to one batch whose middle record may be refused.
func (w *writing) answer(refused bool) {
	w.t.Helper()
	err := w.errs[0]
	if !refused {
		if err != nil {
			w.t.Fatalf("the batch was not confirmed: %v", err)
		}
		return
	}
	var list *engine.RecordErrors
	if !errors.As(err, &list) {
		w.t.Fatalf("got %v, want a *RecordErrors", err)
	}
	if len(list.Reasons) != 1 || list.Reasons[1] == nil {
		w.t.Fatalf("refused %v, want record 1 alone", list.Reasons)
	}
}

func (c *OutputCase) closes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
	defer cancel()
	if err := c.New(t).Output.Close(ctx); err != nil {
		t.Errorf("Close of an output that was never opened: %v", err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	out := c.New(t).Output
	within(t, "Open with a context that has ended", c.timeout(), func() { _ = out.Open(gone) })
	if err := out.Close(ctx); err != nil {
		t.Errorf("Close after Open was cancelled: %v", err)
	}
	w := c.open(t)
	w.close()
	w.compare(nil)
}

// cancel: a context that has ended must not make a call hang, nor an answer
// come twice. The batch may have been written or not.
func (c *OutputCase) cancel(t *testing.T) {
	w := c.open(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.write(ctx, Record{Value: c.value(0)})
	within(t, "Flush with a context that has ended", patience, func() { _ = w.target.Output.Flush(ctx) })
	w.close()
	if errors.Is(w.errs[0], errNoAnswer) {
		t.Error("the batch got no answer")
	}
}

func (c *OutputCase) away(t *testing.T) {
	if c.Away == nil {
		t.Skip("its system is always there")
	}
	out := c.Away(t)
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
	defer cancel()
	err := out.Open(ctx)
	var again *engine.RetryError
	if !errors.As(err, &again) {
		t.Errorf("Open returned %v, want a *RetryError", err)
	}
	if err := out.Close(ctx); err != nil {
		t.Errorf("Close after Open has failed: %v", err)
	}
}
