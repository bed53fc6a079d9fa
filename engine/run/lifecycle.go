package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/observe"
)

// Run opens outputs, then inputs, and moves records until all inputs have
// ended and everything is confirmed (nil), an error stops the pipeline, or
// ctx ends: then it drains within the pipeline's drain timeout and returns
// nil if everything in flight was confirmed, ErrAborted otherwise. It may be
// called once.
//
// In every case the positions of what was confirmed are committed and all
// components are closed before it returns, unless a component does not return
// itself: Run then goes without it and says which one.
func (r *Runner) Run(ctx context.Context) error {
	data, cut := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cut(nil)
	r.mu.Lock()
	if r.begun {
		r.mu.Unlock()
		return errors.New("a Runner runs once")
	}
	r.begun, r.cut = true, cut
	r.mu.Unlock()

	read, stopReading := context.WithCancelCause(data)
	defer stopReading(nil)
	p := &phases{r: r, tasks: newTasks(r.fail), data: data, read: read, stopReading: stopReading}
	// Commits and closing must go on after a cut, but not for ever.
	p.last = context.WithoutCancel(ctx)
	return p.run(ctx)
}

// phases is one run: the state of the goroutine that called Run.
type phases struct {
	r           *Runner
	tasks       *tasks
	data, read  context.Context
	stopReading context.CancelCauseFunc
	last        context.Context
	holding     string // what was in flight at a cut
	drain       <-chan time.Time
	stuck       []string
	noCommit    bool // a commit hangs: there must be no second one beside it
}

var errDrain = errors.New("the pipeline is asked to stop")

func (p *phases) run(ctx context.Context) error {
	r := p.r
	if err := r.commits.load(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // stopped before anything was read
		}
		return err
	}
	if t, ok := r.transacts(); ok {
		if err := t.open(ctx); err != nil {
			p.closeTransaction(p.last)
			if ctx.Err() != nil {
				return nil // stopped before anything was read
			}
			return err
		}
	}
	for _, o := range r.outputs {
		if o.marker != nil {
			mark, _ := r.commits.get(o.n.addr)
			o.marker.Restore(mark.State)
		}
	}
	// Sinks first.
	for _, o := range r.outputs {
		p.tasks.start(o.n.addr, o.n.at, func() error {
			if err := o.open(p.read); err != nil && p.read.Err() == nil {
				return err
			}
			return nil // open, or stopped before anything was read
		})
	}
	p.wait(ctx)
	if p.read.Err() == nil {
		stop := make(chan struct{})
		commits := newTasks(r.fail)
		commit, cutShort := context.WithCancel(p.data)
		defer cutShort()
		commits.start("commits", func() string { return "commits" }, func() error {
			if r.cuts != nil {
				return r.cuts.loop(p.data, r.settings.CommitInterval, stop)
			}
			return r.commits.loop(commit, r.settings.CommitInterval, stop)
		})
		p.move()
		p.wait(ctx)
		close(stop)
		// One that waits for a system that is away makes room for the last one,
		// which may wait for longer.
		defer time.AfterFunc(limits.AbortGrace/2, cutShort).Stop()
		if left := commits.wait(limits.AbortGrace); len(left) > 0 {
			p.stuck, p.noCommit = append(p.stuck, left...), true
		}
	}
	return p.finish()
}

// move starts everything that moves records.
func (p *phases) move() {
	r := p.r
	for _, o := range r.outputs {
		p.unit(o.n.addr, o.n.at, o, func() error { return o.run(p.data) })
	}
	for _, s := range r.stages {
		left := new(atomic.Int32)
		left.Store(int32(len(s.workers)))
		for _, w := range s.workers {
			p.tasks.start(s.name, w.at, func() error {
				err := w.run(p.data)
				if err == nil && left.Add(-1) == 0 {
					finished(s)
				}
				return err
			})
		}
	}
	for _, i := range r.inputs {
		p.unit(i.n.addr, i.n.at, i, func() error { return i.run(p.data, p.read) })
	}
}

// unit starts a unit of one goroutine.
func (p *phases) unit(name string, at func() string, u unit, f func() error) {
	p.tasks.start(name, at, func() error {
		err := f()
		if err == nil {
			finished(u)
		}
		return err
	})
}

// finished tells the readers of u that nothing more comes. It is not called
// after an error: the end of an edge means that all is well.
func finished(u unit) {
	for _, e := range u.outputs() {
		e.done()
	}
}

// wait returns when all goroutines have ended, or are given up on.
func (p *phases) wait(ctx context.Context) {
	r, done, stop := p.r, p.tasks.done(), ctx.Done()
	if p.read.Err() != nil {
		stop = nil
	}
	abort := r.abort
	for {
		select {
		case <-done:
			return
		case <-stop:
			stop = nil
			p.stopReading(errDrain)
			r.log.Info("stopping: finishing what is in flight", "timeout", r.settings.DrainTimeout)
			timer := time.NewTimer(r.settings.DrainTimeout)
			defer timer.Stop()
			p.drain = timer.C
		case <-p.drain:
			p.drain = nil
			p.cut(fmt.Errorf("%w: not confirmed within %s", ErrAborted, r.settings.DrainTimeout))
		case <-abort:
			abort = nil
			p.cut(ErrAborted)
		case <-p.data.Done():
			p.stuck = append(p.stuck, p.tasks.wait(limits.AbortGrace)...)
			return
		}
	}
}

