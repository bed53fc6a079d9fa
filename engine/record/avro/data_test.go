package avro

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	hamba "github.com/hamba/avro/v2"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

func encodingOf(t testing.TB, text string) *Encoding {
	t.Helper()
	e, err := NewEncoding(parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func write(t testing.TB, e *Encoding, text string) []byte {
	t.Helper()
	w, err := NewWriter(e.Avro(), e.Schema(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := w.Append([]byte{}, []byte(text))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return b
}

// values are typed JSON texts of the schemas in their canonical form.
var values = []struct{ schema, text string }{
	{"primitive", "-9223372036854775808"},
	{"primitive", "9223372036854775807"},
	{"object", `"a\"\\é\n"`},
	{"order", `{"id":1,"status":"PAID","amount":-12.50,"note":null,"maybe":"x","last":null,"tags":["a","b"],"attrs":{"p":1.5,"q":null,"r":"NaN"},"at":"2026-01-02T03:04:05.678901Z",` +
		`"day":"1969-12-31","customer":{"name":"Ann","status":"NEW"},"other":{"name":"","status":"PAID"},"hash":"AAH/gA==","any":{"int":7}}`},
	{"order", `{"id":0,"status":"NEW","amount":0.01,"note":"n","maybe":null,"last":"l","tags":[],"attrs":{},"at":"0001-01-01T00:00:00Z",` +
		`"day":"9999-12-31","customer":{"name":"Ann","status":"NEW"},"other":null,"hash":"AAAAAA==","any":{"array":[1,2,3]}}`},
	{"order", `{"id":0,"status":"NEW","amount":9999999999.99,"note":"n","maybe":null,"last":"l","tags":[],"attrs":{},"at":"-290307-12-21T19:59:05.224192Z",` +
		`"day":"+5881580-07-11","customer":{"name":"Ann","status":"NEW"},"other":null,"hash":"AAAAAA==","any":{"shop.Customer":{"name":"B","status":"PAID"}}}`},
	{"recursive", `{"v":1,"next":{"v":2,"next":null,"all":[]},"all":[{"v":3,"next":null,"all":[]}]}`},
	{"logical", `{"a":"23:59:59.999","b":"00:00:00.000001","c":"1969-12-31T23:59:59.999Z","d":"2262-04-11T23:47:16.854775807Z","e":"2000-02-29T12:00:00","f":"1900-03-01T00:00:00.5","g":"1677-09-21T00:12:43.145224192",` +
		`"h":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6","i":{"months":1,"days":4294967295,"millis":0},"j":-1234567890123456.7891,"k":"00112233-4455-6677-8899-aabbccddeeff"}`},
	{"odd", `{"a":-1,"b":"not a date","c":"x","d":null,"e":"AQI=","f":{"string":"s"},"g":null}`},
	{"connect", `{"i8":-128,"i16":null,"ts":"2026-01-01T00:00:00Z","dec":123456789012345678901234567890.12,"named":"n","m":[[1,"a"],[-2,"b"]]}`},
	{"texts", `{"a":1,"":null,"\u0000":2}`},
	{"flow", `{"u8":255,"u32":4294967295,"u64":18446744073709551615,"t":"12:34:56.000000001","d":"1h2m3.5s","j":{"a":[1,2.50,null]}}`},
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, v := range values {
		e := encodingOf(t, schemas[v.schema])
		b := write(t, e, v.text)
		got, err := e.AppendJSON([]byte("x"), b)
		if err != nil || string(got[1:]) != v.text {
			t.Errorf("%s: %v\n%s, want\n%s", v.schema, err, got[1:], v.text)
		}
		if err := e.Check(b); err != nil {
			t.Errorf("%s: %v", v.schema, err)
		}
		if err := schema.Check(e.Schema(), []byte(v.text)); err != nil {
			t.Errorf("%s: the text is none of the schema: %v", v.schema, err)
		}
		// Cut anywhere, it is no value any more.
		for n := range b {
			if e.Check(b[:n]) == nil {
				t.Errorf("%s: %d of %d bytes are taken", v.schema, n, len(b))
			}
		}
		if e.Check(append(b, 0)) == nil {
			t.Errorf("%s: a byte behind the value is taken", v.schema)
		}
	}
}

// TestAgainstHamba: both libraries write the same bytes and read the same
// values.
func TestAgainstHamba(t *testing.T) {
	t.Parallel()
	e := encodingOf(t, schemas["order"])
	h, err := hamba.ParseWithCache(schemas["order"], "", &hamba.SchemaCache{})
	if err != nil {
		t.Fatal(err)
	}
	value := map[string]any{
		"id": int64(-7), "status": "PAID", "amount": big.NewRat(-1250, 100), "note": nil, "maybe": map[string]any{"string": "x"}, "last": map[string]any{"string": "l"},
		"tags": []any{"a", "b"}, "attrs": map[string]any{"p": map[string]any{"double": 0.25}}, "at": time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC),
		"day": time.Date(1969, 12, 31, 0, 0, 0, 0, time.UTC), "customer": map[string]any{"name": "Ann", "status": "NEW"},
		"other": nil, "hash": [4]byte{1, 2, 3, 4}, "any": map[string]any{"int": 7},
	}
	b, err := hamba.Marshal(h, value)
	if err != nil {
		t.Fatal(err)
	}
	text, err := e.AppendJSON(nil, b)
	want := `{"id":-7,"status":"PAID","amount":-12.50,"note":null,"maybe":"x","last":"l","tags":["a","b"],"attrs":{"p":0.25},"at":"2026-01-02T03:04:05.678901Z",` +
		`"day":"1969-12-31","customer":{"name":"Ann","status":"NEW"},"other":null,"hash":"AQIDBA==","any":{"int":7}}`
	if err != nil || string(text) != want {
		t.Fatalf("%v\n%s, want\n%s", err, text, want)
	}
	// hamba writes blocks with their sizes, so the bytes differ; the values do
	// not.
	var x, y map[string]any
	if err := hamba.Unmarshal(h, b, &x); err != nil {
		t.Fatal(err)
	}
	if err := hamba.Unmarshal(h, write(t, e, want), &y); err != nil {
		t.Fatal(err)
	}
	for name := range x {
		if name == "amount" {
			if x[name].(*big.Rat).Cmp(y[name].(*big.Rat)) != 0 {
				t.Errorf("amount %v and %v", x[name], y[name])
			}
			continue
		}
		if !reflect.DeepEqual(x[name], y[name]) {
			t.Errorf("%s: %v and %v", name, x[name], y[name])
		}
	}
}

func long(v int64) []byte { return binary.AppendVarint(nil, v) }

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// TestHostileData: what a length or a count claims is never believed.
func TestHostileData(t *testing.T) {
	t.Parallel()
	empty := `{"type":"array","items":{"type":"record","name":"E","fields":[{"name":"n","type":"null"}]}}`
	tests := []struct {
		name, schema string
		data         []byte
		want         string
	}{
		{"no data", `"int"`, nil, "cut short"},
		{"int of 33 bits", `"int"`, long(1 << 31), "32 bits"},
		{"number without end", `"long"`, bytes.Repeat([]byte{0xff}, 20), "64 bits"},
		{"number of 65 bits", `"long"`, append(bytes.Repeat([]byte{0x80}, 9), 2), "64 bits"},
		{"negative length", `"string"`, long(-1), "a length of -1"},
		{"giant length", `"bytes"`, long(math.MaxInt64), "0 bytes are left"},
		{"no UTF-8", `"string"`, []byte{4, 0xff, 0xfe}, "not UTF-8"},
		{"boolean 2", `"boolean"`, []byte{2}, "2 is no boolean"},
		{"branch", `["null","int"]`, long(2), "branch 2 of a union of 2"},
		{"negative branch", `["null","int","string"]`, long(-1), "branch -1"},
		{"symbol", `{"type":"enum","name":"E","symbols":["A"]}`, long(1), "symbol 1 of 1"},
		{"count", `{"type":"array","items":"int"}`, long(1 << 40), "0 bytes are left"},
		{"count of maps", `{"type":"map","values":"null"}`, join(long(3), []byte{0, 0}), "2 bytes are left"},
		{"smallest count", `{"type":"array","items":"int"}`, join(long(math.MinInt64), long(0)), "elements"},
		{"empty elements", empty, join(long(1<<40), long(0)), "take no bytes"},
		{"empty elements in sum", empty, join(bytes.Repeat(long(60000), 3), long(0)), "take no bytes"},
		{"size of a block", `{"type":"array","items":"int"}`, join(long(-2), long(7), []byte{2, 2, 0}), "7 bytes, and 3 are left"},
		{"wrong size of a block", `{"type":"array","items":"int"}`, join(long(-2), long(3), []byte{2, 2, 0}), "says to end at byte 5"},
		{"negative size of a block", `{"type":"array","items":"int"}`, join(long(-2), long(-1), []byte{2, 2, 0}), "a block of -1 bytes"},
		{"null as a key", schemas["texts"], []byte{2, 0, 0, 0}, "a null as the key of a map"},
		{"decimal", `{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, join(long(70000), make([]byte, 70000)), "is the most"},
		{"path", `{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"record","name":"S","fields":[{"name":"b","type":"string"}]}}]}`, long(5), "a.b: byte 0: a length of 5"},
		{"depth", schemas["recursive"], bytes.Repeat([]byte{2, 2}, 3000), "nested deeper than 512"},
	}
	for _, tt := range tests {
		e := encodingOf(t, tt.schema)
		for _, err := range []error{e.Check(tt.data), errOf(e.AppendJSON(nil, tt.data))} {
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
			}
		}
	}
}

func errOf(_ []byte, err error) error { return err }

func TestWriterRefuses(t *testing.T) {
	t.Parallel()
	record := `{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":["null","string"],"default":null},{"name":"c","type":{"type":"array","items":"string"},"default":[]}]}`
	tests := []struct{ schema, in, want, lenient string }{
		{record, `{"a":1}`, `{"a":1,"b":null,"c":[]}`, ""},
		{record, `{"c":["x"],"b":"y","a":2}`, `{"a":2,"b":"y","c":["x"]}`, ""},
		{record, `{}`, "error: a: missing, and the Avro schema has neither a default for it nor null", ""},
		{record, `{"a":1,"d":2}`, "error: d: record R has no such field", `{"a":1,"b":null,"c":[]}`},
		{record, `{"a":1,"a":2}`, "error: a: the member is there twice", ""},
		{record, `{"a":1.5}`, "error: a: 1.5 is no whole number", `{"a":2,"b":null,"c":[]}`},
		{record, `{"a":1.0}`, `{"a":1,"b":null,"c":[]}`, ""},
		{record, `{"a":2147483648}`, "error: a: 2147483648 does not fit int", ""},
		{record, `{"a":null}`, "error: a: null, and the Avro schema has int, which is never null", ""},
		{record, `{"a":1,"c":null}`, "error: c: null", `{"a":1,"b":null,"c":[]}`},
		{record, `{"a":1,"b":7}`, `error: b: a number, and the Avro schema has string: 7`, `{"a":1,"b":"7","c":[]}`},
		{record, `{"a":1,"c":["x",1]}`, `error: c[1]: a number`, `{"a":1,"b":null,"c":["x","1"]}`},
		{record, `[1]`, "error: an array, and the Avro schema has record R: [1]", ""},
		{`"bytes"`, `"AP8"`, "error: \"AP8\" is no base64", ""},
		{`{"type":"enum","name":"E","symbols":["A","B"],"default":"B"}`, `"C"`, `error: "C" is none of the symbols of E: A, B`, `"B"`},
		{`{"type":"fixed","name":"F","size":2}`, `"AAAA"`, "error: 3 bytes, and fixed F has 2", ""},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `1.5`, "1.50", ""},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `1.235`, "error: 1.235 has more than the 2 digits behind the point", "1.24"},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `123.45`, "error: 123.45 has more than the 4 digits", ""},
		{`{"type":"bytes","logicalType":"decimal","precision":4,"scale":2}`, `"12.5"`, "12.50", ""},
		{`{"type":"bytes","logicalType":"decimal","precision":40,"scale":2}`, `-1e30`, "-1000000000000000000000000000000.00", ""},
		{`{"type":"long","logicalType":"timestamp-millis"}`, `"2026-01-01T01:00:00.5+01:00"`, `"2026-01-01T00:00:00.5Z"`, ""},
		{`{"type":"long","logicalType":"timestamp-millis"}`, `"2026-01-01T00:00:00.0001Z"`, "error: \"2026-01-01T00:00:00.0001Z\" has more digits than timestamp-millis keeps", `"2026-01-01T00:00:00Z"`},
		{`{"type":"long","logicalType":"timestamp-millis"}`, `"2026-02-30T00:00:00Z"`, "error: \"2026-02-30T00:00:00Z\" is no timestamp-millis", ""},
		{`{"type":"long","logicalType":"timestamp-millis"}`, `1500`, `"1970-01-01T00:00:01.5Z"`, ""},
		{`{"type":"int","logicalType":"date"}`, `"2024-02-29"`, `"2024-02-29"`, ""},
		{`{"type":"string","logicalType":"uuid"}`, `"x"`, `error: "x" is no UUID`, ""},
		{`["null","int","string",{"type":"map","values":"int"}]`, `5`, `{"int":5}`, ""},
		{`["null","int","string",{"type":"map","values":"int"}]`, `{"string":"x"}`, `{"string":"x"}`, ""},
		{`["null","int","string",{"type":"map","values":"int"}]`, `{"string":5}`, `{"map":{"string":5}}`, ""},
		{`["null","int","string",{"type":"map","values":"int"}]`, `true`, `error: no branch of the union of null, int, string, map takes true`, ""},
		{`"double"`, `1e400`, "error: 1e400 does not fit double", ""},
		{`"float"`, `0.1`, "0.1", ""},
	}
	for _, tt := range tests {
		e := encodingOf(t, tt.schema)
		for _, lenient := range []bool{false, true} {
			want := tt.want
			if lenient {
				if want = tt.lenient; want == "" {
					continue
				}
			}
			w, err := NewWriter(e.Avro(), nil, WriterOptions{Lenient: lenient})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			if b, err := w.Append(nil, []byte(tt.in)); err != nil {
				got = "error: " + strings.TrimPrefix(err.Error(), "writing Avro: ")
			} else if text, err := e.AppendJSON(nil, b); err != nil {
				t.Fatal(err)
			} else {
				got = string(text)
			}
			if got != want && (!strings.HasPrefix(want, "error: ") || !strings.HasPrefix(got, want)) {
				t.Errorf("%s, lenient %v: %s, want %s", tt.in, lenient, got, want)
			}
		}
	}
}

