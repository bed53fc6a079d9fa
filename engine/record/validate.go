package record

import (
	"fmt"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
)

// SyntaxError says where a text stops being the JSON that flow takes.
type SyntaxError struct {
	Offset int // in bytes, of the first byte that is wrong
	Msg    string
}

func (e *SyntaxError) Error() string {
	return fmt.Sprintf("invalid JSON: %s at byte %d", e.Msg, e.Offset)
}

// ValidateJSON checks that b is one JSON text in UTF-8, at most
// limits.JSONDepth deep, with white space around it at most. The error is a
// *SyntaxError.
func ValidateJSON(b []byte) error {
	i := skipSpace(b, 0)
	if end := skipValue(b, i, 0); end >= 0 && skipSpace(b, end) == len(b) {
		return nil
	}
	return explain(b)
}

// explain finds what is wrong with b, a text that skipValue refused. It reads
// byte by byte, and is kept apart so that the fast path carries no positions.
func explain(b []byte) error {
	x := explainer{b: b}
	x.space()
	if x.value(0); x.err == nil {
		if x.space(); x.i < len(b) {
			x.fail("after the value")
		}
	}
	if x.err == nil { // the two readers disagree
		return &SyntaxError{Offset: 0, Msg: "unreadable text"}
	}
	return x.err
}

type explainer struct {
	b   []byte
	i   int
	err error
}

func (x *explainer) stop(msg string) {
	if x.err == nil {
		x.err = &SyntaxError{Offset: x.i, Msg: msg}
	}
}

// fail reports the byte at x.i.
func (x *explainer) fail(where string) {
	if x.i >= len(x.b) {
		x.stop("unexpected end " + where)
		return
	}
	r, n := utf8.DecodeRune(x.b[x.i:])
	switch {
	case r == utf8.RuneError && n == 1:
		x.stop(fmt.Sprintf("invalid UTF-8 byte 0x%02x %s", x.b[x.i], where))
	case r == '\'':
		x.stop(`invalid character "'" ` + where)
	default:
		x.stop(fmt.Sprintf("invalid character %q %s", r, where))
	}
}

func (x *explainer) space() { x.i = skipSpace(x.b, x.i) }

func (x *explainer) peek() byte {
	if x.i < len(x.b) {
		return x.b[x.i]
	}
	return 0
}

func (x *explainer) value(depth int) {
	switch c := x.peek(); {
	case c == '{' || c == '[':
		if depth == limits.JSONDepth {
			x.stop(fmt.Sprintf("nested deeper than %d", limits.JSONDepth))
			return
		}
		x.container(c == '{', depth+1)
	case c == '"':
		x.str()
	case c == '-' || digit(c):
		x.number()
	case c == 't':
		x.word("true")
	case c == 'f':
		x.word("false")
	case c == 'n':
		x.word("null")
	default:
		x.fail("looking for a value")
	}
}

func (x *explainer) container(object bool, depth int) {
	what, end := "array element", byte(']')
	if object {
		what, end = "object member", '}'
	}
	x.i++
	if x.space(); x.peek() == end {
		x.i++
		return
	}
	for x.err == nil {
		if object {
			x.member()
		}
		if x.err == nil {
			x.value(depth)
		}
		if x.err != nil {
			return
		}
		x.space()
		switch x.peek() {
		case ',':
			x.i++
			x.space()
		case end:
			x.i++
			return
		default:
			x.fail("after " + what)
		}
	}
}

// member reads a name and the colon behind it.
func (x *explainer) member() {
	if x.peek() != '"' {
		x.fail("looking for a member's name")
		return
	}
	if x.str(); x.err != nil {
		return
	}
	if x.space(); x.peek() != ':' {
		x.fail("after a member's name")
		return
	}
	x.i++
	x.space()
}

func (x *explainer) str() {
	for x.i++; x.i < len(x.b); {
		switch c := x.b[x.i]; {
		case c == '"':
			x.i++
			return
		case c == '\\':
			end := skipEscape(x.b, x.i)
			if end < 0 {
				x.escape()
				return
			}
			x.i = end
		case c < ' ':
			x.fail("in a string")
			return
		case c < utf8.RuneSelf:
			x.i++
		default:
			r, n := utf8.DecodeRune(x.b[x.i:])
			if r == utf8.RuneError && n == 1 {
				x.fail("in a string")
				return
			}
			x.i += n
		}
	}
	x.fail("in a string")
}

// escape reports an escape that is not valid.
func (x *explainer) escape() {
	if x.i++; x.peek() == 'u' {
		for x.i++; x.i < len(x.b) && jsontext.HexDigit(x.b[x.i]) >= 0; x.i++ {
		}
		x.fail(`in a \u escape`)
		return
	}
	x.fail("after a backslash")
}

func (x *explainer) number() {
	if end := skipNumber(x.b, x.i); end >= 0 {
		x.i = end
		return
	}
	digits := func() {
		for x.i < len(x.b) && digit(x.b[x.i]) {
			x.i++
		}
	}
	if x.b[x.i] == '-' {
		x.i++
	}
	if !digit(x.peek()) {
		x.fail("in a number")
		return
	}
	digits()
	if x.peek() == '.' {
		if x.i++; !digit(x.peek()) {
			x.fail("after a decimal point")
			return
		}
		digits()
	}
	if x.peek()|0x20 == 'e' {
		if x.i++; x.peek() == '+' || x.peek() == '-' {
			x.i++
		}
	}
	x.fail("in a number")
}

func (x *explainer) word(word string) {
	for k := range len(word) {
		if x.peek() != word[k] {
			x.fail("in " + word)
			return
		}
		x.i++
	}
}
