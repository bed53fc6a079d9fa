package run

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
)

// promptInput is an input whose commits somebody waits for.
type promptInput struct {
	enginetest.CommittingInput
	committed chan int64
}

func (*promptInput) Prompt() {}

func (in *promptInput) Commit(ctx context.Context, sources []*engine.Source) error {
	err := in.CommittingInput.Commit(ctx, sources)
	for _, s := range sources {
		if p, ok := s.Confirmed(); ok && err == nil {
			in.committed <- p.Offset
		}
	}
	return err
}

// TestPromptCommits: what is confirmed is synced and committed long before the
// interval is over, never before the sync, and other inputs keep to the
// interval. Time stands still while goroutines work.
func TestPromptCommits(t *testing.T) {
	t.Parallel()
	for _, syncs := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPlan(t)
			p.p.Settings.CommitInterval = time.Hour
			in := &promptInput{committed: make(chan int64, 1000)}
			in.Partitions = memory("a", 20, 1).Partitions
			in.Unbounded, in.BatchRecords = true, 1
			in.OnRead = func(context.Context, int) error {
				time.Sleep(time.Second)
				return nil
			}
			other := memory("b", 20, 1)
			other.Unbounded = true
			plain := &enginetest.Output{}
			syncing := &enginetest.SyncingOutput{}
			var out engine.Output = plain
			if syncs {
				out = syncing
			}
			p.input("in", in)
			p.input("other", other)
			p.output("out", out, "input.mem.in", "input.mem.other")
			store := checkpoint.NewMemory()
			ctx, cancel := cancellable(t)
			defer cancel()
			done := start(ctx, p.runner(Options{Store: store}))
			began := time.Now()
			for want := int64(1); want <= 20; want++ {
				if got := <-in.committed; got != want {
					t.Fatalf("committed %d, want %d", got, want)
				}
				if syncs && int64(syncing.Synced()) < want {
					t.Fatalf("committed %d, synced %d", want, syncing.Synced())
				}
			}
			if took := time.Since(began); took > time.Minute {
				t.Errorf("it took %s, the interval is an hour", took)
			}
			if n := store.Saves(); n > 0 {
				t.Errorf("positions of the other input were stored %d times", n)
			}
			cancel()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		})
	}
}
