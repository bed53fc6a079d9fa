package expr_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/schema"
)

const orderSchema = `struct shop.Order{id int64, big uint64, n int32, ratio float64, small float32, price decimal(10,2), exact decimal(38,10), name string,
	note string?, email string?, on bool, maybe bool?, raw bytes, hash bytes(16), at timestamp(ms), day date, open time(ms), wall local_timestamp, took duration, uid uuid,
	status enum Status(new, paid, done), prio enum(low, high)?, tags array<string>, nums array<int64>, days array<date>, bigs array<uint64>, rates array<float64>,
	items array<struct Item{sku string, qty int32, price decimal(10,2), at timestamp, kind enum Kind(A, B), exact decimal(38,10)}>,
	customer struct shop.Customer{id uuid, name string, address struct{city string, zip string?}?, since date, rank int32 = 1}, buyer struct Buyer{name string}?,
	counts map<string, int64>, pairs map<int32, string>, pay union{card struct Card{number string}, cash decimal(8,2)}, any any, level int8 = 3, "a.b" string}`

func parsedSchema(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func orders(t testing.TB) engine.Schemas {
	t.Helper()
	return engine.Schemas{Value: parsedSchema(t, orderSchema), Key: parsedSchema(t, `struct{id int64, "tenant" string?}`)}
}

func resultOf(t testing.TB, e *expr.Env, text string, in engine.Schemas) string {
	t.Helper()
	if s := compile(t, e, text).Result(in); s != nil {
		return s.String()
	}
	return "not known"
}

func TestResult(t *testing.T) {
	t.Parallel()
	in := orders(t)
	tests := []struct{ expr, want string }{
		// References: what the schema says, down to names, defaults and units.
		{"value", in.Value.String()},
		{"key.id", "int64"},
		{"key.tenant", "string?"},
		{"value.big", "uint64"},
		{"value.price", "decimal(10,2)"},
		{"value.exact", "decimal(38,10)"},
		{"value.at", "timestamp(ms)"},
		{"value.level", "int8 = 3"},
		{"value.hash", "bytes(16)"},
		{"value.status", "enum Status(new, paid, done)"},
		{"value.prio", "enum(low, high)?"},
		{"value.customer.id", "uuid"},
		{"value.customer.address", "struct{city string, zip string?}?"},
		{`value["a.b"]`, "string"},
		{"value.counts", "map<string, int64>"},
		{"value.any", "any?"},
		// nil where the path may end, an error where it may not go on.
		{"value.customer.address.city", "string"},
		{"value.customer.address?.city", "string?"},
		{"value?.id", "int64?"},
		{"value.customer?.id", "uuid"},
		{"value.items[0].at", "timestamp(ns)"},
		{"value.items[-1]?.sku", "string"},
		{"value.counts.x", "int64?"},
		{"value.pay.cash", "decimal(8,2)?"},
		{"value.pay.card.number", "string"},
		{"value.pay.card?.number", "string?"},
		{"value.name[0]", "int64"},
		{"value.any.x.y", "not known"},
		{"value.pairs[0]", "not known"},
		{"value.nope", "not known"},
		// The record beside its value.
		{"topic", "string"},
		{"partition", "int64"},
		{"offset", "int64"},
		{"timestamp", "timestamp(ns)?"},
		{"headers.trace", "not known"}, // text, or bytes that are none
		{"meta.path", "not known"},
		{"headers", "not known"},
		// Constants.
		{"1", "int64"},
		{"-1.5", "float64"},
		{"'a'", "string"},
		{"true", "bool"},
		{"nil", "any?"},
		{"var.min", "int64"},
		{"var.list", "array<any?>"},
		// Arithmetic.
		{"value.id + 1", "int64"},
		{"value.n * value.id", "int64"},
		{"value.n + 0.5", "float64"},
		{"value.id / 2", "float64"},
		{"value.id % 2", "int64"},
		{"2 ** value.id", "float64"},
		{"-value.n", "int64"},
		{"value.price * 2", "float64"},
		{"value.big + 1", "not known"}, // an integer, or a float beyond 63 bits
		{"value.name + '!'", "string"},
		{"value.status + '!'", "string"},
		{"value.at - value.day", "duration(ns)"},
		{"value.at - value.took", "timestamp(ns)"},
		{"value.took + value.at", "timestamp(ns)"},
		{"value.took + value.open", "duration(ns)"},
		{"value.took * 2", "duration(ns)"},
		{"value.any + 1", "not known"},
		{"value.nope + 1", "not known"},
		// Tests.
		{"value.id > 3", "bool"},
		{"value.name == value.any", "bool"},
		{"not value.on", "bool"},
		{"value.on && value.id > 1", "bool"},
		{"value.on && value.maybe", "bool?"},
		{"value.name contains 'x'", "bool"},
		{"value.name in ['a']", "bool"},
		{"has(value.note)", "bool"},
		// Branches.
		{"value.note ?? value.name", "string"},
		{"value.note ?? value.email", "string?"},
		{"value.prio ?? 'low'", "string"},
		{"value.on ? value.price : value.items[0].price", "decimal(10,2)"},
		{"value.on ? value.price : value.exact", "float64"},
		{"value.on ? value.big : value.bigs[0]", "uint64"},
		{"has(value.exact) ? value.exact : throw('none')", "decimal(38,10)"},
		{"value.on ? value.level : value.level", "int8"}, // no default: nothing is missing
		{"value?.level", "int8?"},
		{"let v = value.exact; v ?? v", "decimal(38,10)"},
		{"filter(value.nums, true) == [] ? value.exact : value.exact", "float64"}, // on the VM
		{"value.on ? value.price : nil", "decimal(10,2)?"},
		{"value.on ? value.price : 0", "not known"},
		{"value.on ? value.id : value.n", "int64"},
		{"value.on ? value.name : throw('x')", "string"},
		{"if value.on { value.level } else if value.maybe { 5 } else { 7 }", "int64"},
		{"let v = value.status; v", "enum Status(new, paid, done)"},
		{"let v = value.id; v * 2", "int64"},
		{"1; value.name", "string"},
		// What lies in an object that was read as a whole is JSON text.
		{"let c = value.customer; c.name", "string"},
		{"let c = value.customer; c.since", "string"},
		{"let c = value.customer; c.id", "uuid"},
		{"value.customer.rank", "int32 = 1"},
		{"let c = value.customer; c.rank", "int32?"}, // the text may lack it
		{"get(value.counts, 'x')", "int64?"},
		// Literals.
		{"[1, 2]", "array<int64>"},
		{"[1, nil]", "array<int64?>"},
		{"[1, 'a']", "array<any?>"},
		{"[]", "array<any?>"},
		{"[[1.5]]", "array<array<float64>>"},
		{"[value.price]", "array<decimal(10,2)>"},
		{"[value.at, value.at]", "array<timestamp(ms)>"},
		{"[value.day]", "array<date>"}, // as a time is written
		{"[value.open]", "array<time(ms)>"},
		{"{a: 1, b: value.note, 'c d': value.any}", `struct{a int64, b string?, "c d" any?}`},
		{"{a: {b: value.price}}", "struct{a struct{b decimal(10,2)}}"},
		{"{(value.name): 1}", "not known"},
		{"1..3", "array<int64>"},
		// Closures.
		{"map(value.nums, # * 2)", "array<int64>"},
		{"map(value.items, .sku)", "array<string>"},
		{"map(value.items, .at)", "array<timestamp(ns)>"},
		{"map(value.items, .exact)", "array<any?>"}, // more digits than a float has
		{"map(value.items, #index)", "array<int64>"},
		{"map(value.any, #)", "array<any?>"},
		{"filter(value.tags, # != '')", "array<string>"},
		{"filter(value.days, true)", "array<date>"},
		{"find(value.tags, # != '')", "string?"},
		{"find(value.days, true)", "string?"},
		{"count(value.items, .qty > 1)", "int64"},
		{"findIndex(value.nums, # > 1)", "int64?"},
		{"sum(value.nums)", "int64"},
		{"sum(value.items, .qty)", "int64"},
		{"sum(value.items, .price)", "not known"}, // 0 of none
		{"all(value.items, .qty > 1)", "bool"},
		{"first(value.tags)", "string?"},
		{"value.tags[1:]", "array<string>"},
		{"value.name[1:]", "string"},
		{"concat(value.tags, ['x'])", "array<string>"},
		{"sortBy(value.nums, -#)", "array<int64>"},
		// Functions.
		{"lower(value.name)", "string"},
		{"len(value.tags)", "int64"},
		{"abs(value.n)", "int64"},
		{"abs(value.price)", "float64"},
		{"min(value.n, 3)", "int64"},
		{"min(value.n, 3.5)", "not known"},
		{"round(value.price)", "float64"},
		{"split(value.name, ',')", "array<string>"},
		{"cast(value.name, 'int32')", "int32"},
		{"cast(value.id, 'boolean')", "bool"},
		{"cast(value.id, 'float32')", "float32"},
		{"toTime(value.name)", "timestamp(ns)"},
		{"toBytes(value.name)", "bytes"},
		{"duration('1s')", "duration(ns)"},
		{"value.at.Year()", "int64"},
		{"value.at.Format('2006')", "string"},
		{"value.took.Hours()", "float64"},
		{"regexExtract(value.name, 'x')", "string?"},
		{"default(value.note, 'x')", "string"},
		{"coalesce(value.note, value.email)", "string?"},
		{"parseJSON(value.name)", "not known"},
		{"keys(value)", "array<any?>"},
		{"mask_card(value.name)", "string"},
		{"quad(value.id)", "int64"},
		{"scaled(value.nums, 2)", "array<int64>"},
		{"bump(value.n)", "int64"},
	}
	e := env(t)
	for _, tt := range tests {
		if got := resultOf(t, e, tt.expr, in); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.expr, got, tt.want)
		}
		if got := resultOf(t, e, tt.expr, engine.Schemas{}); got != "not known" {
			t.Errorf("%s without a schema: got %s", tt.expr, got)
		}
	}
}

