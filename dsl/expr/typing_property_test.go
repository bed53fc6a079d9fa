package expr_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

// typedGen makes schemas and expressions over their records.
type typedGen struct {
	*gen
	values *schematest.Generator
}

func newTypedGen(seed uint64) *typedGen {
	return &typedGen{
		gen:    &gen{Rand: rand.New(rand.NewPCG(seed, 3)), wild: int(seed % 25)},
		values: schematest.New(seed, schematest.Options{Depth: 3, Bare: true}),
	}
}

// like returns a schema whose records have the members that the expressions of
// gen ask for, of many types.
func (g *typedGen) like() *schema.Schema {
	number := func() *schema.Schema {
		return []*schema.Schema{
			schema.New(schema.Int8), schema.New(schema.Int32), schema.New(schema.Int64), schema.New(schema.Uint16), schema.New(schema.Uint64),
			schema.New(schema.Float32), schema.New(schema.Float64), schema.NewDecimal(10, 2), schema.NewDecimal(38, 5), schema.NewDecimal(0, 3),
		}[g.IntN(10)]
	}
	text := func() *schema.Schema {
		return []*schema.Schema{schema.New(schema.String), schema.New(schema.String), schema.New(schema.UUID), schema.NewEnum("E", "a", "paid", "b")}[g.IntN(4)]
	}
	odd := func() *schema.Schema {
		return []*schema.Schema{
			schema.New(schema.Any), schema.New(schema.Bytes), schema.New(schema.Date), schema.NewTime(schema.Timestamp, schema.Millisecond),
			schema.NewTime(schema.Time, schema.Second), schema.New(schema.Duration), schema.New(schema.LocalTimestamp), schema.New(schema.Bool),
		}[g.IntN(8)]
	}
	f := func(name string, s *schema.Schema) schema.Field {
		switch {
		case g.IntN(12) == 0:
			s = odd()
		case g.IntN(12) == 0:
			s = s.AsOptional()
		}
		return schema.F(name, s)
	}
	inner := schema.NewStruct("", f("a", odd()), f("s", text()), f("i", number()), f("o", schema.NewStruct("", f("i", number()))))
	items := schema.NewArray(schema.NewStruct("Item", f("q", number()), f("s", text())))
	return schema.NewStruct("", f("i", number()), f("j", number()), f("f", number()), f("s", text()), f("u", text()), f("t", schema.New(schema.Bool)),
		f("n", odd().AsOptional()), f("o", inner), f("items", items), f("nums", schema.NewArray(number())), f("tags", schema.NewArray(text())))
}

// paths returns expressions of what a record of s holds.
func paths(s *schema.Schema, at string, depth int, out []string) []string {
	out = append(out, at)
	if depth == 0 {
		return out
	}
	switch s.Type {
	case schema.Struct:
		for i := range s.Fields {
			out = paths(s.Fields[i].Schema, fmt.Sprintf("%s[%s]", at, quoted(s.Fields[i].Name)), depth-1, out)
		}
	case schema.Union:
		for i := range s.Branches {
			out = paths(s.Branches[i].Schema, fmt.Sprintf("%s[%s]", at, quoted(s.Branches[i].Name)), depth-1, out)
		}
	case schema.Array:
		out = paths(s.Elem, at+"[0]", depth-1, out)
	case schema.Map:
		if s.Key.Type == schema.String {
			out = paths(s.Elem, at+`["x"]`, depth-1, out)
		}
	default:
	}
	return out
}

func quoted(name string) string { return string(record.AppendQuoted(nil, []byte(name))) }

