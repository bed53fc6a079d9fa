package enginetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

// InputCase says what RunInput needs to know of an input.
type InputCase struct {
	// New makes an input over the same content at each call, without opening
	// anything. The content must not change while the suite runs.
	New func(t *testing.T) engine.Input
	// Want is what the input reads, in order within each Source. Of a record
	// Key, Value, Headers and timestamp are compared, and Source and Topic
	// where they are given. A record that goes to the errors edge has a
	// Failure with any Reason.
	Want []Record
	// Unbounded: the input never returns ErrEnd, but waits for more.
	Unbounded bool
	// Forgets: the input has no positions, and another one starts anew, or has
	// nothing more to give (stdin). It is not tested for going on.
	Forgets bool
	// OneOrder: records of different sources have an order, too: that of Want.
	OneOrder bool
	// Away makes an input whose system cannot be reached; nil skips the test.
	// Its Open must return a *RetryError.
	Away func(t *testing.T) engine.Input
	// Timeout bounds one call that should return records; 0 means 10 s.
	Timeout time.Duration
}

func (c *InputCase) timeout() time.Duration {
	if c.Timeout == 0 {
		return 10 * time.Second
	}
	return c.Timeout
}

// RunInput checks the contract of engine.Input: what Open, Read and Close may
// and must do, that batches and positions are in order, and that an input that
// is made anew goes on exactly behind what was confirmed.
func RunInput(t *testing.T, c InputCase) {
	t.Run("reads everything", c.readsEverything)
	t.Run("batches keep to the limits", c.smallBatches)
	t.Run("goes on behind what was confirmed", c.resumes)
	t.Run("reads again what was not confirmed", c.repeats)
	t.Run("closes without having been opened", c.closes)
	t.Run("returns when its context ends", c.cancel)
	t.Run("asks for another try when its system is away", c.away)
}

// reading is one input at work.
type reading struct {
	t    *testing.T
	c    *InputCase
	in   engine.Input
	host *Host
	left int // records until the end of an unbounded input
}

func (c *InputCase) open(t *testing.T, h *Host) *reading {
	t.Helper()
	r := &reading{t: t, c: c, in: c.New(t), host: h, left: len(c.Want)}
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
	defer cancel()
	if err := r.in.Open(ctx, h); err != nil {
		t.Fatalf("Open: %v", err)
	}
	return r
}

// read returns the next batch, nil at the end.
func (r *reading) read() *engine.Batch {
	r.t.Helper()
	if r.c.Unbounded && r.left <= 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), r.c.timeout())
	defer cancel()
	for {
		b, err := r.in.Read(ctx)
		var again *engine.RetryError
		switch {
		case errors.Is(err, engine.ErrEnd):
			if b != nil {
				r.t.Fatal("Read returned a batch and ErrEnd")
			}
			if r.c.Unbounded {
				r.t.Fatalf("an unbounded input ended, %d records early", r.left)
			}
			return nil
		case errors.As(err, &again) && ctx.Err() == nil:
			continue
		case err != nil:
			r.t.Fatalf("Read: %v, with %d records missing", err, r.left)
		case b == nil:
			r.t.Fatal("Read returned neither a batch nor an error")
		}
		r.check(b)
		r.left -= b.Len()
		return b
	}
}

// check looks at what holds for every batch.
func (r *reading) check(b *engine.Batch) {
	t := r.t
	t.Helper()
	n := b.Len()
	if b.Source() == nil {
		t.Fatal("a batch was not begun with Source.Begin")
	}
	if max := r.host.Limits().Records; n > max {
		t.Errorf("a batch has %d records, the limit is %d", n, max)
	}
	for name, have := range map[string]int{
		"Key.Spans": len(b.Key.Spans), "Headers.Ends": len(b.Headers.Ends), "Timestamps": len(b.Timestamps),
		"Topics": len(b.Topics), "Rows": len(b.Rows), "Failures": len(b.Failures),
	} {
		if have != 0 && have != n {
			t.Fatalf("a batch of %d records has %d in %s", n, have, name)
		}
	}
	if b.Value.Lines {
		for i, s := range b.Value.Spans {
			if !s.Null() && (bytes.IndexByte(b.Value.At(i), '\n') >= 0 || b.Value.Data[s.End] != '\n') {
				t.Errorf("Lines is set, but record %d holds or lacks a newline", i)
			}
		}
	}
	for i := 1; i < n; i++ {
		if b.Offset(i) < b.Offset(i-1) {
			t.Errorf("offsets go backward: %d after %d", b.Offset(i), b.Offset(i-1))
		}
	}
}

// all reads to the end and confirms each batch.
func (r *reading) all() []Record {
	r.t.Helper()
	var list []Record
	for b := r.read(); b != nil; b = r.read() {
		list = append(list, Records(b)...)
		b.Done()
		b.Release()
	}
	return list
}

func (r *reading) close() {
	r.t.Helper()
	if own, ok := r.in.(engine.Committer); ok {
		if err := own.Commit(r.t.Context(), r.host.Sources()); err != nil {
			r.t.Errorf("Commit: %v", err)
		}
	}
	ctx, cancel := context.WithTimeout(r.t.Context(), r.c.timeout())
	defer cancel()
	if err := r.in.Close(ctx); err != nil {
		r.t.Errorf("Close: %v", err)
	}
}

func (c *InputCase) readsEverything(t *testing.T) {
	r := c.open(t, NewHost(engine.BatchLimits{}))
	got := r.all()
	r.close()
	c.compare(t, got)
	for _, s := range r.host.Sources() {
		if !s.Idle() {
			t.Errorf("source %s has a batch begun that was not returned", s.Info().ID)
		}
	}
}

