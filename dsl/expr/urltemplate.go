package expr

import (
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/parser"
)

// ForURL returns the template as one of a URL: what its holes give is
// percent-encoded, so that it stays within its segment of the path or its
// value of the query. A hole that is a call of buildQuery gives a query as it
// is, since that function encodes.
func (t *Template) ForURL() *Template {
	c := &Template{text: t.text, parts: append([]part(nil), t.parts...)}
	for i := range c.parts {
		if hole := c.parts[i].hole; hole != nil {
			c.parts[i].encode = !encodes(hole.text)
		}
	}
	return c
}

// encodes reports whether an expression is a call whose result is encoded.
func encodes(text string) bool {
	tree, err := parser.Parse(strings.TrimSpace(text))
	if err != nil {
		return false
	}
	call, ok := tree.Node.(*ast.CallNode)
	if !ok {
		return false
	}
	name, ok := call.Callee.(*ast.IdentifierNode)
	return ok && name.Value == "buildQuery"
}

// LiteralHost reports whether scheme and host of a URL stand in front of the
// first hole, up to the slash or question mark behind them.
func (t *Template) LiteralHost() bool {
	prefix, literal := t.Literal()
	if literal {
		return true
	}
	_, rest, ok := strings.Cut(prefix, "://")
	return ok && strings.IndexAny(rest, "/?") > 0
}

// percentEncode encodes p[from:] in place, but for the characters that mean
// nothing in a URL (RFC 3986, unreserved).
func percentEncode(p []byte, from int) []byte {
	more := 0
	for _, c := range p[from:] {
		if !unreserved(c) {
			more += 2
		}
	}
	if more == 0 {
		return p
	}
	end := len(p)
	for range more {
		p = append(p, 0)
	}
	const hex = "0123456789ABCDEF"
	to := len(p)
	for i := end - 1; i >= from; i-- {
		if c := p[i]; unreserved(c) {
			to--
			p[to] = c
		} else {
			to -= 3
			p[to], p[to+1], p[to+2] = '%', hex[c>>4], hex[c&15]
		}
	}
	return p
}

func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~'
}
