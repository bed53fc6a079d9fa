package protobuf_test

import (
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/dynamicpb"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/schema"
)

const full = `{"d":1.5,"i32":-7,"s64":"-9","u64":"18446744073709551615","s":"text","bin":"AQI=","color":"GREEN","maybe":4,
	"inner":{"name":"Ann","n":"3","next":{"name":"Bob","tags":["x"]},"tags":["a","b"],"attrs":{"k":"v"}},
	"packed":[1,2,3],"strings":["p","q"],"inners":[{"name":"one"},{"n":"2"}],"counts":{"a":1},"names":{"5":"five"},
	"pickInner":{"name":"picked"},"at":"2024-01-02T03:04:05.006Z","took":"1.5s","boxedText":"boxed","object":{"a":[1]},"day":{"year":2024,"month":2,"day":29}}`

// dataOf makes data of Protobuf's own JSON.
func dataOf(t testing.TB, p pair, text string) []byte {
	t.Helper()
	m := dynamicpb.NewMessage(p.theirs)
	if err := protojson.Unmarshal([]byte(text), m); err != nil {
		t.Fatal(err)
	}
	data, err := proto.MarshalOptions{Deterministic: true}.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestEdits: edits are written as Protobuf, and say the same as edits of typed
// JSON text. A field that is not known stays where it is.
func TestEdits(t *testing.T) {
	t.Parallel()
	type edit func(d *record.Doc, id func(string) record.PathID) error
	set := func(path string, v record.Value) edit {
		return func(d *record.Doc, id func(string) record.PathID) error { return d.Set(id(path), v) }
	}
	del := func(path string) edit {
		return func(d *record.Doc, id func(string) record.PathID) error { return d.Delete(id(path)) }
	}
	rename := func(from, to string) edit {
		return func(d *record.Doc, id func(string) record.PathID) error { return d.Rename(id(from), id(to)) }
	}
	paths := []string{"i32", "s", "maybe", "total", "flag", "inner.name", "inner.n", "inner.next.name", "inner.fresh", "inner.title", "inner.next.fresh", "color", "strings", "at", "when", "u64", "boxed_text", "took", "bin", "pick", "counts", "self.s", "d", "hue", "day"}
	tests := map[string][]edit{
		"none":            {},
		"set":             {set("i32", record.IntValue(99)), set("s", record.StringValue("other")), set("d", record.FloatValue(2.25))},
		"set zero":        {set("i32", record.IntValue(0)), set("s", record.StringValue("")), set("maybe", record.IntValue(0))},
		"set new":         {set("total", record.FloatValue(1.5)), set("flag", record.BoolValue(true))},
		"set null":        {set("maybe", record.NullValue()), set("boxed_text", record.NullValue())},
		"null of a zero":  {set("i32", record.NullValue())},
		"null of a list":  {set("strings", record.NullValue())},
		"set boxed":       {set("boxed_text", record.StringValue(""))},
		"set enum":        {set("color", record.StringValue("RED")), set("hue", record.StringValue("BLUE"))},
		"set time":        {set("took", record.DurationValue(5e9)), set("bin", record.BytesValue([]byte("xyz")))},
		"set below":       {set("inner.name", record.StringValue("Eve")), set("inner.next.name", record.StringValue("Zoe")), set("inner.fresh", record.IntValue(8))},
		"set below, more": {del("inner.n"), set("inner.fresh", record.IntValue(8)), rename("inner.name", "inner.title"), del("inner.next.name"), set("inner.next.fresh", record.BoolValue(true))},
		"other type":      {set("i32", record.StringValue("x")), set("inner.n", record.StringValue("y"))},
		"delete":          {del("s"), del("strings"), del("inner.name"), del("pick"), del("counts")},
		"rename":          {rename("at", "when"), rename("s", "total")},
		"mixed":           {set("total", record.IntValue(3)), del("u64"), set("i32", record.IntValue(1)), rename("at", "when"), del("inner.next.name")},
		"delete, set new": {del("i32"), set("total", record.IntValue(3))},
		"below null":      {set("self.s", record.StringValue("New"))},
	}
	p := load(t, "all.proto", "all.All")
	data := dataOf(t, p, full)
	text, err := p.ours.AppendJSON(nil, data)
	if err != nil {
		t.Fatal(err)
	}
	const unknown = 5000
	data = protowire.AppendVarint(protowire.AppendTag(data, unknown, protowire.VarintType), 1)
	// Merged from two places, as few write it: edits below may be by way of JSON.
	merged := protowire.AppendBytes(protowire.AppendTag(data[:len(data):len(data)], 17, protowire.BytesType), build{}.varint(2, 3))
	for name, edits := range tests {
		check := func(t *testing.T, data []byte) {
			t.Parallel()
			proj := record.NewProjection()
			ids := map[string]record.PathID{}
			for _, path := range paths {
				parsed, err := record.ParsePath(path)
				if err != nil {
					t.Fatal(err)
				}
				ids[path] = proj.Add(parsed)
			}
			native, typed := record.NewDoc(proj), record.NewDoc(proj)
			native.Reset(p.ours, data)
			typed.Reset(record.JSONOf(p.ours.Schema()), text)
			for _, do := range edits {
				errA := do(native, func(s string) record.PathID { return ids[s] })
				errB := do(typed, func(s string) record.PathID { return ids[s] })
				if errA != nil || errB != nil {
					t.Fatalf("%v, and as JSON %v", errA, errB)
				}
			}
			a, errA := native.AppendTo(nil)
			b, errB := typed.AppendTo(nil)
			if errA != nil || errB != nil {
				t.Fatalf("%v, and as JSON %v", errA, errB)
			}
			got, err := native.Encoding().AppendJSON(nil, a)
			if err != nil {
				t.Fatal(err)
			}
			sa, sb := record.SchemaOf(native.Encoding()), record.SchemaOf(typed.Encoding())
			if string(got) != string(b) || !schema.Equal(sa, sb) {
				t.Errorf("\n%s, as JSON\n%s\nschema %s, as JSON %s", got, b, sa, sb)
			}
			e, ok := native.Encoding().(*protobuf.Encoding)
			if !ok {
				if name != "below null" && len(data) != len(merged) {
					_, why := protobuf.FromSchema(sb, protobuf.FromOptions{Base: p.ours.Message()})
					t.Errorf("the record has become %s: %v", native.Encoding().Name(), why)
				}
				return
			}
			if !hasField(t, a, unknown) {
				t.Error("the unknown field is gone")
			}
			for _, was := range p.ours.Message().Fields {
				for _, is := range e.Message().Fields {
					if was.Number == is.Number && was.Name != is.Name && name != "rename" && name != "mixed" {
						t.Errorf("number %d was %s and is %s", was.Number, was.Name, is.Name)
					}
					if was.Name == is.Name && was.Number != is.Number && name != "other type" && name != "null of a list" {
						t.Errorf("%s had number %d and has %d", was.Name, was.Number, is.Number)
					}
				}
			}
		}
		t.Run(name, func(t *testing.T) { check(t, data) })
		t.Run(name+", merged", func(t *testing.T) { check(t, merged) })
	}
}

func hasField(t *testing.T, b []byte, num protowire.Number) bool {
	t.Helper()
	for len(b) > 0 {
		n, _, size := protowire.ConsumeField(b)
		if size < 0 {
			t.Fatalf("damaged: %x", b)
		}
		if n == num {
			return true
		}
		b = b[size:]
	}
	return false
}
