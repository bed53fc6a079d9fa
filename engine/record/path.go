package record

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Step is one step of a Path: a member's name, or an element of an array.
type Step struct {
	// Name is the member's name; unused when IsIndex.
	Name string
	// Index is the element's number, negative from the end: -1 is the last.
	Index   int
	IsIndex bool
}

// Path leads to a sub-tree of a document. The empty path is the whole.
// Its text form is that of expressions: customer.email, items[0].sku,
// ["a.b"].c.
type Path []Step

// PathError is a mistake in the text of a path.
type PathError struct {
	Offset int // in bytes
	Msg    string
}

func (e *PathError) Error() string { return e.Msg }

// ParsePath reads the text form. Names in brackets are quoted as in Go or with
// single quotes. The empty text is the empty path. The error is a *PathError.
func ParsePath(s string) (Path, error) {
	p := pathParser{s: s}
	path := Path{}
	for i, r := range s {
		if r == utf8.RuneError && !strings.HasPrefix(s[i:], "\uFFFD") {
			return nil, &PathError{Offset: i, Msg: "a path must be valid UTF-8"}
		}
	}
	for p.i < len(s) && p.err == nil {
		switch {
		case s[p.i] == '[':
			path = append(path, p.bracket())
		case s[p.i] == '.' && len(path) > 0:
			p.i++
			path = append(path, p.name())
		case len(path) == 0:
			path = append(path, p.name())
		default:
			p.fail(p.i, `expected "." or "[" after a step`)
		}
	}
	if p.err != nil {
		return nil, p.err
	}
	return path, nil
}

type pathParser struct {
	s   string
	i   int
	err error
}

func (p *pathParser) fail(offset int, msg string) Step {
	if p.err == nil {
		p.err = &PathError{Offset: offset, Msg: msg}
	}
	return Step{}
}

func (p *pathParser) name() Step {
	n := nameLen(p.s[p.i:])
	if n == 0 {
		msg := "expected a name"
		if p.i < len(p.s) && p.s[p.i] != '.' {
			msg += `; write a name with other characters as ["a-b"]`
		}
		return p.fail(p.i, msg)
	}
	p.i += n
	return Step{Name: p.s[p.i-n : p.i]}
}

// nameLen is the length of the name that s begins with.
func nameLen(s string) int {
	for i, r := range s {
		letter := r == '_' || r == '$' || unicode.IsLetter(r) && r != utf8.RuneError
		if !letter && (i == 0 || !unicode.IsDigit(r)) {
			return i
		}
	}
	return len(s)
}

func (p *pathParser) bracket() Step {
	open := p.i
	p.i++
	var step Step
	if p.i < len(p.s) && (p.s[p.i] == '"' || p.s[p.i] == '\'') {
		step = p.quoted()
	} else {
		step = p.index()
	}
	if p.err != nil {
		return step
	}
	if p.i >= len(p.s) || p.s[p.i] != ']' {
		return p.fail(open, `missing "]"`)
	}
	p.i++
	return step
}

func (p *pathParser) index() Step {
	start := p.i
	if p.i < len(p.s) && p.s[p.i] == '-' {
		p.i++
	}
	for p.i < len(p.s) && digit(p.s[p.i]) {
		p.i++
	}
	n, err := strconv.ParseInt(p.s[start:p.i], 10, 32)
	if err != nil {
		return p.fail(start, "expected a whole number or a quoted name in brackets")
	}
	return Step{Index: int(n), IsIndex: true}
}

func (p *pathParser) quoted() Step {
	start, quote := p.i, p.s[p.i]
	var name strings.Builder
	rest := p.s[p.i+1:]
	for rest != "" && rest[0] != quote {
		r, multibyte, tail, err := strconv.UnquoteChar(rest, quote)
		if err != nil {
			return p.fail(len(p.s)-len(rest), "invalid escape in a quoted name")
		}
		if r < utf8.RuneSelf || multibyte {
			name.WriteRune(r)
		} else {
			name.WriteByte(byte(r))
		}
		rest = tail
	}
	if rest == "" {
		return p.fail(start, "missing closing quote")
	}
	if !utf8.ValidString(name.String()) {
		return p.fail(start, "a name must be valid UTF-8")
	}
	p.i = len(p.s) - len(rest) + 1
	return Step{Name: name.String()}
}

// String returns the text form, which ParsePath reads back.
func (p Path) String() string {
	var b []byte
	for i, s := range p {
		switch {
		case s.IsIndex:
			b = append(b, '[')
			b = strconv.AppendInt(b, int64(s.Index), 10)
			b = append(b, ']')
		case s.Name != "" && nameLen(s.Name) == len(s.Name):
			if i > 0 {
				b = append(b, '.')
			}
			b = append(b, s.Name...)
		default:
			b = append(b, '[')
			b = strconv.AppendQuote(b, s.Name)
			b = append(b, ']')
		}
	}
	return string(b)
}

func (p Path) equal(q Path) bool {
	if len(p) != len(q) {
		return false
	}
	for i := range p {
		if p[i] != q[i] {
			return false
		}
	}
	return true
}
