package dsl_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl"
	"github.com/flowrecords/flow/dsl/expr"
)

func TestLiteralText(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, value string
		ok          bool
		text        string
		from, to    int
		written     string
	}{
		{"plain", `"abc"`, true, "abc", 1, 3, "bc"},
		{"in parentheses", `("abc")`, true, "abc", 0, 3, "abc"},
		{"escapes", `"a\\\"\u00e9z"`, true, "a\\\"éz", 1, 5, `\\\"\u00e9`},
		{"escaped interpolation", `"$${x}%%{y}"`, true, "${x}%{y}", 0, 5, "$${x}%%{"},
		{"flush heredoc", "<<-EOT\n    a\n      b\n  EOT\n", true, "a\n  b\n", 2, 5, "  b"},
		{"empty", `""`, true, "", 0, 1, ""},
		{"out of range", `"abc"`, true, "abc", 2, 9, ""},
		{"interpolation", `"a${x}"`, false, "", 0, 0, ""},
		{"wrapped", `"${x}"`, false, "", 0, 0, ""},
		{"no text", `1`, false, "", 0, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			src := []byte("x = " + strings.TrimSuffix(tt.value, "\n") + "\n")
			file, diags := dsl.ParseFile("f.hcl", src)
			if diags.HasErrors() {
				t.Fatal(diags)
			}
			lit, ok := dsl.LiteralText(src, file.Body.(*hclsyntax.Body).Attributes["x"].Expr)
			if ok != tt.ok {
				t.Fatalf("%v", ok)
			}
			if !ok {
				return
			}
			if lit.Text() != tt.text || lit.Heredoc() != strings.HasPrefix(tt.value, "<<") {
				t.Errorf("%q, heredoc %v", lit.Text(), lit.Heredoc())
			}
			if got := lit.Written(tt.from, tt.to); got != tt.written {
				t.Errorf("written %q", got)
			}
			at := lit.At(tt.from, tt.to-tt.from)
			if got := string(src[at.Start.Byte:at.End.Byte]); tt.written != "" && got != tt.written {
				t.Errorf("at %v: %q", at, got)
			}
		})
	}
}

func TestTemplateHoles(t *testing.T) {
	t.Parallel()
	for text, want := range map[string][]string{
		"":                           nil,
		"a {b} c":                    nil,
		"{{a}}-{{ b }}":              {"a", " b "},
		"{{ {a: '}}'}.a }}x":         {" {a: '}}'}.a "},
		"{{ \"{{\" }}{{ `}}` + b }}": {" \"{{\" ", " `}}` + b "},
	} {
		holes, problems := expr.TemplateHoles(text)
		var got []string
		for _, h := range holes {
			got = append(got, text[h.From:h.To])
		}
		if len(problems) > 0 || strings.Join(got, "|") != strings.Join(want, "|") {
			t.Errorf("%s: %q %v", text, got, problems)
		}
	}
	if _, problems := expr.TemplateHoles("a {{ b }} {{ c }"); len(problems) != 1 || problems[0].Offset != 10 {
		t.Errorf("%v", problems)
	}
}
