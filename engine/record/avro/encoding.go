package avro

import (
	"sync"
	"sync/atomic"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Encoding is the record.Encoding of Avro binary data of one schema. It reads
// what a projection asks for in one pass that checks all bytes, and writes
// edits of fields without a detour. Make one for each schema and keep it: what
// is prepared for it is kept in it.
type Encoding struct {
	schema *Schema
	typed  *schema.Schema
	root   *node
	nodes  []*node

	// plans of the latest projections. A list is never changed, so that a
	// reader needs no lock.
	plans atomic.Pointer[[]*plan]

	mu sync.Mutex // guards the following
	// with holds the encodings of schemas that came from this one by edits.
	with map[*schema.Schema]*Encoding
}

const (
	// maxPlans bounds how many projections are remembered: one for each worker
	// of the stages that see the encoding.
	maxPlans = 256
	// maxWith bounds how many edited schemas are remembered.
	maxWith = 256
)

var _ record.Splicer = (*Encoding)(nil)

// NewEncoding returns the encoding of s.
func NewEncoding(s *Schema) (*Encoding, error) {
	typed, err := ToSchema(s)
	if err != nil {
		return nil, err
	}
	return newEncoding(s, typed), nil
}

func newEncoding(s *Schema, typed *schema.Schema) *Encoding {
	c := compiler{done: map[*Schema]*node{}}
	e := &Encoding{schema: s, typed: typed, root: c.node(s), with: map[*schema.Schema]*Encoding{}}
	for _, n := range c.done {
		n.number = uint32(len(e.nodes))
		e.nodes = append(e.nodes, n)
	}
	return e
}

// Name is avro.
func (*Encoding) Name() string { return "avro" }

// Schema returns the flow schema of the data.
func (e *Encoding) Schema() *schema.Schema { return e.typed }

// Avro returns the Avro schema of the data.
func (e *Encoding) Avro() *Schema { return e.schema }

// AppendJSON appends the typed JSON text of raw.
func (e *Encoding) AppendJSON(dst, raw []byte) ([]byte, error) {
	r := reader{b: raw, start: len(dst)}
	out, i := r.json(dst, e.root, 0)
	if i >= 0 && i != len(raw) {
		i = r.fail(i, "%d bytes behind the value", len(raw)-i)
	}
	if i < 0 {
		return dst, r.failure()
	}
	return out, nil
}

// Check reports whether raw is data of the schema, from the first byte to the
// last.
func (e *Encoding) Check(raw []byte) error {
	r := reader{b: raw}
	i := r.skip(e.root, 0)
	if i >= 0 && i != len(raw) {
		i = r.fail(i, "%d bytes behind the value", len(raw)-i)
	}
	if i < 0 {
		return r.failure()
	}
	return nil
}

// With implements record.Splicer.
func (e *Encoding) With(s *schema.Schema) record.Encoding {
	if s == e.typed {
		return e
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if n := e.with[s]; n != nil {
		return n
	}
	a, err := FromSchema(s, FromOptions{})
	if err != nil {
		return nil
	}
	n := newEncoding(a, s)
	if len(e.with) >= maxWith {
		clear(e.with)
	}
	e.with[s] = n
	return n
}

// Size returns how many bytes the value takes with which raw begins, checking
// them: data may hold many values one behind the other.
func (e *Encoding) Size(raw []byte) (int, error) {
	r := reader{b: raw}
	i := r.skip(e.root, 0)
	if i < 0 {
		return 0, r.failure()
	}
	return i, nil
}
