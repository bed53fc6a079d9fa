package parquetfile

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/parquet-go/parquet-go"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Packed rows are what a record becomes before it goes into columns: a walk over
// the schema in which every value is known to fit its column. An optional value
// begins with a byte, 0 for null; a list with the number of its elements; byte
// arrays with their length; all else is little-endian and of its own width.

// PackVersion is the number of that form. It lies on disks.
const PackVersion = 1

// Packer packs typed JSON text of a schema's records. It belongs to one
// goroutine.
type Packer struct {
	s    *Schema
	seen [][]span // of the struct at each depth
	text []byte
	nums []byte
}

type span struct{ start, end int }

// NewPacker returns a packer of s.
func (s *Schema) NewPacker() (*Packer, error) {
	p := &Packer{s: s}
	return p, p.defaults(s.root)
}

// defaults packs what stands for fields that are not there.
func (p *Packer) defaults(n *node) error {
	for _, k := range n.kids {
		if err := p.defaults(k); err != nil {
			return err
		}
		if n.kind != group || k.missing != nil {
			continue
		}
		text, err := schema.AppendDefault(nil, k.s)
		if err != nil {
			continue // it must be there
		}
		c := packing{Packer: p, b: text}
		out, end := c.value([]byte{}, k, 0, 0)
		if end < 0 {
			return fmt.Errorf("the default of %s: %w", k.name, c.failure())
		}
		k.missing = out
	}
	return nil
}

// Append appends the packed form of typed JSON text. After an error dst is as
// it was.
func (p *Packer) Append(dst, text []byte) ([]byte, error) {
	if err := record.ValidateJSON(text); err != nil {
		return dst, err
	}
	c := packing{Packer: p, b: text}
	i := space(text, 0)
	if text[i] == 'n' {
		return dst, errNull
	}
	out, end := c.value(dst, p.s.root, i, 0)
	if end < 0 {
		return dst, c.failure()
	}
	return out, nil
}

var errNull = errors.New("the value is null, which a row of a file cannot be")

// packing packs one text. Its methods return the index behind what they read,
// or -1 with err set.
type packing struct {
	*Packer
	b   []byte
	err error
	at  []string // where err is, the innermost first
}

func (c *packing) failure() error {
	path := ""
	for i := len(c.at) - 1; i >= 0; i-- {
		path = schema.JoinPath(path, c.at[i])
	}
	if path == "" {
		return c.err
	}
	return fmt.Errorf("%s: %w", path, c.err)
}

func (c *packing) fail(format string, args ...any) int {
	c.err = fmt.Errorf(format, args...)
	return -1
}

func (c *packing) mismatch(n *node, i int) int {
	what := "a number"
	switch c.b[i] {
	case '"':
		what = "a string"
	case '{':
		what = "an object"
	case '[':
		what = "an array"
	case 't', 'f':
		what = "a boolean"
	case 'n':
		return c.fail("null, and the schema has %s, which is never null", n.s.Type)
	}
	return c.fail("%s, and the schema has %s", what, n.s.Type)
}

func (c *packing) value(dst []byte, n *node, i, depth int) ([]byte, int) {
	if n.optional {
		if c.b[i] == 'n' {
			return append(dst, 0), i + 4
		}
		dst = append(dst, 1)
	}
	switch n.kind {
	case leaf:
		return c.leaf(dst, n, i)
	case group:
		return c.group(dst, n, i, depth+1)
	case list:
		return c.list(dst, n, i, depth+1)
	}
	return c.pairs(dst, n, i, depth+1)
}

// group packs the members in the order of the schema, whatever theirs is.
func (c *packing) group(dst []byte, n *node, i, depth int) ([]byte, int) {
	if c.b[i] != '{' {
		return dst, c.mismatch(n, i)
	}
	for len(c.seen) <= depth {
		c.seen = append(c.seen, nil)
	}
	seen := append(c.seen[depth][:0], make([]span, len(n.kids))...)
	c.seen[depth] = seen
	next := 0
	for i = space(c.b, i+1); c.b[i] != '}'; {
		end := stringEnd(c.b, i)
		k := n.find(c.unquoted(i, end), next)
		if k < 0 {
			return dst, c.fail("the schema of the file has no field %s", c.b[i:end])
		}
		next = k + 1
		i = space(c.b, space(c.b, end)+1) // behind the colon
		end = valueEnd(c.b, i)
		seen[k] = span{i, end} // of equal names the last one counts
		if i = space(c.b, end); c.b[i] == ',' {
			i = space(c.b, i+1)
		}
	}
	for k, kid := range n.kids {
		at := c.seen[depth][k]
		if at.end == 0 {
			if kid.missing == nil {
				c.at = append(c.at, schema.FieldStep(kid.name))
				return dst, c.fail("it is missing, and the schema says that it is required")
			}
			dst = append(dst, kid.missing...)
			continue
		}
		var end int
		if dst, end = c.value(dst, kid, at.start, depth); end < 0 {
			c.at = append(c.at, schema.FieldStep(kid.name))
			return dst, end
		}
	}
	return dst, i + 1
}

