package schema_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

func parse(t *testing.T, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return s
}

// alias returns s with an alias at a field of it.
func alias(s *schema.Schema, field string, names ...string) *schema.Schema {
	s.Field(field).Aliases = names
	return s
}

func TestCompatible(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ writer, reader, value, want string }{
		{"int8", "int64", "5", ""},
		{"int32", "float32", "5", ""},
		{"int64", "float64", "5", ""},
		{"float32", "float64", "1.5", ""},
		{"int64", "int32", "", "int64 cannot be read as int32: it would lose values; keep int64"},
		{"float64", "float32", "", "float64 cannot be read as float32: it would lose values; keep float64"},
		{"float32", "int64", "", "float32 cannot be read as int64: it would lose values; keep float32"},
		{"uint32", "int64", "5", ""},
		{"uint64", "int64", "", "uint64 cannot be read as int64: keep the type, or add a field of another name with a default"},
		{"string", "bytes", `"é"` + "\x00" + `"w6k="`, ""},
		{"bytes", "string", `"w6k="` + "\x00" + `"é"`, ""},
		{"bytes(4)", "bytes(5)", "", "bytes(4) cannot be read as bytes(5): use the same size in both"},
		{"bytes(4)", "bytes", "", "bytes(4) cannot be read as bytes: use the same size in both"},
		{"uuid", "string", `"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"`, ""},
		{"string", "uuid", "", "string cannot be read as uuid: keep the type, or add a field of another name with a default"},
		{"timestamp(ms)", "timestamp(us)", `"2024-01-01T00:00:00.123Z"`, ""},
		{"timestamp(ns)", "timestamp(us)", "", "timestamp(ns) cannot be read as timestamp(us) without losing digits: keep the unit ns or a finer one"},
		{"decimal(5,2)", "decimal(8,4)", "1.23\x001.2300", ""},
		{"decimal(5,2)", "decimal(5,3)", "", "decimal(5,2) cannot be read as decimal(5,3): too few digits before the point, raise the precision"},
		{"decimal(5,2)", "decimal(9,1)", "", "decimal(5,2) cannot be read as decimal(9,1) without losing digits behind the point: the scale must be at least 2"},
		{"decimal(*,2)", "decimal(9,2)", "", "decimal(*,2) cannot be read as decimal(9,2): too few digits before the point, raise the precision"},
		{"string?", "string", "", "the writer may write null, and the reader does not take it: make it optional in the reader"},
		{"string", "string?", `"x"`, ""},
		{"array<int8?>", "array<int64?>", "[1,null]", ""},
		{"array<string>", "array<int64>", "", "[]: string cannot be read as int64: keep the type, or add a field of another name with a default"},
		{"map<string, int8>", "map<string, int64>", `{"a":1}`, ""},
		{"map<int8, int8>", "map<int32, int64>", `[[1,2]]`, ""},
		{"map<uuid, int8>", "map<string, int8>", `[["f81d4fae-7dec-11d0-a765-00a0c91e6bf6",2]]` + "\x00" + `{"f81d4fae-7dec-11d0-a765-00a0c91e6bf6":2}`, ""},
		{"struct A{a int8, gone int8, b string}", "struct A{b string, a int32, c int8 = 7}", `{"a":1,"gone":2,"b":"x"}` + "\x00" + `{"b":"x","a":1,"c":7}`, ""},
		{"struct{a int8}", "struct{a int8, b struct{c int8}}", "", "b: the writer does not have it, and it has no default: give it one, or name its old name as an alias"},
		{"struct{a int8}", "struct{a int8, b int8?}", "", "b: the writer does not have it, and it has no default: give it the default null"},
		{"struct{a int8}", "struct{a int8, b int8? = null}", `{"a":1}` + "\x00" + `{"a":1,"b":null}`, ""},
		{"struct x.A{a int8}", "struct y.A{a int8}", `{"a":1}`, ""},
		{"struct x.A{a int8}", "struct x.B{a int8}", "", `the writer calls it x.A, the reader x.B: use one name, or add "x.A" to the aliases of the reader's`},
		{"struct{a struct{b array<struct{c string}>}}", "struct{a struct{b array<struct{c int8}>}}", "", "a.b[].c: string cannot be read as int8: keep the type, or add a field of another name with a default"},
		{"enum E(a, b)", "enum E(b, a, c)", `"a"`, ""},
		{"enum E(a, b)", "enum E(a)", "", "the reader's enum does not have b: add what is missing, or a default to the enum"},
		{"int8", "union{s string, n int64}", `5` + "\x00" + `{"n":5}`, ""},
		{"union{n int8}", "int64", `{"n":5}` + "\x00" + "5", ""},
		{"union{n int8, s string}", "int64", "", "(s): string cannot be read as int64: keep the type, or add a field of another name with a default"},
		{"union{n int8, s string}", "union{s bytes, n int32}", `{"s":"é"}` + "\x00" + `{"s":"w6k="}`, ""},
		{"union{a bool}", "union{s string}", "", "(a): no branch of the reader's union takes it: add one"},
		{"bool", "union{s string}", "", "no branch of the reader's union takes bool: add one"},
		{"struct N{v int8, next N?}", "struct N{v int64, next N?}", `{"v":1,"next":{"v":2,"next":null}}`, ""},
		{"struct N{v int64, next N?}", "struct N{v int8, next N?}", "", "v: int64 cannot be read as int8: it would lose values; keep int64"},
		{"struct N{next N?, v int8}", "struct N{next N?, v int8, w int8}", "", "w: the writer does not have it, and it has no default: give it one, or name its old name as an alias"},
		{"struct{a int8}", "any", `{"a":1}`, ""},
		{"any", "string", "", "the writer says no type, the reader string: say the type in the writer's schema"},
	} {
		writer, reader := parse(t, c.writer), parse(t, c.reader)
		var got []string
		for _, e := range schema.Compatible(reader, writer) {
			got = append(got, e.Error())
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s as %s: got %q, want %q", c.writer, c.reader, got, c.want)
		}
		if c.value == "" {
			continue
		}
		old, now, differs := strings.Cut(c.value, "\x00")
		if !differs {
			now = old
		}
		out, err := schema.Convert(nil, []byte(old), writer, reader)
		if err != nil || string(out) != now {
			t.Errorf("%s as %s: %s became %s, %v, want %s", c.writer, c.reader, old, out, err, now)
		}
		if err := schema.Check(reader, out); err != nil {
			t.Errorf("%s: %v", out, err)
		}
	}
}

