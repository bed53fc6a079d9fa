package dsl_test

import (
	"testing"

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
