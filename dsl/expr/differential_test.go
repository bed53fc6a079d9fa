package expr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	exprlang "github.com/expr-lang/expr"
	"github.com/expr-lang/expr/builtin"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine/record"
)

// gen makes expressions, most of them well-typed, over the records that it
// makes too.
type gen struct {
	*rand.Rand
	// wild is the share of operands of a wrong type, in percent.
	wild int
	// wide allows text that is not ASCII, which the language as it comes cuts
	// in bytes.
	wide bool
}

func (g *gen) pick(s ...string) string { return s[g.IntN(len(s))] }

func (g *gen) value(depth int) any {
	switch g.IntN(9) {
	case 0:
		return nil
	case 1:
		return g.IntN(2) == 0
	case 2, 3:
		return []int{0, 1, -1, 2, 3, 5, 7, 100, -42, 9007199254740993, math.MaxInt64, math.MinInt64}[g.IntN(12)]
	case 4:
		return []float64{0, 0.5, 1, -1.5, 2.5, 100.25, 1e300, 1e21, -7}[g.IntN(9)]
	case 5, 6:
		return g.text()
	case 7:
		if depth > 2 {
			return g.text()
		}
		out := make([]any, g.IntN(4))
		for i := range out {
			out[i] = g.value(depth + 1)
		}
		return out
	}
	if depth > 2 {
		return 1
	}
	out := map[string]any{}
	for _, k := range []string{"a", "b", "q", "s"} {
		if g.IntN(3) > 0 {
			out[k] = g.value(depth + 1)
		}
	}
	return out
}

func (g *gen) text() string {
	if g.wide && g.IntN(3) == 0 {
		return g.pick("é", "Zoë", "김치찌개", "日本語text", "ÀB", "x😀y")
	}
	return g.pick("", "a", "abc", "12", "-7", "1.5", " x ", "Hello", "ABC", "paid", "a-b-c", "b", "aXbX", `q"uo`, "tab\t")
}

