package exprfmt

import (
	"strings"

	"github.com/expr-lang/expr/parser/lexer"
)

// tokenPieces is a token as it is written, but for the quotes of a text: HCL's
// own strings are in double quotes, so single ones need no escape there.
func tokenPieces(it *item, text string) []Piece {
	asItIs := []Piece{{From: it.from, To: it.to}}
	if it.kind != lexer.String && it.kind != lexer.Bytes || it.role == roleMember {
		return asItIs
	}
	from, written := it.from, text[it.from:it.to]
	var out []Piece
	if it.kind == lexer.Bytes {
		out = append(out, Piece{From: from, To: from + 1})
		from, written = from+1, written[1:]
	}
	if len(written) < 2 {
		return asItIs
	}
	inner := written[1 : len(written)-1]
	single := Piece{Text: "'"}
	switch {
	case strings.Contains(inner, "'"):
		return asItIs // it would need an escape
	case written[0] == '"' && !strings.Contains(inner, `\"`):
		return append(out, single, Piece{From: from + 1, To: it.to - 1}, single)
	case written[0] == '"':
		return append(out, Piece{Text: "'" + withoutEscapedQuotes(inner) + "'"})
	case written[0] == '`' && plain(inner):
		return append(out, single, Piece{From: from + 1, To: it.to - 1}, single)
	}
	return asItIs
}

// withoutEscapedQuotes turns \" into ", which is what it is within single
// quotes, and leaves all other escapes.
func withoutEscapedQuotes(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
			if s[i] != '"' {
				b.WriteByte('\\')
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// plain reports whether a text in backquotes means the same in quotes. One
// with a backslash is a pattern, for which backquotes are the better choice.
func plain(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == '\\' || r == '`' || r == '\x7f' })
}
