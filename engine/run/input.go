package run

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// input runs one input: one goroutine that opens and reads.
type input struct {
	n     *node
	in    engine.Input
	host  *host
	offer engine.Host // host, or with cuts
	retry retrier
	convs *converters
	fails *failures
	main  *port // of the element, or of its decoding

	valueTo, keyTo record.Encoding // set where decoding changes nothing

	opened  bool
	waiting atomic.Int64 // records read and not yet let through
}

func newInput(n *node, in engine.Input, r *Runner) *input {
	i := &input{n: n, in: in, fails: newFailures(r.now), main: n.out[""]}
	i.retry = retrier{n: n, max: r.settings.RetryMax}
	i.convs = newConverters(n)
	i.host = newHost(i, r)
	if i.offer = i.host; r.cuts != nil {
		i.offer = exactHost{i.host, r.cuts}
	}
	if v := n.el.Value; v != nil && v.NewDecoder() == nil {
		i.valueTo = v.Decoded()
	}
	if k := n.el.Key; k != nil && k.NewDecoder() == nil {
		i.keyTo = k.Decoded()
	}
	return i
}

func (i *input) outputs() []*edge {
	return unique(append(append([]*edge{}, i.main.readers...), i.n.errs.readers...))
}

// run reads until the end, until read ends (a drain), or until ctx ends.
func (i *input) run(ctx, read context.Context) error {
	if err := i.open(read); err != nil {
		return i.ended(read, err)
	}
	i.n.setState(Running, nil)
	for {
		b, err := i.read(read)
		if err != nil {
			return i.ended(read, err)
		}
		if err := i.pass(ctx, b); err != nil {
			return err
		}
	}
}

// ended says whether an error is the regular end of reading.
func (i *input) ended(read context.Context, err error) error {
	i.n.setState(Ended, nil)
	if errors.Is(err, engine.ErrEnd) || read.Err() != nil {
		return nil
	}
	return fmt.Errorf("%s: %w", i.n.addr, err)
}

func (i *input) open(ctx context.Context) error {
	if err := i.convs.open(ctx, &i.retry); err != nil {
		return err
	}
	for {
		i.opened = true // Close is called also when Open has failed
		err := i.in.Open(ctx, i.offer)
		if err == nil {
			i.retry.worked("opening")
			return nil
		}
		again, ok := transient(err)
		if !ok || ctx.Err() != nil {
			return fmt.Errorf("opening: %w", err)
		}
		if err := i.retry.wait(ctx, "opening", again); err != nil {
			return err
		}
	}
}

func (i *input) read(ctx context.Context) (*engine.Batch, error) {
	for {
		start := time.Now()
		b, err := i.in.Read(ctx)
		i.n.stats.BusyNanos.Add(int64(time.Since(start)))
		if err == nil {
			if b == nil {
				return nil, errors.New("reading: neither a batch nor an error")
			}
			i.retry.worked("reading")
			return b, nil
		}
		again, ok := transient(err)
		if !ok || ctx.Err() != nil {
			if errors.Is(err, engine.ErrEnd) {
				return nil, err
			}
			return nil, fmt.Errorf("reading: %w", err)
		}
		if err := i.retry.wait(ctx, "reading", again); err != nil {
			return nil, err
		}
	}
}

// pass sends a batch on once it fits the bytes in flight.
func (i *input) pass(ctx context.Context, b *engine.Batch) error {
	n := int64(b.Len())
	i.waiting.Store(n)
	start := time.Now()
	if err := i.host.budget.acquire(ctx, b.Bytes()); err != nil {
		return err
	}
	i.n.stats.BlockedNanos.Add(int64(time.Since(start)))
	if i.host.exact && !i.enters(b) {
		return nil
	}
	i.n.stats.In.Add(n)
	i.n.stats.Bytes.Add(b.Bytes())
	if len(b.Failures) > 0 {
		if err := i.refuse(ctx, b); err != nil {
			return err
		}
	}
	i.waiting.Store(0)
	if b.Len() == 0 {
		b.Done()
		b.Release()
		return nil
	}
	// What the input itself has given a schema is decoded already.
	if i.valueTo != nil && record.SchemaOf(b.Value.Encoding) == nil {
		b.Value.Encoding = i.valueTo
	}
	if i.keyTo != nil && record.SchemaOf(b.Key.Encoding) == nil {
		b.Key.Encoding = i.keyTo
	}
	i.n.stats.Out.Add(int64(b.Len()))
	return i.main.send(ctx, b, &i.n.stats.BlockedNanos)
}

// enters notes for cuts that b has entered, unless its source was taken away: the
// next owner reads it, and has the position in front of it (Invariant 6).
func (i *input) enters(b *engine.Batch) bool {
	s := b.Source()
	if !s.Revoked() {
		i.host.enters(s)
		return true
	}
	i.waiting.Store(0)
	b.Done()
	b.Release()
	return false
}

// refuse moves what the input could not read as records to the errors edge.
func (i *input) refuse(ctx context.Context, b *engine.Batch) error {
	kept := make([]uint32, 0, b.Len())
	for k := range b.Len() {
		reason := b.Failures[k].Reason
		if reason == nil {
			kept = append(kept, uint32(k))
			continue
		}
		if err := i.fails.add(i.n, b, k, nil, reason); err != nil {
			return err
		}
	}
	b.Compact(kept)
	clear(b.Failures)
	b.Failures = b.Failures[:0]
	return i.fails.send(ctx)
}
