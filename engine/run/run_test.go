package run

import (
	"fmt"
	"slices"
	"testing"

	"github.com/flowrecords/flow/engine/enginetest"
)

func TestPassThrough(t *testing.T) {
	t.Parallel()
	p := newPlan(t)
	in, out := memory("a", 1000, 7), &enginetest.Output{}
	p.input("in", in)
	p.output("out", out, "input.mem.in")
	if err := p.run(); err != nil {
		t.Fatal(err)
	}
	if got := out.Values(); !slices.Equal(got, want("a", 1000, nil)) {
		t.Errorf("got %d records: %.100q", len(got), got)
	}
	misuse(t, in, out)
}

func TestOrderThroughStages(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 2, 4, 9} {
		t.Run(fmt.Sprintf("workers=%d", workers), func(t *testing.T) {
			t.Parallel()
			p := newPlan(t)
			p.p.Settings.Workers = workers
			in, out := memory("a", 5000, 3), &enginetest.Output{}
			p.input("in", in)
			p.proc("keep", filter(even), "input.mem.in")
			p.proc("tag", tag("x"), "processor.f.keep")
			p.proc("tag2", tag("y"), "processor.f.tag")
			p.output("out", out, "processor.f.tag2")
			if err := p.run(); err != nil {
				t.Fatal(err)
			}
			var exp []string
			for _, v := range want("a", 5000, even) {
				exp = append(exp, v+"xy")
			}
			if got := out.Values(); !slices.Equal(got, exp) {
				t.Errorf("got %d records: %.100q", len(got), got)
			}
			misuse(t, in, out)
		})
	}
}
