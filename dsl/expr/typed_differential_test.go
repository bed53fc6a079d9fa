package expr_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/expr/funcs"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// pathCalls returns, for each function that always gives the same, calls whose first
// argument is %s and whose others are written out.
func pathCalls() []string {
	words := map[string]string{"string": "'a'", "int": "1", "number": "2", "float": "0.5", "bool": "true", "bytes": "b'a'", "any": "1", "object": "{a: 1}", "array": "[1, 2]", "duration": "duration('1s')", "time": "fromUnix(1)"}
	own := map[string][]string{
		"cast":        {"cast(%s, 'string')", "cast(%s, 'int64')", "cast(%s, 'float32', 'connect')", "cast(withDefaults(%s), 'string')"},
		"convertTime": {"convertTime(%s, 'date')", "convertTime(%s, 'string', {format: 'yyyy', zone: 'Europe/Berlin'})", "convertTime(%s, 'unix', {mode: 'connect'})"},
		"withSchema":  {"withSchema(%s, {name: 'N'})"},
		"get":         {"get(%s, 'a')", "get(%s, 'at')", "get(%s, 0)", "get(get(value, 'a'), 'b') == %s"},
		"map":         {"map(%s, #)"}, "filter": {"filter(%s, true)"}, "find": {"find(%s, true)"}, "all": {"all(%s, true)"},
	}
	var out []string
	for _, f := range funcs.All() {
		if texts := own[f.Name]; texts != nil {
			out = append(out, texts...)
			continue
		}
		if !f.Pure && !f.Builtin || len(f.Params) == 0 || f.Name == "now" || f.Name == "throw" {
			continue
		}
		args := []string{"%s"}
		for _, p := range f.Params[1:] {
			word, _, _ := strings.Cut(p.Type, "|")
			if words[word] == "" {
				args = nil // a predicate
				break
			}
			if !p.Optional {
				args = append(args, words[word])
			}
		}
		if args != nil {
			out = append(out, f.Name+"("+strings.Join(args, ", ")+")")
		}
	}
	return append(out, "%s", "[%s]", "{a: %s}", "{a: {b: [%s]}}.a", "has(%s)", "'a' in %s", "%s in [%s, 1]", "%s == %s", "%s?.a", "%s ?? 1", "let v = %s; {a: v}", "let v = %s; get(v, 'a')", "has(%s) ? {a: %s} : nothing()")
}

// alike compares two results; numbers as float64, which the VM has alone.
func alike(a, b record.Value) error {
	number := func(v record.Value) bool { return v.Kind() == record.Int || v.Kind() == record.Float }
	if number(a) && number(b) {
		if x, y := a.Float(), b.Float(); x != y && !(math.IsNaN(x) && math.IsNaN(y)) && math.Abs(x-y) > math.Abs(x)/1e12 {
			return fmt.Errorf("%v and %v", a, b)
		}
		return nil
	}
	if max(a.Kind(), record.Null) != max(b.Kind(), record.Null) {
		return fmt.Errorf("kinds %s and %s", a.Kind(), b.Kind())
	}
	x, errX := a.AppendJSON(nil)
	y, errY := b.AppendJSON(nil)
	if errX != nil || errY != nil || sameJSON(x, y) {
		return nil //nolint:nilerr // a number that is not finite fails where it is written
	}
	return fmt.Errorf("%s and %s", x, y)
}

// TestTypedDifferential: what lies at a path of a record with a schema is of its
// own kind for each function, whether closures run it or the VM.
func TestTypedDifferential(t *testing.T) {
	t.Parallel()
	e := env(t)
	vm := e.VMOnly()
	calls := pathCalls()
	if len(calls) < 150 {
		t.Fatalf("only %d calls", len(calls))
	}
	s, err := schema.Parse(`struct{at timestamp(ms), day date?, took duration, tod time(ms), local local_timestamp, raw bytes, price decimal(20,2), big uint64, id int64, f float32, u uuid, kind enum(A, B), note string?, o struct{at timestamp, a int32, b struct{b date}?}, days array<date>, m map<string, timestamp>, a any?}`)
	if err != nil {
		t.Fatal(err)
	}
	g := newTypedGen(5)
	values := g.some(s)
	done := 0
	for _, call := range calls {
		for _, path := range paths(s, "value", 2, nil) {
			text := strings.ReplaceAll(call, "%s", path)
			one, problems := e.Compile(text, expr.WantAny)
			other, more := vm.Compile(text, expr.WantAny)
			if (len(problems) == 0) != (len(more) == 0) {
				t.Fatalf("%s: %v, and on the VM %v", text, problems, more)
			}
			if len(problems) > 0 {
				continue
			}
			done++
			for _, raw := range values {
				a, errA := evalTyped(t, one.(*expr.Source), s, raw)
				b, errB := evalTyped(t, other.(*expr.Source), s, raw)
				if (errA == nil) != (errB == nil) {
					if _, err := b.AppendJSON(nil); err != nil {
						continue // closures write a literal at once and fail there
					}
					t.Errorf("%s\n of %s\n closures %v, %v\n VM %v, %v", text, raw, a, errA, b, errB)
				}
				if errA != nil {
					continue
				}
				if err := alike(a, b); err != nil {
					t.Errorf("%s\n of %s\n closures and VM differ: %v", text, raw, err)
				}
			}
		}
	}
	t.Logf("%d expressions", done)
}

func evalTyped(t *testing.T, src *expr.Source, s *schema.Schema, raw json.RawMessage) (record.Value, error) {
	t.Helper()
	l := record.NewLayout()
	p, err := src.Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	r := rec(l, "null")
	r.Value.Reset(record.JSONOf(s), raw)
	v, err := p.Eval(r)
	return v.Own(), err
}
