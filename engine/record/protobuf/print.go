package protobuf

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Text returns the file as the text of a .proto file. Services, extensions and
// options of somebody's own are left out: they say nothing of the data.
func (f *File) Text() string {
	p := printer{file: f, names: map[string]bool{}}
	p.declare(f.Messages, f.Enums)
	if f.Syntax >= Edition2023 {
		p.line("edition = %s;", quote(f.Syntax.String()))
	} else {
		p.line("syntax = %s;", quote(f.Syntax.String()))
	}
	if f.Package != "" {
		p.line("")
		p.line("package %s;", f.Package)
	}
	if len(f.Imports) > 0 {
		p.line("")
	}
	for i, path := range f.Imports {
		kind := ""
		if slices.Contains(f.public, i) {
			kind = "public "
		}
		p.line("import %s%s;", kind, quote(path))
	}
	if over := p.features(f.Options, fileFeatures); len(over) > 0 {
		p.line("")
		for _, o := range over {
			p.line("option %s;", o)
		}
	}
	for _, m := range f.Messages {
		p.line("")
		p.message(m, "message "+short(m.Name))
	}
	for _, e := range f.Enums {
		p.line("")
		p.enum(e)
	}
	return p.b.String()
}

type printer struct {
	b      strings.Builder
	file   *File
	indent int
	// names are those that are declared, by their full names.
	names map[string]bool
}

func (p *printer) declare(messages []*Message, enums []*Enum) {
	for _, e := range enums {
		p.names[e.Name] = true
		for _, v := range e.Values {
			p.names[qualified(scope(e.Name), v.Name)] = true
		}
	}
	for _, m := range messages {
		p.names[m.Name] = true
		for _, f := range m.Fields {
			p.names[qualified(m.Name, f.Name)] = true
		}
		p.declare(m.Nested, m.Enums)
	}
}

func (p *printer) line(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if text != "" {
		p.b.WriteString(strings.Repeat("  ", p.indent))
	}
	p.b.WriteString(text + "\n")
}

func (p *printer) doc(text string) {
	if text == "" {
		return
	}
	for _, l := range strings.Split(text, "\n") {
		p.line("%s", strings.TrimRight("// "+l, " "))
	}
}

// quote writes a string literal.
func quote(text string) string {
	if utf8.ValidString(text) && !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == '"' || r == '\\' || r == 0x7f }) {
		return `"` + text + `"`
	}
	return `"` + escapeBytes([]byte(text)) + `"`
}

func (p *printer) message(m *Message, head string) {
	p.doc(m.Doc)
	p.line("%s {", head)
	p.indent++
	for _, o := range append(p.features(m.Options, messageFeatures), p.metaOptions("confluent.message_meta", m.meta)...) {
		p.line("option %s;", o)
	}
	groups := map[*Message]bool{}
	for _, x := range m.Fields {
		if x.Kind == GroupKind {
			groups[x.Message] = true
		}
	}
	done := map[*Oneof]bool{}
	for _, x := range m.Fields {
		if x.Oneof == nil || x.Oneof.synthetic() {
			p.field(m, x, p.label(x))
			continue
		}
		if done[x.Oneof] {
			continue
		}
		done[x.Oneof] = true
		p.doc(x.Oneof.Doc)
		p.line("oneof %s {", x.Oneof.Name)
		p.indent++
		for _, o := range p.features(x.Oneof.Options, oneofFeatures) {
			p.line("option %s;", o)
		}
		for _, y := range x.Oneof.Fields {
			p.field(m, y, "")
		}
		p.indent--
		p.line("}")
	}
	p.reserved(m)
	for _, n := range m.Nested {
		if !n.MapEntry && !groups[n] {
			p.line("")
			p.message(n, "message "+short(n.Name))
		}
	}
	for _, e := range m.Enums {
		p.line("")
		p.enum(e)
	}
	p.indent--
	p.line("}")
}

func (p *printer) reserved(m *Message) {
	var list []string
	for _, r := range m.Reserved {
		switch {
		case r.First == r.Last:
			list = append(list, strconv.Itoa(r.First))
		case r.Last >= maxNumber:
			list = append(list, fmt.Sprintf("%d to max", r.First))
		default:
			list = append(list, fmt.Sprintf("%d to %d", r.First, r.Last))
		}
	}
	if len(list) > 0 {
		p.line("reserved %s;", strings.Join(list, ", "))
	}
	if len(m.ReservedNames) > 0 {
		list = nil
		for _, n := range m.ReservedNames {
			if p.file.Syntax < Edition2023 {
				n = quote(n)
			}
			list = append(list, n)
		}
		p.line("reserved %s;", strings.Join(list, ", "))
	}
}

func (p *printer) label(x *Field) string {
	switch {
	case x.IsMap():
		return ""
	case x.Label == Repeated:
		return "repeated "
	case x.Label == Required:
		return "required "
	case x.Proto3Optional || p.file.Syntax == Proto2:
		return "optional "
	}
	return ""
}

