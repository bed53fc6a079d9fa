package protobuf

import "fmt"

// Compatible returns every reason why data of the writer's message cannot be
// read as the reader's, each with its path: none if it always can. Fields are
// the same by their number. A field that only one of them has is no reason,
// unless it must be there.
func Compatible(writer, reader *Message) []string {
	c := comparison{seen: map[[2]*Message]bool{}}
	c.messages("", writer, reader)
	return c.reasons
}

type comparison struct {
	seen    map[[2]*Message]bool
	reasons []string
}

func (c *comparison) add(path, format string, args ...any) {
	const most = 100
	if len(c.reasons) < most {
		if path != "" {
			path += ": "
		}
		c.reasons = append(c.reasons, path+fmt.Sprintf(format, args...))
	}
}

func (c *comparison) messages(path string, w, r *Message) {
	pair := [2]*Message{w, r}
	if w == r || c.seen[pair] {
		return
	}
	c.seen[pair] = true
	byNumber := map[int]*Field{}
	for _, f := range w.Fields {
		byNumber[f.Number] = f
	}
	// Two fields that may be there together are one of a oneof.
	joined := map[*Oneof]string{}
	for _, f := range r.Fields {
		at := qualified(path, f.Name)
		old := byNumber[f.Number]
		switch {
		case old == nil:
			if f.IsRequired() {
				c.add(at, "the field is required, and data of the other schema does not have it")
			}
			continue
		case f.IsRequired() && !old.IsRequired():
			c.add(at, "the field is required, and data of the other schema may lack it")
		}
		c.fields(at, old, f)
		if o := f.Oneof; o != nil && !o.synthetic() && (old.Oneof == nil || old.Oneof.synthetic()) {
			if other := joined[o]; other != "" {
				c.add(at, "it and %s are in the oneof %s, of which one is there, and data of the other schema may have both", other, o.Name)
			}
			joined[o] = f.Name
		}
	}
	for _, f := range r.Fields {
		delete(byNumber, f.Number)
	}
	for _, f := range w.Fields {
		// Data with the branch would read as if the oneof were empty.
		if byNumber[f.Number] == nil || f.Oneof == nil || f.Oneof.synthetic() {
			continue
		}
		for _, o := range r.Oneofs {
			if o.Name == f.Oneof.Name && !o.synthetic() {
				c.add(qualified(path, o.Name), "data of the other schema may have the field %s (number %d), which this one lacks", f.Name, f.Number)
			}
		}
	}
}

func (c *comparison) fields(path string, w, r *Field) {
	what := func(f *Field) string {
		text := f.Kind.String()
		switch {
		case f.IsMap():
			return "map"
		case f.Message != nil:
			text = "message " + f.Message.Name
		case f.Enum != nil:
			text = "enum " + f.Enum.Name
		}
		if f.Label == Repeated {
			return "repeated " + text
		}
		return text
	}
	differ := func() { c.add(path, "number %d is %s in one schema and %s in the other", r.Number, what(w), what(r)) }
	switch {
	case w.Message != nil && r.Message != nil:
		if w.IsMap() != r.IsMap() || w.IsDelimited() != r.IsDelimited() || (w.Label == Repeated) != (r.Label == Repeated) ||
			!w.IsMap() && short(w.Message.Name) != short(r.Message.Name) && viewOf(w) != viewOf(r) {
			differ()
			return
		}
		c.messages(path, w.Message, r.Message)
	case familyOf(w.Kind) != familyOf(r.Kind) || w.Message != nil || r.Message != nil, w.Label == Repeated && r.Label != Repeated:
		differ()
	}
}

// familyOf groups the kinds that read each other's data.
func familyOf(k Kind) Kind {
	switch k {
	case Int32Kind, Uint32Kind, Int64Kind, Uint64Kind, BoolKind, EnumKind:
		return Int64Kind
	case Sint32Kind, Sint64Kind:
		return Sint64Kind
	case StringKind, BytesKind:
		return StringKind
	case Fixed32Kind, Sfixed32Kind:
		return Fixed32Kind
	case Fixed64Kind, Sfixed64Kind:
		return Fixed64Kind
	}
	return k
}

// Same reports whether two messages are the same but for docs and options that
// say nothing of the data: data of one is data of the other.
func Same(a, b *Message) bool { return same(a, b, map[[2]*Message]bool{}) }

func same(a, b *Message, seen map[[2]*Message]bool) bool {
	pair := [2]*Message{a, b}
	if a == b || seen[pair] {
		return true
	}
	if a == nil || b == nil || a.Name != b.Name || len(a.Fields) != len(b.Fields) {
		return false
	}
	seen[pair] = true
	for i, f := range a.Fields {
		g := b.Fields[i]
		if f.Name != g.Name || f.Number != g.Number || f.Kind != g.Kind || f.Label != g.Label || viewOf(f) != viewOf(g) ||
			f.HasPresence() != g.HasPresence() || f.IsRequired() != g.IsRequired() || f.IsDelimited() != g.IsDelimited() ||
			f.Default != g.Default || f.meta.params[paramDefault] != g.meta.params[paramDefault] || (f.Oneof == nil) != (g.Oneof == nil) ||
			!same(f.Message, g.Message, seen) || !sameEnum(f.Enum, g.Enum) {
			return false
		}
	}
	return true
}

func sameEnum(a, b *Enum) bool {
	if a == nil || b == nil || a == b {
		return a == b
	}
	if a.IsClosed() != b.IsClosed() || len(a.Values) != len(b.Values) {
		return false
	}
	for i := range a.Values {
		if a.Values[i].Name != b.Values[i].Name || a.Values[i].Number != b.Values[i].Number {
			return false
		}
	}
	return true
}