// over makes an expression over paths of any schema.
func (g *typedGen) over(list []string) string {
	p := func() string { return list[g.IntN(len(list))] }
	forms := []string{
		"%s", "%s", "%s", "%s == %s", "%s < %s", "%s + %s", "%s - %s", "%s * %s", "[%s, %s]", "{a: %s, b: %s}", "let v = %s; v", "%s ?? %s",
		"filter(%s, true)", "map(%s, #)", "find(%s, true)", "map(%s, [#])", "map(%s, {'a': #})", "default(%s, %s)", "lower(%s)", "int(%s)", "len(%s)", "%s in %s", "%s[1:]",
		"first(%s)", "reverse(%s)", "concat(%s, %s)", "min(%s, %s)", "sum(%s)", "topic == 'orders' ? %s : %s", "topic == 'x' ? %s : throw('x')", "let v = %s; v ?? 1", "if topic != '' { %s } else { %s }", "has(%s)", "-(%s)", "!(%s)", "%s.Year()", "%s?.x", "%s[0]", "keys(%s)",
		"get(%s, 'x')", "get(%s, 0)", "cast(%s, 'int32')", "cast(%s, 'string')", "cast(%s, 'float32')", "cast(%s, 'int8', 'connect')", "convertTime(%s, 'date')", "convertTime(%s, 'time')", "convertTime(%s, 'unix')", "blank(%s)", "blank(%s, '7')", "withDefaults(%s)",
		"cast(withDefaults(%s), 'string')", "schemaType(%s)", "flattenObject(%s, '_')", "withSchema(%s, {name: 'N'})", "withSchema({a: %s, b: [%s]}, {name: 'N', doc: 'd'})", "has(%s) ? cast(%s, 'int64') : nothing()", "toTime(%s)", "%s contains %s", "type(%s)", "abs(%s)", "toString(%s)", "any(%s, # == %s)", "sortBy(%s, #)", "distinct(%s)",
		"let v = %s; [v, v]", "coalesce(%s, %s)", "%s == nil ? 'none' : %s",
	}
	form := forms[g.IntN(len(forms))]
	args := []any{p(), p()}
	if g.IntN(2) == 0 {
		args[1] = args[0]
	}
	return fmt.Sprintf(form, args[:strings.Count(form, "%s")]...)
}

// fails reports a problem that stops every evaluation that comes by.
func fails(p expr.Problem) bool {
	switch p.Kind {
	case expr.KindWrongArguments, expr.KindNotBool, expr.KindNoMember:
		return true
	case expr.KindTypes:
		return strings.Contains(p.Detail, "cannot be applied") || p.Summary == "Types do not compare" && strings.ContainsAny(p.Detail, "<>") &&
			!strings.Contains(p.Detail, "array<") && !strings.Contains(p.Detail, "map<")
	}
	return false
}

// always reports that nothing in the text may be left out when it runs.
func always(text string) bool {
	for _, part := range []string{"?", "&&", "||", " and ", " or ", "filter(", "map(", "any(", "all(", "none(", "one(", "count(", "sum(", "find(", "sortBy(", "first(", "get("} {
		if strings.Contains(text, part) {
			return false
		}
	}
	return strings.Count(text, " < ") < 2 // a < b < c
}

// fits reports whether a result is of a type.
func fits(v record.Value, s *schema.Schema) error {
	if v.IsNil() {
		if !s.Optional {
			return fmt.Errorf("is null, but %s", s)
		}
		return nil
	}
	if v.Kind() == record.Array || v.Kind() == record.Object {
		text, err := v.AppendJSON(nil)
		if err != nil {
			return nil //nolint:nilerr // a NaN within, which fails where it is written
		}
		v = record.RawJSON(text)
	}
	if !v.Fits(s) {
		return fmt.Errorf("%s (%s) is no %s", v, v.Kind(), s)
	}
	return nil
}

// holds runs one expression over values of a schema and compares with what was
// said of it. It returns what was said.
func (g *typedGen) holds(t *testing.T, e *expr.Env, text string, s *schema.Schema, values [][]byte) (known, failing bool) {
	t.Helper()
	compiled, problems := e.Compile(text, expr.WantAny)
	if len(problems) > 0 {
		return false, false
	}
	src := compiled.(*expr.Source)
	in := engine.Schemas{Value: s}
	result := src.Result(in)
	for _, p := range src.Check(in) {
		if p.Offset < 0 || p.Length <= 0 || p.Offset+p.Length > len(text) {
			t.Fatalf("%s: %+v is not within", text, p)
		}
		failing = failing || fails(p)
	}
	l := record.NewLayout()
	program, err := src.Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	fresh := l.Value.Add(record.Path{{Name: "a new field"}})
	rows := row.Of(s)
	for i, raw := range values {
		r := rec(l, "null")
		r.Value.Reset(record.JSONOf(s), raw)
		if bytes, err := rows.Append(nil, raw); err == nil && len(bytes) > 0 && i%2 == 0 {
			r.Value.Reset(rows, bytes)
		}
		v, err := program.Eval(r)
		if err != nil {
			continue
		}
		if failing && always(text) {
			t.Fatalf("%s\n of %s\n on %s\n gives %s, but %+v", text, s, raw, v, src.Check(in))
		}
		if result == nil || v.Kind() == record.Missing {
			continue // nothing is known, or nothing is set
		}
		if err := fits(v, result); err != nil {
			t.Fatalf("%s (%s)\n of %s\n on %s\n %v", text, src.Mode(), s, raw, err)
		}
		if _, err := v.AppendJSON(nil); err != nil && v.Kind() >= record.Array {
			continue // a NaN within
		}
		if err := r.Value.SetAs(fresh, v, result); err != nil && v.Kind() != record.Missing {
			t.Fatalf("%s (%s)\n of %s\n on %s\n as %s: %v", text, src.Mode(), s, raw, result, err)
		}
	}
	return result != nil, failing
}

