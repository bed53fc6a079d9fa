// Package command is the output that writes records to the standard input of a
// program.
package command

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/flowrecords/flow/connections/command"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

// output implements engine.Output for the three ways of confirming. Its fields
// belong to the goroutine of Write; what a program's reader shares with it
// stands in answers.
type output struct {
	cfg    *Config
	env    engine.Env
	framer *frame.Framer
	buf    []byte
	child  *child // nil: none is running

	again   command.Again              // confirm = "exit" and "written"
	run     run                        // confirm = "exit"
	resume  map[*engine.Batch]*pending // batches that a run has confirmed in part
	answers *answers                   // confirm = "ack"
}

// child is a running program.
type child struct {
	proc *command.Process
	// read is closed when the program's standard output has ended and been
	// dealt with.
	read chan struct{}
	// timer of the timeout; nil without one.
	timer *time.Timer
	// cut: it did not take all that was to be written.
	cut bool
	// killed: the end of the pipeline's context has ended it.
	killed atomic.Bool
}

func newOutput(c *Config, env engine.Env) *output {
	o := &output{cfg: c, env: env}
	if c.Confirm == confirmAck {
		o.answers = newAnswers(c)
	}
	return o
}

// Open implements engine.Output. The program is started when there is a record.
func (o *output) Open(context.Context) error {
	if err := o.cfg.Find(); err != nil {
		return err
	}
	var err error
	o.framer, err = frame.New(o.cfg.Options)
	return err
}

// Write implements engine.Output.
func (o *output) Write(ctx context.Context, b *engine.Batch, done func(error)) {
	switch o.cfg.Confirm {
	case confirmAck:
		o.writeAck(ctx, b, done)
	case confirmWritten:
		o.writeOnly(ctx, b, done)
	default:
		o.writeRun(ctx, b, done)
	}
}

// Flush implements engine.Output. Only a run holds records back; with the other
// ways of confirming the program has them already.
func (o *output) Flush(ctx context.Context) error {
	if o.cfg.Confirm != confirmExit {
		return nil
	}
	return o.finishRun(ctx)
}

// Close implements engine.Output.
func (o *output) Close(ctx context.Context) error {
	if o.cfg.Confirm == confirmExit {
		if err := o.finishRun(ctx); err != nil {
			o.abandonRun(ctx, err)
			return fmt.Errorf("waiting for %s: %w", o.cfg.Command[0], err)
		}
		return nil
	}
	child := o.child
	exit := o.quit(ctx)
	// Looked at behind the end: the kill of a pipeline that was cut may have been
	// on its way. One for want of time here may have cost records.
	killed := child != nil && child.killed.Load() && ctx.Err() == nil
	switch {
	case o.answers != nil && o.answers.broke() != nil:
		return o.answers.broke()
	case exit == nil:
	case o.cfg.Confirm == confirmWritten && !killed:
		return fmt.Errorf("the last records may be lost: %w", exit)
	case o.env.Logger != nil:
		// What it has answered is confirmed, and all else comes again; or the
		// pipeline has been cut, which is no mistake of the program.
		o.env.Logger.Warn("the command did not end well", "cause", exit)
	}
	return nil
}

// start starts the program; read deals with its standard output.
func (o *output) start(read func(*child)) error {
	proc, err := command.Start(&o.cfg.Program, o.env, true)
	if err != nil {
		return err
	}
	o.child = &child{proc: proc, read: make(chan struct{})}
	go o.child.watch()
	go func(c *child) {
		defer close(c.read)
		read(c)
	}(o.child)
	o.framer.Restart()
	return nil
}

// outsiderGrace is how long the standard output of a program that has ended is
// read on: a process that has left its group may hold it for ever.
const outsiderGrace = time.Second

// watch closes the program's standard output behind its end.
func (c *child) watch() {
	<-c.proc.Exited()
	t := time.NewTimer(outsiderGrace)
	defer t.Stop()
	select {
	case <-c.read:
	case <-t.C:
	}
	_ = c.proc.Stdout.Close() // only read from
}

func logOutput(c *child) { c.proc.LogOutput() }

// pending is a batch on its way.
type pending struct {
	b       *engine.Batch
	done    func(error)
	outcome frame.Outcome
	// Records before from are confirmed or refused, and mark belongs to it.
	// rows are those that were framed since, marks what outcome was before
	// each, next is the first that was not framed.
	from, next int
	mark       int64
	rows       []int
	marks      []int64
	answered   bool
}

