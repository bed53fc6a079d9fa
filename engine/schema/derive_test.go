package schema

import (
	"sync"
	"testing"
)

func TestDerived(t *testing.T) {
	t.Parallel()
	s := New(Int64)
	calls := 0
	optional := func() *Schema { calls++; return s.AsOptional() }
	first := s.Derived("optional", optional)
	if s.Derived("optional", optional) != first || calls != 1 {
		t.Errorf("made %d times", calls)
	}
	if s.Clone().Derived("optional", optional) == first {
		t.Error("a copy has what was derived from another schema")
	}
	for i := range 2 * maxDerived {
		s.Derived(i, func() *Schema { return New(String) })
	}
	if s.Derived("optional", optional) != first {
		t.Error("an early one was forgotten")
	}
	if n := len(s.memo.d.Load().made); n != maxDerived {
		t.Errorf("%d are kept", n)
	}
}

func TestDerivedByMany(t *testing.T) {
	t.Parallel()
	s := New(Int64)
	var wg sync.WaitGroup
	results := make([]*Schema, 8)
	for i := range results {
		wg.Go(func() { results[i] = s.Derived("x", s.AsOptional) })
	}
	wg.Wait()
	for _, r := range results {
		if r != results[0] {
			t.Fatal("goroutines have different schemas")
		}
	}
}
