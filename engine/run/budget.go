package run

import (
	"context"
	"sync"
)

// budget bounds the source bytes of a pipeline that are read and not confirmed
// (Invariant 5). A batch that is larger than all of it is let through alone, so
// a giant record cannot stop the pipeline.
type budget struct {
	max int64

	// mu guards all below.
	mu      sync.Mutex
	used    int64
	peak    int64
	waiting []*claim // first come, first served: small batches never starve a large one
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

// release gives n bytes back. It never blocks.
func (b *budget) release(n int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.used -= n
	for len(b.waiting) > 0 && b.fits(b.waiting[0].bytes) {
		b.take(b.waiting[0].bytes)
		close(b.waiting[0].granted)
		b.waiting = b.waiting[1:]
	}
}

// fits and take need mu.
func (b *budget) fits(n int64) bool { return b.used <= 0 || b.used+n <= b.max }

func (b *budget) take(n int64) {
	b.used += n
	b.peak = max(b.peak, b.used)
}

func (b *budget) inFlight() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
