package protobuf

import (
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine/schema"
)

// finish chooses the syntax of the file and writes everything in it.
func (f *fromConverter) finish(root *schema.Schema) {
	f.file.Syntax = f.syntax(root.Parameters[paramSyntax])
	if f.file.Path = f.o.Path; f.file.Path == "" {
		name := firstOf(root.Name, f.o.Name)
		f.file.Path = strings.ReplaceAll(name, ".", "/") + ".proto"
	}
	f.file.features = featuresOf(f.file.Syntax)
	f.messages(f.file.Messages)
	f.enums(f.file.Enums)
	if f.usesMeta(f.file.Messages, f.file.Enums) {
		f.imports(metaFile)
	}
	slices.Sort(f.file.Imports)
}

// syntax returns the one that the schema came from if it has all that is
// needed, else the oldest that has.
func (f *fromConverter) syntax(want string) Syntax {
	proto3 := !f.required && !f.closed && !f.delimited
	proto2 := !f.implicit && !f.open && !f.delimited
	switch {
	case want == Proto2.String() && proto2:
		return Proto2
	case want == Edition2024.String():
		return Edition2024
	case want == Edition2023.String():
		return Edition2023
	case proto3:
		return Proto3
	case proto2:
		return Proto2
	}
	return Edition2023
}

func (f *fromConverter) usesMeta(messages []*Message, enums []*Enum) bool {
	for _, e := range enums {
		if !e.meta.empty() || slices.ContainsFunc(e.Values, func(v EnumValue) bool { return len(v.Options) > 0 }) {
			return true
		}
	}
	for _, m := range messages {
		if !m.meta.empty() || slices.ContainsFunc(m.Fields, func(x *Field) bool { return !x.meta.empty() }) || f.usesMeta(m.Nested, m.Enums) {
			return true
		}
	}
	return false
}

func (f *fromConverter) enums(list []*Enum) {
	for _, e := range list {
		if f.file.Syntax >= Edition2023 && e.features.enum != 0 {
			e.Options = appendBytesField(e.Options, enumFeatures, e.features.append(nil, f.file.features))
		}
		e.Options = e.meta.append(e.Options)
	}
}

func (f *fromConverter) messages(list []*Message) {
	for _, m := range list {
		if m.MapEntry {
			m.Options = appendVarintField(m.Options, 7, 1)
		}
		m.Options = m.meta.append(m.Options)
		for _, x := range m.Fields {
			f.syntaxOf(m, x)
		}
		// Those that only say that a field is optional come last.
		if f.file.Syntax == Proto3 {
			for _, x := range m.Fields {
				if x.Proto3Optional {
					o := &Oneof{Name: "_" + x.Name, Fields: []*Field{x}}
					for m.Field(o.Name) != nil || slices.ContainsFunc(m.Oneofs, func(p *Oneof) bool { return p.Name == o.Name }) {
						o.Name = "X" + o.Name
					}
					x.Oneof, x.oneof = o, len(m.Oneofs)
					m.Oneofs = append(m.Oneofs, o)
				}
			}
		}
		f.messages(m.Nested)
		f.enums(m.Enums)
	}
}

// syntaxOf writes what the syntax of the file has for what a field needs.
func (f *fromConverter) syntaxOf(m *Message, x *Field) {
	syntax := f.file.Syntax
	want := features{message: x.features.message}
	implicit := x.Label == Optional && x.Kind != MessageKind && !x.Proto3Optional && x.Oneof == nil && !m.MapEntry
	switch {
	case syntax < Edition2023:
	case x.Label == Required:
		want.presence = presenceRequired
	case implicit:
		want.presence = presenceImplicit
	}
	if x.Label == Repeated && x.packed != 0 {
		switch {
		case syntax >= Edition2023 && x.packed == 1:
			want.repeated = repeatedExpanded
		case syntax == Proto2 && x.packed == 2:
			x.Options = appendVarintField(x.Options, 2, 1)
		case syntax == Proto3 && x.packed == 1:
			x.Options = appendVarintField(x.Options, 2, 0)
		}
	}
	if syntax >= Edition2023 {
		if b := want.append(nil, f.file.features); len(b) > 0 {
			x.Options = appendBytesField(x.Options, fieldFeatures, b)
		}
		if x.Label == Required {
			x.Label = Optional
		}
	}
	if syntax != Proto3 {
		x.Proto3Optional = false
		f.nativeDefault(x)
	}
	x.Options = x.meta.append(x.Options)
}

// nativeDefault writes the default of a field that is never null in the way of
// proto2, so that other readers see it too.
func (f *fromConverter) nativeDefault(x *Field) {
	text, ok := x.meta.params[paramDefault]
	if !ok || x.meta.params[paramRequired] == "" || x.Label != Optional || x.Kind == MessageKind {
		return
	}
	var str string
	switch x.Kind {
	case EnumKind:
		e := enumNamed(f.file.Messages, f.file.Enums, x.typeName[1:])
		if e == nil || json.Unmarshal([]byte(text), &str) != nil {
			return
		}
		for i := range e.Values {
			if m, _ := parseMeta(e.Values[i].Options); m.params[paramSymbol] == str {
				str = e.Values[i].Name
			}
		}
	case StringKind, BytesKind:
		if json.Unmarshal([]byte(text), &str) != nil {
			return
		}
		if x.Kind == BytesKind {
			b, err := base64.StdEncoding.DecodeString(str)
			if err != nil {
				return
			}
			str = escapeBytes(b)
		}
	case FloatKind, DoubleKind:
		if str = strings.Trim(text, `"`); str == "NaN" || strings.HasSuffix(str, "Infinity") {
			str = map[string]string{"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf"}[str]
		}
	default:
		str = text
	}
	x.Default, x.HasDefault = str, true
	delete(x.meta.params, paramDefault)
	delete(x.meta.params, paramRequired)
}

// escapeBytes writes bytes as descriptors do.
func escapeBytes(b []byte) string {
	var out []byte
	for _, c := range b {
		switch {
		case c == '"' || c == '\\' || c == '\'':
			out = append(out, '\\', c)
		case c >= ' ' && c < 0x7f:
			out = append(out, c)
		default:
			out = append(out, '\\', '0'+c>>6, '0'+c>>3&7, '0'+c&7)
		}
	}
	return string(out)
}

func enumNamed(messages []*Message, enums []*Enum, name string) *Enum {
	for _, e := range enums {
		if e.Name == name {
			return e
		}
	}
	for _, m := range messages {
		if e := enumNamed(m.Nested, m.Enums, name); e != nil {
			return e
		}
	}
	return nil
}
