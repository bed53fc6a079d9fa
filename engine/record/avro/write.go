package avro

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strconv"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Writer turns JSON text into Avro binary of one schema. It is immutable.
type Writer struct {
	schema *Schema
	root   *wnode
	// lenient: see WriterOptions.
	lenient bool
}

// WriterOptions say how a Writer takes what does not fit.
type WriterOptions struct {
	// Lenient takes what can be made to fit with a loss: members that the
	// target lacks are left out, digits beyond its precision are rounded, a
	// null where none may be becomes the default, scalars become text. Without
	// it all of these are errors of the record.
	Lenient bool
}

// NewWriter returns a Writer of target for typed JSON text of from, or, if from
// is nil, for JSON text of unknown types. An error names what can never fit.
func NewWriter(target *Schema, from *schema.Schema, o WriterOptions) (*Writer, error) {
	c := wcompiler{done: map[wpair]*wnode{}, program: compiler{done: map[*Schema]*node{}}, lenient: o.Lenient}
	w := &Writer{schema: target, root: c.node(target, from), lenient: o.Lenient}
	if c.err != nil {
		return nil, c.err
	}
	return w, nil
}

// Schema returns what is written.
func (w *Writer) Schema() *Schema { return w.schema }

// Append appends the binary form of a JSON text. After an error dst is as it
// was.
func (w *Writer) Append(dst, text []byte) ([]byte, error) {
	if err := record.ValidateJSON(text); err != nil {
		return dst, err
	}
	e := wstate{b: text, lenient: w.lenient}
	out, i := e.value(dst, w.root, skipSpace(text, 0))
	if i < 0 {
		return dst, e.failure()
	}
	return out, nil
}

// wstate writes one value. Its methods return the index in the text behind
// what they read, or -1 with err set.
type wstate struct {
	b       []byte
	lenient bool
	err     error
	at      []string
	tries   int
}

// maxBranchTries bounds how often branches of unions are tried in one record.
const maxBranchTries = 10_000

var errTries = errors.New("unions of the schema leave too many ways to read the record: name the branches")

func (e *wstate) failure() error {
	path := ""
	for i := len(e.at) - 1; i >= 0; i-- {
		if path != "" && e.at[i][0] != '[' {
			path += "."
		}
		path += e.at[i]
	}
	if path == "" {
		return fmt.Errorf("%w", e.err)
	}
	return fmt.Errorf("%s: %w", path, e.err)
}

func (e *wstate) fail(format string, args ...any) int {
	if e.err == nil {
		e.err = fmt.Errorf(format, args...)
	}
	return -1
}

// mismatch says that the value at i is of another type.
func (e *wstate) mismatch(n *wnode, i int) int {
	what := "a number"
	switch e.b[i] {
	case '"':
		what = "a string"
	case '{':
		what = "an object"
	case '[':
		what = "an array"
	case 't', 'f':
		what = "a boolean"
	case 'n':
		return e.fail("null, and the Avro schema has %s, which is never null", n.name)
	}
	return e.fail("%s, and the Avro schema has %s: %s", what, n.name, excerpt(e.b[i:skipValue(e.b, i)]))
}

func (e *wstate) value(dst []byte, n *wnode, i int) ([]byte, int) {
	switch n.op {
	case opOptional:
		if e.b[i] == 'n' {
			return append(dst, byte(n.null<<1)), i + 4
		}
		dst = append(dst, byte((1-n.null)<<1))
		return e.value(dst, n.elem, i)
	case opNull:
		if e.b[i] != 'n' {
			return dst, e.mismatch(n, i)
		}
		return dst, i + 4
	case opRecord:
		return e.record(dst, n, i)
	case opArray, opEntries:
		return e.array(dst, n, i)
	case opMap:
		return e.mapOf(dst, n, i)
	case opUnion:
		return e.union(dst, n, i)
	}
	return e.scalar(dst, n, i)
}

func (e *wstate) record(dst []byte, n *wnode, i int) ([]byte, int) {
	if e.b[i] != '{' {
		return dst, e.mismatch(n, i)
	}
	i = skipSpace(e.b, i+1)
	f := 0
	// Canonical text has the fields in order.
	for f < len(n.fields) && e.b[i] == '"' {
		w := &n.fields[f]
		if !bytes.HasPrefix(e.b[i:], []byte(w.quoted)) {
			break
		}
		if dst, i = e.field(dst, w, skipSpace(e.b, i+len(w.quoted))); i < 0 {
			return dst, -1
		}
		f++
		if i = skipSpace(e.b, i); e.b[i] != ',' {
			break
		}
		i = skipSpace(e.b, i+1)
	}
	if f == len(n.fields) && e.b[i] == '}' {
		return dst, i + 1
	}
	return e.disordered(dst, n, f, i)
}

