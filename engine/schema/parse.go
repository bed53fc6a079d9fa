package schema

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
)

// ParseError says where the text of a type is wrong.
type ParseError struct {
	Offset int // in bytes
	Msg    string
	// Unknown is the name that stands there and is no type's; else empty.
	Unknown string
}

func (e *ParseError) Error() string { return fmt.Sprintf("%s at character %d", e.Msg, e.Offset+1) }

// Parse reads a type as String writes it:
//
//	int64   string?   decimal(10,2)   bytes(16)   timestamp(ms)   uuid
//	enum(small, large)   array<string?>   map<string, int32>
//	struct{id int64, price decimal(10,2)? = 1.50, "odd name" string}
//	union{string string, Order Order}
//
// A name may stand behind the word of the type (struct orders.Order{...}), and
// later stands for the same type, also within itself. A time without a unit
// counts nanoseconds. The result is valid. The error is a *ParseError.
func Parse(text string) (*Schema, error) {
	s, _, err := ParseOpen(text, nil)
	if err != nil {
		return nil, err
	}
	if err := s.Validate(); err != nil {
		return nil, &ParseError{Msg: err.Error()}
	}
	return s, nil
}

// Reference is a place in a schema that stands for a type which is defined
// elsewhere.
type Reference struct {
	// Name of the type, which stands at Offset of the text.
	Name   string
	Offset int
	// Schema is the place, of type Any until it is resolved.
	Schema *Schema
}

// Resolve makes the place what def is. Its default and doc are its own, and it
// is optional if it or def is. def may lead back to the place, and must have
// all of its own fields and branches.
func (r Reference) Resolve(def *Schema) {
	s := r.Schema
	adopt(s, def)
	s.Optional = s.Optional || def.Optional
	if s.Doc == "" {
		s.Doc = def.Doc
	}
	s.Version, s.Aliases, s.Parameters = def.Version, def.Aliases, def.Parameters
	s.Precision, s.Scale, s.Size, s.Unit = def.Precision, def.Scale, def.Size, def.Unit
}

// ParseOpen is Parse for a text in which the names that known holds for stand
// for types of others, unless the text gives them a meaning of its own. The
// schema can be used, and validated, when all references are resolved.
func ParseOpen(text string, known func(name string) bool) (*Schema, []Reference, error) {
	if len(text) > limits.SchemaBytes {
		return nil, nil, &ParseError{Msg: fmt.Sprintf("a type of more than %d bytes", limits.SchemaBytes)}
	}
	p := parser{text: text, named: make(map[string]*definition), known: known}
	s := p.schema(0)
	p.space()
	if p.err == nil && p.i < len(p.text) {
		p.unexpected("after the type")
	}
	if p.err != nil {
		return nil, nil, p.err
	}
	return s, p.refs, nil
}

type parser struct {
	text  string
	i     int
	err   error
	nodes int
	named map[string]*definition
	known func(name string) bool
	refs  []Reference
}

// definition is a type with a name, and those that refer to it before it is
// read to its end.
type definition struct {
	s     *Schema
	done  bool
	later []*Schema
}

func (p *parser) fail(format string, args ...any) {
	if p.err == nil {
		p.err = &ParseError{Offset: p.i, Msg: fmt.Sprintf(format, args...)}
	}
}

// unknown is fail for a name of no type.
func (p *parser) unknown(name string) {
	if p.err == nil {
		p.err = &ParseError{Offset: p.i, Unknown: name, Msg: fmt.Sprintf("there is no type %s: a type is one of %s, or one that was named before",
			quoteName(name, true), strings.Join(typeNames[:], ", "))}
	}
}

func (p *parser) unexpected(where string) {
	if p.i >= len(p.text) {
		p.fail("the text ends %s", where)
		return
	}
	r := []rune(p.text[p.i:min(len(p.text), p.i+4)])[0]
	p.fail("unexpected %q %s", r, where)
}

func (p *parser) space() {
	for p.i < len(p.text) && strings.IndexByte(" \t\r\n", p.text[p.i]) >= 0 {
		p.i++
	}
}

