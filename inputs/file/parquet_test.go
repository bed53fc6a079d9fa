package file

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// parquetFile makes a file of n rows in row groups of 10.
func parquetFile(t *testing.T, n int) (path string, rows []string) {
	t.Helper()
	s, err := parquetfile.FromSchema(schema.NewStruct("shop.Order", schema.F("id", schema.New(schema.Int64)),
		schema.F("at", schema.NewTime(schema.Timestamp, schema.Nanosecond).AsOptional()),
		schema.F("tags", schema.NewArray(schema.New(schema.String)))), parquetfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w, err := parquetfile.NewWriter(&out, s, parquetfile.WriterOptions{GroupRows: 10})
	if err != nil {
		t.Fatal(err)
	}
	var packed []byte
	for i := range n {
		row := fmt.Sprintf(`{"id":%d,"at":"2026-01-02T03:04:05.%09dZ","tags":["a","b%d"]}`, i, 100000001+i, i)
		rows = append(rows, strings.ReplaceAll(row, "0Z", "Z"))
		if packed, err = p.Append(packed, []byte(row)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Write(packed), w.Close()); err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "in.parquet")
	return write(t, path, out.String()), rows
}

// readTyped reads at most some batches and returns the records as typed text.
func readTyped(t *testing.T, h *host, c *Config, batches int) (list, fails []string) {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	in, err := newInput(c, env())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = in.Close(t.Context()) }()
	if err := in.Open(t.Context(), h); err != nil {
		t.Fatal(err)
	}
	for range batches {
		b, err := in.Read(t.Context())
		if errors.Is(err, engine.ErrEnd) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for i := range b.Len() {
			if len(b.Failures) > 0 {
				fails = append(fails, b.Failures[i].Reason.Error())
				continue
			}
			if s := record.SchemaOf(b.Value.EncodingOf(i)); s == nil || s.Name != "shop.Order" {
				t.Fatalf("records of %v", s)
			}
			list = append(list, string(b.Value.At(i)))
		}
		b.Done()
		b.Release()
	}
	return list, fails
}

func TestParquet(t *testing.T) {
	t.Parallel()
	path, want := parquetFile(t, 95)
	c := func() *Config { return config(func(c *Config) { c.Path, c.Format = path, "parquet" }) }
	if got, fails := readTyped(t, newHost(), c(), 1<<20); !slices.Equal(got, want) || len(fails) > 0 {
		t.Fatalf("%d records, %v", len(got), fails)
	}
	// In small batches, each after a new start.
	h := newHost()
	h.limits.Records = 7
	var parts []string
	for range len(want)/7 + 2 {
		some, fails := readTyped(t, h, c(), 1)
		if len(fails) > 0 {
			t.Fatal(fails)
		}
		parts = append(parts, some...)
		h = h.next()
	}
	if !slices.Equal(parts, want) {
		t.Errorf("%d records over many starts, want %d", len(parts), len(want))
	}
	long := config(func(c *Config) { c.Path, c.Format, c.MaxRecord = path, "parquet", 10 })
	if list, fails := readTyped(t, newHost(), long, 1<<20); len(list) > 0 || len(fails) != len(want) || !strings.Contains(fails[0], "more than max_record") {
		t.Errorf("long records: %d and %d failed", len(list), len(fails))
	}
}

// TestDamagedParquet: what is no file, or one that is cut short or changed, is
// one failed record behind those before the damage.
func TestDamagedParquet(t *testing.T) {
	t.Parallel()
	path, want := parquetFile(t, 95)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	middle := slices.Clone(whole)
	for i := len(middle) / 3; i < len(middle)/3+50; i++ {
		middle[i] ^= 0x55
	}
	tests := []struct{ name, data, why string }{
		{"cut", string(whole[:len(whole)-20]), "cut short"},
		{"nothing", "", "no Parquet file"},
		{"lines", "{\"a\":1}\n{\"a\":2}\n", "no Parquet file"},
		{"encrypted", "PARE" + string(whole[4:]), "encrypted"},
		{"changed", string(middle), "at row"},
	}
	for _, tt := range tests {
		path := write(t, filepath.Join(t.TempDir(), "in.parquet"), tt.data)
		c := func() *Config { return config(func(c *Config) { c.Path, c.Format = path, "parquet" }) }
		h := newHost()
		list, fails := readTyped(t, h, c(), 1<<20)
		if len(list) >= len(want) || !slices.Equal(list, want[:len(list)]) || len(fails) != 1 || !strings.Contains(fails[0], tt.why) || !strings.Contains(fails[0], path) {
			t.Errorf("%s: %d records, %v", tt.name, len(list), fails)
		}
		if list, fails := readTyped(t, h.next(), c(), 10); len(list)+len(fails) > 0 {
			t.Errorf("%s: after a new start %d records, %v", tt.name, len(list), fails)
		}
	}
}
