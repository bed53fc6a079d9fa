package protobuf

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/internal/scan"
	"github.com/flowrecords/flow/engine/schema"
)

// Writer turns JSON text into Protobuf data of one message type. It is
// immutable.
type Writer struct {
	message *Message
	root    *wnode
	lenient bool
}

// WriterOptions say how a Writer takes what does not fit.
type WriterOptions struct {
	// Lenient takes what can be made to fit with a loss: members that the
	// message lacks are left out, digits beyond what it keeps are cut, a null
	// where none may be becomes the zero or the default, scalars become text.
	// Without it all of these are errors of the record.
	Lenient bool
}

// NewWriter returns a Writer of m for typed JSON text of from, or, if from is
// nil, for JSON text of unknown types: Protobuf's own JSON or what is like it.
// An error names what can never fit.
func NewWriter(m *Message, from *schema.Schema, o WriterOptions) (*Writer, error) {
	e, err := NewEncoding(m)
	if err != nil {
		return nil, err
	}
	return e.NewWriter(from, o)
}

// NewWriter is the function of that name for the message of e.
func (e *Encoding) NewWriter(from *schema.Schema, o WriterOptions) (*Writer, error) {
	c := wcompiler{done: map[wpair]*wnode{}, lenient: o.Lenient}
	w := &Writer{message: e.message, root: c.node(e.root, from), lenient: o.Lenient}
	if c.err != nil {
		return nil, c.err
	}
	return w, nil
}

// Message returns what is written.
func (w *Writer) Message() *Message { return w.message }

// Append appends the data of a JSON text. After an error dst is as it was.
func (w *Writer) Append(dst, text []byte) ([]byte, error) {
	if err := record.ValidateJSON(text); err != nil {
		return dst, err
	}
	e := wstate{b: text, lenient: w.lenient}
	i := scan.Space(text, 0)
	if text[i] == 'n' && w.root.op != opWrapped && w.root.op != opValue {
		return dst, fmt.Errorf("null is no message %s", w.message.Name)
	}
	out, i := e.content(dst, w.root, i)
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
	depth   int
}

