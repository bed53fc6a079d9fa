// Package command is the input that reads the standard output of a program.
package command

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/flowrecords/flow/connections/command"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

// input is the command input. All fields belong to the goroutine of Read.
type input struct {
	cfg *Config
	env engine.Env

	host  engine.Host
	src   *engine.Source
	run   *run // nil between two runs
	again command.Again
	start time.Time // not before then
	base  int64     // offset of the first byte of the run
	ended error     // what Read returns from now on
}

// run is one run of the program.
type run struct {
	proc  *command.Process
	out   *pump
	cut   *framing.Cutter
	began time.Time
	timer *time.Timer // of the timeout; nil without one
	eof   bool
	last  bool // what follows the last complete record has been dealt with
}

func newInput(cfg *Config, env engine.Env) *input { return &input{cfg: cfg, env: env} }

// Open makes the source partition and looks for the program.
func (in *input) Open(_ context.Context, h engine.Host) error {
	if err := in.cfg.Find(); err != nil {
		return err
	}
	in.host = h
	in.src = h.Source(engine.SourceInfo{
		ID: "command", OffsetSeparator: "@",
		Meta: map[string]string{"command": in.cfg.Command[0], "input": in.env.Element},
	})
	return nil
}

// Read returns what has arrived, after at most the linger.
func (in *input) Read(ctx context.Context) (*engine.Batch, error) {
	for in.ended == nil {
		if in.run == nil {
			if err := in.begin(ctx); err != nil {
				return nil, err
			}
		}
		b, err := in.batch(ctx)
		if b != nil || err != nil {
			return b, err
		}
		if err := in.end(ctx); err != nil {
			var again *engine.RetryError
			if !errors.As(err, &again) && ctx.Err() == nil {
				in.ended = err
			}
			return nil, err
		}
	}
	return nil, in.ended
}

// begin waits for its time and starts the program.
func (in *input) begin(ctx context.Context) error {
	if wait := in.start.Sub(in.env.Now()); wait > 0 {
		t := time.NewTimer(wait)
		defer t.Stop()
		select {
		case <-t.C:
		case <-ctx.Done():
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	proc, err := command.Start(&in.cfg.Options, in.env, false)
	if err != nil {
		return err
	}
	in.run = &run{proc: proc, out: newPump(proc.Stdout, proc.Exited()), cut: framing.New(in.cfg.Config.Options(in.host.Limits()), 0), began: in.env.Now()}
	if d := in.cfg.Timeout; d > 0 {
		in.run.timer = time.AfterFunc(d, func() {
			proc.Stop(context.Background(), fmt.Errorf("it ran longer than the timeout of %s", engine.DurationText(d)))
		})
	}
	return nil
}

// batch returns the next batch of the run, nil when the run has no more.
func (in *input) batch(ctx context.Context) (*engine.Batch, error) {
	r := in.run
	if r.last {
		return nil, nil
	}
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	r.cut.Begin(b)
	err = in.fill(ctx)
	if err == nil && r.cut.Empty() {
		err = in.rest(ctx)
	}
	if err != nil || r.cut.Empty() {
		r.cut.Abandon()
		b.Release()
		return nil, err
	}
	f := r.cut.Finish()
	in.src.Begin(b, engine.Position{Offset: in.base + f.End}, in.base+f.First, f.Rows)
	if f.Err != nil {
		b.Failures = append(b.Failures[:0], engine.Failure{Reason: f.Err, Element: in.env.Element, Origin: b.Origin(0)})
	} else {
		in.again.Worked()
	}
	return b, nil
}

// fill reads until the batch is full, the linger is over or the output ends.
// Records that are there are delivered even when ctx has ended meanwhile.
func (in *input) fill(ctx context.Context) error {
	r := in.run
	var first time.Time // when the batch had its first record
	for !r.cut.Full() && !r.eof {
		wait := time.Duration(-1)
		multiline := false
		if !r.cut.Empty() {
			if first.IsZero() {
				first = in.env.Now()
			}
			wait = max(0, in.host.Limits().Linger-in.env.Now().Sub(first))
		} else if m := in.cfg.Multiline; m != nil && m.Timeout > 0 && r.cut.Pending() > 0 {
			wait, multiline = m.Timeout, true
		}
		n, err := r.out.read(ctx, r.cut.Space(), wait)
		if multiline && errors.Is(err, errNothing) {
			if r.cut.Flush(false); !r.cut.Empty() {
				return nil
			}
			// Only the piece of a line is there, which no timeout cuts.
			n, err = r.out.read(ctx, r.cut.Space(), -1)
		}
		if n > 0 {
			r.cut.Wrote(n)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			r.eof = true
		case !r.cut.Empty():
			return nil // errNothing, or ctx has ended
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			return fmt.Errorf("reading the output of %s: %w", in.cfg.Command[0], err)
		}
	}
	return nil
}

// rest deals with what stands behind the last complete record of an output
// that has ended: a record if the program is content, else bytes of which
// nobody knows whether they are all.
func (in *input) rest(ctx context.Context) error {
	r := in.run
	if err := in.wait(ctx); err != nil {
		return err
	}
	r.last = true
	if r.cut.Pending() == 0 {
		return nil
	}
	if err := r.proc.Result(); err != nil {
		r.cut.Fail(fmt.Errorf("the end of the record is missing: %w", err))
		return nil
	}
	r.cut.End()
	// More than one record may be left, or none: a lone line end of CSV.
	r.last = r.cut.Empty() || r.cut.Pending() == 0
	return nil
}

// wait waits for the end of the program.
func (in *input) wait(ctx context.Context) error {
	select {
	case <-in.run.proc.Exited():
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// end finishes a run and says how it goes on: nil for a further run.
func (in *input) end(ctx context.Context) error {
	if err := in.wait(ctx); err != nil {
		return err
	}
	r := in.run
	exit := r.proc.Result()
	in.base += r.cut.Offset()
	in.close(ctx)
	err := in.again.Judge(&in.cfg.Options, exit, engine.ErrEnd)
	var again *engine.RetryError
	switch {
	case in.cfg.Interval > 0 && exit == nil:
		in.start = in.next(r)
		return nil
	case errors.As(err, &again) && in.cfg.Interval > 0:
		again.After = max(again.After, in.next(r).Sub(in.env.Now()))
	case err == nil:
		in.start = in.env.Now().Add(in.cfg.RestartPause)
	}
	return err
}

// next is the first time of the schedule that is not over.
func (in *input) next(r *run) time.Time {
	late := max(0, in.env.Now().Sub(r.began)-1)
	return r.began.Add(late - late%in.cfg.Interval + in.cfg.Interval)
}

func (in *input) close(ctx context.Context) {
	r := in.run
	if r.timer != nil {
		r.timer.Stop()
	}
	r.proc.Stop(ctx, nil)
	r.out.close()
	in.run = nil
}

// Close ends the program.
func (in *input) Close(ctx context.Context) error {
	if in.run == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, limits.CloseTimeout)
	defer cancel()
	in.close(ctx)
	return nil
}
