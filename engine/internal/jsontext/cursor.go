// Package jsontext reads JSON (RFC 8259) by hand: a cursor over bytes that
// allocates nothing, trusts nothing and says where a text is wrong. The
// schema packages cannot use the reader of engine/record, which builds on them;
// how strings are escaped is said here for both.
package jsontext

import (
	"fmt"
	"strconv"
	"unicode/utf8"

	"github.com/flowrecords/flow/engine/limits"
)

// Error says where a text stops being what was asked for.
type Error struct {
	Offset int // in bytes
	Msg    string
}

func (e *Error) Error() string { return fmt.Sprintf("%s at byte %d", e.Msg, e.Offset) }

// Cursor reads one JSON text from its beginning. The zero Cursor reads the
// empty text. Bytes that it returns are ranges of the text, unless said
// otherwise.
type Cursor struct {
	b     []byte
	i     int
	depth int
}

// New returns a cursor at the beginning of b.
func New(b []byte) Cursor { return Cursor{b: b} }

// At returns a cursor over b, a part of a larger text that is depth deep
// already.
func At(b []byte, depth int) Cursor { return Cursor{b: b, depth: depth} }

// Offset is where the cursor stands.
func (c *Cursor) Offset() int { return c.i }

// Depth is in how many arrays and objects the cursor is.
func (c *Cursor) Depth() int { return c.depth }

// Errorf returns an Error at the cursor.
func (c *Cursor) Errorf(format string, args ...any) error {
	return &Error{Offset: c.i, Msg: fmt.Sprintf(format, args...)}
}

func (c *Cursor) space() {
	for c.i < len(c.b) && c.b[c.i] <= ' ' {
		switch c.b[c.i] {
		case ' ', '\n', '\r', '\t':
			c.i++
		default:
			return
		}
	}
}

// Peek returns the first byte of what comes next, 0 at the end.
func (c *Cursor) Peek() byte {
	if c.i < len(c.b) && c.b[c.i] > ' ' {
		return c.b[c.i]
	}
	if c.space(); c.i < len(c.b) {
		return c.b[c.i]
	}
	return 0
}

// End fails unless nothing but white space is left.
func (c *Cursor) End() error {
	if c.Peek(); c.i < len(c.b) {
		return c.unexpected("after the value")
	}
	return nil
}

func (c *Cursor) unexpected(where string) error {
	if c.i >= len(c.b) {
		return c.Errorf("unexpected end of the text %s", where)
	}
	r, n := utf8.DecodeRune(c.b[c.i:])
	if r == utf8.RuneError && n <= 1 {
		return c.Errorf("invalid UTF-8 byte 0x%02x %s", c.b[c.i], where)
	}
	return c.Errorf("unexpected %q %s", r, where)
}

// Open steps into the array ('[') or object ('{') that comes next.
func (c *Cursor) Open(bracket byte) error {
	if c.Peek() != bracket {
		return c.unexpected("where " + name(bracket) + " is expected")
	}
	if c.depth >= limits.JSONDepth {
		return c.Errorf("nested deeper than %d", limits.JSONDepth)
	}
	c.i++
	c.depth++
	return nil
}

func name(bracket byte) string {
	if bracket == '{' {
		return "an object"
	}
	return "an array"
}

// More reports whether another element or member follows, and steps over the
// comma before it or over the closing bracket. first: nothing was read yet.
func (c *Cursor) More(closing byte, first bool) (bool, error) {
	switch ch := c.Peek(); {
	case ch == closing && c.i < len(c.b):
		c.i++
		c.depth--
		return false, nil
	case first:
		return true, nil
	case ch == ',':
		c.i++
		if c.Peek() == closing {
			return false, c.unexpected("after a comma")
		}
		return true, nil
	default:
		return false, c.unexpected("where a comma or the end is expected")
	}
}

// Key reads a member's name and the colon. The name is decoded into buf if it
// holds escapes, else it is a range of the text.
func (c *Cursor) Key(buf []byte) ([]byte, error) {
	if c.Peek() != '"' {
		return nil, c.unexpected("where the name of a member is expected")
	}
	k, err := c.String(buf)
	if err != nil {
		return nil, err
	}
	if c.i < len(c.b) && c.b[c.i] == ':' {
		c.i++
		return k, nil
	}
	if c.Peek() != ':' {
		return nil, c.unexpected("where a colon is expected")
	}
	c.i++
	return k, nil
}

// String reads a string: decoded into buf if it holds escapes, else a range of
// the text.
func (c *Cursor) String(buf []byte) ([]byte, error) {
	raw, plain, err := c.RawString()
	if err != nil {
		return nil, err
	}
	if plain {
		return raw[1 : len(raw)-1], nil
	}
	return AppendUnquoted(buf[:0], raw), nil
}