// record makes a record whose members mostly hold what their names promise.
func (g *gen) record() string {
	if g.IntN(30) == 0 {
		return g.pick("null", "5", `"text"`, "[]", "{}")
	}
	doc := map[string]any{}
	put := func(name string, v any) {
		switch n := g.IntN(100); {
		case n < 8: // missing
		case n < 12:
			doc[name] = nil
		case n < 20:
			doc[name] = g.value(0)
		default:
			doc[name] = v
		}
	}
	put("i", []int{0, 1, 2, -3, 41, 100, math.MaxInt64, math.MinInt64, 1 << 62}[g.IntN(9)])
	put("j", g.IntN(10))
	put("f", []float64{0.5, 1.5, -2.25, 100.5}[g.IntN(4)])
	put("s", g.text())
	put("u", g.text())
	put("t", g.IntN(2) == 0)
	put("n", nil)
	put("o", map[string]any{"a": g.value(1), "s": g.text(), "i": g.IntN(5), "o": map[string]any{"i": g.IntN(9)}})
	items := make([]any, g.IntN(4))
	for i := range items {
		items[i] = map[string]any{"q": g.IntN(5), "s": g.text()}
	}
	put("items", items)
	put("nums", []any{1, 2.5, g.IntN(4)})
	put("tags", []any{"a", "b", g.text()})
	if g.wide {
		put("é", g.text())
		put("日本語の長い名前", map[string]any{"ключ": g.text(), "x": g.IntN(9)})
		put("o😀", g.IntN(5))
	}
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// expr makes an expression of a type: n number, s text, b bool, x any.
func (g *gen) expr(typ byte, depth int) string {
	if g.IntN(100) < g.wild {
		typ = "nsbx"[g.IntN(4)]
	}
	if depth <= 0 {
		return g.leaf(typ)
	}
	d := depth - 1
	n := func() string { return g.expr('n', d) }
	s := func() string { return g.expr('s', d) }
	b := func() string { return g.expr('b', d) }
	x := func() string { return g.expr('x', d) }
	if g.IntN(12) == 0 {
		return fmt.Sprintf("(%s ? %s : %s)", b(), g.expr(typ, d), g.expr(typ, d))
	}
	if g.IntN(16) == 0 {
		return fmt.Sprintf("(%s ?? %s)", g.expr(typ, d), g.expr(typ, d))
	}
	if g.IntN(25) == 0 {
		name := fmt.Sprintf("v%d", g.IntN(1000000))
		return fmt.Sprintf("(let %s = %s; %s + %s)", name, g.expr(typ, d), name, g.expr(typ, d))
	}
	switch typ {
	case 'n':
		switch g.IntN(16) {
		case 0:
			return "len(" + g.pick(s(), "value.items", "value.tags", "value.o") + ")"
		case 1:
			return g.pick("int", "float", "abs", "ceil", "floor", "round") + "(" + n() + ")"
		case 2:
			return g.pick("int", "float") + "(" + s() + ")"
		case 3:
			x := g.leaf('n')
			if strings.HasPrefix(x, "value.nums") {
				// Of a text this is a byte, which the language negates as one.
				x = "value.i"
			}
			return "-" + x
		case 4:
			return g.pick("min", "max") + "(" + n() + ", " + n() + ")"
		case 5:
			return "sum(map(value.items, .q)) + " + n()
		case 6:
			return "count(value.items, .q > " + n() + ")"
		case 7:
			return "indexOf(" + s() + ", " + s() + ")"
		case 8:
			return "{'a': 1, 'b': 2.5}[" + s() + "]"
		}
		return "(" + n() + g.pick(" + ", " - ", " * ", " / ", " % ", " ** ", " + ", " - ", " * ") + n() + ")"
	case 's':
		switch g.IntN(12) {
		case 0:
			return g.pick("upper", "lower", "trim", "string", "type", "trimPrefix") + "(" + s() + ")"
		case 1:
			return "string(" + x() + ")"
		case 2:
			return "type(" + x() + ")"
		case 3:
			return g.leaf('s') + "[" + g.pick("", "0", "1", "-2", "2", "len(value.s)-1", n()) + ":" + g.pick("", "1", "2", "-1", "3", n()) + "]"
		case 4:
			return "replace(" + s() + ", " + s() + ", " + s() + ")"
		case 5:
			return g.pick("trim", "trimPrefix", "trimSuffix") + "(" + s() + ", " + g.pick("'a'", "'X'", s()) + ")"
		case 6:
			return "split(" + s() + ", '-')[0]"
		case 7:
			return "join(value.tags, " + s() + ")"
		case 8:
			return "(" + s() + " + " + s() + " + " + s() + ")"
		}
		return "(" + s() + " + " + s() + ")"
	case 'b':
		switch g.IntN(16) {
		case 0, 1:
			return "(" + n() + g.pick(" < ", " > ", " <= ", " >= ", " == ", " != ") + n() + ")"
		case 2:
			return "(" + s() + g.pick(" < ", " > ", " == ", " != ", " contains ", " startsWith ", " endsWith ") + s() + ")"
		case 3, 4:
			return "(" + b() + g.pick(" && ", " || ", " and ", " or ") + b() + ")"
		case 5:
			return g.pick("!", "not ") + b()
		case 6:
			return "(" + x() + g.pick(" == ", " != ") + x() + ")"
		case 7:
			return "(" + s() + g.pick(" in ", " not in ") + g.pick("['a', 'b', 'paid']", "value.tags", "value.o", "value", "['a', 1, nil]", "[]", "headers", "["+s()+", "+x()+"]") + ")"
		case 8:
			return "(" + n() + g.pick(" in ", " not in ") + g.pick("[1, 2, 3]", "1..5", "value.nums", "[1, 2.5, 'a']", "0..3000000", "[1.0]") + ")"
		case 9:
			return "(" + s() + " matches " + g.pick("'^a'", "'[0-9]+'", "'^(?i)hello$'", s()) + ")"
		case 10:
			return g.pick("any", "all", "none", "one") + "(value.items, .q " + g.pick(">", "==", "<") + " " + n() + ")"
		case 11:
			return g.pick("hasPrefix", "hasSuffix") + "(" + s() + ", " + s() + ")"
		case 12:
			return "(" + n() + " < " + n() + " < " + n() + ")"
		case 13:
			return "(" + x() + " == nil)"
		case 14:
			return "(" + g.pick("'s'", "'o'", "'nope'") + " in " + g.pick("value", "value.o", "value?.o?.o", "value.tags", "value.s", "value.nope") + ")"
		}
		return "(" + b() + g.pick(" && ", " || ") + b() + ")"
	}
	switch g.IntN(10) {
	case 0:
		return "filter(value.items, .q > " + n() + ")"
	case 1:
		return "[" + x() + ", " + x() + "]"
	case 2:
		return "{a: " + x() + ", 'b c': " + x() + "}"
	case 3:
		return "value[" + s() + "]"
	case 4:
		return "map(value.items, " + g.pick(".q", "#", ".s", "#.q + "+n()) + ")"
	case 5:
		return "value." + g.pick("o", "items", "nums", "tags")
	case 6:
		if g.wide { // in the order of the names; the language has none
			return g.pick("keys", "values", "toPairs") + "(" + g.pick("value", "value.o", "headers", "groupBy(value.items, .q)", "{b: "+x()+", a: 1}", x()) + ")"
		}
		return "keys({x: " + x() + "})"
	case 7:
		return "get(" + g.pick("value", "value.o", "value.items", "value.s", "value.o?.o", "value.nums", "key", x()) + ", " + g.pick("'s'", "'i'", "0", "-1", "9", s()) + ")"
	}
	return g.expr("nsb"[g.IntN(3)], d)
}

func (g *gen) leaf(typ byte) string {
	switch typ {
	case 'n':
		if g.wide && g.IntN(6) == 0 {
			return g.pick("value['o😀']", "value.日本語の長い名前.x")
		}
		return g.pick("0", "1", "2", "3", "-1", "0.5", "1.0", "100", "value.i", "value.j", "value.f", "value.i", "value.o.i", "value?.o?.i",
			"value.nums[0]", "value.nums[-1]", "value.items[0].q", "value.o.o.i", "partition", "offset", "value.missing?.x", "value.o?.o?.i")
	case 's':
		if g.wide && g.IntN(4) == 0 {
			return g.pick("'é'", "'日本'", `"\u00e9"`, "value.é", "value['日本語の長い名前'].ключ", "value.日本語の長い名前?.ключ", "'김치찌개😀'", "value[\"日本語の長い名前\"]?.x")
		}
		return g.pick("'a'", "'abc'", "'paid'", "''", "'12'", "value.s", "value.u", "value.o.s", "value?.o?.s", "value.tags[0]", "value.items[0].s",
			"topic", "headers.h", "headers.nope", "meta.path", "key", `"X"`, `value["s"]`)
	case 'b':
		return g.pick("true", "false", "value.t", "value.t", "value.o.t", "value.missing")
	}
	return g.pick("nil", "value", "value.o", "value.items", "value.nums", "value.n", "value.missing", "value.missing.x", "value.missing?.x.y",
		"value.nums[7]", "value.s.x", "value.o[0]", "value.items[0]", "headers", "[]", "{}", "value.i?.x", "value.o.o?.o?.o", "value?.missing[0]",
		"value?.o.Format('x')", "value.o?.a.b.Unix()", "value?.missing?.a.Unix().x", "value.n?.a?.b.String()?.c")
}

// oracle evaluates with the language as it comes: maps, no slots, no closures.
type oracle struct{ env map[string]any }

func newOracle(value string) *oracle {
	d := json.NewDecoder(strings.NewReader(value))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		panic(err)
	}
	return &oracle{map[string]any{
		"value": ints(v), "key": "k1", "headers": map[string]any{"h": "x", "empty": ""}, "topic": "orders", "partition": 3, "offset": 42,
		"meta": map[string]any{"path": "/in/a.json"},
	}}
}

