package jsonschema_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

func TestAnySchema(t *testing.T) {
	t.Parallel()
	for seed := range uint64(600) {
		g := schematest.New(seed, schematest.Options{Recursive: seed%2 == 1})
		s := g.Schema()
		text, err := jsonschema.Append(nil, s)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, s, err)
		}
		if !json.Valid(text) {
			t.Fatalf("seed %d: not JSON: %s", seed, text)
		}
		back, err := jsonschema.Parse(text, nil)
		if err != nil {
			t.Fatalf("seed %d: %s: %v", seed, text, err)
		}
		if !schema.Equal(s, back) {
			t.Fatalf("seed %d: %s came back as %s\n%s\n%s", seed, s, back, text, schema.DiffText(schema.Diff(s, back)))
		}
	}
}

// TestAnyPayload: a value comes back as it was, or is refused since its payload
// does not say of which branch of a union it is.
func TestAnyPayload(t *testing.T) {
	t.Parallel()
	unions, refused := 0, 0
	for seed := range uint64(800) {
		g := schematest.New(seed, schematest.Options{})
		s := g.Schema()
		if strings.Contains(s.String(), "union{") {
			unions++
		}
		for range 3 {
			v := g.Value(s)
			payload, err := jsonschema.AppendPayload(nil, v, s, jsonschema.Options{KeepNulls: true})
			if err != nil && strings.Contains(err.Error(), "would be read as") {
				if _, err := jsonschema.AppendPayload(nil, v, s, jsonschema.Options{KeepNulls: true, Lenient: true}); err != nil {
					t.Fatalf("seed %d: %s: %s, leniently: %v", seed, s, v, err)
				}
				refused++
				continue
			}
			if err != nil {
				t.Fatalf("seed %d: %s: %s: %v", seed, s, v, err)
			}
			got, err := jsonschema.AppendTyped(nil, payload, s, jsonschema.Options{KeepNulls: true})
			if err != nil || !bytes.Equal(got, v) {
				t.Fatalf("seed %d: %s: %s, as %s, came back as %s, %v", seed, s, v, payload, got, err)
			}
		}
	}
	if unions < 30 || refused < 15 {
		t.Errorf("%d unions, %d values refused", unions, refused)
	}
}

// TestAmbiguous: what is known of unions before there are values.
func TestAmbiguous(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, value, want string }{
		{"struct{a union{x int32, y int32}}", `{"a":{"y":1}}`, `a(y): its values would be read as those of the branch "x"`},
		{"array<union{x string, y uuid}>", `[{"y":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"}]`, `[](y): its values would be read as those of the branch "x"`},
		{"map<string, union{x float64, y int8}>", `{"k":{"y":1}}`, `[value](y): its values would be read as those of the branch "x"`},
		{"union{x int64, y uint8}", `{"y":1}`, `(y): its values would be read as those of the branch "x"`},
		{"union{x any, y bool}", `{"y":true}`, `(y): its values would be read as those of the branch "x"`},
		{"union{x struct A{a int8}, y struct B{a int8}}", `{"y":{"a":1}}`, `(y): its values would be read as those of the branch "x"`},
		{"union{x uuid, y string}", `{"y":"a"}`, ""},
		{"union{x int64, y float64}", `{"y":1.5}`, ""},
		{"union{x struct A{a int8}, y struct B{b int8}}", `{"y":{"b":1}}`, ""},
		{"union{x int64, y string, z bool}", `{"z":true}`, ""},
	} {
		s, err := schema.Parse(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, e := range jsonschema.Ambiguous(s) {
			got = append(got, e.Error())
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s: got %q", c.typ, got)
		}
		if _, err := jsonschema.AppendPayload(nil, []byte(c.value), s, jsonschema.Options{}); (err == nil) != (c.want == "") {
			t.Errorf("%s: %s: %v", c.typ, c.value, err)
		}
	}
}

