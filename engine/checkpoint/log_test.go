package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const element = "processor.dedupe.once"

func logOn(m *memFiles) *dirLog {
	return newDirStore(m, nil, "orders").Log(element).(*dirLog)
}

func replayed(t *testing.T, l Log) []string {
	t.Helper()
	var got []string
	err := l.Replay(t.Context(), func(e []byte) error {
		got = append(got, string(e))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestLog(t *testing.T) {
	t.Parallel()
	m := newMemFiles()
	l := logOn(m)
	if got := replayed(t, l); len(got) != 0 || !l.Long() {
		t.Errorf("a new log has %q, Long is %v", got, l.Long())
	}
	if err := l.Append(t.Context(), []byte("x")); err == nil {
		t.Error("Append works before Rewrite")
	}
	must(t, l.Rewrite(t.Context(), []byte("one")))
	must(t, l.Append(t.Context(), []byte("two")))
	must(t, l.Append(t.Context(), nil))
	if l.Long() {
		t.Error("a short log is Long")
	}
	l = logOn(m)
	if got := replayed(t, l); !slices.Equal(got, []string{"one", "two", ""}) || l.Damage() != nil {
		t.Errorf("got %q, damage %v", got, l.Damage())
	}
	must(t, l.Append(t.Context(), []byte("three")))
	if got := replayed(t, logOn(m)); !slices.Equal(got, []string{"one", "two", "", "three"}) {
		t.Errorf("got %q", got)
	}
	must(t, l.Append(t.Context(), make([]byte, 2*rewriteBytes)))
	if !l.Long() {
		t.Error("a log that grew is not Long")
	}
	for i := range 5 {
		must(t, l.Rewrite(t.Context(), fmt.Append(nil, i)))
	}
	if got := replayed(t, logOn(m)); !slices.Equal(got, []string{"4"}) {
		t.Errorf("got %q", got)
	}
	if names, _ := m.list(); len(names) != keptFiles {
		t.Errorf("files left: %q", names)
	}
}

// TestTornLog: whatever a crash leaves of the newest file, the entries that
// are whole count, and the log goes on behind them.
func TestTornLog(t *testing.T) {
	t.Parallel()
	m := newMemFiles()
	l := logOn(m)
	must(t, l.Rewrite(t.Context(), []byte("zero")))
	must(t, l.Rewrite(t.Context(), []byte("one")))
	want := []string{"one"}
	sizes := []int{len(*m.data[l.fileOf(2)])}
	for i := range 3 {
		e := strings.Repeat("entry", i+1)
		must(t, l.Append(t.Context(), []byte(e)))
		want = append(want, e)
		sizes = append(sizes, len(*m.data[l.fileOf(2)]))
	}
	whole := *m.data[l.fileOf(2)]
	for n := range len(whole) + 1 {
		for _, flip := range []bool{false, true} {
			c := m.clone()
			data := slices.Clone(whole[:n])
			if flip && n > 0 {
				data[n-1] ^= 0x40
			}
			c.data[l.fileOf(2)] = &data
			good := 0
			for good < len(sizes) && sizes[good] <= n && (!flip || sizes[good] < n) {
				good++
			}
			cut := logOn(c)
			expect := want[:good]
			if good == 0 {
				expect = []string{"zero"}
			}
			got := replayed(t, cut)
			if !slices.Equal(got, expect) {
				t.Fatalf("cut at %d (flipped: %v): got %q, want %q", n, flip, got, expect)
			}
			if clean := n == sizes[max(good-1, 0)] && !flip; clean != (cut.Damage() == nil) {
				t.Fatalf("cut at %d (flipped: %v): damage is %v", n, flip, cut.Damage())
			}
			if cut.Long() {
				must(t, cut.Rewrite(t.Context(), []byte("all")))
				expect = []string{"all"}
			} else {
				must(t, cut.Append(t.Context(), []byte("more")))
				expect = append(slices.Clone(expect), "more")
			}
			if got := replayed(t, logOn(c)); !slices.Equal(got, expect) {
				t.Fatalf("cut at %d, then written: got %q, want %q", n, got, expect)
			}
		}
	}
}

// TestLogFailures: after an operation that failed, what was stored before is
// there, and Rewrite brings the log back.
func TestLogFailures(t *testing.T) {
	t.Parallel()
	failed := 0
	for at := 1; at < 12; at++ {
		m := newMemFiles()
		l := logOn(m)
		must(t, l.Rewrite(t.Context(), []byte("a")))
		m.failAt = at
		stored := "a"
		for i := range 4 {
			var err error
			if l.Long() {
				all := strings.Repeat("b", i+1)
				if err = l.Rewrite(t.Context(), []byte(all)); err == nil {
					stored = all
				}
			} else if err = l.Append(t.Context(), []byte("c")); err == nil {
				stored += "|c"
			}
			if err != nil {
				failed++
				if got := strings.Join(replayed(t, logOn(m.clone())), "|"); !strings.HasPrefix(got, stored) {
					t.Fatalf("failing at %d: %q is there after an error, %q was stored", at, got, stored)
				}
			}
		}
		m.failAt = 0
		must(t, l.Rewrite(t.Context(), []byte("end")))
		stored = "end"
		if got := strings.Join(replayed(t, logOn(m)), "|"); got != stored {
			t.Fatalf("failing at %d: %q is there, %q was stored", at, got, stored)
		}
	}
	if failed < 5 {
		t.Errorf("only %d operations failed", failed)
	}
}

func TestForeignLog(t *testing.T) {
	t.Parallel()
	m := newMemFiles()
	must(t, logOn(m).Rewrite(t.Context(), []byte("a")))
	other := newDirStore(m, nil, "orders").Log("processor.dedupe.other").(*dirLog)
	*m.data[logOn(m).fileOf(1)] = append([]byte(nil), *m.data[logOn(m).fileOf(1)]...)
	m.data[other.fileOf(1)] = m.data[logOn(m).fileOf(1)]
	if err := other.Replay(t.Context(), func([]byte) error { return nil }); err == nil || !strings.Contains(err.Error(), element) {
		t.Errorf("a file of another element: %v", err)
	}
	rubbish := []byte("rubbish that is no frame")
	m.data[other.fileOf(1)] = &rubbish
	if err := other.Replay(t.Context(), func([]byte) error { return nil }); err == nil || !strings.Contains(err.Error(), "remove") {
		t.Errorf("rubbish: %v", err)
	}
	refuse := errors.New("refused")
	if err := logOn(m).Replay(t.Context(), func([]byte) error { return refuse }); !errors.Is(err, refuse) {
		t.Errorf("an entry that is refused: %v", err)
	}
}

// TestLogInFolder: positions and logs share a folder and its lock.
func TestLogInFolder(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := range 3 {
		s, err := OpenDir(dir, "orders")
		must(t, err)
		l := s.(Keeper).Log(element)
		got := replayed(t, l)
		if len(got) != round {
			t.Fatalf("round %d: %q", round, got)
		}
		if round == 0 {
			must(t, l.Rewrite(t.Context(), []byte("0")))
		} else {
			must(t, l.Append(t.Context(), fmt.Append(nil, round)))
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := l.Append(ctx, []byte("late")); !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
		must(t, s.Close())
	}
}
