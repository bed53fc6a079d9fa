package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
)

// formatCase is a type, and values of it as typed JSON text.
type formatCase struct {
	typ    string
	values []string
	// Not every format has room for these. Where there is none they are refused.
	large []string
}

// formatCases are the rows of docs/formats.md.
var formatCases = []formatCase{
	{typ: "bool", values: []string{"true", "false"}},
	{typ: "int8", values: []string{"-128", "127"}},
	{typ: "int16", values: []string{"-32768", "32767"}},
	{typ: "int32", values: []string{"-2147483648", "2147483647"}},
	{typ: "int64", values: []string{"-9223372036854775808", "9007199254740993", "9223372036854775807"}},
	{typ: "uint8", values: []string{"0", "255"}},
	{typ: "uint16", values: []string{"0", "65535"}},
	{typ: "uint32", values: []string{"0", "4294967295"}},
	{typ: "uint64", values: []string{"0", "9223372036854775808", "18446744073709551615"}},
	{typ: "float32", values: []string{"1.5", "-0", "3.4028235e+38", `"NaN"`, `"-Infinity"`}},
	{typ: "float64", values: []string{"0.1", "-0", "1.7976931348623157e+308", "5e-324", `"NaN"`, `"Infinity"`}},
	{typ: "string", values: []string{`""`, `"a\nü\u0000😀"`}},
	{typ: "bytes", values: []string{`""`, `"AP8="`}},
	{typ: "bytes(4)", values: []string{`"AAH//g=="`}},
	{typ: "uuid", values: []string{`"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`}},
	{typ: "decimal(10,2)", values: []string{"0.00", "-99999999.99"}},
	{typ: "decimal(60,20)", values: []string{"-1234567890123456789012345678901234567890.12345678901234567890"}},
	{typ: "decimal(*,2)", values: []string{"0.01", "123456789012345678901234567890.12"}, large: []string{"1234567890123456789012345678901234567890.12"}},
	{typ: "decimal", values: []string{"1", "-12345678901234567890123456789012345678"}, large: []string{"1234567890123456789012345678901234567890"}},
	{typ: "decimal(5,-2)", values: []string{"1234500"}},
	{typ: "date", values: []string{`"2026-02-28"`, `"1969-12-31"`, `"0001-01-01"`}},
	{typ: "time(s)", values: []string{`"23:59:59"`}},
	{typ: "time(ms)", values: []string{`"23:59:59.999"`}},
	{typ: "time(us)", values: []string{`"00:00:00.000001"`}},
	{typ: "time", values: []string{`"23:59:59.999999999"`}},
	{typ: "timestamp(s)", values: []string{`"2026-02-28T12:00:01Z"`, `"0001-01-01T00:00:00Z"`}},
	{typ: "timestamp(ms)", values: []string{`"1969-12-31T23:59:59.999Z"`, `"0001-01-01T00:00:00Z"`}},
	{typ: "timestamp(us)", values: []string{`"2026-02-28T12:00:00.000001Z"`, `"0001-01-01T00:00:00Z"`}},
	{typ: "timestamp", values: []string{`"2026-02-28T12:00:00.123456789Z"`}, large: []string{`"0001-01-01T00:00:00Z"`, `"9999-12-31T23:59:59.999999999Z"`}},
	{typ: "local_timestamp(s)", values: []string{`"2026-02-28T12:00:01"`}},
	{typ: "local_timestamp(ms)", values: []string{`"1969-12-31T23:59:59.999"`}},
	{typ: "local_timestamp(us)", values: []string{`"2026-02-28T12:00:00.000001"`}},
	{typ: "local_timestamp", values: []string{`"2026-02-28T12:00:00.123456789"`}, large: []string{`"9999-12-31T23:59:59.999999999"`}},
	{typ: "duration(s)", values: []string{`"1h0m1s"`}},
	{typ: "duration(ms)", values: []string{`"-1.001s"`}},
	{typ: "duration(us)", values: []string{`"1µs"`}},
	{typ: "duration", values: []string{`"1h0m0.123456789s"`}},
	{typ: "enum State(new, paid)", values: []string{`"new"`, `"paid"`}},
	{typ: "array<int32>", values: []string{"[]", "[1,2]"}},
	{typ: "array<int32?>", values: []string{"[null,2]"}},
	{typ: "array<array<int32>>", values: []string{"[[],[1]]"}},
	{typ: "map<string, int32>", values: []string{"{}", `{"a":1,"":2}`}},
	{typ: "map<string, int32?>", values: []string{`{"a":null}`}},
	{typ: "map<int32, string>", values: []string{`[[1,"a"]]`}},
	{typ: "map<timestamp(ms), int32>", values: []string{`[["2026-02-28T12:00:00Z",1]]`}},
	{typ: "map<string?, int32>", values: []string{`{"a":2}`}},
	{typ: "struct Point{x int32, y int32}", values: []string{`{"x":1,"y":2}`}},
	{typ: "struct Nothing{}", values: []string{"{}"}},
	{typ: "struct Node{id int32, next Node?}", values: []string{`{"id":1,"next":{"id":2,"next":null}}`}},
	{typ: "union{string string, int64 int64}", values: []string{`{"string":"a"}`, `{"int64":9007199254740993}`}},
	{typ: "any", values: []string{`{"a":[1,"b",null]}`}},
}

