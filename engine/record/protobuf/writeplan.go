package protobuf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/internal/scan"
	"github.com/flowrecords/flow/engine/schema"
)

type wpair struct {
	to    *node
	from  *schema.Schema
	typed bool
}

// wnode writes values of one type from text of one flow type.
type wnode struct {
	*node
	from *schema.Schema // nil: not known
	// typed: from was known, be it to be any.
	typed bool

	members []wmember
	// lookups finds a member by every name that text may have for it: its number,
	// or below zero which field of which oneof it is.
	lookups map[string]int
	// list and entries of a repeated field.
	elem *wnode
}

// wmember writes one member of the text: a field, or the branches of a union.
type wmember struct {
	*memberNode
	// quoted is "name": as canonical text has it.
	quoted string
	nodes  []*wnode // of fields
	tags   []string // by which text tells the branches
	// branch: the member is itself a field of a oneof, as Protobuf's JSON has
	// it. It is the number of the union's member.
	branch int
	// missing is what is written for a member that is not there; it may be of
	// no bytes.
	missing []byte
	must    bool // it is an error instead
}

type wcompiler struct {
	done    map[wpair]*wnode
	path    []string
	lenient bool
	err     error
}

func (c *wcompiler) refuse(format string, args ...any) {
	if c.err != nil {
		return
	}
	c.err = fmt.Errorf("%s: %s", firstOf(strings.Join(c.path, "."), "the value"), fmt.Sprintf(format, args...))
}

func (c *wcompiler) node(to *node, from *schema.Schema) *wnode {
	typed := from != nil
	if typed && from.Type == schema.Any {
		from = nil
	}
	k := wpair{to, from, typed}
	if n := c.done[k]; n != nil {
		return n
	}
	n := &wnode{node: to, from: from, typed: typed}
	c.done[k] = n
	if why := fits(to, from, c.lenient); why != "" {
		c.refuse("%s", why)
		return n
	}
	switch to.op {
	case opMessage:
		c.message(n)
	case opWrapped:
		c.member(n, &to.members[0], from)
	case opList:
		n.elem = c.node(to.elem, partOf(from, schema.Array))
	case opMap, opEntries:
		var key *schema.Schema
		if from != nil && from.Type == schema.Map {
			key = from.Key
		}
		if from != nil && from.Type == schema.Struct {
			from = nil // its fields are of several types
		}
		entry := to.field.value
		c.member(n, &entry.members[0], key)
		c.member(n, &entry.members[1], partOf(from, schema.Map))
	case opDate, opTime, opDecimal:
		if from == nil {
			c.message(n) // in Protobuf's JSON it is an object
		}
	}
	return n
}

func partOf(s *schema.Schema, t schema.Type) *schema.Schema {
	if s == nil || s.Type != t {
		return nil
	}
	return s.Elem
}

// message compiles the members of a message, and with them what Protobuf's own
// JSON calls them.
func (c *wcompiler) message(n *wnode) {
	from := n.from
	n.lookups = map[string]int{}
	for i := range n.node.members {
		t := &n.node.members[i]
		c.path = append(c.path, t.name)
		var own *schema.Field
		if from != nil && from.Type == schema.Struct {
			own = from.Field(t.name)
		}
		switch {
		case own != nil:
			c.member(n, t, own.Schema)
			c.missing(&n.members[i], own)
		case t.union && from != nil && from.Type == schema.Struct && c.flat(n, t, i):
		default:
			c.member(n, t, partOf(from, schema.Map))
			c.missing(&n.members[i], nil)
			if from != nil && from.Type == schema.Struct && n.members[i].must {
				c.refuse("%s asks for this field, which records of this schema do not have", n.name)
			}
		}
		n.lookups[t.name] = i
		c.path = c.path[:len(c.path)-1]
	}
	if from == nil {
		c.jsonNames(n)
	}
	if from == nil || from.Type != schema.Struct || c.lenient {
		return
	}
	for i := range from.Fields {
		if _, there := n.lookups[from.Fields[i].Name]; !there {
			c.path = append(c.path, from.Fields[i].Name)
			c.refuse("%s has no such field (lenient = true leaves it out)", n.name)
			c.path = c.path[:len(c.path)-1]
		}
	}
}

