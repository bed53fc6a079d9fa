package parquetfile

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
)

var update = flag.Bool("update", false, "write the file that Arrow is to read; then run make parquet")

func testdata(name string) string { return filepath.Join("..", "..", "testdata", "parquet", name) }

func linesOf(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(testdata(name))
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func compare(t *testing.T, what string, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%s: %d rows, want %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if got[i] != want[i] {
			t.Errorf("%s: row %d is\n%s, want\n%s", what, i, got[i], want[i])
			return
		}
	}
}

// TestArrow reads what Apache Arrow has written, in every way that it has.
func TestArrow(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"v1_snappy", "v2_zstd", "v2_delta", "v1_gzip", "v1_brotli", "v1_lz4", "v1_plain", "int96"} {
		data, err := os.ReadFile(testdata(name + ".parquet"))
		if err != nil {
			t.Fatal(err)
		}
		want := linesOf(t, "rows.jsonl")
		if name == "int96" {
			want = linesOf(t, "int96.jsonl")
		}
		for _, from := range []int{0, 1, 40, 89} {
			got, s := rows(t, data, int64(from))
			compare(t, name, got, want[from:])
			for i, row := range got {
				if err := schema.Check(s, []byte(row)); err != nil {
					t.Fatalf("%s: row %d is not of the schema that the reader says: %v", name, i, err)
				}
			}
		}
	}
}

// TestReadByArrow holds what Apache Arrow has read in a file of flow against the
// rows that were written.
func TestReadByArrow(t *testing.T) {
	t.Parallel()
	s := everyType(t).Clone()
	s.Fields = slices.DeleteFunc(slices.Clone(s.Fields), func(f schema.Field) bool { return f.Schema.Type == schema.Duration })
	var want []string
	for i := range 90 {
		want = append(want, sample(t, s, i))
	}
	data := file(t, s, Options{}, WriterOptions{GroupRows: 40}, want...)
	if *update {
		if err := os.WriteFile(testdata("flow.parquet"), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	read, err := os.ReadFile(testdata("flow.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(read, data) {
		t.Error("flow writes other bytes than those that Arrow has read: run this test with -update and then make parquet")
	}
	compare(t, "flow.parquet", linesOf(t, "flow.jsonl"), want)
}
