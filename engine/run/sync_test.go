package run

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
)

// TestPositionsWaitForSync: a stored position never passes what the output has
// synced, at intervals, at a drain, after an abort, and while syncs fail.
func TestPositionsWaitForSync(t *testing.T) {
	t.Parallel()
	for _, end := range []string{"drain", "abort", "end"} {
		t.Run(end, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlan(t)
				in := memory("a", 100, 1)
				out := &enginetest.SyncingOutput{OnSync: func(_ context.Context, call int) error {
					if call == 2 || call == 3 {
						return engine.Retry(errAway)
					}
					return nil
				}}
				out.OnWrite = func(context.Context, int, *engine.Batch) error {
					time.Sleep(100 * time.Millisecond)
					return nil
				}
				p.input("in", in)
				p.output("out", out, "input.mem.in")
				store := checkpoint.NewMemory()
				var saves []int64
				store.OnSave = func(m map[string]engine.Position) error {
					got := m["input.mem.in/a"].Offset
					saves = append(saves, got)
					if got > int64(out.Synced()) {
						t.Errorf("stored %d, synced %d", got, out.Synced())
					}
					return nil
				}
				r := p.runner(Options{Store: store})
				ctx, cancel := cancellable(t)
				defer cancel()
				done := start(ctx, r)
				if end != "end" {
					time.Sleep(6500 * time.Millisecond)
				}
				switch end {
				case "drain":
					cancel()
				case "abort":
					r.Abort()
				}
				if err := <-done; err != nil && !errors.Is(err, ErrAborted) {
					t.Fatal(err)
				}
				if len(saves) < 4 || !slices.IsSorted(saves) || saves[len(saves)-1] != int64(len(out.Confirmed())) {
					t.Errorf("saved %v, confirmed %d", saves, len(out.Confirmed()))
				}
				misuse(t, in, out)
			})
		})
	}
}

func TestFailedSyncStops(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		in := memory("a", 100, 1)
		in.Unbounded = true
		p.input("in", in)
		p.output("out", &enginetest.SyncingOutput{OnSync: func(context.Context, int) error { return errBroken }}, "input.mem.in")
		store := checkpoint.NewMemory()
		err := p.runner(Options{Store: store}).Run(t.Context())
		if !errors.Is(err, errBroken) || !strings.HasPrefix(err.Error(), "output.mem.out: syncing:") {
			t.Errorf("got %v", err)
		}
		if store.Saves() != 0 {
			t.Error("a position was stored without a sync")
		}
	})
}

// TestSyncOfABusyOutput: an output that waits to try again holds up neither an
// abort nor the positions for ever.
func TestSyncOfABusyOutput(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		in := memory("a", 100, 1)
		out := &enginetest.SyncingOutput{}
		out.OnWrite = func(_ context.Context, call int, _ *engine.Batch) error {
			if call == 20 {
				return &engine.RetryError{Err: errAway, After: time.Hour}
			}
			return nil
		}
		p.input("in", in)
		p.output("out", out, "input.mem.in")
		store := checkpoint.NewMemory()
		r := p.runner(Options{Store: store})
		done := start(t.Context(), r)
		time.Sleep(10 * time.Minute)
		r.Abort()
		begin := time.Now()
		if err := <-done; !errors.Is(err, ErrAborted) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(begin); d > time.Second {
			t.Errorf("it took %s", d)
		}
		if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset != 20 {
			t.Errorf("stored %v, confirmed are 20", m)
		}
	})
}

// skipping leaves out what ends with 7, and refuses what ends with 8.
type skipping struct{ enginetest.Output }

func (o *skipping) Write(_ context.Context, b *engine.Batch, done func(error)) {
	skipped := &engine.Skipped{Reason: "seven"}
	refused := &engine.RecordErrors{Reasons: map[int]error{}}
	for i, r := range enginetest.Records(b) {
		switch r.Value[len(r.Value)-1] {
		case '7':
			skipped.Records++
		case '8':
			refused.Reasons[i] = errBroken
		}
	}
	switch {
	case skipped.Records > 0 && len(refused.Reasons) > 0:
		done(errors.Join(skipped, refused))
	case skipped.Records > 0:
		done(skipped)
	case len(refused.Reasons) > 0:
		done(refused)
	default:
		done(nil)
	}
}

func TestSkippedRecordsAreCounted(t *testing.T) {
	t.Parallel()
	for _, batch := range []int{1, 2, 100} {
		p := newPlan(t)
		bad := &enginetest.Output{}
		p.input("in", memory("a", 100, batch))
		p.output("out", &skipping{}, "input.mem.in")
		p.output("bad", bad, "errors")
		store := checkpoint.NewMemory()
		r := p.runner(Options{Store: store})
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		e := r.Elements()[1]
		if e.In.Load() != 100 || e.Out.Load() != 80 || e.Dropped.Load() != 10 || e.Errors.Load() != 10 || e.Reason() != "seven" || bad.Len() != 10 {
			t.Errorf("in %d, out %d, dropped %d (%s), errors %d", e.In.Load(), e.Out.Load(), e.Dropped.Load(), e.Reason(), e.Errors.Load())
		}
		if m, _ := store.Load(t.Context()); m["input.mem.in/a"].Offset != 100 {
			t.Errorf("stored %v", m)
		}
	}
}
