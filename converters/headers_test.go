package converters_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

// headerRecords is how many records a batch of these tests has.
const headerRecords = 256

// headerBatch is a batch whose records have these headers, and headers of others
// that no converter sees.
func headerBatch(values ...string) *engine.Batch {
	records := make([]enginetest.Record, headerRecords)
	for i := range records {
		r := enginetest.Record{Value: []byte(`{"id":1}`)}
		for k, v := range values {
			r.Headers = append(r.Headers, record.Header{Key: fmt.Sprint("h", k), Value: []byte(v)})
		}
		if len(values) > 0 {
			r.Headers = append(r.Headers, record.Header{Key: "flow.attempt", Value: []byte("1")})
		}
		records[i] = r
	}
	b := engine.NewBatch()
	enginetest.Fill(b, records...)
	b.Value.Encoding = record.JSON
	engine.NewSource(engine.SourceInfo{ID: "p/0", Topic: "t"}, nil, nil).Begin(b, engine.Position{Offset: headerRecords}, 0, nil)
	return b
}

// headerRuns are what a batch goes through in both directions.
var headerRuns = []struct {
	name, block     string
	text, converted []string
}{
	{"json", `header_values "json" {}`, []string{"abc", "12", "1.5", "true", `{"a":1}`}, []string{`"abc"`, "12", "1.5", "true", `{"a":1}`}},
	{"envelope", `header_values "json" { form = "envelope" }`, []string{"abc", "12"}, []string{`{"schema":{"type":"string","optional":true},"payload":"abc"}`, `{"schema":{"type":"int64","optional":false},"payload":12}`}},
	{"string", `header_values "string" {}`, []string{"abc", "12"}, []string{"abc", "12"}},
	{"primitive", `header_values "primitive" { type = "int64" }`, []string{"12"}, []string{"\x00\x00\x00\x00\x00\x00\x00\x0c"}},
	{"avro", `header_values "avro" { schema = "\"string\"" }`, []string{"abc", "12"}, []string{"\x06abc", "\x0412"}},
}

// runHeaders sends the headers of src through f once more, into b.
func runHeaders(tb testing.TB, tr *engine.Transcoder, b, src *engine.Batch, all []uint32) {
	b.Reset()
	b.Borrow(src, all)
	kept, err := tr.Run(tb.Context(), b, func(i int, reason error) { tb.Fatalf("record %d: %v", i, reason) })
	if kept != nil || err != nil {
		tb.Fatal(kept, err)
	}
	src.Release() // what b borrowed; the memory stays that of src
}

func everyRecord() []uint32 {
	all := make([]uint32, headerRecords)
	for i := range all {
		all[i] = uint32(i)
	}
	return all
}

// TestHeaderValuesAllocateNothing: after the first batches neither direction
// takes memory for a record, and a batch without headers none at all.
func TestHeaderValuesAllocateNothing(t *testing.T) {
	for _, tt := range headerRuns {
		conv := newTranslator(t, "", "header_values").converter(t, tt.block)
		for _, way := range []struct {
			name string
			f    engine.Recode
			src  *engine.Batch
			want []string
		}{
			{name: "read", f: engine.HeaderDecoding(conv), src: headerBatch(tt.converted...), want: tt.text},
			{name: "written", f: engine.HeaderEncoding(conv), src: headerBatch(tt.text...), want: tt.converted},
			{name: "none", f: engine.HeaderDecoding(conv), src: headerBatch()},
		} {
			tr, b, all := &engine.Transcoder{Headers: way.f}, engine.NewBatch(), everyRecord()
			once := func() { runHeaders(t, tr, b, way.src, all) }
			once()
			for i, want := range way.want {
				if got := string(b.Headers.At(headerRecords - 1)[i].Value); got != want {
					t.Errorf("%s, %s: header %d is %q, want %q", tt.name, way.name, i, got, want)
				}
			}
			// A batch has some closures; a record none.
			if n := testing.AllocsPerRun(20, once); n > headerRecords/64 {
				t.Errorf("%s, %s: %v allocations for a batch of %d records", tt.name, way.name, n, headerRecords)
			}
		}
	}
}

