package file

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
)

// container is one of the files that Avro's own library has written.
func containerFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "oracle", "avro", "files", name))
	if err != nil {
		t.Fatal(err)
	}
	return write(t, filepath.Join(t.TempDir(), name), string(data))
}

// ids reads at most some batches and returns the ids of the records.
func ids(t *testing.T, h *host, c *Config, batches int) (list []string, fails []string) {
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
			enc := b.Value.EncodingOf(i)
			if s := record.SchemaOf(enc); s == nil || s.Name != "com.acme.Order" {
				t.Fatalf("records of %v", s)
			}
			text, err := enc.AppendJSON(nil, b.Value.At(i))
			if err != nil {
				t.Fatal(err)
			}
			var v struct{ ID json.Number }
			if err := json.Unmarshal(text, &v); err != nil {
				t.Fatal(err)
			}
			list = append(list, v.ID.String())
		}
		b.Done()
		b.Release()
	}
	return list, fails
}

func TestContainer(t *testing.T) {
	t.Parallel()
	var want []string
	for _, codec := range []string{"null", "deflate", "snappy", "zstandard"} {
		path := containerFile(t, codec+".avro")
		c := func() *Config { return config(func(c *Config) { c.Path, c.Format = path, "avro" }) }
		all, fails := ids(t, newHost(), c(), 1<<20)
		if want == nil {
			want = all
		}
		if len(all) < 20 || !slices.Equal(all, want) || len(fails) > 0 {
			t.Fatalf("%s: %d records, %v", codec, len(all), fails)
		}
		// In small batches, each after a new start.
		h := newHost()
		h.limits.Records = 7
		var parts []string
		for range len(all)/7 + 2 {
			some, fails := ids(t, h, c(), 1)
			if len(fails) > 0 {
				t.Fatal(fails)
			}
			parts = append(parts, some...)
			h = h.next()
		}
		if !slices.Equal(parts, want) {
			t.Errorf("%s: %d records over many starts, want %d", codec, len(parts), len(want))
		}
	}
	if all, fails := ids(t, newHost(), config(func(c *Config) { c.Path, c.Format = containerFile(t, "empty.avro"), "avro" }), 10); len(all)+len(fails) > 0 {
		t.Errorf("an empty file: %v %v", all, fails)
	}
}

// TestDamagedContainer: what is before the damage is delivered, the rest is one
// failed record, also after a new start.
func TestDamagedContainer(t *testing.T) {
	t.Parallel()
	whole, err := os.ReadFile(containerFile(t, "deflate.avro"))
	if err != nil {
		t.Fatal(err)
	}
	all, _ := ids(t, newHost(), config(func(c *Config) { c.Path, c.Format = containerFile(t, "deflate.avro"), "avro" }), 1<<20)
	tests := []struct {
		name string
		data string
		some bool
		want string
	}{
		{"cut", string(whole[:len(whole)-20]), true, "cut short"},
		{"marker", string(whole[:len(whole)-1]) + "x", true, "the marker behind a block"},
		{"no container", `{"a":1}`, false, "no Avro container file"},
		{"nothing", "", false, "no Avro container file"},
	}
	for _, tt := range tests {
		path := write(t, filepath.Join(t.TempDir(), "in.avro"), tt.data)
		h := newHost()
		c := func() *Config { return config(func(c *Config) { c.Path, c.Format = path, "avro" }) }
		list, fails := ids(t, h, c(), 1<<20)
		if (len(list) > 0) != tt.some || len(list) >= len(all) || !slices.Equal(list, all[:len(list)]) || len(fails) != 1 || !strings.Contains(fails[0], tt.want) {
			t.Errorf("%s: %d records, %v", tt.name, len(list), fails)
		}
		if list, fails := ids(t, h.next(), c(), 10); len(list)+len(fails) > 0 {
			t.Errorf("%s: after a new start %d records, %v", tt.name, len(list), fails)
		}
	}
	long := config(func(c *Config) { c.Path, c.Format, c.MaxRecord = containerFile(t, "null.avro"), "avro", 10 })
	if list, fails := ids(t, newHost(), long, 1<<20); len(list) > 0 || len(fails) != len(all) || !strings.Contains(fails[0], "more than max_record") {
		t.Errorf("long records: %d and %d failed", len(list), len(fails))
	}
}

// TestTellRecords: a position in a container file is told by its record, and by
// where that lies.
func TestTellRecords(t *testing.T) {
	t.Parallel()
	columns, _ := parquetFile(t, 95) // in groups of 10
	blocks := filepath.Join(t.TempDir(), "in.avro")
	write(t, blocks, avroBlocks(t, 3, 2, 5))
	for _, tt := range []struct {
		format, path string
		offset       int64
		want         string
	}{
		{"parquet", columns, 0, "record 0 of 95, in row group 1 of 10"},
		{"parquet", columns, 19, "record 19 of 95, in row group 2 of 10"},
		{"parquet", columns, 20, "record 20 of 95, in row group 3 of 10"},
		{"parquet", columns, 95, "record 95 of 95, in row group 10 of 10"},
		{"avro", blocks, 0, "record 0 of 10, in block 1 of 3"},
		{"avro", blocks, 2, "record 2 of 10, in block 1 of 3"},
		{"avro", blocks, 3, "record 3 of 10, in block 2 of 3"},
		{"avro", blocks, 10, "record 10 of 10, in block 3 of 3"},
	} {
		in, err := newInput(config(func(c *Config) { c.Path, c.Format = tt.path, tt.format }), env())
		if err != nil {
			t.Fatal(err)
		}
		f, err := os.Open(tt.path)
		if err != nil {
			t.Fatal(err)
		}
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		id, err := identify(f, info)
		_ = f.Close()
		if err != nil {
			t.Fatal(err)
		}
		if got := in.(*input).TellPosition(tt.path, engine.Position{Offset: tt.offset, State: id.String()}); got != tt.want {
			t.Errorf("%s %d: %q, want %q", tt.format, tt.offset, got, tt.want)
		}
		other := engine.Position{Offset: 7, State: "1:0:00"}
		if got := in.(*input).TellPosition(tt.path, other); got != "record 7 of another file that had this name" {
			t.Errorf("%s: %q", tt.format, got)
		}
		if got := in.(*input).TellPosition(tt.path+"x", other); got != "record 7 of a file that is not there now" {
			t.Errorf("%s: %q", tt.format, got)
		}
	}
}

// avroBlocks is a container file of longs in blocks of so many.
func avroBlocks(t *testing.T, counts ...int) string {
	t.Helper()
	s, err := avro.Parse([]byte(`"long"`))
	if err != nil {
		t.Fatal(err)
	}
	h := &ocf.Header{Schema: s, Codec: "deflate"}
	w, err := ocf.NewWriter(h, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	data := ocf.AppendHeader(nil, h)
	for _, n := range counts {
		if data, err = w.AppendBlock(data, n, make([]byte, n)); err != nil {
			t.Fatal(err)
		}
	}
	return string(data)
}
