// Package schema describes the types of record values: what a field is called,
// which type it has, whether it may be null and what it is when it is not
// there. It is what Avro, Protobuf, JSON Schema, Parquet, SQL tables and Kafka
// Connect's data model have in common, so that types survive from one to the
// other.
//
// A Schema is immutable once it is in use, shared by pointer and safe for all
// goroutines. Two that are Equal need not be the same pointer.
package schema

// Type is what a value is.
type Type uint8

// The types. In brackets what stands for a value in typed JSON text (see
// record.JSONOf), which is the form that every encoding can be turned into
// without loss.
const (
	// Any is a value whose type is not known: an undeclared part of a record.
	// (JSON as it is.)
	Any Type = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	// Uint8 to Uint64 come from Protobuf, Parquet and SQL. (A JSON integer.)
	Uint8
	Uint16
	Uint32
	Uint64
	// Float32 and Float64. (A JSON number; "NaN", "Infinity" and "-Infinity" as
	// strings.)
	Float32
	Float64
	String
	// Bytes, of Size bytes each unless Size is 0. (A base64 string.)
	Bytes
	// Decimal is an exact number of Scale digits behind the point and at most
	// Precision in all; Precision 0: any. (A JSON number with all its digits.)
	Decimal
	// Date is a day without zone. ("2006-01-02")
	Date
	// Time is a time of the day in Unit. ("15:04:05.999999999")
	Time
	// Timestamp is an instant in Unit. (RFC 3339 in UTC,
	// "2006-01-02T15:04:05.999999999Z".)
	Timestamp
	// LocalTimestamp is a date and time of the day in no zone, in Unit.
	// ("2006-01-02T15:04:05.999999999")
	LocalTimestamp
	// Duration is a length of time in Unit. (As Go prints it: "1h2m3.5s".)
	Duration
	// UUID (RFC 9562). ("f81d4fae-7dec-11d0-a765-00a0c91e6bf6")
	UUID
	// Enum is one of Symbols. (A string.)
	Enum
	// Array has elements of type Elem. (A JSON array.)
	Array
	// Map has keys of type Key and values of type Elem. (A JSON object where
	// keys are strings, else an array of [key, value] pairs.)
	Map
	// Struct has Fields. (A JSON object with every field, in order.)
	Struct
	// Union is a value of one of Branches; a null branch is Optional instead.
	// (An object with one member, named by Branch.Name.)
	Union
)

// Unit is the precision of Time, Timestamp, LocalTimestamp and Duration.
type Unit uint8

// The units; the zero Unit is Nanosecond, which holds all others.
const (
	Nanosecond Unit = iota
	Microsecond
	Millisecond
	Second
)

// Schema is one type with what is known of it.
type Schema struct {
	Type Type
	// Optional: the value may be null.
	Optional bool
	// Name is the full name (orders.Order) of a Struct, Enum, Bytes of a fixed
	// Size, or of a type of somebody's own; empty: none.
	Name string
	// Version is the one that Kafka Connect keeps; 0: none.
	Version int
	Doc     string
	// Aliases are other full names under which Name was known.
	Aliases []string
	// Default is typed JSON text; nil: none. "null" is one only if Optional.
	Default []byte
	// Parameters are free, such as what a format needs to write the same schema
	// again (connect.*, avro.*); nil: none.
	Parameters map[string]string

	Precision int // Decimal
	Scale     int // Decimal
	Size      int // Bytes
	Unit      Unit
	Symbols   []string // Enum

	Elem     *Schema  // Array, Map
	Key      *Schema  // Map
	Fields   []Field  // Struct
	Branches []Branch // Union

	memo memo
}

// Field is a member of a Struct. Names are unique within it.
type Field struct {
	Name   string
	Schema *Schema
	Doc    string // of the field, not of its type
	// Aliases are names that the field had before.
	Aliases []string
	// Tag is the field's number where the format has one (Protobuf); 0: none.
	Tag int
}

// Branch is one possibility of a Union.
type Branch struct {
	// Name tells the branches apart: a type's full name, or a field's of a
	// Protobuf oneof.
	Name   string
	Schema *Schema
	Tag    int // as of a Field
}