// ints decodes numbers as records do: whole ones that fit are int.
func ints(v any) any {
	switch v := v.(type) {
	case json.Number:
		if !strings.ContainsAny(v.String(), ".eE") {
			if i, err := v.Int64(); err == nil {
				return int(i)
			}
		}
		f, err := v.Float64()
		if err != nil {
			panic(err)
		}
		return f
	case []any:
		for i := range v {
			v[i] = ints(v[i])
		}
	case map[string]any:
		for k := range v {
			v[k] = ints(v[k])
		}
	}
	return v
}

func (o *oracle) compile(text string) (*vm.Program, error) {
	return exprlang.Compile(text, exprlang.Env(types.Map{
		"value": types.Any, "key": types.Any, "headers": types.Map{types.Extra: types.Any}, "topic": types.String, "partition": types.Int, "offset": types.Int,
		"meta": types.Map{types.Extra: types.Any},
	}), exprlang.Function("type", func(args ...any) (any, error) {
		// A byte of a text is an int here, as every integer.
		if name := builtin.Type(args[0]); name != "uint" {
			return name, nil
		}
		return "int", nil
	}, new(func(any) string)))
}

func (o *oracle) run(p *vm.Program) (any, error) { return exprlang.Run(p, o.env) }

// same compares a result with what the language gives.
func same(v record.Value, want any) error {
	w, err := record.FromAny(want)
	if err != nil {
		return nil // no Value at all: both modes say so at their end
	}
	if v.IsNil() && w.IsNil() {
		return nil
	}
	if v.Kind() != w.Kind() {
		return fmt.Errorf("kinds %d and %d", v.Kind(), w.Kind())
	}
	if v.Kind() == record.Float && math.Float64bits(v.Float()) == math.Float64bits(w.Float()) || v.Kind() == record.Float && math.IsNaN(v.Float()) && math.IsNaN(w.Float()) {
		return nil
	}
	a, aerr := v.AppendJSON(nil)
	b, berr := w.AppendJSON(nil)
	if (aerr == nil) != (berr == nil) {
		return fmt.Errorf("writing JSON: %v and %v", aerr, berr)
	}
	if aerr == nil && !sameJSON(a, b) {
		return fmt.Errorf("%s and %s", a, b)
	}
	return nil
}

