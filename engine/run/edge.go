package run

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
)

// edge is the one channel from which an element reads, whatever it reads from.
type edge struct {
	to        string
	ch        chan *engine.Batch
	producers atomic.Int32 // units that may still send
}

func newEdge(to string) *edge {
	return &edge{to: to, ch: make(chan *engine.Batch, limits.EdgeBatches)}
}

// done is called once by each producer when it sends no more.
func (e *edge) done() {
	if e.producers.Add(-1) == 0 {
		close(e.ch)
	}
}

// port is one output of an element: all edges that read it.
type port struct {
	name    string
	readers []*edge
}

// send hands b to every reader; each then owes one Done and one Release.
// blocked counts the time spent waiting for room. After an error b may be in
// some readers' hands: the pipeline is being cut.
func (p *port) send(ctx context.Context, b *engine.Batch, blocked *atomic.Int64) error {
	if n := len(p.readers); n > 1 {
		b.Share(n - 1)
	}
	for _, e := range p.readers {
		select {
		case e.ch <- b:
			continue
		default:
		}
		start := time.Now()
		select {
		case e.ch <- b:
			blocked.Add(int64(time.Since(start)))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
