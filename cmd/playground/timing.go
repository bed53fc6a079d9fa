package playground

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/flowrecords/flow/dsl/expr"
)

// timing is what an evaluation costs.
type timing struct {
	evaluations int
	ns          float64 // of one
	bytes       float64
	allocs      float64
	failed      int // of the sample's records
	records     int
}

// timingFor is how long an expression is measured.
const timingFor = 300 * time.Millisecond

// measure evaluates p over the records again and again, with what it takes to
// find the fields in their bytes. It ends early when stop says so.
func (p *program) measure(records []Record, stop func() bool) timing {
	t := timing{records: len(records)}
	for i := range records { // warm up, and see what fails
		if _, err := p.eval(&records[i]); err != nil {
			t.failed++
		}
	}
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := time.Now()
	for !stop() && time.Since(start) < timingFor {
		// The clock is asked now and then, since it takes longer than a small
		// expression.
		for done := 0; done < 1024 && time.Since(start) < timingFor; done += len(records) {
			for i := range records {
				x := &records[i]
				x.load(p.r)
				_, _ = p.run.Eval(p.r)
			}
			t.evaluations += len(records)
			if len(records) == 1 {
				x := &records[0]
				for range 63 {
					x.load(p.r)
					_, _ = p.run.Eval(p.r)
				}
				t.evaluations += 63
			}
		}
	}
	took := time.Since(start)
	runtime.ReadMemStats(&after)
	if t.evaluations > 0 {
		n := float64(t.evaluations)
		t.ns = float64(took.Nanoseconds()) / n
		t.allocs = float64(after.Mallocs-before.Mallocs) / n
		t.bytes = float64(after.TotalAlloc-before.TotalAlloc) / n
	}
	return t
}

// modeText says what runs an expression.
func modeText(m expr.Mode) string {
	switch m {
	case expr.ModeConstant:
		return "a constant, computed once"
	case expr.ModeClosures:
		return "closures"
	}
	return "the VM, at least in part"
}

// round1 writes a small number without noise.
func round1(f float64) string {
	switch {
	case f < 0.05:
		return "0"
	case f < 10:
		return strings.TrimSuffix(strconv.FormatFloat(f, 'f', 1, 64), ".0")
	}
	return thousands(int64(f + 0.5))
}

func thousands(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0 && s[i-1] != '-'; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// nsText writes a duration with three digits.
func nsText(ns float64) string {
	for _, u := range []struct {
		size float64
		name string
	}{{1e9, "s"}, {1e6, "ms"}, {1e3, "us"}} {
		if ns >= u.size {
			return strconv.FormatFloat(ns/u.size, 'g', 3, 64) + " " + u.name
		}
	}
	if ns < 100 {
		return strconv.FormatFloat(ns, 'f', 1, 64) + " ns"
	}
	return fmt.Sprintf("%.0f ns", ns)
}