// find returns the field of that name, looking first where it is likely.
func (n *node) find(name []byte, next int) int {
	if next < len(n.kids) && n.kids[next].name == string(name) {
		return next
	}
	for i, k := range n.kids {
		if k.name == string(name) {
			return i
		}
	}
	return -1
}

func (c *packing) list(dst []byte, n *node, i, depth int) ([]byte, int) {
	if depth > limits.JSONDepth {
		return dst, c.fail("nested too deep")
	}
	if c.b[i] != '[' {
		return dst, c.mismatch(n, i)
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	count := uint32(0)
	for i = space(c.b, i+1); c.b[i] != ']'; count++ {
		var end int
		if dst, end = c.value(dst, n.kids[0], i, depth); end < 0 {
			c.at = append(c.at, "["+strconv.Itoa(int(count))+"]")
			return dst, end
		}
		if i = space(c.b, end); c.b[i] == ',' {
			i = space(c.b, i+1)
		}
	}
	binary.LittleEndian.PutUint32(dst[at:], count)
	return dst, i + 1
}

// pairs packs a map: an object if its keys are strings, else an array of pairs.
func (c *packing) pairs(dst []byte, n *node, i, depth int) ([]byte, int) {
	object := n.s.Key.Type == schema.String
	open, last := byte('['), byte(']')
	if object {
		open, last = '{', '}'
	}
	if c.b[i] != open {
		return dst, c.mismatch(n, i)
	}
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	count := uint32(0)
	for i = space(c.b, i+1); c.b[i] != last; count++ {
		start := i
		var end int
		if !object {
			if c.b[i] != '[' {
				return dst, c.fail("a map whose keys are no strings is an array of [key, value] pairs")
			}
			if i = space(c.b, i+1); c.b[i] == ']' {
				return dst, c.fail("a pair of a map without key")
			}
		}
		if dst, end = c.value(dst, n.kids[0], i, depth); end < 0 {
			c.at = append(c.at, "["+string(c.b[start:valueEnd(c.b, start)])+"]")
			return dst, end
		}
		if i = space(c.b, end); c.b[i] != ',' && c.b[i] != ':' {
			return dst, c.fail("a pair of a map without value")
		}
		if dst, end = c.value(dst, n.kids[1], space(c.b, i+1), depth); end < 0 {
			c.at = append(c.at, "["+string(c.b[start:valueEnd(c.b, start)])+"]")
			return dst, end
		}
		i = space(c.b, end)
		if !object {
			if c.b[i] != ']' {
				return dst, c.fail("a pair of a map with more than key and value")
			}
			i = space(c.b, i+1)
		}
		if c.b[i] == ',' {
			i = space(c.b, i+1)
		}
	}
	binary.LittleEndian.PutUint32(dst[at:], count)
	return dst, i + 1
}

func (c *packing) leaf(dst []byte, n *node, i int) ([]byte, int) {
	if n.op == opJSON {
		return c.json(dst, n, i)
	}
	var err error
	switch ch := c.b[i]; {
	case n.op == opBool:
		if ch != 't' && ch != 'f' {
			return dst, c.mismatch(n, i)
		}
		if ch == 't' {
			return append(dst, 1), i + 4
		}
		return append(dst, 0), i + 5
	case ch == '"' && (!n.s.Type.IsNumber() || n.op == opFloat || n.op == opDouble):
		end := stringEnd(c.b, i)
		text := c.unquoted(i, end)
		if err = schema.CheckText(n.s, text); n.s.Type == schema.Float32 || n.s.Type == schema.Float64 {
			err = nil
		}
		if err == nil {
			dst, err = c.string(dst, n, text)
		}
		i = end
	case (ch == '-' || ch >= '0' && ch <= '9') && n.s.Type.IsNumber():
		end := valueEnd(c.b, i)
		if err = schema.CheckNumber(n.s, c.b[i:end]); err == nil {
			dst, err = c.number(dst, n, c.b[i:end])
		}
		i = end
	default:
		return dst, c.mismatch(n, i)
	}
	if err != nil {
		c.err = err
		return dst, -1
	}
	return dst, i
}

// json packs what becomes JSON text in the file.
func (c *packing) json(dst []byte, n *node, i int) ([]byte, int) {
	end := valueEnd(c.b, i)
	text, err := record.Compact(c.text[:0], c.b[i:end])
	if err == nil && n.s.Type != schema.Any {
		err = schema.Check(n.s, text)
	}
	if err != nil {
		c.err = err
		return dst, -1
	}
	c.text = text
	return appendBytes(dst, text), end
}

func appendBytes(dst, p []byte) []byte {
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(p))), p...)
}

