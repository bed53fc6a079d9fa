package dsl

import (
	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"

	"github.com/flowrecords/flow/dsl/expr"
	"github.com/flowrecords/flow/dsl/rules"
)

// ParseFile reads one file as Load does, with the same bounds and the same
// words for mistakes, and looks no further than its syntax. The file is there
// even with diagnostics, for printing snippets.
func ParseFile(name string, src []byte) (*hcl.File, hcl.Diagnostics) {
	l := newLoader(Options{})
	l.addSource(name, src)
	return l.files[name], l.diags
}

// Literal is the text of a string or heredoc and where it stands in the file.
type Literal struct{ m *mapped }

// LiteralText returns the text of e, an expression of the file src. It is
// false for what is no string, and for a string with ${ } or %{ } in it.
func LiteralText(src []byte, e hclsyntax.Expression) (*Literal, bool) {
	name := e.Range().Filename
	l := &loader{files: map[string]*hcl.File{name: {Bytes: src}}}
	m, _ := l.literal(e)
	if m == nil {
		return nil, false
	}
	return &Literal{m}, true
}

// Text is the text that HCL makes of it.
func (t *Literal) Text() string { return t.m.text }

// Heredoc reports whether it is a heredoc.
func (t *Literal) Heredoc() bool { return t.m.heredoc() }

// Whole is the place of the string with its quotes or markers.
func (t *Literal) Whole() hcl.Range { return t.m.all }

// At is the place of a range of the text.
func (t *Literal) At(offset, length int) hcl.Range { return t.m.at(offset, length) }

// Written is how the range [from, to) of the text is spelt in the file,
// escapes included. Of a text in a heredoc the range must lie in one line.
func (t *Literal) Written(from, to int) string {
	if from < 0 || from >= to || to > len(t.m.start) {
		return ""
	}
	a, b := t.m.start[from], t.m.end[to-1]
	if a > b || b > len(t.m.src) {
		return ""
	}
	return string(t.m.src[a:b])
}

// Mistake is what a problem of the text is reported as: at its place in the
// file and with the rule that it breaks.
func (t *Literal) Mistake(p expr.Problem) *hcl.Diagnostic {
	at := t.m.at(p.Offset, p.Length)
	return rules.Finding(exprRules[p.Kind], &at, lowerFirst(p.Summary), p.Detail)
}

// MaxFileBytes is the most that a config file may have.
const MaxFileBytes = maxFileBytes
