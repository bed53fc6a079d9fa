package avro

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// Text returns the schema as compact JSON text: a named type in full where it
// stands first, by its name from then on. What was parsed comes back, with all
// properties.
func (s *Schema) Text() string {
	p := printer{done: map[string]*Schema{}}
	p.schema(s, "")
	return string(p.b)
}

// String is Text.
func (s *Schema) String() string { return s.Text() }

type printer struct {
	b    []byte
	done map[string]*Schema
	// canonical leaves out everything that does not matter for reading.
	canonical bool
}

func (p *printer) quoted(s string) {
	p.b = appendString(p.b, s)
}

// appendString appends s as a JSON string without escaping for HTML.
func appendString(dst []byte, s string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can be
	return append(dst, bytes.TrimSuffix(b.Bytes(), []byte{'\n'})...)
}

func (p *printer) key(name string) {
	if c := p.b[len(p.b)-1]; c != '{' && c != '[' {
		p.b = append(p.b, ',')
	}
	p.quoted(name)
	p.b = append(p.b, ':')
}

func (p *printer) member(name, value string) {
	p.key(name)
	p.quoted(value)
}

func (p *printer) list(name string, values []string) {
	p.key(name)
	p.b = append(p.b, '[')
	for i, v := range values {
		if i > 0 {
			p.b = append(p.b, ',')
		}
		p.quoted(v)
	}
	p.b = append(p.b, ']')
}

func (p *printer) props(props []Property) {
	for _, x := range props {
		p.key(x.Name)
		p.b = append(p.b, x.Value...)
	}
}

// schema prints s within the namespace ns.
func (p *printer) schema(s *Schema, ns string) {
	switch {
	case s.Kind == Union:
		p.b = append(p.b, '[')
		for i, b := range s.Branches {
			if i > 0 {
				p.b = append(p.b, ',')
			}
			p.schema(b, ns)
		}
		p.b = append(p.b, ']')
		return
	case s.named() && p.done[s.Name] != nil:
		p.reference(s.Name, ns)
		return
	case s.Kind <= String && (p.canonical || len(s.Props) == 0 && s.Logical == None):
		p.quoted(s.Kind.String())
		return
	}
	p.b = append(p.b, '{')
	if p.canonical {
		p.canonicalBody(s)
	} else {
		p.body(s, ns)
	}
	p.b = append(p.b, '}')
}

// reference prints the name of a type that was declared before.
func (p *printer) reference(name, ns string) {
	if p.canonical {
		p.quoted(name)
		return
	}
	if namespace(name) == ns {
		p.quoted(simple(name))
		return
	}
	p.quoted(name)
}

func (p *printer) body(s *Schema, ns string) {
	typ := s.Kind.String()
	if s.Error {
		typ = "error"
	}
	p.member("type", typ)
	if s.named() {
		p.done[s.Name] = s
		p.member("name", simple(s.Name))
		if own := namespace(s.Name); own != ns {
			p.member("namespace", own)
		}
		if s.Doc != "" {
			p.member("doc", s.Doc)
		}
	}
	inner := namespace(s.Name)
	switch s.Kind {
	case Record:
		p.key("fields")
		p.b = append(p.b, '[')
		for i := range s.Fields {
			if i > 0 {
				p.b = append(p.b, ',')
			}
			p.field(&s.Fields[i], inner)
		}
		p.b = append(p.b, ']')
	case Enum:
		p.list("symbols", s.Symbols)
		if s.HasDefault {
			p.member("default", s.Default)
		}
	case Fixed:
		p.key("size")
		p.b = strconv.AppendInt(p.b, int64(s.Size), 10)
	case Array:
		p.key("items")
		p.schema(s.Elem, ns)
	case Map:
		p.key("values")
		p.schema(s.Elem, ns)
	}
	if s.Logical != None {
		p.member("logicalType", s.Logical.String())
		if s.Logical == Decimal {
			p.key("precision")
			p.b = strconv.AppendInt(p.b, int64(s.Precision), 10)
			p.key("scale")
			p.b = strconv.AppendInt(p.b, int64(s.Scale), 10)
		}
	}
	p.props(s.Props)
	if len(s.Aliases) > 0 {
		p.list("aliases", s.Aliases)
	}
}

func (p *printer) field(f *Field, ns string) {
	p.b = append(p.b, '{')
	p.member("name", f.Name)
	p.key("type")
	p.schema(f.Type, ns)
	if f.Doc != "" {
		p.member("doc", f.Doc)
	}
	if f.Default != nil {
		p.key("default")
		p.b = append(p.b, f.Default...)
	}
	if f.Order != "" && f.Order != "ascending" {
		p.member("order", f.Order)
	}
	if len(f.Aliases) > 0 {
		p.list("aliases", f.Aliases)
	}
	p.props(f.Props)
	p.b = append(p.b, '}')
}

// Canonical returns the specification's parsing canonical form: what matters
// for reading data, in one spelling.
func (s *Schema) Canonical() string {
	p := printer{done: map[string]*Schema{}, canonical: true}
	p.schema(s, "")
	return string(p.b)
}

// canonicalBody prints name, type, fields, symbols, items, values, size, in
// this order.
func (p *printer) canonicalBody(s *Schema) {
	if s.named() {
		p.done[s.Name] = s
		p.member("name", s.Name)
	}
	p.member("type", s.Kind.String())
	switch s.Kind {
	case Record:
		p.key("fields")
		p.b = append(p.b, '[')
		for i := range s.Fields {
			if i > 0 {
				p.b = append(p.b, ',')
			}
			p.b = append(p.b, '{')
			p.member("name", s.Fields[i].Name)
			p.key("type")
			p.schema(s.Fields[i].Type, "")
			p.b = append(p.b, '}')
		}
		p.b = append(p.b, ']')
	case Enum:
		p.list("symbols", s.Symbols)
	case Fixed:
		p.key("size")
		p.b = strconv.AppendInt(p.b, int64(s.Size), 10)
	case Array:
		p.key("items")
		p.schema(s.Elem, "")
	case Map:
		p.key("values")
		p.schema(s.Elem, "")
	}
}

// emptyFingerprint begins the CRC-64-AVRO.
const emptyFingerprint = 0xc15d213aa4d7a795

// Fingerprint returns the specification's CRC-64-AVRO of the canonical form.
func (s *Schema) Fingerprint() uint64 {
	var table [256]uint64
	for i := range table {
		fp := uint64(i)
		for range 8 {
			fp = fp>>1 ^ emptyFingerprint&-(fp&1)
		}
		table[i] = fp
	}
	fp := uint64(emptyFingerprint)
	for _, c := range []byte(s.Canonical()) {
		fp = fp>>8 ^ table[byte(fp)^c]
	}
	return fp
}
