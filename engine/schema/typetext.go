package schema

import (
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/internal/jsontext"
	"github.com/flowrecords/flow/engine/limits"
)

// String returns the type on one line, as Parse reads it:
//
//	struct orders.Order{id int64, price decimal(10,2)?, state enum State(new,done) = "new", tags array<string>}
//
// A question mark stands for optional. A type with a name that was written
// before is its name alone. What changes no value is left out: docs, versions,
// aliases, parameters and tags.
func (s *Schema) String() string {
	w := typeWriter{limit: limits.SchemaBytes}
	w.schema(s)
	return w.String()
}

// typeWriter writes types on one line. A text that becomes too long ends in
// three points.
type typeWriter struct {
	strings.Builder
	limit int
	path  []*Schema          // what is being written
	named map[string]*Schema // the last one that was written under a name
}

func (w *typeWriter) schema(s *Schema) {
	switch {
	case s == nil:
		w.WriteString("?")
		return
	case w.Len() > w.limit:
		w.WriteString("...")
		return
	case w.reference(s):
	case w.within(s):
		// A cycle through nothing that has a name, which Validate refuses.
		w.WriteString("...")
		return
	default:
		w.path = append(w.path, s)
		w.definition(s)
		w.path = w.path[:len(w.path)-1]
	}
	if s.Optional {
		w.WriteByte('?')
	}
	if len(s.Default) > 0 {
		w.WriteString(" = ")
		w.Write(s.Default)
	}
}

func (w *typeWriter) within(s *Schema) bool {
	if !s.Type.IsComplex() {
		return false
	}
	for _, p := range w.path {
		if p == s {
			return true
		}
	}
	return false
}

// reference writes the name of a type that was written before.
func (w *typeWriter) reference(s *Schema) bool {
	if s.Name == "" || !s.Type.IsComplex() && s.Type != Enum {
		return false
	}
	if old := w.named[s.Name]; old != nil && sameDefinition(old, s) {
		w.WriteString(quoteName(s.Name, true))
		return true
	}
	if w.named == nil {
		w.named = make(map[string]*Schema)
	}
	w.named[s.Name] = s
	return false
}

// sameDefinition reports whether a and b differ at most in Optional, Default
// and what changes no value.
func sameDefinition(a, b *Schema) bool {
	if a == b {
		return true
	}
	if a.Type != b.Type || a.Name != b.Name || len(a.Fields) != len(b.Fields) {
		return false
	}
	if len(a.Fields) > 0 && &a.Fields[0] == &b.Fields[0] {
		return true
	}
	x, y := a.Clone(), b.Clone()
	x.Optional, x.Default = false, nil
	y.Optional, y.Default = false, nil
	return EqualTypes(x, y)
}

func (w *typeWriter) definition(s *Schema) {
	w.WriteString(s.Type.String())
	if s.Name != "" {
		w.WriteByte(' ')
		w.WriteString(quoteName(s.Name, true))
	}
	switch s.Type {
	case Decimal:
		w.WriteString(decimalText(s))
	case Bytes:
		if s.Size > 0 {
			w.WriteString("(" + strconv.Itoa(s.Size) + ")")
		}
	case Time, Timestamp, LocalTimestamp, Duration:
		w.WriteString("(" + s.Unit.String() + ")")
	case Enum:
		w.WriteByte('(')
		for i, sym := range s.Symbols {
			w.separate(i)
			w.WriteString(quoteName(sym, false))
		}
		w.WriteByte(')')
	case Array:
		w.WriteByte('<')
		w.schema(s.Elem)
		w.WriteByte('>')
	case Map:
		w.WriteByte('<')
		w.schema(s.Key)
		w.WriteString(", ")
		w.schema(s.Elem)
		w.WriteByte('>')
	case Struct:
		w.WriteByte('{')
		for i := range s.Fields {
			w.separate(i)
			w.WriteString(quoteName(s.Fields[i].Name, false) + " ")
			w.schema(s.Fields[i].Schema)
		}
		w.WriteByte('}')
	case Union:
		w.WriteByte('{')
		for i := range s.Branches {
			w.separate(i)
			w.WriteString(quoteName(s.Branches[i].Name, false) + " ")
			w.schema(s.Branches[i].Schema)
		}
		w.WriteByte('}')
	default:
	}
}

func (w *typeWriter) separate(i int) {
	if i > 0 {
		w.WriteString(", ")
	}
}

// decimalText is (10,2), (*,2), or nothing where there is no limit and no
// digit behind the point.
func decimalText(s *Schema) string {
	switch {
	case s.Precision == 0 && s.Scale == 0:
		return ""
	case s.Precision == 0:
		return "(*," + strconv.Itoa(s.Scale) + ")"
	default:
		return "(" + strconv.Itoa(s.Precision) + "," + strconv.Itoa(s.Scale) + ")"
	}
}

// quoteName returns a name as type texts write it: as it is, or as a JSON
// string. The full name of a type may have points, and may not be that of one
// of ours.
func quoteName(name string, full bool) string {
	plain := name != ""
	for i := 0; i < len(name) && plain; i++ {
		plain = isNameByte(name[i], i == 0) || full && name[i] == '.' && i > 0 && i+1 < len(name)
	}
	if plain && full {
		_, ours := typeOf(name)
		plain = !ours
	}
	if plain {
		return name
	}
	return string(jsontext.AppendQuoted(nil, name))
}

func isNameByte(c byte, first bool) bool {
	return c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z' || !first && (c >= '0' && c <= '9' || c == '$')
}

// DefaultName is the name that a branch of a union has when nothing else says
// one: the full name of its type, else the type.
func (s *Schema) DefaultName() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Type.String()
}
