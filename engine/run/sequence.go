package run

import (
	"context"
	"errors"
	"time"

	"github.com/flowrecords/flow/engine"
)

// dispatcher hands the batches of a stage to its workers and, if order is to
// be kept, lets them send in the order in which they took (Invariant 4).
type dispatcher struct {
	in *edge

	// taking holds a token that a worker has while it waits for a batch, so
	// that tickets follow the edge's order. It is no mutex: waiting for it must
	// end with the context.
	taking chan struct{}
	ticket uint64 // belongs to the holder of the token

	// turns[t % workers] holds a token when ticket t may send. A worker holds
	// one ticket at a time, so slots never collide. nil: no order.
	turns []chan struct{}
}

func newDispatcher(in *edge, workers int, ordered bool) *dispatcher {
	d := &dispatcher{in: in, taking: make(chan struct{}, 1)}
	d.taking <- struct{}{}
	if ordered && workers > 1 {
		d.turns = make([]chan struct{}, workers)
		for i := range d.turns {
			d.turns[i] = make(chan struct{}, 1)
		}
		d.turns[0] <- struct{}{}
	}
	return d
}

// errWoken is returned by take when nothing came before wake.
var errWoken = errors.New("woken without a batch")

// errRushed is returned by take when a cut waits for what the worker holds.
var errRushed = errors.New("a cut is under way")

// take returns the next batch and its ticket; nil at the end. A token from
// wake, or the end of rush, ends the waiting; both may be nil.
func (d *dispatcher) take(ctx context.Context, wake <-chan time.Time, rush <-chan struct{}) (*engine.Batch, uint64, error) {
	select {
	case <-d.taking:
		defer func() { d.taking <- struct{}{} }()
	case <-ctx.Done():
		return nil, 0, context.Cause(ctx)
	}
	select {
	case b := <-d.in.ch:
		return d.number(b)
	default:
	}
	select {
	case b := <-d.in.ch:
		return d.number(b)
	case <-wake:
		return nil, 0, errWoken
	case <-rush:
		return nil, 0, errRushed
	case <-ctx.Done():
		return nil, 0, context.Cause(ctx)
	}
}

func (d *dispatcher) number(b *engine.Batch) (*engine.Batch, uint64, error) {
	t := d.ticket
	d.ticket++
	return b, t, nil
}

// wait returns when it is the ticket's turn to send.
func (d *dispatcher) wait(ctx context.Context, ticket uint64) error {
	if d.turns == nil {
		return nil
	}
	select {
	case <-d.turns[ticket%uint64(len(d.turns))]:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// pass gives the turn to the next ticket.
func (d *dispatcher) pass(ticket uint64) {
	if d.turns != nil {
		d.turns[(ticket+1)%uint64(len(d.turns))] <- struct{}{}
	}
}
