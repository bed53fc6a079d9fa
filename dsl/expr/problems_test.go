package expr_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/flowrecords/flow/dsl/expr"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	// want: the text that each problem points at, its summary, and what its
	// detail must contain.
	type want struct{ at, summary, detail string }
	tests := []struct {
		expr  string
		bool  bool
		wants []want
	}{
		{expr: "", wants: []want{{"", "The expression is empty", "value.amount"}}},
		{expr: " \n", wants: []want{{" \n", "The expression is empty", ""}}},
		{expr: "value.a >", wants: []want{{"", "The expression is not complete", ""}}},
		{expr: "(value.a", wants: []want{{"", "The expression is not complete", "bracket"}}},
		{expr: "value.a = 1", wants: []want{{"=", "Unexpected =", "=="}}},
		{expr: "value.a)", wants: []want{{")", "Unexpected )", ""}}},
		{expr: "value.a == 'abc", wants: []want{{"'abc", "Text is not closed", ""}}},
		{expr: "'é' == \"x", wants: []want{{`"x`, "Text is not closed", ""}}},
		{expr: "{{ value.a }}", wants: []want{{"{{ value.a }}", "Unexpected {{", "templates"}}},
		{expr: "99999999999999999999 + 1", wants: []want{{"99999999999999999999", "Number out of range", "64 bits"}}},
		{expr: "\xff", wants: []want{{"\xff", "The expression is not valid UTF-8", ""}}},
		{expr: "valu.x + foo + bar(1) + upperr('é') + var.mn", wants: []want{
			{"valu", "Unknown name valu", `Did you mean "value"?`},
			{"foo", "Unknown name foo", "value.foo"},
			{"bar", "Unknown function bar", ""},
			{"upperr", "Unknown function upperr", `Did you mean "upper"?`},
			{"mn", "Unknown name var.mn", "Did you mean var.min?"},
		}},
		{expr: "valeu.x == otpic || upepr('x') == ke", wants: []want{
			{"valeu", "Unknown name valeu", `Did you mean "value"?`},
			{"otpic", "Unknown name otpic", `Did you mean "topic"?`},
			{"upepr", "Unknown function upepr", `Did you mean "upper"?`},
			{"ke", "Unknown name ke", `Did you mean "key"?`},
		}},
		{expr: "'日本' == 'x' || bar", wants: []want{{"bar", "Unknown name bar", `Did you mean "var"?`}}},
		{expr: "value.é + foo", wants: []want{{"foo", "Unknown name foo", ""}}},
		{expr: "var.min.x", wants: []want{{"x", "No such member", "var.min is int"}}},
		{expr: "var.list[9]", wants: []want{{"9", "No such element", "3 elements"}}},
		{expr: "var.rates.EUR", wants: []want{{"EUR", "Unknown name var.rates.EUR", "KRW, USD"}}},
		{expr: "local.prefx", wants: []want{{"prefx", "Unknown name local.prefx", "Did you mean local.prefix?"}}},
		{expr: "upper()", wants: []want{{"upper", "Wrong number of arguments", ""}}},
		{expr: "upper('a', 'b')", wants: []want{{"upper('a', 'b')", "Wrong number of arguments", ""}}},
		{expr: "upper(1)", wants: []want{{"1", "Wrong argument of upper", "string here, this is int"}}},
		{expr: "filter(value.items)", wants: []want{{")", "Wrong number of arguments", ""}}},
		{expr: "value.s matches '('", wants: []want{{"value.s matches '('", "Wrong regular expression", ""}}},
		{expr: "regexReplace(value.s, '(', '')", wants: []want{{"'('", "Wrong argument of regexReplace", ""}}},
		{expr: "'a' == 1", wants: []want{{"'a' == 1", "Types do not compare", "string and int"}}},
		{expr: "1 + 'a' > 2 && 'x' * 2 == 3 && upper(5) == 'a'", wants: []want{
			{"1 + 'a'", "Types do not fit", "int and string"},
			{"'x' * 2", "Types do not fit", "string and int"},
			{"5", "Wrong argument of upper", ""},
		}},
		{expr: "nil + 1", wants: []want{{"nil + 1", "Types do not fit", "nil and int"}}},
		{expr: "topic + 1", wants: []want{{"topic + 1", "Types do not fit", "string and int"}}},
		{expr: "timestamp > 1", wants: []want{{"timestamp > 1", "Types do not compare", "time and int"}}},
		{expr: "1 < 2 < 'a'", wants: []want{{"1 < 2 < 'a'", "Types do not compare", ""}}},
		{expr: "!5", wants: []want{{"!5", "Wrong type", "int"}}},
		{expr: "len(1)", wants: []want{{"len(1)", "Wrong type", "int"}}},
		{expr: "5 in ['KR']", wants: []want{{"5 in ['KR']", "Wrong type", "int"}}},
		{expr: "1 % 0", wants: []want{{"1 % 0", "Division by zero", ""}}},
		{expr: "int('x')", wants: []want{{"int('x')", "The expression always fails", "int cannot be made of x"}}},
		{expr: "timezone('Moon/Base')", wants: []want{{"timezone('Moon/Base')", "The expression always fails", "Moon/Base"}}},
		{expr: "toInt('x')", wants: []want{{"toInt('x')", "The expression always fails", "toInt: \"x\" is not an int"}}},
		{expr: "mask(value.s, -1)", wants: []want{{"-1", "Wrong argument of mask", "keepLast is negative."}}},
		{expr: "value.a == null", wants: []want{{"null", "Unknown name null", "Write nil"}}},
		{expr: "local.zzzzzzzz", wants: []want{{"zzzzzzzz", "Unknown name local.zzzzzzzz", "There is prefix."}}},
		{expr: "$env.x", wants: []want{{"$env", "Unknown name $env", ""}}},
		{expr: "let x = 1; let x = 2; x", wants: []want{{"x = 2; x", "Name used twice", ""}}},
		{expr: "let value = 1; 2", wants: []want{{"value = 1; 2", "Name is taken", ""}}},
		{expr: "value.name.upper()", wants: []want{{"upper", "Unknown method upper", "upper(value.name)"}}},
		{expr: "value.at.Yeer()", wants: []want{{"Yeer", "Unknown method Yeer", `Did you mean "Year"?`}}},
		{expr: "topic.x", wants: []want{{"topic.x", "No such member", ""}}},
		{expr: "headers.a.b", wants: []want{{"headers.a.b", "No such member", "headers.a is text"}}},
		{expr: "headers[0]", wants: []want{{"headers[0]", "Names of headers are text", ""}}},
		{expr: "value(1)", wants: []want{{"value", "value is no function", ""}}},
		{expr: "upper", wants: []want{{"upper", "Function without arguments", "upper(...)"}}},
		{expr: "mask_card()", wants: []want{{"mask_card", "Wrong number of arguments", "mask_card(s) takes 1 argument, not 0"}}},
		{expr: "value.a + mask_card(1)", wants: []want{{"mask_card(1)", "Wrong type", "In function mask_card: Cannot slice int"}}},
		{expr: "value.a + 1", bool: true},
		{expr: "'a' + value.a", bool: true},
		{expr: "len(value.a)", bool: true, wants: []want{{"len(value.a)", "The result must be true or false", "always int"}}},
		{expr: "nil", bool: true, wants: []want{{"nil", "The result must be true or false", ""}}},
		{expr: "var.min", bool: true, wants: []want{{"var.min", "The result must be true or false", ""}}},
		{expr: strings.Repeat("(", 70_000), wants: []want{{strings.Repeat("(", 70_000), "The expression is too long", ""}}},
		{expr: strings.Repeat("1+", 20_000) + "1", wants: []want{{strings.Repeat("1+", 20_000) + "1", "The expression is too large", ""}}},
		{expr: strings.Repeat("1<(", 60) + "1" + strings.Repeat(")<1", 60), wants: []want{{strings.Repeat("1<(", 60) + "1" + strings.Repeat(")<1", 60), "The expression is too large", ""}}},
	}
	e := env(t)
	for _, tt := range tests {
		name := tt.expr
		if len(name) > 60 {
			name = name[:60]
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			mode := expr.WantAny
			if tt.bool {
				mode = expr.WantBool
			}
			src, ps := e.Compile(tt.expr, mode)
			if (src == nil) != (len(ps) > 0) {
				t.Fatalf("source %v with problems %+v", src, ps)
			}
			var got []string
			for i, p := range ps {
				got = append(got, fmt.Sprintf("%q %s (%s)", tt.expr[p.Offset:p.Offset+p.Length], p.Summary, p.Detail))
				if i < len(tt.wants) {
					w := tt.wants[i]
					if tt.expr[p.Offset:p.Offset+p.Length] != w.at || p.Summary != w.summary || !strings.Contains(p.Detail, w.detail) || p.Detail == "" {
						t.Errorf("got %s, want %q", got[i], w)
					}
				}
			}
			if len(got) != len(tt.wants) {
				t.Errorf("got %d problems, want %d: %s", len(got), len(tt.wants), strings.Join(got, "; "))
			}
		})
	}
}

