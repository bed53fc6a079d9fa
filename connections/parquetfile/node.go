package parquetfile

import (
	"reflect"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/compress"
	"github.com/parquet-go/parquet-go/encoding"

	"github.com/flowrecords/flow/engine/schema"
)

// parquetSchema returns the schema as the library writes it.
func (s *Schema) parquetSchema() *parquet.Schema {
	name := s.flow.Name
	if name == "" {
		name = "schema"
	}
	return parquet.NewSchema(name, s.root.group())
}

// groupNode is a group that keeps its fields in order, which the library's own
// does not. It has no Go type: nothing here goes through Go values.
type groupNode struct {
	parquet.Node // of an empty group
	fields       []parquet.Field
}

func (g *groupNode) Fields() []parquet.Field { return g.fields }

func (*groupNode) GoType() reflect.Type        { return reflect.TypeFor[struct{}]() }
func (*groupNode) Encoding() encoding.Encoding { return nil }
func (*groupNode) Compression() compress.Codec { return nil }
func (g *groupNode) String() string            { return "group" }

// field is a member of a groupNode.
type field struct {
	parquet.Node
	name string
}

func (f *field) Name() string                         { return f.name }
func (*field) Value(base reflect.Value) reflect.Value { return base }

func newGroup(fields ...parquet.Field) *groupNode {
	return &groupNode{Node: parquet.Group{}, fields: fields}
}

// annotated is a group with a logical type.
type annotated struct {
	*groupNode
	typ parquet.Type
}

func (a *annotated) Type() parquet.Type { return a.typ }

func (n *node) group() *groupNode {
	g := newGroup()
	for _, k := range n.kids {
		g.fields = append(g.fields, &field{Node: k.parquet(), name: k.name})
	}
	return g
}

// parquet returns the node of n with its wrappers.
func (n *node) parquet() parquet.Node {
	var p parquet.Node
	switch n.kind {
	case group:
		p = n.group()
	case list:
		inner := newGroup(&field{Node: n.kids[0].parquet(), name: "element"})
		outer := newGroup(&field{Node: parquet.Repeated(inner), name: "list"})
		p = &annotated{outer, parquet.List(parquet.String()).Type()}
	case pairs:
		inner := newGroup(&field{Node: n.kids[0].parquet(), name: "key"}, &field{Node: n.kids[1].parquet(), name: "value"})
		outer := newGroup(&field{Node: parquet.Repeated(inner), name: "key_value"})
		p = &annotated{outer, parquet.Map(parquet.String(), parquet.String()).Type()}
	default:
		p = n.column()
		if n.phys == parquet.ByteArray {
			p = parquet.Encoded(p, &parquet.RLEDictionary)
		}
	}
	if n.optional {
		p = parquet.Optional(p)
	}
	if n.id != 0 {
		p = parquet.FieldID(p, n.id)
	}
	return p
}

// column returns the node of a leaf.
func (n *node) column() parquet.Node {
	switch n.op {
	case opBool:
		return parquet.Leaf(parquet.BooleanType)
	case opInt32:
		switch n.s.Type {
		case schema.Int8:
			return parquet.Int(8)
		case schema.Int16:
			return parquet.Int(16)
		}
		return parquet.Leaf(parquet.Int32Type)
	case opUint32:
		switch n.s.Type {
		case schema.Uint8:
			return parquet.Uint(8)
		case schema.Uint16:
			return parquet.Uint(16)
		}
		return parquet.Uint(32)
	case opInt64, opDuration:
		return parquet.Leaf(parquet.Int64Type)
	case opUint64:
		return parquet.Uint(64)
	case opFloat:
		return parquet.Leaf(parquet.FloatType)
	case opDouble:
		return parquet.Leaf(parquet.DoubleType)
	case opString:
		if n.s.Type == schema.Enum {
			return parquet.Enum()
		}
		return parquet.String()
	case opDecimal32, opDecimal64, opDecimalBytes:
		return parquet.Decimal(n.s.Scale, precisionOf(n.s), n.physical())
	case opDate:
		return parquet.Date()
	case opTime:
		return parquet.TimeAdjusted(unitOf(n.unit), false)
	case opTimestamp:
		return parquet.TimestampAdjusted(unitOf(n.unit), n.s.Type == schema.Timestamp)
	case opUUID:
		return parquet.UUID()
	case opJSON:
		return parquet.JSON()
	}
	return parquet.Leaf(n.physical())
}

func (n *node) physical() parquet.Type {
	switch n.phys {
	case parquet.Int32:
		return parquet.Int32Type
	case parquet.Int64:
		return parquet.Int64Type
	case parquet.FixedLenByteArray:
		return parquet.FixedLenByteArrayType(n.size)
	}
	return parquet.ByteArrayType
}

func unitOf(u schema.Unit) parquet.TimeUnit {
	switch u {
	case schema.Millisecond:
		return parquet.Millisecond
	case schema.Microsecond:
		return parquet.Microsecond
	}
	return parquet.Nanosecond
}
