package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// output runs one output: one goroutine that opens, writes, flushes, rewrites
// and closes. Confirmations come from any goroutine.
type output struct {
	n      *node
	out    engine.Output
	in     *edge
	encode *encoder
	convs  *converters

	addressed engine.Addressed // out, if it is one and a converter may ask
	retry     retrier
	fails     *failures
	linger    time.Duration
	discard   bool
	bug       func(error) // stops the pipeline

	// Used by the goroutine alone.
	seq       uint64
	unflushed time.Time // of the first write after the last flush; zero: none
	arrived   time.Time // when the last batch came
	sparse    bool      // it came alone: nothing more is to be expected soon
	quick     bool      // out is an engine.QuickFlusher
	timer     *time.Timer
	opened    bool

	wake chan struct{} // something was confirmed or failed

	syncer engine.Syncer // out, if it is one
	marker engine.Marker // out, if the pipeline delivers exactly once and it is one
	rush   *rush         // tells of a cut; nil: there are none
	asks   chan *ask     // for the goroutine
	gone   chan struct{} // closed when the goroutine has ended

	// mu guards all below.
	mu      sync.Mutex
	pending int // handed over and not confirmed
	records int // in them
	failed  []*write
}

func newOutput(n *node, out engine.Output, r *Runner) *output {
	o := &output{n: n, out: out, in: n.in, fails: newFailures(r.now), wake: make(chan struct{}, 1),
		asks: make(chan *ask), gone: make(chan struct{})}
	o.encode = newEncoder(n.el)
	o.encode.t.Wait = o.waitEncoding
	o.convs = newConverters(n)
	if a, ok := out.(engine.Addressed); ok && (n.el.Value != nil || n.el.Key != nil || n.el.Headers != nil) {
		o.addressed = a
	}
	o.retry = retrier{n: n, max: r.settings.RetryMax}
	o.linger, o.bug = min(r.settings.Linger, limits.Linger), r.fail
	o.syncer, _ = out.(engine.Syncer)
	_, o.quick = out.(engine.QuickFlusher)
	if r.cuts != nil {
		o.rush = r.cuts.rush
		o.marker, _ = out.(engine.Marker)
	}
	if d, ok := out.(engine.Discarder); ok {
		n.stats.DropReason, o.discard = d.Discards(), true
	}
	return o
}

func (o *output) outputs() []*edge { return unique(o.n.errs.readers) }

func (o *output) open(ctx context.Context) error {
	if err := o.convs.open(ctx, &o.retry); err != nil {
		return fmt.Errorf("%s: %w", o.n.addr, err)
	}
	for {
		o.opened = true // Close is called also when Open has failed
		err := o.out.Open(ctx)
		if err == nil {
			err = o.addresses()
		}
		if err == nil {
			o.retry.worked("opening")
			o.n.setState(Running, nil)
			return nil
		}
		again, ok := transient(err)
		if !ok || ctx.Err() != nil {
			return fmt.Errorf("%s: opening: %w", o.n.addr, err)
		}
		if err := o.retry.wait(ctx, "opening", again); err != nil {
			return err
		}
	}
}

// addresses asks the output where records go, for its converters.
func (o *output) addresses() error {
	if o.addressed == nil || o.encode.topic != nil {
		return nil
	}
	var err error
	o.encode.topic, err = o.addressed.Topics()
	return err
}

// run writes until the edge ends and everything is confirmed.
func (o *output) run(ctx context.Context) error {
	defer close(o.gone)
	o.timer = time.NewTimer(time.Hour)
	o.timer.Stop()
	defer o.timer.Stop()
	for {
		if err := o.settle(ctx); err != nil {
			return err
		}
		b, more, err := o.next(ctx)
		if err != nil {
			return err
		}
		if !more {
			return o.finish(ctx)
		}
		if b != nil {
			o.arrives()
			if err := o.write(ctx, b); err != nil {
				return err
			}
		}
	}
}