// cell is what becomes of a type in a format.
func (f formatCase) cell(t *testing.T, c carrier) (text string, refusal error) {
	t.Helper()
	var cells []string
	for _, optional := range []bool{false, true} {
		typ, err := schema.Parse(f.typ)
		if err != nil {
			t.Fatal(err)
		}
		typ.Optional = optional
		s := schema.NewStruct("Row", schema.Field{Name: "field", Schema: typ})
		if err := s.Validate(); err != nil {
			t.Fatal(err)
		}
		back, carry, err := c.there(s)
		if err != nil {
			cells, refusal = append(cells, "refused"), err
			continue
		}
		values := slices.Clone(f.values)
		if optional {
			values = append(values, "null")
		}
		for _, v := range values {
			f.mustCarry(t, c.name, s, back, carry, v)
		}
		for _, v := range f.large {
			if got, err := carry([]byte(`{"field":` + v + `}`)); err == nil && string(got) != `{"field":`+v+`}` {
				t.Errorf("%s in %s: %s came back as %s", f.typ, c.name, v, got)
			}
		}
		// Whether null is a default is another table's matter.
		is := back.Fields[0].Schema.Clone()
		is.Optional, is.Default = false, nil
		if back.Fields[0].Schema.Optional != optional {
			t.Errorf("%s in %s: optional is %v", f.typ, c.name, !optional)
		}
		now, was := strings.ReplaceAll(is.String(), " = null", ""), strings.TrimSuffix(typ.String(), "?")
		if now == was {
			now = "✓"
		} else {
			now = "`" + strings.ReplaceAll(now, "(ns)", "") + "`"
		}
		cells = append(cells, now)
	}
	if cells[0] != cells[1] {
		t.Errorf("%s in %s: %s, where it is optional %s", f.typ, c.name, cells[0], cells[1])
	}
	return cells[0], refusal
}

// mustCarry asserts that a value comes back as it was: as the same text, or as
// another of the type that it is read back as that says the same.
func (f formatCase) mustCarry(t *testing.T, format string, s, back *schema.Schema, carry func([]byte) ([]byte, error), value string) {
	t.Helper()
	row := []byte(`{"field":` + value + `}`)
	got, err := carry(row)
	if err != nil {
		t.Errorf("%s in %s: %s: %v", f.typ, format, value, err)
		return
	}
	want := row
	if !schema.EqualTypes(s, back) {
		// No rule says that a smaller type can be read as the larger one.
		if converted, err := schema.Convert(nil, row, s, back); err == nil {
			want = converted
		}
	}
	if string(got) != string(want) {
		t.Errorf("%s in %s: %s came back as %s", f.typ, format, value, got)
	}
}

// meanings are what a schema says besides types: how to say it of rowSchema.
var meanings = []struct {
	name string
	say  func(row *schema.Schema)
}{
	{"name of a struct", func(row *schema.Schema) { row.Name = "shop.Line" }},
	{"name of an enum", func(row *schema.Schema) { row.Fields[1].Schema.Name = "shop.Kind" }},
	{"name of another type", func(row *schema.Schema) { row.Fields[0].Schema.Name = "shop.Id" }},
	{"doc of a struct", func(row *schema.Schema) { row.Doc = "A row." }},
	{"doc of an enum", func(row *schema.Schema) { row.Fields[1].Schema.Doc = "States." }},
	{"doc of another type", func(row *schema.Schema) { row.Fields[0].Schema.Doc = "Any number." }},
	{"doc of a field", func(row *schema.Schema) { row.Fields[0].Doc = "The number." }},
	{"aliases of a struct", func(row *schema.Schema) { row.Aliases = []string{"shop.Line"} }},
	{"aliases of an enum", func(row *schema.Schema) { row.Fields[1].Schema.Aliases = []string{"shop.Kind"} }},
	{"aliases of a field", func(row *schema.Schema) { row.Fields[0].Aliases = []string{"number"} }},
	{"optional field", func(row *schema.Schema) { row.Fields[0].Schema.Optional = true }},
	{"default of a required field", func(row *schema.Schema) { row.Fields[0].Schema.Default = []byte("5") }},
	{"default of an optional field", func(row *schema.Schema) { row.Fields[2].Schema.Default = []byte("5") }},
	{"null as the default", func(row *schema.Schema) { row.Fields[2].Schema.Default = []byte("null") }},
	{"default of an element", func(row *schema.Schema) { row.Fields[3].Schema.Elem.Default = []byte("5") }},
	{"version", func(row *schema.Schema) { row.Version = 3 }},
	{"parameters of a struct", func(row *schema.Schema) { row.Parameters = map[string]string{"owner": "shop"} }},
	{"parameters of another type", func(row *schema.Schema) { row.Fields[0].Schema.Parameters = map[string]string{"owner": "shop"} }},
	{"numbers of fields", func(row *schema.Schema) {
		for i := range row.Fields {
			row.Fields[i].Tag = 7 + i
		}
	}},
}