// take reads c if it comes next.
func (p *parser) take(c byte) bool {
	p.space()
	if p.err == nil && p.i < len(p.text) && p.text[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) expect(c byte, where string) {
	if !p.take(c) && p.err == nil {
		p.unexpected(fmt.Sprintf("%s, where %q is expected", where, c))
	}
}

// name reads a name; quoted says that it stood in quotes. It is empty and not
// quoted where none stands.
func (p *parser) name(full bool) (name string, quoted bool) {
	p.space()
	if p.i < len(p.text) && p.text[p.i] == '"' {
		c := jsontext.New([]byte(p.text[p.i:]))
		t, err := c.Text()
		if err != nil {
			p.fail("a quoted name: %s", err)
			return "", true
		}
		p.i += c.Offset()
		return t, true
	}
	start := p.i
	for p.i < len(p.text) && (isNameByte(p.text[p.i], p.i == start) || full && p.text[p.i] == '.' && p.i > start) {
		p.i++
	}
	return strings.Clone(p.text[start:p.i]), false
}

func (p *parser) schema(depth int) *Schema {
	s := &Schema{}
	if p.nodes++; p.nodes > limits.SchemaNodes {
		p.fail("more than %d types", limits.SchemaNodes)
	}
	if depth > limits.SchemaDepth {
		p.fail("types nested deeper than %d", limits.SchemaDepth)
	}
	p.space()
	at := p.i
	word, quoted := p.name(true)
	switch {
	case p.err != nil:
		return s
	case word == "" && !quoted:
		p.unexpected("where a type is expected")
		return s
	}
	t, ours := typeOf(word)
	if quoted || !ours {
		p.refer(s, word, at)
	} else {
		s.Type = t
		s.Name, _ = p.name(true)
		def := &definition{s: s}
		if s.Name != "" && (t.IsComplex() || t == Enum) {
			p.named[s.Name] = def
		}
		p.parameters(s, depth)
		def.done = true
		for _, r := range def.later {
			adopt(r, s)
		}
	}
	if p.take('?') {
		s.Optional = true
	}
	if p.take('=') {
		s.Default = p.value()
	}
	return s
}

// refer makes s what was defined under the name.
func (p *parser) refer(s *Schema, name string, at int) {
	def := p.named[name]
	switch {
	case def == nil && p.known != nil && p.known(name):
		p.refs = append(p.refs, Reference{Name: name, Offset: at, Schema: s})
	case def == nil:
		p.i = at
		p.unknown(name)
	case def.done:
		adopt(s, def.s)
	default:
		def.later = append(def.later, s)
	}
}

// adopt makes s the type that def is; whether it is optional and its default
// are its own.
func adopt(s, def *Schema) {
	s.Type, s.Name, s.Symbols = def.Type, def.Name, def.Symbols
	s.Elem, s.Key, s.Fields, s.Branches = def.Elem, def.Key, def.Fields, def.Branches
}

// value reads a JSON text.
func (p *parser) value() []byte {
	c := jsontext.New([]byte(p.text[p.i:]))
	raw, err := c.Raw()
	if err != nil {
		p.i += c.Offset()
		p.fail("a default: %s", err)
		return nil
	}
	p.i += c.Offset()
	return jsontext.AppendCompact(nil, raw)
}

// parameters reads what stands behind the word of a type.
func (p *parser) parameters(s *Schema, depth int) {
	switch s.Type {
	case Decimal:
		p.decimal(s)
	case Bytes:
		if p.take('(') {
			if s.Size = p.number(); s.Size == 0 {
				p.fail("bytes(0): a fixed size is at least 1")
			}
			p.expect(')', "behind the size")
		}
	case Time, Timestamp, LocalTimestamp, Duration:
		p.unit(s)
	case Enum:
		p.expect('(', "behind enum")
		for first := true; p.err == nil && (first || p.take(',')); first = false {
			sym, quoted := p.name(false)
			if sym == "" && !quoted {
				p.unexpected("where a symbol is expected")
			}
			s.Symbols = append(s.Symbols, sym)
		}
		p.expect(')', "behind the symbols")
	case Array:
		p.expect('<', "behind array")
		s.Elem = p.schema(depth + 1)
		p.expect('>', "behind the type of the elements")
	case Map:
		p.expect('<', "behind map")
		s.Key = p.schema(depth + 1)
		p.expect(',', "behind the type of the keys")
		s.Elem = p.schema(depth + 1)
		p.expect('>', "behind the type of the values")
	case Struct, Union:
		p.members(s, depth)
	default:
	}
}

func (p *parser) members(s *Schema, depth int) {
	p.expect('{', "behind "+s.Type.String())
	if s.Type == Struct && p.take('}') {
		return
	}
	for first := true; p.err == nil && (first || p.take(',')); first = false {
		name, quoted := p.name(false)
		if name == "" && !quoted {
			p.unexpected("where a name is expected")
			return
		}
		if t := p.schema(depth + 1); s.Type == Struct {
			s.Fields = append(s.Fields, Field{Name: name, Schema: t})
		} else {
			s.Branches = append(s.Branches, Branch{Name: name, Schema: t})
		}
	}
	p.expect('}', "behind the last member")
}

func (p *parser) decimal(s *Schema) {
	if !p.take('(') {
		return
	}
	if !p.take('*') {
		if s.Precision = p.number(); s.Precision == 0 {
			p.fail("a precision of 0: write * for any")
		}
	}
	if p.take(',') {
		minus := p.take('-')
		if s.Scale = p.number(); minus {
			s.Scale = -s.Scale
		}
	}
	p.expect(')', "behind precision and scale")
}

func (p *parser) unit(s *Schema) {
	if !p.take('(') {
		return
	}
	name, _ := p.name(false)
	u, ok := unitOf(name)
	if !ok {
		p.i -= len(name)
		p.fail("a unit is one of s, ms, us and ns")
		return
	}
	s.Unit = u
	p.expect(')', "behind the unit")
}

func (p *parser) number() int {
	p.space()
	start := p.i
	for p.i < len(p.text) && p.text[p.i]-'0' <= 9 {
		p.i++
	}
	if p.i == start {
		p.unexpected("where a number is expected")
		return 0
	}
	n, err := strconv.Atoi(p.text[start:p.i])
	if err != nil {
		p.i = start
		p.fail("a number too large")
	}
	return n
}
