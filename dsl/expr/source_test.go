package expr_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

func compile(t testing.TB, e *expr.Env, text string) *expr.Source {
	t.Helper()
	s, ps := e.Compile(text, expr.WantAny)
	if len(ps) > 0 {
		t.Fatalf("%s: %+v", text, ps)
	}
	return s.(*expr.Source)
}

func TestSourceFacts(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text          string
		mode          expr.Mode
		paths, keys   string
		functions     string
		deterministic bool
	}{
		{"1 + var.min", expr.ModeConstant, "", "", "", true},
		{"upper('a') + topic", expr.ModeClosures, "", "", "upper", true},
		{"value.a.b > 1 && value?.a?.b < 3 && key.id == 1", expr.ModeClosures, "a.b", "id", "", true},
		{"filter(value.items, .q > value.min)", expr.ModeVM, "items min", "", "filter", true},
		{"keys(value)", expr.ModeClosures, ".", "", "keys", true},
		{"sort(value)", expr.ModeVM, ".", "", "sort", true},
		{"value.a == 1 && any(value.items, .q > 1)", expr.ModeVM, "a items", "", "any", true},
		{"mask_card(value.card)", expr.ModeClosures, "card", "", "len mask_card", true},
		{"deep_b(value.x)", expr.ModeClosures, "x.a.b", "", "deep_b", true},
		{"now()", expr.ModeClosures, "", "", "now", false},
		{"{a: value.a, b: map(value.l, # + 1)}", expr.ModeVM, "a l", "", "map", true},
		{`value["x.y"][-1]`, expr.ModeClosures, `["x.y"][-1]`, "", "", true},
	}
	e := env(t)
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			s := compile(t, e, tt.text)
			text := func(ps []record.Path) string {
				var out []string
				for _, p := range ps {
					if len(p) == 0 {
						out = append(out, ".")
						continue
					}
					out = append(out, p.String())
				}
				return strings.Join(out, " ")
			}
			if s.Mode() != tt.mode || text(s.ValuePaths()) != tt.paths || text(s.KeyPaths()) != tt.keys ||
				strings.Join(s.Functions(), " ") != tt.functions || s.Deterministic() != tt.deterministic || s.Text() != tt.text {
				t.Errorf("mode %v, paths %q, keys %q, functions %v, deterministic %v", s.Mode(), text(s.ValuePaths()), text(s.KeyPaths()), s.Functions(), s.Deterministic())
			}
			if _, ok := s.Constant(); ok != (tt.mode == expr.ModeConstant) {
				t.Errorf("constant: %v", ok)
			}
		})
	}
}

func TestTest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text string
		want bool
		err  string
	}{
		{"value.n > 1", true, ""},
		{"true", true, ""},
		{"value.t && value.n == 2", true, ""},
		{"value.t ? value.f : value.t", false, ""},
		{"let x = value.n; x == 2", true, ""},
		{"any(value.l, # == 3)", true, ""},
		{"value.t && value.missing", false, "needs bool, got nil: value.missing"},
		{"value.missing", false, "needs bool, got nil: value.missing"},
		{"value.n", false, "needs bool, got int: value.n"},
		{"value.f || value.n", false, "needs bool, got int: value.n"},
		{"value.s > 1", false, "cannot compare string with int: value.s > 1"},
		{"value.f || value.s > 1 || value.t", false, "cannot compare string with int: value.s > 1"},
		{"!(value.missing?.x)", false, "needs bool, got nil: value.missing?.x"},
	}
	e := env(t)
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			t.Parallel()
			s, ps := e.Compile(tt.text, expr.WantBool)
			if len(ps) > 0 {
				t.Fatalf("%+v", ps)
			}
			l := record.NewLayout()
			p, err := s.Bind(l)
			if err != nil {
				t.Fatal(err)
			}
			got, err := p.Test(rec(l, `{"n":2,"t":true,"f":false,"s":"x","l":[1,3]}`))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Fatalf("error %v, want %s", err, tt.err)
				}
				return
			}
			if err != nil || got != tt.want {
				t.Fatalf("got %v, error %v", got, err)
			}
		})
	}
}

// TestResultsStay: a result is valid until the record is loaded anew, however
// often the program runs for it, and then the memory is used again.
func TestResultsStay(t *testing.T) {
	t.Parallel()
	l := record.NewLayout()
	p, err := compile(t, env(t), "value.a + '-' + upper(value.b)").Bind(l)
	if err != nil {
		t.Fatal(err)
	}
	r := rec(l, `{"a":"`+strings.Repeat("x", 3000)+`","b":"y"}`)
	want := strings.Repeat("x", 3000) + "-Y"
	var kept []record.Value
	for range 200 {
		v, err := p.Eval(r)
		if err != nil {
			t.Fatal(err)
		}
		kept = append(kept, v)
	}
	for i, v := range kept {
		if v.String() != want {
			t.Fatalf("result %d changed", i)
		}
	}
	r.Value.Reset(record.JSON, []byte(`{"a":"n","b":"m"}`))
	r.ResetHeaders(nil)
	if v, err := p.Eval(r); err != nil || v.String() != "n-M" {
		t.Fatalf("got %v, error %v", v, err)
	}
}

