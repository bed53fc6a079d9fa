// Package exprfmt lays out the text of expressions. It moves tokens and never
// makes one: what it prints has the tokens, the comments and the tree of what
// it read, or it is what it read.
package exprfmt

import (
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"

	"github.com/flowrecords/flow/dsl/expr"
)

// Printer lays out expressions. It is used by one goroutine and for one file:
// it remembers the trees of what it read.
type Printer struct {
	env   *expr.Env
	trees map[string]parsed
	// fails makes the check of a result fail, for tests.
	fails func(text string) bool
}

type parsed struct {
	tree     ast.Node
	problems []expr.Problem
}

// New returns a printer.
func New() *Printer { return &Printer{env: expr.NewEnv(), trees: make(map[string]parsed)} }

// parse parses a text once: a file is gone through until nothing moves, and
// each result is compared with what it was made of.
func (p *Printer) parse(text string) (ast.Node, []expr.Problem) {
	was, ok := p.trees[text]
	if !ok {
		was.tree, was.problems = p.env.Parse(text)
		p.trees[text] = was
	}
	return was.tree, slices.Clone(was.problems)
}

// Shape is what the place of an expression allows.
type Shape int

// The shapes.
const (
	// OneLine joins lines, but for the one that a // comment ends.
	OneLine Shape = iota
	// Lines keeps the author's line breaks and indents the lines, the first
	// one by nothing.
	Lines
)

// Piece is a part of a laid out text: the range of the text as it was, or new
// text in front of which nothing is taken over.
type Piece struct {
	// Text is new if From and To are equal.
	Text     string
	From, To int
}

// Print returns the laid out text in pieces, so that a caller can keep the
// spelling of what is not new. A text that cannot be laid out, since it holds
// a text of several lines, is one piece as it was. Problems say why a text is
// no expression; then there are no pieces.
func (p *Printer) Print(text string, shape Shape) ([]Piece, []expr.Problem) {
	tree, problems := p.parse(text)
	if len(problems) > 0 {
		return nil, problems
	}
	asItWas := []Piece{{From: 0, To: len(text)}}
	items, ok := scan(text)
	if !ok {
		return asItWas, nil
	}
	classify(items)
	tighten(items)
	pieces := write(items, text, shape)
	if !p.same(tree, items, Join(pieces, text)) {
		return asItWas, nil
	}
	return pieces, nil
}

// Source lays out a text that stands by itself.
func (p *Printer) Source(text string, shape Shape) (string, []expr.Problem) {
	pieces, problems := p.Print(text, shape)
	return Join(pieces, text), problems
}

// Equal reports whether two texts are the same expression with the same
// comments.
func (p *Printer) Equal(a, b string) bool {
	tree, problems := p.parse(a)
	if len(problems) > 0 {
		return false
	}
	if a == b {
		return true
	}
	items, ok := scan(a)
	return ok && p.same(tree, items, b)
}

// same is the guarantee of the package: an equal row of tokens gives an equal
// tree whatever functions a config declares, and the trees are compared on
// top of it.
func (p *Printer) same(tree ast.Node, items []item, after string) bool {
	if p.fails != nil && p.fails(after) {
		return false
	}
	other, ok := scan(after)
	if !ok || len(other) != len(items) {
		return false
	}
	for i := range items {
		a, b := &items[i], &other[i]
		if a.comment != b.comment || a.kind != b.kind || a.value != b.value {
			return false
		}
	}
	now, problems := p.parse(after)
	return len(problems) == 0 && sameTree(tree, now)
}

// Join returns the text of pieces that were made of text.
func Join(pieces []Piece, text string) string {
	var b strings.Builder
	for _, p := range pieces {
		b.WriteString(p.Text)
		b.WriteString(text[p.From:p.To])
	}
	return b.String()
}
