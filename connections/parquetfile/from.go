package parquetfile

import (
	"errors"
	"fmt"

	"github.com/parquet-go/parquet-go"

	"github.com/flowrecords/flow/engine/schema"
)

// DefaultPrecision stands for that of decimals which say none: the most that
// other systems read.
const DefaultPrecision = 38

// Schema is how a flow schema lies in the columns of a file. It is immutable.
type Schema struct {
	flow *schema.Schema
	root *node
	// leaves are the columns in their order.
	leaves []*node
}

// Flow returns the schema of the records.
func (s *Schema) Flow() *schema.Schema { return s.flow }

// Options say how FromSchema writes what Parquet has no types for.
type Options struct {
	// JSON writes unions, recursive types and what has no type as a column of
	// JSON text. Without it they are an error.
	JSON bool
}

// FromSchema returns how records of s, a struct, are written. An error names
// everything that Parquet cannot carry, each with its path.
func FromSchema(s *schema.Schema, o Options) (*Schema, error) {
	if s.Type != schema.Struct {
		return nil, fmt.Errorf("a Parquet file holds structs, and the records are of type %s", s.Type)
	}
	b := builder{opts: o, open: map[*schema.Schema]bool{}}
	root := b.node("", s.AsRequired(), "")
	if len(b.errs) > 0 {
		return nil, errors.Join(b.errs...)
	}
	return finish(s, root)
}

// finish places the columns of a tree.
func finish(s *schema.Schema, root *node) (*Schema, error) {
	p := &Schema{flow: s, root: root}
	if n := root.place(0, 0, 0); n > maxColumns {
		return nil, fmt.Errorf("%d columns; a file may have %d", n, maxColumns)
	}
	err := p.collect(root)
	return p, err
}

const (
	maxColumns = 1 << 14
	maxLevels  = 100
)

func (s *Schema) collect(n *node) error {
	if n.def > maxLevels {
		return fmt.Errorf("%s: nested too deep", n.name)
	}
	if n.kind == leaf {
		s.leaves = append(s.leaves, n)
	}
	for _, k := range n.kids {
		if err := s.collect(k); err != nil {
			return err
		}
	}
	return nil
}

type builder struct {
	opts Options
	open map[*schema.Schema]bool // the types around the one at hand
	errs []error
	kids int
}

func (b *builder) fail(path, format string, args ...any) {
	err := fmt.Errorf(format, args...)
	if path != "" {
		err = fmt.Errorf("%s: %w", path, err)
	}
	b.errs = append(b.errs, err)
}

const jsonHint = "; json = true writes it as JSON text"

func (b *builder) node(name string, s *schema.Schema, path string) *node {
	n := &node{name: name, s: s, optional: s.Optional}
	if b.kids++; b.kids > 2*maxColumns {
		if b.kids == 2*maxColumns+1 {
			b.fail("", "more types than the %d columns that a file may have", maxColumns)
		}
		return n.leaf(opJSON, parquet.ByteArray)
	}
	if b.open[s] {
		if !b.opts.JSON {
			b.fail(path, "Parquet has no recursive types"+jsonHint)
		}
		return n.leaf(opJSON, parquet.ByteArray)
	}
	b.open[s] = true
	defer delete(b.open, s)
	switch s.Type {
	case schema.Struct:
		n.kind = group
		if len(s.Fields) == 0 {
			b.fail(path, "Parquet has no structs without fields")
		}
		for i := range s.Fields {
			f := &s.Fields[i]
			kid := b.node(f.Name, f.Schema, schema.JoinPath(path, schema.FieldStep(f.Name)))
			kid.id = f.Tag
			n.kids = append(n.kids, kid)
		}
	case schema.Array:
		n.kind = list
		n.kids = []*node{b.node("element", s.Elem, path+"[]")}
	case schema.Map:
		n.kind = pairs
		if s.Key.Optional {
			b.fail(path, "Parquet has no maps whose keys may be null")
		}
		n.kids = []*node{b.node("key", s.Key, path+"[key]"), b.node("value", s.Elem, path+"[]")}
	case schema.Any, schema.Union:
		if !b.opts.JSON {
			what := "unions"
			if s.Type == schema.Any {
				what = "values without a type"
			}
			b.fail(path, "Parquet has no %s"+jsonHint, what)
		}
		n.optional = n.optional || s.Type == schema.Any // which may be null
		n.leaf(opJSON, parquet.ByteArray)
	default:
		b.scalar(n, path)
	}
	return n
}

func (n *node) leaf(o op, k parquet.Kind) *node {
	n.kind, n.kids, n.op, n.phys = leaf, nil, o, k
	return n
}

func (n *node) fixed(o op, size int) *node {
	n.size = size
	return n.leaf(o, parquet.FixedLenByteArray)
}

func (b *builder) scalar(n *node, path string) {
	s := n.s
	switch s.Type {
	case schema.Bool:
		n.leaf(opBool, parquet.Boolean)
	case schema.Int8, schema.Int16, schema.Int32:
		n.leaf(opInt32, parquet.Int32)
	case schema.Uint8, schema.Uint16, schema.Uint32:
		n.leaf(opUint32, parquet.Int32)
	case schema.Int64:
		n.leaf(opInt64, parquet.Int64)
	case schema.Uint64:
		n.leaf(opUint64, parquet.Int64)
	case schema.Float32:
		n.leaf(opFloat, parquet.Float)
	case schema.Float64:
		n.leaf(opDouble, parquet.Double)
	case schema.String, schema.Enum:
		n.leaf(opString, parquet.ByteArray)
	case schema.Bytes:
		if s.Size > 0 {
			n.fixed(opBytes, s.Size)
		} else {
			n.leaf(opBytes, parquet.ByteArray)
		}
	case schema.UUID:
		n.fixed(opUUID, 16)
	case schema.Date:
		n.leaf(opDate, parquet.Int32)
	case schema.Time, schema.Timestamp, schema.LocalTimestamp:
		b.clock(n)
	case schema.Duration:
		n.unit = s.Unit
		n.leaf(opDuration, parquet.Int64)
	case schema.Decimal:
		b.decimal(n, path)
	default:
		b.fail(path, "Parquet has no type %s", s.Type)
	}
}

// clock chooses the column of a time. Parquet has no seconds.
func (b *builder) clock(n *node) {
	n.unit = n.s.Unit
	if n.unit == schema.Second {
		n.unit = schema.Millisecond
	}
	if n.s.Type != schema.Time {
		n.leaf(opTimestamp, parquet.Int64)
		return
	}
	n.leaf(opTime, parquet.Int64)
	if n.unit == schema.Millisecond {
		n.phys = parquet.Int32
	}
}

// decimal chooses the column of a decimal: the narrowest that holds it.
func (b *builder) decimal(n *node, path string) {
	if n.s.Scale < 0 {
		b.fail(path, "Parquet has no decimals of a negative scale")
	}
	switch p := precisionOf(n.s); {
	case p <= 9:
		n.leaf(opDecimal32, parquet.Int32)
	case p <= 18:
		n.leaf(opDecimal64, parquet.Int64)
	default:
		n.fixed(opDecimalBytes, bytesOf(p))
	}
}

func precisionOf(s *schema.Schema) int {
	p := s.Precision
	if p == 0 {
		p = DefaultPrecision
	}
	return max(p, s.Scale, 1)
}

// bytesOf is how many bytes hold a number of so many digits and its sign.
func bytesOf(precision int) int {
	// log2(10) is 3.3219280949.
	bits := (precision*33219280949+9999999999)/10000000000 + 1
	return (bits + 7) / 8
}
