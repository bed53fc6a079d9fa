package run

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/checkpoint"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func texts(list []enginetest.Record) []string {
	s := make([]string, len(list))
	for i, r := range list {
		s[i] = string(r.Value)
	}
	return s
}

// TestWindowsByCount: windows never mix partitions, the end of data ends those
// that are open, and each has the origin of its last record.
func TestWindowsByCount(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	out := &enginetest.Output{}
	p.input("in", &enginetest.Input{BatchRecords: 5, Partitions: []enginetest.Partition{{ID: "a", Records: values("a", 8)}, {ID: "b", Records: values("b", 3)}}})
	p.proc("window", gather(3, time.Hour), "input.mem.in")
	p.output("out", out, "processor.f.window")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	got := texts(out.Confirmed())
	slices.Sort(got)
	if want := []string{"a0,a1,a2", "a3,a4,a5", "a6,a7", "b0,b1,b2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	for _, r := range out.Confirmed() {
		last := string(r.Value[strings.LastIndexByte(string(r.Value), ',')+1:])
		if want := last[1:]; fmt.Sprint(r.Offset) != want {
			t.Errorf("window %q has offset %d, want %s", r.Value, r.Offset, want)
		}
	}
}

// TestWindowsByTime: a window ends a period after its first record although
// nothing comes, and its records are unconfirmed until then.
func TestWindowsByTime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		p.p.Settings.CommitInterval = 100 * time.Millisecond
		in, out, store := memory("a", 4, 2), &enginetest.Output{}, checkpoint.NewMemory()
		in.Unbounded = true
		p.input("in", in)
		p.proc("window", gather(100, 10*time.Second), "input.mem.in")
		p.output("out", out, "processor.f.window")
		r := p.runner(Options{Store: store})
		ctx, cancel := cancellable(t)
		done := start(ctx, r)
		time.Sleep(10*time.Second - time.Millisecond)
		synctest.Wait()
		if out.Len() != 0 || store.Saves() != 0 || r.InFlight().Records != 4 {
			t.Errorf("before the period is over %d windows came, %d positions were stored, %d records are in flight", out.Len(), store.Saves(), r.InFlight().Records)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if got := texts(out.Confirmed()); !slices.Equal(got, []string{"a0,a1,a2,a3"}) || store.Saves() != 1 {
			t.Errorf("after the period %q came and %d positions were stored", got, store.Saves())
		}
		cancel()
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

// TestWindowsLeaveRoom: windows that would hold all that may be in flight, here
// with what was dropped in front of them, end early instead of holding up the
// input until their period is over.
func TestWindowsLeaveRoom(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name                string
		inFlight, batch     engine.ByteSize
		parallel, inARow    bool
		partitions, records int
	}{
		{"one", 200, 20, false, false, 1, 400},
		{"many partitions", 200, 20, false, false, 7, 100},
		{"two side by side", 200, 20, true, false, 1, 400},
		{"two in a row", 200, 20, false, true, 1, 400},
		{"no room for a batch", 20, 200, false, false, 1, 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				p := newPlan(t)
				p.p.Settings.MaxInFlight, p.p.Settings.BatchBytes = tt.inFlight, tt.batch
				in := &enginetest.Input{BatchRecords: 5}
				for i := range tt.partitions {
					prefix := string(rune('a' + i))
					in.Partitions = append(in.Partitions, enginetest.Partition{ID: prefix, Records: values(prefix, tt.records)})
				}
				p.input("in", in)
				p.proc("few", filter(func(n int) bool { return n%5 == 0 }), "input.mem.in")
				windows := []string{"processor.f.window"}
				p.proc("window", gather(1000, time.Hour), "processor.f.few")
				if tt.parallel {
					p.proc("window2", gather(1000, time.Hour), "processor.f.few")
					windows = append(windows, "processor.f.window2")
				}
				if tt.inARow {
					p.proc("outer", gather(1000, time.Hour), windows...)
					windows = []string{"processor.f.outer"}
				}
				out := &enginetest.Output{}
				p.output("out", out, windows...)
				begin := time.Now()
				if err := p.run(); err != nil {
					t.Fatal(err)
				}
				if took := time.Since(begin); took >= time.Minute {
					t.Errorf("it took %v", took)
				}
				count := 0
				for _, w := range texts(out.Confirmed()) {
					count += strings.Count(w, ",") + 1
				}
				if want := len(windows) * tt.partitions * tt.records / 5; count != want {
					t.Errorf("%d records came, want %d", count, want)
				}
				if out.Len() < 2*len(windows)*tt.partitions {
					t.Errorf("%d windows came: nothing was short of room", out.Len())
				}
			})
		})
	}
}

