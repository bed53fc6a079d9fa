package protobuf

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

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

type wpair struct {
	to    *node
	from  *schema.Schema
	typed bool
}

// wnode writes values of one type from text of one flow type.
type wnode struct {
	*node
	from *schema.Schema // nil: not known
	// typed: from was known, be it to be any.
	typed bool

	members []wmember
	// lookups finds a member by every name that text may have for it: its number,
	// or below zero which field of which oneof it is.
	lookups map[string]int
	// list and entries of a repeated field.
	elem *wnode
}

// wmember writes one member of the text: a field, or the branches of a union.
type wmember struct {
	*memberNode
	// quoted is "name": as canonical text has it.
	quoted string
	nodes  []*wnode // of fields
	tags   []string // by which text tells the branches
	// branch: the member is itself a field of a oneof, as Protobuf's JSON has
	// it. It is the number of the union's member.
	branch int
	// missing is what is written for a member that is not there; it may be of
	// no bytes.
	missing []byte
	must    bool // it is an error instead
}

type wcompiler struct {
	done    map[wpair]*wnode
	path    []string
	lenient bool
	err     error
}

func (c *wcompiler) refuse(format string, args ...any) {
	if c.err != nil {
		return
	}
	c.err = fmt.Errorf("%s: %s", firstOf(strings.Join(c.path, "."), "the value"), fmt.Sprintf(format, args...))
}

func (c *wcompiler) node(to *node, from *schema.Schema) *wnode {
	typed := from != nil
	if typed && from.Type == schema.Any {
		from = nil
	}
	k := wpair{to, from, typed}
	if n := c.done[k]; n != nil {
		return n
	}
	n := &wnode{node: to, from: from, typed: typed}
	c.done[k] = n
	if why := fits(to, from, c.lenient); why != "" {
		c.refuse("%s", why)
		return n
	}
	switch to.op {
	case opMessage:
		c.message(n)
	case opWrapped:
		c.member(n, &to.members[0], from)
	case opList:
		n.elem = c.node(to.elem, partOf(from, schema.Array))
	case opMap, opEntries:
		var key *schema.Schema
		if from != nil && from.Type == schema.Map {
			key = from.Key
		}
		if from != nil && from.Type == schema.Struct {
			from = nil // its fields are of several types
		}
		entry := to.field.value
		c.member(n, &entry.members[0], key)
		c.member(n, &entry.members[1], partOf(from, schema.Map))
	case opDate, opTime, opDecimal:
		if from == nil {
			c.message(n) // in Protobuf's JSON it is an object
		}
	}
	return n
}

func partOf(s *schema.Schema, t schema.Type) *schema.Schema {
	if s == nil || s.Type != t {
		return nil
	}
	return s.Elem
}

// message compiles the members of a message, and with them what Protobuf's own
// JSON calls them.
func (c *wcompiler) message(n *wnode) {
	from := n.from
	n.lookups = map[string]int{}
	for i := range n.node.members {
		t := &n.node.members[i]
		c.path = append(c.path, t.name)
		var own *schema.Field
		if from != nil && from.Type == schema.Struct {
			own = from.Field(t.name)
		}
		switch {
		case own != nil:
			c.member(n, t, own.Schema)
			c.missing(&n.members[i], own)
		case t.union && from != nil && from.Type == schema.Struct && c.flat(n, t, i):
		default:
			c.member(n, t, partOf(from, schema.Map))
			c.missing(&n.members[i], nil)
			if from != nil && from.Type == schema.Struct && n.members[i].must {
				c.refuse("%s asks for this field, which records of this schema do not have", n.name)
			}
		}
		n.lookups[t.name] = i
		c.path = c.path[:len(c.path)-1]
	}
	if from == nil {
		c.jsonNames(n)
	}
	if from == nil || from.Type != schema.Struct || c.lenient {
		return
	}
	for i := range from.Fields {
		if _, there := n.lookups[from.Fields[i].Name]; !there {
			c.path = append(c.path, from.Fields[i].Name)
			c.refuse("%s has no such field (lenient = true leaves it out)", n.name)
			c.path = c.path[:len(c.path)-1]
		}
	}
}

