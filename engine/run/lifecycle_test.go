package run

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

var errAway = errors.New("server is away")

// start runs a pipeline beside the test.
func start(ctx context.Context, r *Runner) <-chan error {
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	return done
}

func running(t *testing.T, done <-chan error) {
	t.Helper()
	select {
	case err := <-done:
		t.Fatalf("Run has returned: %v", err)
	default:
	}
}

func TestDrainFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		in := memory("a", 1000, 1)
		slow := &enginetest.Output{OnWrite: func(context.Context, int, *engine.Batch) error {
			time.Sleep(time.Second)
			return nil
		}}
		p.input("in", in)
		p.proc("x", tag("x"), "input.mem.in")
		p.output("out", slow, "processor.f.x")
		store := checkpoint.NewMemory()
		r := p.runner(Options{Store: store})
		ctx, cancel := cancellable(t)
		done := start(ctx, r)
		time.Sleep(5500 * time.Millisecond)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		n := slow.Len()
		if n <= 5 || n > 100 {
			t.Fatalf("%d records arrived", n)
		}
		if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset != int64(n) {
			t.Errorf("stored %v, written %d", m, n)
		}
		if !in.Closed() {
			t.Error("the input was not closed")
		}
		misuse(t, in, slow)
	})
}

// hang makes an output hang in its n-th Write, until release; deaf: also when
// its context ends.
func hang(n int, release <-chan struct{}, deaf bool) *enginetest.Output {
	return &enginetest.Output{OnWrite: func(ctx context.Context, call int, _ *engine.Batch) error {
		if call < n {
			return nil
		}
		if deaf {
			<-release
			return nil
		}
		select {
		case <-release:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
}

func TestDrainTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		p.p.Settings.DrainTimeout = 7 * time.Second
		out := hang(3, nil, false)
		p.input("in", memory("a", 100, 2))
		p.output("out", out, "input.mem.in")
		store := checkpoint.NewMemory()
		r := p.runner(Options{Store: store})
		ctx, cancel := cancellable(t)
		done := start(ctx, r)
		synctest.Wait()
		cancel()
		begin := time.Now()
		err := <-done
		if !errors.Is(err, ErrAborted) || !strings.Contains(err.Error(), "output.mem.out holds 2 records") || !strings.Contains(err.Error(), "within 7s") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d != 7*time.Second {
			t.Errorf("it took %s", d)
		}
		if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset != 6 {
			t.Errorf("stored %v, confirmed are 6", m)
		}
	})
}

func TestAbort(t *testing.T) {
	t.Parallel()
	for _, when := range []string{"before", "running", "draining", "opening"} {
		t.Run(when, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlan(t)
				out := hang(3, nil, false)
				if when == "opening" {
					out.OnOpen = func(context.Context, int) error { return engine.Retry(errAway) }
				}
				p.input("in", memory("a", 100, 2))
				p.output("out", out, "input.mem.in")
				store := checkpoint.NewMemory()
				r := p.runner(Options{Store: store})
				ctx, cancel := cancellable(t)
				defer cancel()
				if when == "before" {
					r.Abort()
				}
				done := start(ctx, r)
				synctest.Wait()
				if when == "draining" {
					cancel()
					synctest.Wait()
				}
				begin := time.Now()
				r.Abort()
				r.Abort()
				err := <-done
				if d := time.Since(begin); d > time.Second {
					t.Errorf("it took %s", d)
				}
				if held := r.InFlight().Records > 0; held != errors.Is(err, ErrAborted) {
					t.Errorf("got %v with %d records in flight", err, r.InFlight().Records)
				}
				want := int64(out.Len())
				if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset != want {
					t.Errorf("stored %v, confirmed are %d", m, want)
				}
			})
		})
	}
}

// TestHungOutput: a component that does not even listen to its context cannot
// stop an abort.
func TestHungOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := newPlan(t)
		p.input("in", memory("a", 100, 2))
		p.output("out", hang(3, release, true), "input.mem.in")
		store := checkpoint.NewMemory()
		r := p.runner(Options{Store: store})
		done := start(t.Context(), r)
		synctest.Wait()
		begin := time.Now()
		r.Abort()
		err := <-done
		if !errors.Is(err, ErrAborted) || !strings.Contains(err.Error(), "left behind: output.mem.out") {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d > limits.AbortGrace {
			t.Errorf("it took %s", d)
		}
		if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset != 6 {
			t.Errorf("stored %v, confirmed are 6", m)
		}
		close(release)
	})
}

