package schema

import (
	"strconv"
	"strings"

	"github.com/flowrecords/flow/engine/limits"
)

// Text returns s over several lines, for people:
//
//	struct orders.Order  # version 3; an order as the shop sends it
//	  id int64
//	  price decimal(10,2)? = 1.50
//	  customer struct Customer?
//	    email string  # was mail
//	  lines array<struct Line>
//	    sku string
//
// Types are written as in String; the fields of a struct and the branches of a
// union stand below it. Behind a # stand version, former names, number and
// doc. A type with a name that stands above already is its name alone.
func (s *Schema) Text() string {
	t := texter{w: typeWriter{limit: limits.SchemaBytes}}
	t.line("", s, 0, nil, "", 0)
	return t.w.String()
}

type texter struct {
	w     typeWriter
	below []*Schema // structs and unions of the line, whose members follow
}

// line writes one line and what stands below it.
func (t *texter) line(name string, s *Schema, indent int, was []string, doc string, tag int) {
	if t.w.Len() > t.w.limit {
		return
	}
	t.w.WriteString(strings.Repeat("  ", indent))
	if name != "" {
		t.w.WriteString(name + " ")
	}
	outer := t.below
	t.below = nil
	t.head(s)
	t.remark(s, was, doc, tag)
	t.w.WriteByte('\n')
	below := t.below
	for _, b := range below {
		t.w.path = append(t.w.path, b)
		for i := range b.Fields {
			f := &b.Fields[i]
			t.line(quoteName(f.Name, false), f.Schema, indent+1, f.Aliases, f.Doc, f.Tag)
		}
		for i := range b.Branches {
			br := &b.Branches[i]
			t.line(quoteName(br.Name, false), br.Schema, indent+1, nil, "", br.Tag)
		}
		t.w.path = t.w.path[:len(t.w.path)-1]
	}
	t.below = outer
}

// head writes the type of s without the members of structs and unions.
func (t *texter) head(s *Schema) {
	switch {
	case s == nil:
		t.w.WriteByte('?')
		return
	case t.w.reference(s):
	case t.w.within(s):
		t.w.WriteString("...")
		return
	case !s.Type.IsComplex():
		t.w.definition(s)
	default:
		t.w.WriteString(s.Type.String())
		if s.Name != "" {
			t.w.WriteString(" " + quoteName(s.Name, true))
		}
		t.w.path = append(t.w.path, s)
		switch s.Type {
		case Array:
			t.w.WriteByte('<')
			t.head(s.Elem)
			t.w.WriteByte('>')
		case Map:
			t.w.WriteByte('<')
			t.head(s.Key)
			t.w.WriteString(", ")
			t.head(s.Elem)
			t.w.WriteByte('>')
		default:
			t.below = append(t.below, s)
		}
		t.w.path = t.w.path[:len(t.w.path)-1]
	}
	if s.Optional {
		t.w.WriteByte('?')
	}
	if len(s.Default) > 0 {
		t.w.WriteString(" = ")
		t.w.Write(s.Default)
	}
}

// remark writes what stands behind a #.
func (t *texter) remark(s *Schema, was []string, doc string, tag int) {
	var list []string
	if tag != 0 {
		list = append(list, "number "+strconv.Itoa(tag))
	}
	if s != nil && s.Version != 0 {
		list = append(list, "version "+strconv.Itoa(s.Version))
	}
	if len(was) > 0 {
		list = append(list, "was "+strings.Join(was, ", "))
	}
	if s != nil && len(s.Aliases) > 0 {
		list = append(list, "type was "+strings.Join(s.Aliases, ", "))
	}
	for _, d := range []string{doc, docOf(s)} {
		if d != "" {
			list = append(list, strings.Join(strings.Fields(d), " "))
		}
	}
	if len(list) > 0 {
		t.w.WriteString("  # " + strings.Join(list, "; "))
	}
}

func docOf(s *Schema) string {
	if s == nil {
		return ""
	}
	return s.Doc
}
