package converters_test

import (
	"strings"
	"testing"

	avroconv "github.com/flowrecords/flow/converters/avro"
	csvconv "github.com/flowrecords/flow/converters/csv"
	jsonconv "github.com/flowrecords/flow/converters/json"
	jsonschemaconv "github.com/flowrecords/flow/converters/jsonschema"
	primitiveconv "github.com/flowrecords/flow/converters/primitive"
	protobufconv "github.com/flowrecords/flow/converters/protobuf"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/schema"
)

// TestTakes: what a format cannot carry is known before a run.
func TestTakes(t *testing.T) {
	t.Parallel()
	parse := func(text string) *schema.Schema {
		s, err := schema.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	make := func(f engine.ConverterFactory, change func(config any)) engine.Taker {
		config := f.Defaults()
		change(config)
		c, err := f.New(config, engine.Env{})
		if err != nil {
			t.Fatal(err)
		}
		return c.(engine.Taker)
	}
	avro := func(change func(c *avroconv.Config)) engine.Taker {
		return make(avroconv.Factory(), func(c any) { change(c.(*avroconv.Config)) })
	}
	protobuf := func(change func(c *protobufconv.Config)) engine.Taker {
		return make(protobufconv.Factory(), func(c any) { change(c.(*protobufconv.Config)) })
	}
	json := func(form, foreign string) engine.Taker {
		return make(jsonconv.Factory(), func(c any) { c.(*jsonconv.Config).Form, c.(*jsonconv.Config).Foreign = form, foreign })
	}
	jsonSchema := func(change func(c *jsonschemaconv.Config)) engine.Taker {
		return make(jsonschemaconv.Factory(), func(c any) { change(c.(*jsonschemaconv.Config)) })
	}
	csv := func(nested, extra string) engine.Taker {
		return make(csvconv.Factory(), func(c any) {
			x := c.(*csvconv.Config)
			x.Columns, x.Nested, x.Extra = []string{"a", "b"}, nested, extra
		})
	}
	vague := schema.NewStruct("", schema.F("a", schema.Unknown), schema.F("b", schema.New(schema.String)))
	for _, tt := range []struct {
		name  string
		taker engine.Taker
		s     *schema.Schema
		want  string // in the problems; empty: none
	}{
		{"avro", avro(func(*avroconv.Config) {}), parse("struct{a int32, b decimal(10,2)}"), ""},
		{"avro any", avro(func(*avroconv.Config) {}), parse("struct{a any}"), `untyped = "json"`},
		{"avro any as JSON", avro(func(c *avroconv.Config) { c.Untyped = "json" }), parse("struct{a any}"), ""},
		{"avro not known", avro(func(*avroconv.Config) {}), vague, ""},
		{"avro name", avro(func(*avroconv.Config) {}), parse(`struct{"a-b" int32}`), "scrub_names"},
		{"avro decimal", avro(func(*avroconv.Config) {}), parse("decimal(5,-2)"), "Avro has no decimal"},
		{"protobuf", protobuf(func(*protobufconv.Config) {}), parse("struct{a int8, b decimal(10,2), c array<array<date?>>?}"), ""},
		{"protobuf any", protobuf(func(*protobufconv.Config) {}), parse("struct{a struct{b any}}"), `a.b: the type is not known`},
		{"protobuf any as JSON", protobuf(func(c *protobufconv.Config) { c.Untyped = "json" }), parse("struct{a any}"), ""},
		{"protobuf not known", protobuf(func(*protobufconv.Config) {}), vague, ""},
		{"protobuf name", protobuf(func(*protobufconv.Config) {}), parse(`struct{"a-b" int32}`), "scrub_names"},
		{"json", json("plain", "plain"), parse("struct{a uuid}"), ""},
		{"envelope", json("envelope", "plain"), parse("struct{a uuid}"), ""},
		{"envelope for Connect", json("envelope", "error"), parse("struct{a uuid, b timestamp(us)}"), "a is of a type that Kafka Connect does not have"},
		{"JSON Schema", jsonSchema(func(*jsonschemaconv.Config) {}), parse("struct{a any, b union{x int32, y string}, c map<uuid, timestamp>}"), ""},
		{"JSON Schema union", jsonSchema(func(*jsonschemaconv.Config) {}), parse("struct{a union{x int32, y int8}}"), `a(y) cannot be told from another branch: JSON does not say of which branch of a union a value is: its values would be read as those of the branch "x"`},
		{"JSON Schema union all the same", jsonSchema(func(c *jsonschemaconv.Config) { c.Lenient = true }), parse("struct{a union{x int32, y int8}}"), ""},
		{"JSON Schema of an option", jsonSchema(func(c *jsonschemaconv.Config) {
			c.Schema = enginetest.SchemaText("struct{a int32}", engine.NotationType)
		}), parse("struct{a string}"), "a: string cannot be read as int32"},
		{"csv", csv("error", "error"), parse("struct{a int32, b string}"), ""},
		{"csv nested", csv("error", "error"), parse("struct{a int32, b array<string>}"), `nested = "json"`},
		{"csv nested as JSON", csv("json", "error"), parse("struct{a int32, b array<string>}"), ""},
		{"csv extra", csv("error", "error"), parse("struct{a int32, b string, c int8}"), "c is no column"},
		{"csv extra left out", csv("error", "ignore"), parse("struct{a int32, b string, c int8}"), ""},
		{"csv lacks", csv("error", "error"), parse("struct{a int32}"), "unknown field b"},
		{"csv not known", csv("error", "error"), vague, ""},
		{"primitive", make(primitiveconv.Factory(), func(c any) { c.(*primitiveconv.Config).Type = "int32" }), parse("int64"), ""},
		{"primitive text", make(primitiveconv.Factory(), func(c any) { c.(*primitiveconv.Config).Type = "int32" }), parse("string"), "the records are no int32"},
	} {
		got := ""
		for _, p := range tt.taker.Takes(tt.s) {
			got += p.Summary + ": " + p.Detail + "\n"
		}
		if (got == "") != (tt.want == "") || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %q, want %q in it", tt.name, got, tt.want)
		}
	}
}
