package engine

import (
	"regexp"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// The types that an option's field in a Config may have, beside string, bool,
// int, int64, float64, time.Duration, []string, map[string]string, and
// structs for nested blocks. The tag says the rest:
//
//	flow:"name"                 the option's name in HCL (lower_snake_case)
//	flow:"name,required"        must be given
//	flow:"name,bool"            an Expression whose result must be a bool
//	flow:"name,shown"           an Expression, Template or NamedExpressions
//	                            whose result people see (a log): it must not
//	                            use a secret (Invariant 7)
//	flow:"name,destination"     a Template that decides where data goes: it
//	                            needs a literal prefix or an allow-list; on
//	                            an Expression the same
//	flow:"name,destination,url" a Template of a URL: scheme and host must be
//	                            literal, and what holes give is
//	                            percent-encoded
//	flow:"name,block"           a nested block: struct or *struct (at most one,
//	                            a pointer stays nil without it) or []struct
//	flow:",label"               within a block's struct: string field that
//	                            holds the block's label
//	doc:"..."                   one or two sentences, required
//	example:"..."               HCL text of a value
//	oneof:"a b c"               the allowed values of a string
//	min:"1" max:"10"            bounds of a number, duration or size
//	unit:"records"              what a number counts, in the plural; "" for one
//	                            that counts nothing, such as a seed. Durations
//	                            and sizes have their own units
//	since:"0.2.0"               the version of flow in which the option came, if
//	                            it is younger than its component
//	system:"kafka"              the type of a ConnectionRef
//	notation:"avro type"        how text in a SchemaOption may be written, the
//	                            first one that it looks like (see Notations);
//	                            a notation of the component's own comes alone
//	allow:"topics"              beside destination: the list of string next to
//	                            it that holds all results that the component
//	                            accepts
//
// A slice of a scalar type of this list ([]PathOption, []Pattern) is a list
// of these. Structs that are embedded without a tag share groups of options.
// Exported fields without a flow tag are no options.
//
// What Defaults returns is what an absent option means.
type (
	// ByteSize is a number of bytes, written in HCL as a number or as a
	// string with unit: "64KiB", "10MB".
	ByteSize int64

	// Secret is a string that prints as (secret) everywhere (Invariant 7).
	Secret struct{ value string }

	// Expression is an option that holds an expression. The compiler sets it.
	Expression struct{ Source ExpressionSource }

	// Template is an option with text and {{ expression }} holes.
	Template struct{ Source TemplateSource }

	// PathOption is an option that holds a path within a value.
	PathOption struct{ Path record.Path }

	// Assignments are path = expression pairs in the order of the file.
	Assignments []Assignment

	// Renames are from = to pairs in the order of the file.
	Renames []Rename

	// NamedExpressions are name = expression pairs in the order of the file
	// (headers). Names are literal.
	NamedExpressions []NamedExpression

	// Pattern is a regular expression (RE2).
	Pattern struct{ *regexp.Regexp }

	// ConnectionRef is an option that refers to a connection block.
	ConnectionRef struct {
		// Name is the address: connection.kafka.main. Empty: not given.
		Name string
		// Value is what the connection's factory made; the component asserts
		// its type.
		Value any
	}

	// SchemaOption is an option that holds a schema: schema.NAME of the config,
	// or text in one of the notations of its tag.
	SchemaOption struct {
		// Name is the address of a schema block: schema.order. Empty: the schema
		// stands at the option itself, or is not given.
		Name string
		// Schema is what was given, valid; nil: nothing, or text in a notation
		// that only the component reads.
		Schema *schema.Schema
		// Notation is what Text is written in, at the option or in the block;
		// both are empty for a block that lists fields. Who writes the same
		// notation takes Text, which holds what a Schema has no place for.
		Notation, Text string
	}
)

// Assignment is one pair of Assignments.
type Assignment struct {
	Path record.Path
	Expr Expression
}

// Rename is one pair of Renames.
type Rename struct{ From, To record.Path }

// NamedExpression is one pair of NamedExpressions.
type NamedExpression struct {
	Name string
	Expr Expression
}

// ExpressionSource is a checked expression. The compiler implements it.
type ExpressionSource interface {
	// Text is the expression as written.
	Text() string
	// Bind adds the paths that it reads to l and returns a program for one
	// worker. The program works on records made over l.
	Bind(l *record.Layout) (Program, error)
}

// Fingerprinter is an ExpressionSource that can tell whether a result kept by
// an earlier run is of the same expression.
type Fingerprinter interface {
	// Fingerprint is equal for expressions that are laid out differently and
	// else the same, and differs when a constant or function that the
	// expression uses has changed.
	Fingerprint() [16]byte
}

// Program is an expression bound to a worker. Its errors are errors of the
// record.
type Program interface {
	// Eval returns the result, valid until r is loaded anew.
	Eval(r *record.Record) (record.Value, error)
	// Test returns the result of an expression that was checked to be a bool.
	Test(r *record.Record) (bool, error)
}

// TemplateSource is a checked template. The compiler implements it.
type TemplateSource interface {
	Text() string
	// Literal returns the text of a template without holes.
	Literal() (string, bool)
	Bind(l *record.Layout) (TemplateProgram, error)
}

// TemplateProgram is a template bound to a worker.
type TemplateProgram interface {
	// Append appends the text. A hole that is missing or null is an error of
	// the record: a destination is never built from nothing.
	Append(dst []byte, r *record.Record) ([]byte, error)
}

// NewSecret wraps s.
func NewSecret(s string) Secret { return Secret{s} }

// Reveal returns the text, for the one place that needs it.
func (s Secret) Reveal() string { return s.value }

// IsZero reports an empty secret.
func (s Secret) IsZero() bool { return s.value == "" }

const redacted = "(secret)"

// String keeps a secret out of %v and %s.
func (Secret) String() string { return redacted }

// GoString keeps a secret out of %#v.
func (Secret) GoString() string { return redacted }

// MarshalText keeps a secret out of JSON and logs.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// IsZero reports that the option was not given.
func (e Expression) IsZero() bool { return e.Source == nil }

// IsZero reports that the option was not given.
func (t Template) IsZero() bool { return t.Source == nil }

// IsZero reports that the option was not given.
func (o SchemaOption) IsZero() bool { return o.Schema == nil && o.Text == "" }
