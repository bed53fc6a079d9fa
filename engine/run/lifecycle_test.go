package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

func TestOpenRetriesUntilItWorks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		p.p.Settings.RetryMax = 5 * time.Second
		var log []string
		note := func(what string, fails int) func(context.Context, int) error {
			return func(_ context.Context, call int) error {
				log = append(log, what)
				if call < fails {
					return engine.Retry(errAway)
				}
				return nil
			}
		}
		in, out := memory("a", 10, 3), &enginetest.Output{OnOpen: note("output", 12)}
		in.OnOpen = note("input", 3)
		p.input("in", in)
		p.output("out", out, "input.mem.in")
		r := p.runner(Options{})
		begin := time.Now()
		done := start(t.Context(), r)
		synctest.Wait()
		running(t, done)
		if r.Ready() {
			t.Error("ready while the output cannot be opened")
		}
		if h := r.Health(); h[1].State != Retrying || !errors.Is(h[1].Cause, errAway) || h[0].State != Starting {
			t.Errorf("health %v", h)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		// Sinks first; each pause is half to all of 0.1, 0.2, ... 5 s.
		if want := append(slices.Repeat([]string{"output"}, 13), slices.Repeat([]string{"input"}, 4)...); !slices.Equal(log, want) {
			t.Errorf("opened in the order %v", log)
		}
		if d := time.Since(begin); d < 18*time.Second || d > 38*time.Second {
			t.Errorf("it took %s", d)
		}
		if n := r.Elements()[1].Retries.Load(); n != 12 {
			t.Errorf("%d retries counted", n)
		}
		expect(t, "records", out.Values(), want("a", 10, nil))
		misuse(t, in, out)
	})
}

func TestServerSaysHowLongToWait(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		in := memory("a", 10, 3)
		in.OnRead = func(_ context.Context, call int) error {
			if call == 1 {
				return &engine.RetryError{Err: errAway, After: time.Hour}
			}
			return nil
		}
		out := &enginetest.Output{}
		p.input("in", in)
		p.output("out", out, "input.mem.in")
		begin := time.Now()
		if err := p.run(); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(begin); d < time.Hour || d > time.Hour+time.Minute {
			t.Errorf("it took %s", d)
		}
		expect(t, "records", out.Values(), want("a", 10, nil))
	})
}

// TestRewriteInOrder: after a failure everything handed over is settled, then
// the failed batches are written again, in their order, before new ones.
func TestRewriteInOrder(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		out := &ordered{failFrom: 3, failures: 5}
		p.input("in", memory("a", 40, 2))
		p.output("out", out, "input.mem.in")
		store := checkpoint.NewMemory()
		r := p.runner(Options{Store: store})
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(t, "records", out.values, want("a", 40, nil))
		if out.failed < 5 {
			t.Errorf("only %d failures", out.failed)
		}
		if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset != 40 {
			t.Errorf("stored %v", m)
		}
	})
}

// ordered is an output as Kafka's idempotent producer is: after one failure
// all batches handed over fail, too. It answers at Flush only.
type ordered struct {
	failFrom, failures, failed int
	calls                      int
	held                       []func(error)
	batches                    [][]string
	values                     []string
}

func (o *ordered) Open(context.Context) error { return nil }

func (o *ordered) Write(_ context.Context, b *engine.Batch, done func(error)) {
	o.calls++
	var v []string
	for _, r := range enginetest.Records(b) {
		v = append(v, string(r.Value))
	}
	o.held, o.batches = append(o.held, done), append(o.batches, v)
	if len(o.held) == 5 {
		_ = o.Flush(context.Background())
	}
}

func (o *ordered) Flush(context.Context) error {
	held, batches := o.held, o.batches
	o.held, o.batches = nil, nil
	broken := false
	for i := range held {
		if o.calls > o.failFrom && i == 1 && o.failures > 0 {
			o.failures--
			broken = true
		}
		if broken {
			o.failed++
			// Answers come in any order.
			defer held[i](engine.Retry(errAway))
			continue
		}
		o.values = append(o.values, batches[i]...)
		held[i](nil)
	}
	return nil
}

func (o *ordered) Close(context.Context) error { return nil }

func TestIdleOutputIsFlushed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		in, out := memory("a", 10, 3), &ordered{}
		in.Unbounded = true
		p.input("in", in)
		p.output("out", out, "input.mem.in")
		r := p.runner(Options{})
		ctx, cancel := cancellable(t)
		done := start(ctx, r)
		time.Sleep(p.p.Settings.Linger + time.Nanosecond)
		synctest.Wait()
		if f := r.InFlight(); f.Records != 0 || f.Bytes != 0 {
			t.Errorf("in flight although the output is idle: %+v", f)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		expect(t, "records", out.values, want("a", 10, nil))
	})
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