// TestWriterTyped: what can never fit is refused before the first record.
func TestWriterTyped(t *testing.T) {
	t.Parallel()
	to := parse(t, `{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"string","default":"x"}]}`)
	tests := []struct {
		from *schema.Schema
		want string
	}{
		{schema.NewStruct("", schema.F("a", schema.New(schema.Int64))), ""},
		{schema.NewStruct("", schema.F("a", schema.New(schema.String))), "a: records have string and the Avro schema has int"},
		{schema.NewStruct("", schema.F("b", schema.New(schema.String))), "a: record R asks for this field"},
		{schema.NewStruct("", schema.F("a", schema.New(schema.Int8)), schema.F("c", schema.New(schema.Bool))), "c: record R has no such field"},
		{schema.New(schema.Int32), "the value: records have int32 and the Avro schema has record R"},
	}
	for _, tt := range tests {
		_, err := NewWriter(to, tt.from, WriterOptions{})
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%v, want %q", err, tt.want)
		}
	}
}

// TestDoubling: no value of a recursive schema costs more than its size times
// its depth.
func TestDoubling(t *testing.T) {
	t.Parallel()
	text := `{"type":"record","name":"T","fields":[{"name":"a","type":["null","T",{"type":"record","name":"U","fields":[{"name":"a","type":["null","T","U"]},{"name":"z","type":"int"}]}]},{"name":"y","type":"int"}]}`
	w, err := NewWriter(parse(t, text), nil, WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	in := strings.Repeat(`{"a":`, 400) + `null` + strings.Repeat(`,"q":1}`, 400)
	done := make(chan error, 1)
	go func() {
		_, err := w.Append(nil, []byte(in))
		done <- err
	}()
	select {
	case err := <-done:
		if err == nil {
			t.Error("taken")
		}
	case <-time.After(20 * time.Second):
		t.Fatal("still at it")
	}
}

func FuzzData(f *testing.F) {
	names := []string{"primitive", "object", "order", "recursive", "logical", "odd", "connect", "flow", "texts"}
	encodings := map[string]*Encoding{}
	for i, name := range names {
		encodings[name] = encodingOf(f, schemas[name])
		for _, v := range values {
			if v.schema == name {
				f.Add(i, write(f, encodings[name], v.text))
			}
		}
	}
	p := record.NewProjection()
	for _, path := range []string{"id", "amount", "customer.name", "attrs.p", "tags[0]", "tags[-1]", "any.int", "next.next.v", "all[0].v", "u64", "j.a", "d", "i.days", "m[0]"} {
		parsed, err := record.ParsePath(path)
		if err != nil {
			f.Fatal(err)
		}
		p.Add(parsed)
	}
	p.Freeze()
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		name := names[uint(which)%uint(len(names))]
		e := encodings[name]
		text, err := e.AppendJSON(nil, data)
		doc := record.NewDoc(p)
		doc.Reset(e, data)
		if index := doc.Check(); (index == nil) != (err == nil) && !strings.Contains(errString(err), "time of the day") && !strings.Contains(errString(err), "JSON text is over") {
			t.Fatalf("reading: %v, indexing: %v", err, index)
		}
		if err != nil {
			return
		}
		if err := record.ValidateJSON(text); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		w, err := NewWriter(e.Avro(), e.Schema(), WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		b, err := w.Append(nil, text)
		if err != nil && strings.Contains(err.Error(), "digits of the Avro schema's decimal") {
			return // as in Java, precision is checked when writing only
		}
		if err != nil {
			t.Fatalf("%s cannot be written: %v", text, err)
		}
		again, err := e.AppendJSON(nil, b)
		if err != nil || !bytes.Equal(again, text) {
			t.Fatalf("%s became %s, %v", text, again, err)
		}
	})
}