// cut ends the data path and notes what it still held.
func (p *phases) cut(err error) {
	p.holding = p.r.holding()
	p.r.fail(err)
}

// holding describes where records in flight are.
func (r *Runner) holding() string {
	var parts []string
	add := func(records int64, addr string) {
		if records > 0 {
			parts = append(parts, fmt.Sprintf("%s holds %d records", addr, records))
		}
	}
	for _, i := range r.inputs {
		add(i.waiting.Load(), i.n.addr)
	}
	for _, s := range r.stages {
		add(s.holding.Load(), s.name)
	}
	for _, o := range r.outputs {
		_, records := o.left()
		add(int64(records), o.n.addr)
	}
	for _, e := range r.Edges() {
		if e.Batches > 0 {
			parts = append(parts, fmt.Sprintf("%d batches wait before %s", e.Batches, e.To))
		}
	}
	return strings.Join(parts, "; ")
}

// finish closes the outputs, commits what is confirmed, closes the inputs and
// makes the result.
func (p *phases) finish() error {
	r := p.r
	ctx, cancel := context.WithTimeout(p.last, closeTimeout)
	defer cancel()
	stuck := make(map[string]bool)
	for _, s := range p.stuck {
		stuck[s] = true
	}
	if r.cuts != nil {
		p.lastCut(ctx, stuck)
	} else {
		p.lastSync(ctx, stuck)
	}
	p.step(func(t *tasks) {
		for _, o := range r.outputs {
			if o.opened && !stuck[o.n.addr] {
				t.start(o.n.addr, o.n.at, func() error { return closed(o.n, o.out.Close(ctx)) })
			}
		}
	})
	p.closeTransaction(ctx)
	// Closing an output may have confirmed more.
	p.step(func(t *tasks) {
		const name = "the last commit"
		if p.noCommit || r.cuts != nil { // what is confirmed now is not in the last cut
			return
		}
		t.start(name, func() string { return name }, func() error { return r.commits.commit(ctx) })
	})
	p.step(func(t *tasks) {
		for _, i := range r.inputs {
			if i.opened && !stuck[i.n.addr] {
				t.start(i.n.addr, i.n.at, func() error { return closed(i.n, i.in.Close(ctx)) })
			}
		}
	})
	p.closeConverters(ctx, stuck)
	return p.result()
}

// closeConverters closes those that nothing uses any more: a worker that does
// not return may still decode.
func (p *phases) closeConverters(ctx context.Context, stuck map[string]bool) {
	decodes := make(map[*node]string)
	for _, s := range p.r.stages {
		if s.decoder != nil {
			decodes[s.decoder] = s.name
		}
	}
	p.step(func(t *tasks) {
		for _, o := range p.r.outputs {
			if o.convs.opened > 0 && !stuck[o.n.addr] {
				t.start(o.n.addr, o.n.at, func() error { return o.convs.close(ctx) })
			}
		}
		for _, i := range p.r.inputs {
			if i.convs.opened > 0 && !stuck[i.n.addr] && !stuck[decodes[i.n]] {
				t.start(i.n.addr, i.n.at, func() error { return i.convs.close(ctx) })
			}
		}
	})
}

// step starts goroutines of the end and waits for them, but not for ever.
func (p *phases) step(start func(*tasks)) {
	t := newTasks(p.r.fail)
	start(t)
	p.stuck = append(p.stuck, t.wait(closeTimeout+limits.AbortGrace)...)
}

func closed(n *node, err error) error {
	n.setState(Ended, nil)
	if err != nil {
		return fmt.Errorf("%s: closing: %w", n.addr, err)
	}
	return nil
}

func (p *phases) result() error {
	err := p.r.failure()
	flying := p.r.InFlight()
	switch {
	case err == nil && flying.Records > 0:
		// Everything has ended well, so everything must be confirmed.
		err = fmt.Errorf("a bug: %d records were neither confirmed nor refused; they are read again next time", flying.Records)
	case errors.Is(err, ErrAborted) && flying.Records == 0 && len(p.stuck) == 0:
		return nil
	case errors.Is(err, ErrAborted) && p.holding != "":
		err = fmt.Errorf("%w: %s", err, p.holding)
	}
	if len(p.stuck) > 0 {
		err = errors.Join(err, fmt.Errorf("these do not return and were left behind: %s", list(p.stuck)))
	}
	return err
}

var _ unit = (*input)(nil)
var _ engine.Host = (*host)(nil)
var _ observe.Pipeline = (*Runner)(nil)