func TestFunctionProblems(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		params []string
		body   string
		want   string
	}{
		{"f", []string{"a"}, "a + b", `"b" Unknown name b`},
		{"f", []string{"a"}, "value.x + a", `"value.x" A function does not see the record`},
		{"f", []string{"a"}, "f(a)", `"f" Unknown function f`},
		{"upper", []string{"a"}, "a", `"a" Function upper exists already`},
		{"quad", []string{"a"}, "a", `"a" Function quad exists already`},
		{"f", []string{"a", "a"}, "a", `"a" Wrong parameter a`},
		{"f", []string{"a-b"}, "1", `"1" Wrong parameter a-b`},
		{"1f", nil, "1", `"1" Not a name of a function`},
		{"f", []string{"a"}, "'é' * 2 + a", `"'é' * 2" Types do not fit`},
		{"f", []string{"a"}, "a +", `"" The expression is not complete`},
		{"f", []string{"a"}, "twice(a, a)", `"twice(a, a)" Wrong number of arguments`},
		{"f", []string{"a"}, "a.b.c[0] + var.min", ""},
		{"f", nil, "now()", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name+" "+tt.body, func(t *testing.T) {
			t.Parallel()
			var got []string
			for _, p := range env(t).AddFunction(tt.name, tt.params, tt.body) {
				got = append(got, fmt.Sprintf("%q %s", tt.body[p.Offset:p.Offset+p.Length], p.Summary))
			}
			if s := strings.Join(got, "; "); s != tt.want {
				t.Errorf("got %s, want %s", s, tt.want)
			}
		})
	}
}