// member adds a member that is written from text of a type.
func (c *wcompiler) member(n *wnode, t *memberNode, from *schema.Schema) {
	m := wmember{memberNode: t, branch: -1, quoted: string(t.text[1:])}
	typed := t.union && from != nil && from.Type == schema.Union
	if t.union && from != nil && !typed && from.Type != schema.Any && from.Type != schema.Struct {
		c.refuse("records have %s and the message has the oneof %s", from.Type, t.name)
	}
	for _, f := range t.fields {
		var inner *schema.Schema
		switch {
		case typed:
			name := fieldName(f.field)
			if k := branchFor(from, t, f); k >= 0 {
				inner, name = from.Branches[k].Schema, from.Branches[k].Name
			}
			m.tags = append(m.tags, name)
		case t.union:
			m.tags = append(m.tags, fieldName(f.field))
			if from != nil && from.Type == schema.Struct {
				if own := from.Field(fieldName(f.field)); own != nil {
					inner = own.Schema
				}
			}
		default:
			inner = from
		}
		m.nodes = append(m.nodes, c.node(f.node, inner))
	}
	if typed {
		for k := range from.Branches {
			if !slices.Contains(m.tags, from.Branches[k].Name) {
				c.refuse("the oneof %s has no field for the branch %s", t.name, from.Branches[k].Name)
			}
		}
	}
	n.members = append(n.members, m)
}

// branchFor finds the branch of a union that a field of a oneof takes: by name,
// then by type if no other one has it.
func branchFor(from *schema.Schema, t *memberNode, f *fieldNode) int {
	if k := from.BranchIndex(fieldName(f.field)); k >= 0 {
		return k
	}
	for k := range from.Branches {
		b := &from.Branches[k]
		named := slices.ContainsFunc(t.fields, func(o *fieldNode) bool { return fieldName(o.field) == b.Name })
		if named {
			continue
		}
		for _, o := range t.fields {
			if from.BranchIndex(fieldName(o.field)) < 0 && fits(o.node, b.Schema, false) == "" {
				if o == f {
					return k
				}
				break
			}
		}
	}
	return -1
}

// flat lets fields of a struct be those of a oneof where the struct has them
// side by side.
func (c *wcompiler) flat(n *wnode, t *memberNode, at int) bool {
	any := false
	for _, f := range t.fields {
		any = any || n.from.Field(fieldName(f.field)) != nil
	}
	if !any {
		return false
	}
	c.member(n, t, nil)
	for k, f := range t.fields {
		if own := n.from.Field(fieldName(f.field)); own != nil {
			n.members[at].nodes[k] = c.node(f.node, own.Schema)
			n.lookups[own.Name] = ofOneof(at, k)
		}
	}
	return true
}

// ofOneof is how lookups tells a field of a oneof.
func ofOneof(member, field int) int { return -1 - (member<<32 | field) }

// jsonNames adds the names of Protobuf's JSON: lowerCamelCase, and the fields of
// oneofs as members of the message.
func (c *wcompiler) jsonNames(n *wnode) {
	add := func(name string, v int) {
		if _, there := n.lookups[name]; !there {
			n.lookups[name] = v
		}
	}
	for i := range n.node.members {
		t := &n.node.members[i]
		for k, f := range t.fields {
			v := i
			if t.union {
				v = ofOneof(i, k)
			}
			add(f.name, v)
			add(f.field.JSONName, v)
			if f.wire == wireStart { // a group has the name of its type
				add(short(f.value.message.Name), v)
			}
		}
	}
}

// missing finds what stands for a member that is not there: the default where
// the records come from, else nothing.
func (c *wcompiler) missing(m *wmember, own *schema.Field) {
	m.missing = []byte{}
	if own != nil && own.Schema.Default != nil && string(own.Schema.Default) != "null" && !m.union {
		e := wstate{b: own.Schema.Default, lenient: c.lenient}
		if record.ValidateJSON(e.b) == nil {
			if out, i := e.member([]byte{}, m, scan.Space(e.b, 0)); i >= 0 {
				m.missing = out
				return
			}
		}
	}
	m.must = m.memberNode.must
}

