package avro

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"

	hamba "github.com/hamba/avro/v2"

	"github.com/flowrecords/flow/engine/schema"
)

// schemas are all types that there are, as people write them.
var schemas = map[string]string{
	"primitive": `"long"`,
	"object":    `{"type":"string","avro.java.string":"String"}`,
	"order": `{"type":"record","name":"Order","namespace":"shop","doc":"An order.","fields":[
		{"name":"id","type":"long","doc":"Unique."},
		{"name":"status","type":{"type":"enum","name":"Status","symbols":["NEW","PAID"],"default":"NEW"}},
		{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":12,"scale":2}},
		{"name":"note","type":["null","string"],"default":null},
		{"name":"maybe","type":["null","string"]},
		{"name":"last","type":["string","null"],"default":"x"},
		{"name":"tags","type":{"type":"array","items":"string"},"default":[]},
		{"name":"attrs","type":{"type":"map","values":["null","double"]},"default":{}},
		{"name":"at","type":{"type":"long","logicalType":"timestamp-micros"}},
		{"name":"day","type":{"type":"int","logicalType":"date"},"default":0},
		{"name":"customer","type":{"type":"record","name":"Customer","fields":[{"name":"name","type":"string"},{"name":"status","type":"Status"}]}},
		{"name":"other","type":["null","Customer"],"default":null},
		{"name":"hash","type":{"type":"fixed","name":"Hash","size":4},"default":"\u0000\u00ff\u0001\u0002"},
		{"name":"any","type":["null","int","string","Hash","Customer",{"type":"array","items":"int"}],"default":null}
	]}`,
	"recursive": `{"type":"record","name":"Node","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","Node"],"default":null},{"name":"all","type":{"type":"array","items":"Node"}}]}`,
	"logical": `{"type":"record","name":"L","fields":[
		{"name":"a","type":{"type":"int","logicalType":"time-millis"}},
		{"name":"b","type":{"type":"long","logicalType":"time-micros"}},
		{"name":"c","type":{"type":"long","logicalType":"timestamp-millis"}},
		{"name":"d","type":{"type":"long","logicalType":"timestamp-nanos"}},
		{"name":"e","type":{"type":"long","logicalType":"local-timestamp-millis"}},
		{"name":"f","type":{"type":"long","logicalType":"local-timestamp-micros"}},
		{"name":"g","type":{"type":"long","logicalType":"local-timestamp-nanos"}},
		{"name":"h","type":{"type":"string","logicalType":"uuid"}},
		{"name":"i","type":{"type":"fixed","name":"I","size":12,"logicalType":"duration"}},
		{"name":"j","type":{"type":"fixed","name":"J","size":9,"logicalType":"decimal","precision":20,"scale":4}},
		{"name":"k","type":{"type":"fixed","name":"K","size":16,"logicalType":"uuid"}}
	]}`,
	"odd": `{"type":"record","name":"O","fields":[
		{"name":"a","type":{"type":"int","logicalType":"unheard-of","x":[1,{"y":2}]},"order":"ignore","p":1.50},
		{"name":"b","type":{"type":"string","logicalType":"date"}},
		{"name":"c","type":["null","string"],"default":"null"},
		{"name":"d","type":"null"},
		{"name":"e","type":{"type":"bytes","logicalType":"decimal","precision":2,"scale":3}},
		{"name":"f","type":["int","string","null"],"default":7,"aliases":["ff"]},
		{"name":"g","type":["null"]}
	],"aliases":["OO"],"z":true}`,
	"connect": `{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[
		{"name":"i8","type":{"type":"int","connect.type":"int8"}},
		{"name":"i16","type":["null",{"type":"int","connect.type":"int16"}],"default":null},
		{"name":"ts","type":{"type":"long","connect.version":1,"connect.name":"org.apache.kafka.connect.data.Timestamp","logicalType":"timestamp-millis"}},
		{"name":"dec","type":{"type":"bytes","scale":2,"precision":64,"connect.version":1,"connect.parameters":{"scale":"2"},"connect.name":"org.apache.kafka.connect.data.Decimal","logicalType":"decimal"}},
		{"name":"named","type":{"type":"string","connect.doc":"d","connect.version":3,"connect.name":"my.Name","connect.parameters":{"k":"v"}}},
		{"name":"m","type":{"type":"array","items":{"type":"record","name":"MapEntry","fields":[{"name":"key","type":"int"},{"name":"value","type":"string"}]}}}
	],"connect.version":2}`,
	"texts": `{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":["null","string"]},{"name":"value","type":["null","int"]}]}}`,
	"flow": `{"type":"record","name":"F","fields":[
		{"name":"u8","type":{"type":"int","flow.type":"uint8"}},
		{"name":"u32","type":{"type":"long","flow.type":"uint32"}},
		{"name":"u64","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":0,"flow.type":"uint64"}},
		{"name":"t","type":{"type":"long","flow.type":"time-nanos"}},
		{"name":"d","type":{"type":"long","flow.type":"duration"}},
		{"name":"j","type":{"type":"string","flow.type":"json"}}
	]}`,
}