// TestRefusedWindow: a window that an output refuses goes to the errors edge
// whole, and then its records count as confirmed.
func TestRefusedWindow(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	out, errs := &enginetest.Output{Refuse: func(r enginetest.Record) error {
		if strings.Contains(string(r.Value), "a4") {
			return errBroken
		}
		return nil
	}}, &enginetest.Output{}
	in, store := memory("a", 9, 2), checkpoint.NewMemory()
	p.input("in", in)
	p.proc("window", gather(3, time.Hour), "input.mem.in")
	p.output("out", out, "processor.f.window")
	p.output("errors", errs, "errors")
	if err := p.runner(Options{Store: store}).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := texts(errs.Confirmed()); !slices.Equal(got, []string{"a3,a4,a5"}) {
		t.Errorf("refused: %q", got)
	}
	m, err := store.Load(t.Context())
	if err != nil || m["input.mem.in/a"].Offset != 9 {
		t.Errorf("stored %v, %v", m, err)
	}
}

// TestAbortInWindow: what a window holds at an abort is read again.
func TestAbortInWindow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		in, store := memory("a", 5, 2), checkpoint.NewMemory()
		in.Unbounded = true
		out := &enginetest.Output{}
		p.input("in", in)
		p.proc("window", gather(4, time.Hour), "input.mem.in")
		p.output("out", out, "processor.f.window")
		r := p.runner(Options{Store: store})
		done := start(t.Context(), r)
		time.Sleep(time.Second)
		r.Abort()
		if err := <-done; !errors.Is(err, ErrAborted) {
			t.Errorf("got %v", err)
		}
		m, err := store.Load(t.Context())
		if got := texts(out.Confirmed()); err != nil || m["input.mem.in/a"].Offset != 4 || !slices.Equal(got, []string{"a0,a1,a2,a3"}) {
			t.Errorf("stored %v, confirmed %q, %v", m, got, err)
		}
	})
}

// TestGate: records pass in their order, as many as the gate says.
func TestGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		sizes := []int{}
		var batches []int
		out := &enginetest.Output{OnWrite: func(_ context.Context, _ int, b *engine.Batch) error {
			batches = append(batches, b.Len())
			return nil
		}}
		p.input("in", memory("a", 12, 6))
		p.proc("gate", processor{readOnly: true, gate: func(ctx context.Context, n int, size func(int) int) (int, error) {
			sizes = append(sizes, n, size(0))
			time.Sleep(time.Second)
			return min(n, 4), ctx.Err()
		}}, "input.mem.in")
		p.output("out", out, "processor.f.gate")
		begin := time.Now()
		if err := p.run(); err != nil {
			t.Fatal(err)
		}
		if got := texts(out.Confirmed()); !slices.Equal(got, want("a", 12, nil)) {
			t.Errorf("got %q", got)
		}
		if want := []int{6, 2, 2, 2, 6, 2, 2, 3}; !slices.Equal(sizes, want) {
			t.Errorf("the gate was asked %v, want %v", sizes, want)
		}
		if took := time.Since(begin); took < 4*time.Second || !slices.Equal(batches, []int{4, 2, 4, 2}) {
			t.Errorf("it took %v, batches %v", took, batches)
		}
	})
}

// TestAbortAtGate: a gate that waits for ever does not hold up an abort.
func TestAbortAtGate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		p := newPlan(t)
		p.input("in", memory("a", 12, 6))
		p.proc("gate", processor{readOnly: true, gate: func(ctx context.Context, _ int, _ func(int) int) (int, error) {
			<-ctx.Done()
			return 0, ctx.Err()
		}}, "input.mem.in")
		p.output("out", &enginetest.Output{}, "processor.f.gate")
		r := p.runner(Options{})
		done := start(t.Context(), r)
		time.Sleep(time.Second)
		r.Abort()
		if err := <-done; !errors.Is(err, ErrAborted) {
			t.Errorf("got %v", err)
		}
	})
}