func rowSchema(t *testing.T) *schema.Schema {
	t.Helper()
	s, err := schema.Parse("struct shop.Row{id int64, state enum shop.State(new, paid), size int32?, list array<int64>}")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDocsFormats: docs/formats.md says what becomes of types, and of what a
// schema says besides them, in each format.
func TestDocsFormats(t *testing.T) {
	t.Parallel()
	types, refusals := typeTable(t)
	parts := map[string]string{"types": types, "refused": refusals, "meanings": meaningTable(t)}
	const page = "../../docs/formats.md"
	data, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	text := string(data)
	for name, want := range parts {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->\n"
		head, rest, ok := strings.Cut(text, begin)
		is, tail, closed := strings.Cut(rest, end)
		if !ok || !closed {
			t.Fatalf("%s has no place for %s", page, name)
		}
		if is != want && !*update {
			t.Errorf("%s is stale: make docs writes it anew. It should say\n%s", page, want)
		}
		text = head + begin + want + end + tail
	}
	if *update {
		write(t, page, text)
	}
}

// typeTable has a line for types of which the same becomes everywhere.
func typeTable(t *testing.T) (table, refusals string) {
	t.Helper()
	out, why := tableHead("type"), strings.Builder{}
	var types, said []string
	last := ""
	flush := func() {
		if types != nil {
			out += "| " + strings.Join(types, ", ") + " | " + last + " |\n"
		}
		types = nil
	}
	for _, f := range formatCases {
		var cells []string
		for _, c := range carriers {
			cell, refusal := f.cell(t, c)
			cells = append(cells, cell)
			if refusal == nil {
				continue
			}
			if message := fmt.Sprintf("- `%s` in %s: %s\n", f.typ, c.name, refusal); !slices.Contains(said, message) {
				said = append(said, message)
				why.WriteString(message)
			}
		}
		line := strings.Join(cells, " | ")
		if line != last {
			flush()
		}
		last = line
		types = append(types, "`"+f.typ+"`")
	}
	flush()
	return out, why.String()
}

func tableHead(first string) string {
	head, rule := "| "+first, "| ---"
	for _, c := range carriers {
		head += " | " + c.name
		rule += " | ---"
	}
	return head + " |\n" + rule + " |\n"
}

// meaningTable takes a schema there and back with and without each meaning:
// what makes no difference in what comes back is lost.
func meaningTable(t *testing.T) string {
	t.Helper()
	out := tableHead("")
	for _, m := range meanings {
		plain := rowSchema(t)
		said := rowSchema(t)
		m.say(said)
		if err := said.Validate(); err != nil {
			t.Fatalf("%s: %v", m.name, err)
		}
		out += "| " + m.name
		for _, c := range carriers {
			before, _, err := c.there(plain)
			if err != nil {
				t.Fatalf("%s: %v", c.name, err)
			}
			after, _, err := c.there(said)
			if err != nil {
				t.Fatalf("%s: %s: %v", c.name, m.name, err)
			}
			out += " | " + through(plain, before, said, after)
		}
		out += " |\n"
	}
	return out
}

// through says what has come through of what makes said another than plain,
// where the two come back as after and before.
func through(plain, before, said, after *schema.Schema) string {
	if schema.Equal(before, after) {
		return "lost"
	}
	always := schema.Diff(plain, before)
	result := "✓"
	for _, c := range schema.Diff(said, after) {
		if !slices.Contains(always, c) {
			result += ", and " + c.Text
		}
	}
	return result
}
