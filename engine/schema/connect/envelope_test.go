package connect_test

import (
	"strconv"
	"sync"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	var k connect.Cache
	for _, c := range []struct{ in, want, typed, err string }{
		{`{"schema":{"type":"int32","optional":false},"payload":1}`, "1", "int32", ""},
		{`{"schema":{"type":"int32","optional":false},"payload":2}`, "2", "int32", ""},
		{`{"schema":{"type":"int32","optional":false},"payload":2} `, "2", "int32", ""},
		{`{"schema":{"type":"int32","optional":false},"payload":2,"x":1}`, "", "", `no envelope of Kafka Connect: an object with exactly "schema" and "payload" is expected; for plain JSON switch the envelope off`},
		{`{"schema":{"type":"int32","optional":false},"payload":"x"}`, "", "", `"x" is not of type int32`},
		{`{"schema":{"type":"int32","optional":false},"payload":2`, "", "", `unexpected end of the text where a comma or the end is expected at byte 55`},
		{` { "payload" : [ 1 ] , "schema" : {"type":"array","items":{"type":"int8"}} }`, "[1]", "array<int8>", ""},
		{`{"schema":null,"payload":{"a": 1}}`, `{"a":1}`, "", ""},
		{`{"schema":{"type":"string","optional":true},"payload":null}`, `null`, "string?", ""},
		{`{"schema":{"type":"string","optional":true,"default":"d"},"payload":null}`, `"d"`, `string? = "d"`, ""},
		{`{"schema":{"type":"string"},"payload":null}`, ``, ``, "null where string is required and has no default"},
		{`{"a":1}`, "", "", `no envelope of Kafka Connect: an object with exactly "schema" and "payload" is expected; for plain JSON switch the envelope off`},
		{`5`, "", "", `no envelope of Kafka Connect: an object with exactly "schema" and "payload" is expected; for plain JSON switch the envelope off`},
	} {
		got, s, err := k.Decode(nil, []byte(c.in), connect.Options{})
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s: got %v, want %s", c.in, err, c.err)
			}
			continue
		}
		typed := ""
		if s != nil {
			typed = s.String()
		}
		if err != nil || string(got) != c.want || typed != c.typed {
			t.Errorf("%s: got %s of %s, %v, want %s of %s", c.in, got, typed, err, c.want, c.typed)
		}
	}
}

func TestEqualSchemasAreOnePointer(t *testing.T) {
	t.Parallel()
	var k connect.Cache
	a, errA := k.Schema([]byte(`{"type":"int32","optional":false}`))
	b, errB := k.Schema([]byte(`{ "optional" : false, "type" : "int32" }`))
	if errA != nil || errB != nil || a != b {
		t.Errorf("%p, %p, %v, %v", a, b, errA, errB)
	}
}

