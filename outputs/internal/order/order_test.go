package order

import (
	"testing"

	"github.com/flowrecords/flow/engine"
)

// TestOrder plays the engine, which hands over all failed batches again in
// their order, before any other.
func TestOrder(t *testing.T) {
	t.Parallel()
	var o Order[int]
	a, b, c, d := engine.NewBatch(), engine.NewBatch(), engine.NewBatch(), engine.NewBatch()
	ta, tb := o.Admit(a), o.Admit(b)
	if ta == nil || tb == nil || o.Owes() || !ta.Before(tb) {
		t.Fatal("new batches are not taken as they come")
	}
	tb.State = 7
	o.Owe(tb)
	o.Owe(tb) // of two of its records
	for range 2 {
		if o.Admit(c) != nil {
			t.Fatal("a new batch overtakes a failed one")
		}
	}
	o.Owe(ta) // fails later, but came first
	if o.Admit(b) != nil {
		t.Fatal("a failed batch overtakes one that came before it")
	}
	if o.Admit(a) != ta {
		t.Fatal("the first failed batch is not taken")
	}
	if got := o.Admit(b); got != tb || got.State != 7 {
		t.Fatal("what was remembered of a batch is lost")
	}
	tc := o.Admit(c)
	if tc == nil || !tb.Before(tc) || o.Owes() {
		t.Fatal("a batch that was sent away is not taken")
	}
	if td := o.Admit(d); td == nil || !tc.Before(td) {
		t.Fatal("all is well again, but nothing is taken")
	}
}
