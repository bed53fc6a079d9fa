package dsl_test

import (
	"testing"
	"time"

	"github.com/flowrecords/flow/bench/large"
	"github.com/flowrecords/flow/dsl"
)

// TestLargeConfigIsClean: what BenchmarkLint measures has no findings.
func TestLargeConfigIsClean(t *testing.T) {
	t.Parallel()
	r := dsl.LoadSources(map[string][]byte{"main.hcl": []byte(large.Config(2000))}, dsl.Options{Registry: registry(t)})
	if len(r.Diags) > 0 {
		t.Fatalf("%s", printed(t, r))
	}
}

func BenchmarkLint(b *testing.B) {
	src := []byte(large.Config(2000))
	reg := registry(b)
	b.SetBytes(int64(len(src)))
	b.ReportAllocs()
	for b.Loop() {
		dsl.LoadSources(map[string][]byte{"main.hcl": src}, dsl.Options{Registry: reg})
	}
}

// BenchmarkLintTypes tells how much of the time of a config without schemas is
// spent on looking for them.
func BenchmarkLintTypes(b *testing.B) {
	src := []byte(large.Config(2000))
	reg := registry(b)
	var all, types time.Duration
	for b.Loop() {
		start := time.Now()
		r := dsl.LoadSources(map[string][]byte{"main.hcl": src}, dsl.Options{Registry: reg})
		loaded := time.Now()
		dsl.Types(r)
		all, types = all+loaded.Sub(start), types+time.Since(loaded)
	}
	b.ReportMetric(100*float64(types)/float64(all), "%types")
}
