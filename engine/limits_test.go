package engine

import (
	"testing"
	"time"
)

func TestSparse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		linger, gap time.Duration
		want        bool
	}{
		{5 * time.Millisecond, 2 * time.Millisecond, true},
		{5 * time.Millisecond, 2*time.Millisecond - 1, false},
		{time.Second, 400 * time.Millisecond, true},
		{time.Second, 399 * time.Millisecond, false},
		{0, 0, true},
	} {
		if got := (BatchLimits{Linger: c.linger}).Sparse(c.gap); got != c.want {
			t.Errorf("%s apart with a linger of %s: %v", c.gap, c.linger, got)
		}
	}
}