func TestPayloads(t *testing.T) {
	t.Parallel()
	lenient := connect.Options{Lenient: true}
	for _, c := range []struct {
		typ, in string
		o       connect.Options
		want    string
		err     string
	}{
		{"int8", "128", connect.Options{}, "", "128 is not of type int8: out of range"},
		{"int8", "1.0", connect.Options{}, "", "1.0 is not of type int8: an integer has neither point nor exponent"},
		{"int8", "1.0", lenient, "1", ""},
		{"int32", "12e1", lenient, "120", ""},
		{"int32", "1.5", lenient, "", "1.5 is not of type int32: an integer has neither point nor exponent"},
		{"int64", `"12"`, connect.Options{}, "", `"12" is not of type int64`},
		{"int64", `"12"`, lenient, "12", ""},
		{"int64", "9223372036854775807", connect.Options{}, "9223372036854775807", ""},
		{"float64", `"NaN"`, connect.Options{}, `"NaN"`, ""},
		{"float64", `"-Infinity"`, connect.Options{}, `"-Infinity"`, ""},
		{"float64", `"nan"`, connect.Options{}, "", `"nan" is not of type float64: as text there are only "NaN", "Infinity" and "-Infinity"`},
		{"float64", `"1.5"`, lenient, "1.5", ""},
		{"float32", "1e39", connect.Options{}, "", "1e39 is not of type float32: out of range"},
		{"bool", `"true"`, connect.Options{}, "", `"true" is not of type bool`},
		{"bool", `"true"`, lenient, "true", ""},
		{"string", "1.50", lenient, `"1.50"`, ""},
		{"string", "1.50", connect.Options{}, "", "1.50 is not of type string"},
		{"bytes", `"AQ"`, connect.Options{}, "", `"AQ" is not of type bytes: bytes are written in base64`},
		{"bytes", `"_w"`, lenient, `"/w=="`, ""},
		{"decimal(9,2)", `"BNI="`, connect.Options{}, "12.34", ""},
		{"decimal(9,2)", `"+y4="`, connect.Options{}, "-12.34", ""},
		{"decimal(9,2)", `12.3`, connect.Options{}, "12.30", ""},
		{"decimal(9,2)", `12.345`, connect.Options{}, "", "12.345 is not of type decimal(9,2): more than 2 digits behind the point"},
		{"decimal(3,2)", `"BNI="`, connect.Options{}, "", "12.34 is not of type decimal(3,2): more than 3 digits"},
		{"decimal(*,-2)", `"BQ=="`, connect.Options{}, "500", ""},
		{"decimal(*,30)", `"AQ=="`, connect.Options{}, "0.000000000000000000000000000001", ""},
		{"date", "20000", connect.Options{}, `"2024-10-04"`, ""},
		{"date", "-719529", connect.Options{}, `"-0001-12-31"`, ""},
		{"date", `"2024-10-04"`, connect.Options{}, "", `"2024-10-04" is not of type date, which is an integer in a payload`},
		{"date", `"2024-10-04"`, lenient, `"2024-10-04"`, ""},
		{"time(ms)", "86400000", connect.Options{}, `"24:00:00"`, ""},
		{"time(ms)", "86400001", connect.Options{}, "", `86400001 ms are not of type time: a day has 24 hours`},
		{"timestamp(ms)", "-1", connect.Options{}, `"1969-12-31T23:59:59.999Z"`, ""},
		{"timestamp(ms)", "9223372036854775807", connect.Options{}, `"+292278994-08-17T07:12:55.807Z"`, ""},
		{"timestamp(ms)", "1.0", connect.Options{}, "", `1.0 is not of type timestamp, which is an integer in a payload`},
		{"timestamp(ns)", "1", connect.Options{}, `"1970-01-01T00:00:00.000000001Z"`, ""},
		{"struct{a int8, b int8 = 7, c int8?}", `{"c":3,"a":1}`, connect.Options{}, `{"a":1,"b":7,"c":3}`, ""},
		{"struct{a int8, b int8 = 7, c int8?}", `{"a":1,"a":2}`, connect.Options{}, `{"a":2,"b":7,"c":null}`, ""},
		{"struct{a int8}", `{"a":1,"x":{"y":2}}`, connect.Options{}, "", "x: no field of this name in the schema"},
		{"struct{a int8}", `{"x":{"y":2},"a":1}`, lenient, `{"a":1}`, ""},
		{"struct{a int8}", `{}`, connect.Options{}, "", "a: null where int8 is required and has no default"},
		{"struct{a int8 = 1}", `{"a":null}`, connect.Options{KeepNulls: true}, "", "a: null where int8 is required, and replacing nulls by defaults is switched off"},
		{"struct{a int8? = 1}", `{"a":null}`, connect.Options{KeepNulls: true}, `{"a":null}`, ""},
		{"struct{a int8? = 1}", `{"a":null}`, connect.Options{}, `{"a":1}`, ""},
		{"map<int32, string>", `[[1,"a"],[2,"b"]]`, connect.Options{}, `[[1,"a"],[2,"b"]]`, ""},
		{"map<int32, string>", `{"1":"a"}`, connect.Options{}, "", "a map whose keys are no strings is an array of [key, value] pairs"},
		{"map<int32, string>", `[[1]]`, connect.Options{}, "", "[0]: a pair has a key and a value"},
		{"array<struct{a array<int8>}>", `[{"a":[1,"x"]}]`, connect.Options{}, "", `[0].a[1]: "x" is not of type int8`},
		{"union{a int8, b string}", `{"a":null,"b":"x"}`, connect.Options{}, `{"b":"x"}`, ""},
		{"union{a int8, b string}", `{"a":1,"b":"x"}`, connect.Options{}, "", "more than one branch of a union is not null"},
		{"enum(a, b)", `"c"`, connect.Options{}, "", `"c" is not of type enum(a, b): none of its symbols`},
		{"uint64", `"AP//////////"`, connect.Options{}, "18446744073709551615", ""},
		{"any", `"{\"a\":1}"`, connect.Options{}, `{"a":1}`, ""},
	} {
		s, err := schema.Parse(c.typ)
		if err != nil {
			t.Fatalf("%s: %v", c.typ, err)
		}
		got, err := connect.AppendTyped(nil, []byte(c.in), s, c.o)
		switch {
		case c.err != "":
			if err == nil || err.Error() != c.err {
				t.Errorf("%s as %s: got %s, %v, want %s", c.in, c.typ, got, err, c.err)
			}
		case err != nil || string(got) != c.want:
			t.Errorf("%s as %s: got %s, %v, want %s", c.in, c.typ, got, err, c.want)
		default:
			if err := schema.Check(s, got); err != nil {
				t.Errorf("%s as %s: %s is none: %v", c.in, c.typ, got, err)
			}
		}
	}
}

func TestSchemaErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`{}`, `reading the schema: a schema needs a "type"`},
		{`{"type":"int128"}`, `reading the schema: Kafka Connect has no type "int128"`},
		{`{"type":"array"}`, `reading the schema: an array needs "items"`},
		{`{"type":"map","keys":{"type":"string"}}`, `reading the schema: a map needs "keys" and "values"`},
		{`{"type":"struct"}`, `reading the schema: a struct needs "fields"`},
		{`{"type":"struct","fields":[{"type":"int8"}]}`, `reading the schema: fields[0]: a field needs its name as "field"`},
		{`{"type":"struct","fields":[{"type":"int8","field":"a"},{"type":"int8","field":"a"}]}`, `reading the schema: field "a" twice`},
		{`{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","version":1}`, `reading the schema: a Decimal needs the parameter scale`},
		{`{"type":"bytes","name":"org.apache.kafka.connect.data.Decimal","parameters":{"scale":"x"}}`, `reading the schema: the scale of a Decimal is no number: "x"`},
		{`{"type":"int8","default":300}`, `reading the schema: the default of the int8: 300 is not of type int8: out of range`},
		{`{"type":"int8","parameters":{"flow.type":"uuid"}}`, `reading the schema: parameter flow.type says uuid, which is not kept as int8`},
		{`{"type":"int8"`, `reading the schema: unexpected end of the text where a comma or the end is expected at byte 14`},
	} {
		_, err := connect.ParseSchema([]byte(c.in))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
	s, err := schema.Parse("struct N{next N?}")
	if err != nil {
		t.Fatal(err)
	}
	const want = "next.next: struct N is within itself, which an envelope of Kafka Connect cannot say: use Avro or Protobuf"
	if _, err := connect.AppendSchema(nil, s, connect.Options{}); err == nil || err.Error() != want {
		t.Errorf("got %v", err)
	}
}

func TestForeign(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse("struct{a timestamp(us), b array<uuid>, c map<string, uint64>, d union{x int8}, e timestamp(ms)}")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a: timestamp is int64 to Kafka Connect", "b[]: uuid is string to Kafka Connect", "c[value]: uint64 is a Decimal of scale 0 to Kafka Connect", "d: union is struct to Kafka Connect"}
	got := connect.Foreign(s)
	for i := range got {
		if i >= len(want) || got[i].Error() != want[i] {
			t.Errorf("got %v", got[i])
		}
	}
	if len(got) != len(want) {
		t.Errorf("got %d", len(got))
	}
}

// TestManySchemas: envelopes of more schemas than are compared by their
// beginning, in turn and in two working copies.
func TestManySchemas(t *testing.T) {
	t.Parallel()
	var k connect.Cache
	var group sync.WaitGroup
	for range 2 {
		group.Go(func() {
			for i := range 200 {
				name := strconv.Itoa(i % 20)
				text := `{"schema":{"type":"struct","fields":[{"type":"int32","optional":false,"field":"f` + name + `"}],"optional":false},"payload":{"f` + name + `":` + strconv.Itoa(i) + `}}`
				got, s, err := k.Decode(nil, []byte(text), connect.Options{})
				if err != nil || string(got) != `{"f`+name+`":`+strconv.Itoa(i)+`}` || s.Fields[0].Name != "f"+name {
					t.Errorf("%s: %s, %v", text, got, err)
				}
			}
		})
	}
	group.Wait()
}
