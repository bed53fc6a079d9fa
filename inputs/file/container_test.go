package file

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
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