// member adds a member that is written from text of a type.
func (c *wcompiler) member(n *wnode, t *memberNode, from *schema.Schema) {
	m := wmember{memberNode: t, branch: -1, quoted: string(t.text[1:])}
	typed := t.union && from != nil && from.Type == schema.Union
	if t.union && from != nil && !typed && from.Type != schema.Any && from.Type != schema.Struct {
		c.refuse("records have %s and the message has the oneof %s", from.Type, t.name)
	}
	for _, f := range t.fields {
		var inner *schema.Schema
		switch {
		case typed:
			name := fieldName(f.field)
			if k := branchFor(from, t, f); k >= 0 {
				inner, name = from.Branches[k].Schema, from.Branches[k].Name
			}
			m.tags = append(m.tags, name)
		case t.union:
			m.tags = append(m.tags, fieldName(f.field))
			if from != nil && from.Type == schema.Struct {
				if own := from.Field(fieldName(f.field)); own != nil {
					inner = own.Schema
				}
			}
		default:
			inner = from
		}
		m.nodes = append(m.nodes, c.node(f.node, inner))
	}
	if typed {
		for k := range from.Branches {
			if !slices.Contains(m.tags, from.Branches[k].Name) {
				c.refuse("the oneof %s has no field for the branch %s", t.name, from.Branches[k].Name)
			}
		}
	}
	n.members = append(n.members, m)
}

// branchFor finds the branch of a union that a field of a oneof takes: by name,
// then by type if no other one has it.
func branchFor(from *schema.Schema, t *memberNode, f *fieldNode) int {
	if k := from.BranchIndex(fieldName(f.field)); k >= 0 {
		return k
	}
	for k := range from.Branches {
		b := &from.Branches[k]
		named := slices.ContainsFunc(t.fields, func(o *fieldNode) bool { return fieldName(o.field) == b.Name })
		if named {
			continue
		}
		for _, o := range t.fields {
			if from.BranchIndex(fieldName(o.field)) < 0 && fits(o.node, b.Schema, false) == "" {
				if o == f {
					return k
				}
				break
			}
		}
	}
	return -1
}

// flat lets fields of a struct be those of a oneof where the struct has them
// side by side.
func (c *wcompiler) flat(n *wnode, t *memberNode, at int) bool {
	any := false
	for _, f := range t.fields {
		any = any || n.from.Field(fieldName(f.field)) != nil
	}
	if !any {
		return false
	}
	c.member(n, t, nil)
	for k, f := range t.fields {
		if own := n.from.Field(fieldName(f.field)); own != nil {
			n.members[at].nodes[k] = c.node(f.node, own.Schema)
			n.lookups[own.Name] = ofOneof(at, k)
		}
	}
	return true
}

// ofOneof is how lookups tells a field of a oneof.
func ofOneof(member, field int) int { return -1 - (member<<32 | field) }

// jsonNames adds the names of Protobuf's JSON: lowerCamelCase, and the fields of
// oneofs as members of the message.
func (c *wcompiler) jsonNames(n *wnode) {
	add := func(name string, v int) {
		if _, there := n.lookups[name]; !there {
			n.lookups[name] = v
		}
	}
	for i := range n.node.members {
		t := &n.node.members[i]
		for k, f := range t.fields {
			v := i
			if t.union {
				v = ofOneof(i, k)
			}
			add(f.name, v)
			add(f.field.JSONName, v)
			if f.wire == wireStart { // a group has the name of its type
				add(short(f.value.message.Name), v)
			}
		}
	}
}

// missing finds what stands for a member that is not there: the default where
// the records come from, else nothing.
func (c *wcompiler) missing(m *wmember, own *schema.Field) {
	m.missing = []byte{}
	if own != nil && own.Schema.Default != nil && string(own.Schema.Default) != "null" && !m.union {
		e := wstate{b: own.Schema.Default, lenient: c.lenient}
		if record.ValidateJSON(e.b) == nil {
			if out, i := e.member([]byte{}, m, scan.Space(e.b, 0)); i >= 0 {
				m.missing = out
				return
			}
		}
	}
	m.must = m.memberNode.must
}
