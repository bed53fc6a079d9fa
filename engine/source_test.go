package engine_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/flowrecords/flow/engine"
)

// acked is one batch in flight in a model test.
type acked struct {
	b    *engine.Batch
	dist int // calls of Done that are still to come
}

// model is the truth that a Source is compared with: groups in order, and
// what each still waits for.
type model struct {
	t       *testing.T
	src     *engine.Source
	waiting []int // by group: Done calls to come
	open    [][]acked
	frozen  int // committed prefix at the revoke; -1: not revoked
	late    uint64
	bytes   int64
	freed   atomic.Int64
}

func newModel(t *testing.T) *model {
	m := &model{t: t, frozen: -1}
	m.src = engine.NewSource(engine.SourceInfo{ID: "p"}, nil, func(n int64) { m.freed.Add(n) })
	return m
}

// begin reads one more batch.
func (m *model) begin(records int) {
	b := engine.NewBatch()
	for range records {
		b.Value.Add([]byte("x"))
	}
	m.bytes += b.Bytes()
	g := len(m.waiting)
	m.src.Begin(b, engine.Position{Offset: int64(g + 1)}, int64(g), nil)
	m.waiting = append(m.waiting, 1)
	m.open = append(m.open, []acked{{b, 1}})
}

// prefix is how many groups from the first one are confirmed.
func (m *model) prefix() int {
	n := 0
	for n < len(m.waiting) && m.waiting[n] == 0 {
		n++
	}
	return n
}

func (m *model) check() {
	m.t.Helper()
	want := m.prefix()
	if m.frozen >= 0 {
		want = m.frozen
	}
	pos, ok := m.src.Confirmed()
	if ok != (want > 0) || ok && pos.Offset != int64(want) {
		m.t.Fatalf("confirmed %v, %v; the first %d of %v are", pos, ok, want, m.waiting)
	}
	if idle := m.prefix() == len(m.waiting); m.src.Idle() != idle {
		m.t.Fatalf("Idle is %v", m.src.Idle())
	}
	if m.src.Late() != m.late {
		m.t.Fatalf("%d late groups, want %d", m.src.Late(), m.late)
	}
}

// done confirms one of the open batches of a group.
func (m *model) done(g, k int) {
	a := &m.open[g][k]
	a.b.Done()
	a.dist--
	m.waiting[g]--
	if m.waiting[g] == 0 && m.frozen >= 0 {
		m.late++
	}
	if a.dist == 0 {
		m.open[g] = append(m.open[g][:k], m.open[g][k+1:]...)
	}
}

// step does one random thing.
func (m *model) step(rnd *rand.Rand, revoke bool) {
	var live []int
	for g := range m.open {
		if len(m.open[g]) > 0 {
			live = append(live, g)
		}
	}
	if len(live) == 0 || rnd.IntN(4) == 0 {
		m.begin(rnd.IntN(3))
		return
	}
	g := live[rnd.IntN(len(live))]
	k := rnd.IntN(len(m.open[g]))
	switch rnd.IntN(8) {
	case 0: // several readers of the same batch
		n := rnd.IntN(3) + 1
		m.open[g][k].b.Share(n)
		m.open[g][k].dist += n
		m.waiting[g] += n
	case 1: // a child
		c := engine.NewBatch()
		c.Inherit(m.open[g][k].b)
		m.open[g] = append(m.open[g], acked{c, 1})
		m.waiting[g]++
	case 2:
		if revoke && m.frozen < 0 && rnd.IntN(20) == 0 {
			m.frozen = m.prefix()
			pos, ok := m.src.Revoke()
			if ok != (m.frozen > 0) || ok && pos.Offset != int64(m.frozen) {
				m.t.Fatalf("Revoke says %v, %v, want %d", pos, ok, m.frozen)
			}
		}
	default:
		m.done(g, k)
	}
}

// TestWatermarkModel confirms in random orders, with fan-out, children, and
// late ones after a revoke. The position must always be the end of the longest
// confirmed prefix.
func TestWatermarkModel(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			rnd := rand.New(rand.NewPCG(seed, 1))
			m := newModel(t)
			for range 2000 {
				m.step(rnd, seed%2 == 1)
				m.check()
			}
			for g := range m.open {
				for len(m.open[g]) > 0 {
					m.done(g, rnd.IntN(len(m.open[g])))
					m.check()
				}
			}
			if m.freed.Load() != m.bytes {
				t.Errorf("%d bytes were given back of %d", m.freed.Load(), m.bytes)
			}
			if m.src.InFlight() != 0 {
				t.Errorf("%d records in flight at the end", m.src.InFlight())
			}
		})
	}
}

func panics(f func()) (did bool) {
	defer func() { did = recover() != nil }()
	f()
	return false
}

func TestDoneTooOftenPanics(t *testing.T) {
	t.Parallel()
	begin := func() (*engine.Source, *engine.Batch) {
		s := engine.NewSource(engine.SourceInfo{ID: "p"}, nil, nil)
		b := engine.NewBatch()
		b.Value.Add([]byte("x"))
		s.Begin(b, engine.Position{Offset: 1}, 0, nil)
		return s, b
	}
	tests := map[string]func() func(){
		"twice": func() func() { _, b := begin(); b.Done(); return b.Done },
		"twice, with other readers left": func() func() {
			_, b := begin()
			c := engine.NewBatch()
			c.Inherit(b)
			b.Done()
			return b.Done
		},
		"one more than readers": func() func() { _, b := begin(); b.Share(1); b.Done(); b.Done(); return b.Done },
		"a child twice": func() func() {
			_, b := begin()
			c := engine.NewBatch()
			c.Inherit(b)
			c.Done()
			return c.Done
		},
		"after the group was used again": func() func() {
			s, b := begin()
			b.Done()
			next := engine.NewBatch()
			s.Begin(next, engine.Position{Offset: 2}, 1, nil)
			return b.Done
		},
		"a child of what is confirmed": func() func() {
			_, b := begin()
			b.Done()
			return func() { engine.NewBatch().Inherit(b) }
		},
		"released twice": func() func() { _, b := begin(); b.Release(); return b.Release },
	}
	for name, make := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !panics(make()) {
				t.Error("no panic")
			}
		})
	}
}

