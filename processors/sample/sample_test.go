package sample

import (
	"fmt"
	"math"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// passes tells of each of n records whether it passes.
func passes(t *testing.T, c *Config, n int, value func(i int) string) []bool {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	p, err := Factory().New(c, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	l := record.NewLayout()
	b, err := p.Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	r := record.NewRecord(l)
	list := make([]bool, n)
	for i := range list {
		r.Value.Reset(record.JSON, []byte(value(i)))
		r.ResetHeaders(nil)
		r.Offset, r.Row = int64(i), uint32(i%7)
		if list[i], err = b.Step(r); err != nil {
			t.Fatal(err)
		}
	}
	return list
}

func count(list []bool) (n int) {
	for _, x := range list {
		if x {
			n++
		}
	}
	return n
}

// TestRate: the part that passes is the rate within five standard deviations,
// also of equal records, and the same ones pass the next time.
func TestRate(t *testing.T) {
	t.Parallel()
	const n = 20_000
	for _, rate := range []float64{0.0005, 0.01, 0.5, 0.999, 1} {
		for name, value := range map[string]func(int) string{"different": func(i int) string { return fmt.Sprint(i) }, "equal": func(int) string { return `{"a":1}` }} {
			c := &Config{Rate: rate}
			first, again := passes(t, c, n, value), passes(t, c, n, value)
			want, deviation := rate*n, math.Sqrt(rate*(1-rate)*n)
			if got := float64(count(first)); math.Abs(got-want) > 5*deviation {
				t.Errorf("%s records, rate %v: %v of %d pass", name, rate, got, n)
			}
			other := passes(t, &Config{Rate: rate, Seed: 1}, n, value)
			differ := 0
			for i := range first {
				if first[i] != again[i] {
					t.Fatalf("record %d is decided in two ways", i)
				}
				if first[i] != other[i] {
					differ++
				}
			}
			if rate == 0.5 && differ < n/4 {
				t.Errorf("another seed changes %d decisions of %d", differ, n)
			}
		}
	}
}

func TestEvery(t *testing.T) {
	t.Parallel()
	for i, got := range passes(t, &Config{Every: 3}, 10, func(int) string { return "1" }) {
		if got != (i%3 == 0) {
			t.Errorf("record %d: %v", i, got)
		}
	}
}
