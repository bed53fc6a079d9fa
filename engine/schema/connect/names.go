// Package connect reads and writes what Kafka Connect's JsonConverter does: an
// envelope of a schema and a payload.
//
//	{"schema":{"type":"int32","optional":false},"payload":1}
//
// Every attribute that a schema of Connect has is kept. What Connect has no
// type for is written as one that it has, with parameters from which flow reads
// it back exactly; Connect then sees the plain type:
//
//	flow type                         written as                     flow.type
//	timestamp(s, us, ns)              int64                          timestamp(us)
//	time(us, ns), time(s)             int64, int32                   time(us)
//	local_timestamp, duration         int64                          duration(ns)
//	uint8, uint16, uint32             int16, int32, int64            uint8
//	uint64                            Decimal of scale 0             uint64
//	uuid                              string                         uuid
//	enum                              string                         enum(new, done)
//	bytes of one size                 bytes                          bytes(16)
//	any                               string: JSON text              any
//	union                             struct: a field for each       union
//	                                  branch, one of them not null
//
// Further parameters keep what a schema of Connect has no place for:
//
//	flow.name              the name of a type whose name Connect uses to say what it is
//	flow.version           the version of such a type, if it is 1, which is what Connect writes there
//	flow.aliases           of the type, a JSON array; flow.field.aliases of the field
//	flow.doc = field       the doc is the field's, not the type's
//	flow.field.doc         the doc of the field, where the type has another
//	flow.field.tag         the number of the field
//	flow.default = null    a default of null
//	flow.parameter.X       the parameter X, where X is one of these or Connect's own
//
// An absent version where Connect writes 1 is read as the parameter
// connect.version = none, and an explicit version 0 as connect.version = 0;
// they are written the same way. Parameters are written in the order of their
// names, those of Connect first.
package connect

import "github.com/flowrecords/flow/engine/schema"

// The names by which Connect tells its logical types.
const (
	DecimalName   = "org.apache.kafka.connect.data.Decimal"
	DateName      = "org.apache.kafka.connect.data.Date"
	TimeName      = "org.apache.kafka.connect.data.Time"
	TimestampName = "org.apache.kafka.connect.data.Timestamp"
)

// Parameters with a meaning of their own.
const (
	paramScale     = "scale"
	paramPrecision = "connect.decimal.precision"
	paramVersion   = "connect.version"

	paramType         = "flow.type"
	paramName         = "flow.name"
	paramOwnVersion   = "flow.version"
	paramAliases      = "flow.aliases"
	paramDoc          = "flow.doc"
	paramFieldAliases = "flow.field.aliases"
	paramFieldDoc     = "flow.field.doc"
	paramFieldTag     = "flow.field.tag"
	paramDefault      = "flow.default"
	paramEscape       = "flow.parameter."
)

// reserved are the parameters that are written to keep what Connect cannot.
var reserved = []string{paramType, paramName, paramOwnVersion, paramAliases, paramDoc, paramFieldAliases, paramFieldDoc, paramFieldTag, paramDefault}

// base is what a type is to Connect.
type base struct {
	word    string // the type in JSON
	logical string // the name of Connect's own logical type, if it is one
	foreign bool   // Connect has no such type: flow.type says which it is
}

func baseOf(s *schema.Schema) base {
	switch s.Type {
	case schema.Bool:
		return base{word: "boolean"}
	case schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.String, schema.Array, schema.Map, schema.Struct:
		return base{word: s.Type.String()}
	case schema.Uint8:
		return base{word: "int16", foreign: true}
	case schema.Uint16:
		return base{word: "int32", foreign: true}
	case schema.Uint32, schema.LocalTimestamp, schema.Duration:
		return base{word: "int64", foreign: true}
	case schema.Uint64:
		return base{word: "bytes", logical: DecimalName, foreign: true}
	case schema.Float32:
		return base{word: "float"}
	case schema.Float64:
		return base{word: "double"}
	case schema.Bytes:
		return base{word: "bytes", foreign: s.Size > 0}
	case schema.Decimal:
		return base{word: "bytes", logical: DecimalName}
	case schema.Date:
		return base{word: "int32", logical: DateName}
	case schema.Time:
		switch s.Unit {
		case schema.Millisecond:
			return base{word: "int32", logical: TimeName}
		case schema.Second:
			return base{word: "int32", foreign: true}
		default:
			return base{word: "int64", foreign: true}
		}
	case schema.Timestamp:
		if s.Unit == schema.Millisecond {
			return base{word: "int64", logical: TimestampName}
		}
		return base{word: "int64", foreign: true}
	case schema.Union:
		return base{word: "struct", foreign: true}
	default: // any, uuid, enum
		return base{word: "string", foreign: true}
	}
}

// plainTypes are the types of Connect by their words.
var plainTypes = map[string]schema.Type{
	"boolean": schema.Bool, "int8": schema.Int8, "int16": schema.Int16, "int32": schema.Int32, "int64": schema.Int64,
	"float": schema.Float32, "double": schema.Float64, "string": schema.String, "bytes": schema.Bytes,
	"array": schema.Array, "map": schema.Map, "struct": schema.Struct,
}

// Foreign returns the places of s whose types Connect does not have, with what
// it sees there instead.
func Foreign(s *schema.Schema) []schema.Error {
	var list []schema.Error
	seen := make(map[*schema.Schema]struct{})
	var look func(s *schema.Schema, path string)
	look = func(s *schema.Schema, path string) {
		if _, there := seen[s]; there || s == nil {
			return
		}
		seen[s] = struct{}{}
		if b := baseOf(s); b.foreign {
			as := b.word
			if b.logical != "" {
				as = "a Decimal of scale 0"
			}
			list = append(list, schema.Error{Path: path, Msg: s.Type.String() + " is " + as + " to Kafka Connect"})
		}
		for i := range s.Fields {
			look(s.Fields[i].Schema, schema.JoinPath(path, schema.FieldStep(s.Fields[i].Name)))
		}
		for i := range s.Branches {
			look(s.Branches[i].Schema, schema.JoinPath(path, "("+s.Branches[i].Name+")"))
		}
		look(s.Key, schema.JoinPath(path, "[key]"))
		if s.Type == schema.Map {
			look(s.Elem, schema.JoinPath(path, "[value]"))
		} else {
			look(s.Elem, schema.JoinPath(path, "[]"))
		}
	}
	look(s, "")
	return list
}