// string packs a value whose typed JSON is a string; text is known to be one of
// the type.
func (c *packing) string(dst []byte, n *node, text []byte) ([]byte, error) {
	switch n.op {
	case opString:
		if !utf8.Valid(text) {
			return dst, errUTF8
		}
		return appendBytes(dst, text), nil
	case opBytes:
		if n.size > 0 {
			out, err := base64.StdEncoding.AppendDecode(dst, text)
			if err == nil && len(out)-len(dst) != n.size {
				err = fmt.Errorf("%d bytes, and the schema has %d", len(out)-len(dst), n.size)
			}
			return out, err
		}
		at := len(dst)
		out, err := base64.StdEncoding.AppendDecode(append(dst, 0, 0, 0, 0), text)
		if err != nil {
			return dst, err
		}
		binary.LittleEndian.PutUint32(out[at:], uint32(len(out)-at-4))
		return out, nil
	case opUUID:
		c.nums = c.nums[:0]
		for _, ch := range text {
			if ch != '-' {
				c.nums = append(c.nums, ch)
			}
		}
		return hex.AppendDecode(dst, c.nums)
	case opFloat, opDouble:
		return packFloat(dst, n, text)
	}
	return packClock(dst, n, text)
}

var (
	errUTF8  = errors.New("invalid UTF-8")
	errRange = errors.New("outside of what Parquet can hold")
)

// packFloat packs the floats that JSON has no numbers for.
func packFloat(dst []byte, n *node, text []byte) ([]byte, error) {
	var v float64
	switch string(text) {
	case "NaN":
		v = math.NaN()
	case "Infinity":
		v = math.Inf(1)
	case "-Infinity":
		v = math.Inf(-1)
	default:
		return dst, fmt.Errorf("%q, and the schema has %s", text, n.s.Type)
	}
	return appendFloat(dst, n, v), nil
}

func appendFloat(dst []byte, n *node, v float64) []byte {
	if n.op == opFloat {
		return binary.LittleEndian.AppendUint32(dst, math.Float32bits(float32(v)))
	}
	return binary.LittleEndian.AppendUint64(dst, math.Float64bits(v))
}

func packClock(dst []byte, n *node, text []byte) ([]byte, error) {
	switch n.op {
	case opDate:
		days, _ := schema.ParseDate(text)
		if days != int64(int32(days)) {
			return dst, errRange
		}
		return binary.LittleEndian.AppendUint32(dst, uint32(days)), nil
	case opDuration:
		d, err := parseDuration(text)
		if err != nil {
			return dst, err
		}
		return binary.LittleEndian.AppendUint64(dst, uint64(int64(d)/(1e9/n.unit.PerSecond()))), nil
	case opTime:
		sec, nsec, _ := schema.ParseTime(text)
		v, _ := n.unit.Count(sec, nsec)
		if n.phys == parquet.Int32 {
			return binary.LittleEndian.AppendUint32(dst, uint32(v)), nil
		}
		return binary.LittleEndian.AppendUint64(dst, uint64(v)), nil
	}
	sec, nsec, _ := schema.ParseTimestamp(text, n.s.Type == schema.LocalTimestamp)
	v, ok := n.unit.Count(sec, nsec)
	if !ok {
		return dst, fmt.Errorf("%s is outside of what Parquet can hold in %s", text, n.unit)
	}
	return binary.LittleEndian.AppendUint64(dst, uint64(v)), nil
}

func (c *packing) number(dst []byte, n *node, num []byte) ([]byte, error) {
	switch n.op {
	case opFloat, opDouble:
		bits := 64
		if n.op == opFloat {
			bits = 32
		}
		v, err := strconv.ParseFloat(string(num), bits)
		if err != nil {
			return dst, fmt.Errorf("%s is outside of %s", num, n.s.Type)
		}
		return appendFloat(dst, n, v), nil
	}
	scale := 0
	if n.s.Type == schema.Decimal {
		scale = n.s.Scale
	}
	var err error
	if c.nums, err = schema.AppendUnscaled(c.nums[:0], num, scale); err != nil {
		return dst, err
	}
	if n.op == opDecimalBytes {
		return packDecimal(dst, n, c.nums)
	}
	v, err := number(c.nums)
	if err != nil {
		return dst, fmt.Errorf("%s has too many digits", num)
	}
	if n.phys == parquet.Int32 {
		if n.op == opUint32 && v == uint64(uint32(v)) || n.op != opUint32 && int64(v) == int64(int32(v)) {
			return binary.LittleEndian.AppendUint32(dst, uint32(v)), nil
		}
		return dst, errRange
	}
	return binary.LittleEndian.AppendUint64(dst, v), nil
}

// number reads up to 64 bits of two's complement, or 64 without sign.
func number(b []byte) (uint64, error) {
	if len(b) == 9 && b[0] == 0 {
		b = b[1:]
	}
	if len(b) > 8 {
		return 0, errRange
	}
	v := uint64(0)
	if len(b) > 0 && b[0] >= 0x80 && len(b) < 8 {
		v = math.MaxUint64
	}
	for _, x := range b {
		v = v<<8 | uint64(x)
	}
	return v, nil
}

// packDecimal widens a number in two's complement to the column's size.
func packDecimal(dst []byte, n *node, b []byte) ([]byte, error) {
	if len(b) > n.size {
		return dst, fmt.Errorf("more than %d digits", precisionOf(n.s))
	}
	fill := byte(0)
	if len(b) > 0 && b[0] >= 0x80 {
		fill = 0xff
	}
	for range n.size - len(b) {
		dst = append(dst, fill)
	}
	return append(dst, b...), nil
}
