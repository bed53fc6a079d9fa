package protobuf

import (
	"fmt"
	"math"
	"strconv"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// op is what a node of a program does.
type op uint8

const (
	opBool op = iota
	opInt     // all signed integers
	opUint    // all unsigned integers
	opFloat
	opDouble
	opString
	opBytes
	opEnum
	opMessage
	opList
	opMap     // keys are strings
	opEntries // other keys
	opBranch  // a union whose branch is known

	opWrapped
	opTimestamp
	opDuration
	opDate
	opTime
	opDecimal
	opValue // google.protobuf.Value
	opJSON  // string of JSON text
	opUUID
	opLocal // int64 in unit
	opSized // bytes of one length
)

// node is the part of a program that reads the values of one type. A program is
// built once for a message and shared by all goroutines.
type node struct {
	op      op
	kind    Kind   // scalars
	number  uint32 // in the encoding's list
	name    string // of the type, for errors
	message *Message

	fields  []*fieldNode // of a message
	dense   []*fieldNode // by number, as far as numbers are small
	sparse  map[int]*fieldNode
	members []memberNode
	// required: the message or one within it has fields that must be there.
	required bool

	field *fieldNode // opList, opMap, opEntries: whose occurrences
	elem  *node      // of these; opBranch
	key   *node      // opMap, opEntries
	text  []byte     // opBranch: {"name":

	utf8      bool // opString: other texts are refused
	unit      schema.Unit
	size      int
	scale     int
	low, high int64 // bounds of opInt and opUint

	symbols map[int32]int // opEnum: which of names
	names   []string
	quoted  [][]byte // names as JSON
	byName  map[string]int32
	closed  bool
}

// fieldNode is how one field is read.
type fieldNode struct {
	name  string
	num   int
	wire  int
	index int // in the message
	// list: it is repeated; packs: elements may stand side by side.
	list, packs bool
	packed      bool // elements are written so
	required    bool
	presence    bool
	// value is one occurrence, node all that is found: the same unless list.
	value, node *node
	// others are the fields of the same oneof.
	others []*fieldNode
	branch *node // opBranch, of a oneof's field
	field  *Field
}

// memberNode is a field of the struct that a message is.
type memberNode struct {
	name string
	// text goes before the value in JSON: {"name": or ,"name":
	text   []byte
	fields []*fieldNode // one, or those of a oneof
	union  bool
	// absent is what stands for the field when it is not there, as JSON text;
	// nil: that of an empty message.
	absent []byte
	value  record.Value // the same; Missing where absent is not a scalar
	must   bool         // it is an error
}

// isMessage reports whether a value is the content of a message, so that
// several occurrences are one value.
func (n *node) isMessage() bool { return n.message != nil }

func (n *node) lookup(num int) *fieldNode {
	if num < len(n.dense) {
		return n.dense[num]
	}
	return n.sparse[num]
}

type compiler struct {
	done  map[*Message]*node
	enums map[*Enum]*node
	nodes []*node
	err   error
}

func newCompiler() *compiler {
	return &compiler{done: map[*Message]*node{}, enums: map[*Enum]*node{}}
}

func (c *compiler) add(n *node) *node {
	n.number = uint32(len(c.nodes))
	c.nodes = append(c.nodes, n)
	return n
}

// root returns the node of a message that is a record.
func (c *compiler) root(m *Message) *node {
	n := c.value(&Field{Kind: MessageKind, Message: m, Label: Optional, meta: m.meta})
	c.mark()
	return n
}

func (c *compiler) fill(n *node, m *Message) *node {
	n.message, n.name = m, m.Name
	byField := map[*Field]*fieldNode{}
	for i, f := range m.Fields {
		x := &fieldNode{name: f.Name, num: f.Number, index: i, field: f, required: f.IsRequired(), presence: f.HasPresence()}
		n.fields = append(n.fields, x)
		byField[f] = x
		if f.Number < 4*len(m.Fields)+64 {
			for len(n.dense) <= f.Number {
				n.dense = append(n.dense, nil)
			}
			n.dense[f.Number] = x
			continue
		}
		if n.sparse == nil {
			n.sparse = map[int]*fieldNode{}
		}
		n.sparse[f.Number] = x
	}
	for _, x := range n.fields {
		c.field(x)
	}
	for i, x := range members(m) {
		text := []byte{','}
		if i == 0 {
			text[0] = '{'
		}
		t := memberNode{name: x.name(), text: append(record.AppendQuoted(text, []byte(x.name())), ':')}
		if x.oneof == nil {
			t.fields = []*fieldNode{byField[x.field]}
			c.absent(&t, x.field, m.MapEntry)
		} else {
			c.union(&t, x.oneof, byField)
		}
		n.members = append(n.members, t)
	}
	return n
}

func (c *compiler) union(t *memberNode, o *Oneof, byField map[*Field]*fieldNode) {
	t.union, t.absent, t.value = true, []byte("null"), record.NullValue()
	for _, f := range o.Fields {
		t.fields = append(t.fields, byField[f])
	}
	for _, f := range t.fields {
		for _, other := range t.fields {
			if other != f {
				f.others = append(f.others, other)
			}
		}
		f.branch = c.add(&node{op: opBranch, elem: f.value, text: append(record.AppendQuoted([]byte{'{'}, []byte(fieldName(f.field))), ':')})
	}
}

func (c *compiler) field(x *fieldNode) {
	f := x.field
	x.value = c.value(f)
	x.node = x.value
	switch {
	case f.IsDelimited():
		x.wire = wireStart
	default:
		x.wire = wireOf(f.Kind)
	}
	if f.Label != Repeated {
		return
	}
	x.list, x.packs, x.packed = true, f.Kind.packable(), f.IsPacked()
	x.node = c.add(&node{op: opList, field: x, elem: x.value, name: "repeated " + x.value.name})
	if f.IsMap() || viewOf(f) == viewEntry {
		x.node.op, x.node.name = opMap, "map"
		x.node.key = x.value.fields[0].value
		x.node.elem = x.value.fields[1].node
		if k := f.Message.Fields[0]; k.Kind != StringKind || viewOf(k) != viewPlain || !f.IsMap() && absent(k) != absentZero {
			x.node.op = opEntries
		}
	}
}

func wireOf(k Kind) int {
	switch k {
	case DoubleKind, Fixed64Kind, Sfixed64Kind:
		return wire64
	case FloatKind, Fixed32Kind, Sfixed32Kind:
		return wire32
	case StringKind, BytesKind, MessageKind:
		return wireBytes
	case GroupKind:
		return wireStart
	}
	return wireVarint
}

// absent says what stands for a field that is not there.
func (c *compiler) absent(t *memberNode, f *Field, entry bool) {
	x := t.fields[0]
	switch absent(f) {
	case absentError:
		t.must = true
		t.absent = []byte("null") // never seen
	case absentNull:
		if t.absent, t.value = []byte("null"), record.NullValue(); entry {
			// The values of a map are never null.
			t.absent = x.node.zero()
		}
	case absentZero:
		t.absent = x.node.zero()
	case absentDefault:
		if text := f.meta.params[paramDefault]; text != "" {
			t.absent = []byte(text)
			break
		}
		text, err := typedDefault(f)
		if err != nil && c.err == nil {
			c.err = fmt.Errorf("%s: the default %q: %w", x.name, f.Default, err)
		}
		t.absent = text
	}
}

// zero returns the JSON text of the zero of a type; nil if it is that of an
// empty message.
func (n *node) zero() []byte {
	switch n.op {
	case opBool:
		return []byte("false")
	case opInt, opUint, opFloat, opDouble:
		return []byte("0")
	case opString, opBytes:
		return []byte(`""`)
	case opSized:
		return appendBase64(nil, make([]byte, n.size))
	case opEnum:
		return n.quoted[0]
	case opList, opEntries:
		return []byte("[]")
	case opMap:
		return []byte("{}")
	case opUUID:
		return []byte(`"00000000-0000-0000-0000-000000000000"`)
	case opLocal:
		return []byte(`"1970-01-01T00:00:00"`)
	case opJSON:
		return []byte("null")
	}
	return nil
}

func (c *compiler) value(f *Field) *node {
	v := viewOf(f)
	if f.Message != nil {
		return c.messageValue(f, v)
	}
	if f.Enum != nil {
		return c.enum(f.Enum)
	}
	n := &node{kind: f.Kind, name: f.Kind.String()}
	switch f.Kind {
	case BoolKind:
		n.op = opBool
	case FloatKind:
		n.op = opFloat
	case DoubleKind:
		n.op = opDouble
	case StringKind:
		n.op, n.utf8 = opString, f.ChecksUTF8()
	case BytesKind:
		n.op = opBytes
	case Uint32Kind, Fixed32Kind:
		n.op, n.high = opUint, math.MaxUint32
	case Uint64Kind, Fixed64Kind:
		n.op = opUint
	case Int32Kind, Sint32Kind, Sfixed32Kind:
		n.op, n.low, n.high = opInt, math.MinInt32, math.MaxInt32
	default:
		n.op, n.low, n.high = opInt, math.MinInt64, math.MaxInt64
	}
	switch v {
	case viewInt8:
		n.low, n.high, n.name = math.MinInt8, math.MaxInt8, "int8"
	case viewInt16:
		n.low, n.high, n.name = math.MinInt16, math.MaxInt16, "int16"
	case viewUint8:
		n.high, n.name = math.MaxUint8, "uint8"
	case viewUint16:
		n.high, n.name = math.MaxUint16, "uint16"
	case viewUUID:
		n.op, n.name = opUUID, "uuid"
	case viewJSON:
		n.op = opJSON
	case viewLocal:
		n.op, n.unit, n.name = opLocal, unitOf(&f.meta), "local_timestamp"
	case viewSized:
		n.op, n.size = opSized, sizeOf(f)
	}
	return c.add(n)
}

func (c *compiler) messageValue(f *Field, v view) *node {
	m := f.Message
	of := &node{}
	switch v {
	case viewPlain, viewEntry:
		of.op = opMessage
	case viewWrapped, viewStruct, viewListValue:
		of.op = opWrapped
	case viewValue:
		of.op = opValue
	case viewTimestamp:
		of.op, of.unit = opTimestamp, unitOf(&f.meta)
	case viewDuration:
		of.op, of.unit = opDuration, unitOf(&f.meta)
	case viewTime:
		of.op, of.unit = opTime, unitOf(&f.meta)
	case viewDate:
		of.op = opDate
	case viewDecimal:
		of.op = opDecimal
		of.scale, _ = strconv.Atoi(f.meta.params[paramScale])
		of.size, _ = strconv.Atoi(f.meta.params[paramPrecision])
		of.scale = max(min(of.scale, limits.DecimalDigits), -limits.DecimalDigits)
	default:
		return of // no other view is one of a message
	}
	shared := of.op == opMessage || of.op == opWrapped || of.op == opValue
	if n := c.done[m]; n != nil && shared {
		return n
	}
	if shared {
		c.done[m] = of
	}
	c.fill(c.add(of), m)
	if v == viewStruct || v == viewListValue {
		// Not null but empty when it is not there.
		of.members[0].absent = of.members[0].fields[0].node.zero()
	}
	return of
}

func (c *compiler) enum(e *Enum) *node {
	if n := c.enums[e]; n != nil {
		return n
	}
	n := &node{op: opEnum, kind: EnumKind, name: "enum " + e.Name, closed: e.IsClosed(), symbols: map[int32]int{}, byName: map[string]int32{}}
	c.enums[e] = n
	for i := range e.Values {
		v := &e.Values[i]
		name := symbolOf(v)
		if _, there := n.symbols[v.Number]; !there {
			n.symbols[v.Number] = i
		}
		n.names = append(n.names, name)
		n.quoted = append(n.quoted, record.AppendQuoted(nil, []byte(name)))
		n.byName[v.Name] = v.Number
		n.byName[name] = v.Number
	}
	return c.add(n)
}

// mark finds the messages in which something is required, and gives absent
// scalars their values.
func (c *compiler) mark() {
	for changed := true; changed; {
		changed = false
		for _, n := range c.nodes {
			for _, f := range n.fields {
				if !n.required && (f.required || f.value.required) {
					n.required, changed = true, true
				}
			}
		}
	}
	for _, n := range c.nodes {
		for i := range n.members {
			t := &n.members[i]
			if t.union || t.must || t.absent == nil {
				continue
			}
			t.value = t.fields[0].node.scalarOf(t.absent)
		}
	}
}

// scalarOf reads the JSON text of an absent value; Missing if it is none of a
// scalar.
func (n *node) scalarOf(text []byte) record.Value {
	var s *schema.Schema
	switch n.op {
	case opBytes, opSized:
		s = schema.New(schema.Bytes)
	case opFloat, opDouble:
		s = schema.New(schema.Float64)
	case opLocal:
		s = schema.New(schema.LocalTimestamp)
	case opTimestamp:
		s = schema.New(schema.Timestamp)
	case opDuration:
		s = schema.New(schema.Duration)
	case opDate:
		s = schema.New(schema.Date)
	case opTime:
		s = schema.New(schema.Time)
	}
	v, err := record.RawJSON(text).As(s)
	if err != nil {
		return record.Value{}
	}
	return v
}
