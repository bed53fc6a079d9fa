// Package jsonschema reads and writes JSON Schema (drafts 4, 6, 7, 2019-09 and
// 2020-12) as schema registries use it for records, with the keywords connect.*
// by which Kafka Connect's JSON Schema converter keeps its types.
//
// What is written is draft 7. Keywords of flow's own keep what neither JSON
// Schema nor connect.* can say, so that every schema comes back as it was:
// flow.type (a type as schema.Parse reads it), flow.name, flow.version,
// flow.aliases, flow.branch and flow.tag (of the branch of a union), flow.field
// (doc, aliases and tag of a field). Validators leave them alone.
//
// Read are also: null beside another type, in a list of types or in oneOf or
// anyOf, as optional; several types as a union; a property that is not required
// as optional, whose null is left out where the type does not allow one (the
// parameter jsonschema.absent says so); enum and const of strings as an enum; additionalProperties
// without properties as a map; the formats uuid, date and date-time; $ref within
// the text and, by Options.Resolve, to others; allOf of objects as one struct.
// Keywords that say nothing of the type (pattern, maximum) are kept in the
// parameter jsonschema.keywords and written again.
package jsonschema

import (
	"github.com/flowrecords/flow/engine/internal/payload"
	"github.com/flowrecords/flow/engine/schema"
)

// Parameters that keep what JSON Schema says beyond the type.
const (
	paramKeywords = "jsonschema.keywords" // a JSON object
	paramFormat   = payload.Format
	paramAbsent   = payload.Absent
)

// Options say how payloads are written and read.
type Options struct {
	// KeepNulls and Lenient are those of package connect.
	KeepNulls bool
	Lenient   bool
	// Drop leaves out, when reading, members that the schema does not have.
	// Lenient does, too.
	Drop bool
	// Base64 writes decimals as base64 of their bytes, as Kafka Connect does by
	// default, although their schema says that they are numbers. Both are read.
	Base64 bool
}

func (o Options) inner() payload.Options {
	return payload.Options{Plain: true, FillIn: true, Numeric: !o.Base64, KeepNulls: o.KeepNulls, Lenient: o.Lenient, Drop: o.Drop}
}

// AppendPayload appends typed JSON text of a valid schema as plain JSON that the
// JSON Schema of it describes: unions without the name of a branch, Connect's
// own dates and times as numbers, bytes in base64.
func AppendPayload(dst, typed []byte, s *schema.Schema, o Options) ([]byte, error) {
	return payload.Append(dst, typed, s, o.inner())
}

// AppendTyped appends plain JSON as typed JSON text of a valid schema. Of the
// branches of a union the first that takes a value is its.
func AppendTyped(dst, text []byte, s *schema.Schema, o Options) ([]byte, error) {
	return payload.AppendTyped(dst, text, s, o.inner())
}

// The names by which Connect tells its logical types, which stand as title.
const (
	decimalName   = "org.apache.kafka.connect.data.Decimal"
	dateName      = "org.apache.kafka.connect.data.Date"
	timeName      = "org.apache.kafka.connect.data.Time"
	timestampName = "org.apache.kafka.connect.data.Timestamp"
)

// saysLogical reports whether a type whose title is name would be read as one of
// them.
func saysLogical(name string) bool {
	return name == decimalName || name == dateName || name == timeName || name == timestampName
}

// form is how a leaf is written.
type form struct {
	word    string // type
	connect string // connect.type
	logical string // title
	format  string
	own     bool // flow.type says which it is
}

func formOf(s *schema.Schema) form {
	if f := s.Parameters[paramFormat]; f == "time" && s.Type == schema.Time && s.Unit == schema.Millisecond {
		// The format "time" has a zone, which ours has not.
		return form{word: "string", own: true}
	} else if f != "" && (f == "date" && s.Type == schema.Date || f == "date-time" && s.Type == schema.Timestamp) {
		return form{word: "string", format: f, own: s.Unit != schema.Nanosecond}
	}
	switch s.Type {
	case schema.Any:
		return form{own: true}
	case schema.Bool:
		return form{word: "boolean"}
	case schema.Int8, schema.Int16, schema.Int32, schema.Int64:
		return form{word: "integer", connect: s.Type.String()}
	case schema.Uint8, schema.Uint16, schema.Uint32, schema.Uint64:
		return form{word: "integer", own: true}
	case schema.Float32, schema.Float64:
		return form{word: "number", connect: s.Type.String()}
	case schema.Bytes:
		return form{word: "string", connect: "bytes", own: s.Size > 0}
	case schema.Decimal:
		return form{word: "number", connect: "bytes", logical: decimalName}
	case schema.Date:
		return form{word: "integer", connect: "int32", logical: dateName}
	case schema.Time:
		if s.Unit == schema.Millisecond {
			return form{word: "integer", connect: "int32", logical: timeName}
		}
	case schema.Timestamp:
		if s.Unit == schema.Millisecond {
			return form{word: "integer", connect: "int64", logical: timestampName}
		}
		return form{word: "string", format: "date-time", own: true}
	case schema.UUID:
		return form{word: "string", format: "uuid"}
	case schema.String, schema.Enum:
		return form{word: "string"}
	case schema.Array:
		return form{word: "array"}
	case schema.Map:
		if s.Key.Type == schema.String {
			return form{word: "object", connect: "map"}
		}
		return form{word: "array", connect: "map"}
	case schema.Struct:
		return form{word: "object"}
	case schema.Union:
		return form{own: true}
	default:
	}
	return form{word: "string", own: true}
}