// TestSchemasOfOthers: a name that stands for another type, and a keyword that
// is there twice.
func TestSchemasOfOthers(t *testing.T) {
	t.Parallel()
	for _, in := range []string{
		`{"type":"integer","title":"org.apache.kafka.connect.data.Timestamp","connect.type":"another","default":1}`,
		`{"type":"string","x":1,"type":"integer"}`,
	} {
		s, err := jsonschema.Parse([]byte(in), nil)
		if err != nil || s.Type != schema.Int64 {
			t.Fatalf("%s: %v, %v", in, s, err)
		}
		text, err := jsonschema.Append(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		if back, err := jsonschema.Parse(text, nil); err != nil || !schema.Equal(s, back) {
			t.Errorf("%s, written as %s, came back as %s, %v", in, text, back, err)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`true`, "any"},
		{`{}`, "any"},
		{`{"type":"integer"}`, "int64"},
		{`{"type":"integer","connect.type":"int8"}`, "int8"},
		{`{"type":"number"}`, "float64"},
		{`{"type":["string","null"]}`, "string?"},
		{`{"type":["string","integer","null"]}`, "union{string string, integer int64}?"},
		{`{"oneOf":[{"type":"null"},{"type":"boolean"}]}`, "bool?"},
		{`{"anyOf":[{"type":"string"},{"title":"x.P","type":"object","properties":{}}]}`, "union{string string, \"x.P\" struct x.P{}}"},
		{`{"enum":["a","b",null]}`, "enum(a, b)?"},
		{`{"const":"a"}`, "enum(a)"},
		{`{"enum":[1,2]}`, "any"},
		{`{"type":"string","format":"uuid"}`, "uuid"},
		{`{"type":"string","format":"date"}`, "date"},
		{`{"type":"string","format":"date-time"}`, "timestamp(ns)"},
		{`{"type":"string","format":"email","maxLength":5}`, "string"},
		{`{"type":"string","connect.type":"bytes"}`, "bytes"},
		{`{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.version":1,"connect.parameters":{"scale":"2","connect.decimal.precision":"9"}}`, "decimal(9,2)"},
		{`{"type":"integer","title":"org.apache.kafka.connect.data.Timestamp","connect.type":"int64","connect.version":1}`, "timestamp(ms)"},
		{`{"type":"object"}`, "map<string, any>"},
		{`{"type":"object","additionalProperties":{"type":"integer","connect.type":"int32"},"connect.type":"map"}`, "map<string, int32>"},
		{`{"type":"array","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":"string"}},"required":["key","value"]},"connect.type":"map"}`, "map<int64, string>"},
		{`{"type":"object","properties":{"b":{"type":"string","connect.index":1},"a":{"type":"integer","connect.index":0},"c":{"type":"integer","default":5,"connect.index":2}},"required":["a"]}`, "struct{a int64, b string?, c int64 = 5}"},
		{`{"$ref":"#/definitions/P","definitions":{"P":{"type":"object","properties":{"n":{"type":"integer"}}}}}`, "struct{n int64?}"},
		{`{"$ref":"#/$defs/a~1b%20c","$defs":{"a/b c":{"type":"boolean"}}}`, "bool"},
		{`{"$ref":"#p","$defs":{"x":{"$anchor":"p","type":"boolean"}}}`, "bool"},
		{`{"type":"object","properties":{"next":{"$ref":"#"}}}`, "struct Root{next Root?}"},
		{`{"$ref":"#/definitions/N","definitions":{"N":{"type":"object","properties":{"next":{"oneOf":[{"type":"null"},{"$ref":"#/definitions/N"}]}}}}}`, "struct N{next N?}"},
		{`{"allOf":[{"type":"object","properties":{"a":{"type":"string"}},"required":["a"]},{"$ref":"#/$defs/B"}],"$defs":{"B":{"type":"object","properties":{"b":{"type":"string"}},"required":["b"]}}}`, "struct{a string, b string}"},
		{`{"type":"object","properties":{"o":{"$ref":"other.json#/definitions/O"}},"required":["o"]}`, "struct{o struct{x bool}}"},
	} {
		s, err := jsonschema.Parse([]byte(c.in), func(name string) ([]byte, error) {
			if name != "other.json" {
				return nil, errors.New("no such schema")
			}
			return []byte(`{"definitions":{"O":{"type":"object","properties":{"x":{"$ref":"#/definitions/X"}},"required":["x"]},"X":{"type":"boolean"}}}`), nil
		})
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if s.String() != c.want {
			t.Errorf("%s: got %s, want %s", c.in, s, c.want)
		}
		text, err := jsonschema.Append(nil, s)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		if back, err := jsonschema.Parse(text, nil); err != nil || !schema.Equal(s, back) {
			t.Errorf("%s: written as %s, which is %s, %v", c.in, text, back, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ in, want string }{
		{`{`, `reading the JSON Schema: unexpected end of the text where a string is expected at byte 1`},
		{`false`, `reading the JSON Schema: false takes no value at all`},
		{`{"type":"null"}`, `reading the JSON Schema: null alone is no type for a value`},
		{`{"type":"text"}`, `reading the JSON Schema: JSON Schema has no type "text"`},
		{`{"type":["string",""]}`, `reading the JSON Schema: JSON Schema has no type ""`},
		{`{"$ref":"#/definitions/X"}`, `reading the JSON Schema: $ref "#/definitions/X": there is no "definitions"`},
		{`{"$ref":"#"}`, `reading the JSON Schema: $ref "#" leads to itself`},
		{`{"$ref":"a.json"}`, `reading the JSON Schema: $ref "a.json" leads to a schema that is not given`},
		{`{"type":"object","properties":{"a":{"type":"array","items":{"type":"x"}}}}`, `reading the JSON Schema: a[]: JSON Schema has no type "x"`},
		{`{"type":"integer","default":"x"}`, `reading the JSON Schema: a default: "x" is not of type int64`},
		{`{"allOf":[{"type":"string"},{"type":"object"}]}`, `reading the JSON Schema: allOf of what are not objects with properties: flow takes one type, or objects`},
	} {
		_, err := jsonschema.Parse([]byte(c.in), nil)
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: got %v, want %s", c.in, err, c.want)
		}
	}
}

func TestKeywordsStay(t *testing.T) {
	t.Parallel()
	const in = `{"$schema":"http://json-schema.org/draft-07/schema#","type":"string","title":"mail","maxLength":5,"pattern":"^a"}`
	s, err := jsonschema.Parse([]byte(in), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := jsonschema.Append(nil, s); err != nil || string(got) != in {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestPayloadOfOthers(t *testing.T) {
	t.Parallel()
	s, err := jsonschema.Parse([]byte(`{"type":"object","properties":{"at":{"type":"string","format":"date-time"},"d":{"type":"string","format":"date"},"u":{"type":["integer","string"]}}}`), nil)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"at":"2024-01-01T10:00:00Z","d":"2024-01-02","u":{"string":"x"}}`
	got, err := jsonschema.AppendTyped(nil, []byte(`{"u":"x","at":"2024-01-01T12:00:00+02:00","d":"2024-01-02"}`), s, jsonschema.Options{})
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
	const back = `{"at":"2024-01-01T10:00:00Z","d":"2024-01-02","u":"x"}`
	if got, err = jsonschema.AppendPayload(nil, got, s, jsonschema.Options{}); err != nil || string(got) != back {
		t.Errorf("got %s, %v", got, err)
	}
}

// TestStyles: in each style the schema and its payloads come back, and what is
// Same needs no other form.
func TestStyles(t *testing.T) {
	t.Parallel()
	for _, style := range []jsonschema.Style{{Formats: true}, {Closed: true}, {Formats: true, Closed: true}} {
		same := 0
		for seed := range uint64(300) {
			g := schematest.New(seed, schematest.Options{Recursive: seed%2 == 1})
			s := g.Schema()
			styled := style.Of(s)
			if styled != style.Of(s) {
				t.Fatal("the same schema is made twice")
			}
			text, err := jsonschema.Append(nil, styled)
			if err != nil {
				t.Fatalf("seed %d: %s: %v", seed, s, err)
			}
			if back, err := jsonschema.Parse(text, nil); err != nil || !schema.Equal(styled, back) {
				t.Fatalf("seed %d: %s came back as %s, %v\n%s", seed, text, back, err, schema.DiffText(schema.Diff(styled, back)))
			}
			v := g.Value(s)
			is, _ := jsonschema.Same(styled, jsonschema.Options{KeepNulls: true})
			if !is {
				continue
			}
			same++
			payload, err := jsonschema.AppendPayload(nil, v, styled, jsonschema.Options{KeepNulls: true})
			if err != nil || schema.Check(s, payload) != nil {
				t.Fatalf("seed %d: %s is the same, and %s is written as %s, %v", seed, s, v, payload, err)
			}
		}
		if same == 0 {
			t.Errorf("%+v: nothing is the same", style)
		}
	}
}

func TestAbsent(t *testing.T) {
	t.Parallel()
	const text = `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"a":{"type":"string","connect.index":0},"b":{"oneOf":[{"type":"null"},{"type":"string"}],"connect.index":1},"c":{"allOf":[{"$ref":"#/definitions/C"}],"connect.index":2},"d":{"allOf":[{"$ref":"#/definitions/C"}],"connect.index":3}},"required":["d"],"definitions":{"C":{"type":"object","title":"C","properties":{}}}}`
	s, err := jsonschema.Parse([]byte(text), nil)
	if err != nil || s.String() != "struct{a string?, b string?, c struct C{}?, d C}" {
		t.Fatalf("%s, %v", s, err)
	}
	for in, want := range map[string]string{
		`{"a":null,"b":null,"c":null,"d":{}}`: `{"b":null,"d":{}}`,
		`{"a":"x","d":{},"c":{}}`:             `{"a":"x","b":null,"c":{},"d":{}}`,
	} {
		if got, err := jsonschema.AppendPayload(nil, []byte(in), s, jsonschema.Options{KeepNulls: true}); err != nil || string(got) != want {
			t.Errorf("%s is written as %s, %v, want %s", in, got, err, want)
		}
	}
	again, err := jsonschema.Append(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	if back, err := jsonschema.Parse(again, nil); err != nil || !schema.Equal(s, back) {
		t.Errorf("%s, written as %s, came back as %s: %v", text, again, back, err)
	}
}
