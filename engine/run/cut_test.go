package run

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
)

// exactPlan is a plan that delivers exactly once, with a cut each second.
func exactPlan(t *testing.T) *plan {
	p := newPlan(t)
	p.p.Settings.Delivery = engine.ExactlyOnce
	p.p.Settings.CommitInterval = time.Second
	return p
}

// marking adds an output that can take back.
func (p *plan) marking(name string, from ...string) *enginetest.MarkingOutput {
	out := &enginetest.MarkingOutput{Target: &enginetest.MarkedTarget{}}
	p.output(name, out, from...).Delivery.Marks = true
	p.t.Cleanup(func() { misuse(p.t, out) })
	return out
}

func loaded(t *testing.T, s checkpoint.Store) map[string]engine.Position {
	t.Helper()
	m, err := s.Load(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestExactlyOnceIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		do   func(p *plan, o *Options)
		want string
	}{
		"no store":       {func(p *plan, o *Options) { o.Store = nil }, "needs a store"},
		"no marks":       {func(p *plan, _ *Options) { p.p.Elements[1].Delivery.Marks = false }, "output.mem.out cannot take back"},
		"lossy":          {func(p *plan, _ *Options) { p.p.Elements[1].Delivery.Lossy = "it may go" }, "output.mem.out may lose what it has confirmed: it may go"},
		"read once":      {func(p *plan, _ *Options) { p.p.Elements[0].Delivery.Once = "it is a pipe" }, "input.mem.in cannot be read again: it is a pipe"},
		"own positions":  {func(p *plan, _ *Options) { p.p.Elements[0].Delivery.Positions = "the sender" }, "positions kept by the sender"},
		"it is all well": {func(*plan, *Options) {}, ""},
		"keyed": {func(p *plan, _ *Options) {
			p.output("keyed", &enginetest.Output{}, "input.mem.in").Delivery.Idempotent = "the same id"
		}, ""},
		"discards": {func(p *plan, _ *Options) {
			p.output("drop", &enginetest.Output{}, "input.mem.in").Delivery.Discards = true
		}, ""},
		"resumes": {func(p *plan, _ *Options) {
			p.p.Elements[0].Delivery.Positions, p.p.Elements[0].Delivery.Resumes = "the group", true
		}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := exactPlan(t)
			p.input("in", memory("a", 1, 1))
			p.marking("out", "input.mem.in")
			o := Options{Store: checkpoint.NewMemory()}
			tt.do(p, &o)
			r, err := New(p.p, o)
			if err == nil {
				err = r.Run(t.Context())
			}
			if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// TestCutEndsWindows: what a window holds is confirmed for a cut, long before its
// time, and so is what an output holds until it is flushed.
func TestCutEndsWindows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := exactPlan(t)
		p.p.Settings.Linger = time.Minute
		in := memory("a", 10, 3)
		in.Unbounded = true
		p.input("in", in)
		p.proc("join", gather(100, time.Hour), "input.mem.in")
		out := p.marking("out", "processor.f.join")
		out.Late = newRand(1)
		store := checkpoint.NewMemory()
		ctx, cancel := cancellable(t)
		done := start(ctx, p.runner(Options{Store: store}))
		time.Sleep(1100 * time.Millisecond)
		m := loaded(t, store)
		if m["input.mem.in/a"].Offset != 10 || m["output.mem.out"].State != "1" {
			t.Errorf("after a cut there is stored %v", m)
		}
		if got := out.Target.Records(); len(got) != 1 || string(got[0].Value) != strings.Join(want("a", 10, nil), ",") {
			t.Errorf("the target holds %v", got)
		}
		saves := store.Saves()
		time.Sleep(time.Minute)
		if store.Saves() != saves {
			t.Errorf("%d cuts while nothing came", store.Saves()-saves)
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

// leaver is an input of two batches whose partition is taken away.
type leaver struct {
	host  engine.Host
	src   *engine.Source
	reads int
	// second is called before the second batch is returned; it runs in a
	// goroutine of its own.
	second func(in *leaver)
	gone   sync.WaitGroup
}

func (l *leaver) Open(_ context.Context, h engine.Host) error {
	l.host, l.src = h, h.Source(engine.SourceInfo{ID: "p"})
	return nil
}

func (l *leaver) Read(ctx context.Context) (*engine.Batch, error) {
	l.reads++
	if l.reads == 3 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if l.reads == 2 {
		time.Sleep(100 * time.Millisecond) // the first one is written
		l.gone.Go(func() { l.second(l) })
		time.Sleep(100 * time.Millisecond)
	}
	b, err := l.host.NewBatch(ctx)
	if err != nil {
		return nil, err
	}
	enginetest.Fill(b, values("a", 2*l.reads)[2*l.reads-2:]...)
	l.src.Begin(b, engine.Position{Offset: int64(2 * l.reads)}, int64(2*l.reads-2), nil)
	return b, nil
}

func (l *leaver) Close(context.Context) error {
	l.gone.Wait()
	return nil
}

// TestCutForAnInput: what has entered is stored when a partition is given up, and
// what has not is left out, since the next owner reads it.
func TestCutForAnInput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := exactPlan(t)
		p.p.Settings.CommitInterval = time.Hour
		store := checkpoint.NewMemory()
		var revoked engine.Position
		in := &leaver{second: func(in *leaver) {
			err := in.host.(engine.Cutter).Cut(t.Context(), func() {
				time.Sleep(time.Second) // the second batch waits at the gate
				if m := loaded(t, store); m["input.mem.in/p"].Offset != 2 || m["output.mem.out"].State != "2" {
					t.Errorf("stored when the partition is given up: %v", m)
				}
				revoked, _ = in.src.Revoke()
			})
			if err != nil {
				t.Error(err)
			}
		}}
		p.input("in", in)
		out := p.marking("out", "input.mem.in")
		ctx, cancel := cancellable(t)
		done := start(ctx, p.runner(Options{Store: store}))
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if revoked.Offset != 2 {
			t.Errorf("the next owner is told %v", revoked)
		}
		expect(t, "the target", texts(out.Target.Records()), want("a", 2, nil))
		if m := loaded(t, store); m["input.mem.in/p"].Offset != 2 {
			t.Errorf("stored %v", m)
		}
	})
}

// TestTakenAwayWithoutACut ends the run and asks for another one, which takes
// back what somebody else reads, too.
func TestTakenAwayWithoutACut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := exactPlan(t)
		in := &leaver{second: func(in *leaver) { in.src.Revoke() }}
		p.input("in", in)
		out := p.marking("out", "input.mem.in")
		store := checkpoint.NewMemory()
		err := p.runner(Options{Store: store}).Run(t.Context())
		var again *engine.RestartError
		if !errors.As(err, &again) || !strings.Contains(err.Error(), "input.mem.in: p was taken away while records of it were written") {
			t.Errorf("got %v", err)
		}
		if m := loaded(t, store); len(m) != 0 {
			t.Errorf("stored %v", m)
		}
		expect(t, "the target until it is taken back", texts(out.Target.Records()), want("a", 2, nil))
	})
}

