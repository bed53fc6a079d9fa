package avro

import (
	"fmt"
	"math"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
)

// op is what a node of a program does.
type op uint8

const (
	opNull op = iota
	opBool
	opInt
	opLong
	opFloat
	opDouble
	opBytes
	opString
	opFixed
	opEnum
	opRecord
	opArray
	opMap
	opUnion    // several branches
	opOptional // null and one other type
	opEntries  // array of entries: a map with keys that are no strings

	opDecimalBytes
	opDecimalFixed
	opUUIDFixed
	opDate
	opTime      // int or long, in unit
	opTimestamp // long, in unit
	opLocal     // long, in unit
	opGoDuration
	opDuration // fixed 12: months, days, milliseconds
	opJSON     // string of JSON text
	opSmall    // int or long that stands for a narrower integer, from low to high
)

// node is the part of a program that reads the values of one schema. A program
// is built once for a schema and shared by all goroutines.
type node struct {
	op     op
	schema *Schema
	number uint32 // in the encoding's list
	// min is the least number of bytes that a value takes.
	min int
	// none: every value takes no byte.
	none bool
	// wide: opTime reads a long, not an int.
	wide  bool
	size  int   // of opFixed and its kin
	scale int   // decimals
	unit  int64 // nanoseconds of a unit of time
	// low and high bound opSmall.
	low, high int64
	// named: opEntries whose keys are texts, a JSON object.
	named bool
	// unsigned: a decimal is from 0 to 2^64-1.
	unsigned bool

	elem     *node // opArray, opMap, opOptional
	null     int   // opOptional: which branch is null
	fields   []fieldNode
	branches []*node
	tags     [][]byte // opUnion: "name": of each branch
	symbols  [][]byte // opEnum: with quotes
}

type fieldNode struct {
	name string
	// text goes before the value in JSON: {"name": or ,"name":
	text []byte
	node *node
}

// least bounds node.min, so that sums do not overflow.
const least = 1 << 30

// compile builds the program of a schema.
func compile(s *Schema) *node {
	c := compiler{done: map[*Schema]*node{}}
	return c.node(s)
}

type compiler struct{ done map[*Schema]*node }

func (c *compiler) node(s *Schema) *node {
	if n := c.done[s]; n != nil {
		return n
	}
	n := &node{schema: s, null: -1}
	c.done[s] = n
	switch s.Kind {
	case Null:
		n.op, n.none = opNull, true
	case Boolean:
		n.op, n.min = opBool, 1
	case Int:
		n.op, n.min = opInt, 1
	case Long:
		n.op, n.min, n.wide = opLong, 1, true
	case Float:
		n.op, n.min = opFloat, 4
	case Double:
		n.op, n.min = opDouble, 8
	case Bytes:
		n.op, n.min = opBytes, 1
	case String:
		n.op, n.min = opString, 1
		if viewOf(s) == viewJSON {
			n.op = opJSON
		}
	case Fixed:
		n.op, n.size, n.min, n.none = opFixed, s.Size, s.Size, s.Size == 0
	case Enum:
		n.op, n.min = opEnum, 1
		for _, sym := range s.Symbols {
			n.symbols = append(n.symbols, record.AppendQuoted(nil, []byte(sym)))
		}
	case Record:
		c.record(n)
	case Array:
		n.op, n.min, n.elem = opArray, 1, c.node(s.Elem)
		if viewOf(s) == viewEntries {
			n.op, n.named = opEntries, textKeys(s.Elem)
		}
	case Map:
		n.op, n.min, n.elem = opMap, 1, c.node(s.Elem)
	case Union:
		c.union(n)
	}
	c.logical(n)
	return n
}

func (c *compiler) record(n *node) {
	n.op = opRecord
	none := true
	names := n.schema.fieldNames()
	for i := range n.schema.Fields {
		f := &n.schema.Fields[i]
		text := []byte{','}
		if i == 0 {
			text[0] = '{'
		}
		child := c.node(f.Type)
		text = append(record.AppendQuoted(text, []byte(names[i])), ':')
		n.fields = append(n.fields, fieldNode{name: names[i], text: text, node: child})
		n.min = min(n.min+child.min, least)
		none = none && child.none
	}
	n.none = none
}

