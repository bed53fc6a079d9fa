package run

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/engine"
)

// worker is one goroutine of a stage. It takes a batch, runs all segments over
// it, and sends what came of it when it is its turn. Everything in it belongs
// to that goroutine.
type worker struct {
	stage    *stage
	dispatch *dispatcher
	decode   *engine.Transcoder // nil: the records are decoded
	retry    retrier            // of the decoding
	segments []*segment
	pool     *engine.Pool
	fails    *failures
	closers  []func()

	// Of a serial stage; nil in others.
	gate   engine.Gate
	gather *gatherer
	source func(*engine.Source)
	rows   []uint32 // scratch of gate

	held    []item // not sent yet
	ticket  uint64
	turn    bool         // this ticket may send
	seg     *segment     // at work; nil: the decoding
	blocked atomic.Int64 // nanoseconds of the batch at hand spent waiting
}

type item struct {
	port *port
	b    *engine.Batch
}

// at names the element at work, for a panic.
func (w *worker) at() string {
	if w.seg != nil && len(w.seg.nodes) > 0 {
		return w.seg.nodes[w.seg.step].addr
	}
	return w.stage.first.addr
}

func (w *worker) run(ctx context.Context) error {
	defer func() {
		for _, c := range w.closers {
			c()
		}
	}()
	for {
		b, ticket, err := w.dispatch.take(ctx, w.gather.wake(), w.gather.rushed())
		switch {
		case errors.Is(err, errWoken):
			if err := w.gather.expire(ctx, time.Now()); err != nil {
				return err
			}
			continue
		case errors.Is(err, errRushed):
			if err := w.gather.finish(ctx); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		case b == nil && w.gather != nil:
			return w.gather.finish(ctx)
		case b == nil:
			return nil
		}
		w.ticket, w.turn = ticket, false
		start, records := time.Now(), int64(b.Len())
		w.stage.holding.Add(records)
		w.blocked.Store(0)
		if err := w.process(ctx, b); err != nil {
			return err
		}
		w.stage.holding.Add(-records)
		stats, blocked := w.stage.first.stats, w.blocked.Load()
		stats.BlockedNanos.Add(blocked)
		stats.BusyNanos.Add(int64(time.Since(start)) - blocked)
	}
}

func (w *worker) process(ctx context.Context, b *engine.Batch) error {
	if w.decode != nil {
		if err := w.decodeBatch(ctx, b); err != nil {
			return err
		}
	}
	if w.source != nil {
		w.source(b.Source())
	}
	passed, err := w.work(ctx, b)
	if err != nil {
		return err
	}
	if err := w.takeTurn(ctx); err != nil {
		return err
	}
	for _, s := range w.segments {
		w.holdOpen(s)
	}
	if err := w.sendHeld(ctx); err != nil {
		return err
	}
	if err := w.fails.send(ctx); err != nil {
		return err
	}
	w.dispatch.pass(w.ticket)
	if !passed {
		b.Done()
		b.Release()
	}
	return nil
}

// work does with b what the stage is for and reports whether b itself was, or
// will be, sent on.
func (w *worker) work(ctx context.Context, b *engine.Batch) (passed bool, err error) {
	switch {
	case w.gate != nil:
		return w.pace(ctx, b)
	case w.gather != nil:
		return false, w.gather.add(ctx, b)
	}
	return w.segments[0].run(ctx, b, true)
}

// decodeBatch applies the converters of the stage's input in place.
func (w *worker) decodeBatch(ctx context.Context, b *engine.Batch) error {
	w.seg = nil
	var failed error
	_, err := w.decode.Run(ctx, b, func(i int, reason error) {
		if failed == nil {
			failed = w.fails.add(w.stage.decoder, b, i, nil, fmt.Errorf("decoding: %w", reason))
		}
	})
	if err != nil {
		return fmt.Errorf("%s: decoding: %w", w.stage.decoder.addr, err)
	}
	w.retry.worked("decoding")
	return failed
}

// waitDecoding is for a converter that cannot go on for now.
func (w *worker) waitDecoding(ctx context.Context, again *engine.RetryError) error {
	start := time.Now()
	defer func() { w.blocked.Add(int64(time.Since(start))) }()
	return w.retry.wait(ctx, "decoding", again)
}

func (w *worker) takeTurn(ctx context.Context) error {
	if w.turn {
		return nil
	}
	w.turn = true
	start := time.Now()
	err := w.dispatch.wait(ctx, w.ticket)
	w.blocked.Add(int64(time.Since(start)))
	return err
}

// fresh returns an empty batch. When the pool is empty it first sends all that
// this worker holds, since what lies here would never come back.
func (w *worker) fresh(ctx context.Context) (*engine.Batch, error) {
	b := w.pool.TryGet()
	if b == nil {
		if err := w.takeTurn(ctx); err != nil {
			return nil, err
		}
		for _, s := range w.segments {
			w.holdOpen(s)
		}
		if err := w.sendHeld(ctx); err != nil {
			return nil, err
		}
		var err error
		if b, err = w.pool.Get(ctx); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// holdOpen ends the batches that a segment is filling.
func (w *worker) holdOpen(s *segment) {
	for i := range s.open {
		if b := s.open[i]; b != nil {
			s.open[i] = nil
			w.held = append(w.held, item{s.ports[i], b})
		}
	}
}

func (w *worker) sendHeld(ctx context.Context) error {
	for _, x := range w.held {
		if err := x.port.send(ctx, x.b, &w.blocked); err != nil {
			return err
		}
	}
	clear(w.held)
	w.held = w.held[:0]
	return nil
}