// TestExpansionIsBounded: each function doubles the one before.
func TestExpansionIsBounded(t *testing.T) {
	t.Parallel()
	e := expr.NewEnv()
	last := "1 + x"
	for i := range 40 {
		name := fmt.Sprintf("f%d", i)
		if ps := e.AddFunction(name, []string{"x"}, last); len(ps) > 0 {
			if i < 8 || ps[0].Summary != "The expression is too large" {
				t.Fatalf("%s: %+v", name, ps)
			}
			return
		}
		last = fmt.Sprintf("%s(x) + %s(x)", name, name)
	}
	t.Fatal("2^40 nodes are taken")
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{
		"value.a > 1", "'é' == foo", "filter(value.items, .q > 1)", "value?.a?.[0]", "let x = 1; x", "{a: 1}", "(((", "'", "`", "a<b<c", "mask_card(value.s)[1:2]",
		"value | map(#) | len()", "if value.a {1} else {2}", "b'x' in [1]", "1..2", "not not true", "var.list[-1]", "\x00", "value.a ?? {{", "deep_b(value.o)", "# //", "::len(1)", "value?.a.Unix()", "value.o?.a.b.Format('x')?.c",
	} {
		f.Add(s)
	}
	e := env(f)
	f.Fuzz(func(t *testing.T, text string) {
		src, ps := e.Compile(text, expr.WantAny)
		if (src == nil) == (len(ps) == 0) {
			t.Fatalf("%q: source %v, problems %v", text, src, ps)
		}
		checkRanges(t, text, ps)
		if src != nil {
			for _, value := range []string{benchOrder, "null", "{}"} {
				_, _ = eval(t, e, text, value)
			}
		}
		_, ps = e.CompileTemplate(text)
		checkRanges(t, text, ps)
		_, ps = e.Constant(text)
		checkRanges(t, text, ps)
		checkRanges(t, text, env(t).AddFunction("fuzzed", []string{"a", "b"}, text))
	})
}

func checkRanges(t *testing.T, text string, ps []expr.Problem) {
	t.Helper()
	for _, p := range ps {
		if p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > len(text) || p.Summary == "" || p.Detail == "" {
			t.Fatalf("%q: %+v", text, p)
		}
		if p.Summary == "The expression cannot be compiled" {
			t.Fatalf("%q: panic: %+v", text, p)
		}
	}
}