// RawString reads a string and returns it with its quotes. plain: it holds no
// escapes.
func (c *Cursor) RawString() (raw []byte, plain bool, err error) {
	if c.Peek() != '"' {
		return nil, false, c.unexpected("where a string is expected")
	}
	start := c.i
	b := c.b
	plain = true
	for i := c.i + 1; i < len(b); {
		switch ch := b[i]; {
		case ch == '"':
			c.i = i + 1
			return b[start:c.i], plain, nil
		case ch == '\\':
			plain = false
			n := EscapeLen(b[i:])
			if n < 0 {
				c.i = i
				return nil, false, c.Errorf("invalid escape in a string")
			}
			i += n
		case ch < ' ':
			c.i = i
			return nil, false, c.Errorf("control character 0x%02x in a string", ch)
		case ch < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n <= 1 {
				c.i = i
				return nil, false, c.Errorf("invalid UTF-8 byte 0x%02x in a string", ch)
			}
			i += n
		}
	}
	c.i = len(b)
	return nil, false, c.Errorf("unexpected end of the text in a string")
}

// Number reads a number.
func (c *Cursor) Number() ([]byte, error) {
	ch := c.Peek()
	if ch != '-' && ch-'0' > 9 {
		return nil, c.unexpected("where a number is expected")
	}
	n := numberLen(c.b[c.i:])
	if n < 0 {
		return nil, c.Errorf("invalid number")
	}
	start := c.i
	c.i += n
	return c.b[start:c.i], nil
}

// numberLen is how long the number at the beginning of b is, -1 if it is none.
func numberLen(b []byte) int {
	i := 0
	if i < len(b) && b[i] == '-' {
		i++
	}
	first := i
	if i = digits(b, i); i == first || i > first+1 && b[first] == '0' {
		return -1
	}
	if i < len(b) && b[i] == '.' {
		start := i + 1
		if i = digits(b, start); i == start {
			return -1
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start := i
		if i = digits(b, i); i == start {
			return -1
		}
	}
	return i
}

func digits(b []byte, i int) int {
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	return i
}

// Word reads true, false or null if it comes next.
func (c *Cursor) Word(word string) bool {
	c.Peek()
	if len(c.b)-c.i >= len(word) && string(c.b[c.i:c.i+len(word)]) == word {
		c.i += len(word)
		return true
	}
	return false
}

// Bool reads true or false.
func (c *Cursor) Bool() (bool, error) {
	switch {
	case c.Word("true"):
		return true, nil
	case c.Word("false"):
		return false, nil
	}
	return false, c.unexpected("where true or false is expected")
}

// Int reads an integer.
func (c *Cursor) Int() (int, error) {
	at := c.i
	n, err := c.Number()
	if err != nil {
		return 0, err
	}
	v, err := strconv.Atoi(string(n))
	if err != nil {
		c.i = at
		return 0, c.Errorf("%s is not an integer that fits", n)
	}
	return v, nil
}

// Text reads a string into one of its own.
func (c *Cursor) Text() (string, error) {
	t, err := c.String(nil)
	return string(t), err
}

// Raw reads any value and returns its bytes as they are.
func (c *Cursor) Raw() ([]byte, error) {
	c.Peek()
	start := c.i
	if err := c.Skip(); err != nil {
		return nil, err
	}
	return c.b[start:c.i], nil
}

// Skip reads any value.
func (c *Cursor) Skip() error {
	switch ch := c.Peek(); ch {
	case '"':
		_, _, err := c.RawString()
		return err
	case '{', '[':
		return c.skipContainer(ch)
	case 't', 'f':
		_, err := c.Bool()
		return err
	case 'n':
		if c.Word("null") {
			return nil
		}
	default:
		if ch == '-' || ch-'0' <= 9 {
			_, err := c.Number()
			return err
		}
	}
	return c.unexpected("where a value is expected")
}

func (c *Cursor) skipContainer(bracket byte) error {
	if err := c.Open(bracket); err != nil {
		return err
	}
	closing := Closing(bracket)
	for first := true; ; first = false {
		more, err := c.More(closing, first)
		if !more {
			return err
		}
		if bracket == '{' {
			if err := c.skipKey(); err != nil {
				return err
			}
		}
		if err := c.Skip(); err != nil {
			return err
		}
	}
}

func (c *Cursor) skipKey() error {
	if _, _, err := c.RawString(); err != nil {
		return err
	}
	if c.Peek() != ':' {
		return c.unexpected("where a colon is expected")
	}
	c.i++
	return nil
}

// Closing is the bracket that ends what bracket begins.
func Closing(bracket byte) byte { return bracket + 2 }

// Source is the text that the cursor reads, whole.
func (c *Cursor) Source() []byte { return c.b }
