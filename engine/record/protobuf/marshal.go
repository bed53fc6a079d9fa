package protobuf

import (
	"strconv"
	"strings"
)

// Marshal returns the file as a google.protobuf.FileDescriptorProto.
func (f *File) Marshal() []byte {
	b := appendText(nil, 1, f.Path)
	b = appendText(b, 2, f.Package)
	for _, p := range f.Imports {
		b = appendBytesField(b, 3, p)
	}
	for _, m := range f.Messages {
		b = appendBytesField(b, 4, m.marshal())
	}
	for _, e := range f.Enums {
		b = appendBytesField(b, 5, e.marshal())
	}
	if len(f.Options) > 0 {
		b = appendBytesField(b, 8, f.Options)
	}
	var docs []byte
	for i, m := range f.Messages {
		docs = m.docs(docs, "4."+strconv.Itoa(i))
	}
	for i, e := range f.Enums {
		docs = e.docs(docs, "5."+strconv.Itoa(i))
	}
	if len(docs) > 0 {
		b = appendBytesField(b, 9, docs)
	}
	for _, i := range f.public {
		b = appendVarintField(b, 10, uint64(i))
	}
	for _, i := range f.weak {
		b = appendVarintField(b, 11, uint64(i))
	}
	switch {
	case f.Syntax == Proto3:
		b = appendBytesField(b, 12, "proto3")
	case f.Syntax >= Edition2023:
		b = appendVarintField(appendBytesField(b, 12, "editions"), 14, uint64(f.Syntax))
	}
	return append(b, f.rest...)
}

// Marshal returns the files as a google.protobuf.FileDescriptorSet.
func (s *Set) Marshal() []byte {
	var b []byte
	for _, f := range s.Files {
		b = appendBytesField(b, 1, f.Marshal())
	}
	return b
}

func appendText(dst []byte, num int, text string) []byte {
	if text == "" {
		return dst
	}
	return appendBytesField(dst, num, text)
}

func (m *Message) marshal() []byte {
	b := appendBytesField(nil, 1, short(m.Name))
	for _, f := range m.Fields {
		b = appendBytesField(b, 2, f.marshal())
	}
	for _, n := range m.Nested {
		b = appendBytesField(b, 3, n.marshal())
	}
	for _, e := range m.Enums {
		b = appendBytesField(b, 4, e.marshal())
	}
	if len(m.Options) > 0 {
		b = appendBytesField(b, 7, m.Options)
	}
	for _, o := range m.Oneofs {
		x := appendBytesField(nil, 1, o.Name)
		if len(o.Options) > 0 {
			x = appendBytesField(x, 2, o.Options)
		}
		b = appendBytesField(b, 8, x)
	}
	for _, r := range m.Reserved {
		b = appendBytesField(b, 9, appendVarintField(appendVarintField(nil, 1, uint64(r.First)), 2, uint64(r.Last+1)))
	}
	for _, n := range m.ReservedNames {
		b = appendBytesField(b, 10, n)
	}
	return append(b, m.rest...)
}

func (f *Field) marshal() []byte {
	b := appendBytesField(nil, 1, f.Name)
	b = appendVarintField(b, 3, uint64(f.Number))
	b = appendVarintField(b, 4, uint64(f.Label))
	b = appendVarintField(b, 5, uint64(f.Kind))
	switch {
	case f.Message != nil:
		b = appendBytesField(b, 6, "."+f.Message.Name)
	case f.Enum != nil:
		b = appendBytesField(b, 6, "."+f.Enum.Name)
	default:
		b = appendText(b, 6, f.typeName)
	}
	if f.HasDefault {
		b = appendBytesField(b, 7, f.Default)
	}
	if len(f.Options) > 0 {
		b = appendBytesField(b, 8, f.Options)
	}
	if f.Oneof != nil {
		b = appendVarintField(b, 9, uint64(f.oneof))
	}
	name := f.JSONName
	if name == "" {
		name = jsonName(f.Name)
	}
	b = appendBytesField(b, 10, name)
	if f.Proto3Optional {
		b = appendVarintField(b, 17, 1)
	}
	return append(b, f.rest...)
}

func (e *Enum) marshal() []byte {
	b := appendBytesField(nil, 1, short(e.Name))
	for i := range e.Values {
		v := &e.Values[i]
		x := appendVarintField(appendBytesField(nil, 1, v.Name), 2, uint64(int64(v.Number)))
		if len(v.Options) > 0 {
			x = appendBytesField(x, 3, v.Options)
		}
		b = appendBytesField(b, 2, x)
	}
	if len(e.Options) > 0 {
		b = appendBytesField(b, 3, e.Options)
	}
	return append(b, e.rest...)
}

// appendDoc adds a comment to a SourceCodeInfo.
func appendDoc(dst []byte, path, doc string) []byte {
	if doc == "" {
		return dst
	}
	var numbers []byte
	for _, p := range strings.Split(path, ".") {
		n, _ := strconv.ParseUint(p, 10, 32)
		numbers = appendUvarint(numbers, n)
	}
	loc := appendBytesField(nil, 1, numbers)
	loc = appendBytesField(loc, 2, []byte{0, 0, 0}) // no place in a text
	var text strings.Builder
	for _, line := range strings.Split(doc, "\n") {
		text.WriteString(" " + line + "\n")
	}
	return appendBytesField(dst, 1, appendBytesField(loc, 3, text.String()))
}

func (m *Message) docs(dst []byte, path string) []byte {
	dst = appendDoc(dst, path, m.Doc)
	for i, f := range m.Fields {
		dst = appendDoc(dst, path+".2."+strconv.Itoa(i), f.Doc)
	}
	for i, n := range m.Nested {
		dst = n.docs(dst, path+".3."+strconv.Itoa(i))
	}
	for i, e := range m.Enums {
		dst = e.docs(dst, path+".4."+strconv.Itoa(i))
	}
	for i, o := range m.Oneofs {
		dst = appendDoc(dst, path+".8."+strconv.Itoa(i), o.Doc)
	}
	return dst
}

func (e *Enum) docs(dst []byte, path string) []byte {
	dst = appendDoc(dst, path, e.Doc)
	for i := range e.Values {
		dst = appendDoc(dst, path+".2."+strconv.Itoa(i), e.Values[i].Doc)
	}
	return dst
}
