package exprfmt

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/parser/lexer"
)

// item is a token or a comment.
type item struct {
	kind lexer.Kind
	// value is what the lexer made of a token. Of a comment it is its text
	// without the white space that may change.
	value    string
	from, to int // bytes of the text
	// breaks are the line breaks in front of it.
	breaks  int
	comment bool

	role role
	// pair is the other bracket of a bracket.
	pair int
	// in is the innermost bracket around it, -1 for none. Of a bracket it is
	// the one around the pair.
	in int
	// tight: an operator or colon without spaces around it.
	tight bool
	// slice: a colon of a slice. block: the } of if and else.
	slice, block bool
}

// line reports a comment that ends with its line.
func (it *item) line(text string) bool {
	return it.comment && strings.HasPrefix(text[it.from:], "//")
}

// scan splits a text. It is false for a text that the lexer does not take,
// and for one with a text of several lines in it: its lines cannot be moved.
func scan(text string) ([]item, bool) {
	if !utf8.ValidString(text) {
		return nil, false
	}
	tokens, err := lexer.Lex(file.NewSource(text))
	if err != nil {
		return nil, false
	}
	offsets := byteOffsets(text)
	var items []item
	end := 0
	for _, t := range tokens {
		from, to := len(text), len(text)
		if t.Kind != lexer.EOF {
			if t.From < 0 || t.To < t.From || t.To >= len(offsets) {
				return nil, false
			}
			from, to = offsets[t.From], offsets[t.To]
		}
		if from < end {
			return nil, false
		}
		var breaks int
		var ok bool
		if items, breaks, ok = comments(items, text, end, from); !ok {
			return nil, false
		}
		if t.Kind == lexer.EOF {
			break
		}
		if strings.Contains(text[from:to], "\n") {
			return nil, false
		}
		items = append(items, item{kind: t.Kind, value: t.Value, from: from, to: to, breaks: breaks})
		end = to
	}
	return items, true
}

// byteOffsets maps the lexer's counting of characters to bytes.
func byteOffsets(text string) []int {
	out := make([]int, 0, len(text)+1)
	for i := range text {
		out = append(out, i)
	}
	return append(out, len(text))
}

// comments appends the comments between two tokens and returns the number of
// line breaks behind the last one.
func comments(items []item, text string, from, to int) ([]item, int, bool) {
	breaks := 0
	for from < to {
		gap := text[from:to]
		switch {
		case strings.HasPrefix(gap, "//"):
			n := strings.IndexByte(gap, '\n')
			if n < 0 {
				n = len(gap)
			}
			end := from + len(strings.TrimRightFunc(gap[:n], unicode.IsSpace))
			items = append(items, item{comment: true, value: text[from:end], from: from, to: end, breaks: breaks})
			breaks = 0
			from += n
		case strings.HasPrefix(gap, "/*"):
			n := strings.Index(gap[2:], "*/")
			if n < 0 {
				return nil, 0, false
			}
			n += 4
			items = append(items, item{comment: true, value: strings.Join(strings.Fields(gap[:n]), " "), from: from, to: from + n, breaks: breaks})
			breaks = 0
			from += n
		default:
			r, n := utf8.DecodeRuneInString(gap)
			if !unicode.IsSpace(r) {
				return nil, 0, false
			}
			if r == '\n' {
				breaks++
			}
			from += n
		}
	}
	return items, breaks, true
}
