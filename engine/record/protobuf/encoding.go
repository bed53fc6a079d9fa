package protobuf

import (
	"fmt"
	"sync"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Encoding is the record.Encoding of Protobuf data of one message type. It
// reads what a projection asks for in one pass that checks all bytes, and
// writes edits of fields without a detour: what it does not know, fields of a
// newer version of the message, stays where it is. Make one for each message
// type and keep it: what is prepared for it is kept in it.
//
// A record of the encoding that is turned into JSON text loses the fields that
// are not known.
type Encoding struct {
	message *Message
	typed   *schema.Schema
	root    *node
	nodes   []*node
	readers sync.Pool // of *reader

	mu sync.Mutex // guards the following
	// with holds the encodings of schemas that came from this one by edits.
	with map[*schema.Schema]*Encoding
}

// maxWith bounds how many edited schemas are remembered.
const maxWith = 256

var _ record.Splicer = (*Encoding)(nil)

// NewEncoding returns the encoding of m.
func NewEncoding(m *Message) (*Encoding, error) {
	typed, err := ToSchema(m)
	if err != nil {
		return nil, err
	}
	return newEncoding(m, typed)
}

func newEncoding(m *Message, typed *schema.Schema) (*Encoding, error) {
	c := newCompiler()
	e := &Encoding{message: m, typed: typed, root: c.root(m), with: map[*schema.Schema]*Encoding{}}
	e.nodes = c.nodes
	if c.err != nil {
		return nil, fmt.Errorf("reading the Protobuf message %s: %w", m.Name, c.err)
	}
	e.readers.New = func() any { return new(reader) }
	return e, nil
}

// Name is protobuf.
func (*Encoding) Name() string { return "protobuf" }

// Schema returns the flow schema of the data.
func (e *Encoding) Schema() *schema.Schema { return e.typed }

// Message returns the message type of the data.
func (e *Encoding) Message() *Message { return e.message }

// AppendJSON appends the typed JSON text of raw.
func (e *Encoding) AppendJSON(dst, raw []byte) ([]byte, error) {
	r := e.readers.Get().(*reader)
	defer e.release(r)
	r.reset(raw)
	r.start = len(dst)
	all := piece{end: uint32(len(raw))}
	if !r.missing(e.root, all) {
		return dst, r.failure()
	}
	out, ok := r.json(dst, e.root, all)
	if !ok {
		return dst, r.failure()
	}
	return out, nil
}

// release gives a reader back.
func (e *Encoding) release(r *reader) {
	r.release()
	e.readers.Put(r)
}

// Check reports whether raw is data of the message, from the first byte to the
// last.
func (e *Encoding) Check(raw []byte) error {
	r := e.readers.Get().(*reader)
	defer e.release(r)
	r.reset(raw)
	all := piece{end: uint32(len(raw))}
	if !r.checkBody(e.root, all) || !r.missing(e.root, all) {
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
	m, err := FromSchema(s, FromOptions{Base: e.message})
	if err != nil {
		return nil
	}
	n, err := newEncoding(m, s)
	if err != nil {
		return nil
	}
	if len(e.with) >= maxWith {
		clear(e.with)
	}
	e.with[s] = n
	return n
}

func unixTime(sec int64, nsec int) time.Time { return time.Unix(sec, int64(nsec)).UTC() }