func parse(t testing.TB, text string) *Schema {
	t.Helper()
	s, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestText: what is parsed is printed with the same meaning, property by
// property, and reads as itself.
func TestText(t *testing.T) {
	t.Parallel()
	for name, text := range schemas {
		s := parse(t, text)
		printed := s.Text()
		if again := parse(t, printed); again.Text() != printed {
			t.Errorf("%s: %s is printed as %s", name, printed, again.Text())
		}
		if name == "odd" || name == "object" || name == "order" {
			var want, got any
			if json.Unmarshal([]byte(text), &want) != nil || json.Unmarshal([]byte(printed), &got) != nil || !reflect.DeepEqual(want, got) {
				t.Errorf("%s: printed as %s", name, printed)
			}
		}
	}
}

// TestThere: a schema that became flow's and Avro's again is the same.
func TestThereAndBack(t *testing.T) {
	t.Parallel()
	for name, text := range schemas {
		s := parse(t, text)
		typed, err := ToSchema(s)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		back, err := FromSchema(typed, FromOptions{Untyped: true})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var want, got any
		if json.Unmarshal([]byte(s.Text()), &want) != nil || json.Unmarshal([]byte(back.Text()), &got) != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%s:\n%s has become\n%s", name, s.Text(), back.Text())
		}
		again, err := ToSchema(back)
		if err != nil || !schema.Equal(typed, again) {
			t.Errorf("%s: the flow schema is another one: %v", name, err)
		}
	}
}

func TestCanonical(t *testing.T) {
	t.Parallel()
	// Others hold logical types, which that library leaves in, against the
	// specification.
	for _, name := range []string{"primitive", "object", "recursive"} {
		text := schemas[name]
		want, err := hamba.ParseWithCache(text, "", &hamba.SchemaCache{})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s := parse(t, text)
		if got := s.Canonical(); got != want.String() {
			t.Errorf("%s: canonical form\n%s, want\n%s", name, got, want)
		}
		sum, err := want.FingerprintUsing(hamba.CRC64Avro)
		if err != nil {
			t.Fatal(err)
		}
		var fp uint64
		for _, b := range sum {
			fp = fp<<8 | uint64(b)
		}
		if got := s.Fingerprint(); got != fp {
			t.Errorf("%s: fingerprint %x, want %x", name, got, fp)
		}
	}
}

func TestReferences(t *testing.T) {
	t.Parallel()
	customer := parse(t, `{"type":"record","name":"Customer","namespace":"shop","fields":[{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A"]}}]}`)
	s, err := Parse([]byte(`{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"c","type":"Customer"},{"name":"k","type":"shop.Kind"}]}`), customer)
	if err != nil {
		t.Fatal(err)
	}
	if s.Fields[0].Type != customer || s.Fields[1].Type.Symbols[0] != "A" {
		t.Errorf("resolved to %s", s)
	}
	if _, err := Parse([]byte(`{"type":"record","name":"Order","fields":[{"name":"c","type":"Customer"}]}`)); !errors.Is(err, ErrUnknownName) || !strings.Contains(err.Error(), `field c of Order: unknown type "Customer"`) {
		t.Errorf("without the reference: %v", err)
	}
}

func TestBadSchemas(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{``, "end of JSON"},
		{`{`, "end of JSON"},
		{`7`, "is no schema"},
		{`"Unknown"`, `unknown type "Unknown"`},
		{`{"type":"record","name":"A"}`, "fields of A: nothing is no array"},
		{`{"type":"record","fields":[]}`, "without name"},
		{`{"type":"record","name":"int","fields":[]}`, "primitive"},
		{`{"type":"record","name":"A","fields":[{"name":"x","type":"int"},{"name":"x","type":"int"}]}`, "the field x twice"},
		{`{"type":"record","name":"A","fields":[{"name":"x"}]}`, "field x of A: no type"},
		{`{"type":"enum","name":"E","symbols":["A","A"]}`, "the symbol A twice"},
		{`{"type":"enum","name":"E","symbols":["A"],"default":"B"}`, "none of its symbols"},
		{`{"type":"fixed","name":"F","size":-1}`, "size -1"},
		{`{"type":"fixed","name":"F","size":99999999999999999999}`, "is no number"},
		{`["int","int"]`, "two branches of the type int"},
		{`["int",["string"]]`, "directly within a union"},
		{`[]`, "without branches"},
		{`{"type":"array"}`, "without items"},
		{`{"type":"int","type":"long"}`, "there twice"},
		{strings.Repeat(`{"type":"array","items":`, 200) + `"int"` + strings.Repeat("}", 200), "nested deeper"},
	}
	for _, tt := range tests {
		if _, err := Parse([]byte(tt.in)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.60s: %v, want %q", tt.in, err, tt.want)
		}
	}
}

