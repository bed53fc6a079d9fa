package exprfmt_test

import (
	"strings"
	"testing"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"

	"github.com/flowrecords/flow/dsl/expr/exprfmt"
)

func lines(s ...string) string { return strings.Join(s, "\n") }

func TestLines(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"one line", "\n   a+b\n\n", "a + b"},
		{"goes on", lines("a == 1", "&& b", "      && c"), lines("a == 1", "  && b", "  && c")},
		{"operators at the end", lines("a &&", "b ||", "c"), lines("a &&", "  b ||", "  c")},
		{"pipeline", lines("value.items", "| filter(.x>1)", "| map(.y)"), lines("value.items", "  | filter(.x > 1)", "  | map(.y)")},
		{"members", lines("value", ".a", ".b"), lines("value", "  .a", "  .b")},
		{"conditional", lines("a", "? b", ": c ? d", ": e"), lines("a", "  ? b", "  : c ? d", "  : e")},
		{"map", lines("{", "a: 1,", "b: {", "c: 2,", "},", "}"), lines("{", "  a: 1,", "  b: {", "    c: 2,", "  },", "}")},
		{"brackets on one line", lines("f([{", "a: 1", "}])"), lines("f([{", "  a: 1", "}])")},
		{"elements that go on", lines("[", "a", "+ b,", "c", "]"), lines("[", "  a", "    + b,", "  c", "]")},
		{"opens behind text", lines("f(a,", "b,", "c)"), lines("f(a,", "  b,", "  c)")},
		{"within what goes on", lines("a", "&& f(", "b", ")"), lines("a", "  && f(", "    b", "  )")},
		{"let", lines("let x = 1;", "let y =", "2;", "x + y"), lines("let x = 1;", "let y =", "  2;", "x + y")},
		{"if", lines("if a {", "b", "}", "else if c {", "d", "} else {", "e", "}"), lines("if a {", "  b", "}", "else if c {", "  d", "} else {", "  e", "}")},
		{"blank lines", lines("a", "", "", "&& b"), lines("a", "", "  && b")},
		{"no blank lines at brackets", lines("[", "", "a,", "", "]"), lines("[", "  a,", "]")},
		{"comments", lines("// first", "a // one", "// two", "&& b // three", "// end"), lines("// first", "a // one", "  // two", "  && b // three", "// end")},
		{"comments in brackets", lines("[ // list", "// one", "1,", "// end", "]"), lines("[ // list", "  // one", "  1,", "  // end", "]")},
		{"block comment", lines("/* a", "     b", "   c */", "x"), lines("/* a", "  b", "c */", "x")},
		{"stars", lines("[", "/*", "* a", "  * b", "*/", "x]"), lines("[", "  /*", "   * a", "     * b", "   */", "  x]")},
		{"tabs", lines("[", "\t/* a", "\t\tb", "\t\t\tc */", "\tx]"), lines("[", "  /* a", "  b", "    c */", "  x]")},
		{"carriage returns", "a // c\r\n&& b\r\n", lines("a // c", "  && b")},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := exprfmt.New()
			got, problems := p.Source(tt.in, exprfmt.Lines)
			if len(problems) > 0 {
				t.Fatal(problems)
			}
			if got != tt.want {
				t.Errorf("%s\n got\n%s\nwant\n%s", tt.in, got, tt.want)
			}
			if again, _ := p.Source(got, exprfmt.Lines); again != got {
				t.Errorf("not stable:\n%s\n%s", got, again)
			}
		})
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "a +", "(a", "a b", "'x", "/* x", "\xff", strings.Repeat("(", 70_000)} {
		pieces, problems := exprfmt.New().Print(text, exprfmt.OneLine)
		if len(problems) == 0 || len(pieces) > 0 {
			t.Errorf("%.20q: %d pieces, %v", text, len(pieces), problems)
		}
	}
}

// TestKeepsWhatItCannotProve: a layout that does not pass the check is thrown
// away.
func TestKeepsWhatItCannotProve(t *testing.T) {
	t.Parallel()
	p := exprfmt.NewDoubting(func(after string) bool { return strings.Contains(after, "a + b") })
	for in, want := range map[string]string{"a+b": "a+b", "a+c": "a + c"} {
		if got, _ := p.Source(in, exprfmt.OneLine); got != want {
			t.Errorf("%s: got %s", in, got)
		}
	}
}

func TestEqual(t *testing.T) {
	t.Parallel()
	tests := []struct {
		a, b string
		want bool
	}{
		{"a+b", "a  + b", true},
		{"'a'", `"a"`, true},
		{"a+b+c", "a+(b+c)", false},
		{"(a)", "a", false},
		{"a and b", "a && b", false},
		{"a // x", "a", false},
		{"a // x", "a // y", false},
		{"a", "a +", false},
		{"a +", "a +", false},
		{"1", "1.0", false},
		{"a", "'a'", false},
	}
	for _, tt := range tests {
		if got := exprfmt.New().Equal(tt.a, tt.b); got != tt.want {
			t.Errorf("%s and %s: %v", tt.a, tt.b, got)
		}
	}
}

// FuzzPrint: whatever is taken comes back as the same expression, with its
// comments, and comes back unchanged the second time.
func FuzzPrint(f *testing.F) {
	for _, s := range []string{
		"value.a+1 == 2 && !b", "a // c\n + /* d\n e */ b", "f({a:1, 'b':[1,2]}[x ? 'a' : 'b'])", `"a\"b" + 'c' + b"x"`, "let x = 1; x | map(#.y) | filter({.z > 1})",
		"if a { b } else if c { d } else { e }", "s[len(s)-4:] + s[a+1:b-1]", "1..3 ?? -2..-1", "a not in b", "a?.b?.[0]::c()", "1 < a < b <= c", "a ?: .5", "`a\nb` + `c`", "日本 + '本' // 語",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, shape := range []exprfmt.Shape{exprfmt.OneLine, exprfmt.Lines} {
			p := exprfmt.New()
			got, problems := p.Source(text, shape)
			if len(problems) > 0 {
				continue
			}
			if got == text {
				continue
			}
			if !p.Equal(text, got) || tree(t, text) != tree(t, got) {
				t.Fatalf("%q became %q", text, got)
			}
			again, problems := p.Source(got, shape)
			if len(problems) > 0 || again != got {
				t.Fatalf("not stable: %q, %q, %q (%v)", text, got, again, problems)
			}
		}
	})
}

// tree is what expr itself says of a text, for a second opinion. Chains of
// comparisons within each other make it large.
func tree(t *testing.T, text string) string {
	t.Helper()
	if strings.Count(text, "<")+strings.Count(text, ">") > 8 {
		return ""
	}
	tree, err := parser.Parse(text)
	if err != nil {
		return "" // flow's library has functions in the place of some of expr's
	}
	return ast.Dump(tree.Node)
}
