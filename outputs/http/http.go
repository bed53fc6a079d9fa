// Package http is the output that sends records to an HTTP server.
package http

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	connhttp "github.com/flowrecords/flow/connections/http"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/outputs/internal/order"
)

// output implements engine.Output. The engine's goroutine fills requests and
// hands them to lanes; each lane is a goroutine that sends one after another.
//
// Order. Records that must keep their order share a lane, so within it nothing
// overtakes. When a request is to be sent again, its lane is held: what waits
// behind it is not sent but comes again too, in the order of the batches, and
// until then no new batch is taken (order.Order). Records that were sent in the
// meantime, on other lanes, are remembered and not sent twice.
type output struct {
	cfg    *Config
	env    engine.Env
	seed   maphash.Seed
	client *connhttp.Client
	hide   *strings.Replacer // secrets in answers

	success, retry, stop, split statuses

	// Only the engine's goroutine uses these.
	plan  plan
	lanes []*lane
	turn  int // lane of records without an order
	cut   context.CancelCauseFunc

	base  context.Context // ends when Close gives up
	ended sync.WaitGroup  // of the lanes' goroutines

	// mu guards all below, and the results of writes.
	mu     sync.Mutex
	order  order.Order[*progress]
	writes int // under way
}

// lane sends requests one after another.
type lane struct {
	ready chan *request
	open  *request // being filled, by the engine's goroutine; nil: none
	held  bool     // nothing may be sent before a request that has failed; guarded by output.mu
}

// laneRequests is how many requests wait for a lane: one that is ready when the
// one before it is answered.
const laneRequests = 1

// progress is what is known of the records of a batch.
type progress struct {
	settled []bool // delivered, refused or left out
	reasons map[int]error
	skipped int64
}

// write is one batch on its way.
type write struct {
	b    *engine.Batch
	turn *order.Turn[*progress]
	done func(error)
	left int // records without a result, and one while Write runs; guarded by output.mu
	// The first error of its kind, and the longest wait; guarded by output.mu.
	again *engine.RetryError
	fatal error
}

func newOutput(c *Config, env engine.Env) *output {
	return &output{
		cfg: c, env: env, seed: maphash.MakeSeed(),
		success: newStatuses(c.SuccessStatuses), retry: newStatuses(c.RetryStatuses), stop: newStatuses(c.StopStatuses), split: newStatuses(c.SplitStatuses),
	}
}

// Open implements engine.Output. The server is not asked for anything: no
// request is known to be harmless.
func (o *output) Open(ctx context.Context) error {
	if err := o.Close(ctx); err != nil { // what an Open before left behind
		return err
	}
	client, err := connhttp.NewClient(&o.cfg.ClientConfig, o.env, o.cfg.Concurrency)
	if err != nil {
		return err
	}
	if err := o.plan.bind(o.cfg); err != nil {
		return err
	}
	o.client, o.hide = client, o.secrets()
	o.base, o.cut = context.WithCancelCause(context.WithoutCancel(ctx))
	for range o.cfg.Concurrency {
		l := &lane{ready: make(chan *request, laneRequests)}
		o.lanes = append(o.lanes, l)
		o.ended.Go(func() { o.run(l) })
	}
	return nil
}

// secrets hides what a server may tell of a request in its answer (Invariant 7).
func (o *output) secrets() *strings.Replacer {
	var pairs []string
	add := func(s engine.Secret) {
		// One or two characters would blot out half of every answer.
		if text := s.Reveal(); len(text) > 2 {
			pairs = append(pairs, text, s.String())
		}
	}
	add(o.cfg.BearerToken)
	if o.cfg.Basic != nil {
		add(o.cfg.Basic.Password)
	}
	for _, s := range o.cfg.SecretHeaders {
		add(s)
	}
	return strings.NewReplacer(pairs...)
}

// Write fills requests with the records of b. It waits while all lanes that it
// needs are busy.
func (o *output) Write(ctx context.Context, b *engine.Batch, done func(error)) {
	w := o.admit(b, done)
	if w == nil {
		done(engine.Retry(order.ErrAgain))
		return
	}
	for i := range b.Len() {
		if w.turn.State.settled[i] {
			continue
		}
		to, err := o.plan.target(b, i)
		if err == nil {
			err = o.add(ctx, w, i, to)
		}
		if err != nil {
			o.settle(w, i, err)
		}
	}
	o.release(w)
}

// admit gives b its turn; nil: batches before it come first.
func (o *output) admit(b *engine.Batch, done func(error)) *write {
	o.mu.Lock()
	defer o.mu.Unlock()
	turn := o.order.Admit(b)
	if turn == nil {
		return nil
	}
	if turn.State == nil {
		turn.State = &progress{settled: make([]bool, b.Len())}
	}
	if o.writes == 0 {
		// The engine hands the first failed batch over only when all others
		// have their answers: nothing is left that could overtake it.
		for _, l := range o.lanes {
			l.held = false
		}
	}
	o.writes++
	return &write{b: b, turn: turn, done: done, left: 1}
}

// add puts a record into the request that its lane fills. An error is one of
// the record.
func (o *output) add(ctx context.Context, w *write, i int, to *target) error {
	l := o.lane(w.b, i)
	mime := o.cfg.contentType(w.b)
	if r := l.open; r != nil && (r.to.id != to.id || r.mime != mime) {
		o.hand(ctx, l)
	}
	r := l.open
	if r == nil {
		r = &request{ctx: ctx, to: to, mime: mime}
	}
	at := len(r.data)
	var err error
	if r.data, err = o.cfg.appendRecord(r.data, w.b, i); err != nil {
		return err
	}
	r.parts = append(r.parts, part{w: w, i: i, from: at, to: len(r.data)})
	l.open = r
	o.mu.Lock()
	w.left++
	o.mu.Unlock()
	if !o.cfg.batched() || len(r.parts) >= o.cfg.BatchRecords || len(r.data) >= int(o.cfg.BatchBytes) {
		o.hand(ctx, l)
	}
	return nil
}