// fits says why values of from can never be written as n; empty if they may.
func fits(n *node, from *schema.Schema, lenient bool) string {
	if from == nil || from.Type == schema.Any {
		return ""
	}
	t := from.Type
	ok := func(types ...schema.Type) string {
		if slices.Contains(types, t) {
			return ""
		}
		return fmt.Sprintf("records have %s and the Protobuf schema has %s", t, n.name)
	}
	switch n.op {
	case opBool:
		return ok(schema.Bool)
	case opInt, opUint, opFloat, opDouble:
		if t.IsNumber() || t == schema.Enum && n.op == opInt && lenient {
			return ""
		}
		return ok()
	case opString:
		if lenient || !t.IsComplex() && t != schema.Bool && !t.IsNumber() {
			return ""
		}
		return ok(schema.String)
	case opBytes, opSized:
		return ok(schema.Bytes, schema.String, schema.UUID)
	case opEnum:
		return ok(schema.Enum, schema.String, schema.Int32)
	case opMessage:
		return ok(schema.Struct, schema.Map)
	case opList:
		return ok(schema.Array)
	case opMap, opEntries:
		if n.key.op == opString {
			return ok(schema.Map, schema.Struct)
		}
		return ok(schema.Map)
	case opTimestamp:
		return ok(schema.Timestamp, schema.String)
	case opLocal:
		return ok(schema.LocalTimestamp, schema.String, schema.Int64)
	case opDuration:
		return ok(schema.Duration, schema.String)
	case opDate:
		return ok(schema.Date, schema.String)
	case opTime:
		return ok(schema.Time, schema.String)
	case opDecimal:
		if t.IsNumber() {
			return ""
		}
		return ok(schema.String)
	case opUUID:
		return ok(schema.UUID, schema.String)
	case opWrapped:
		if !n.members[0].union {
			return fits(n.members[0].fields[0].node, from, lenient)
		}
	}
	return ""
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
		return e.message(dst, n, i)
	}
	out, _, next := e.scalar(dst, n, i)
	return out, next
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

func (e *wstate) list(dst []byte, f *fieldNode, n *wnode, i int) ([]byte, int) {
	if e.b[i] != '[' {
		return dst, e.mismatch(n.name, i)
	}
	start := len(dst)
	if f.packed {
		dst = append(appendTag(dst, f.num, wireBytes), 0)
	}
	at, count := len(dst)-1, 0
	i = scan.Space(e.b, i+1)
	for ; e.b[i] != ']'; count++ {
		if e.b[i] == ',' {
			i = scan.Space(e.b, i+1)
		}
		var next int
		if f.packed {
			dst, _, next = e.scalar(dst, n.elem, i)
		} else {
			dst, _, next = e.occurrence(dst, f, n.elem, i)
		}
		if next < 0 {
			e.at = append(e.at, "["+strconv.Itoa(count)+"]")
			return dst, -1
		}
		i = scan.Space(e.b, next)
	}
	switch {
	case f.packed && count == 0:
		dst = dst[:start]
	case f.packed:
		dst = insertLength(dst, at)
	}
	return dst, i + 1
}

// mapOf writes an object, or pairs where keys are no strings.
func (e *wstate) mapOf(dst []byte, f *fieldNode, n *wnode, i int) ([]byte, int) {
	closing := byte('}')
	switch {
	case e.b[i] == '[' && n.op == opEntries:
		closing = ']'
	case e.b[i] == '{' && (n.op == opMap || n.from == nil):
	default:
		return dst, e.mismatch(n.name, i)
	}
	i = scan.Space(e.b, i+1)
	for e.b[i] != closing {
		if e.b[i] == ',' {
			i = scan.Space(e.b, i+1)
		}
		dst = append(appendTag(dst, f.num, wireBytes), 0)
		at := len(dst) - 1
		key := i
		var next int
		if closing == '}' {
			dst, next = e.keyed(dst, n, i)
		} else {
			dst, next = e.pair(dst, n, i)
		}
		if next < 0 {
			e.at = append(e.at, "["+string(excerpt(e.b[key:scan.Value(e.b, key)]))+"]")
			return dst, -1
		}
		dst = insertLength(dst, at)
		i = scan.Space(e.b, next)
	}
	return dst, i + 1
}

// keyed writes the entry "key": value. A key that is no string has its text
// there, as Protobuf's JSON has it.
func (e *wstate) keyed(dst []byte, n *wnode, i int) ([]byte, int) {
	end := scan.String(e.b, i)
	k := n.members[0]
	if k.fields[0].value.op == opString || k.fields[0].value.op == opUUID {
		text := scan.Unquoted(e.b, i, end)
		if len(text) > 0 || k.fields[0].presence {
			dst = appendBytesField(dst, k.fields[0].num, text)
		}
	} else {
		in := wstate{b: append(scan.Unquoted(e.b, i, end), ' '), lenient: e.lenient}
		if len(in.b) == 1 || record.ValidateJSON(in.b) != nil {
			return dst, e.fail("%s is no %s", excerpt(e.b[i:end]), k.nodes[0].name)
		}
		var next int
		if dst, next = in.member(dst, &k, 0); next < 0 {
			e.err = in.err
			return dst, -1
		}
	}
	return e.entryValue(dst, n, scan.Space(e.b, scan.Space(e.b, end)+1))
}