// TestBudget: what is in flight never exceeds the limit, or is one batch.
func TestBudget(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		max     engine.ByteSize
		records int
		size    int
		peak    int64
	}{
		"small batches":  {10_000, 400, 999, 10_000},
		"giant batches":  {1000, 20, 50_000, 50_001},
		"exactly one":    {1000, 50, 999, 1000},
		"nothing at all": {64, 50, 0, 64},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := newPlan(t)
			p.p.Settings.MaxInFlight = tt.max
			in := &enginetest.Input{BatchRecords: 1}
			for k := range 3 {
				part := enginetest.Partition{ID: fmt.Sprint(k)}
				for range tt.records {
					part.Records = append(part.Records, enginetest.Record{Value: make([]byte, tt.size)})
				}
				in.Partitions = append(in.Partitions, part)
			}
			var peak atomic.Int64
			var r *Runner
			out := &enginetest.Output{Late: newRand(1), OnWrite: func(context.Context, int, *engine.Batch) error {
				peak.Store(max(peak.Load(), r.InFlight().Bytes))
				return nil
			}}
			p.input("in", in)
			p.proc("x", tag(""), "input.mem.in")
			p.output("out", out, "processor.f.x")
			r = p.runner(Options{})
			if err := r.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := r.budget.peak; got > tt.peak || got == 0 || peak.Load() > tt.peak {
				t.Errorf("%d bytes were in flight, the limit is %d and one batch %d", got, tt.max, tt.size)
			}
			if out.Len() != 3*tt.records || r.InFlight().Bytes != 0 {
				t.Errorf("%d records arrived; %d bytes left", out.Len(), r.InFlight().Bytes)
			}
		})
	}
}

func TestCommits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		p.p.Settings.CommitInterval = time.Second
		in := memory("a", 1000, 1)
		out := &enginetest.Output{OnWrite: func(context.Context, int, *engine.Batch) error {
			time.Sleep(100 * time.Millisecond)
			return nil
		}}
		p.input("in", in)
		p.output("out", out, "input.mem.in")
		store := checkpoint.NewMemory()
		saves, failures := []int64{}, 0
		store.OnSave = func(m map[string]engine.Position) error {
			if n := len(saves) + failures; n >= 3 && n < 6 {
				failures++
				return errAway
			}
			saves = append(saves, m["input.mem.in/a"].Offset)
			if got := m["input.mem.in/a"].Offset; got > int64(out.Len()) {
				t.Errorf("stored %d, written %d", got, out.Len())
			}
			return nil
		}
		r := p.runner(Options{Store: store})
		ctx, cancel := cancellable(t)
		done := start(ctx, r)
		time.Sleep(10*time.Second + time.Millisecond)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if failures != 3 || len(saves) != 8 || !slices.IsSorted(saves) || saves[len(saves)-1] != int64(out.Len()) {
			t.Errorf("%d failures, saved %v, written %d", failures, saves, out.Len())
		}
	})
}

func TestLastCommitFails(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.input("in", memory("a", 10, 3))
	p.output("out", &enginetest.Output{}, "input.mem.in")
	store := checkpoint.NewMemory()
	store.OnSave = func(map[string]engine.Position) error { return errAway }
	if err := p.runner(Options{Store: store}).Run(t.Context()); !errors.Is(err, errAway) {
		t.Errorf("got %v", err)
	}
}

func TestGoesOnFromTheStoredPosition(t *testing.T) {
	t.Parallel()
	store := checkpoint.NewMemory()
	var all []string
	for range 5 {
		p := newPlan(t)
		out := hang(2, nil, false)
		p.input("in", memory("a", 15, 2))
		p.output("out", out, "input.mem.in")
		r := p.runner(Options{Store: store})
		var once atomic.Bool
		write := out.OnWrite
		out.OnWrite = func(ctx context.Context, call int, b *engine.Batch) error {
			if call == 2 && once.CompareAndSwap(false, true) {
				r.Abort()
			}
			return write(ctx, call, b)
		}
		if err := r.Run(t.Context()); err != nil && !errors.Is(err, ErrAborted) {
			t.Fatal(err)
		}
		all = append(all, out.Values()...)
	}
	expect(t, "all runs", all, want("a", 15, nil))
}

func TestCommitterKeepsItsOwnPositions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		in := &enginetest.CommittingInput{OnCommit: func(call int) error {
			if call < 2 {
				return errAway
			}
			return nil
		}}
		in.Input.Partitions = memory("a", 10, 0).Partitions
		in.BatchRecords, in.Unbounded = 3, true
		p.input("in", in)
		p.output("out", &enginetest.Output{}, "input.mem.in")
		store := checkpoint.NewMemory()
		store.OnSave = func(map[string]engine.Position) error { return errAway }
		ctx, cancel := cancellable(t)
		done := start(ctx, p.runner(Options{Store: store}))
		time.Sleep(time.Minute)
		if pos, ok := in.Committed("a"); !ok || pos.Offset != 10 {
			t.Errorf("committed %v, %v", pos, ok)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

// TestEmptyBatchMovesTheWatermark: an input may pass over what is no record.
func TestEmptyBatchMovesTheWatermark(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.input("in", &gap{})
	p.output("out", &enginetest.Output{}, "input.mem.in")
	store := checkpoint.NewMemory()
	if err := p.runner(Options{Store: store}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if m, _ := store.Load(t.Context()); m["input.mem.in/g"].Offset != 77 {
		t.Errorf("stored %v", m)
	}
}

type gap struct {
	host engine.Host
	over bool
}

func (g *gap) Open(_ context.Context, h engine.Host) error { g.host = h; return nil }

func (g *gap) Read(ctx context.Context) (*engine.Batch, error) {
	if g.over {
		return nil, engine.ErrEnd
	}
	g.over = true
	b, err := g.host.NewBatch(ctx)
	if err == nil {
		g.host.Source(engine.SourceInfo{ID: "g"}).Begin(b, engine.Position{Offset: 77}, 0, nil)
	}
	return b, err
}

func (g *gap) Close(context.Context) error { return nil }

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
