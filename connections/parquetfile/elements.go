package parquetfile

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"github.com/parquet-go/parquet-go/format"

	"github.com/flowrecords/flow/engine/schema"
)

// fromElements makes the tree of a file's schema, which stands in its footer as
// a list of types, each before those within it.
func fromElements(list []format.SchemaElement) (*Schema, error) {
	if len(list) == 0 {
		return nil, errors.New("the file has no schema")
	}
	r := elements{list: list}
	root, err := r.node(0)
	if err == nil && len(r.list) > 0 {
		err = errors.New("the schema of the file is damaged: types behind its end")
	}
	if err != nil {
		return nil, err
	}
	root.name, root.id, root.optional, root.s = "", 0, false, root.s.AsRequired()
	if root.kind != group {
		return nil, errors.New("the schema of the file is damaged: no struct")
	}
	if err := root.s.Validate(); err != nil {
		return nil, fmt.Errorf("the schema of the file: %w", err)
	}
	return finish(root.s, root)
}

type elements struct{ list []format.SchemaElement }

// raw is an element with those within it.
type raw struct {
	*format.SchemaElement
	kids []*raw
}

func (r *elements) tree(depth int) (*raw, error) {
	if len(r.list) == 0 {
		return nil, errors.New("the schema of the file is damaged: it is cut short")
	}
	if depth > maxLevels {
		return nil, errors.New("the schema of the file is nested too deep")
	}
	e := &raw{SchemaElement: &r.list[0]}
	r.list = r.list[1:]
	if e.NumChildren.V < 0 || int(e.NumChildren.V) > len(r.list) {
		return nil, errors.New("the schema of the file is damaged: it is cut short")
	}
	for range e.NumChildren.V {
		k, err := r.tree(depth + 1)
		if err != nil {
			return nil, err
		}
		e.kids = append(e.kids, k)
	}
	return e, nil
}

func (r *elements) node(depth int) (*node, error) {
	root, err := r.tree(depth)
	if err != nil {
		return nil, err
	}
	return root.node()
}

func (e *raw) repeated() bool {
	return e.RepetitionType.Valid && e.RepetitionType.V == format.Repeated
}

func (e *raw) converted(c deprecated.ConvertedType) bool {
	return e.ConvertedType.Valid && e.ConvertedType.V == c
}

func (e *raw) isList() bool {
	_, ok := e.LogicalType.Value.(*format.ListType)
	return (ok || e.converted(deprecated.List)) && len(e.kids) == 1 && e.kids[0].repeated()
}

func (e *raw) isMap() bool {
	_, ok := e.LogicalType.Value.(*format.MapType)
	return (ok || e.converted(deprecated.Map) || e.converted(deprecated.MapKeyValue)) &&
		len(e.kids) == 1 && e.kids[0].repeated() && len(e.kids[0].kids) == 2
}

// node returns what an element is. One that is repeated without a list around
// it is one of its own: so did old writers.
func (e *raw) node() (*node, error) {
	if !e.repeated() {
		return e.single()
	}
	kid, err := e.single()
	if err != nil {
		return nil, err
	}
	name := kid.name
	kid.name = "element"
	return &node{name: name, id: kid.id, kind: list, s: schema.NewArray(kid.s), kids: []*node{kid}}, nil
}

// single is node without regard to the repetition.
func (e *raw) single() (n *node, err error) {
	n = &node{name: e.Name, id: int(e.FieldID)}
	optional := e.RepetitionType.Valid && e.RepetitionType.V == format.Optional
	switch {
	case !e.Type.Valid && e.isMap():
		err = e.pairs(n)
	case !e.Type.Valid && e.isList():
		err = e.elements(n)
	case e.Type.Valid && len(e.kids) > 0:
		err = fmt.Errorf("%s: a column with types within it", e.Name)
	case !e.Type.Valid:
		err = e.group(n)
	default:
		err = e.column(n)
	}
	if err != nil {
		return nil, err
	}
	if optional {
		n.optional, n.s = true, n.s.AsOptional()
	}
	return n, nil
}