// pair writes the entry [key, value].
func (e *wstate) pair(dst []byte, n *wnode, i int) ([]byte, int) {
	bad := func() ([]byte, int) {
		return dst, e.fail("an entry of a map is a pair [key, value]: %s", excerpt(e.b[i:scan.Value(e.b, i)]))
	}
	if e.b[i] != '[' {
		return bad()
	}
	k := scan.Space(e.b, i+1)
	if e.b[k] == ']' {
		return bad()
	}
	var next int
	if dst, next = e.member(dst, &n.members[0], k); next < 0 {
		return dst, -1
	}
	if next = scan.Space(e.b, next); e.b[next] != ',' {
		return bad()
	}
	if dst, next = e.entryValue(dst, n, scan.Space(e.b, next+1)); next < 0 {
		return dst, -1
	}
	if next = scan.Space(e.b, next); e.b[next] != ']' {
		return bad()
	}
	return dst, next + 1
}

// entryValue writes the value of an entry, the zero too: so do most.
func (e *wstate) entryValue(dst []byte, n *wnode, i int) ([]byte, int) {
	m := &n.members[1]
	if f := m.fields; len(f) == 1 && !f[0].list && n.field.value.message.MapEntry {
		if e.b[i] == 'n' && m.nodes[0].op != opValue && m.nodes[0].op != opJSON {
			switch w := f[0].value; {
			case w.op == opWrapped && string(w.members[0].absent) == "null":
				return append(appendTag(dst, f[0].num, wireBytes), 0), i + 4
			case e.lenient:
				return dst, i + 4
			}
			return dst, e.mismatch(m.nodes[0].name, i)
		}
		dst, _, next := e.occurrence(dst, f[0], m.nodes[0], i)
		return dst, next
	}
	return e.member(dst, m, i)
}

// anyValue writes any JSON text as google.protobuf.Value.
func (e *wstate) anyValue(dst []byte, n *node, i int) ([]byte, int) {
	if !e.down() {
		return dst, -1
	}
	end := scan.Value(e.b, i)
	switch c := e.b[i]; c {
	case 'n':
		dst = append(dst, 1<<3, 0)
	case 't':
		dst = append(dst, 4<<3, 1)
	case 'f':
		dst = append(dst, 4<<3, 0)
	case '"':
		dst = appendBytesField(dst, 3, scan.Unquoted(e.b, i, end))
	case '{', '[':
		num := 5
		if c == '[' {
			num = 6
		}
		dst = append(appendTag(dst, num, wireBytes), 0)
		at := len(dst) - 1
		var next int
		if dst, next = e.anyElements(dst, n, i); next < 0 {
			return dst, -1
		}
		dst = insertLength(dst, at)
	default:
		text := e.b[i:end]
		f, err := strconv.ParseFloat(alias(text), 64)
		if err != nil || !e.lenient && !exactDouble(text, f) {
			return dst, e.fail("%s: google.protobuf.Value keeps numbers as doubles, which have not all its digits (lenient = true rounds)", excerpt(text))
		}
		dst = appendDouble(append(dst, 2<<3|wire64), f)
	}
	e.depth--
	return dst, end
}

// anyElements writes the content of a google.protobuf.Struct or ListValue.
func (e *wstate) anyElements(dst []byte, n *node, i int) ([]byte, int) {
	closing := e.b[i] + 2 // of { and [
	i = scan.Space(e.b, i+1)
	for e.b[i] != closing {
		if e.b[i] == ',' {
			i = scan.Space(e.b, i+1)
		}
		dst = append(dst, 1<<3|wireBytes, 0)
		at := len(dst) - 1
		inner := -1
		if closing == '}' {
			end := scan.String(e.b, i)
			dst = appendBytesField(dst, 1, scan.Unquoted(e.b, i, end))
			dst = append(dst, 2<<3|wireBytes, 0)
			inner = len(dst) - 1
			i = scan.Space(e.b, scan.Space(e.b, end)+1)
		}
		var next int
		if dst, next = e.anyValue(dst, n, i); next < 0 {
			return dst, -1
		}
		if inner >= 0 {
			dst = insertLength(dst, inner)
		}
		dst = insertLength(dst, at)
		i = scan.Space(e.b, next)
	}
	return dst, i + 1
}

func appendDouble(dst []byte, f float64) []byte {
	return binary.LittleEndian.AppendUint64(dst, floatBits(f))
}