func (c *InputCase) smallBatches(t *testing.T) {
	r := c.open(t, NewHost(engine.BatchLimits{Records: 2}))
	got := r.all()
	r.close()
	c.compare(t, got)
}

// compare checks records against Want.
func (c *InputCase) compare(t *testing.T, got []Record) {
	t.Helper()
	want := c.Want
	if !c.OneOrder {
		got, want = bySource(got), bySource(want)
	}
	for i := range min(len(got), len(want)) {
		if why := differ(got[i], want[i]); why != "" {
			t.Fatalf("record %d: %s\n got %v\nwant %v", i, why, got[i], want[i])
		}
	}
	if len(got) != len(want) {
		t.Fatalf("got %d records, want %d", len(got), len(want))
	}
}

func bySource(list []Record) []Record {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Record) int {
		return bytes.Compare([]byte(a.Source), []byte(b.Source))
	})
	return list
}

// differ says how two records differ; empty: not at all.
func differ(got, want Record) string {
	switch {
	case (got.Value == nil) != (want.Value == nil) || !bytes.Equal(got.Value, want.Value):
		return "the value differs"
	case (got.Key == nil) != (want.Key == nil) || !bytes.Equal(got.Key, want.Key):
		return "the key differs"
	case fmt.Sprint(got.Headers) != fmt.Sprint(want.Headers):
		return "the headers differ"
	case got.HasTimestamp != want.HasTimestamp && want.HasTimestamp || want.HasTimestamp && got.Timestamp != want.Timestamp:
		return "the timestamp differs"
	case want.Source != "" && got.Source != want.Source:
		return "the source differs"
	case want.Topic != "" && got.Topic != want.Topic:
		return "the topic differs"
	case (got.Failure.Reason == nil) != (want.Failure.Reason == nil):
		return fmt.Sprintf("the failure differs: %v, want %v", got.Failure.Reason, want.Failure.Reason)
	}
	return ""
}

// resumes stops after each number of confirmed batches and goes on with
// another input: together they must have read everything, once.
func (c *InputCase) resumes(t *testing.T) {
	if c.Forgets {
		t.Skip("this input keeps no positions")
	}
	const most = 12
	for stop := 0; stop <= min(len(c.Want), most); stop++ {
		if _, own := c.New(t).(engine.Committer); own && stop > 0 {
			// The system keeps one state for all runs: one run that is
			// interrupted again and again.
			break
		}
		h := NewHost(engine.BatchLimits{Records: 3})
		r := c.open(t, h)
		var got []Record
		for range stop {
			b := r.read()
			if b == nil {
				break
			}
			got = append(got, Records(b)...)
			b.Done()
			b.Release()
		}
		h.Commit()
		r.close()
		rest := c.open(t, h.Next())
		rest.left = len(c.Want) - len(got)
		got = append(got, rest.all()...)
		rest.close()
		t.Logf("stopped after %d batches", stop)
		c.compare(t, got)
	}
}

// repeats confirms the second batch of each source but not the first.
func (c *InputCase) repeats(t *testing.T) {
	if c.Forgets {
		t.Skip("this input keeps no positions")
	}
	if _, own := c.New(t).(engine.Committer); own {
		t.Skip("its system has stored positions by now")
	}
	h := NewHost(engine.BatchLimits{Records: 1})
	r := c.open(t, h)
	first := make(map[*engine.Source]bool)
	for b := r.read(); b != nil; b = r.read() {
		if first[b.Source()] {
			b.Done()
		}
		first[b.Source()] = true
	}
	h.Commit()
	r.close()
	again := c.open(t, h.Next())
	got := again.all()
	again.close()
	c.compare(t, got)
}

func (c *InputCase) closes(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
	defer cancel()
	if err := c.New(t).Close(ctx); err != nil {
		t.Errorf("Close of an input that was never opened: %v", err)
	}
	gone, stop := context.WithCancel(t.Context())
	stop()
	in := c.New(t)
	within(t, "Open with a context that has ended", c.timeout(), func() { _ = in.Open(gone, NewHost(engine.BatchLimits{})) })
	if err := in.Close(ctx); err != nil {
		t.Errorf("Close after Open was cancelled: %v", err)
	}
}

// patience is how long after the end of a context a call may take.
const patience = time.Second

func (c *InputCase) cancel(t *testing.T) {
	r := c.open(t, NewHost(engine.BatchLimits{}))
	defer r.close()
	if c.Unbounded && !c.Forgets {
		if _, own := r.in.(engine.Committer); !own {
			r.all()
		}
		ctx, cancel := context.WithCancel(t.Context())
		within(t, "Read whose context ends while it waits", c.timeout(), func() {
			time.AfterFunc(patience/20, cancel)
			if b, err := r.in.Read(ctx); err == nil {
				t.Errorf("Read returned %d records that are not there", b.Len())
			}
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	within(t, "Read with a context that has ended", patience, func() {
		if b, err := r.in.Read(ctx); err == nil {
			b.Done() // what was at hand may still be returned
		}
	})
}

// within fails the test if f takes longer than d.
func within(t *testing.T, what string, d time.Duration, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(d):
		t.Fatalf("%s did not return within %s", what, d)
	}
}

func (c *InputCase) away(t *testing.T) {
	if c.Away == nil {
		t.Skip("its system is always there")
	}
	in := c.Away(t)
	ctx, cancel := context.WithTimeout(t.Context(), c.timeout())
	defer cancel()
	err := in.Open(ctx, NewHost(engine.BatchLimits{}))
	var again *engine.RetryError
	if !errors.As(err, &again) {
		t.Errorf("Open returned %v, want a *RetryError", err)
	}
	if err := in.Close(ctx); err != nil {
		t.Errorf("Close after Open has failed: %v", err)
	}
}
