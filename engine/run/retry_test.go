package run

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
)

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
