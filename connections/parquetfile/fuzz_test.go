package parquetfile

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
)

// FuzzRead: whatever the bytes are, reading ends, with rows of the schema or an
// error and never a panic.
func FuzzRead(f *testing.F) {
	names, err := filepath.Glob(testdata("*.parquet"))
	if err != nil || len(names) == 0 {
		f.Fatal("no files", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data, int64(0))
		f.Add(data, int64(41))
	}
	f.Fuzz(func(t *testing.T, data []byte, from int64) {
		r, err := NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		defer r.Close()
		if r.Skip(from) != nil {
			return
		}
		for range 1000 {
			v, err := r.Next()
			var row *RowError
			if errors.As(err, &row) {
				continue
			}
			if err != nil {
				return
			}
			if err := schema.Check(r.Schema().Flow(), v); err != nil {
				t.Fatalf("a row that is not of the schema: %v\n%s", err, v)
			}
		}
	})
}