func (e *wstate) failure() error {
	path := ""
	for i := len(e.at) - 1; i >= 0; i-- {
		if path != "" && e.at[i][0] != '[' {
			path += "."
		}
		path += e.at[i]
	}
	if path == "" {
		return e.err
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
func (e *wstate) mismatch(name string, i int) int {
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
		return e.fail("null, and the Protobuf schema has %s, which is never null", name)
	}
	return e.fail("%s, and the Protobuf schema has %s: %s", what, name, excerpt(e.b[i:scan.Value(e.b, i)]))
}

// insertLength puts the length of what was written behind at to where a byte
// was left for it.
func insertLength(dst []byte, at int) []byte {
	n := len(dst) - at - 1
	if n < 0x80 {
		dst[at] = byte(n)
		return dst
	}
	var buf [binary.MaxVarintLen64]byte
	w := binary.PutUvarint(buf[:], uint64(n))
	dst = append(dst, buf[1:w]...)
	copy(dst[at+w:], dst[at+1:at+1+n])
	copy(dst[at:], buf[:w])
	return dst
}

// occurrence writes one occurrence of a field with its tag. zero reports that
// the value is the zero of its type.
func (e *wstate) occurrence(dst []byte, f *fieldNode, n *wnode, i int) (out []byte, zero bool, next int) {
	dst = appendTag(dst, f.num, f.wire)
	start := len(dst)
	switch {
	case f.wire == wireStart:
		dst, next = e.content(dst, n, i)
		return appendTag(dst, f.num, wireEnd), false, next
	case f.wire != wireBytes:
		dst, zero, next = e.scalar(dst, n, i)
		return dst, zero, next
	}
	dst = append(dst, 0)
	dst, next = e.content(dst, n, i)
	if next < 0 {
		return dst, false, -1
	}
	return insertLength(dst, start), len(dst) == start+1, next
}

// content writes what stands between the tags, or behind the length, of a value.
func (e *wstate) content(dst []byte, n *wnode, i int) ([]byte, int) {
	switch n.op {
	case opMessage:
		return e.message(dst, n, i)
	case opWrapped:
		return e.member(dst, &n.members[0], i)
	case opValue:
		return e.anyValue(dst, n.node, i)
	}
	switch {
	case e.b[i] == 'n' && n.op != opJSON:
		return dst, e.mismatch(n.name, i)
	case e.b[i] == '{' && n.lookups != nil:
		return e.object(dst, n, i)
	}
	out, _, next := e.scalar(dst, n, i)
	return out, next
}

// object writes a date, a time of the day or a decimal as Protobuf's own JSON
// has it. What is there must be one: nobody could read it otherwise.
func (e *wstate) object(dst []byte, n *wnode, i int) ([]byte, int) {
	start := len(dst)
	dst, next := e.message(dst, n, i)
	if next < 0 {
		return dst, -1
	}
	var r reader
	r.reset(dst)
	if _, ok := r.jsonSpecial(nil, n.node, piece{start: uint32(start), end: uint32(len(dst))}); !ok {
		return dst, e.fail("%s is no %s", excerpt(e.b[i:next]), n.name)
	}
	return dst, next
}

func (e *wstate) down() bool {
	if e.depth++; e.depth > maxNesting {
		e.fail("nested deeper than %d", maxNesting)
		return false
	}
	return true
}

func (e *wstate) message(dst []byte, n *wnode, i int) ([]byte, int) {
	if e.b[i] != '{' {
		return dst, e.mismatch(n.name, i)
	}
	if !e.down() {
		return dst, -1
	}
	i = scan.Space(e.b, i+1)
	k := 0
	// Canonical text has the members in order.
	for k < len(n.members) && e.b[i] == '"' && n.members[k].branch < 0 {
		m := &n.members[k]
		if len(e.b)-i < len(m.quoted) || string(e.b[i:i+len(m.quoted)]) != m.quoted {
			break
		}
		if dst, i = e.named(dst, m, scan.Space(e.b, i+len(m.quoted))); i < 0 {
			return dst, -1
		}
		k++
		if i = scan.Space(e.b, i); e.b[i] != ',' {
			break
		}
		i = scan.Space(e.b, i+1)
	}
	if k < len(n.members) || e.b[i] != '}' {
		if dst, i = e.disordered(dst, n, k, i); i < 0 {
			return dst, -1
		}
	}
	e.depth--
	return dst, i + 1
}

// named writes a member, and adds its name to an error.
func (e *wstate) named(dst []byte, m *wmember, i int) ([]byte, int) {
	dst, i = e.member(dst, m, i)
	if i < 0 {
		e.at = append(e.at, m.name)
	}
	return dst, i
}

// disordered writes the members of an object from number done on; what is left
// of the text, from i on, are not those of the message in its order. It returns
// the index of the closing bracket.
func (e *wstate) disordered(dst []byte, n *wnode, done, i int) ([]byte, int) {
	var few [32]bool
	seen := few[:min(len(n.members), len(few))]
	if len(n.members) > len(few) {
		seen = make([]bool, len(n.members))
	}
	for k := range done {
		seen[k] = true
	}
	for e.b[i] != '}' {
		if e.b[i] == ',' {
			i = scan.Space(e.b, i+1)
		}
		end := scan.String(e.b, i)
		name := scan.Unquoted(e.b, i, end)
		start := scan.Space(e.b, scan.Space(e.b, end)+1)
		k, there := n.lookups[string(name)]
		which := -1
		if there && k < 0 {
			k, which = (-1-k)>>32, (-1-k)&math.MaxUint32
		}
		var next int
		switch {
		case !there && e.lenient:
			next = scan.Value(e.b, start)
		case !there:
			e.at = append(e.at, string(name))
			return dst, e.fail("%s has no such field (lenient = true leaves it out)", n.name)
		case which >= 0 && e.b[start] == 'n' && n.members[k].nodes[which].op != opValue:
			next = start + 4 // a field of a oneof that is not there
		case seen[k] && which >= 0:
			e.at = append(e.at, string(name))
			return dst, e.fail("another field of the oneof %s is there, too", n.members[k].name)
		case seen[k]:
			e.at = append(e.at, string(name))
			return dst, e.fail("the member is there twice")
		case which >= 0:
			seen[k] = true
			if dst, next = e.branch(dst, &n.members[k], which, start); next < 0 {
				e.at = append(e.at, string(name))
				return dst, -1
			}
		default:
			seen[k] = true
			if dst, next = e.named(dst, &n.members[k], start); next < 0 {
				return dst, -1
			}
		}
		i = scan.Space(e.b, next)
	}
	for k := done; k < len(n.members); k++ {
		m := &n.members[k]
		switch {
		case seen[k]:
		case m.must:
			e.at = append(e.at, m.name)
			return dst, e.fail("missing, and the Protobuf schema requires it")
		default:
			dst = append(dst, m.missing...)
		}
	}
	return dst, i
}

// member writes a member of a struct: nothing for what Protobuf leaves out.
func (e *wstate) member(dst []byte, m *wmember, i int) ([]byte, int) {
	if m.union {
		return e.union(dst, m, i)
	}
	f, n := m.fields[0], m.nodes[0]
	// A null of an untyped value is one, but where every member is there it is
	// how a field reads that is not.
	if e.b[i] == 'n' && (n.op != opValue && n.op != opJSON || n.typed && string(m.absent) == "null") {
		return e.null(dst, m, f, i)
	}
	switch n.op {
	case opList:
		return e.list(dst, f, n, i)
	case opMap, opEntries:
		return e.mapOf(dst, f, n, i)
	}
	start := len(dst)
	dst, zero, next := e.occurrence(dst, f, n, i)
	if next >= 0 && zero && !f.presence {
		dst = dst[:start]
	}
	return dst, next
}

// null writes a null where it may be.
func (e *wstate) null(dst []byte, m *wmember, f *fieldNode, i int) ([]byte, int) {
	switch {
	case string(m.absent) == "null" && !m.memberNode.must:
		return dst, i + 4
	case e.lenient && !m.memberNode.must:
		return append(dst, m.missing...), i + 4
	case !f.list && f.value.op == opWrapped && string(f.value.members[0].absent) == "null":
		return append(appendTag(dst, f.num, wireBytes), 0), i + 4
	}
	return dst, e.fail("null, and the Protobuf schema has %s, which is never null (lenient = true writes its zero)", m.nodes[0].name)
}

// union writes the branch that the text names.
func (e *wstate) union(dst []byte, m *wmember, i int) ([]byte, int) {
	if e.b[i] == 'n' {
		return dst, i + 4
	}
	if e.b[i] != '{' {
		return dst, e.fail("a oneof needs an object with one member that names the field: %s", excerpt(e.b[i:scan.Value(e.b, i)]))
	}
	which, start, count := -1, 0, 0
	scan.Members(e.b, i, func(name []byte, s, _ int) bool {
		count++
		start = s
		which = slices.IndexFunc(m.tags, func(t string) bool { return t == string(name) })
		return count < 2 && which >= 0
	})
	if which < 0 || count != 1 {
		return dst, e.fail("a oneof needs an object with one member that names the field: %s", excerpt(e.b[i:scan.Value(e.b, i)]))
	}
	end := scan.Value(e.b, i)
	dst, next := e.branch(dst, m, which, start)
	if next < 0 {
		e.at = append(e.at, m.tags[which])
		return dst, -1
	}
	return dst, end
}

func (e *wstate) branch(dst []byte, m *wmember, which, i int) ([]byte, int) {
	dst, _, next := e.occurrence(dst, m.fields[which], m.nodes[which], i)
	return dst, next
}
