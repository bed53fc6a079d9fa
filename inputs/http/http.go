// Package http is the input that takes records from HTTP requests and answers
// each when its records are confirmed.
package http

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine"
)

// input is the http input. It is a Committer, since senders keep the positions:
// what was not answered with success they send again.
type input struct {
	cfg *Config
	env engine.Env

	host engine.Host
	srv  *server

	// Of the goroutine of Read.
	current *request // what the last batch had no room for
	lane    *lane    // of current
	next    int64    // number of the next record

	// mu guards all below and the fields of lanes.
	mu    sync.Mutex
	lanes map[*engine.Source]*lane
	free  []*lane
}

// lane is a source partition that the records of some requests go through. A
// request that is stuck holds up only what shares its lane: the requests that
// came into the same batches.
type lane struct {
	src   *engine.Source
	ends  []end
	whole bool // the last batch ended with a request: nothing more follows now
}

// end is where the records of a request end in its lane.
type end struct {
	at int64
	q  *request
}

func newInput(config any, env engine.Env) (engine.Input, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("the config of the http input is a %T", config)
	}
	return &input{cfg: cfg, env: env, lanes: make(map[*engine.Source]*lane)}, nil
}

// Open listens.
func (in *input) Open(ctx context.Context, h engine.Host) error {
	in.host = h
	srv := newServer(in.cfg, in.env)
	if err := srv.listen(ctx); err != nil {
		return err
	}
	in.srv = srv
	return nil
}

// Read returns the records of the requests that have come in.
func (in *input) Read(ctx context.Context) (*engine.Batch, error) {
	if ctx.Err() != nil && in.current == nil {
		in.srv.stop()
		return nil, context.Cause(ctx)
	}
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		in.srv.stop()
		return nil, err
	}
	for in.current == nil {
		select {
		case q := <-in.srv.queue:
			in.accept(q)
			continue
		case err = <-in.srv.failed:
		case <-ctx.Done():
			in.srv.stop()
			err = context.Cause(ctx)
		}
		b.Release()
		return nil, err
	}
	in.fill(ctx, b)
	return b, nil
}

// accept makes q the current request, unless its handler has taken it back.
func (in *input) accept(q *request) {
	if q.take() {
		in.current = q
		return
	}
	in.srv.drop(q)
}

// drop lets go of a request that never reached a batch.
func (s *server) drop(q *request) {
	s.buffer.release(q.size)
	q.data = nil
	<-s.slots
}

// fill puts the current request and those behind it into the batch and seals
// it.
func (in *input) fill(ctx context.Context, b *engine.Batch) {
	lim := in.host.Limits()
	l := in.lane
	if l == nil {
		l = in.takeLane()
	}
	b.Value.Lines = true
	first := in.next
	var ended []end
	var linger <-chan time.Time
	for {
		if in.current != nil {
			n, done := in.current.fill(b, in.cfg, lim)
			in.next += int64(n)
			if !done {
				break
			}
			in.srv.buffer.release(in.current.size)
			ended = append(ended, end{in.next, in.current})
			in.current = nil
		}
		if b.Len() >= lim.Records || len(b.Value.Data) >= lim.Bytes {
			break
		}
		q := in.another(ctx, lim.Linger, &linger)
		if q == nil {
			break
		}
		in.accept(q)
	}
	in.seal(b, l, first, ended)
}

// another returns the next request. It waits for the linger, but only while
// others are being received: a sender who waits for his answer sends no more.
func (in *input) another(ctx context.Context, linger time.Duration, timer *<-chan time.Time) *request {
	select {
	case q := <-in.srv.queue:
		return q
	default:
	}
	if in.srv.receiving.Load() == 0 || linger == 0 {
		return nil
	}
	if *timer == nil {
		*timer = time.After(linger)
	}
	select {
	case q := <-in.srv.queue:
		return q
	case <-*timer:
	case <-ctx.Done():
	}
	return nil
}

// takeLane returns a lane that nothing is in.
func (in *input) takeLane() *lane {
	in.mu.Lock()
	defer in.mu.Unlock()
	if n := len(in.free); n > 0 {
		l := in.free[n-1]
		in.free = in.free[:n-1]
		return l
	}
	// There are never more lanes than batches in flight.
	l := &lane{src: in.host.Source(engine.SourceInfo{
		ID: fmt.Sprintf("%s#%d", in.srv.address, len(in.lanes)), OffsetSeparator: "@",
		Meta: map[string]string{"input": in.env.Element, "address": in.srv.address},
	})}
	in.lanes[l.src] = l
	return l
}

// seal begins the ack group of a batch. Who waits for it is noted before.
func (in *input) seal(b *engine.Batch, l *lane, first int64, ended []end) {
	in.mu.Lock()
	l.ends = append(l.ends, ended...)
	l.whole = in.current == nil
	in.lane = l
	if l.whole {
		in.lane = nil
	}
	in.mu.Unlock()
	l.src.Begin(b, engine.Position{Offset: in.next}, first, nil)
}

// Commit answers the requests whose records are confirmed, and durable where
// outputs sync.
func (in *input) Commit(_ context.Context, sources []*engine.Source) error {
	in.mu.Lock()
	defer in.mu.Unlock()
	for _, src := range sources {
		l := in.lanes[src]
		p, ok := src.Confirmed()
		if l == nil || !ok {
			continue
		}
		n := 0
		for n < len(l.ends) && l.ends[n].at <= p.Offset {
			l.ends[n].q.outcome <- struct{}{}
			<-in.srv.slots
			n++
		}
		l.ends = l.ends[:copy(l.ends, l.ends[n:])]
		if n > 0 && len(l.ends) == 0 && l.whole {
			in.free = append(in.free, l)
		}
	}
	return nil
}

// Prompt has Commit called as soon as something is confirmed.
func (in *input) Prompt() {}

// Close answers with 503 what was not confirmed.
func (in *input) Close(ctx context.Context) error {
	if in.srv != nil {
		in.srv.close(ctx)
	}
	return nil
}

var _ engine.Prompt = (*input)(nil)