// field writes the value at i as that of a field.
func (e *wstate) field(dst []byte, w *wfield, i int) ([]byte, int) {
	if e.lenient && e.b[i] == 'n' && w.missing != nil && !w.node.nullable() {
		return append(dst, w.missing...), i + 4
	}
	dst, i = e.value(dst, w.node, i)
	if i < 0 {
		e.at = append(e.at, w.name)
	}
	return dst, i
}

func (n *wnode) nullable() bool { return n.null >= 0 || n.op == opNull || n.op == opJSON }

// disordered writes the fields of a record from number done on; what is left of
// the members, from i on, are not those of the schema in its order.
func (e *wstate) disordered(dst []byte, n *wnode, done, i int) ([]byte, int) {
	var few [32]int
	at := few[:min(len(n.fields), len(few))]
	if len(n.fields) > len(few) {
		at = make([]int, len(n.fields))
	}
	for f := range done {
		at[f] = -1
	}
	next := done
	for e.b[i] != '}' {
		if e.b[i] == ',' {
			i = skipSpace(e.b, i+1)
		}
		end := skipString(e.b, i)
		name := unquoted(e.b, i, end)
		start := skipSpace(e.b, skipSpace(e.b, end)+1)
		i = skipSpace(e.b, skipValue(e.b, start))
		f := n.find(name, next)
		switch {
		case f >= 0 && at[f] != 0:
			e.at = append(e.at, string(name))
			return dst, e.fail("the member is there twice")
		case f >= 0:
			at[f], next = start, f+1
		case !e.lenient:
			e.at = append(e.at, string(name))
			return dst, e.fail("%s has no such field (lenient = true leaves it out)", n.name)
		}
	}
	for f := done; f < len(n.fields); f++ {
		w := &n.fields[f]
		switch {
		case at[f] > 0:
			var j int
			if dst, j = e.field(dst, w, at[f]); j < 0 {
				return dst, -1
			}
		case w.missing != nil:
			dst = append(dst, w.missing...)
		default:
			e.at = append(e.at, w.name)
			return dst, e.fail("missing, and the Avro schema has neither a default for it nor null")
		}
	}
	return dst, i + 1
}

// find returns which field has the name, -1 if none has. It begins with the
// one that is next in order.
func (n *wnode) find(name []byte, next int) int {
	for k := range n.fields {
		f := next + k
		if f >= len(n.fields) {
			f -= len(n.fields)
		}
		if n.fields[f].name == string(name) {
			return f
		}
	}
	return -1
}

// insertCount puts the count of a block to where a byte was left for it.
func insertCount(dst []byte, at, count int) []byte {
	var buf [binary.MaxVarintLen64]byte
	w := binary.PutVarint(buf[:], int64(count))
	dst = append(dst, buf[1:w]...)
	if w > 1 {
		copy(dst[at+w:], dst[at+1:len(dst)-w+1])
	}
	copy(dst[at:], buf[:w])
	return dst
}

func (e *wstate) array(dst []byte, n *wnode, i int) ([]byte, int) {
	if n.named {
		return e.members(dst, n, i)
	}
	if e.b[i] != '[' {
		return dst, e.mismatch(n, i)
	}
	if i = skipSpace(e.b, i+1); e.b[i] == ']' {
		return append(dst, 0), i + 1
	}
	at, count := len(dst), 0
	dst = append(dst, 0)
	for ; ; count++ {
		var next int
		if n.op == opEntries {
			dst, next = e.entry(dst, n, i)
		} else {
			dst, next = e.value(dst, n.elem, i)
		}
		if next < 0 {
			e.at = append(e.at, "["+strconv.Itoa(count)+"]")
			return dst, -1
		}
		if i = skipSpace(e.b, next); e.b[i] == ']' {
			return append(insertCount(dst, at, count+1), 0), i + 1
		}
		i = skipSpace(e.b, i+1)
	}
}

// entry writes the pair [key, value] as a record.
func (e *wstate) entry(dst []byte, n *wnode, i int) ([]byte, int) {
	bad := func() ([]byte, int) {
		return dst, e.fail("an entry of a map is a pair [key, value]: %s", excerpt(e.b[i:skipValue(e.b, i)]))
	}
	if e.b[i] != '[' {
		return bad()
	}
	k := skipSpace(e.b, i+1)
	if e.b[k] == ']' {
		return bad()
	}
	var next int
	if dst, next = e.value(dst, n.key, k); next < 0 {
		return dst, -1
	}
	if next = skipSpace(e.b, next); e.b[next] != ',' {
		return bad()
	}
	if dst, next = e.value(dst, n.elem, skipSpace(e.b, next+1)); next < 0 {
		return dst, -1
	}
	if next = skipSpace(e.b, next); e.b[next] != ']' {
		return bad()
	}
	return dst, next + 1
}