func sameJSON(a, b []byte) bool {
	if bytes.Equal(a, b) {
		return true
	}
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		return false
	}
	return reflect.DeepEqual(x, y)
}

var errProblem = errors.New("does not compile")

// outcome compiles and evaluates.
func outcome(e *expr.Env, text, value string) (record.Value, expr.Mode, error) {
	src, ps := e.Compile(text, expr.WantAny)
	if len(ps) > 0 {
		return record.Value{}, 0, fmt.Errorf("%w: %+v", errProblem, ps)
	}
	l := record.NewLayout()
	p, err := src.Bind(l)
	if err != nil {
		return record.Value{}, 0, err
	}
	r := rec(l, value)
	v, err := p.Eval(r)
	if err == nil {
		// A second evaluation of the same record must neither change the
		// result nor disturb the first.
		if w, again := p.Eval(r); again != nil || src.(*expr.Source).Deterministic() && same(v, w.Any()) != nil {
			return v, 0, fmt.Errorf("second evaluation differs: %v", again)
		}
	}
	return v, src.(*expr.Source).Mode(), err
}

// differ runs one expression in all ways.
func differ(t *testing.T, e *expr.Env, text, value string, withOracle bool) expr.Mode {
	t.Helper()
	v, mode, err := outcome(e, text, value)
	w, _, verr := outcome(e.VMOnly(), text, value)
	if (err == nil) != (verr == nil) && !unwritable(w) {
		t.Fatalf("%s\n on %s\n closures %v, error %v\n vm       %v, error %v", text, value, v, err, w, verr)
	}
	if err == nil && verr == nil {
		_, jerr := v.AppendJSON(nil)
		if d := same(v, w.Any()); d != nil && jerr == nil {
			t.Fatalf("%s\n on %s\n closures and vm differ: %v", text, value, d)
		}
	}
	if !withOracle {
		return mode
	}
	o := newOracle(value)
	p, cerr := o.compile(text)
	if cerr != nil {
		if !errors.Is(err, errProblem) {
			t.Fatalf("%s\n compiles, but the language says %v", text, cerr)
		}
		return mode
	}
	want, werr := o.run(p)
	if err != nil && strings.Contains(err.Error(), "nteger overflow") {
		return mode // the language wraps around
	}
	if err == nil && werr != nil && mistyped(werr.Error(), text) {
		return mode
	}
	if (err == nil) != (werr == nil) && !unwritable(w) {
		t.Fatalf("%s\n on %s\n got %v, error %v\n the language gives %v, error %v", text, value, v, err, want, werr)
	}
	if err == nil && werr == nil {
		if d := same(v, want); d != nil {
			t.Fatalf("%s\n on %s\n differs from the language: %v", text, value, d)
		}
	}
	return mode
}