// TestCutGivesUp: an output that does not confirm holds a rebalance up only for
// as long as its context says, and nothing is given up.
func TestCutGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := exactPlan(t)
		in := &leaver{second: func(in *leaver) {
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			defer cancel()
			begin := time.Now()
			err := in.host.(engine.Cutter).Cut(ctx, func() { t.Error("last was called") })
			if took := time.Since(begin); err == nil || took != 3*time.Second {
				t.Errorf("got %v after %s", err, took)
			}
		}}
		p.input("in", in)
		out := p.marking("out", "input.mem.in")
		out.OnWrite = func(ctx context.Context, call int, _ *engine.Batch) error {
			if call == 0 {
				time.Sleep(time.Minute)
			}
			return nil
		}
		store := checkpoint.NewMemory()
		ctx, cancel := cancellable(t)
		done := start(ctx, p.runner(Options{Store: store}))
		time.Sleep(2 * time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		expect(t, "the target", texts(out.Target.Records()), want("a", 4, nil))
		if err := in.host.(engine.Cutter).Cut(t.Context(), func() {}); !errors.Is(err, errNoCut) {
			t.Errorf("a cut behind the end: %v", err)
		}
	})
}

// TestGroupIsBehindTheCut: an input's own system is told a position only when it
// is stored with what the outputs hold, and begins at what is stored.
func TestGroupIsBehindTheCut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := exactPlan(t)
		in := &enginetest.CommittingInput{}
		in.Input.Partitions = memory("a", 100, 0).Partitions
		in.BatchRecords, in.Unbounded = 1, true
		p.input("in", in)
		out := &enginetest.Output{OnWrite: func(context.Context, int, *engine.Batch) error {
			time.Sleep(100 * time.Millisecond)
			return nil
		}}
		p.output("out", out, "input.mem.in").Delivery.Idempotent = "the same id"
		store := checkpoint.NewMemory()
		saved, fails := int64(0), 0
		store.OnSave = func(m map[string]engine.Position) error {
			if fails++; fails%2 == 1 {
				return errAway
			}
			saved = m["input.mem.in/a"].Offset
			return nil
		}
		in.OnCommit = func(int) error {
			if pos, ok := in.Source(0).Confirmed(); ok && pos.Offset > saved {
				t.Errorf("the group is told %d, stored is %d", pos.Offset, saved)
			}
			return nil
		}
		ctx, cancel := cancellable(t)
		done := start(ctx, p.runner(Options{Store: store}))
		time.Sleep(5 * time.Second)
		if pos, ok := in.Committed("a"); !ok || pos.Offset != saved || saved == 0 {
			t.Errorf("the group is told %v, stored is %d", pos, saved)
		}
		cancel()
		err := <-done
		if err != nil && !errors.Is(err, errAway) {
			t.Fatal(err)
		}
		at := loaded(t, store)["input.mem.in/a"].Offset

		// At least once, positions are the group's alone.
		for delivery, want := range map[string]int64{engine.ExactlyOnce: 100 - at, "at_least_once": 100} {
			p := newPlan(t)
			p.p.Settings.Delivery = delivery
			in := &enginetest.CommittingInput{}
			in.Input.Partitions = memory("a", 100, 0).Partitions
			p.input("in", in)
			out := p.marking("out", "input.mem.in")
			p.p.Elements[0].Delivery = engine.Delivery{Positions: "the group", Resumes: true}
			p.input("other", &enginetest.Input{}) // whose positions are loaded in any case
			rest := p.marking("rest", "input.mem.other")
			if delivery == engine.ExactlyOnce {
				out.Target = &enginetest.MarkedTarget{}
			} else {
				out.Restore("") // the fakes want it, and the engine does not call it
				rest.Restore("")
			}
			again := checkpoint.NewMemory()
			if err := again.Save(t.Context(), map[string]engine.Position{"input.mem.in/a": {Offset: at}}); err != nil {
				t.Fatal(err)
			}
			if err := p.runner(Options{Store: again}).Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			if got := int64(out.Len()); got != want {
				t.Errorf("%s: %d records, want %d", delivery, got, want)
			}
		}
	})
}
