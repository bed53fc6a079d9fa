package protobuf

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

var errManyItems = fmt.Errorf("more than %d types, fields and values", maxItems)

// ParseSet reads a google.protobuf.FileDescriptorSet. Every file must be there
// that another one imports; what a file imports comes before it.
func ParseSet(data []byte) (*Set, error) {
	var files [][]byte
	err := eachField(data, func(p part) error {
		if p.num == 1 && p.wire == wireBytes {
			files = append(files, p.data)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("reading a set of descriptors: %w", err)
	}
	return ParseFiles(files...)
}

// ParseFiles reads google.protobuf.FileDescriptorProtos in the order of
// ParseSet.
func ParseFiles(files ...[]byte) (*Set, error) {
	s := &Set{messages: map[string]*Message{}, enums: map[string]*Enum{}}
	size := 0
	p := parser{}
	for _, b := range files {
		if size += len(b); size > maxDescriptor {
			return nil, fmt.Errorf("reading descriptors: more than %d bytes", maxDescriptor)
		}
		f, err := p.file(b)
		if err != nil {
			return nil, fmt.Errorf("reading the descriptor of %s: %w", orUnnamed(f.Path), err)
		}
		s.Files = append(s.Files, f)
	}
	for _, f := range s.Files {
		if err := s.link(f); err != nil {
			return nil, fmt.Errorf("the descriptor of %s: %w", orUnnamed(f.Path), err)
		}
	}
	return s, nil
}

func orUnnamed(path string) string {
	if path == "" {
		return "a file without name"
	}
	return path
}

// parser reads descriptors. It counts what it reads.
type parser struct {
	items int
	docs  map[string]string
}

func (p *parser) count() error {
	if p.items++; p.items > maxItems {
		return errManyItems
	}
	return nil
}

func (p *parser) file(b []byte) (*File, error) {
	f := &File{Syntax: Proto2}
	if err := p.comments(b); err != nil {
		return f, err
	}
	var messages, enums [][]byte
	edition := false
	err := eachField(b, func(x part) error {
		switch x.num {
		case 1:
			f.Path = string(x.data)
		case 2:
			f.Package = string(x.data)
		case 3:
			f.Imports = append(f.Imports, string(x.data))
		case 4:
			messages = append(messages, x.data)
		case 5:
			enums = append(enums, x.data)
		case 8:
			f.Options = append(f.Options, x.data...)
		case 10:
			f.public = append(f.public, int(x.v))
		case 11:
			f.weak = append(f.weak, int(x.v))
		case 12:
			switch string(x.data) {
			case "", "proto2":
			case "proto3":
				f.Syntax = Proto3
			case "editions":
				edition = true
			default:
				return fmt.Errorf("the syntax %q is not known", x.data)
			}
		case 14:
			f.Syntax, edition = Syntax(x.v), false
		case 9: // positions, of which comments are taken
		default:
			f.rest = append(f.rest, x.raw...)
		}
		return nil
	})
	switch {
	case err != nil:
		return f, err
	case edition:
		return f, errors.New("it has editions and says none")
	case f.Syntax < Proto2 || f.Syntax > Edition2024:
		return f, fmt.Errorf("the edition %d is not known: 2024 is the newest", f.Syntax)
	}
	for i, b := range messages {
		m, err := p.message(b, f, nil, f.Package, fmt.Sprintf("4.%d", i), 0)
		if err != nil {
			return f, err
		}
		f.Messages = append(f.Messages, m)
	}
	for i, b := range enums {
		e, err := p.enum(b, f, nil, f.Package, fmt.Sprintf("5.%d", i))
		if err != nil {
			return f, err
		}
		f.Enums = append(f.Enums, e)
	}
	return f, nil
}

// comments takes the comments of elements by their path in the descriptor.
func (p *parser) comments(b []byte) error {
	p.docs = map[string]string{}
	return eachField(b, func(x part) error {
		if x.num != 9 {
			return nil
		}
		return eachField(x.data, func(x part) error {
			if x.num != 1 || x.wire != wireBytes {
				return nil
			}
			path, doc := "", ""
			err := eachField(x.data, func(x part) error {
				switch x.num {
				case 1:
					r := reader{b: x.data}
					for i := 0; i < len(x.data); {
						v, next := r.varint(i, len(x.data))
						if next < 0 || len(path) > 20*maxTypeDepth {
							return errDamaged
						}
						path += fmt.Sprintf(".%d", v)
						i = next
					}
				case 3:
					doc = string(x.data)
				case 4:
					if doc == "" {
						doc = string(x.data)
					}
				}
				return nil
			})
			if doc = strings.TrimSpace(doc); doc != "" && path != "" && utf8.ValidString(doc) {
				lines := strings.Split(doc, "\n")
				for i := range lines {
					lines[i] = strings.TrimSpace(lines[i])
				}
				p.docs[path[1:]] = strings.Join(lines, "\n")
			}
			return err
		})
	})
}

func qualified(scope, name string) string {
	if scope == "" {
		return name
	}
	return scope + "." + name
}

func checkName(name string) error {
	if !validName(name) {
		return fmt.Errorf("%q is no name", name)
	}
	return nil
}

func (p *parser) message(b []byte, f *File, parent *Message, in, path string, depth int) (*Message, error) {
	m := &Message{File: f, Parent: parent, Doc: p.docs[path]}
	if err := p.count(); err != nil {
		return m, err
	}
	if depth > maxTypeDepth {
		return m, fmt.Errorf("messages are declared deeper than %d in each other", maxTypeDepth)
	}
	var fields, nested, enums, oneofs [][]byte
	name := ""
	err := eachField(b, func(x part) error {
		switch x.num {
		case 1:
			name = string(x.data)
		case 2:
			fields = append(fields, x.data)
		case 3:
			nested = append(nested, x.data)
		case 4:
			enums = append(enums, x.data)
		case 7:
			m.Options = append(m.Options, x.data...)
		case 8:
			oneofs = append(oneofs, x.data)
		case 9:
			r, err := parseRange(x.data)
			m.Reserved = append(m.Reserved, r)
			return err
		case 10:
			m.ReservedNames = append(m.ReservedNames, string(x.data))
		default:
			m.rest = append(m.rest, x.raw...)
		}
		return nil
	})
	if err == nil {
		err = checkName(name)
	}
	if err == nil {
		err = m.parseOptions()
	}
	m.Name = qualified(in, name)
	if err != nil {
		return m, fmt.Errorf("message %s: %w", m.Name, err)
	}
	for i, b := range oneofs {
		o, err := parseOneof(b)
		if err != nil {
			return m, fmt.Errorf("message %s: oneof %d: %w", m.Name, i, err)
		}
		o.Doc = p.docs[fmt.Sprintf("%s.8.%d", path, i)]
		m.Oneofs = append(m.Oneofs, o)
	}
	for i, b := range fields {
		x, err := p.field(b, m)
		if err != nil {
			return m, fmt.Errorf("message %s: field %s: %w", m.Name, x.Name, err)
		}
		x.Doc = p.docs[fmt.Sprintf("%s.2.%d", path, i)]
		m.Fields = append(m.Fields, x)
	}
	for i, b := range nested {
		n, err := p.message(b, f, m, m.Name, fmt.Sprintf("%s.3.%d", path, i), depth+1)
		if err != nil {
			return m, err
		}
		m.Nested = append(m.Nested, n)
	}
	for i, b := range enums {
		e, err := p.enum(b, f, m, m.Name, fmt.Sprintf("%s.4.%d", path, i))
		if err != nil {
			return m, err
		}
		m.Enums = append(m.Enums, e)
	}
	return m, nil
}

func (m *Message) parseOptions() (err error) {
	err = eachField(m.Options, func(p part) error {
		if p.num == 7 {
			m.MapEntry = p.v != 0
		}
		return nil
	})
	if err == nil {
		m.meta, err = parseMeta(m.Options)
	}
	return err
}

// parseRange reads a ReservedRange, whose end is not included.
func parseRange(b []byte) (r Range, err error) {
	err = eachField(b, func(p part) error {
		switch p.num {
		case 1:
			r.First = int(int32(p.v))
		case 2:
			r.Last = int(int32(p.v)) - 1
		}
		return nil
	})
	return r, err
}

func parseOneof(b []byte) (*Oneof, error) {
	o := &Oneof{}
	err := eachField(b, func(p part) error {
		switch p.num {
		case 1:
			o.Name = string(p.data)
		case 2:
			o.Options = append(o.Options, p.data...)
		}
		return nil
	})
	if err == nil {
		err = checkName(o.Name)
	}
	return o, err
}

func (p *parser) field(b []byte, m *Message) (*Field, error) {
	f := &Field{oneof: -1}
	if err := p.count(); err != nil {
		return f, err
	}
	err := eachField(b, func(x part) error {
		switch x.num {
		case 1:
			f.Name = string(x.data)
		case 3:
			f.Number = int(int32(x.v))
		case 4:
			f.Label = Label(min(x.v, 255))
		case 5:
			f.Kind = Kind(min(x.v, 255))
		case 6:
			f.typeName = string(x.data)
		case 7:
			f.Default, f.HasDefault = string(x.data), true
		case 8:
			f.Options = append(f.Options, x.data...)
		case 9:
			f.oneof = int(int32(x.v))
		case 10:
			f.JSONName = string(x.data)
		case 17:
			f.Proto3Optional = x.v != 0
		default:
			f.rest = append(f.rest, x.raw...)
		}
		return nil
	})
	switch {
	case err != nil:
		return f, err
	case checkName(f.Name) != nil:
		return f, checkName(f.Name)
	case f.Number < 1 || f.Number > maxNumber:
		return f, fmt.Errorf("%d is no number of a field", f.Number)
	case f.Label < Optional || f.Label > Repeated:
		return f, fmt.Errorf("the label %d is not known", f.Label)
	case f.Kind > Sint64Kind:
		return f, fmt.Errorf("the type %d is not known", f.Kind)
	case f.oneof >= len(m.Oneofs):
		return f, fmt.Errorf("it belongs to oneof %d of %d", f.oneof, len(m.Oneofs))
	case f.oneof >= 0 && f.Label != Optional:
		return f, errors.New("a field of a oneof is repeated or required")
	}
	if f.oneof >= 0 {
		f.Oneof = m.Oneofs[f.oneof]
		f.Oneof.Fields = append(f.Oneof.Fields, f)
	}
	if err := eachField(f.Options, func(x part) error {
		if x.num == 2 && x.wire == wireVarint {
			f.packed = 1 + uint8(min(x.v, 1))
		}
		return nil
	}); err != nil {
		return f, err
	}
	f.meta, err = parseMeta(f.Options)
	return f, err
}

func (p *parser) enum(b []byte, f *File, parent *Message, in, path string) (*Enum, error) {
	e := &Enum{File: f, Parent: parent, Doc: p.docs[path]}
	name, values := "", 0
	err := eachField(b, func(x part) error {
		switch x.num {
		case 1:
			name = string(x.data)
		case 2:
			v, err := parseEnumValue(x.data)
			v.Doc = p.docs[fmt.Sprintf("%s.2.%d", path, values)]
			values++
			e.Values = append(e.Values, v)
			if err == nil {
				err = p.count()
			}
			return err
		case 3:
			e.Options = append(e.Options, x.data...)
		default:
			e.rest = append(e.rest, x.raw...)
		}
		return nil
	})
	if err == nil {
		err = checkName(name)
	}
	if err == nil {
		e.meta, err = parseMeta(e.Options)
	}
	if err == nil && len(e.Values) == 0 {
		err = errors.New("it has no values")
	}
	e.Name = qualified(in, name)
	if err != nil {
		return e, fmt.Errorf("enum %s: %w", e.Name, err)
	}
	return e, p.count()
}

func parseEnumValue(b []byte) (v EnumValue, err error) {
	err = eachField(b, func(p part) error {
		switch p.num {
		case 1:
			v.Name = string(p.data)
		case 2:
			v.Number = int32(p.v)
		case 3:
			v.Options = append(v.Options, p.data...)
		}
		return nil
	})
	if err == nil {
		err = checkName(v.Name)
	}
	if err == nil {
		var m meta
		m, err = parseMeta(v.Options)
		v.symbol = m.params[paramSymbol]
	}
	return v, err
}

// validName reports whether s is an identifier of Protobuf.
func validName(s string) bool {
	for i := range len(s) {
		if c := s[i]; c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}
