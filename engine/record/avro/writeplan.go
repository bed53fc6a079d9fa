package avro

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

type wpair struct {
	to   *Schema
	from *schema.Schema
}

// wnode writes values of one Avro type from text of one flow type.
type wnode struct {
	*node
	from *schema.Schema // nil: not known
	name string         // of the type, for errors

	elem, key *wnode
	fields    []wfield
	branches  []*wnode
	// tags are the names of the members by which the text tells branches of a
	// union; which is the branch for each. Without a schema the tags are Avro's.
	tags  []string
	which []int
	// typed: the text of a union always has such a member.
	typed   bool
	symbols map[string]int64
	unknown int64 // the symbol that stands for unknown ones; -1: none
}

type wfield struct {
	name string
	// quoted is "name": as canonical text has it.
	quoted string
	node   *wnode
	// missing is what is written for a member that is not there; nil: an error.
	missing []byte
}

type wcompiler struct {
	done    map[wpair]*wnode
	program compiler
	path    []string
	lenient bool
	err     error
}

func (c *wcompiler) refuse(format string, args ...any) {
	if c.err != nil {
		return
	}
	path := "the value"
	for i, p := range c.path {
		if i == 0 {
			path = p
		} else {
			path += "." + p
		}
	}
	c.err = fmt.Errorf("%s: %s", path, fmt.Sprintf(format, args...))
}

func (c *wcompiler) node(to *Schema, from *schema.Schema) *wnode {
	if from != nil && from.Type == schema.Any {
		from = nil
	}
	k := wpair{to, from}
	if n := c.done[k]; n != nil {
		return n
	}
	n := &wnode{node: c.program.node(to), from: from, name: typeName(to)}
	c.done[k] = n
	switch n.op {
	case opOptional:
		n.elem = c.node(n.node.elem.schema, from)
	case opUnion:
		c.union(n, to, from)
	case opRecord:
		c.record(n, to, from)
	case opArray:
		n.elem = c.node(to.Elem, elemOf(from, schema.Array))
	case opMap:
		n.elem = c.node(to.Elem, elemOf(from, schema.Map))
	case opEntries:
		var key *schema.Schema
		if from != nil && from.Type == schema.Map {
			key = from.Key
		}
		n.key, n.elem = c.node(to.Elem.Fields[0].Type, key), c.node(to.Elem.Fields[1].Type, elemOf(from, schema.Map))
	case opEnum:
		n.symbols = make(map[string]int64, len(to.Symbols))
		n.unknown = -1
		for i, s := range to.Symbols {
			n.symbols[s] = int64(i)
			if to.HasDefault && s == to.Default {
				n.unknown = int64(i)
			}
		}
	}
	c.check(n)
	return n
}

// typeName names a type for people.
func typeName(s *Schema) string {
	switch {
	case s.Logical != None:
		return s.Logical.String()
	case s.named():
		return s.Kind.String() + " " + s.Name
	case s.Kind == Union:
		text := ""
		for i, b := range s.Branches {
			if i > 0 {
				text += ", "
			}
			text += b.branchName()
		}
		return "union of " + text
	}
	return s.Kind.String()
}

func elemOf(s *schema.Schema, t schema.Type) *schema.Schema {
	if s == nil || s.Type != t {
		return nil
	}
	return s.Elem
}

func (c *wcompiler) record(n *wnode, to *Schema, from *schema.Schema) {
	if from != nil && from.Type != schema.Struct && from.Type != schema.Map {
		return // check says what is wrong
	}
	for i := range to.Fields {
		f, name := &to.Fields[i], n.node.fields[i].name
		c.path = append(c.path, name)
		w := wfield{name: name, quoted: string(n.node.fields[i].text[1:])}
		var inner *schema.Schema
		var own *schema.Field
		if from != nil && from.Type == schema.Struct {
			own = from.Field(name)
		}
		if own != nil {
			inner = own.Schema
		}
		w.node = c.node(f.Type, inner)
		w.missing = c.missing(f, w.node, own)
		if from != nil && from.Type == schema.Struct && own == nil && w.missing == nil {
			c.refuse("%s asks for this field, which records of this schema do not have, and it has no default", n.name)
		}
		n.fields = append(n.fields, w)
		c.path = c.path[:len(c.path)-1]
	}
	if from == nil || from.Type != schema.Struct || c.lenient {
		return
	}
	for i := range from.Fields {
		name := from.Fields[i].Name
		if !slices.ContainsFunc(n.node.fields, func(f fieldNode) bool { return f.name == name }) {
			c.path = append(c.path, name)
			c.refuse("%s has no such field (lenient = true leaves it out)", n.name)
			c.path = c.path[:len(c.path)-1]
		}
	}
}

func (s *Schema) hasField(name string) bool {
	for i := range s.Fields {
		if s.Fields[i].Name == name {
			return true
		}
	}
	return false
}

// missing returns the binary form that stands for a member that is not there:
// its default where the records come from, the target's, or null.
func (c *wcompiler) missing(f *Field, n *wnode, own *schema.Field) []byte {
	if own != nil && own.Schema.Default != nil {
		e := wstate{b: own.Schema.Default, lenient: c.lenient}
		if record.ValidateJSON(e.b) == nil {
			if out, i := e.value([]byte{}, n, skipSpace(e.b, 0)); i >= 0 {
				return out
			}
		}
	}
	if f.Default != nil {
		if out, err := appendDefault([]byte{}, f.Type, f.Default); err == nil {
			return out
		}
	}
	switch n.op {
	case opNull:
		return []byte{}
	case opOptional, opUnion:
		if n.null >= 0 {
			return binary.AppendVarint([]byte{}, int64(n.null))
		}
	}
	return nil
}