func TestCompatibleByAliases(t *testing.T) {
	t.Parallel()
	writer := parse(t, "struct old.A{mail string, e enum E(a, b)}")
	reader := alias(parse(t, "struct new.B{email string, e enum E(a)}"), "email", "e-mail", "mail")
	reader.Aliases = []string{"old.A"}
	reader.Field("e").Schema.Parameters = map[string]string{schema.EnumDefault: "a"}
	if list := schema.Compatible(reader, writer); len(list) > 0 {
		t.Errorf("got %v", list)
	}
	got, err := schema.Convert(nil, []byte(`{"e":"b","mail":"x"}`), writer, reader)
	if want := `{"email":"x","e":"a"}`; err != nil || string(got) != want {
		t.Errorf("got %s, %v", got, err)
	}
}

func TestProject(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ from, to, value, want, err string }{
		{"int8", "float64", "1", "1", ""},
		{"int64", "int8", "", "", "int64 cannot be read as int8: numbers widen from int8 over int16, int32, int64 and float32 to float64, all else keeps its type"},
		{"int64", "float32", "1", "1", ""},
		{"string", "bytes", "", "", "string cannot be read as bytes: numbers widen from int8 over int16, int32, int64 and float32 to float64, all else keeps its type"},
		{"int32?", "int32", "", "", "it may be null, and is required in the new schema: make it optional there, or give it a default"},
		{"int32?", "int32 = 7", "null", "7", ""},
		{"struct{a int8}?", `struct{a int16} = {"a":9}`, "null", `{"a":9}`, ""},
		{"struct{a int8, b int8}", "struct{b int16, c string?, d int8 = 4}", `{"a":1,"b":2}`, `{"b":2,"c":null,"d":4}`, ""},
		{"struct{a int8}", "struct{a int8, b int8}", "", "", "b: it is not in the old schema and is required: make it optional or give it a default"},
		{"struct x.A{a int8}", "struct y.A{a int8}", "", "", `the name is "x.A" in one schema and "y.A" in the other: it must be the same`},
		{"array<struct{a int8}>", "array<struct{a int64}>", `[{"a":1}]`, `[{"a":1}]`, ""},
		{"decimal(*,2)", "decimal(*,3)", "", "", "decimal(*,2) cannot be read as decimal(*,3): Kafka Connect's rules want the same scale"},
		{"timestamp(ms)", "timestamp(us)", "", "", "timestamp(ms) cannot be read as timestamp(us): Kafka Connect's rules want the same unit"},
	} {
		p, err := schema.Project(parse(t, c.from), parse(t, c.to))
		if c.err != "" {
			if err == nil || err.Error() != c.err {
				t.Errorf("%s to %s: got %v, want %s", c.from, c.to, err, c.err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s to %s: %v", c.from, c.to, err)
			continue
		}
		if got, err := p.Append(nil, []byte(c.value)); err != nil || string(got) != c.want {
			t.Errorf("%s to %s: got %s, %v, want %s", c.from, c.to, got, err, c.want)
		}
	}
}

func TestProjectWantsTheSameParameters(t *testing.T) {
	t.Parallel()
	from, to := parse(t, "struct{a string}"), parse(t, "struct{a string}")
	to.Fields[0].Schema.Parameters = map[string]string{"x": "1"}
	_, err := schema.Project(from, to)
	var e *schema.Error
	if !errors.As(err, &e) || e.Path != "a" {
		t.Errorf("got %v", err)
	}
}

func TestLevels(t *testing.T) {
	t.Parallel()
	v1, v2, v3 := parse(t, "struct{a int8}"), parse(t, "struct{a int8, b int8 = 1}"), parse(t, "struct{a int8, b int8, c int8 = 1}")
	for _, c := range []struct {
		level string
		next  *schema.Schema
		old   []*schema.Schema
		want  string
	}{
		{"NONE", parse(t, "bool"), []*schema.Schema{v1}, ""},
		{"BACKWARD", v3, []*schema.Schema{v1, v2}, ""},
		{"backward_transitive", v3, []*schema.Schema{v1, v2}, "data of version 1 cannot be read with the new schema: b: the writer does not have it, and it has no default: give it one, or name its old name as an alias"},
		{"FORWARD", v1, []*schema.Schema{v3, v2}, ""},
		{"Forward_Transitive", v1, []*schema.Schema{v3, v2}, "version 1 cannot read data of the new schema: b: the writer does not have it, and it has no default: give it one, or name its old name as an alias"},
		{"FULL", v2, []*schema.Schema{v3, v1}, ""},
		{"FULL_TRANSITIVE", v1, []*schema.Schema{v3, v2}, "version 1 cannot read data of the new schema: b: the writer does not have it, and it has no default: give it one, or name its old name as an alias"},
		{"FULL", v1, nil, ""},
	} {
		l, err := schema.ParseLevel(c.level)
		if err != nil || !strings.EqualFold(l.String(), c.level) {
			t.Fatalf("%s: %s, %v", c.level, l, err)
		}
		var got []string
		for _, v := range l.Check(c.next, c.old) {
			got = append(got, v.Error())
		}
		if strings.Join(got, "\n") != c.want {
			t.Errorf("%s: got %q, want %q", c.level, got, c.want)
		}
	}
	if _, err := schema.ParseLevel("sideways"); err == nil {
		t.Error("took a level that there is not")
	}
}

func TestAnyIsCompatibleWithItself(t *testing.T) {
	t.Parallel()
	each(t, schematest.Options{}, func(t *testing.T, g *schematest.Generator, s *schema.Schema) {
		c := unshare(s, make(map[*schema.Schema]*schema.Schema))
		if list := schema.Compatible(s, c); len(list) > 0 {
			t.Errorf("not with itself: %v", list)
		}
		if list := schema.Diff(s, c); len(list) > 0 {
			t.Errorf("differs from itself: %v", list)
		}
		v := g.Value(s)
		for _, rules := range []schema.Rules{schema.Resolution, schema.Projection} {
			// A change without meaning makes the plan go into the parts.
			if c.Type == schema.Struct && len(c.Fields) > 0 {
				c.Fields[0].Schema = c.Fields[0].Schema.AsOptional()
			}
			p, err := schema.NewPlan(s, c, rules)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := p.Append(nil, v); err != nil || string(got) != string(v) {
				t.Errorf("%s became %s, %v", v, got, err)
			}
		}
		for name, m := range mutants(s) {
			switch name {
			case "precision", "scale", "size", "unit":
				continue // no valid schema, for most types
			}
			if len(schema.Diff(s, m)) == 0 {
				t.Errorf("no difference by another %s", name)
			}
		}
	})
}

func TestDiff(t *testing.T) {
	t.Parallel()
	from := parse(t, `struct o.Order{id int32, mail string, price decimal(5,2), state enum S(a, b), gone bool, lines array<struct{sku string}>, at timestamp(ms), u union{x int8, y int8}}`)
	to := alias(parse(t, `struct o.Order{id int64?, email string = "x", price decimal(9,2), lines array<struct{sku int64, n int8 = 1}>, state enum S(b, c), at timestamp(us), u union{x int8, z string}}`), "email", "mail")
	to.Doc, to.Version = "orders", 2
	to.Fields[0].Schema.Parameters = map[string]string{"k": "v"}
	const want = `~ version 2 added
~ doc "orders" added
- gone: removed, it was bool
~ fields in another order
~ id: type int32 -> int64
~ id: required -> optional
~ id: parameter k "v" added
~ email: renamed, it was mail
~ email: default "x" added
~ email: aliases of the field mail added
~ price: type decimal(5,2) -> decimal(9,2)
~ lines[].sku: type string -> int64
+ lines[].n: added, int8 = 1
- state: symbol "a" removed
+ state: symbol "c" added
~ at: type timestamp(ms) -> timestamp(us)
- u(y): branch removed, it was int8
+ u(z): branch added, string
`
	if got := schema.DiffText(schema.Diff(from, to)); got != want {
		t.Errorf("got\n%s", got)
	}
}

func TestSteps(t *testing.T) {
	t.Parallel()
	from := parse(t, "struct{a int8, gone bool, old string, l array<struct{x int32?}>, u int8}")
	to := alias(parse(t, "struct{a int64, new string, l array<struct{x int64?}>, d string = \"q\", u union{n int32}}"), "new", "old")
	p, err := schema.NewPlan(from, to, schema.Resolution)
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, s := range p.Steps() {
		got.WriteString(s.Path + ": " + s.Text + "\n")
	}
	const want = `a: int8 widened to int64
new: from old
l[].x: int32 widened to int64
d: default "q"
u: int8 as branch "n"
u: int8 widened to int32
gone: dropped
`
	if got.String() != want {
		t.Errorf("got\n%s", got.String())
	}
}
