package engine

import (
	"context"

	"github.com/flowrecords/flow/engine/schema"
)

// Schemas is what is known before a run of the records at one place of a
// pipeline. It is never wrong: where not all records have one schema, or it
// depends on what they hold, it is not known, or known in part (schema.Join).
// Of records whose value is null, and of what steps make of these, it says
// nothing.
type Schemas struct {
	// Key and Value are the schemas of keys and values; nil: not known. A part
	// whose type is not known within one that is, is schema.Unknown.
	Key, Value *schema.Schema
}

// TypedExpression is an ExpressionSource that knows of which type its result
// is for records of known types.
type TypedExpression interface {
	ExpressionSource
	// Result returns the type that the result has as a value of its own, as it
	// would be set at a new path; nil: not known. It is the type that a
	// reference stands for, with everything that is known of it, and otherwise
	// the one of the kind of value. It is Optional if the result may be null
	// or missing.
	Result(in Schemas) *schema.Schema
}

// Resulting is a TypedExpression that knows more of its result.
type Resulting interface {
	TypedExpression
	// NamesType reports that the text says of which type the result is, as cast
	// does: what is set to it is of that type, also where a field of another one
	// could hold it.
	NamesType() bool
	// MayBeNothing reports that there may be no result, which is Missing: what
	// would be set to it stays as it is.
	MayBeNothing() bool
}

// NamesType is Resulting.NamesType; false for any other expression.
func NamesType(e Expression) bool {
	r, ok := e.Source.(Resulting)
	return ok && r.NamesType()
}

// MayBeNothing is Resulting.MayBeNothing; false for any other expression.
func MayBeNothing(e Expression) bool {
	r, ok := e.Source.(Resulting)
	return ok && r.MayBeNothing()
}

// Flowing is what is known before a run of the records at an element.
type Flowing struct {
	// In is of the records that the element reads, Out of those that leave it by
	// all ports but errors; of an output, of what it writes.
	In, Out Schemas
	// WhyKey and WhyValue say why Key or Value of Out is not known, in a whole
	// sentence that begins with an element: "input.stdin.in: JSON without a schema."
	WhyKey, WhyValue string
}

// Fetcher is a Converter that can ask elsewhere of which schema records are
// now: a registry for the latest version of a subject. Records of a run may be
// of others.
type Fetcher interface {
	// Fetch returns the schema of the keys or values of a topic; nil: there is
	// nothing to ask. It is called without Open, never during a run.
	Fetch(ctx context.Context, topic string, key bool) (*schema.Schema, error)
}

// Remote is a Converter that may have to ask elsewhere with which schema it
// writes.
type Remote interface {
	// FromRegistry reports that a registry says with which schema all records are
	// written, whatever their own and that of an option is.
	FromRegistry() bool
}

// Taker is a Converter that cannot write values of every schema, or not
// without loss.
type Taker interface {
	// Takes returns what is wrong with writing values of s, each part with its
	// path in the text; nothing if all of it can be written and read back, or
	// if that depends on parts that are schema.Unknown. It does no I/O.
	Takes(s *schema.Schema) []Problem
}

// ResultOf returns the type of an expression's result; nil: not known.
func ResultOf(e Expression, in Schemas) *schema.Schema {
	if t, ok := e.Source.(TypedExpression); ok {
		return t.Result(in)
	}
	return nil
}
