// Package stdin is the input that reads standard input.
package stdin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/inputs/internal/framing"
)

// input is the stdin input. All fields belong to the goroutine of Read.
type input struct {
	cfg  *Config
	env  engine.Env
	file *os.File

	host engine.Host
	src  *engine.Source
	from source
	cut  *framing.Cutter
	eof  bool
}

// source reads a file without hanging: read waits for bytes at most that long
// and returns errNothing if none came, or the cause when ctx ended. A negative
// wait has no end.
type source interface {
	read(ctx context.Context, p []byte, wait time.Duration) (int, error)
	close()
}

var errNothing = errors.New("nothing to read at the moment")

func newInput(config any, env engine.Env, file *os.File) (engine.Input, error) {
	cfg, ok := config.(*Config)
	if !ok {
		return nil, fmt.Errorf("the config of the stdin input is a %T", config)
	}
	return &input{cfg: cfg, env: env, file: file}, nil
}

// Open makes the source partition.
func (in *input) Open(_ context.Context, h engine.Host) error {
	in.host = h
	in.src = h.Source(engine.SourceInfo{
		ID: "stdin", OffsetSeparator: "@",
		Meta: map[string]string{"path": "stdin", "file": "stdin", "input": in.env.Element},
	})
	in.cut = framing.New(in.cfg.Options(h.Limits()), 0)
	in.from = newSource(in.file)
	return nil
}

// Read returns what has arrived, after at most the linger.
func (in *input) Read(ctx context.Context) (*engine.Batch, error) {
	b, err := in.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	in.cut.Begin(b)
	if err := in.fill(ctx); err != nil {
		in.cut.Abandon()
		b.Release()
		return nil, err
	}
	if in.cut.Empty() {
		in.cut.Abandon()
		b.Release()
		return nil, engine.ErrEnd
	}
	r := in.cut.Finish()
	in.src.Begin(b, engine.Position{Offset: r.End}, r.First, r.Rows)
	if r.Err != nil {
		b.Failures = append(b.Failures[:0], engine.Failure{Reason: r.Err, Element: in.env.Element, Origin: b.Origin(0)})
	}
	return b, nil
}

// fill reads until the batch is full, the linger is over or the input ends.
// Records that are there are delivered even when ctx has ended meanwhile.
func (in *input) fill(ctx context.Context) error {
	var first time.Time // when the batch had its first record
	for !in.cut.Full() && !in.eof {
		wait := time.Duration(-1)
		if !in.cut.Empty() {
			if first.IsZero() {
				first = in.env.Now()
			}
			wait = max(0, in.host.Limits().Linger-in.env.Now().Sub(first))
		} else if m := in.cfg.Multiline; m != nil && m.Timeout > 0 && in.cut.Pending() > 0 {
			wait = m.Timeout
		}
		n, err := in.from.read(ctx, in.cut.Space(), wait)
		if n > 0 {
			in.cut.Wrote(n)
		}
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			in.eof = true
			in.cut.End()
		case errors.Is(err, errNothing):
			if !in.cut.Empty() {
				return nil
			}
			in.cut.Flush(false)
			if in.cut.Empty() {
				// Only the piece of a line is there, which no timeout cuts.
				if err := in.more(ctx); err != nil {
					return err
				}
			}
		case !in.cut.Empty():
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		default:
			return fmt.Errorf("reading standard input: %w", err)
		}
	}
	return nil
}

// more waits for bytes without end.
func (in *input) more(ctx context.Context) error {
	n, err := in.from.read(ctx, in.cut.Space(), -1)
	if n > 0 {
		in.cut.Wrote(n)
	}
	if errors.Is(err, io.EOF) {
		in.eof = true
		in.cut.End()
		return nil
	}
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("reading standard input: %w", err)
	}
	return err
}

// Close ends reading. Standard input itself stays open.
func (in *input) Close(context.Context) error {
	if in.from != nil {
		in.from.close()
		in.from = nil
	}
	return nil
}