// TestManyGoroutines compiles, binds and runs one source in many workers.
func TestManyGoroutines(t *testing.T) {
	t.Parallel()
	e := env(t)
	shared := compile(t, e, "mask_card(value.s) + string(sum(map(value.l, # + value.n)))")
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			own := compile(t, e, fmt.Sprintf("len(filter(value.l, # > %d)) in [0, 1, 2]", w))
			l := record.NewLayout()
			p, err := shared.Bind(l)
			if err != nil {
				t.Error(err)
				return
			}
			q, err := own.Bind(l)
			if err != nil {
				t.Error(err)
				return
			}
			for i := range 100 {
				r := rec(l, fmt.Sprintf(`{"s":"abcdefgh","l":[1,2],"n":%d}`, i))
				v, err := p.Eval(r)
				if want := fmt.Sprintf("****efgh%d", 3+2*i); err != nil || v.String() != want {
					t.Errorf("got %v, error %v, want %s", v, err, want)
				}
				if v, err := q.Eval(r); err != nil || !v.Bool() {
					t.Errorf("got %v, error %v", v, err)
				}
			}
		})
	}
	wg.Wait()
}

func TestRecordErrors(t *testing.T) {
	t.Parallel()
	tests := []struct{ text, value, err string }{
		{"map(1..value.n, #)", `{"n":2000000}`, "memory budget exceeded"},
		{"reduce(1..100, #acc + #acc, value.s)", `{"s":"0123456789"}`, "the text is longer than"},
		{"value.a == 1", `{"a":`, ""},
		{"len(filter(value.a, true))", `{"a":]`, ""},
		{"{x: value.f ** value.f}", `{"f":1e300}`, "x"},
		{"throw('no: ' + value.s)", `{"s":"x"}`, "no: x"},
		{"parseTime(value.s, 'rfc3339')", `{"s":"x"}`, "parseTime"},
		{"int(value.s)", `{"s":"x"}`, "int cannot be made of x: int(value.s)"},
		{"upper(value.n)", `{"n":1}`, "needs string, got int: upper(value.n)"},
		{"value.n % value.z", `{"n":1,"z":0}`, "integer divide by zero: value.n % value.z"},
	}
	e := env(t)
	for _, tt := range tests {
		for _, vm := range []bool{false, true} {
			e := e
			if vm {
				e = e.VMOnly()
			}
			l := record.NewLayout()
			p, err := compile(t, e, tt.text).Bind(l)
			if err != nil {
				t.Fatal(err)
			}
			v, err := p.Eval(rec(l, tt.value))
			if err == nil {
				_, err = v.AppendJSON(nil) // what JSON cannot hold may wait until here
			}
			if err == nil || tt.err != "x" && !strings.Contains(err.Error(), tt.err) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%s (vm %v): error %v, want %s", tt.text, vm, err, tt.err)
			}
		}
	}
}

func TestConstant(t *testing.T) {
	t.Parallel()
	e := env(t)
	v, ps := e.Constant("quad(var.min) + len(local.prefix)")
	if len(ps) > 0 || v != 407 {
		t.Errorf("got %v, problems %v", v, ps)
	}
	if v, ps := e.Constant("now() != nil"); len(ps) > 0 || v != true {
		t.Errorf("got %v, problems %v", v, ps)
	}
	for text, summary := range map[string]string{
		"value.a": "There is no record here", "topic": "There is no record here", "1 +": "The expression is not complete", "vlue": "Unknown name vlue",
		"int('x')": "The expression always fails",
	} {
		if _, ps := e.Constant(text); len(ps) != 1 || ps[0].Summary != summary {
			t.Errorf("%s: %+v", text, ps)
		}
	}
}

// TestOrderOfMembers: literals keep the order of the source however they run.
func TestOrderOfMembers(t *testing.T) {
	t.Parallel()
	e := env(t)
	const doc = `{"z":1,"l":[{"q":2}]}`
	for text, want := range map[string]string{
		"{z: value.z, a: value.z + 1}":                                        `{"z":1,"a":2}`,
		"{z: map(value.l, .q), a: [value.z, {y: 1, b: 2}]}":                   `{"z":[2],"a":[1,{"y":1,"b":2}]}`,
		"let x = value.z; {z: x, a: map(value.l, .q + x)}":                    `{"z":1,"a":[3]}`,
		"let x = value.z; let y = x + 1; {z: y, a: map(value.l, .q + y + x)}": `{"z":2,"a":[5]}`,
		"value.z == 1 ? {z: 1, a: value.z} : nil":                             `{"z":1,"a":1}`,
		"{'b\"c': topic, (value.z == 1 ? 'k' : 'l'): 1}":                      `{"b\"c":"orders","k":1}`,
	} {
		if got, err := eval(t, e, text, doc); err != nil || got != want {
			t.Errorf("%s: got %s, error %v, want %s", text, got, err, want)
		}
	}
}