func (c *compiler) union(n *node) {
	n.op, n.min = opUnion, 1
	if null, other, ok := n.schema.optional(); ok {
		n.op, n.null, n.elem = opOptional, null, c.node(other)
		return
	}
	tags := n.schema.tags()
	for i, b := range n.schema.Branches {
		n.branches = append(n.branches, c.node(b))
		n.tags = append(n.tags, append(record.AppendQuoted(nil, []byte(tags[i])), ':'))
		if b.Kind == Null {
			n.null = i
		}
	}
}

func (c *compiler) logical(n *node) {
	s := n.schema
	switch s.Logical {
	case Decimal:
		n.op, n.scale = opDecimalBytes, s.Scale
		if s.Kind == Fixed {
			n.op = opDecimalFixed
		}
	case UUID:
		if s.Kind == Fixed {
			n.op = opUUIDFixed
		}
	case Date:
		n.op = opDate
	case TimeMillis:
		n.op, n.unit = opTime, 1e6
	case TimeMicros:
		n.op, n.unit = opTime, 1e3
	case TimestampMillis:
		n.op, n.unit = opTimestamp, 1e6
	case TimestampMicros:
		n.op, n.unit = opTimestamp, 1e3
	case TimestampNanos:
		n.op, n.unit = opTimestamp, 1
	case LocalTimestampMillis:
		n.op, n.unit = opLocal, 1e6
	case LocalTimestampMicros:
		n.op, n.unit = opLocal, 1e3
	case LocalTimestampNanos:
		n.op, n.unit = opLocal, 1
	case Duration:
		n.op = opDuration
	}
	switch viewOf(s) {
	case viewInt8:
		n.op, n.low, n.high = opSmall, math.MinInt8, math.MaxInt8
	case viewInt16:
		n.op, n.low, n.high = opSmall, math.MinInt16, math.MaxInt16
	case viewUint8:
		n.op, n.high = opSmall, math.MaxUint8
	case viewUint16:
		n.op, n.high = opSmall, math.MaxUint16
	case viewUint32:
		n.op, n.high = opSmall, math.MaxUint32
	case viewUint64:
		n.unsigned = true
	case viewTimeNano:
		n.op, n.unit = opTime, 1
	case viewDuration:
		n.op, n.unit = opGoDuration, 1
	}
}

// Bounds of data. What is beyond them is refused as damaged.
const (
	// maxNesting bounds recursion.
	maxNesting = 512
	// maxEmpty bounds the elements of arrays that take no bytes, in all of a
	// record: their count alone says how many there are.
	maxEmpty = 1 << 16
	// maxDigits is the most digits of a decimal, and maxDecimal how many bytes
	// these may take.
	maxDigits  = limits.DecimalDigits
	maxDecimal = maxDigits * 5 / 12
	// maxJSON bounds the JSON text of one value.
	maxJSON = 256 << 20
)

// reader reads one value. Its methods return the index behind what they read,
// or -1 with err set.
type reader struct {
	b     []byte
	depth int
	empty int
	// checked: text is known to be UTF-8.
	checked bool
	start   int // where the JSON text of the value begins
	err     error
	// at is where err happened, innermost first.
	at []string
}

// failure returns the error with its path.
func (r *reader) failure() error {
	if r.err == nil {
		return nil
	}
	path := ""
	for i := len(r.at) - 1; i >= 0; i-- {
		if path != "" {
			path += "."
		}
		path += r.at[i]
	}
	if path == "" {
		return fmt.Errorf("invalid Avro data: %w", r.err)
	}
	return fmt.Errorf("invalid Avro data: %s: %w", path, r.err)
}

func (r *reader) fail(i int, format string, args ...any) int {
	if r.err == nil {
		r.err = fmt.Errorf("byte %d: %s", i, fmt.Sprintf(format, args...))
	}
	return -1
}

// within notes that an error happened in a field.
func (r *reader) within(name string) int {
	r.at = append(r.at, name)
	return -1
}

// long reads a zigzag number.
func (r *reader) long(i int) (int64, int) {
	if i < len(r.b) {
		if c := r.b[i]; c < 0x80 {
			return int64(c>>1) ^ -int64(c&1), i + 1
		}
	}
	return r.longer(i)
}