// TestFromSchema: what flow has and Avro lacks.
func TestFromSchema(t *testing.T) {
	t.Parallel()
	opt := func(s *schema.Schema) *schema.Schema { return s.AsOptional() }
	tests := []struct {
		name string
		in   *schema.Schema
		o    FromOptions
		want string // of the Avro text, or of the error after "error: "
	}{
		{"unnamed records", schema.NewStruct("", schema.F("a", schema.NewStruct("", schema.F("x", schema.New(schema.Int32))))), FromOptions{},
			`{"type":"record","name":"ConnectDefault","namespace":"io.confluent.connect.avro","fields":[{"name":"a","type":{"type":"record","name":"ConnectDefault2","fields":[{"name":"x","type":"int"}]}}]}`},
		{"own name", schema.NewStruct("", schema.F("a", opt(schema.New(schema.String)))), FromOptions{Name: "my.Order"},
			`{"type":"record","name":"Order","namespace":"my","fields":[{"name":"a","type":["null","string"],"default":null}]}`},
		{"default", schema.NewStruct("R", schema.F("a", opt(schema.New(schema.Bytes)).WithDefault(`"AP8="`))), FromOptions{},
			`{"type":"record","name":"R","fields":[{"name":"a","type":["bytes","null"],"default":"\u0000ÿ"}]}`},
		{"dates", schema.NewStruct("R", schema.F("a", schema.New(schema.Date).WithDefault(`"1970-01-03"`)), schema.F("b", schema.NewTime(schema.Timestamp, schema.Nanosecond))), FromOptions{},
			`{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"int","logicalType":"date"},"default":2},{"name":"b","type":{"type":"long","logicalType":"timestamp-nanos"}}]}`},
		{"decimal", schema.NewDecimal(0, 2), FromOptions{}, `{"type":"bytes","logicalType":"decimal","precision":38,"scale":2}`},
		{"decimal of Connect", schema.NewDecimal(0, 2), FromOptions{Precision: 64, Connect: true},
			`{"type":"bytes","logicalType":"decimal","precision":64,"scale":2,"connect.name":"org.apache.kafka.connect.data.Decimal","connect.version":1,"connect.parameters":{"scale":"2"}}`},
		{"any", schema.NewStruct("R", schema.F("a", schema.New(schema.Any))), FromOptions{}, "error: a: the type is not known"},
		{"any as text", schema.New(schema.Any), FromOptions{Untyped: true}, `{"type":"string","flow.type":"json"}`},
		{"bad name", schema.NewStruct("R", schema.F("a-b", schema.New(schema.Bool))), FromOptions{}, `error: a-b: "a-b" is no name in Avro`},
		{"scrubbed", schema.NewStruct("my-app.R", schema.F("a-b", schema.New(schema.Bool))), FromOptions{Scrub: true},
			`{"type":"record","name":"R","namespace":"my_app","fields":[{"name":"a_b","type":"boolean","flow.name":"a-b"}]}`},
		{"keys", schema.NewMap(schema.New(schema.Int64), schema.New(schema.Bool)), FromOptions{},
			`{"type":"array","items":{"type":"record","name":"MapEntry","namespace":"io.confluent.connect.avro","fields":[{"name":"key","type":"long"},{"name":"value","type":"boolean"}]}}`},
		{"two of a name", schema.NewStruct("R", schema.F("a", schema.NewStruct("X", schema.F("p", schema.New(schema.Bool)))), schema.F("b", schema.NewStruct("X", schema.F("q", schema.New(schema.Bool))))), FromOptions{},
			`{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"record","name":"X","fields":[{"name":"p","type":"boolean"}]}},{"name":"b","type":{"type":"record","name":"X2","fields":[{"name":"q","type":"boolean"}]}}]}`},
		{"symbols", schema.NewEnum("E", "a b"), FromOptions{}, `error: "a b" is no symbol`},
	}
	for _, tt := range tests {
		s, err := FromSchema(tt.in, tt.o)
		var got string
		if err != nil {
			got = "error: " + strings.TrimPrefix(err.Error(), "writing an Avro schema: ")
		} else {
			got = s.Text()
		}
		if got != tt.want && (err == nil || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s:\n%s, want\n%s", tt.name, got, tt.want)
		}
	}
}