// TestManyGoroutinesConfirm hands batches to goroutines that fan out and
// confirm in any order. Watermarks must only grow, and be complete at the end.
func TestManyGoroutinesConfirm(t *testing.T) {
	t.Parallel()
	const batches, readers = 5000, 8
	var highest atomic.Int64
	notify := func(s *engine.Source) {
		p, ok := s.Confirmed()
		if !ok {
			t.Error("notified without a position")
		}
		for {
			old := highest.Load()
			if p.Offset <= old || highest.CompareAndSwap(old, p.Offset) {
				return
			}
		}
	}
	src := engine.NewSource(engine.SourceInfo{ID: "p"}, notify, nil)
	pool := engine.NewPool(16, 0)
	edge := make(chan *engine.Batch, 16)
	var wg sync.WaitGroup
	for r := range readers {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(r), 7))
			var held []*engine.Batch
			for b := range edge {
				if rnd.IntN(2) == 0 {
					c := engine.NewBatch()
					c.Inherit(b)
					held = append(held, c)
				}
				b.Done()
				b.Release()
				if len(held) > 5 {
					i := rnd.IntN(len(held))
					held[i].Done()
					held = append(held[:i], held[i+1:]...)
				}
			}
			for _, b := range held {
				b.Done()
			}
		})
	}
	for i := range batches {
		b, err := pool.Get(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		b.Value.Add([]byte("x"))
		src.Begin(b, engine.Position{Offset: int64(i + 1)}, int64(i), nil)
		n := i % 3
		b.Share(n)
		for range n + 1 {
			edge <- b
		}
	}
	close(edge)
	wg.Wait()
	if p, ok := src.Confirmed(); !ok || p.Offset != batches || highest.Load() != batches {
		t.Errorf("confirmed %v, %v; notified of %d", p, ok, highest.Load())
	}
	if !src.Idle() || src.InFlight() != 0 {
		t.Error("not idle at the end")
	}
}

func TestOffsetsAndOrigins(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		info engine.SourceInfo
		rows []uint32
		want []string
	}{
		{"file", engine.SourceInfo{ID: "a.jsonl"}, []uint32{0, 10, 25}, []string{"a.jsonl@100", "a.jsonl@110", "a.jsonl@125"}},
		{"topic", engine.SourceInfo{ID: "orders/3", OffsetSeparator: "/"}, nil, []string{"orders/3/100", "orders/3/101", "orders/3/102"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := engine.NewSource(tt.info, nil, nil)
			b := engine.NewBatch()
			for range tt.want {
				b.Value.Add([]byte("x"))
			}
			s.Begin(b, engine.Position{Offset: 200}, 100, tt.rows)
			for i, w := range tt.want {
				if got := b.Origin(i); got != w {
					t.Errorf("origin %d is %s, want %s", i, got, w)
				}
			}
			b.Compact([]uint32{0, 2})
			if got := b.Origin(1); got != tt.want[2] {
				t.Errorf("after a filter the origin is %s, want %s", got, tt.want[2])
			}
		})
	}
}

// One operation is one batch.
func BenchmarkTracker(b *testing.B) {
	for _, depth := range []int{1, 16, 256} {
		b.Run(fmt.Sprintf("inflight=%d", depth), func(b *testing.B) {
			b.ReportAllocs()
			src := engine.NewSource(engine.SourceInfo{ID: "p"}, func(*engine.Source) {}, func(int64) {})
			list := make([]*engine.Batch, depth)
			for i := range list {
				list[i] = engine.NewBatch()
				list[i].Value.Add([]byte("x"))
			}
			for i := range b.N {
				x := list[i%depth]
				if i >= depth {
					x.Done()
				}
				src.Begin(x, engine.Position{Offset: int64(i)}, int64(i), nil)
			}
		})
	}
}

// TestAdvance: a position without records comes after those that are under way,
// and gives nothing back of the bytes in flight.
func TestAdvance(t *testing.T) {
	t.Parallel()
	released, told := 0, 0
	s := engine.NewSource(engine.SourceInfo{ID: "a"}, func(*engine.Source) { told++ }, func(int64) { released++ })
	at := func(want int64) {
		t.Helper()
		if p, _ := s.Watermark(); p.Offset != want {
			t.Errorf("the source is at %d, want %d", p.Offset, want)
		}
	}
	s.Advance(engine.Position{Offset: 5})
	at(5)
	b := engine.NewBatch()
	b.Value.Add([]byte("x"))
	s.Begin(b, engine.Position{Offset: 6}, 5, nil)
	for n := range int64(40) { // more than the ring holds at first
		s.Advance(engine.Position{Offset: 7 + n})
	}
	at(5)
	if told != 1 || released != 0 {
		t.Errorf("told %d times, released %d times; want 1 and 0", told, released)
	}
	b.Done()
	at(46)
	if told != 2 || released != 1 || !s.Idle() {
		t.Errorf("told %d times, released %d times, idle %t; want 2, 1 and true", told, released, s.Idle())
	}
	s.Revoke()
	s.Advance(engine.Position{Offset: 99})
	at(46)
}