// arrives notes whether a batch has come long after the one before.
func (o *output) arrives() {
	now := time.Now()
	o.sparse = o.quick && engine.BatchLimits{Linger: o.linger}.Sparse(now.Sub(o.arrived))
	o.arrived = now
}

// next returns the next batch; nil when something else has happened first.
func (o *output) next(ctx context.Context) (b *engine.Batch, more bool, err error) {
	select {
	case b, more = <-o.in.ch:
		if !o.unflushed.IsZero() && time.Since(o.unflushed) > limits.FlushInterval {
			err = o.flush(ctx)
		}
		return b, more, err
	case a := <-o.asks:
		a.run(ctx)
		return nil, true, nil
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	default:
	}
	var idle <-chan time.Time
	var rush <-chan struct{}
	if p, _ := o.left(); p == 0 {
		o.unflushed = time.Time{}
	}
	if !o.unflushed.IsZero() {
		// A moment of patience: a flush for each batch of a stream that is
		// only a little slower than the output would be dear. It is wasted on
		// a stream whose batches come one by one: while the flush waits for its
		// answer, whatever comes gathers on the edge by itself.
		patience := o.linger
		if o.sparse {
			patience = 0
		}
		rush = o.rush.now()
		select {
		case <-rush: // a cut waits, while more may still be on its way here
			patience, rush = min(patience, rushLinger), nil
		default:
		}
		o.timer.Reset(patience)
		defer o.timer.Stop()
		idle = o.timer.C
	}
	select {
	case b, more = <-o.in.ch:
		return b, more, nil
	case a := <-o.asks:
		a.run(ctx)
		return nil, true, nil
	case <-o.wake:
		return nil, true, nil
	case <-idle:
		return nil, true, o.flush(ctx)
	case <-rush:
		return nil, true, nil
	case <-ctx.Done():
		return nil, false, context.Cause(ctx)
	}
}

// rushLinger is the patience before a flush during a cut: longer than a batch
// takes to come out of a busy stage, or each would be flushed by itself.
const rushLinger = 500 * time.Microsecond

// finish waits until everything is confirmed.
func (o *output) finish(ctx context.Context) error {
	for {
		if err := o.drain(ctx); err != nil {
			return err
		}
		if err := o.settle(ctx); err != nil {
			return err
		}
		if p, _ := o.left(); p == 0 && !o.hasFailed() {
			return nil
		}
	}
}

// left is how many batches and records are handed over and not confirmed.
func (o *output) left() (batches, records int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pending, o.records
}

func (o *output) hasFailed() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.failed) > 0
}

// write encodes b and hands it over.
func (o *output) write(ctx context.Context, b *engine.Batch) error {
	o.n.stats.In.Add(int64(b.Len()))
	o.seq++
	w := &write{o: o, seq: o.seq, b: b}
	if err := o.encode.run(ctx, w); err != nil {
		return err
	}
	o.retry.worked("encoding")
	if err := o.fails.send(ctx); err != nil {
		return err
	}
	w.size = w.enc.Len()
	if w.size == 0 {
		w.release()
		return nil
	}
	w.bytes = w.enc.Value.Bytes() + w.enc.Key.Bytes()
	o.hand(ctx, w)
	return nil
}

// waitEncoding is for a converter that cannot go on for now. What was handed
// over is confirmed meanwhile.
func (o *output) waitEncoding(ctx context.Context, again *engine.RetryError) error {
	if err := o.drain(ctx); err != nil {
		return err
	}
	return o.retry.wait(ctx, "encoding", again)
}

// hand gives w to the component.
func (o *output) hand(ctx context.Context, w *write) {
	o.mu.Lock()
	o.pending++
	o.records += w.size
	w.over, w.err = false, nil
	o.mu.Unlock()
	start := time.Now()
	o.out.Write(ctx, w.enc, w.done)
	o.n.stats.BusyNanos.Add(int64(time.Since(start)))
	if p, _ := o.left(); p == 0 {
		o.unflushed = time.Time{}
	} else if o.unflushed.IsZero() {
		o.unflushed = start
	}
}