// seen remembers the offsets that it has seen.
type seen struct {
	mu       sync.Mutex // guards all below
	all, new []string
	replayed []string
}

func (s *seen) add(r *record.Record) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all, s.new = append(s.all, string(r.Value.Raw())), append(s.new, string(r.Value.Raw()))
}

func (s *seen) Replay(entry []byte) error {
	if string(entry) == "bad" {
		return errBroken
	}
	s.replayed = append(s.replayed, strings.Fields(string(entry))...)
	s.all = slices.Clone(s.replayed)
	return nil
}

func (s *seen) Changes(dst []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	dst = append(dst, strings.Join(s.new, " ")...)
	s.new = nil
	return dst
}

func (s *seen) Snapshot(dst []byte) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.new = nil
	return append(dst, strings.Join(s.all, " ")...)
}

// faultyStore fails to store positions or entries when told to.
type faultyStore struct {
	*checkpoint.Memory
	fail func() bool // of entries
}

func (s *faultyStore) Log(element string) checkpoint.Log {
	return &faultyLog{s.Memory.Log(element), s}
}

type faultyLog struct {
	checkpoint.Log
	s *faultyStore
}

func (l *faultyLog) Append(ctx context.Context, entry []byte) error {
	if l.s.fail() {
		return errAway
	}
	return l.Log.Append(ctx, entry)
}

// TestStateBeforePositions: whenever a position is stored, what the processor
// has seen up to there is stored already, also after storing it has failed.
func TestStateBeforePositions(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &faultyStore{Memory: checkpoint.NewMemory()}
		appends, failures := 0, 0
		store.fail = func() bool {
			appends++
			if appends%3 == 0 {
				failures++
				return true
			}
			return false
		}
		stored := func() map[string]bool {
			m := make(map[string]bool)
			err := store.Memory.Log("processor.f.seen").Replay(t.Context(), func(entry []byte) error {
				for _, v := range strings.Fields(string(entry)) {
					m[v] = true
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
			return m
		}
		store.OnSave = func(m map[string]engine.Position) error {
			known := stored()
			for n := range m["input.mem.in/a"].Offset {
				if v := fmt.Sprint("a", n); !known[v] {
					t.Errorf("position %d is stored, and %s is not remembered", m["input.mem.in/a"].Offset, v)
				}
			}
			return nil
		}
		run := func(abortAfter time.Duration) *seen {
			p := newPlan(t)
			p.p.Settings.CommitInterval = time.Second
			s := &seen{}
			out := &enginetest.Output{OnWrite: func(context.Context, int, *engine.Batch) error {
				time.Sleep(400 * time.Millisecond)
				return nil
			}}
			p.input("in", memory("a", 60, 1))
			p.proc("seen", processor{readOnly: true, state: s, step: func(r *record.Record) (bool, error) {
				s.add(r)
				return true, nil
			}}, "input.mem.in")
			p.output("out", out, "processor.f.seen")
			r := p.runner(Options{Store: store})
			done := start(t.Context(), r)
			if abortAfter > 0 {
				time.Sleep(abortAfter)
				r.Abort()
			}
			if err := <-done; err != nil && !errors.Is(err, ErrAborted) {
				t.Fatal(err)
			}
			return s
		}
		run(10*time.Second + time.Millisecond)
		if s := run(0); len(s.replayed) < 20 || s.replayed[0] != "a0" {
			t.Errorf("the second run was told %q", s.replayed)
		}
		if failures < 3 {
			t.Errorf("storing failed %d times only", failures)
		}
	})
}

// TestStateThatCannotBeUsed stops the pipeline before anything is read.
func TestStateThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	store := checkpoint.NewMemory()
	if err := store.Log("processor.f.seen").Rewrite(t.Context(), []byte("bad")); err != nil {
		t.Fatal(err)
	}
	p := newPlan(t)
	out := &enginetest.Output{}
	p.input("in", memory("a", 6, 1))
	p.proc("seen", processor{state: &seen{}, step: func(*record.Record) (bool, error) { return true, nil }}, "input.mem.in")
	p.output("out", out, "processor.f.seen")
	err := p.runner(Options{Store: store}).Run(t.Context())
	if err == nil || !strings.Contains(err.Error(), "processor.f.seen") || out.Len() != 0 {
		t.Errorf("got %v and %d records", err, out.Len())
	}
}