func (g *typedGen) some(s *schema.Schema) [][]byte {
	out := make([][]byte, 6)
	for i := range out {
		out[i] = g.values.Value(s)
	}
	return out
}

// TestTypesHold: what is said of an expression before the run is true of every
// record of the schema.
func TestTypesHold(t *testing.T) {
	t.Parallel()
	const workers, schemas, cases = 6, 40, 30
	e := env(t)
	for w := range workers {
		t.Run(fmt.Sprintf("seed %d", w), func(t *testing.T) {
			t.Parallel()
			g := newTypedGen(uint64(w))
			known, failing := 0, 0
			count := func(k, f bool) {
				if k {
					known++
				}
				if f {
					failing++
				}
			}
			for range schemas {
				like, any := g.like(), g.values.Struct()
				liked, some := g.some(like), g.some(any)
				list := paths(any, "value", 4, nil)
				for range cases {
					env := e
					if g.IntN(3) == 0 {
						env = e.VMOnly()
					}
					count(g.holds(t, env, g.expr("nsbx"[g.IntN(4)], 1+g.IntN(4)), like, liked))
					count(g.holds(t, env, g.over(list), any, some))
				}
			}
			if known < schemas*cases/4 || failing < schemas {
				t.Fatalf("the generator does not reach enough: %d types known, %d failing", known, failing)
			}
		})
	}
}

func FuzzTypesHold(f *testing.F) {
	for seed := range uint64(20) {
		f.Add(seed)
	}
	e := env(f)
	f.Fuzz(func(t *testing.T, seed uint64) {
		g := newTypedGen(seed)
		like, any := g.like(), g.values.Struct()
		liked, some := g.some(like), g.some(any)
		list := paths(any, "value", 4, nil)
		for range 5 {
			g.holds(t, e, g.expr("nsbx"[g.IntN(4)], 1+g.IntN(4)), like, liked)
			g.holds(t, e, g.over(list), any, some)
		}
	})
}

// FuzzCheck: whatever was written, what is said of it lies within the text.
func FuzzCheck(f *testing.F) {
	for _, text := range []string{"value.id", "value.items[0].nope", "filter(value.items, .qty > 1)", "let v = value?.customer; v?.nme.x", "both(value.note)", "both(value)", "twice(value.name)", "{a: value}.a.id", "value.at.Year() in value.nums"} {
		f.Add(text)
	}
	e := env(f)
	if ps := e.AddFunction("both", []string{"x"}, "x.a + x.b"); len(ps) > 0 {
		f.Fatal(ps)
	}
	s := parsedSchema(f, orderSchema)
	f.Fuzz(func(t *testing.T, text string) {
		in := engine.Schemas{Value: s, Key: s}
		src, problems := e.Compile(text, expr.WantAny)
		if len(problems) == 0 {
			src.(*expr.Source).Result(in)
			within(t, text, src.(*expr.Source).Check(in))
		}
		if tmpl, problems := e.CompileTemplate("x{{" + text + "}}"); len(problems) == 0 {
			within(t, tmpl.Text(), tmpl.(*expr.Template).Check(in))
		}
	})
}

func within(t *testing.T, text string, problems []expr.Problem) {
	t.Helper()
	for _, p := range problems {
		if p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > len(text) {
			t.Fatalf("%q: %+v is not within", text, p)
		}
	}
}