func (e *raw) group(n *node) error {
	n.kind, n.s = group, &schema.Schema{Type: schema.Struct}
	if len(e.kids) == 0 {
		return fmt.Errorf("%s: a group without columns", e.Name)
	}
	for _, k := range e.kids {
		kid, err := k.node()
		if err != nil {
			return within(e.Name, err)
		}
		n.kids = append(n.kids, kid)
		n.s.Fields = append(n.s.Fields, schema.Field{Name: kid.name, Schema: kid.s, Tag: kid.id})
	}
	return nil
}

func within(name string, err error) error { return fmt.Errorf("%s: %w", name, err) }

// elements makes a list by the rules of the specification: what is repeated is
// the element itself unless it is a group of one that is not called array or
// NAME_tuple.
func (e *raw) elements(n *node) error {
	inner := e.kids[0]
	it := inner.single
	if !inner.Type.Valid && len(inner.kids) == 1 && inner.Name != "array" && inner.Name != e.Name+"_tuple" &&
		!inner.isList() && !inner.isMap() && !inner.kids[0].repeated() {
		it = inner.kids[0].single
	}
	kid, err := it()
	if err != nil {
		return within(e.Name, err)
	}
	kid.name = "element"
	n.kind, n.kids, n.s = list, []*node{kid}, schema.NewArray(kid.s)
	return nil
}

func (e *raw) pairs(n *node) error {
	inner := e.kids[0]
	key, err := inner.kids[0].single()
	if err != nil {
		return within(e.Name, err)
	}
	value, err := inner.kids[1].node()
	if err != nil {
		return within(e.Name, err)
	}
	// Some writers say that keys are optional; they are never null.
	key.name, value.name = "key", "value"
	n.kind, n.kids = pairs, []*node{key, value}
	n.s = schema.NewMap(key.s.AsRequired(), value.s)
	return nil
}

// column reads a leaf's annotations: the logical type, which has all of them, or
// the converted type, which is what old writers know.
func (e *raw) column(n *node) error {
	n.phys = parquet.Kind(e.Type.V)
	if n.phys < parquet.Boolean || n.phys > parquet.FixedLenByteArray {
		return fmt.Errorf("%s: there is no physical type %d", e.Name, e.Type.V)
	}
	if n.phys == parquet.FixedLenByteArray {
		n.size = int(e.TypeLength.V)
		if n.size <= 0 || n.size > maxFixed {
			return fmt.Errorf("%s: values of %d bytes", e.Name, n.size)
		}
	}
	if !e.logical(n) {
		e.plain(n)
	}
	return nil
}

// maxFixed bounds values of a fixed size.
const maxFixed = 1 << 20

// plain is a column without an annotation, or with one that does not go with
// its values.
func (e *raw) plain(n *node) {
	switch n.phys {
	case parquet.Boolean:
		n.set(opBool, schema.Bool)
	case parquet.Int32:
		n.set(opInt32, schema.Int32)
	case parquet.Int64:
		n.set(opInt64, schema.Int64)
	case parquet.Int96:
		n.set(opInt96, schema.Timestamp)
	case parquet.Float:
		n.set(opFloat, schema.Float32)
	case parquet.Double:
		n.set(opDouble, schema.Float64)
	default:
		n.set(opBytes, schema.Bytes)
		n.s.Size = n.size
	}
}

func (n *node) set(o op, t schema.Type) bool {
	n.op, n.s = o, schema.New(t)
	return true
}

// logical sets what an annotation says and reports whether there is one.
func (e *raw) logical(n *node) bool {
	text := n.phys == parquet.ByteArray
	switch t := e.LogicalType.Value.(type) {
	case *format.StringType:
		return text && n.set(opString, schema.String)
	case *format.EnumType: // without its symbols, which the file does not name
		return text && n.set(opString, schema.String)
	case *format.JsonType:
		return text && n.setJSON()
	case *format.BsonType:
		return text && n.set(opBytes, schema.Bytes)
	case *format.UUIDType:
		return n.size == 16 && n.set(opUUID, schema.UUID)
	case *format.Float16Type:
		return n.size == 2 && n.set(opFloat16, schema.Float32)
	case *format.DateType:
		return n.phys == parquet.Int32 && n.set(opDate, schema.Date)
	case *format.DecimalType:
		return n.setDecimal(int(t.Precision), int(t.Scale))
	case *format.TimeType:
		return n.setClock(schema.Time, t.Unit)
	case *format.TimestampType:
		if t.IsAdjustedToUTC {
			return n.setClock(schema.Timestamp, t.Unit)
		}
		return n.setClock(schema.LocalTimestamp, t.Unit)
	case *format.IntType:
		return n.setInt(int(t.BitWidth), t.IsSigned)
	}
	return e.ConvertedType.Valid && e.old(n)
}

