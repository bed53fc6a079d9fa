package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/limits"
)

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

// TestCommitWhenMuchIsConfirmed: long before the interval is over, positions
// are stored each time that some times as much is confirmed as may be in flight. Time
// stands still while the pipeline works, so the interval never ends.
func TestCommitWhenMuchIsConfirmed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		p.p.Settings.CommitInterval = time.Hour
		p.p.Settings.MaxInFlight = 64 << 10
		const records, size = 4000, 1 << 10 // 62 times what may be in flight
		part := enginetest.Partition{ID: "a"}
		for range records {
			part.Records = append(part.Records, enginetest.Record{Value: make([]byte, size)})
		}
		store := checkpoint.NewMemory()
		before, out := 0, &enginetest.Output{}
		out.OnWrite = func(context.Context, int, *engine.Batch) error {
			time.Sleep(time.Millisecond) // lets the commit loop run
			before = store.Saves()
			return nil
		}
		p.input("in", &enginetest.Input{BatchRecords: 8, Partitions: []enginetest.Partition{part}})
		p.output("out", out, "input.mem.in")
		if err := p.runner(Options{Store: store}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if before < 10 {
			t.Errorf("%d commits before the end, want one for each %d times %d bytes", before, limits.CommitInFlights, p.p.Settings.MaxInFlight)
		}
	})
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

// TestLateNoticeOfARevokedSource: a handle that was replaced must not put back
// the position that its successor has stored.
func TestLateNoticeOfARevokedSource(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	p.input("in", &gap{})
	p.output("out", &enginetest.Output{}, "input.mem.in")
	store := checkpoint.NewMemory()
	r := p.runner(Options{Store: store})
	if err := r.commits.load(t.Context()); err != nil {
		t.Fatal(err)
	}
	h := r.inputs[0].host
	confirm := func(s *engine.Source, to int64) { s.Advance(engine.Position{Offset: to}) }
	stored := func() int64 {
		t.Helper()
		if err := r.commits.commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		m, err := store.Load(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return m["input.mem.in/p"].Offset
	}
	old := h.Source(engine.SourceInfo{ID: "p"})
	confirm(old, 5)
	if same := h.Source(engine.SourceInfo{ID: "p"}); same != old {
		t.Fatal("a second handle of one partition")
	}
	old.Revoke()
	next := h.Source(engine.SourceInfo{ID: "p"})
	if got := stored(); got != 5 {
		t.Errorf("stored %d; what was confirmed before the revoke counts", got)
	}
	confirm(old, 6)
	if got := stored(); got != 5 {
		t.Errorf("stored %d, which was confirmed after the revoke", got)
	}
	confirm(next, 10)
	h.moved(old)
	if got := stored(); got != 10 {
		t.Errorf("stored %d, want 10", got)
	}
	h.moved(old)
	if got := stored(); got != 10 {
		t.Errorf("stored %d: a late notice put the position back", got)
	}
}