// TestResultOfReference: docs, versions and parameters of a field go with it.
func TestResultOfReference(t *testing.T) {
	t.Parallel()
	field := schema.NewDecimal(8, 2)
	field.Doc, field.Version, field.Parameters = "net", 2, map[string]string{"currency": "EUR"}
	in := engine.Schemas{Value: schema.NewStruct("o", schema.F("price", field), schema.F("other", field.AsOptional()))}
	e := env(t)
	if got := compile(t, e, "value.price").Result(in); got != field {
		t.Errorf("got %+v", got)
	}
	if got := compile(t, e, "value.on == nil ? value.price : value.price").Result(in); !schema.Equal(got, field) {
		t.Errorf("of two of the same: got %+v", got)
	}
	if got := compile(t, e, "value.other ?? value.price").Result(in); !schema.EqualTypes(got, schema.NewDecimal(8, 2)) {
		t.Errorf("with a fallback: got %s", got)
	}
}

// TestResultWithoutValue: a key's schema alone types what is read of it.
func TestResultWithoutValue(t *testing.T) {
	t.Parallel()
	e, in := env(t), engine.Schemas{Key: schema.New(schema.UUID)}
	for text, want := range map[string]string{"key": "uuid", "value.id": "not known", "key + 'x'": "string"} {
		if got := resultOf(t, e, text, in); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	if ps := compile(t, e, "key.id").Check(in); len(ps) != 1 || ps[0].Kind != expr.KindNoMember {
		t.Errorf("key.id: %+v", ps)
	}
}

func TestResultOfRecursion(t *testing.T) {
	t.Parallel()
	e, in := env(t), engine.Schemas{Value: parsedSchema(t, `struct Node{name string, left Node?, all array<Node>}`)}
	for text, want := range map[string]string{
		"value.left.left.name":          "string",
		"value.left?.left?.left?.name":  "string?",
		"map(value.all, .name)":         "array<string>",
		"value.all[0].all[0]":           in.Value.String(),
		"filter(value.all, .left.left)": "array<" + in.Value.String() + ">",
	} {
		if got := resultOf(t, e, text, in); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	ps := compile(t, e, "value.left.left.nam").Check(in)
	if len(ps) != 1 || !strings.Contains(ps[0].Detail, `"name"`) {
		t.Errorf("got %+v", ps)
	}
}
