package file

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

var orderSchema = schema.NewStruct("shop.Order", schema.F("id", schema.New(schema.Int64)), schema.F("note", schema.New(schema.String).AsOptional()))

// typedBatch is a batch of typed JSON text.
func typedBatch(s *schema.Schema, values ...string) *engine.Batch {
	b := batchOf(values...)
	b.Value.Encoding = record.JSONOf(s)
	return b
}

// containers reads all container files of a folder that are visible.
func containers(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.avro"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range names {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		r, err := ocf.NewReader(bufio.NewReader(f), 0)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for {
			v, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			text, err := r.Encoding().AppendJSON(nil, v)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, string(text))
		}
		r.Close()
		_ = f.Close()
	}
	return all
}

func order(i int) string { return fmt.Sprintf(`{"id":%d,"note":"n%d"}`, i, i) }

func avroConfig(path string, edit ...func(*Config)) *Config {
	return config(path, append([]func(*Config){func(c *Config) { c.Format, c.Rotate = "avro", &Rotate{Records: 100} }}, edit...)...)
}

func TestContainers(t *testing.T) {
	t.Parallel()
	for _, codec := range ocf.Codecs {
		dir := t.TempDir()
		h := start(t, avroConfig(filepath.Join(dir, "o.avro"), func(c *Config) { c.Avro.Codec = codec }), osFS{}, clockAt(noon).now)
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
		if got := containers(t, dir); !slices.Equal(got, want[:200]) {
			t.Errorf("%s: %d records are visible before the last file is complete", codec, len(got))
		}
		h.close()
		if got := containers(t, dir); !slices.Equal(got, want) {
			t.Errorf("%s: %d records, want %d", codec, len(got), len(want))
		}
	}
}

// checkRefused checks why a record was refused; empty: none was.
func checkRefused(t *testing.T, name string, h *harness, want string) {
	t.Helper()
	why := ""
	for _, err := range h.refused {
		why = err.Error()
	}
	if (want == "") != (why == "") || !strings.Contains(why, want) {
		t.Errorf("%s: %q, want %q", name, why, want)
	}
}

// TestContainerOptions: what the block avro says of records whose schema Avro
// does not have as it is.
func TestContainerOptions(t *testing.T) {
	t.Parallel()
	odd, err := schema.Parse(`struct{"a-b" int32, free any}`)
	if err != nil {
		t.Fatal(err)
	}
	const text = `{"a-b":1,"free":{"x":[1.50]}}`
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want string
		why  string
	}{
		{"none", func(*Config) {}, "", `"a-b" is no name in Avro`},
		{"scrub_names", func(c *Config) { c.Avro.ScrubNames = true }, "", "free: the type is not known"},
		{"both", func(c *Config) { c.Avro.ScrubNames, c.Avro.Untyped = true, "json" }, text, ""},
		{"schema", func(c *Config) {
			c.Schema = enginetest.SchemaText(`{"type":"record","name":"R","fields":[{"name":"id","type":"int","default":7}]}`, engine.NotationAvro)
		}, "", "a-b: record R has no such field (lenient = true leaves it out)"},
		{"lenient", func(c *Config) {
			c.Schema = enginetest.SchemaText(`{"type":"record","name":"R","fields":[{"name":"id","type":"int","default":7}]}`, engine.NotationAvro)
			c.Avro.Lenient = true
		}, `{"id":7}`, ""},
	} {
		dir := t.TempDir()
		c := avroConfig(filepath.Join(dir, "o.avro"), tt.edit)
		_, problems := c.schemas(engine.Schemas{Value: odd})
		if (len(problems) > 0) != (tt.why != "") || len(problems) > 0 && !strings.Contains(problems[0].Detail, tt.why) {
			t.Errorf("%s: before a run: %v, want %q", tt.name, problems, tt.why)
		}
		h := start(t, c, osFS{}, clockAt(noon).now)
		h.write(typedBatch(odd, text))
		h.close()
		checkRefused(t, tt.name, h, tt.why)
		if got := strings.Join(containers(t, dir), " "); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestContainerCrash: a file goes on where its blocks end, whatever a dead
// process left behind, and is not seen before.
func TestContainerCrash(t *testing.T) {
	t.Parallel()
	for _, torn := range []int{0, 1, 40} {
		dir := t.TempDir()
		c := avroConfig(filepath.Join(dir, "o.avro"))
		h := start(t, c, osFS{}, clockAt(noon).now)
		h.write(typedBatch(orderSchema, order(1), order(2)))
		h.flush()
		h.write(typedBatch(orderSchema, order(3)))
		h.flush()
		h.abandon()
		if got := containers(t, dir); len(got) > 0 {
			t.Fatalf("%v are seen", got)
		}
		partial := filepath.Join(dir, ".o.avro.partial")
		f, err := os.OpenFile(partial, os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = f.Write([]byte(strings.Repeat("x", torn)))
		_ = f.Close()
		h = start(t, c, osFS{}, clockAt(noon.Add(time.Minute)).now)
		h.write(typedBatch(orderSchema, order(4)))
		h.flush()
		h.close()
		if got := containers(t, dir); !slices.Equal(got, []string{order(1), order(2), order(3), order(4)}) {
			t.Errorf("with %d bytes behind: %v", torn, got)
		}
	}
}

// TestContainerPowerCut: a file that became shorter is cut behind its last
// whole block.
func TestContainerPowerCut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	c := avroConfig(filepath.Join(dir, "o.avro"))
	h := start(t, c, osFS{}, clockAt(noon).now)
	for i := range 3 {
		h.write(typedBatch(orderSchema, order(i)))
		h.flush()
	}
	h.abandon()
	partial := filepath.Join(dir, ".o.avro.partial")
	info, err := os.Stat(partial)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(partial, info.Size()-5); err != nil {
		t.Fatal(err)
	}
	h = start(t, c, osFS{}, clockAt(noon).now)
	h.write(typedBatch(orderSchema, order(7)))
	h.flush()
	h.close()
	if got := containers(t, dir); !slices.Equal(got, []string{order(0), order(1), order(7)}) {
		t.Errorf("%v", got)
	}
}

func TestContainerRecords(t *testing.T) {
	t.Parallel()
	given := `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"note","type":["null","string"],"default":null}]}`
	wider := schema.NewStruct("shop.Order", append(slices.Clone(orderSchema.Fields), schema.F("extra", schema.New(schema.Bool)))...)
	tests := []struct {
		name   string
		schema string
		batch  *engine.Batch
		want   []string
		why    string
	}{
		{"no schema", "", batchOf(`{"id":1}`), nil, "the record has no schema"},
		{"schema given", given, batchOf(`{"id":1}`), []string{`{"id":1,"note":null}`}, ""},
		{"does not fit", given, batchOf(`{"id":"x"}`), nil, "id: a string"},
		{"tombstone", given, nil, nil, ""},
		{"another schema", given, typedBatch(wider, `{"id":1,"note":"n","extra":true}`), nil, "extra: record shop.Order has no such field"},
	}
	for _, tt := range tests {
		if tt.name == "tombstone" {
			tt.batch = batchOf()
			tt.batch.Value.Add(nil)
			tt.why = "the value is null"
		}
		dir := t.TempDir()
		h := start(t, avroConfig(filepath.Join(dir, "o.avro"), func(c *Config) { c.Schema = enginetest.SchemaText(tt.schema, engine.NotationAvro) }), osFS{}, clockAt(noon).now)
		h.write(tt.batch)
		h.close()
		checkRefused(t, tt.name, h, tt.why)
		if got := containers(t, dir); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
