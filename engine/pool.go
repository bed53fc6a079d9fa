package engine

import (
	"context"
	"sync"

	"github.com/flowrecords/flow/engine/limits"
)

// Pool is the free list of one producer of batches. It makes up to size
// batches and then waits for one to be released, which bounds memory and is
// the back-pressure (Invariant 5). All methods may be called by any goroutine.
type Pool struct {
	slots chan struct{} // a token for each batch that may be taken
	slab  int

	mu sync.Mutex
	// free is last in, first out: the batch used last is still in the cache,
	// and only as many as were ever needed at once hold memory.
	free []*Batch
}

// NewPool returns an empty pool of at most size batches whose value slabs
// start with slab bytes; 0 leaves that to the first Append.
func NewPool(size, slab int) *Pool {
	p := &Pool{slots: make(chan struct{}, size), slab: slab}
	for range size {
		p.slots <- struct{}{}
	}
	return p
}

// Get takes an empty batch, waiting for a Release when all are in use.
func (p *Pool) Get(ctx context.Context) (*Batch, error) {
	select {
	case <-p.slots:
		return p.take(), nil
	default:
	}
	select {
	case <-p.slots:
		return p.take(), nil
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// TryGet takes an empty batch, or returns nil when all are in use.
func (p *Pool) TryGet() *Batch {
	select {
	case <-p.slots:
		return p.take()
	default:
		return nil
	}
}

func (p *Pool) take() *Batch {
	p.mu.Lock()
	var b *Batch
	if n := len(p.free); n > 0 {
		b, p.free = p.free[n-1], p.free[:n-1]
	}
	p.mu.Unlock()
	if b == nil {
		b = &Batch{pool: p}
	}
	if b.Value.Data == nil && p.slab > 0 {
		b.Value.Data = make([]byte, 0, p.slab+limits.SlabSlack)
	}
	b.refs.Store(1)
	return b
}

func (p *Pool) put(b *Batch) {
	b.reset()
	p.mu.Lock()
	p.free = append(p.free, b)
	p.mu.Unlock()
	p.slots <- struct{}{} // never blocks: a token for each batch that was taken
}
