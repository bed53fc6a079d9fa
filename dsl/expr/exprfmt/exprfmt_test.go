package exprfmt_test

import (
	"testing"

	"github.com/flowrecords/flow/dsl/expr/exprfmt"
)

func TestOneLine(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, want string }{
		{"a name", " value ", "value"},
		{"operators", "value.a+1*2==3&&!value.b||not value.c", "value.a + 1 * 2 == 3 && !value.b || not value.c"},
		{"words stay", "a and b or c&&d||e", "a and b or c && d || e"},
		{"signs", "-a- -b+ +c", "-a - -b + +c"},
		{"signs in brackets", "( - a )*[ - 1,+2 ][0]", "(-a) * [-1, +2][0]"},
		{"bang", "! a && ! ( b )", "!a && !(b)"},
		{"powers", "2**3^2%4", "2 ** 3 ^ 2 % 4"},
		{"conditional", "a?b:c?d:e", "a ? b : c ? d : e"},
		{"elvis", "a? :b", "a ?: b"},
		{"coalesce", "a??b", "a ?? b"},
		{"conditional of numbers", "a? .5:1", "a ? .5 : 1"},
		{"calls", "f ( a,b , c(1) )", "f(a, b, c(1))"},
		{"trailing comma", "f(a,)", "f(a,)"},
		{"methods", "a . b ( 1 ) . c", "a.b(1).c"},
		{"optional", "a ?. b ?. [ 0 ]", "a?.b?.[0]"},
		{"operator as member", "value . not . in . let .matches", "value.not.in.let.matches"},
		{"arrays", "a in[ 1,2 , 'x' ]", "a in [1, 2, 'x']"},
		{"not in", "a not   in[1] and b not contains'x'", "a not in [1] and b not contains 'x'"},
		{"words", "a matches'x'and b startsWith'y'", "a matches 'x' and b startsWith 'y'"},
		{"maps", "{ a:1 , 'b' :2, ( c+1 ):3, d:x?1:2 }", "{a: 1, 'b': 2, (c + 1): 3, d: x ? 1 : 2}"},
		{"empty", "[ ]==[]&&{ }=={}&&f( )", "[] == [] && {} == {} && f()"},
		{"index", "a[ 1 ][ i+1 ]['x']", "a[1][i+1]['x']"},
		{"index with other operators", "a[i>1?i:b]", "a[i > 1 ? i : b]"},
		{"slices", "s[ 1 : 2 ]+s[ : 2 ]+s[ 1 : ]+s[ : ]", "s[1:2] + s[:2] + s[1:] + s[:]"},
		{"slices with arithmetic", "s[len(s) - 4 : ] + s[a+1:b - 1] + s[a*2:3]", "s[len(s)-4:] + s[a+1 : b-1] + s[a*2:3]"},
		{"slices with conditions", "s[a?b:c:d]", "s[a ? b : c : d]"},
		{"slices with signs", "s[-3 : -1] + s[a - -1 :]", "s[-3:-1] + s[a - -1 :]"},
		{"arithmetic in a call in an index", "s[f(a+1)]", "s[f(a + 1)]"},
		{"ranges", "1 .. 3 == 0..len( x ) && x in 0..len(x)-1", "1..3 == 0..len(x) && x in 0 .. len(x) - 1"},
		{"ranges of signs", "-1..-3", "-1 .. -3"},
		{"pipes", "value.a|filter(.x>1)|map({#.y*2})", "value.a | filter(.x > 1) | map({#.y * 2})"},
		{"pointers", "map(a,# . x+#acc+ #index)", "map(a, #.x + #acc + #index)"},
		{"predicates", "filter( a , { .x>1&&.y } )", "filter(a, {.x > 1 && .y})"},
		{"let", "let x=1 ; let  y = 2;x+y", "let x = 1; let y = 2; x + y"},
		{"if", "if a>1{b}else if c{d}else{ {x:1} }", "if a > 1 { b } else if c { d } else { {x: 1} }"},
		{"sequence", "(1 ;2)", "(1; 2)"},
		{"built-in by name", ":: len( a )", "::len(a)"},
		{"parentheses stay", "((a))+(b*c)", "((a)) + (b * c)"},
		{"newlines", "a\n  &&\tb", "a && b"},
		{"double quotes", `"a"+"it's"+"say \"hi\""+'x'`, `'a' + "it's" + 'say "hi"' + 'x'`},
		{"escapes in quotes", `"\\\"\n\u00e9"`, `'\\"\n\u00e9'`},
		{"backquotes", "`a`+`\\d`+`it's`+`say \"x\"`", "'a' + `\\d` + `it's` + 'say \"x\"'"},
		{"bytes", `b"ab"`, `b'ab'`},
		{"keys", `{"a b":1, "c":2}["a b"]`, `{'a b': 1, 'c': 2}['a b']`},
		{"comments", "a/* one */+ /*two*/b", "a /* one */ + /*two*/ b"},
		{"comments in brackets", "f( /* x */ a /* y */ , b)", "f(/* x */ a /* y */, b)"},
		{"line comment", "a // why  \n  +b", "a // why\n+ b"},
		{"line comment at the end", "a+b//why\n", "a + b //why"},
		{"comment like a text", "a+'// no'+b", "a + '// no' + b"},
		{"not ASCII", "value.이름+'日本'==\"é\"", "value.이름 + '日本' == 'é'"},
		{"a text of several lines", "a+`x\ny`", "a+`x\ny`"},
		{"number and member", "1 .a", "1 .a"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := exprfmt.New()
			got, problems := p.Source(tt.in, exprfmt.OneLine)
			if len(problems) > 0 {
				if tt.in != tt.want {
					t.Fatal(problems)
				}
				return
			}
			if got != tt.want {
				t.Errorf("%s\n got %s\nwant %s", tt.in, got, tt.want)
			}
			if again, _ := p.Source(got, exprfmt.OneLine); again != got {
				t.Errorf("not stable:\n%s\n%s", got, again)
			}
		})
	}
}