func (p *printer) field(m *Message, x *Field, label string) {
	options := p.fieldOptions(x)
	if len(options) > 0 {
		options = []string{" [" + strings.Join(options, ", ") + "]"}
	}
	if x.Kind == GroupKind {
		p.message(x.Message, fmt.Sprintf("%sgroup %s = %d%s", label, short(x.Message.Name), x.Number, strings.Join(options, "")))
		return
	}
	p.doc(x.Doc)
	typ := x.Kind.String()
	switch {
	case x.IsMap():
		k, v := x.Message.Fields[0], x.Message.Fields[1]
		typ = fmt.Sprintf("map<%s, %s>", k.Kind, p.typeOf(m, v))
	case x.Message != nil || x.Enum != nil:
		typ = p.typeOf(m, x)
	}
	p.line("%s%s %s = %d%s;", label, typ, x.Name, x.Number, strings.Join(options, ""))
}

// typeOf returns how the type of a field is called within m: as short as it is
// still found.
func (p *printer) typeOf(m *Message, x *Field) string {
	var full string
	switch {
	case x.Message != nil:
		full = x.Message.Name
	case x.Enum != nil:
		full = x.Enum.Name
	default:
		return x.Kind.String()
	}
	name := full
	if p.file.Package != "" {
		name = strings.TrimPrefix(full, p.file.Package+".")
	}
	if rest, ok := strings.CutPrefix(full, m.Name+"."); ok {
		name = rest
	}
	first, _, _ := strings.Cut(name, ".")
	for in := m.Name; in != ""; in = scope(in) {
		if p.names[qualified(in, first)] {
			if qualified(in, name) == full {
				return name
			}
			return "." + full
		}
	}
	if p.names[first] && name != full {
		return "." + full
	}
	return name
}

func (p *printer) fieldOptions(x *Field) []string {
	var list []string
	if x.HasDefault {
		switch x.Kind {
		case StringKind:
			list = append(list, "default = "+quote(x.Default))
		case BytesKind:
			list = append(list, `default = "`+x.Default+`"`)
		default:
			list = append(list, "default = "+x.Default)
		}
	}
	if x.JSONName != "" && x.JSONName != jsonName(x.Name) {
		list = append(list, "json_name = "+quote(x.JSONName))
	}
	if x.packed != 0 {
		list = append(list, "packed = "+strconv.FormatBool(x.packed == 2))
	}
	_ = eachField(x.Options, func(o part) error {
		if o.num == 3 && o.v != 0 {
			list = append(list, "deprecated = true")
		}
		return nil
	})
	list = append(list, p.features(x.Options, fieldFeatures)...)
	return append(list, p.metaOptions("confluent.field_meta", x.meta)...)
}

// features returns those that options set.
func (p *printer) features(options []byte, num int) []string {
	f, err := optionFeatures(options, num)
	if err != nil || p.file.Syntax < Edition2023 {
		return nil
	}
	var list []string
	for _, o := range []struct {
		name  string
		v     uint8
		names []string
	}{
		{"field_presence", f.presence, []string{"EXPLICIT", "IMPLICIT", "LEGACY_REQUIRED"}},
		{"enum_type", f.enum, []string{"OPEN", "CLOSED"}},
		{"repeated_field_encoding", f.repeated, []string{"PACKED", "EXPANDED"}},
		{"utf8_validation", f.utf8, []string{"", "VERIFY", "NONE"}},
		{"message_encoding", f.message, []string{"LENGTH_PREFIXED", "DELIMITED"}},
	} {
		if o.v > 0 && int(o.v) <= len(o.names) {
			list = append(list, "features."+o.name+" = "+o.names[o.v-1])
		}
	}
	return list
}

func (p *printer) metaOptions(name string, m meta) []string {
	if m.empty() {
		return nil
	}
	var parts []string
	if m.doc != "" {
		parts = append(parts, "doc: "+quote(m.doc))
	}
	var params []string
	for _, k := range slices.Sorted(maps.Keys(m.params)) {
		params = append(params, fmt.Sprintf("{ key: %s, value: %s }", quote(k), quote(m.params[k])))
	}
	if len(params) > 0 {
		parts = append(parts, "params: ["+strings.Join(params, ", ")+"]")
	}
	return []string{fmt.Sprintf("(%s) = { %s }", name, strings.Join(parts, ", "))}
}

func (p *printer) enum(e *Enum) {
	p.doc(e.Doc)
	p.line("enum %s {", short(e.Name))
	p.indent++
	_ = eachField(e.Options, func(o part) error {
		if o.num == 2 && o.v != 0 {
			p.line("option allow_alias = true;")
		}
		return nil
	})
	for _, o := range append(p.features(e.Options, enumFeatures), p.metaOptions("confluent.enum_meta", e.meta)...) {
		p.line("option %s;", o)
	}
	for i := range e.Values {
		v := &e.Values[i]
		p.doc(v.Doc)
		m, _ := parseMeta(v.Options) // it was parsed before
		options := p.metaOptions("confluent.enum_value_meta", m)
		if len(options) > 0 {
			options = []string{" [" + options[0] + "]"}
		}
		p.line("%s = %d%s;", v.Name, v.Number, strings.Join(options, ""))
	}
	p.indent--
	p.line("}")
}
