package protobuf

import (
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/schema"
)

// declared is a type that has its name.
type declared struct {
	from *schema.Schema
	name string
}

// fullName checks or scrubs a name with points.
func (f *fromConverter) fullName(name string) (string, error) {
	parts := strings.Split(name, ".")
	for i, p := range parts {
		n, err := f.identifier(p)
		if err != nil {
			return "", err
		}
		parts[i] = n
	}
	return strings.Join(parts, "."), nil
}

// identifier checks or scrubs a name.
func (f *fromConverter) identifier(name string) (string, error) {
	switch {
	case validName(name):
		return name, nil
	case !f.o.Scrub:
		return "", f.fail("%q is no name in Protobuf: letters, digits and underscores, not beginning with a digit (an option replaces what is not allowed)", name)
	}
	return scrub(name), nil
}

func scrub(s string) string {
	if s == "" {
		return "_"
	}
	b := []byte(s)
	for i, c := range b {
		if c != '_' && (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > '9') {
			b[i] = '_'
		}
	}
	if b[0] >= '0' && b[0] <= '9' {
		return "_" + string(b)
	}
	return string(b)
}

// declare makes an empty message of that full name, within owner if that is not
// nil. A name that is taken gets a number behind it.
func (f *fromConverter) declare(owner *Message, name string) (*Message, error) {
	name, err := f.fullName(name)
	if err != nil {
		return nil, err
	}
	m := &Message{Name: f.take(name), File: f.file, Parent: owner}
	if owner == nil {
		f.file.Messages = append(f.file.Messages, m)
	} else {
		owner.Nested = append(owner.Nested, m)
	}
	return m, nil
}

// take gives out a full name that nobody else has.
func (f *fromConverter) take(name string) string {
	full := name
	for n := 2; f.names[full]; n++ {
		full = name + strconv.Itoa(n)
	}
	f.names[full] = true
	return full
}

// place finds where a type of that name in flow is declared: within which
// message, and its full name in the file.
func (f *fromConverter) place(name string, owner *Message, fallback string) (*Message, string, error) {
	inside := func(parent *Message) string {
		if parent != nil {
			return parent.Name
		}
		return f.file.Package
	}
	if name == "" {
		return owner, qualified(inside(owner), fallback), nil
	}
	rest, own := name, f.file.Package == ""
	if !own {
		rest, own = strings.CutPrefix(name, f.file.Package+".")
	}
	if !own {
		// Of another package, and a file has one: its name is kept beside.
		return nil, qualified(f.file.Package, short(name)), nil
	}
	parts := strings.Split(rest, ".")
	var parent *Message
	for i := range parts[:len(parts)-1] {
		outer := qualified(f.file.Package, strings.Join(parts[:i+1], "."))
		next := f.find(outer)
		if next == nil {
			var err error
			if next, err = f.declare(parent, outer); err != nil {
				return nil, "", err
			}
		}
		parent = next
	}
	return parent, qualified(inside(parent), parts[len(parts)-1]), nil
}

// find returns the message of a full name in the file.
func (f *fromConverter) find(name string) *Message {
	var in func(list []*Message) *Message
	in = func(list []*Message) *Message {
		for _, m := range list {
			if m.Name == name {
				return m
			}
			if strings.HasPrefix(name, m.Name+".") {
				return in(m.Nested)
			}
		}
		return nil
	}
	return in(f.file.Messages)
}

// message declares the message of a struct, unless there is one, and returns
// its full name. Fallback is its name if it has none.
func (f *fromConverter) message(s *schema.Schema, owner *Message, fallback string) (string, error) {
	if s.Name == "" {
		for known, name := range f.unnamed {
			if sameStruct(known, s) {
				return name, nil
			}
		}
	} else if name := f.known(s); name != "" {
		return name, nil
	}
	parent, name, err := f.place(s.Name, owner, fallback)
	if err != nil {
		return "", err
	}
	m := f.container(name)
	if m == nil {
		if m, err = f.declare(parent, name); err != nil {
			return "", err
		}
	}
	if m.Name != s.Name {
		m.meta.set(paramName, s.Name)
	}
	if s.Name == "" {
		f.unnamed[s] = m.Name
	} else {
		f.types[s.Name] = append(f.types[s.Name], declared{s, m.Name})
	}
	m.Doc = s.Doc
	f.params(&m.meta, s)
	return m.Name, f.fields(m, s)
}

// known returns the name that a type has got; empty if it has none.
func (f *fromConverter) known(s *schema.Schema) string {
	if s.Name == "" {
		return ""
	}
	for _, d := range f.types[s.Name] {
		if d.from == s || schema.EqualTypes(bare(d.from), bare(s)) {
			return d.name
		}
	}
	return ""
}

// container returns a message that was declared only since others are within
// it, and is no type yet.
func (f *fromConverter) container(name string) *Message {
	m := f.find(name)
	if m == nil || len(m.Fields) > 0 {
		return nil
	}
	for _, list := range f.types {
		for _, d := range list {
			if d.name == name {
				return nil
			}
		}
	}
	for _, n := range f.unnamed {
		if n == name {
			return nil
		}
	}
	return m
}

// sameStruct reports whether a and b are one struct, used at two places.
func sameStruct(a, b *schema.Schema) bool {
	return a == b || len(a.Fields) > 0 && len(a.Fields) == len(b.Fields) && &a.Fields[0] == &b.Fields[0]
}

// bare is s without what belongs to the place where it is used.
func bare(s *schema.Schema) *schema.Schema {
	if !s.Optional && s.Default == nil {
		return s
	}
	c := s.Clone()
	c.Optional, c.Default = false, nil
	return c
}

// params keeps the free parameters of a schema, its version and, for what has
// no name in Protobuf, its name.
func (f *fromConverter) params(m *meta, s *schema.Schema) {
	for name, v := range s.Parameters {
		if !strings.HasPrefix(name, paramPrefix) && !strings.HasPrefix(name, paramFlow) {
			m.set(name, v)
		}
	}
	if s.Version != 0 {
		m.set(paramVersion, strconv.Itoa(s.Version))
	}
}
