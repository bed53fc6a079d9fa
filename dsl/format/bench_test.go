package format_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/flowrecords/flow/dsl/format"
)

// BenchmarkSource lays out a config of 2,000 lines with 500 expressions.
func BenchmarkSource(b *testing.B) {
	var src bytes.Buffer
	src.WriteString("pipeline \"p\" {\ninput \"stdin\" \"in\" {}\n")
	for i := range 500 {
		fmt.Fprintf(&src, "processor \"filter\" \"f%d\" {\n  where=\"value.a>%d&&any( value.items,.name==\\\"x\\\" )\"\n}\n\n", i, i)
	}
	src.WriteString("output \"stdout\" \"out\" {}\n}\n")
	reg := registry(b)
	b.SetBytes(int64(src.Len()))
	for b.Loop() {
		if _, diags := format.Source(src.Bytes(), "f.hcl", reg); diags.HasErrors() {
			b.Fatal(diags)
		}
	}
}