func TestFatalErrors(t *testing.T) {
	t.Parallel()
	errFatal := errors.New("no such table")
	tests := []struct {
		name  string
		build func(in *enginetest.Input, out *enginetest.Output)
		want  string
	}{
		{"open output", func(_ *enginetest.Input, out *enginetest.Output) {
			out.OnOpen = func(context.Context, int) error { return errFatal }
		}, "output.mem.out: opening: no such table"},
		{"open input", func(in *enginetest.Input, _ *enginetest.Output) {
			in.OnOpen = func(context.Context, int) error { return errFatal }
		}, "input.mem.in: opening: no such table"},
		{"read", func(in *enginetest.Input, _ *enginetest.Output) {
			in.OnRead = func(_ context.Context, call int) error {
				if call == 3 {
					return errFatal
				}
				return nil
			}
		}, "input.mem.in: reading: no such table"},
		{"write", func(_ *enginetest.Input, out *enginetest.Output) {
			out.OnWrite = func(_ context.Context, call int, _ *engine.Batch) error {
				if call == 3 {
					return errFatal
				}
				return nil
			}
		}, "output.mem.out: writing: no such table"},
		{"flush", func(_ *enginetest.Input, out *enginetest.Output) {
			out.Late = newRand(3)
			out.OnFlush = func(context.Context, int) error { return errFatal }
		}, "output.mem.out: flushing: no such table"},
		{"panic in write", func(_ *enginetest.Input, out *enginetest.Output) {
			out.OnWrite = func(_ context.Context, call int, _ *engine.Batch) error {
				if call == 3 {
					panic("at the disco")
				}
				return nil
			}
		}, "output.mem.out: panic: at the disco"},
		{"panic in read", func(in *enginetest.Input, _ *enginetest.Output) {
			in.OnRead = func(_ context.Context, call int) error { panic("at the disco") }
		}, "input.mem.in: panic: at the disco"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlan(t)
				in, out, other := memory("a", 100, 2), &enginetest.Output{}, &enginetest.Output{}
				in.Unbounded = true
				tt.build(in, out)
				p.input("in", in)
				p.input("other", &enginetest.Input{Unbounded: true})
				p.output("out", out, "input.mem.in")
				p.output("more", other, "input.mem.in", "input.mem.other")
				store := checkpoint.NewMemory()
				begin := time.Now()
				err := p.runner(Options{Store: store}).Run(t.Context())
				if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
					t.Fatalf("got %v, want %s", err, tt.want)
				}
				if d := time.Since(begin); d > time.Second {
					t.Errorf("it took %s", d)
				}
				m, _ := store.Load(t.Context())
				if got := m["input.mem.in/a"].Offset; got > int64(min(out.Len(), other.Len())) {
					t.Errorf("stored %d, but only %d and %d were written", got, out.Len(), other.Len())
				}
				if _, _, _, closes := out.Calls(); closes != 1 {
					t.Errorf("the output was closed %d times", closes)
				}
				misuse(t, in, other)
			})
		})
	}
}

func TestPanicOfAStepNamesIt(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.input("in", memory("a", 100, 2))
	p.proc("a", tag("1"), "input.mem.in")
	p.proc("b", processor{step: func(*record.Record) (bool, error) { panic("at the disco") }}, "processor.f.a")
	p.output("out", &enginetest.Output{}, "processor.f.b")
	var pe *PanicError
	if err := p.run(); !errors.As(err, &pe) || pe.Element != "processor.f.b" || !strings.Contains(string(pe.Stack), "lifecycle_test.go") {
		t.Errorf("got %v", err)
	}
}

func TestDoneTwiceIsABug(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.input("in", memory("a", 100, 2))
	p.output("out", &twice{}, "input.mem.in")
	if err := p.run(); err == nil || !strings.Contains(err.Error(), "output.mem.out: a bug: it confirmed a batch twice") {
		t.Errorf("got %v", err)
	}
}

type twice struct{ enginetest.Output }

func (o *twice) Write(ctx context.Context, b *engine.Batch, done func(error)) {
	o.Output.Write(ctx, b, func(err error) { done(err); done(err) })
}

func TestRunsOnce(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.input("in", memory("a", 10, 3))
	p.output("out", &enginetest.Output{}, "input.mem.in")
	r := p.runner(Options{})
	if err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := r.Run(t.Context()); err == nil {
		t.Error("a second Run did something")
	}
}

func TestCancelledBeforeRun(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	in, out := memory("a", 10, 3), &enginetest.Output{}
	p.input("in", in)
	p.output("out", out, "input.mem.in")
	ctx, cancel := cancellable(t)
	cancel()
	if err := p.runner(Options{}).Run(ctx); err != nil {
		t.Fatal(err)
	}
	misuse(t, in, out)
}

// TestDrainWhileOpening: nothing was read, so there is nothing to report.
func TestDrainWhileOpening(t *testing.T) {
	t.Parallel()
	for _, deaf := range []bool{false, true} {
		t.Run(fmt.Sprint(deaf), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlan(t)
				in, out := memory("a", 10, 3), &enginetest.Output{OnOpen: func(ctx context.Context, _ int) error {
					if deaf {
						return engine.Retry(errAway)
					}
					<-ctx.Done()
					return ctx.Err()
				}}
				p.input("in", in)
				p.output("out", out, "input.mem.in")
				ctx, cancel := cancellable(t)
				done := start(ctx, p.runner(Options{}))
				time.Sleep(10 * time.Second)
				cancel()
				if err := <-done; err != nil {
					t.Errorf("got %v", err)
				}
				if opens, writes, _, closes := out.Calls(); opens == 0 || writes > 0 || closes != 1 {
					t.Errorf("%d opens, %d writes, %d closes", opens, writes, closes)
				}
				misuse(t, in, out)
			})
		})
	}
}

// TestHungStore: a commit that hangs must not stop an abort, nor a second
// commit run beside it.
func TestHungStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		release := make(chan struct{})
		p := newPlan(t)
		in := memory("a", 10, 3)
		in.Unbounded = true
		p.input("in", in)
		p.output("out", &enginetest.Output{}, "input.mem.in")
		store := checkpoint.NewMemory()
		var calls atomic.Int32
		store.OnSave = func(map[string]engine.Position) error {
			calls.Add(1)
			<-release
			return nil
		}
		r := p.runner(Options{Store: store})
		done := start(t.Context(), r)
		time.Sleep(10 * time.Second)
		r.Abort()
		if err := <-done; err == nil || !strings.Contains(err.Error(), "left behind: commits") {
			t.Errorf("got %v", err)
		}
		if calls.Load() != 1 {
			t.Errorf("%d commits side by side", calls.Load())
		}
		close(release)
	})
}