func (n *node) setJSON() bool {
	n.set(opJSON, schema.Any)
	return true
}

func (n *node) setClock(t schema.Type, u format.TimeUnit) bool {
	unit := schema.Nanosecond
	switch u.Value.(type) {
	case *format.MilliSeconds:
		unit = schema.Millisecond
	case *format.MicroSeconds:
		unit = schema.Microsecond
	}
	return n.setClockIn(t, unit)
}

func (n *node) setClockIn(t schema.Type, unit schema.Unit) bool {
	want, o := parquet.Int64, opTimestamp
	if t == schema.Time {
		o = opTime
		if unit == schema.Millisecond {
			want = parquet.Int32
		}
	}
	if n.phys != want {
		return false
	}
	n.set(o, t)
	n.unit, n.s.Unit = unit, unit
	return true
}

func (n *node) setInt(bits int, signed bool) bool {
	types := map[int][2]schema.Type{
		8: {schema.Uint8, schema.Int8}, 16: {schema.Uint16, schema.Int16},
		32: {schema.Uint32, schema.Int32}, 64: {schema.Uint64, schema.Int64},
	}
	t, ok := types[bits]
	if !ok || (bits == 64) != (n.phys == parquet.Int64) || bits < 64 && n.phys != parquet.Int32 {
		return false
	}
	switch {
	case signed && bits == 64:
		return n.set(opInt64, t[1])
	case signed:
		return n.set(opInt32, t[1])
	case bits == 64:
		return n.set(opUint64, t[0])
	}
	return n.set(opUint32, t[0])
}

func (n *node) setDecimal(precision, scale int) bool {
	if precision < 1 || scale < 0 || scale > precision {
		return false
	}
	switch n.phys {
	case parquet.Int32:
		n.op = opDecimal32
	case parquet.Int64:
		n.op = opDecimal64
	case parquet.ByteArray, parquet.FixedLenByteArray:
		n.op = opDecimalBytes
	default:
		return false
	}
	n.s = schema.NewDecimal(precision, scale)
	return true
}

// old reads the annotations of before logical types. Times are in UTC.
func (e *raw) old(n *node) bool {
	text := n.phys == parquet.ByteArray
	switch e.ConvertedType.V {
	case deprecated.UTF8, deprecated.Enum:
		return text && n.set(opString, schema.String)
	case deprecated.Json:
		return text && n.setJSON()
	case deprecated.Bson:
		return text && n.set(opBytes, schema.Bytes)
	case deprecated.Date:
		return n.phys == parquet.Int32 && n.set(opDate, schema.Date)
	case deprecated.Decimal:
		return n.setDecimal(int(e.Precision.V), int(e.Scale.V))
	case deprecated.TimeMillis:
		return n.setClockIn(schema.Time, schema.Millisecond)
	case deprecated.TimeMicros:
		return n.setClockIn(schema.Time, schema.Microsecond)
	case deprecated.TimestampMillis:
		return n.setClockIn(schema.Timestamp, schema.Millisecond)
	case deprecated.TimestampMicros:
		return n.setClockIn(schema.Timestamp, schema.Microsecond)
	case deprecated.Interval:
		return n.size == 12 && n.set(opInterval, schema.String)
	case deprecated.Int8:
		return n.setInt(8, true)
	case deprecated.Int16:
		return n.setInt(16, true)
	case deprecated.Int32:
		return n.setInt(32, true)
	case deprecated.Int64:
		return n.setInt(64, true)
	case deprecated.Uint8:
		return n.setInt(8, false)
	case deprecated.Uint16:
		return n.setInt(16, false)
	case deprecated.Uint32:
		return n.setInt(32, false)
	case deprecated.Uint64:
		return n.setInt(64, false)
	}
	return false
}
