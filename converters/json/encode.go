package jsonconv

import (
	"errors"
	"slices"
	"sync"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// Texts and bytes have no schema of their own. As Connect's converters do, they
// are read as optional.
var (
	stringSchema = schema.New(schema.String).AsOptional()
	bytesSchema  = schema.New(schema.Bytes).AsOptional()
)

// sourceSchema is the schema of a value of an encoding; nil: it has none.
func sourceSchema(from record.Encoding) *schema.Schema {
	switch from {
	case record.Text:
		return stringSchema
	case record.Opaque:
		return bytesSchema
	}
	return record.SchemaOf(from)
}

// target is what values of one schema are written as.
type target struct {
	as      *schema.Schema // nil: they have no schema
	planned                // how typed text becomes that of as
	// head is the envelope up to the payload.
	head []byte
	// payloads writes them; nil for form = "plain" and without a schema.
	payloads *connect.Writer
}

var errSchemaless = errors.New(`the value has no schema, which an envelope of Kafka Connect needs: give the converter a schema, set schemaless = "null", or write form = "payload"`)

func (c *converter) target(s *schema.Schema) (*target, error) {
	t := &target{as: s, planned: planned{same: s != nil}}
	var err error
	if c.given != nil {
		if t.as = c.given; s != nil {
			if t.planned, err = c.plans.of(s, c.given); err != nil {
				return nil, err
			}
		}
	}
	if t.as != nil && c.config.Form != formPlain {
		if ps := c.foreign(t.as); len(ps) > 0 {
			return nil, errors.New(ps[0].Summary)
		}
		t.payloads = connect.NewWriter(t.as, c.options)
	}
	if c.config.Form != formEnvelope {
		return t, nil
	}
	var node []byte
	switch {
	case t.as != nil:
		if node, err = connect.AppendSchema(nil, t.as, c.options); err != nil {
			return nil, err
		}
	case c.config.Schemaless == "error":
		return nil, errSchemaless
	}
	t.head = connect.AppendEnvelope(nil, node, nil)
	t.head = t.head[:len(t.head)-1]
	return t, nil
}

// maxKept bounds the schemas that a converter remembers; beyond it all are made
// ready anew.
const maxKept = 1000

// targets keeps the target of each schema, and the errors, for all working
// copies.
type targets struct {
	mu sync.Mutex // guards by
	by map[*schema.Schema]*made
}

type made struct {
	t   *target
	err error
}

func (k *targets) of(c *converter, from record.Encoding) (*target, error) {
	s := sourceSchema(from)
	k.mu.Lock()
	m := k.by[s]
	k.mu.Unlock()
	if m == nil {
		m = &made{}
		m.t, m.err = c.target(s)
		k.mu.Lock()
		if k.by == nil || len(k.by) >= maxKept {
			k.by = make(map[*schema.Schema]*made)
		}
		k.by[s] = m
		k.mu.Unlock()
	}
	return m.t, m.err
}

// plans keeps how values of other schemas become the given one.
type plans struct {
	mu sync.Mutex // guards by
	by map[*schema.Schema]*planned
}

type planned struct {
	// plan turns typed text into that of the other schema; nil: it is that
	// already.
	plan *schema.Plan
	same bool // the types are equal, so that payloads are, too
	err  error
}

func (k *plans) of(from, to *schema.Schema) (planned, error) {
	if from == to {
		return planned{same: true}, nil
	}
	k.mu.Lock()
	p := k.by[from]
	k.mu.Unlock()
	if p == nil {
		p = &planned{same: schema.EqualTypes(from, to)}
		if p.plan, p.err = schema.NewPlan(from, to, schema.Resolution); p.err == nil && p.plan.Action == schema.Keep {
			p.plan = nil
		}
		k.mu.Lock()
		if k.by == nil || len(k.by) >= maxKept {
			k.by = make(map[*schema.Schema]*planned)
		}
		k.by[from] = p
		k.mu.Unlock()
	}
	return *p, p.err
}

// writer is a working copy for records of one encoding.
type writer struct {
	*converter
	from      record.Encoding
	target    *target
	err       error
	text, two []byte

	// as says what payloads need to be the ones that are written.
	as       asPayload
	rewriter *connect.Rewriter
}

// asPayload is how a payload becomes the one that is written.
type asPayload uint8

const (
	asTyped     asPayload = iota // by way of typed JSON text, or it is none
	asItIs                       // it is that already
	asRewritten                  // by the rewriter
)

// payloads makes w ready for records that are payloads of the target's schema.
func (w *writer) payloads(from record.Encoding) {
	e, ok := from.(*connectjson.Encoding)
	t := w.target
	switch {
	case !ok || t.payloads == nil || !t.same:
	case e.Numeric() == w.options.Numeric && (w.options.KeepNulls || !hasDefaults(t.as, map[*schema.Schema]bool{})):
		w.as = asItIs
	default:
		o := w.options
		o.Lenient = false
		w.as, w.rewriter = asRewritten, connect.NewRewriter(t.as, o)
	}
}

// hasDefaults reports whether a null in a value of s may stand for a default.
func hasDefaults(s *schema.Schema, seen map[*schema.Schema]bool) bool {
	if s == nil || seen[s] {
		return false
	}
	seen[s] = true
	if len(s.Default) > 0 && string(s.Default) != "null" {
		return true
	}
	within := func(fields *schema.Schema) bool { return hasDefaults(fields, seen) }
	return slices.ContainsFunc(s.Fields, func(f schema.Field) bool { return within(f.Schema) }) ||
		slices.ContainsFunc(s.Branches, func(b schema.Branch) bool { return within(b.Schema) }) || within(s.Key) || within(s.Elem)
}

func (w *writer) encode(dst, src []byte) ([]byte, error) {
	if w.err != nil {
		return dst, w.err
	}
	t := w.target
	if w.as == asItIs {
		dst = append(append(dst, t.head...), src...)
		if t.head != nil {
			dst = append(dst, '}')
		}
		return dst, nil
	}
	if w.as == asTyped && !record.IsJSON(w.from) {
		var err error
		if w.text, err = w.from.AppendJSON(w.text[:0], src); err != nil {
			return dst, err
		}
		src = w.text
	}
	if t.plan != nil {
		var err error
		if w.two, err = t.plan.Append(w.two[:0], src); err != nil {
			return dst, err
		}
		src = w.two
	}
	begin := len(dst)
	out, err := w.write(append(dst, t.head...), src)
	if err != nil {
		return dst[:begin], err
	}
	if t.head != nil {
		out = append(out, '}')
	}
	return out, nil
}

// write appends typed text, or JSON without schema.
func (w *writer) write(dst, src []byte) ([]byte, error) {
	switch t := w.target; {
	case t.as != nil && w.config.Form == formPlain:
		if record.SchemaOf(w.from) == nil {
			if err := schema.Check(t.as, src); err != nil {
				return dst, err
			}
		}
		return append(dst, src...), nil
	case w.as == asRewritten:
		return w.rewriter.Append(dst, src)
	case t.as != nil:
		return t.payloads.Append(dst, src)
	}
	if err := record.ValidateJSON(src); err != nil {
		return dst, err
	}
	return append(dst, src...), nil
}