// rewind makes all records that are not confirmed new ones.
func (p *pending) rewind() {
	p.outcome.Rewind(p.from, p.mark)
	p.next, p.rows, p.marks = p.from, p.rows[:0], p.marks[:0]
}

// confirmed says that what was framed is confirmed.
func (p *pending) confirmed() {
	p.from, p.mark = p.next, p.outcome.Mark()
	p.rows, p.marks = p.rows[:0], p.marks[:0]
}

// frame makes bytes of further records of p, up to both limits.
func (o *output) frame(p *pending, records int, size int64) {
	if cap(o.buf) > 4*limits.BatchBytes {
		o.buf = nil // a giant record's buffer is not kept
	}
	o.buf = o.buf[:0]
	for taken := 0; p.next < p.b.Len() && taken < records && (int64(len(o.buf)) < size || taken == 0); p.next++ {
		mark := p.outcome.Mark()
		var err error
		if o.buf, err = o.framer.Append(o.buf, p.b, p.next); p.outcome.Add(p.next, err) {
			p.rows, p.marks = append(p.rows, p.next), append(p.marks, mark)
			taken++
		}
	}
}

// errUnread is the end of a program that has not read everything.
var errUnread = errors.New("it closed its standard input before everything was read")

// feed writes what was framed to the program, waiting for as long as the
// program does not read. false: it could not, and settle is due. The end of ctx
// kills the program.
func (o *output) feed(ctx context.Context) bool {
	c := o.child
	stop := context.AfterFunc(ctx, func() {
		c.killed.Store(true)
		c.proc.Stop(ctx, context.Cause(ctx))
		_ = c.proc.Stdin.Close() // what holds the other end may have left the group
	})
	_, err := c.proc.Stdin.Write(o.buf)
	stop()
	c.cut = c.cut || err != nil
	return err == nil
}

// forEver is the patience of settle with a program that has all it needs.
const forEver = time.Duration(1<<63 - 1)

// settle ends the program's standard input, waits for the end of the program
// and returns what it says: nil for status 0 after everything was read. A
// program that goes on for longer than the patience is stopped. When ctx ends
// first the child stays, and settle may be called again.
func (o *output) settle(ctx context.Context, patience time.Duration) error {
	c := o.child
	_ = c.proc.Stdin.Close() // only the end is left to say
	if c.cut {
		patience = min(patience, o.cfg.StopGrace)
	}
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case <-c.proc.Exited():
	case <-t.C:
		var why error
		if c.cut {
			why = errUnread
		}
		c.proc.Stop(ctx, why)
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	exit := c.proc.Result()
	<-c.read
	if c.timer != nil {
		c.timer.Stop()
	}
	o.child = nil
	if exit == nil && c.cut {
		return fmt.Errorf("%s ended with status 0, but %w", o.cfg.Command[0], errUnread)
	}
	return exit
}

// quit ends the program for good: it may finish what it has within its grace.
func (o *output) quit(ctx context.Context) error {
	if o.child == nil {
		return nil
	}
	if err := o.settle(ctx, o.cfg.StopGrace); o.child == nil {
		return err
	}
	o.child.proc.Stop(ctx, context.Cause(ctx))
	return o.settle(context.WithoutCancel(ctx), 0)
}

// judge says what the end of a program that was to go on means for its batches.
func judge(cfg *Config, again *command.Again, exit error) error {
	ended := fmt.Errorf("%s ended with status 0 though more records were to come", cfg.Command[0])
	err := again.Judge(&cfg.Program, exit, fmt.Errorf(`%w (restart = "always" would start it again)`, ended))
	if err == nil {
		return &engine.RetryError{Err: ended, After: cfg.RestartPause}
	}
	return err
}

// writeOnly writes a batch with confirm = "written". It answers before it
// returns, so that no batch can overtake a failed one.
func (o *output) writeOnly(ctx context.Context, b *engine.Batch, done func(error)) {
	if o.child != nil {
		select {
		case <-o.child.proc.Exited():
			done(judge(o.cfg, &o.again, o.settle(ctx, 0)))
			return
		default:
			o.again.Worked() // it has outlived a batch
		}
	}
	if o.child == nil {
		if err := o.start(logOutput); err != nil {
			done(err)
			return
		}
	}
	p := &pending{b: b}
	o.frame(p, b.Len(), 1<<62)
	if len(o.buf) == 0 || o.feed(ctx) {
		done(p.outcome.Err())
		return
	}
	exit := o.settle(ctx, forEver)
	if ctx.Err() != nil {
		done(context.Cause(ctx))
		return
	}
	done(judge(o.cfg, &o.again, exit))
}