func (c *wcompiler) union(n *wnode, to *Schema, from *schema.Schema) {
	typed := from != nil && from.Type == schema.Union
	tags := to.tags()
	var matches []int
	inner := make([]*schema.Schema, len(to.Branches))
	if typed {
		matches = matchBranches(to, from)
	}
	for i := range inner {
		if k := slices.Index(matches, i); k >= 0 {
			inner[i] = from.Branches[k].Schema
		} else if !typed {
			inner[i] = from
		}
	}
	for i, b := range to.Branches {
		saved := c.err
		n.branches = append(n.branches, c.node(b, inner[i]))
		if !typed || inner[i] == nil {
			c.err = saved // one branch that cannot fit is no mistake
		}
		if !typed && b.Kind != Null {
			n.tags, n.which = append(n.tags, tags[i]), append(n.which, i)
		}
	}
	if !typed {
		return
	}
	n.typed = true
	for k, i := range matches {
		name := from.Branches[k].Name
		switch {
		case i < 0:
			c.refuse("%s has no branch for %s", n.name, name)
			continue
		case tags[i] != name && !c.lenient:
			c.refuse("the branch %s is %s in Avro, which names the branches of a union by their types (lenient = true writes it so)", name, tags[i])
		}
		n.tags, n.which = append(n.tags, name), append(n.which, i)
	}
}

// matchBranches finds the branch of an Avro union for each of flow's, -1 where
// there is none: by name, by the type that FromSchema makes of it, and last by
// what fits. None is taken twice, but for what fits nothing else.
func matchBranches(to *Schema, from *schema.Schema) []int {
	made := make([]string, len(from.Branches))
	out := make([]int, len(from.Branches))
	for k := range from.Branches {
		out[k] = -1
		if s, err := FromSchema(from.Branches[k].Schema, FromOptions{Untyped: true}); err == nil {
			made[k] = s.branchName()
		}
	}
	tags, taken := to.tags(), make([]bool, len(to.Branches))
	fit := func(i, k int) bool {
		return to.Branches[i].Kind != Null && fits(to.Branches[i], from.Branches[k].Schema, false) == ""
	}
	for _, matches := range []func(i, k int) bool{
		func(i, k int) bool { return !taken[i] && fit(i, k) && tags[i] == from.Branches[k].Name },
		func(i, k int) bool { return !taken[i] && fit(i, k) && to.Branches[i].branchName() == made[k] },
		func(i, k int) bool { return !taken[i] && fit(i, k) },
		fit,
	} {
		for k := range out {
			for i := 0; i < len(taken) && out[k] < 0; i++ {
				if matches(i, k) {
					out[k], taken[i] = i, true
				}
			}
		}
	}
	return out
}

// check refuses what can never fit.
func (c *wcompiler) check(n *wnode) {
	if n.from == nil || n.op == opOptional || n.typed {
		return
	}
	if n.op != opUnion {
		if why := fits(n.schema, n.from, c.lenient); why != "" {
			c.refuse("%s", why)
		}
		return
	}
	for _, b := range n.branches {
		if b.op != opNull && fits(b.schema, n.from, c.lenient) == "" {
			return
		}
	}
	c.refuse("records have %s, and the %s has no branch for it", n.from.Type, n.name)
}

// fits says why values of from can never be written as s; empty if they may.
func fits(s *Schema, from *schema.Schema, lenient bool) string {
	t := from.Type
	no := func() string {
		return fmt.Sprintf("records have %s and the Avro schema has %s", t, typeName(s))
	}
	ok := func(types ...schema.Type) string {
		for _, x := range types {
			if t == x {
				return ""
			}
		}
		return no()
	}
	number := t.IsNumber()
	switch {
	case t == schema.Any:
		return ""
	case s.Logical == Decimal:
		if number {
			return ""
		}
		return ok(schema.String)
	case s.Logical == UUID:
		return ok(schema.UUID, schema.String, schema.Bytes)
	case s.Logical == Date:
		return ok(schema.Date, schema.Int32, schema.String)
	case s.Logical == TimeMillis || s.Logical == TimeMicros:
		return ok(schema.Time, schema.Int32, schema.Int64, schema.String)
	case s.Logical >= TimestampMillis && s.Logical <= TimestampNanos:
		return ok(schema.Timestamp, schema.Int64, schema.String)
	case s.Logical >= LocalTimestampMillis && s.Logical <= LocalTimestampNanos:
		return ok(schema.LocalTimestamp, schema.Int64, schema.String)
	case s.Logical == Duration:
		return ok(schema.Struct, schema.Bytes)
	}
	switch s.Kind {
	case Null:
		return no()
	case Boolean:
		return ok(schema.Bool)
	case Int, Long:
		switch viewOf(s) {
		case viewTimeNano:
			return ok(schema.Time, schema.Int64)
		case viewDuration:
			return ok(schema.Duration, schema.Int64)
		}
		if number {
			return ""
		}
		return no()
	case Float, Double:
		if number {
			return ""
		}
		return no()
	case Bytes, Fixed:
		return ok(schema.Bytes, schema.String, schema.UUID)
	case String:
		if viewOf(s) == viewJSON || lenient || t != schema.Struct && t != schema.Map && t != schema.Array && t != schema.Union && t != schema.Bool && !number {
			return ""
		}
		return no()
	case Enum:
		return ok(schema.Enum, schema.String)
	case Record:
		return ok(schema.Struct, schema.Map)
	case Array:
		if viewOf(s) == viewEntries {
			return ok(schema.Map)
		}
		return ok(schema.Array)
	case Map:
		return ok(schema.Map, schema.Struct)
	}
	return ""
}
