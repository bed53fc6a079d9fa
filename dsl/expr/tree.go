package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"
)

// Syntax is the tree of an expression as it is written, with places: no name
// is resolved, no function inlined, nothing optimised. It is for tools that
// look at what a person wrote; it says nothing of what runs.
type Syntax struct {
	Root ast.Node
	pos  *positions
	// offset is where the text begins in that of the template around it.
	offset int
}

// Syntax parses an expression. nil: it cannot be read, which Compile reports.
func (e *Env) Syntax(text string) *Syntax {
	root, problems := e.Parse(text)
	if len(problems) > 0 {
		return nil
	}
	return &Syntax{Root: root, pos: newPositions(text)}
}

// TemplateSyntax parses the holes of a template. Those that cannot be read
// are left out.
func (e *Env) TemplateSyntax(text string) []*Syntax {
	var out []*Syntax
	holes, _ := TemplateHoles(text)
	for _, h := range holes {
		if s := e.Syntax(text[h.From:h.To]); s != nil {
			s.offset = h.From
			out = append(out, s)
		}
	}
	return out
}

// Span is the range of a node in bytes of the text that was parsed; of a
// template, of all of it.
func (s *Syntax) Span(n ast.Node) (offset, length int) {
	at := s.pos.spanOf(n)
	return s.offset + at.from, max(at.to-at.from, 0)
}

// Outer is Span with the brackets around an operand of a binary operator.
func (s *Syntax) Outer(n ast.Node) (offset, length int) {
	at, text := s.pos.spanOf(n), s.pos.text
	for {
		from := len(strings.TrimRight(text[:at.from], " \t\r\n"))
		to := len(text) - len(strings.TrimLeft(text[max(at.to, at.from):], " \t\r\n"))
		if from == 0 || to == len(text) || text[from-1] != '(' || text[to] != ')' {
			return s.offset + at.from, max(at.to-at.from, 0)
		}
		at = span{from - 1, to + 1}
	}
}

// Text is a node as it is written.
func (s *Syntax) Text(n ast.Node) string {
	at := s.pos.spanOf(n)
	return s.pos.text[at.from:max(at.from, at.to)]
}

// Between is the text between two offsets as Span gives them.
func (s *Syntax) Between(from, to int) string {
	from, to = from-s.offset, to-s.offset
	if from < 0 || to > len(s.pos.text) || from > to {
		return ""
	}
	return s.pos.text[from:to]
}

// Children returns the direct children of a node of a Syntax.
func Children(n ast.Node) []ast.Node { return children(n) }

// Literal returns the value of a node that is written out: nil, bool, int,
// float64, string or []byte, with its sign.
func Literal(n ast.Node) (any, bool) { return literal(n) }
