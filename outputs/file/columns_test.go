package file

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/engine/schema"
)

// parquets reads all Parquet files of a folder that are visible.
func parquets(t *testing.T, dir string) (all []string, files int) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := parquetfile.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if s := r.Schema().Flow(); !schema.Equal(s, orderSchema) {
			t.Errorf("%s has the schema %s", name, s.Text())
		}
		for {
			v, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			all = append(all, string(v))
		}
		r.Close()
	}
	return all, len(names)
}

func parquetConfig(path string, edit ...func(*Config)) *Config {
	return config(path, append([]func(*Config){func(c *Config) { c.Format, c.Rotate = "parquet", &Rotate{Records: 100} }}, edit...)...)
}

func TestColumns(t *testing.T) {
	t.Parallel()
	for _, codec := range parquetfile.Compressions {
		dir := t.TempDir()
		h := start(t, parquetConfig(filepath.Join(dir, "o.parquet"), func(c *Config) { c.Parquet.Compression = codec }), osFS{}, clockAt(noon).now)
		var want []string
		for i := 0; i < 250; i += 10 {
			var values []string
			for k := i; k < i+10; k++ {
				values = append(values, order(k))
			}
			want = append(want, values...)
			h.write(typedBatch(orderSchema, values...))
			h.flush()
		}
		if got, _ := parquets(t, dir); !slices.Equal(got, want[:200]) {
			t.Errorf("%s: %d records are visible before the last file is complete", codec, len(got))
		}
		h.close()
		got, files := parquets(t, dir)
		if !slices.Equal(got, want) || files != 3 {
			t.Errorf("%s: %d records in %d files, want %d", codec, len(got), files, len(want))
		}
		if left, err := os.ReadDir(dir); err != nil || len(left) != 3 {
			t.Errorf("%s: left are %v, %v", codec, left, err)
		}
	}
}

// TestColumnsCrash: rows that are confirmed wait for the next start, whatever a
// dead process left behind them, and nothing is seen before the file is complete.
func TestColumnsCrash(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := parquetConfig(filepath.Join(dir, "o.parquet"))
	h := start(t, c, osFS{}, clockAt(noon).now)
	h.write(typedBatch(orderSchema, order(1), order(2)))
	h.flush()
	h.abandon()
	if got, files := parquets(t, dir); len(got) > 0 || files > 0 {
		t.Fatalf("%v are seen", got)
	}
	f, err := os.OpenFile(filepath.Join(dir, ".o.parquet.partial"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, _ = f.WriteString("torn")
	_ = f.Close()
	if err := os.WriteFile(filepath.Join(dir, ".o.parquet.rows"), []byte("PAR1 half"), 0o600); err != nil {
		t.Fatal(err)
	}
	h = start(t, c, osFS{}, clockAt(noon.Add(time.Minute)).now)
	h.write(typedBatch(orderSchema, order(3)))
	h.flush()
	h.close()
	if got, files := parquets(t, dir); !slices.Equal(got, []string{order(1), order(2), order(3)}) || files != 1 {
		t.Errorf("%v in %d files", got, files)
	}
}

// diesAt is a file system of a process that dies at a call.
type diesAt struct {
	osFS
	rename, remove bool
	died           *bool
}

var errDied = errors.New("died")

func (d diesAt) Rename(from, to string) error {
	if d.rename && strings.HasSuffix(from, ".rows") {
		*d.died = true
		return errDied
	}
	return d.osFS.Rename(from, to)
}

func (d diesAt) Remove(name string) error {
	if d.remove && strings.HasSuffix(name, ".partial") {
		*d.died = true
		return errDied
	}
	return d.osFS.Remove(name)
}

// TestColumnsDeath: a process that dies between the steps that make a file
// visible leaves it there once, not twice.
func TestColumnsDeath(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"rename", "remove"} {
		dir, died := t.TempDir(), false
		c := parquetConfig(filepath.Join(dir, "o.parquet"))
		h := start(t, c, diesAt{rename: at == "rename", remove: at == "remove", died: &died}, clockAt(noon).now)
		h.write(typedBatch(orderSchema, order(1), order(2)))
		h.flush()
		_ = h.o.Close(t.Context()) // it fails
		if !died {
			t.Fatalf("%s: nothing failed", at)
		}
		h = start(t, c, osFS{}, clockAt(noon.Add(time.Minute)).now)
		h.write(typedBatch(orderSchema, order(3)))
		h.flush()
		h.close()
		if got, _ := parquets(t, dir); !slices.Equal(got, []string{order(1), order(2), order(3)}) {
			t.Errorf("%s: %v", at, got)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, ".o*")); len(left) > 0 {
			t.Errorf("%s: left are %v", at, left)
		}
	}
}

func TestColumnsRecords(t *testing.T) {
	t.Parallel()
	wider := schema.NewStruct("shop.Order", append(slices.Clone(orderSchema.Fields), schema.F("extra", schema.New(schema.Bool)))...)
	narrow := schema.NewStruct("shop.Order", schema.F("id", schema.New(schema.Int32)))
	dir := t.TempDir()
	h := start(t, parquetConfig(filepath.Join(dir, "o.parquet")), osFS{}, clockAt(noon).now)
	h.write(batchOf(`{"id":0}`))
	h.write(typedBatch(orderSchema, order(1)))
	h.write(typedBatch(narrow, `{"id":2}`))
	h.write(typedBatch(wider, `{"id":3,"note":"n","extra":true}`))
	h.write(batchOf(`{"id":4}`, `{"id":"x"}`, `{"id":5,"more":1}`))
	h.flush()
	h.close()
	want := []string{order(1), `{"id":2,"note":null}`, `{"id":4,"note":null}`}
	if got, _ := parquets(t, dir); !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	var why []string
	for _, err := range h.refused {
		why = append(why, err.Error())
	}
	slices.Sort(why)
	text := strings.Join(why, "\n")
	for _, part := range []string{"the record has no schema", "extra: the schema of the file has no such field", "id: a string", `no field "more"`} {
		if !strings.Contains(text, part) {
			t.Errorf("refused for %q, want %q", text, part)
		}
	}
}
