package stdout

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"syscall"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/outputs/internal/frame"
)

// Factory describes stdout.
func Factory() engine.OutputFactory {
	return engine.OutputFactory{
		Component: engine.Component{
			Type:    "stdout",
			Summary: "Writes records to the standard output.",
			Description: "Writes each batch at once, in the formats of the file output. A record is confirmed when the terminal, pipe or file behind the standard output has taken it. " +
				"When the reader of a pipe goes away (`flow run ... | head`), the pipeline ends with an error that says so; unconfirmed records are read again next time.",
			Defaults: func() any { return Defaults() },
			Examples: []engine.Example{
				{Title: "Show what passes", HCL: `pipeline "show" {
  input "stdin" "in" {}

  output "stdout" "out" {}
}
`},
				{Title: "With key, headers and origin", HCL: `pipeline "show" {
  input "stdin" "in" {}

  output "stdout" "out" {
    format = "envelope"
  }
}
`},
			},
		},
		New: func(config any, _ engine.Env) (engine.Output, error) {
			return newOutput(config.(*Config), openStdout), nil
		},
		Delivery: func(any) engine.Delivery {
			return engine.Delivery{
				Confirms: "the terminal, pipe or file behind standard output has taken it",
				Lossy:    "what becomes of it behind standard output is not known",
			}
		},
	}
}

// errReaderGone ends the pipeline: nobody will take what is written.
var errReaderGone = errors.New("the reader of the standard output has gone away")

// output implements engine.Output. A goroutine of its own writes, from Open to
// Close, so that a reader that does not read cannot hold up a stop.
type output struct {
	cfg    *Config
	open   func() (io.WriteCloser, error)
	framer *frame.Framer
	buf    []byte
	w      io.WriteCloser

	todo   chan []byte // to the writing goroutine
	result chan error  // from it, one for each todo; capacity 1
	stuck  bool        // a write was given up; buf is its own
}

func newOutput(c *Config, open func() (io.WriteCloser, error)) *output {
	return &output{cfg: c, open: open}
}

// Open implements engine.Output.
func (o *output) Open(context.Context) error {
	if o.w != nil {
		return nil
	}
	var err error
	if o.framer, err = frame.New(o.cfg.Options); err != nil {
		return err
	}
	if o.w, err = o.open(); err != nil {
		return fmt.Errorf("opening the standard output: %w", err)
	}
	o.todo, o.result = make(chan []byte), make(chan error, 1)
	go writeAll(o.w, o.todo, o.result)
	return nil
}

// writeAll writes what arrives until todo is closed.
func writeAll(w io.WriteCloser, todo <-chan []byte, result chan<- error) {
	for p := range todo {
		_, err := w.Write(p)
		result <- err
	}
	_ = w.Close() // a duplicate; the standard output itself stays open
}

// Write implements engine.Output.
func (o *output) Write(ctx context.Context, b *engine.Batch, done func(error)) {
	if o.stuck {
		done(errors.New("an earlier write to the standard output was given up"))
		return
	}
	out, outcome := o.frame(b)
	if len(out) > 0 {
		if err := o.write(ctx, out); err != nil {
			done(err)
			return
		}
	}
	done(outcome.Err())
}

// frame copies the bytes of a batch: a write that is given up may still read
// them when the batch is the engine's again.
func (o *output) frame(b *engine.Batch) ([]byte, frame.Outcome) {
	if cap(o.buf) > 4*limits.BatchBytes {
		o.buf = nil // a giant record's buffer is not kept
	}
	o.buf = o.buf[:0]
	var outcome frame.Outcome
	for i := range b.Len() {
		var err error
		o.buf, err = o.framer.Append(o.buf, b, i)
		outcome.Add(i, err)
	}
	return o.buf, outcome
}

func (o *output) write(ctx context.Context, p []byte) error {
	o.todo <- p
	select {
	case err := <-o.result:
		return describe(err)
	case <-ctx.Done():
	}
	// The write that is given up may still happen, in part or as a whole, so
	// nothing may be written behind it: the pipeline ends with this error.
	select {
	case err := <-o.result:
		return describe(err)
	default:
		o.stuck = true
		return fmt.Errorf("writing to the standard output: %w", context.Cause(ctx))
	}
}

func describe(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EPIPE), errors.Is(err, io.ErrClosedPipe), errors.Is(err, os.ErrClosed):
		return errReaderGone
	}
	return fmt.Errorf("writing to the standard output: %w", err)
}

// Flush implements engine.Output; every Write is complete.
func (*output) Flush(context.Context) error { return nil }

// Close implements engine.Output.
func (o *output) Close(context.Context) error {
	if o.w == nil {
		return nil
	}
	close(o.todo)
	o.w = nil
	return nil
}