func TestSourceConstants(t *testing.T) {
	t.Parallel()
	e := env(t)
	if ps := e.AddFunction("raised", []string{"n"}, "n + var.min"); len(ps) > 0 {
		t.Fatalf("%+v", ps)
	}
	for text, want := range map[string]string{
		"value.a":                            "[]",
		"upper(var.country) + local.prefix":  "[local.prefix var.country]",
		"raised(value.a)":                    "[var.min]",
		"var.rates[value.c] + var.rates.USD": "[var.rates]",
		"var[value.c]":                       "[var]",
		"var['half'] * 2":                    "[var.half]",
	} {
		if got := fmt.Sprint(compile(t, e, text).Constants()); got != want {
			t.Errorf("%s: %s, want %s", text, got, want)
		}
	}
	_, ps := e.Compile("toInt(lower(var.country))", expr.WantAny)
	if len(ps) != 1 || fmt.Sprint(ps[0].Constants) != "[var.country]" {
		t.Errorf("%+v", ps)
	}
}

// TestFingerprint: layout and the names of constants and functions do not
// matter, what they hold and what is read does.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	with := func(min int, body string) *expr.Env {
		e := expr.NewEnv()
		e.SetConst("var", map[string]any{"min": min, "bound": min})
		for _, name := range []string{"f", "g"} {
			if ps := e.AddFunction(name, []string{"x"}, body); len(ps) > 0 {
				t.Fatalf("%+v", ps)
			}
		}
		return e
	}
	e := with(1, "x + 1")
	tests := []struct {
		a, b *expr.Source
		same bool
	}{
		{compile(t, e, "value.a"), compile(t, e, " value . a "), true},
		{compile(t, e, "value.a"), compile(t, e, "value['a']"), true},
		{compile(t, e, "value.a"), compile(t, e, "value.b"), false},
		{compile(t, e, "value.a"), compile(t, e, "key.a"), false},
		{compile(t, e, "[value.a, value.b]"), compile(t, e, "[value.b, value.a]"), false},
		{compile(t, e, "[topic, offset]"), compile(t, e, "[topic,\n offset]"), true},
		{compile(t, e, "f(value.a)"), compile(t, e, "g(value.a)"), true},
		{compile(t, e, "f(value.a)"), compile(t, with(1, "x + 2"), "f(value.a)"), false},
		{compile(t, e, "value.a + var.min"), compile(t, e, "value.a + var.bound"), true},
		{compile(t, e, "value.a + var.min"), compile(t, with(2, "x + 1"), "value.a + var.min"), false},
		{compile(t, e, "headers.a"), compile(t, e, "headers.b"), false},
		{compile(t, e, "1"), compile(t, e, "2"), false},
	}
	for _, tt := range tests {
		if got := tt.a.Fingerprint() == tt.b.Fingerprint(); got != tt.same {
			t.Errorf("%q and %q are the same: %v, want %v", tt.a.Text(), tt.b.Text(), got, tt.same)
		}
	}
}

func TestReads(t *testing.T) {
	t.Parallel()
	e := env(t)
	text := func(r engine.Reads) string {
		var out []string
		for _, p := range r.Value {
			out = append(out, "value:"+p.String())
		}
		for _, p := range r.Key {
			out = append(out, "key:"+p.String())
		}
		for _, h := range r.Headers {
			out = append(out, "header:"+h)
		}
		for _, m := range r.Meta {
			out = append(out, "meta:"+m)
		}
		for _, f := range []struct {
			name string
			on   bool
		}{{"headers", r.AllHeaders}, {"meta", r.AllMeta}, {"topic", r.Topic}, {"partition", r.Partition}, {"offset", r.Offset}, {"timestamp", r.Timestamp}} {
			if f.on {
				out = append(out, f.name)
			}
		}
		return strings.Join(out, " ")
	}
	for expression, want := range map[string]string{
		"1 + var.min":                           "",
		"value.a.b > 1 && value.a.b < key.id":   "value:a.b key:id",
		"keys(value)":                           "value:",
		"headers.trace == meta.path":            "header:trace meta:path",
		"len(headers) + len(meta)":              "headers meta",
		"topic + string(partition + offset)":    "topic partition offset",
		"timestamp > now() || value.tag == 'x'": "value:tag timestamp",
		"has(value.x)":                          "value:x",
	} {
		if got := text(compile(t, e, expression).Reads()); got != want {
			t.Errorf("%s reads %q, want %q", expression, got, want)
		}
	}
	src, problems := e.CompileTemplate("{{ value.a }}-{{ topic }}-{{ value.a }}{{ value.b }}")
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	if got, want := text(src.(*expr.Template).Reads()), "value:a value:b topic"; got != want {
		t.Errorf("template reads %q, want %q", got, want)
	}
}