// lane is where a record is sent.
func (o *output) lane(b *engine.Batch, i int) *lane {
	if len(o.lanes) == 1 {
		return o.lanes[0]
	}
	switch {
	case o.cfg.Order == orderKey && len(b.Key.Spans) > 0 && b.Key.At(i) != nil:
		return o.lanes[maphash.Bytes(o.seed, b.Key.At(i))%uint64(len(o.lanes))]
	case o.cfg.Order == orderPartition && b.Source() != nil:
		return o.lanes[maphash.String(o.seed, b.Source().Info().ID)%uint64(len(o.lanes))]
	}
	// A request is filled before the next lane has its turn.
	return o.lanes[o.turn]
}

// hand gives a lane the request that it was filling, and waits while the lane
// has one waiting. When ctx ends first, the request stays where it is.
func (o *output) hand(ctx context.Context, l *lane) {
	r := l.open
	l.open = nil
	if l == o.lanes[o.turn] {
		o.turn = (o.turn + 1) % len(o.lanes)
	}
	select {
	case l.ready <- r:
		return
	default:
	}
	select {
	case l.ready <- r:
	case <-r.ctx.Done():
		o.result(l, r.parts, outcome{fatal: context.Cause(r.ctx)})
	case <-o.base.Done():
		o.result(l, r.parts, outcome{fatal: context.Cause(o.base)})
	case <-ctx.Done():
		l.open = r
	}
}

// settle notes a record that is not sent. Only the goroutine of Write calls it.
func (o *output) settle(w *write, i int, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	p := w.turn.State
	p.settled[i] = true
	if errors.Is(err, errSkipped) {
		p.skipped++
		return
	}
	p.refuse(i, err)
}

func (p *progress) refuse(i int, reason error) {
	if p.reasons == nil {
		p.reasons = make(map[int]error)
	}
	p.reasons[i] = reason
}

// outcome is what became of a request. All nil: it was delivered.
type outcome struct {
	refused error
	again   *engine.RetryError
	fatal   error
}

// result notes what became of some records, and answers batches that are
// complete.
func (o *output) result(l *lane, parts []part, c outcome) {
	var complete []*write
	o.mu.Lock()
	if c.fatal != nil || c.again != nil && o.cfg.Order != orderNone {
		l.held = true
	}
	for _, p := range parts {
		switch {
		case c.fatal != nil:
			p.w.fatal = c.fatal
		case c.again != nil:
			if p.w.again == nil || p.w.again.After < c.again.After || errors.Is(p.w.again, order.ErrAgain) {
				p.w.again = c.again
			}
			o.order.Owe(p.w.turn) // at once, so that no new batch is taken
		case c.refused != nil:
			p.w.turn.State.settled[p.i] = true
			p.w.turn.State.refuse(p.i, c.refused)
		default:
			p.w.turn.State.settled[p.i] = true
		}
		if p.w.left--; p.w.left == 0 {
			complete = append(complete, p.w)
		}
	}
	o.mu.Unlock()
	for _, w := range complete {
		o.answer(w)
	}
}

// release ends the part of Write in w.
func (o *output) release(w *write) {
	o.mu.Lock()
	w.left--
	complete := w.left == 0
	o.mu.Unlock()
	if complete {
		o.answer(w)
	}
}

// answer tells the engine what became of a batch.
func (o *output) answer(w *write) {
	o.mu.Lock()
	err := w.result()
	o.writes--
	o.mu.Unlock()
	w.done(err)
}

func (w *write) result() error {
	if w.fatal != nil {
		return w.fatal
	}
	if w.again != nil {
		return w.again
	}
	var errs []error
	if p := w.turn.State; len(p.reasons) > 0 {
		errs = append(errs, &engine.RecordErrors{Reasons: p.reasons})
	}
	if p := w.turn.State; p.skipped > 0 {
		errs = append(errs, &engine.Skipped{Records: p.skipped, Reason: "tombstone"})
	}
	if len(errs) == 1 {
		return errs[0]
	}
	return errors.Join(errs...)
}

// Flush sends the requests that are being filled.
func (o *output) Flush(ctx context.Context) error {
	for _, l := range o.lanes {
		if l.open == nil {
			continue
		}
		if ctx.Err() == nil {
			o.hand(ctx, l)
		}
		if l.open != nil {
			return fmt.Errorf("flushing: %w", context.Cause(ctx))
		}
	}
	return nil
}

// errClosed is the result of records that Close has cut off.
var errClosed = errors.New("output closed before the server has answered")

// Close sends what is left, within ctx. What has no answer then ends with an
// error.
func (o *output) Close(ctx context.Context) error {
	if o.client == nil {
		return nil
	}
	stop := context.AfterFunc(ctx, func() { o.cut(errClosed) })
	for _, l := range o.lanes {
		if l.open != nil {
			o.hand(o.base, l) // base ends with ctx
		}
		if l.open != nil {
			o.result(l, l.open.parts, outcome{fatal: context.Cause(o.base)})
		}
		close(l.ready)
	}
	o.ended.Wait()
	stop()
	o.cut(errClosed)
	o.client.Close()
	o.client, o.lanes, o.turn = nil, nil, 0
	return nil
}

// run sends the requests of a lane until Close.
func (o *output) run(l *lane) {
	for r := range l.ready {
		o.send(l, r, r.parts)
	}
}

func (o *output) now() time.Time {
	if o.env.Now == nil {
		return time.Now()
	}
	return o.env.Now()
}