func (r *reader) longer(i int) (int64, int) {
	var u uint64
	start := i
	for shift := 0; shift < 64; shift += 7 {
		if i >= len(r.b) {
			return 0, r.fail(start, "the number is cut short")
		}
		c := r.b[i]
		i++
		if shift == 63 && c > 1 {
			break
		}
		u |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return int64(u>>1) ^ -int64(u&1), i
		}
	}
	return 0, r.fail(start, "the number does not fit 64 bits")
}

func (r *reader) int(i int) (int32, int) {
	v, next := r.long(i)
	if next >= 0 && v != int64(int32(v)) {
		return 0, r.fail(i, "%d does not fit the 32 bits of an int", v)
	}
	return int32(v), next
}

func (r *reader) small(n *node, i int) (int64, int) {
	v, next := r.long(i)
	if next >= 0 && (v < n.low || v > n.high) {
		return 0, r.fail(i, "%d is not from %d to %d", v, n.low, n.high)
	}
	return v, next
}

// length reads the length of bytes or of a string, which follow.
func (r *reader) length(i int) (n, next int) {
	v, next := r.long(i)
	if next >= 0 && uint64(v) > uint64(len(r.b)-next) {
		return 0, r.fail(i, "a length of %d, and %d bytes are left", v, len(r.b)-next)
	}
	return int(v), next
}

// fixed returns the index behind n bytes.
func (r *reader) fixed(i, n int) int {
	if n > len(r.b)-i {
		return r.fail(i, "%d bytes are wanted and %d are left", n, len(r.b)-i)
	}
	return i + n
}

// block reads the head of a block of an array or map: how many elements
// follow, 0 at the end; end is where the block says that it ends, -1 if it
// does not. The count never exceeds what the bytes that are left can hold.
func (r *reader) block(elem *node, key, i int) (n, end, next int) {
	v, next := r.long(i)
	if next < 0 || v == 0 {
		return 0, -1, next
	}
	end = -1
	if v < 0 {
		if v == math.MinInt64 {
			return 0, -1, r.fail(i, "a block of %d elements", v)
		}
		v = -v
		size, after := r.long(next)
		if after < 0 {
			return 0, -1, -1
		}
		if uint64(size) > uint64(len(r.b)-after) {
			return 0, -1, r.fail(next, "a block of %d bytes, and %d are left", size, len(r.b)-after)
		}
		next, end = after, after+int(size)
	}
	if each := elem.min + key; each > 0 {
		if v > int64(len(r.b)-next)/int64(each) {
			return 0, -1, r.fail(i, "a block of %d elements, and %d bytes are left", v, len(r.b)-next)
		}
		return int(v), end, next
	}
	if v > maxEmpty || r.empty+int(v) > maxEmpty {
		return 0, -1, r.fail(i, "more than %d elements that take no bytes", maxEmpty)
	}
	r.empty += int(v)
	return int(v), end, next
}

func (r *reader) down(i int) bool {
	if r.depth++; r.depth > maxNesting {
		r.fail(i, "nested deeper than %d", maxNesting)
		return false
	}
	return true
}

// blockEnd checks that a block ends where it says.
func (r *reader) blockEnd(i, end int) int {
	if end >= 0 && i != end && i >= 0 {
		return r.fail(i, "a block that says to end at byte %d", end)
	}
	return i
}

// branch reads which branch of a union follows.
func (r *reader) branch(i, n int) (which, next int) {
	v, next := r.long(i)
	if next >= 0 && (v < 0 || v >= int64(n)) {
		return 0, r.fail(i, "branch %d of a union of %d", v, n)
	}
	return int(v), next
}

// either reads whether the value of opOptional is null. Nobody writes the
// branch of such a union in more than the one byte that it takes, so more are
// damage.
func (r *reader) either(n *node, i int) (null bool, next int) {
	if uint(i) < uint(len(r.b)) && r.b[i]&^2 == 0 {
		return int(r.b[i]>>1) == n.null, i + 1
	}
	if _, next = r.branch(i, 2); next >= 0 {
		next = r.fail(i, "the branch of a union of two takes one byte")
	}
	return false, next
}

func (r *reader) symbol(n *node, i int) (which, next int) {
	v, next := r.long(i)
	if next >= 0 && (v < 0 || v >= int64(len(n.symbols))) {
		return 0, r.fail(i, "symbol %d of %d symbols", v, len(n.symbols))
	}
	return int(v), next
}
