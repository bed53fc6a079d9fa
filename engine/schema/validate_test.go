package schema_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	self := &schema.Schema{Type: schema.Array}
	self.Elem = self
	node := &schema.Schema{Type: schema.Struct, Name: "N"}
	node.Fields = []schema.Field{schema.F("next", schema.NewArray(node))}
	deep := schema.New(schema.Int8)
	for range limits.SchemaDepth + 1 {
		deep = schema.NewArray(deep)
	}
	var many []schema.Field
	for i := range limits.SchemaNodes {
		many = append(many, schema.F("f"+strings.Repeat("x", i%7)+string(rune('a'+i%26)), schema.New(schema.Int8)))
	}
	str := schema.New(schema.String)
	for _, c := range []struct {
		name string
		s    *schema.Schema
		want string
	}{
		{"recursive", node, ""},
		{"nil", nil, "no schema"},
		{"no type", &schema.Schema{Type: 99}, "no such type: 99"},
		{"array of nothing", schema.NewArray(nil), "[]: no schema"},
		{"map without keys", schema.NewMap(nil, str), "[key]: no schema"},
		{"field without type", schema.NewStruct("", schema.F("a.b", nil)), `["a.b"]: no schema`},
		{"cycle", self, "[]: a type within itself needs a name"},
		{"deep", deep, strings.Repeat("[]", limits.SchemaDepth+1) + ": types nested deeper than 128"},
		{"many", schema.NewStruct("", many...), "more than 20000 types, fields and symbols"},
		{"precision of a string", &schema.Schema{Type: schema.String, Precision: 1}, "string has no precision"},
		{"unit of a date", &schema.Schema{Type: schema.Date, Unit: schema.Second}, "date has no unit"},
		{"unit", &schema.Schema{Type: schema.Time, Unit: 9}, "no such unit: 9"},
		{"elements", &schema.Schema{Type: schema.Struct, Elem: str}, "struct has no elements"},
		{"tags", schema.NewStruct("", schema.Field{Name: "a", Tag: 1, Schema: str}, schema.Field{Name: "b", Tag: 1, Schema: str}), "field number 1 twice or below 0"},
		{"default", schema.NewStruct("", schema.F("a", schema.New(schema.Int8).WithDefault(`"x"`))), `a: default: "x" is not of type int8`},
		{"deep default", schema.NewStruct("", schema.F("a", str)).WithDefault(`{"a":1}`), `a: default: 1 is not of type string`},
		{"null default", schema.New(schema.Int8).WithDefault(`null`), `default: null where int8 is required: make it optional (int8?) or give it a default`},
		{"union of nothing", schema.NewUnion(), "a union of nothing"},
		{"optional branch", schema.NewUnion(schema.Branch{Name: "a", Schema: str.AsOptional()}), "(a): a branch is never optional: the union is"},
		{"no text", &schema.Schema{Type: schema.String, Doc: "\xff"}, `a doc that is not UTF-8: "\xff"`},
		{"size", &schema.Schema{Type: schema.Bytes, Size: -1}, "a size of -1: at most 16777216"},
		{"scale", schema.NewDecimal(0, 1_000_000), "a scale of 1000000: it is at most 147455"},
		{"two", schema.NewStruct("", schema.F("a", schema.NewDecimal(-1, 0)), schema.F("b", schema.NewEnum("E", "x", "x"))), "a: a precision of -1: it is from 0 (any) to 147455\nb: symbol \"x\" twice"},
		{"bytes", &schema.Schema{Type: schema.String, Doc: strings.Repeat("x", limits.SchemaBytes+1)}, "names, docs and parameters of more than 4194304 bytes"},
	} {
		err := c.s.Validate()
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%s: got %q, want %q", c.name, got, c.want)
		}
	}
}

// TestRecursiveEquality: what unfolds to the same is equal, however the
// pointers lie.
func TestRecursiveEquality(t *testing.T) {
	t.Parallel()
	ring := func(n int, doc string) *schema.Schema {
		nodes := make([]*schema.Schema, n)
		for i := range nodes {
			nodes[i] = &schema.Schema{Type: schema.Struct, Name: "N"}
		}
		for i := range nodes {
			nodes[i].Fields = []schema.Field{schema.F("next", nodes[(i+1)%n]), schema.F("v", schema.New(schema.Int8))}
		}
		nodes[n-1].Doc = doc
		return nodes[0]
	}
	one, three := ring(1, ""), ring(3, "")
	if !schema.Equal(one, three) || one.Fingerprint() != three.Fingerprint() {
		t.Error("rings that unfold to the same differ")
	}
	outside := &schema.Schema{Type: schema.Struct, Name: "N", Fields: []schema.Field{schema.F("next", three), schema.F("v", schema.New(schema.Int8))}}
	if !schema.Equal(one, outside) || one.Fingerprint() != outside.Fingerprint() {
		t.Error("a ring and what leads into it differ")
	}
	other := ring(3, "x")
	if schema.Equal(one, other) || one.Fingerprint() == other.Fingerprint() || ring(2, "x").Fingerprint() == other.Fingerprint() {
		t.Error("rings that differ are equal")
	}
	if !schema.EqualTypes(one, other) {
		t.Error("a doc makes other types")
	}
}

// TestSharedPartsDoNotMultiply: a few types that each hold the next twice
// unfold to more than any memory.
func TestSharedPartsDoNotMultiply(t *testing.T) {
	t.Parallel()
	build := func() *schema.Schema {
		s := schema.New(schema.Int8)
		for range 100 {
			s = schema.NewStruct("", schema.F("a", s), schema.F("b", s))
		}
		return s
	}
	a, b := build(), build()
	if err := a.Validate(); err != nil {
		t.Fatal(err)
	}
	if !schema.Equal(a, b) || a.Fingerprint() != b.Fingerprint() || len(schema.Compatible(a, b)) > 0 || len(schema.Diff(a, b)) > 0 {
		t.Error("they differ")
	}
	text, err := a.MarshalJSON()
	if err != nil || len(text) > 20_000 {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	if n := len(a.String()); n > 2*limits.SchemaBytes {
		t.Errorf("a text of %d bytes", n)
	}
	if n := len(a.Text()); n > 2*limits.SchemaBytes {
		t.Errorf("a text of %d bytes", n)
	}
}
