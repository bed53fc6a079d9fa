package parquetfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
)

// live is the heap that is in use.
func live() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// TestMemory: writing and reading a file of many row groups takes the memory of
// about one of them.
func TestMemory(t *testing.T) { // alone: it looks at the whole heap
	const group, total = 1 << 20, 48 << 20
	s := schema.NewStruct("", schema.F("id", schema.New(schema.Int64)), schema.F("text", schema.New(schema.String)))
	p, err := FromSchema(s, Options{})
	if err != nil {
		t.Fatal(err)
	}
	pk, err := p.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(t.TempDir(), "big.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	before, most := live(), uint64(0)
	look := func() { most = max(most, live()-min(before, live())) }
	w, err := NewWriter(f, p, WriterOptions{GroupBytes: group, Compression: "none"})
	if err != nil {
		t.Fatal(err)
	}
	filler, written, n := strings.Repeat("x", 200), 0, 0
	for ; written < total; n++ {
		row, err := pk.Append(nil, fmt.Appendf(nil, `{"id":%d,"text":"%d%s"}`, n, n, filler))
		if err == nil {
			err = w.Write(row)
		}
		if err != nil {
			t.Fatal(err)
		}
		if written += len(row); n%20000 == 0 {
			look()
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if most > 16*group {
		t.Errorf("writing took %d bytes of memory with row groups of %d in a file of %d", most, group, written)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	before, most = live(), 0
	r, err := NewReader(f, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if len(r.groups) < 40 {
		t.Fatalf("%d row groups", len(r.groups))
	}
	for i := 0; ; i++ {
		if _, err := r.Next(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if i%20000 == 0 {
			look()
		}
	}
	if r.Number() != int64(n) || most > 16*group {
		t.Errorf("reading %d rows of %d took %d bytes of memory with row groups of %d", r.Number(), n, most, group)
	}
}

func TestSchemas(t *testing.T) {
	t.Parallel()
	str := schema.New(schema.String)
	rec := schema.NewStruct("r", schema.F("v", str))
	rec.Fields = append(rec.Fields, schema.F("next", &schema.Schema{Type: schema.Array, Elem: rec}))
	tests := []struct {
		name string
		s    *schema.Schema
		row  string // of the same with Options.JSON; empty: still an error
		why  string
	}{
		{"no struct", str, "", "a Parquet file holds structs"},
		{"union", schema.NewStruct("", schema.F("u", schema.NewUnion(schema.Branch{Name: "a", Schema: str}, schema.Branch{Name: "b", Schema: schema.New(schema.Int64)}))), `{"u":{"b":1}}`, "u: Parquet has no unions"},
		{"any", schema.NewStruct("", schema.F("l", schema.NewArray(schema.New(schema.Any)))), `{"l":[1,null,{"a":[]}]}`, "l[]: Parquet has no values without a type"},
		{"recursive", rec, `{"v":"a","next":[{"v":"b","next":[]}]}`, "next[]: Parquet has no recursive types"},
		{"no fields", schema.NewStruct("", schema.F("e", schema.NewStruct(""))), "", "e: Parquet has no structs without fields"},
		{"null keys", schema.NewStruct("", schema.F("m", schema.NewMap(str.AsOptional(), str))), "", "m: Parquet has no maps whose keys may be null"},
	}
	for _, tt := range tests {
		if _, err := FromSchema(tt.s, Options{}); err == nil || !strings.Contains(err.Error(), tt.why) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.why)
		}
		if tt.row == "" {
			continue
		}
		got, s := rows(t, file(t, tt.s, Options{JSON: true}, WriterOptions{}, tt.row), 0)
		if len(got) != 1 || got[0] != tt.row || !schema.Equal(s, tt.s) {
			t.Errorf("%s: %v of %s", tt.name, got, s.Text())
		}
	}
}