// One operation is one record with two headers.
func BenchmarkHeaderValues(b *testing.B) {
	for _, tt := range headerRuns {
		conv := newTranslator(b, "", "header_values").converter(b, tt.block)
		text, converted := []string{tt.text[0], tt.text[len(tt.text)-1]}, []string{tt.converted[0], tt.converted[len(tt.converted)-1]}
		for _, way := range []struct {
			name string
			f    engine.Recode
			src  *engine.Batch
		}{
			{"off", nil, headerBatch(text...)},
			{"read", engine.HeaderDecoding(conv), headerBatch(converted...)},
			{"write", engine.HeaderEncoding(conv), headerBatch(text...)},
		} {
			b.Run(tt.name+"/"+way.name, func(b *testing.B) {
				tr, batch, all := &engine.Transcoder{Headers: way.f}, engine.NewBatch(), everyRecord()
				b.ReportAllocs()
				for i := 0; i < b.N; i += headerRecords {
					runHeaders(b, tr, batch, way.src, all)
				}
			})
		}
	}
}

// TestHeaderValuesOfATypeComeBack: where the block says the type, the text of
// each value of it is written as that value.
func TestHeaderValuesOfATypeComeBack(t *testing.T) {
	t.Parallel()
	types := []struct {
		schema string
		texts  []string
	}{
		{"bool", []string{"true", "false"}},
		{"int32", []string{"0", "-5", "2147483647"}},
		{"int64", []string{"9223372036854775807", "-9223372036854775808"}},
		{"float32", []string{"0.1", "-2.5", "3", "NaN", "Infinity", "-Infinity"}},
		{"float64", []string{"0.1", "3", "1e+300", "1e-12", "NaN", "-Infinity"}},
		{"string", []string{"", "12", "true", `"quoted"`, "{", "null"}},
		{"bytes", []string{"", "12", "\xff\x00", "AAE="}},
		{"decimal(10,2)", []string{"12.50", "-0.01", "7.00"}},
		{"date", []string{"2026-01-02"}},
		{"time(ms)", []string{"03:04:05.678"}},
		{"timestamp(ms)", []string{"2026-01-02T03:04:05.678Z"}},
		{"timestamp(us)", []string{"2026-01-02T03:04:05.678901Z"}},
		{"uuid", []string{"123e4567-e89b-12d3-a456-426614174000"}},
		{"array<int32>", []string{"[]", "[1,2]"}},
		{"map<string, string>", []string{"{}", `{"a":"b"}`}},
		{"struct{a int32, b decimal(4,2)}", []string{`{"a":1,"b":1.50}`}},
	}
	blocks := map[string]string{
		"json":        `header_values "json" { schema = %q }`,
		"envelope":    "header_values \"json\" {\n schema = %q\n form = \"envelope\"\n }",
		"avro":        `header_values "avro" { schema = %q }`,
		"json_schema": `header_values "json_schema" { schema = %q }`,
		"primitive":   `header_values "primitive" { type = %q }`,
	}
	tr := newTranslator(t, "", "header_values")
	for name, block := range blocks {
		for _, typ := range types {
			if name == "primitive" && !slices.Contains([]string{"bool", "int32", "int64", "float32", "float64"}, typ.schema) {
				continue
			}
			conv := tr.converter(t, fmt.Sprintf(block, typ.schema))
			for _, text := range typ.texts {
				data, err := recoded(engine.HeaderEncoding(conv), []byte(text))
				if err != nil {
					t.Errorf("%s of %s: %q is not written: %v", name, typ.schema, text, err)
					continue
				}
				if back, err := recoded(engine.HeaderDecoding(conv), data); err != nil || string(back) != text {
					t.Errorf("%s of %s: %q became %q and %q: %v", name, typ.schema, text, data, back, err)
				}
			}
		}
	}
}
