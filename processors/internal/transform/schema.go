package transform

import (
	"sync"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// IsLeaf reports a type without parts.
func IsLeaf(s *schema.Schema) bool {
	switch s.Type {
	case schema.Any, schema.Array, schema.Map, schema.Struct, schema.Union:
		return false
	}
	return true
}

// IsText reports a type whose values are texts or bytes: alone, in a key or value
// that was text, they stay without a schema.
func IsText(s *schema.Schema) bool {
	switch s.Type {
	case schema.String, schema.UUID, schema.Enum, schema.Bytes:
		return true
	}
	return false
}

// Plain is a schema of a type with nothing else but whether it is optional.
func Plain(t schema.Type, optional bool) *schema.Schema {
	return &schema.Schema{Type: t, Optional: optional}
}

// maxPlans bounds how many schemas a processor remembers: a stream whose schema
// changes with every record must not fill the memory.
const maxPlans = 1024

// Plans keeps, for each schema that came by, what a processor does with records
// of it. The workers of a processor share it, so that records of one schema
// have one schema behind it, too, whichever worker had them.
type Plans[P any] struct {
	// Make makes the plan of a schema, which is never nil. An error is one of
	// each record of that schema.
	Make func(s *schema.Schema) (P, error)

	mu   sync.Mutex // guards seen
	seen map[*schema.Schema]planned[P]
}

type planned[P any] struct {
	plan P
	err  error
}

// Planner is one worker's look at Plans.
type Planner[P any] struct {
	plans *Plans[P]
	last  *schema.Schema
	planned[P]
}

// Planner returns a look at p for one goroutine.
func (p *Plans[P]) Planner() *Planner[P] { return &Planner[P]{plans: p} }

// At returns the plan of the schema that a document has; none, if it has none.
func (w *Planner[P]) At(d *record.Doc) (plan P, err error) {
	if s := SchemaOf(d); s != nil {
		return w.Of(s)
	}
	return plan, nil
}

// Of returns the plan of a schema.
func (w *Planner[P]) Of(s *schema.Schema) (P, error) {
	if s != w.last {
		w.last, w.planned = s, w.plans.of(s)
	}
	return w.plan, w.err
}

func (p *Plans[P]) of(s *schema.Schema) planned[P] {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known, ok := p.seen[s]; ok {
		return known
	}
	if p.seen == nil || len(p.seen) >= maxPlans {
		p.seen = make(map[*schema.Schema]planned[P])
	}
	var made planned[P]
	made.plan, made.err = p.Make(s)
	p.seen[s] = made
	return made
}

// SchemaOf returns the schema of a document as it is now, nil if it has none.
func SchemaOf(d *record.Doc) *schema.Schema { return record.SchemaOf(d.Encoding()) }

// SetAs sets a value of a schema; nil: a value of no schema, or of that which
// the document gives it.
func SetAs(d *record.Doc, id record.PathID, v record.Value, s *schema.Schema) error {
	switch {
	case s == nil:
		return d.Set(id, v)
	case id == record.Root && v.IsNil():
		if err := d.Set(id, record.NullValue()); err != nil {
			return err
		}
		return d.Retype(id, s)
	}
	return d.SetAs(id, v, s)
}

// Unknown reports that s says nothing of what is at a path: on the way stands a
// part whose type is not known.
func Unknown(s *schema.Schema, path record.Path) bool {
	for i := 0; s != nil && i < len(path); i++ {
		if s.Type == schema.Any {
			return true
		}
		s = record.TypeAt(s, path[i:i+1])
	}
	return s != nil && s.Type == schema.Any
}
