package diag_test

import (
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"

	"github.com/flowrecords/flow/dsl/diag"
)

// mistake is a diagnostic at the first place where text stands in src.
func mistake(src, text string) *hcl.Diagnostic {
	i := strings.Index(src, text)
	at := func(offset int) hcl.Pos {
		head := src[:offset]
		line := head[strings.LastIndexByte(head, '\n')+1:]
		return hcl.Pos{Line: strings.Count(head, "\n") + 1, Column: len([]rune(line)) + 1, Byte: offset}
	}
	return &hcl.Diagnostic{
		Severity: hcl.DiagError, Summary: "wrong", Detail: "Do this.",
		Subject: &hcl.Range{Filename: "f.hcl", Start: at(i), End: at(i + len(text))},
	}
}

func TestSnippet(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("a", 100) + "MARK" + strings.Repeat("b", 100)
	tests := []struct {
		name, src, text string
		columns         int
		want            string
	}{
		{"middle", "one\ntwo\nthree\nfour x\nfive\nsix\n", "x", 0, `
  2 | two
  3 | three
  4 | four x
    |      ^
  5 | five
`},
		{"first line", "xyz\n", "xy", 0, `
  1 | xyz
    | ^^
`},
		{"line numbers are aligned", strings.Repeat("a\n", 8) + "b\nc\n", "b", 0, `
   7 | a
   8 | a
   9 | b
     | ^
  10 | c
`},
		{"no blank lines around", "a\n\n\nbad\n\nb\n", "bad", 0, `
  4 | bad
    | ^^^
`},
		{"tab", "\tbad\n", "bad", 0, `
  1 |   bad
    |   ^^^
`},
		{"wide characters take two columns", "日本 bad\n", "bad", 0, `
  1 | 日本 bad
    |      ^^^
`},
		{"several lines: to the end of the first", "a {\n  b\n}\n", "{\n  b\n}", 0, `
  1 | a {
    |   ^
  2 |   b
`},
		{"nothing but a place", "abc\n", "", 0, `
  1 | abc
    | ^
`},
		{"control characters", "a\x1b[31m\u202e bad\n", "bad", 0, `
  1 | a�[31m� bad
    |         ^^^
`},
		{"carriage return", "bad\r\nb\r\n", "bad", 0, `
  1 | bad
    | ^^^
  2 | b
`},
		{"a long line is cut around the range", long + "\n", "MARK", 60, `
  1 | ...aaaaaaaaaaaaaaaaaaaaaaaMARKbbbbbbbbbbbbbbbbbbbbb...
    |                           ^^^^
`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]*hcl.File{"f.hcl": {Bytes: []byte(tt.src)}}
			var b strings.Builder
			if err := diag.WriteText(&b, files, hcl.Diagnostics{mistake(tt.src, tt.text)}, false, tt.columns); err != nil {
				t.Fatal(err)
			}
			_, got, _ := strings.Cut(b.String(), "\n")
			got = strings.TrimSuffix(got, "\n  Do this.\n")
			if got != tt.want {
				t.Errorf("got:%s\nwant:%s", got, tt.want)
			}
		})
	}
}

func TestWriteText(t *testing.T) {
	t.Parallel()
	src := "a = 1\n"
	warning := mistake(src, "1")
	warning.Severity = hcl.DiagWarning
	plain := &hcl.Diagnostic{Severity: hcl.DiagError, Summary: "no file", Detail: strings.Repeat("word ", 20)}
	other := mistake(src, "a")
	other.Subject.Filename = "unknown.hcl"
	diags := hcl.Diagnostics{warning, plain, other}
	files := map[string]*hcl.File{"f.hcl": {Bytes: []byte(src)}}
	var b strings.Builder
	if err := diag.WriteText(&b, files, diags, false, 60); err != nil {
		t.Fatal(err)
	}
	want := `f.hcl:1:5: warning: wrong

  1 | a = 1
    |     ^

  Do this.

error: no file

  word word word word word word word word word word word
  word word word word word word word word word

unknown.hcl:1:1: error: wrong

  Do this.
`
	if b.String() != want {
		t.Errorf("got:\n%s\nwant:\n%s", b.String(), want)
	}
	if got := diag.Summary(diags); got != "2 errors and 1 warning" {
		t.Errorf("summary %q", got)
	}
	b.Reset()
	if err := diag.WriteText(&b, files, diags[:1], true, 0); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "\x1b[1;33mwarning:\x1b[0m") || !strings.Contains(b.String(), "\x1b[1;33m^\x1b[0m") {
		t.Errorf("no colour: %q", b.String())
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	e, w := &hcl.Diagnostic{Severity: hcl.DiagError}, &hcl.Diagnostic{Severity: hcl.DiagWarning}
	tests := []struct {
		diags hcl.Diagnostics
		want  string
	}{
		{nil, ""},
		{hcl.Diagnostics{e}, "1 error"},
		{hcl.Diagnostics{e, e}, "2 errors"},
		{hcl.Diagnostics{w}, "1 warning"},
		{hcl.Diagnostics{e, w, w}, "1 error and 2 warnings"},
	}
	for _, tt := range tests {
		if got := diag.Summary(tt.diags); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}
