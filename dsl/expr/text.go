package expr

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
)

// span is a range of a text in bytes.
type span struct{ from, to int }

func (s span) union(o span) span {
	switch {
	case o.to <= o.from:
		return s
	case s.to <= s.from:
		return o
	}
	return span{min(s.from, o.from), max(s.to, o.to)}
}

func (s span) problem(kind Kind, summary, detail string) Problem {
	return Problem{Kind: kind, Offset: s.from, Length: max(s.to-s.from, 0), Summary: summary, Detail: detail}
}

// positions turns expr's locations, which count runes, into bytes.
type positions struct {
	text string
	// byteOf holds the byte of each rune; nil for ASCII, where they are equal.
	byteOf []int
}

func newPositions(text string) *positions {
	p := &positions{text: text}
	if utf8.RuneCountInString(text) == len(text) {
		return p
	}
	for i := range text {
		p.byteOf = append(p.byteOf, i)
	}
	return p
}

func (p *positions) at(rune int) int {
	if rune < 0 {
		return 0
	}
	if p.byteOf == nil {
		return min(rune, len(p.text))
	}
	if rune >= len(p.byteOf) {
		return len(p.text)
	}
	return p.byteOf[rune]
}

func (p *positions) span(l file.Location) span { return span{p.at(l.From), p.at(l.To)} }

// children returns the direct children of a node.
func children(n ast.Node) []ast.Node {
	switch n := n.(type) {
	case *ast.UnaryNode:
		return []ast.Node{n.Node}
	case *ast.BinaryNode:
		return []ast.Node{n.Left, n.Right}
	case *ast.ChainNode:
		return []ast.Node{n.Node}
	case *ast.MemberNode:
		return []ast.Node{n.Node, n.Property}
	case *ast.SliceNode:
		out := []ast.Node{n.Node}
		if n.From != nil {
			out = append(out, n.From)
		}
		if n.To != nil {
			out = append(out, n.To)
		}
		return out
	case *ast.CallNode:
		return append([]ast.Node{n.Callee}, n.Arguments...)
	case *ast.BuiltinNode:
		return n.Arguments
	case *ast.PredicateNode:
		return []ast.Node{n.Node}
	case *ast.ConditionalNode:
		return []ast.Node{n.Cond, n.Exp1, n.Exp2}
	case *ast.VariableDeclaratorNode:
		return []ast.Node{n.Value, n.Expr}
	case *ast.SequenceNode:
		return n.Nodes
	case *ast.ArrayNode:
		return n.Nodes
	case *ast.MapNode:
		return n.Pairs
	case *ast.PairNode:
		return []ast.Node{n.Key, n.Value}
	}
	return nil
}

// spanOf returns the text of a whole node. expr keeps only the place of one
// token per node, so the range is that of all tokens below it, widened until
// its brackets pair.
func (p *positions) spanOf(n ast.Node) span {
	return p.balance(p.tokens(n))
}

func (p *positions) tokens(n ast.Node) span {
	var s span
	if n == nil {
		return s
	}
	// The place of a conditional is the token behind it.
	if _, ok := n.(*ast.ConditionalNode); !ok {
		s = p.span(n.Location())
	}
	for _, c := range children(n) {
		if c != nil {
			s = s.union(p.tokens(c))
		}
	}
	return s
}

// balance widens s to the brackets that it cuts in two.
func (p *positions) balance(s span) span {
	open, missing := 0, 0
	for i := s.from; i < s.to; {
		switch c := p.text[i]; c {
		case '(', '[', '{':
			open++
		case ')', ']', '}':
			if open > 0 {
				open--
			} else {
				missing++
			}
		case '"', '\'', '`':
			i = skipString(p.text, i)
			continue
		}
		i++
	}
	for ; missing > 0; missing-- {
		i := len(strings.TrimRight(p.text[:s.from], " \t\r\n"))
		if i == 0 || !strings.ContainsRune("([{", rune(p.text[i-1])) {
			break
		}
		s.from = i - 1
	}
	for ; open > 0; open-- {
		i := s.to
		for i < len(p.text) && strings.IndexByte(" \t\r\n,", p.text[i]) >= 0 {
			i++
		}
		if i == len(p.text) || strings.IndexByte(")]}", p.text[i]) < 0 {
			break
		}
		s.to = i + 1
	}
	return s
}

// skipString returns the index behind the string literal that begins at i, or
// the end of the text if it is not closed.
func skipString(text string, i int) int {
	quote := text[i]
	for i++; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote != '`':
			i++
		case text[i] == quote:
			return i + 1
		}
	}
	return len(text)
}

// excerpt shortens a piece of an expression for an error of a record.
func excerpt(s string) string {
	const most = 80
	s = strings.Join(strings.Fields(s), " ")
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}