// settle deals with the batches that have failed.
func (o *output) settle(ctx context.Context) error {
	again, err := o.sort(ctx)
	if err != nil || len(again) == 0 {
		return err
	}
	// Invariant 4: everything that was handed over must have its answer before
	// the failed ones are written again, in their order.
	for len(again) > 0 {
		if err := o.drain(ctx); err != nil {
			return err
		}
		more, err := o.sort(ctx)
		if err != nil {
			return err
		}
		again = append(again, more...)
		slices.SortFunc(again, func(a, b *write) int { return int(a.seq) - int(b.seq) })
		if err := o.retry.wait(ctx, "writing", slowest(again)); err != nil {
			return err
		}
		for _, w := range again {
			o.hand(ctx, w)
		}
		if err := o.drain(ctx); err != nil {
			return err
		}
		if again, err = o.sort(ctx); err != nil {
			return err
		}
	}
	o.retry.worked("writing")
	return nil
}

// slowest is the failure that asks for the longest pause.
func slowest(list []*write) *engine.RetryError {
	var worst *engine.RetryError
	for _, w := range list {
		if r, ok := transient(w.err); ok && (worst == nil || r.After > worst.After) {
			worst = r
		}
	}
	return worst
}

// sort takes the failed batches, moves refused records to the errors edge, and
// returns those to write again. An error ends the pipeline.
func (o *output) sort(ctx context.Context) (again []*write, err error) {
	o.mu.Lock()
	failed := o.failed
	o.failed = nil
	o.mu.Unlock()
	slices.SortFunc(failed, func(a, b *write) int { return int(a.seq) - int(b.seq) })
	for _, w := range failed {
		var refused *engine.RecordErrors
		if errors.As(w.err, &refused) {
			if err := o.refuse(ctx, w, refused); err != nil {
				return nil, err
			}
		} else if _, ok := transient(w.err); ok {
			again = append(again, w)
		} else {
			return nil, fmt.Errorf("%s: writing: %w", o.n.addr, w.err)
		}
	}
	return again, nil
}

// refuse sends the refused records to the errors edge and confirms the rest.
func (o *output) refuse(ctx context.Context, w *write, refused *engine.RecordErrors) error {
	rows := make([]int, 0, len(refused.Reasons))
	for i := range refused.Reasons {
		if i < 0 || i >= w.size {
			return fmt.Errorf("%s: a bug: it refused record %d of %d", o.n.addr, i, w.size)
		}
		rows = append(rows, i)
	}
	slices.Sort(rows)
	for _, i := range rows {
		row := i
		if w.rows != nil {
			row = int(w.rows[i])
		}
		if err := o.fails.add(o.n, w.b, row, nil, refused.Reasons[i]); err != nil {
			return err
		}
	}
	if err := o.fails.send(ctx); err != nil {
		return err
	}
	var skipped *engine.Skipped
	errors.As(w.err, &skipped)
	w.confirm(w.size-len(rows), skipped)
	return nil
}

// drain flushes until everything that was handed over has its answer.
func (o *output) drain(ctx context.Context) error {
	for {
		if p, _ := o.left(); p == 0 {
			return nil
		}
		if !o.unflushed.IsZero() {
			if err := o.flush(ctx); err != nil {
				return err
			}
			continue
		}
		select {
		case <-o.wake:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// flush makes the component confirm what it holds.
func (o *output) flush(ctx context.Context) error {
	for {
		start := time.Now()
		err := o.out.Flush(ctx)
		o.n.stats.BusyNanos.Add(int64(time.Since(start)))
		if err == nil {
			o.unflushed = time.Time{}
			return nil
		}
		again, ok := transient(err)
		if !ok {
			return fmt.Errorf("%s: flushing: %w", o.n.addr, err)
		}
		if err := o.retry.wait(ctx, "flushing", again); err != nil {
			return err
		}
	}
}
