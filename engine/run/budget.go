package run

import (
	"context"
	"sync"
)

// budget bounds the source bytes of a pipeline that are read and not confirmed
// (Invariant 5). A batch that is larger than all of it is let through alone, so
// a giant record cannot stop the pipeline. It is also the gate that a cut shuts.
type budget struct {
	max int64

	// mu guards all below.
	mu      sync.Mutex
	used    int64
	peak    int64
	batches int           // that are let through and not confirmed
	closed  bool          // nothing is let through
	idle    chan struct{} // closed when batches reaches 0; nil: nobody waits
	waiting []*claim      // first come, first served: small batches never starve a large one
}

type claim struct {
	bytes   int64
	granted chan struct{}
}

// acquire takes n bytes, waiting until they fit.
func (b *budget) acquire(ctx context.Context, n int64) error {
	b.mu.Lock()
	if len(b.waiting) == 0 && b.fits(n) {
		b.take(n)
		b.mu.Unlock()
		return nil
	}
	c := &claim{bytes: n, granted: make(chan struct{})}
	b.waiting = append(b.waiting, c)
	b.mu.Unlock()
	select {
	case <-c.granted:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx) // the pipeline is cut: nobody needs the place in the line
	}
}

// release gives n bytes of a batch back. It never blocks. It panics for a batch
// that was not let through: with the count too low a cut would store positions
// while a batch is under way (Invariant 6).
func (b *budget) release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.batches == 0 {
		panic("engine: a batch is confirmed that no input has handed on")
	}
	b.used -= n
	if b.batches--; b.batches == 0 && b.idle != nil {
		close(b.idle)
		b.idle = nil
	}
	b.grant()
}

// grant, fits and take need mu.
func (b *budget) grant() {
	for len(b.waiting) > 0 && b.fits(b.waiting[0].bytes) {
		b.take(b.waiting[0].bytes)
		close(b.waiting[0].granted)
		b.waiting = b.waiting[1:]
	}
}

func (b *budget) fits(n int64) bool { return !b.closed && (b.used <= 0 || b.used+n <= b.max) }

func (b *budget) take(n int64) {
	b.used += n
	b.batches++
	b.peak = max(b.peak, b.used)
}

// shut lets nothing through until open.
func (b *budget) shut() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = true
}

func (b *budget) open() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.closed = false
	b.grant()
}

// drained waits until everything that was let through is confirmed.
func (b *budget) drained(ctx context.Context) error {
	b.mu.Lock()
	if b.batches == 0 {
		b.mu.Unlock()
		return nil
	}
	if b.idle == nil {
		b.idle = make(chan struct{})
	}
	idle := b.idle
	b.mu.Unlock()
	select {
	case <-idle:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// underway is how many batches are let through and not confirmed.
func (b *budget) underway() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.batches
}

func (b *budget) inFlight() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