// members writes an object as the entries of a map whose keys may be null.
func (e *wstate) members(dst []byte, n *wnode, i int) ([]byte, int) {
	if e.b[i] != '{' {
		return dst, e.mismatch(n, i)
	}
	if i = skipSpace(e.b, i+1); e.b[i] == '}' {
		return append(dst, 0), i + 1
	}
	at, count := len(dst), 0
	dst = append(dst, 0)
	for ; ; count++ {
		name := e.b[i:skipString(e.b, i)]
		var next int
		if dst, next = e.value(dst, n.key, i); next < 0 {
			return dst, -1
		}
		if dst, next = e.value(dst, n.elem, skipSpace(e.b, skipSpace(e.b, next)+1)); next < 0 {
			e.at = append(e.at, "["+string(name)+"]")
			return dst, -1
		}
		if i = skipSpace(e.b, next); e.b[i] == '}' {
			return append(insertCount(dst, at, count+1), 0), i + 1
		}
		i = skipSpace(e.b, i+1)
	}
}

func (e *wstate) mapOf(dst []byte, n *wnode, i int) ([]byte, int) {
	if e.b[i] != '{' {
		return dst, e.mismatch(n, i)
	}
	if i = skipSpace(e.b, i+1); e.b[i] == '}' {
		return append(dst, 0), i + 1
	}
	at, count := len(dst), 0
	dst = append(dst, 0)
	for ; ; count++ {
		end := skipString(e.b, i)
		name := unquoted(e.b, i, end)
		dst = append(binary.AppendVarint(dst, int64(len(name))), name...)
		var next int
		if dst, next = e.value(dst, n.elem, skipSpace(e.b, skipSpace(e.b, end)+1)); next < 0 {
			e.at = append(e.at, "["+strconv.Quote(string(name))+"]")
			return dst, -1
		}
		if i = skipSpace(e.b, next); e.b[i] == '}' {
			return append(insertCount(dst, at, count+1), 0), i + 1
		}
		i = skipSpace(e.b, i+1)
	}
}

// union writes the branch that the text names, or else the first that takes
// the value.
func (e *wstate) union(dst []byte, n *wnode, i int) ([]byte, int) {
	if e.b[i] == 'n' && n.null >= 0 {
		return binary.AppendVarint(dst, int64(n.null)), i + 4
	}
	if e.b[i] == '{' {
		if which, start, end := e.tagged(n, i); which >= 0 {
			mark := e.mark()
			out, next := e.value(binary.AppendVarint(dst, int64(which)), n.branches[which], start)
			if next >= 0 {
				return out, end
			}
			if n.typed {
				e.at = append(e.at, n.schema.tags()[which])
				return dst, -1
			}
			e.reset(mark)
		}
	}
	if n.typed {
		return dst, e.fail("%s needs an object with one member that names the branch: %s", n.name, excerpt(e.b[i:skipValue(e.b, i)]))
	}
	for which, b := range n.branches {
		if !mayBe(b, e.b[i]) {
			continue
		}
		if e.tries++; e.tries > maxBranchTries {
			e.err = errTries
			return dst, -1
		}
		mark := e.mark()
		out, next := e.value(binary.AppendVarint(dst, int64(which)), b, i)
		if next >= 0 {
			return out, next
		}
		if e.tries > maxBranchTries {
			return dst, -1
		}
		e.reset(mark)
	}
	return dst, e.fail("no branch of the %s takes %s", n.name, excerpt(e.b[i:skipValue(e.b, i)]))
}

func (e *wstate) mark() int      { return len(e.at) }
func (e *wstate) reset(mark int) { e.err, e.at = nil, e.at[:mark] }

// tagged returns the branch that the only member of an object names, -1 if it
// names none, where its value begins, and where the object ends.
func (e *wstate) tagged(n *wnode, i int) (which, start, end int) {
	which = -1
	count := 0
	members(e.b, i, func(name []byte, s, _ int) bool {
		if count++; count > 1 {
			which = -1
			return false
		}
		for k, tag := range n.tags {
			if tag == string(name) {
				which, start = n.which[k], s
			}
		}
		return true
	})
	if which >= 0 {
		end = skipValue(e.b, i)
	}
	return which, start, end
}

// mayBe tells from the first byte of a value whether a branch may take it.
func mayBe(n *wnode, c byte) bool {
	switch n.op {
	case opNull:
		return c == 'n'
	case opBool:
		return c == 't' || c == 'f'
	case opRecord, opMap, opDuration:
		return c == '{'
	case opArray, opEntries:
		return c == '['
	case opInt, opLong, opSmall:
		return c == '-' || c >= '0' && c <= '9'
	case opString, opEnum, opUUIDFixed, opBytes, opFixed:
		return c == '"'
	}
	return c == '"' || c == '-' || c >= '0' && c <= '9'
}