func errString(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func FuzzSchema(f *testing.F) {
	for _, text := range schemas {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		printed := s.Text()
		again, err := Parse([]byte(printed))
		if err != nil {
			t.Fatalf("%s is printed as %s: %v", text, printed, err)
		}
		if again.Text() != printed {
			t.Fatalf("%s is printed as %s", printed, again.Text())
		}
		typed, err := ToSchema(s)
		if err != nil {
			return
		}
		if back, err := FromSchema(typed, FromOptions{Untyped: true, Scrub: true}); err == nil {
			if _, err := ToSchema(back); err != nil {
				t.Fatalf("%s became %s: %v", printed, back, err)
			}
		}
	})
}

// TestWriterRounds: numbers of a type that has their digits are not rounded to a
// float unless that is asked for.
func TestWriterRounds(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		to, from, text string
		fits           bool
	}{
		{`"float"`, "float64", "0.1", true},
		{`"float"`, "float64", "0.12345678901", false},
		{`"float"`, "int64", "16777216", true},
		{`"float"`, "int64", "16777217", false},
		{`"double"`, "int64", "9007199254740992", true},
		{`"double"`, "int64", "9007199254740993", false},
		{`"double"`, "uint64", "18446744073709551615", false},
		{`"double"`, "decimal(20,2)", "1234567.89", true},
		{`"double"`, "decimal(20,2)", "12345678901234567.89", false},
		{`"double"`, "float64", "0.30000000000000004", true},
		{`"float"`, "float32", "0.1", true},
	} {
		to, err := Parse([]byte(tt.to))
		if err != nil {
			t.Fatal(err)
		}
		from, err := schema.Parse(tt.from)
		if err != nil {
			t.Fatal(err)
		}
		for _, lenient := range []bool{false, true} {
			w, err := NewWriter(to, from, WriterOptions{Lenient: lenient})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Append(nil, []byte(tt.text)); (err == nil) != (tt.fits || lenient) {
				t.Errorf("%s %s as %s, lenient %v: %v", tt.from, tt.text, tt.to, lenient, err)
			}
		}
	}
}
