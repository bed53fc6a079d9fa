package kafka

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/flowrecords/flow/engine"
)

// cutHost is the host of a pipeline that delivers exactly once.
type cutHost struct {
	*testHost
	stored map[string]engine.Position

	mu   sync.Mutex // guards all below
	cuts int
	fail error
	// before runs first in Cut, after behind last.
	before, after func()
}

func (h *cutHost) Stored(id string) (engine.Position, bool) {
	p, ok := h.stored[id]
	return p, ok
}

func (h *cutHost) Cut(_ context.Context, last func()) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.cuts++
	h.before()
	if h.fail != nil {
		return h.fail
	}
	last()
	h.after()
	return nil
}

func exactInput(t *testing.T, c *kfake.Cluster, h engine.Host, edit func(*Config)) *Input {
	t.Helper()
	config := Defaults()
	config.Connection, config.Group = connect(c), "g"
	edit(config)
	in, err := New(config, engine.Env{Pipeline: "test", Element: "input.kafka.in"})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Open(testContext(t), h); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeInput(t, in) })
	return in
}

// TestBeginsAtTheCut: what the outputs hold counts, unless the group has come
// further with another worker.
func TestBeginsAtTheCut(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name          string
		group, stored int64 // -1: none
		want          int64
	}{
		{"neither", -1, -1, 0},
		{"no group position", -1, 4, 4},
		{"the group is behind", 2, 7, 7},
		{"the group is ahead", 8, 3, 8},
		{"no cut", 5, -1, 5},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(1, "orders"))
			produce(t, c, numbered("orders", 0, 0, 10)...)
			if tt.group >= 0 {
				h := newHost()
				in := testInput(t, c, h, func(c *Config) { c.Topics, c.Until = []string{"orders"}, "end" })
				for _, b := range readN(t, in, 10) {
					b.Release() // only the position matters
				}
				src := h.source("orders/0")
				b := engine.NewBatch()
				fresh := engine.NewSource(src.Info(), nil, nil)
				fresh.Begin(b, engine.Position{Offset: tt.group}, 0, nil)
				b.Done()
				pos, _ := fresh.Confirmed()
				offsets := offsetMap{}
				offsets.add(partitionID{"orders", 0}, pos)
				if err := commit(testContext(t), in.client, offsets); err != nil {
					t.Fatal(err)
				}
				closeInput(t, in)
			}
			h := &cutHost{testHost: newHost(), stored: map[string]engine.Position{}, before: func() {}, after: func() {}}
			if tt.stored >= 0 {
				h.stored["orders/0"] = engine.Position{Offset: tt.stored, Epoch: -1}
			}
			in := exactInput(t, c, h, func(c *Config) { c.Topics, c.Until = []string{"orders"}, "end" })
			b, err := in.Read(testContext(t))
			if err != nil {
				t.Fatal(err)
			}
			if got := b.Offset(0); got != tt.want {
				t.Errorf("it begins at %d, want %d", got, tt.want)
			}
			confirm(b)
		})
	}
}

// TestCutBeforeARevoke: partitions are given up in a cut, and the next owner
// begins at its end; or, where there is no cut, at what was committed before.
func TestCutBeforeARevoke(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		fail error
		want int64
	}{
		{"stored", nil, 10},
		{"not stored", errors.New("an output is away"), 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := startCluster(t, kfake.SeedTopics(2, "orders"))
			produce(t, c, numbered("orders", 0, 0, 10)...)
			produce(t, c, numbered("orders", 1, 100, 10)...)
			h1 := &cutHost{testHost: newHost(), fail: tt.fail}
			held := map[string]*engine.Batch{}
			revoked := make(chan int, 10)
			h1.before = func() {
				if tt.fail == nil { // the pipeline confirms, and stores
					for _, b := range held {
						confirm(b)
					}
				}
			}
			h1.after = func() {
				n := 0
				for id := range held {
					if h1.source(id).Revoked() {
						n++
					}
				}
				revoked <- n
			}
			in1 := exactInput(t, c, h1, live("orders"))
			batches1, _ := reader(t, in1)
			h1.mu.Lock()
			for range 2 {
				b := receive(t, batches1)
				held[b.Source().Info().ID] = b
			}
			h1.mu.Unlock()

			in2 := testInput(t, c, newHost(), live("orders"))
			batches2, _ := reader(t, in2)
			if tt.fail == nil {
				if n := <-revoked; n != 1 {
					t.Errorf("%d partitions were revoked in the cut, want 1", n)
				}
				produce(t, c, numbered("orders", 0, 10, 1)...)
				produce(t, c, numbered("orders", 1, 110, 1)...)
			}
			if b := receive(t, batches2); b.Offset(0) != tt.want {
				t.Errorf("the next owner begins at %d, want %d", b.Offset(0), tt.want)
			}
			h1.mu.Lock()
			defer h1.mu.Unlock()
			if h1.cuts == 0 {
				t.Error("nobody asked for a cut")
			}
		})
	}
}
