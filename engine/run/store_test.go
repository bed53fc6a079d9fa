package run

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
)

// fickle is a store whose Load fails some times.
type fickle struct {
	*checkpoint.Memory
	left  atomic.Int32
	loads atomic.Int32
}

func (f *fickle) Load(ctx context.Context) (map[string]engine.Position, error) {
	f.loads.Add(1)
	if f.left.Add(-1) >= 0 {
		return nil, engine.Retry(errors.New("the store is away"))
	}
	return f.Memory.Load(ctx)
}

// TestStoreAwayAtStart: a pipeline waits for a store that is away, and stops
// without an error when it is told to.
func TestStoreAwayAtStart(t *testing.T) {
	t.Parallel()
	for name, tries := range map[string]int32{"comes back": 3, "stays away": 1 << 20} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlan(t)
				out := &enginetest.Output{}
				p.input("in", &enginetest.Input{Partitions: []enginetest.Partition{{ID: "a", Records: []enginetest.Record{{Value: []byte("1")}}}}})
				p.output("out", out, "input.mem.in")
				store := &fickle{Memory: checkpoint.NewMemory()}
				store.left.Store(tries)
				ctx, stop := context.WithTimeout(t.Context(), 10*time.Minute)
				defer stop()
				if err := p.runner(Options{Store: store}).Run(ctx); err != nil {
					t.Fatal(err)
				}
				want := 0
				if tries == 3 {
					want = 1
				}
				if out.Len() != want || store.loads.Load() < 4 {
					t.Errorf("%d records arrived after %d tries", out.Len(), store.loads.Load())
				}
			})
		})
	}
}

// TestStoreLost: when a store is another process', the pipeline ends with that
// error.
func TestStoreLost(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		p.p.Settings.CommitInterval = time.Second
		part := enginetest.Partition{ID: "a"}
		for range 10 {
			part.Records = append(part.Records, enginetest.Record{Value: []byte("1")})
		}
		out := &enginetest.Output{OnWrite: func(ctx context.Context, _ int, _ *engine.Batch) error {
			select {
			case <-time.After(time.Minute):
			case <-ctx.Done():
			}
			return nil
		}}
		p.input("in", &enginetest.Input{BatchRecords: 1, Partitions: []enginetest.Partition{part}})
		p.output("out", out, "input.mem.in")
		store := checkpoint.NewMemory()
		store.OnSave = func(map[string]engine.Position) error {
			return &checkpoint.LostError{Err: errors.New("taken by another process")}
		}
		err := p.runner(Options{Store: store}).Run(t.Context())
		if err == nil || !strings.Contains(err.Error(), "storing positions: taken by another process") {
			t.Errorf("it ends with %v", err)
		}
		if out.Len() == 10 {
			t.Error("it went on to the end")
		}
	})
}
