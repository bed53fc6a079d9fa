// Package connectjson is the encoding of records that are payloads of Kafka
// Connect's JSON converter: JSON text in which dates and times are numbers,
// decimals may be base64, and a union is an object with all its branches.
//
// The bytes are the payload as package connect writes it, and no other: without
// white space, with every field in the order of the schema. So a payload that
// came so leaves as it came, one that is written with its schema needs no more
// than that in front, and an edit is put between ranges of the text.
package connectjson

import (
	"errors"
	"math"
	"sync"

	"github.com/flowrecords/flow/engine/internal/payload"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// Encoding is the encoding of payloads of one schema. It implements
// record.Splicer.
type Encoding struct {
	s       *schema.Schema
	numeric bool

	checker func() *payload.Program
	reader  func() *connect.Reader

	mu   sync.Mutex // guards with
	with map[*schema.Schema]*Encoding
}

// maxKept bounds how many encodings one knows that came from it by edits.
const maxKept = 256

var (
	_ record.Splicer = (*Encoding)(nil)
	_ record.Inner   = (*Encoding)(nil)
)

// Of returns an encoding of payloads of a valid schema, a new one each time: who
// reads many records makes one for all. numeric: decimals are numbers, otherwise
// base64.
func Of(s *schema.Schema, numeric bool) *Encoding {
	e := &Encoding{s: s, numeric: numeric}
	e.checker = sync.OnceValue(func() *payload.Program { return payload.Checker(s, payload.Options{Numeric: numeric}) })
	e.reader = sync.OnceValue(func() *connect.Reader { return connect.NewReader(s, e.options()) })
	return e
}

// options are those by which the bytes are payloads: a null is one, whatever
// default there is.
func (e *Encoding) options() connect.Options {
	return connect.Options{Numeric: e.numeric, KeepNulls: true}
}

// Name implements record.Encoding.
func (*Encoding) Name() string { return "json" }

// Schema implements record.Schemed.
func (e *Encoding) Schema() *schema.Schema { return e.s }

// Numeric reports whether decimals are numbers.
func (e *Encoding) Numeric() bool { return e.numeric }

// Inner implements record.Inner.
func (*Encoding) Inner() {}

// AppendJSON appends the typed JSON text of raw.
func (e *Encoding) AppendJSON(dst, raw []byte) ([]byte, error) { return e.reader().Append(dst, raw) }

// With implements record.Splicer.
func (e *Encoding) With(s *schema.Schema) record.Encoding {
	if s == e.s {
		return e
	}
	if nullKeys(s, map[*schema.Schema]bool{}) {
		return nil
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	to := e.with[s]
	if to == nil {
		to = Of(s, e.numeric)
		if e.with == nil {
			e.with = map[*schema.Schema]*Encoding{}
		}
		if len(e.with) == maxKept {
			clear(e.with)
		}
		e.with[s] = to
	}
	return to
}

// nullKeys reports whether s holds a map in which a key may be null, which not
// every payload can say.
func nullKeys(s *schema.Schema, seen map[*schema.Schema]bool) bool {
	if s == nil || seen[s] {
		return false
	}
	seen[s] = true
	if s.Type == schema.Map && (s.Key.Optional || string(s.Key.Default) == "null") {
		return true
	}
	for i := range s.Fields {
		if nullKeys(s.Fields[i].Schema, seen) {
			return true
		}
	}
	for i := range s.Branches {
		if nullKeys(s.Branches[i].Schema, seen) {
			return true
		}
	}
	return nullKeys(s.Key, seen) || nullKeys(s.Elem, seen)
}

var (
	errLarge = errors.New("record larger than 2 GiB")
	errForm  = errors.New("a payload in another form than flow keeps it in")
)

// Index implements record.Encoding.
func (e *Encoding) Index(d *record.Doc, raw []byte) error {
	if len(raw) > math.MaxInt32 {
		return errLarge
	}
	x := indexer{d: d, b: raw, w: e.checker().Walk(raw)}
	if x.value(e.access(d).root, 0, 0) == len(raw) {
		return nil
	}
	if _, err := e.AppendJSON(nil, raw); err != nil {
		return err
	}
	return errForm
}
