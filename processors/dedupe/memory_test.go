package dedupe

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func keyOf(n int) key { return key(fmt.Appendf(nil, "%016d", n)) }

func partition(id string) *engine.Source {
	return engine.NewSource(engine.SourceInfo{ID: id}, nil, nil)
}

func TestBounds(t *testing.T) {
	t.Parallel()
	m := newMemory(3, time.Minute, [16]byte{})
	s := m.sessionOf(partition("a"))
	steps := []struct {
		key   int
		at    time.Duration
		first bool
	}{
		{1, 0, true},
		{1, time.Second, false},
		{2, 10 * time.Second, true},
		{1, 59 * time.Second, false},
		{1, 60 * time.Second, true}, // seen first a minute ago
		{2, 69 * time.Second, false},
		{3, 69 * time.Second, true},
		{4, 69 * time.Second, true}, // forgets 2, the oldest of three
		{2, 69 * time.Second, true}, // forgets 1
		{4, 128 * time.Second, false},
		{1, 128 * time.Second, true}, // forgets 3
	}
	for i, st := range steps {
		if got := m.first(keyOf(st.key), s, int64(i), noon.Add(st.at)); got != st.first {
			t.Errorf("step %d: key %d at %v: first is %v", i, st.key, st.at, got)
		}
	}
	if len(m.index) != int(m.tail-m.head) || len(m.index) != 3 {
		t.Errorf("%d keys in the index, %d in the ring", len(m.index), m.tail-m.head)
	}
}

// TestOtherBy: entries of another by are not compared with, and those that
// follow in the same log are; the last entry decides whether people are told.
func TestOtherBy(t *testing.T) {
	t.Parallel()
	entry := func(by byte, k int) []byte {
		m := newMemory(10, 0, [16]byte{by})
		m.first(keyOf(k), m.sessionOf(partition("a")), int64(k), noon)
		return m.Snapshot(nil)
	}
	tests := []struct {
		name    string
		entries [][]byte
		known   []int
		foreign bool
	}{
		{"the same", [][]byte{entry(1, 1), entry(1, 2)}, []int{1, 2}, false},
		{"changed", [][]byte{entry(2, 1), entry(2, 2)}, nil, true},
		{"changed in an earlier run", [][]byte{entry(2, 1), entry(1, 2)}, []int{2}, false},
		{"changed and changed back", [][]byte{entry(1, 1), entry(2, 2)}, []int{1}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := newMemory(10, 0, [16]byte{1})
			for _, e := range tt.entries {
				if err := m.Replay(e); err != nil {
					t.Fatal(err)
				}
			}
			if got := m.wasForeign(); got != tt.foreign || m.wasForeign() {
				t.Errorf("foreign is %v, want %v, once", got, tt.foreign)
			}
			s := m.sessionOf(partition("b"))
			for _, k := range []int{1, 2} {
				if got, want := !m.first(keyOf(k), s, 0, noon), slices.Contains(tt.known, k); got != want {
					t.Errorf("key %d is known: %v, want %v", k, got, want)
				}
			}
		})
	}
}

// TestReadAgain: a record that is read again passes once more, its duplicates
// do not, and of the parts of one record only the first passes.
func TestReadAgain(t *testing.T) {
	t.Parallel()
	m := newMemory(10, 0, [16]byte{})
	s := m.sessionOf(partition("a"))
	for offset, first := range []bool{true, false} {
		if m.first(keyOf(1), s, int64(offset), noon) != first {
			t.Fatalf("offset %d", offset)
		}
	}
	if m.first(keyOf(1), s, 0, noon) {
		t.Error("a second part of the first record passes")
	}
	n := newMemory(10, 0, [16]byte{})
	if err := n.Replay(m.Snapshot(nil)); err != nil {
		t.Fatal(err)
	}
	other := n.sessionOf(partition("b"))
	if n.first(keyOf(1), other, 0, noon) {
		t.Error("the same offset of another partition passes")
	}
	again := n.sessionOf(partition("a"))
	for i, st := range []struct {
		offset int64
		first  bool
	}{{1, false}, {0, true}, {0, false}, {1, false}} {
		if n.first(keyOf(1), again, st.offset, noon) != st.first {
			t.Errorf("step %d after the restart: offset %d", i, st.offset)
		}
	}
}

// TestCrashes: whatever was stored, and whatever position the input goes back
// to that is not beyond it, every key comes through, and only ever as one
// record.
func TestCrashes(t *testing.T) {
	t.Parallel()
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 5))
		const records = 200
		keys := make([]int, records)
		for i := range keys {
			keys[i] = rnd.IntN(60)
		}
		passed := make(map[int]map[int]bool) // offsets by key
		confirmed := 0                       // the stored position
		var log [][]byte
		for crash := 0; confirmed < records; crash++ {
			m := newMemory(1000, time.Hour, [16]byte{})
			for _, entry := range log {
				if err := m.Replay(entry); err != nil {
					t.Fatal(err)
				}
			}
			s := m.sessionOf(partition("a"))
			end := min(records, confirmed+1+rnd.IntN(80))
			if crash > 20 {
				end = records
			}
			for offset := confirmed; offset < end; offset++ {
				k := keys[offset]
				if m.first(keyOf(k), s, int64(offset), noon) {
					if passed[k] == nil {
						passed[k] = make(map[int]bool)
					}
					passed[k][offset] = true
				}
				if rnd.IntN(10) == 0 { // the engine stores the state, then a position
					if len(log) == 0 || rnd.IntN(4) == 0 {
						log = [][]byte{m.Snapshot(nil)}
					} else if entry := m.Changes(nil); len(entry) > 0 {
						log = append(log, entry)
					}
					confirmed = max(confirmed, offset+1-rnd.IntN(20))
				}
			}
			if end == records {
				confirmed = records
			}
		}
		for offset, k := range keys {
			if len(passed[k]) != 1 {
				t.Fatalf("seed %d: key %d of record %d came through as the records %v", seed, k, offset, passed[k])
			}
		}
	}
}

// TestSessionsAreBounded: an input with ever new partitions leaves nothing.
func TestSessionsAreBounded(t *testing.T) {
	t.Parallel()
	m := newMemory(10, 0, [16]byte{})
	for i := range 10 * maxIdleSessions {
		m.first(keyOf(i), m.sessionOf(partition(fmt.Sprint(i))), 0, noon)
	}
	if n := len(m.sessions); n > 2*maxIdleSessions {
		t.Errorf("%d sessions are kept", n)
	}
}

// FuzzReplay: any bytes are an entry or an error.
func FuzzReplay(f *testing.F) {
	m := newMemory(10, 0, [16]byte{})
	m.first(keyOf(1), m.sessionOf(partition("a")), 7, noon)
	f.Add(m.Snapshot(nil))
	f.Add([]byte{format, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, entry []byte) {
		m := newMemory(10, 0, [16]byte{})
		if m.Replay(entry) != nil {
			return
		}
		n := newMemory(10, 0, [16]byte{})
		if err := n.Replay(m.Snapshot(nil)); err != nil {
			t.Fatal(err)
		}
		if a, b := m.Snapshot(nil), n.Snapshot(nil); string(a) != string(b) {
			t.Errorf("%x, %x", a, b)
		}
	})
}

func BenchmarkFirst(b *testing.B) {
	m := newMemory(100_000, time.Hour, [16]byte{})
	s := m.sessionOf(partition("a"))
	keys := make([]key, 200_000)
	for i := range keys {
		keys[i] = keyOf(i / 2)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		m.first(keys[i%len(keys)], s, int64(i), noon)
	}
}
