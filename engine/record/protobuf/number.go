package protobuf

import "github.com/flowrecords/flow/engine/schema"

// numbering gives out the numbers of a message's fields.
type numbering struct {
	used map[int]bool
	next int
	base *Message
}

// The numbers that Protobuf keeps for itself.
const (
	firstInternal = 19_000
	lastInternal  = 19_999
)

func newNumbering(base *Message) *numbering {
	return &numbering{used: map[int]bool{}, next: 1, base: base}
}

// numbers prepares those of a message: the ones that its fields bring along,
// and those that the message it came from had, are not free.
func (f *fromConverter) numbers(m *Message, s *schema.Schema) *numbering {
	n := newNumbering(baseOf(f.o.Base, s.Name))
	after := func(tag int) {
		if tag >= n.next && tag < maxNumber {
			n.next = tag + 1
		}
	}
	for i := range s.Fields {
		after(s.Fields[i].Tag)
		if s.Fields[i].Schema.Type == schema.Union {
			for _, b := range s.Fields[i].Schema.Branches {
				after(b.Tag)
			}
		}
	}
	if n.base != nil {
		for _, x := range n.base.Fields {
			after(x.Number)
		}
		for _, r := range n.base.Reserved {
			after(r.Last)
		}
		m.Reserved, m.ReservedNames = n.base.Reserved, nil
	}
	return n
}

// baseOf finds the message of a name among those that base uses.
func baseOf(base *Message, name string) *Message {
	seen := map[*Message]bool{}
	var find func(m *Message) *Message
	find = func(m *Message) *Message {
		if m == nil || seen[m] {
			return nil
		}
		if seen[m] = true; m.Name == name {
			return m
		}
		for _, f := range m.Fields {
			if found := find(f.Message); found != nil {
				return found
			}
		}
		return nil
	}
	return find(base)
}

// of returns the number of a field: its own unless somebody has it, or it was
// that of a field of another type.
func (n *numbering) of(tag int, name string, s *schema.Schema) int {
	if tag > 0 && tag <= maxNumber && !n.used[tag] && (tag < firstInternal || tag > lastInternal) && !n.retyped(tag, s) {
		n.used[tag] = true
		return tag
	}
	if n.base != nil && tag == 0 {
		// The field may have lost its number on the way, and be still there.
		for _, x := range n.base.Fields {
			if fieldName(x) == name && !n.used[x.Number] && !n.retyped(x.Number, s) {
				n.used[x.Number] = true
				return x.Number
			}
		}
	}
	for n.used[n.next] || n.next >= firstInternal && n.next <= lastInternal {
		n.next++
	}
	tag = n.next
	n.used[tag] = true
	return tag
}

// retyped reports whether the base has a field of that number whose data is
// something else: who reads with the older message would misread it.
func (n *numbering) retyped(tag int, s *schema.Schema) bool {
	if n.base == nil {
		return false
	}
	for _, x := range n.base.Fields {
		if x.Number != tag {
			continue
		}
		c := toConverter{done: map[*Message]*schema.Schema{}, enums: map[*Enum]*schema.Schema{}}
		var was *schema.Schema
		var err error
		if x.Oneof != nil && !x.Oneof.synthetic() {
			was, err = c.value(x)
		} else {
			was, err = c.field(x)
		}
		return err != nil || was.Type != s.Type || was.Type == schema.Array && was.Elem.Type != s.Elem.Type ||
			was.Parameters[paramKind] != s.Parameters[paramKind] || was.Optional != s.Optional && (was.Type == schema.Array || was.Type == schema.Map)
	}
	return false
}