// unwritable reports an array or object that holds an infinity: closures write
// a literal at once and fail there, what the VM gives fails where it is written.
func unwritable(v record.Value) bool {
	_, err := v.AppendJSON(nil)
	return err != nil && (v.Kind() == record.Array || v.Kind() == record.Object)
}

// mistyped reports errors that the language makes of what it has typed
// wrongly: it takes (c ? nil : "a") for text and min(1, 0.5) for an int, and
// fails to compare them.
func mistyped(err, text string) bool {
	return strings.Contains(err, "is nil, not ") && strings.Contains(text, "nil") ||
		strings.Contains(err, "is float64, not int") && (strings.Contains(text, "min(") || strings.Contains(text, "max("))
}

// A chain that is cut short skips the calls of methods in it.
func TestChains(t *testing.T) {
	t.Parallel()
	e := env(t)
	for _, text := range []string{
		"value?.o.Unix()", "value.o?.a.Unix()", "value?.o.a?.b.Unix()", "value?.o?.a?.b.Unix()", "value?.o?.a?.b?.c.Unix().x", "value.o?.a.Unix() ?? 1",
		"[value][0]?.o?.a.Unix()", "value?.o?.Unix()?.x", "value?.o.a.k.b.String() ?? 1", "value?.o[value?.s]", "value.o?.a[value.s]?.b", "(value.o?.a)[1:2]",
	} {
		for _, value := range []string{`null`, `{}`, `{"o":null,"s":"k"}`, `{"s":"k","o":{"a":{"k":{"b":5}}}}`, `{"o":{"a":null}}`} {
			differ(t, e, text, value, true)
		}
	}
	// The same through a parameter.
	if ps := e.AddFunction("seconds", []string{"t"}, "t?.at.Unix()"); len(ps) > 0 {
		t.Fatalf("%+v", ps)
	}
	for _, text := range []string{"seconds(value)", "seconds(value?.o)", "seconds(value?.o ?? nil)"} {
		if got, err := eval(t, e, text, "null"); err != nil || got != "null" {
			t.Errorf("%s: %s, error %v", text, got, err)
		}
		differ(t, e, text, "null", false)
	}
}

func TestDifferential(t *testing.T) {
	t.Parallel()
	const workers, cases = 8, 1000
	e := env(t)
	for w := range workers {
		t.Run(fmt.Sprintf("seed %d", w), func(t *testing.T) {
			t.Parallel()
			g := &gen{Rand: rand.New(rand.NewPCG(uint64(w), 7)), wild: 3 * w, wide: w%2 == 1}
			modes := map[expr.Mode]int{}
			var value string
			for i := range cases {
				if i%4 == 0 {
					value = g.record()
				}
				text := g.expr("nsbx"[g.IntN(4)], 1+g.IntN(4))
				modes[differ(t, e, text, value, !g.wide)]++
			}
			if modes[expr.ModeClosures] < cases/4 || modes[expr.ModeVM] < cases/20 {
				t.Fatalf("the generator does not reach both modes: %v", modes)
			}
		})
	}
}

func FuzzDifferential(f *testing.F) {
	for i := range uint64(20) {
		f.Add(i, uint8(i), i%2 == 0)
	}
	e := env(f)
	f.Fuzz(func(t *testing.T, seed uint64, wild uint8, wide bool) {
		g := &gen{Rand: rand.New(rand.NewPCG(seed, 11)), wild: int(wild % 40), wide: wide}
		value := g.record()
		for range 5 {
			differ(t, e, g.expr("nsbx"[g.IntN(4)], 1+g.IntN(5)), value, !wide)
		}
	})
}
