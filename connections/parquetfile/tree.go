package parquetfile

import (
	"github.com/parquet-go/parquet-go"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// kind is what a node of the tree stands for: the wrappers that Parquet puts
// around lists and maps are no nodes of their own.
type kind uint8

const (
	leaf kind = iota
	group
	list  // kids[0] is the element
	pairs // kids are key and value
)

// op is how the values of a column stand for those of flow.
type op uint8

const (
	opBool op = iota
	opInt32
	opUint32
	opInt64
	opUint64
	opFloat
	opDouble
	opFloat16
	opString
	opBytes
	opDecimal32
	opDecimal64
	opDecimalBytes
	opDate
	opTime      // in unit
	opTimestamp // in unit
	opInt96
	opDuration // in unit
	opUUID
	opInterval
	opJSON
)

// node is one type of a file's schema with its place in the columns.
type node struct {
	name     string
	label    []byte // the name as a member of a JSON object begins
	id       int    // Parquet's field id, 0: none
	kind     kind
	optional bool
	s        *schema.Schema
	kids     []*node

	// Of a leaf.
	col  int
	phys parquet.Kind
	size int // of fixed values
	op   op
	unit schema.Unit

	// def is the definition level at which the value is there, rep its
	// repetition level. first to last-1 are the columns below.
	def, rep    int
	first, last int

	// missing is the packed form of a field that is not in the text; nil if it
	// must be.
	missing []byte
}

// place numbers the columns and levels below n.
func (n *node) place(def, rep, col int) int {
	if n.optional {
		def++
	}
	n.def, n.rep, n.first, n.col = def, rep, col, col
	n.label = append(record.AppendQuoted(nil, []byte(n.name)), ':')
	switch n.kind {
	case leaf:
		col++
	case list, pairs:
		def, rep = def+1, rep+1
	}
	for _, k := range n.kids {
		col = k.place(def, rep, col)
	}
	n.last = col
	return col
}

// same reports whether two trees have the same columns.
func (n *node) same(m *node) bool {
	if n.name != m.name || n.kind != m.kind || n.optional != m.optional || len(n.kids) != len(m.kids) {
		return false
	}
	if n.kind == leaf && (n.phys != m.phys || n.size != m.size || n.scale() != m.scale() || !n.op.reads(m.op)) {
		return false
	}
	if n.kind == leaf && n.op == m.op && (n.op == opInt32 || n.op == opUint32) && n.s.Type != m.s.Type {
		return false
	}
	if n.kind == leaf && n.op == m.op && (n.op == opTime || n.op == opTimestamp) && n.unit != m.unit {
		return false
	}
	for i, k := range n.kids {
		if !k.same(m.kids[i]) {
			return false
		}
	}
	return true
}

func (n *node) scale() int {
	if n.s.Type == schema.Decimal {
		return n.s.Scale
	}
	return 0
}

// reads reports whether what a file says to hold m is what o writes: Parquet
// has no name for a length of time.
func (o op) reads(m op) bool { return o == m || o == opDuration && m == opInt64 }
