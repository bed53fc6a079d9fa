package command

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/flowrecords/flow/connections/command"
	"github.com/flowrecords/flow/engine"
)

// run is what one run of the program has got with confirm = "exit". A run may
// hold many batches, and a batch may take many runs.
type run struct {
	held    []*pending
	records int
	bytes   int64
}

// full reports that the run takes no more.
func (o *output) runFull() bool {
	return o.run.records >= o.cfg.RunRecords || o.run.bytes >= int64(o.cfg.RunBytes)
}

// writeRun adds a batch to the run. All answers come from the engine's own
// goroutine, within Write or Flush, so that no batch can overtake a failed one.
func (o *output) writeRun(ctx context.Context, b *engine.Batch, done func(error)) {
	if b.Len() == 0 {
		done(nil)
		return
	}
	p := o.resume[b]
	delete(o.resume, b)
	if p == nil {
		p = &pending{b: b}
	}
	p.done, p.answered = done, false
	for p.next < b.Len() {
		o.hold(p) // also of the run before: it must not overtake that one's batches
		if o.runFull() {
			if err := o.finishRun(ctx); err != nil {
				o.abandonRun(ctx, err)
			}
			if p.answered {
				return
			}
			o.hold(p)
		}
		o.frame(p, o.cfg.RunRecords-o.run.records, int64(o.cfg.RunBytes)-o.run.bytes)
		if len(o.buf) == 0 {
			continue // nothing of it is for the program
		}
		o.run.records += len(p.rows)
		o.run.bytes += int64(len(o.buf))
		if !o.feedRun(ctx) {
			return
		}
	}
	if len(p.rows) == 0 && len(o.run.held) == 1 {
		o.confirmRun(nil) // nothing of it was for the program
	}
}

// hold makes p, which is being written, a part of the run.
func (o *output) hold(p *pending) {
	if n := len(o.run.held); n == 0 || o.run.held[n-1] != p {
		o.run.held = append(o.run.held, p)
	}
}

// feedRun gives the run's program, which it starts where there is none, what
// was framed. false: the run has failed and all its batches are answered.
func (o *output) feedRun(ctx context.Context) bool {
	if o.child == nil {
		if err := o.start(logOutput); err != nil {
			o.failRun(err)
			return false
		}
		if d := o.cfg.Timeout; d > 0 {
			proc := o.child.proc
			o.child.timer = time.AfterFunc(d, func() {
				proc.Stop(context.Background(), fmt.Errorf("the run took longer than the timeout of %s", engine.DurationText(d)))
			})
		}
	}
	if o.feed(ctx) {
		return true
	}
	if err := o.finishRun(ctx); err != nil {
		o.abandonRun(ctx, err)
	}
	return false
}

// finishRun ends the program's standard input, waits for its end and answers
// all batches of the run that are complete, or all if it has failed. An error
// is that of ctx; nothing is answered then.
func (o *output) finishRun(ctx context.Context) error {
	if o.child == nil {
		o.confirmRun(nil) // nothing was for the program
		return nil
	}
	exit := o.settle(ctx, forEver)
	if o.child != nil {
		return exit
	}
	var e *command.ExitError
	switch {
	case exit == nil:
		o.again.Worked()
		o.confirmRun(nil)
	case errors.As(exit, &e) && e.Stopped == nil && slices.Contains(o.cfg.RefuseStatus, e.Status):
		o.again.Worked()
		o.confirmRun(fmt.Errorf("refused: %w", exit))
	default:
		o.failRun(judge(o.cfg, &o.again, exit))
	}
	return nil
}

// confirmRun answers the batches of a run that has read them; refused, if not
// nil, is why their records are bad.
func (o *output) confirmRun(refused error) {
	held := o.run.held
	o.run = run{}
	for _, p := range held {
		if refused != nil {
			for _, i := range p.rows {
				p.outcome.Add(i, refused)
			}
		}
		p.confirmed()
		if p.next == p.b.Len() {
			p.answered = true
			p.done(p.outcome.Err())
		}
	}
}

// failRun answers all batches of the run with err. What of them earlier runs
// have confirmed stays so.
func (o *output) failRun(err error) {
	held := o.run.held
	o.run = run{}
	for _, p := range held {
		p.rewind()
		if p.from > 0 {
			if o.resume == nil {
				o.resume = make(map[*engine.Batch]*pending)
			}
			o.resume[p.b] = p
		}
		p.answered = true
		p.done(err)
	}
}

// abandonRun ends a run that ctx has cut.
func (o *output) abandonRun(ctx context.Context, err error) {
	if o.child != nil {
		o.child.proc.Stop(ctx, context.Cause(ctx))
		_ = o.settle(context.WithoutCancel(ctx), 0) // err says why
	}
	o.failRun(err)
}
