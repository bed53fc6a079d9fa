package expr

import (
	"math/bits"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// kindSet is a set of kinds of values; Missing counts as Null.
type kindSet uint16

const (
	nilKind  kindSet = 1 << record.Null
	textKind kindSet = 1 << record.String
	listKind kindSet = 1 << record.Array
	numKinds kindSet = 1<<record.Int | 1<<record.Float
	allKinds kindSet = 1<<(record.Object+1) - 1<<record.Null
)

func kinds(list ...record.Kind) (s kindSet) {
	for _, k := range list {
		s |= 1 << k
	}
	return s
}

// one returns the only kind of a set.
func (s kindSet) one() (record.Kind, bool) {
	return record.Kind(bits.TrailingZeros16(uint16(s))), bits.OnesCount16(uint16(s)) == 1
}

func (s kindSet) each(yield func(record.Kind) bool) {
	for ; s != 0; s &= s - 1 {
		if !yield(record.Kind(bits.TrailingZeros16(uint16(s)))) {
			return
		}
	}
}

// typ is what is known of the values that a node may have. It holds more than
// can be rather than less: whoever looks at it must not be wrong.
type typ struct {
	// kinds are those that are possible; none: there is never a value.
	kinds kindSet
	// decl is the declared type of all values but null; nil: the kinds are all
	// that is known.
	decl *schema.Schema
	// text: a value is read from typed JSON text by its kind there and not by
	// decl, as all is that lies in an array or object that was read as a whole.
	text bool
	// path: the value is what the record holds at a path, down to its digits,
	// unless the VM had it.
	path bool
	// root: the value or key itself, which a tombstone has not, whatever decl is.
	root bool
	// elem is of the elements of an array that was made; nil: nothing is known.
	elem *typ
	// members are those of an object that was made; nil: nothing is known.
	members []member
	// lit is the value of a literal.
	lit   any
	isLit bool
}

type member struct {
	name string
	typ  typ
}

var unknown = typ{kinds: allKinds}

func ofKinds(list ...record.Kind) typ { return typ{kinds: kinds(list...)} }

func listOf(elem typ) typ { return typ{kinds: listKind, elem: &elem} }

// value returns the kinds without null.
func (t typ) value() kindSet { return t.kinds &^ nilKind }

func (t typ) maybeNil() bool { return t.kinds&nilKind != 0 }

// known reports that something is said of the values beside null.
func (t typ) known() bool { return t.value() != 0 && t.value() != allKinds&^nilKind }

func (t typ) orNil() typ {
	t.kinds |= nilKind
	t.isLit, t.lit = false, nil
	return t
}

func (t typ) withoutNil() typ {
	t.kinds &^= nilKind
	return t
}

// anyOf reports that the value may be of one of these kinds, or that there is
// nothing to say.
func (t typ) anyOf(s kindSet) bool { return t.value() == 0 || t.value()&s != 0 }

// declared is the type of what a path of the record holds.
func declared(s *schema.Schema) typ {
	t := typ{kinds: slotKinds(s), decl: s}
	if s.Optional {
		t.kinds |= nilKind
	}
	if s.Type == schema.Any {
		t.kinds = allKinds
	}
	return t
}

// inText is the type of what lies within an array or object that was read as a
// whole: typed JSON text, where fields may be left out that have a default.
func inText(s *schema.Schema) typ {
	t := declared(s)
	if s.Type == schema.Any {
		return t
	}
	if t.text = !s.Type.IsComplex(); t.text {
		t.kinds = t.kinds&nilKind | textKinds(s)
	}
	if s.Default != nil {
		t.kinds |= nilKind
	}
	return t
}

// slotKinds are the kinds of the values of a type as paths read them.
func slotKinds(s *schema.Schema) kindSet {
	switch s.Type {
	case schema.Any:
		return allKinds
	case schema.Bool:
		return kinds(record.Bool)
	case schema.Uint64:
		return numKinds
	case schema.Float32, schema.Float64, schema.Decimal:
		return kinds(record.Float)
	case schema.String, schema.UUID, schema.Enum:
		return textKind
	case schema.Bytes:
		return kinds(record.Bytes)
	case schema.Date, schema.Timestamp, schema.LocalTimestamp:
		return kinds(record.Time)
	case schema.Time, schema.Duration:
		return kinds(record.Duration)
	case schema.Array:
		return listKind
	case schema.Map:
		if s.Key.Type != schema.String {
			return listKind
		}
		return kinds(record.Object)
	case schema.Struct, schema.Union:
		return kinds(record.Object)
	default:
		return kinds(record.Int)
	}
}

// textKinds are the kinds of the values of a type in typed JSON text.
func textKinds(s *schema.Schema) kindSet {
	switch s.Type {
	case schema.Uint64, schema.Decimal:
		return numKinds
	case schema.Float32, schema.Float64:
		return numKinds | textKind // "NaN"
	case schema.Bytes, schema.Date, schema.Timestamp, schema.LocalTimestamp, schema.Time, schema.Duration:
		return textKind
	default:
		return slotKinds(s)
	}
}

// join is what is known of a value that is one or the other.
func join(a, b typ) typ {
	switch {
	case a.kinds == 0:
		return b.chosen()
	case b.kinds == 0:
		return a.chosen()
	case a.kinds == nilKind:
		return b.chosen().orNil()
	case b.kinds == nilKind:
		return a.chosen().orNil()
	}
	out := typ{kinds: a.kinds | b.kinds}
	if a.decl != nil && b.decl != nil && a.text == b.text {
		out.decl, out.text = joinSchemas(a.decl, b.decl), a.text
		out.path = out.decl != nil && a.path && b.path
	}
	if out.decl == nil && a.value() == listKind && b.value() == listKind {
		x, y := elemOf(a), elemOf(b)
		e := join(x, y)
		out.elem = &e
	}
	return out
}

// chosen is t of a value that is one of several: it is as it was, but a default
// is not its own any more.
func (t typ) chosen() typ {
	t.root, t.isLit, t.lit = false, false, nil
	if t.decl != nil {
		t.decl = bare(t.decl)
	}
	return t
}

// boxed is t of a value that went through the VM, or a function that takes boxes.
func (t typ) boxed() typ {
	t = t.chosen()
	t.path = false
	return t
}

// joinSchemas returns the type that two schemas have in common, required and
// without a default; nil: none.
func joinSchemas(a, b *schema.Schema) *schema.Schema {
	if a, b = bare(a), bare(b); schema.EqualTypes(a, b) {
		if !schema.Equal(a, b) {
			return undocumented(a)
		}
		return a
	}
	return nil
}

// undocumented is s without what its values do not depend on: it is not that of
// all of them.
func undocumented(s *schema.Schema) *schema.Schema {
	c := s.Clone()
	c.Doc, c.Aliases, c.Version, c.Parameters = "", nil, 0, nil
	return c
}

// bare is s, required and without a default.
func bare(s *schema.Schema) *schema.Schema {
	if !s.Optional && s.Default == nil {
		return s
	}
	c := s.Clone()
	c.Optional, c.Default = false, nil
	return c
}

// elemOf is what is known of the elements of a list.
func elemOf(t typ) typ {
	if t.value()&^(listKind|kinds(record.Bytes)) != 0 || t.value() == 0 {
		return unknown
	}
	var e typ
	if t.value()&listKind != 0 {
		switch {
		case t.decl != nil && t.decl.Type == schema.Array:
			e = inText(t.decl.Elem)
		case t.elem != nil:
			e = t.elem.boxed()
		default:
			return unknown
		}
	}
	if t.value()&kinds(record.Bytes) != 0 {
		e = join(e, ofKinds(record.Int))
	}
	return e
}
