// Package avro reads and writes Apache Avro: schemas as JSON text, their
// conversion to and from flow's schemas, and data in Avro's binary form, as an
// encoding of records that is read without a map in between.
//
// Schemas and data come from outside. Every length, count and depth that is
// read has a bound, and what is refused is an error that says where.
package avro

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Kind is what an Avro schema describes.
type Kind uint8

// The kinds, as in the specification.
const (
	Null Kind = iota
	Boolean
	Int
	Long
	Float
	Double
	Bytes
	String
	Record
	Enum
	Fixed
	Array
	Map
	Union
)

var kindNames = [...]string{"null", "boolean", "int", "long", "float", "double", "bytes", "string", "record", "enum", "fixed", "array", "map", "union"}

// String returns the kind's name in Avro.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// primitive returns the kind of a primitive type's name.
func primitive(name string) (Kind, bool) {
	for k := Null; k <= String; k++ {
		if kindNames[k] == name {
			return k, true
		}
	}
	return 0, false
}

// Logical is a logical type.
type Logical uint8

// The logical types of the specification. One that is not known, or does not
// fit its type, is a property as any other.
const (
	None Logical = iota
	Decimal
	UUID
	Date
	TimeMillis
	TimeMicros
	TimestampMillis
	TimestampMicros
	TimestampNanos
	LocalTimestampMillis
	LocalTimestampMicros
	LocalTimestampNanos
	Duration
)

var logicalNames = [...]string{"", "decimal", "uuid", "date", "time-millis", "time-micros", "timestamp-millis", "timestamp-micros", "timestamp-nanos",
	"local-timestamp-millis", "local-timestamp-micros", "local-timestamp-nanos", "duration"}

// String returns the logical type's name in Avro, empty for None.
func (l Logical) String() string { return logicalNames[l] }

// Schema is an Avro schema as it was declared. It is immutable and may hold
// itself. Named types that are used twice are one Schema.
type Schema struct {
	Kind    Kind
	Logical Logical
	// Name is the full name of a Record, Enum or Fixed.
	Name    string
	Aliases []string // full names
	Doc     string
	// Precision and Scale belong to Decimal, Size to Fixed.
	Precision, Scale, Size int
	Symbols                []string
	// Default is the symbol that stands for those a reader does not know.
	Default    string
	HasDefault bool
	Elem       *Schema   // Array, Map
	Fields     []Field   // Record
	Branches   []*Schema // Union
	// Props are all other properties, in their order.
	Props []Property
	// Error: the record was declared as type error.
	Error bool

	source string
}

// Source is the text that Parse has read, character by character: registries
// tell texts apart that mean the same. It is empty for a schema that was made
// in another way, or whose text needs references.
func (s *Schema) Source() string { return s.source }

// Field is a member of a Record.
type Field struct {
	Name    string
	Aliases []string
	Doc     string
	Type    *Schema
	// Default is the JSON text of the default; nil: none.
	Default []byte
	Order   string // ascending (or empty), descending, ignore
	Props   []Property
}

// Property is something that a schema says beyond Avro.
type Property struct {
	Name string
	// Value is JSON text.
	Value []byte
}

// Bounds of a schema's text. They are far above what people declare.
const (
	maxText   = 4 << 20
	maxDepth  = 100
	maxFields = 100_000 // fields, branches and symbols in all
	maxFixed  = 16 << 20
)

var errLarge = errors.New("a record of more than 2 GiB")

var errText = fmt.Errorf("the schema's text is larger than %d bytes", maxText)

// ErrUnknownName is the cause of a Parse that met a name which is neither
// declared nor known.
var ErrUnknownName = errors.New("unknown type")

// named reports whether the schema has a name.
func (s *Schema) named() bool { return s.Kind == Record || s.Kind == Enum || s.Kind == Fixed }

// branchName is what tells the schema apart in a union.
func (s *Schema) branchName() string {
	if s.named() {
		return s.Name
	}
	return s.Kind.String()
}

// propFlowBranch is what a branch is called in flow. On a named type, which may
// be used elsewhere, too, it counts in unions of several types only.
const propFlowBranch = "flow.branch"

// tags are the names of a union's branches in text: those of their types, as in
// Avro's JSON, or those that flow has given them.
func (s *Schema) tags() []string {
	tags := make([]string, len(s.Branches))
	given := true
	for i, b := range s.Branches {
		tags[i] = b.branchName()
		if own := b.stringProp(propFlowBranch); own != "" && b.Kind != Null {
			tags[i] = own
		}
		given = given && !slices.Contains(tags[:i], tags[i])
	}
	if given {
		return tags
	}
	for i, b := range s.Branches {
		tags[i] = b.branchName()
	}
	return tags
}

// propFlowName is what a field is called in flow, where Avro does not allow
// such a name.
const propFlowName = "flow.name"

// fieldNames are the names of a record's fields in flow and in text.
func (s *Schema) fieldNames() []string {
	names := make([]string, len(s.Fields))
	own := false
	for i := range s.Fields {
		names[i] = s.Fields[i].Name
		if name := stringProp(s.Fields[i].Props, propFlowName); name != "" && !validName(name) {
			names[i], own = name, true
		}
	}
	if !own {
		return names
	}
	seen := make(map[string]bool, len(names))
	for _, name := range names {
		if seen[name] { // somebody else's property
			for i := range s.Fields {
				names[i] = s.Fields[i].Name
			}
			return names
		}
		seen[name] = true
	}
	return names
}

// optional returns the index of the null of a union of null and one other
// type, and that type. A union whose branch flow has named is none.
func (s *Schema) optional() (null int, other *Schema, ok bool) {
	if s.Kind != Union || len(s.Branches) != 2 || slices.ContainsFunc(s.Branches, func(b *Schema) bool { return !b.named() && b.stringProp(propFlowBranch) != "" }) {
		return 0, nil, false
	}
	switch {
	case s.Branches[0].Kind == Null:
		return 0, s.Branches[1], true
	case s.Branches[1].Kind == Null:
		return 1, s.Branches[0], true
	}
	return 0, nil, false
}

// Prop returns the JSON text of a property, nil if there is none.
func (s *Schema) Prop(name string) []byte { return prop(s.Props, name) }

func prop(props []Property, name string) []byte {
	for _, p := range props {
		if p.Name == name {
			return p.Value
		}
	}
	return nil
}

// simple returns a full name without its namespace.
func simple(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// namespace returns what stands before the last point of a full name.
func namespace(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i]
	}
	return ""
}
