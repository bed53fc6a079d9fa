package protobuf

import (
	"strconv"

	"github.com/flowrecords/flow/engine/schema"
)

// view is what values of a field are to flow where that is not what their kind
// says.
type view uint8

const (
	viewPlain     view = iota
	viewWrapped        // a message around one field, which it lets be absent
	viewEntry          // a message of key and value: the field is a map
	viewTimestamp      // google.protobuf.Timestamp
	viewDuration       // google.protobuf.Duration
	viewValue          // google.protobuf.Value
	viewStruct         // google.protobuf.Struct
	viewListValue      // google.protobuf.ListValue
	viewDate           // google.type.Date
	viewTime           // google.type.TimeOfDay
	viewDecimal        // confluent.type.Decimal, with its scale in the meta option
	viewInt8
	viewInt16
	viewUint8
	viewUint16
	viewUUID
	viewJSON  // a string of JSON text
	viewLocal // an int64 in a unit
	viewSized // bytes of one length
)

// Parameters of the meta option. Those of Connect are Confluent's own.
const (
	paramConnectType = "connect.type"
	paramPrecision   = "precision"
	paramScale       = "scale"

	paramFlow     = "flow."
	paramFlowType = "flow.type"     // a type that Protobuf lacks
	paramUnit     = "flow.unit"     // of a time, if not nanoseconds
	paramSize     = "flow.size"     // of bytes
	paramRequired = "flow.required" // what is never null, though Protobuf lets it be absent
	paramDefault  = "flow.default"  // typed JSON text
	paramName     = "flow.name"     // the full name of a type that had to be called otherwise, or a field's
	paramVersion  = "flow.version"
	paramSymbol   = "flow.symbol" // the symbol of an enum's value that had to be called otherwise
)

// Parameters of a flow schema that say how Protobuf had it, where that is not
// how FromSchema would write it.
const (
	paramPrefix   = "protobuf."
	paramKind     = "protobuf.type"      // sint32, fixed64, ..., google.protobuf.StringValue, ..., group
	paramPresence = "protobuf.presence"  // required
	paramPacked   = "protobuf.packed"    // false
	paramJSONName = "protobuf.json_name" //
	paramNumbers  = "protobuf.numbers"   // of an enum's symbols
	paramClosed   = "protobuf.closed"    // an enum
	paramPackage  = "protobuf.package"
	paramSyntax   = "protobuf.syntax"
)

// Well-known types.
const (
	nameTimestamp = "google.protobuf.Timestamp"
	nameDuration  = "google.protobuf.Duration"
	nameValue     = "google.protobuf.Value"
	nameStruct    = "google.protobuf.Struct"
	nameListValue = "google.protobuf.ListValue"
	nameDate      = "google.type.Date"
	nameTimeOfDay = "google.type.TimeOfDay"
	nameDecimal   = "confluent.type.Decimal"
)

var wrappers = map[string]Kind{
	"google.protobuf.DoubleValue": DoubleKind, "google.protobuf.FloatValue": FloatKind,
	"google.protobuf.Int64Value": Int64Kind, "google.protobuf.UInt64Value": Uint64Kind,
	"google.protobuf.Int32Value": Int32Kind, "google.protobuf.UInt32Value": Uint32Kind,
	"google.protobuf.BoolValue": BoolKind, "google.protobuf.StringValue": StringKind,
	"google.protobuf.BytesValue": BytesKind,
}

// viewOf returns the view of a field's values; of a map entry's field alike.
func viewOf(f *Field) view {
	if f.Message != nil {
		return viewOfMessage(f.Message, &f.meta)
	}
	switch flow := f.meta.params[paramFlowType]; f.Kind {
	case Int32Kind:
		switch f.meta.params[paramConnectType] {
		case "int8":
			return viewInt8
		case "int16":
			return viewInt16
		}
	case Uint32Kind:
		switch flow {
		case "uint8":
			return viewUint8
		case "uint16":
			return viewUint16
		}
	case StringKind:
		switch flow {
		case "uuid":
			return viewUUID
		case "json":
			return viewJSON
		}
	case Int64Kind:
		if flow == "local_timestamp" {
			return viewLocal
		}
	case BytesKind:
		if sizeOf(f) > 0 {
			return viewSized
		}
	}
	return viewPlain
}

func viewOfMessage(m *Message, of *meta) view {
	switch m.Name {
	case nameTimestamp:
		return viewTimestamp
	case nameDuration:
		return viewDuration
	case nameValue:
		return viewValue
	case nameStruct:
		return viewStruct
	case nameListValue:
		return viewListValue
	case nameDate:
		return viewDate
	case nameTimeOfDay:
		return viewTime
	case nameDecimal:
		if _, err := strconv.Atoi(of.params[paramScale]); err == nil {
			return viewDecimal
		}
	}
	switch {
	case wrappers[m.Name] != 0:
		return viewWrapped
	case m.meta.params[paramFlowType] == "wrapper" && len(m.Fields) > 0 && len(members(m)) == 1:
		return viewWrapped
	case m.meta.params[paramFlowType] == "entry" && len(m.Fields) == 2 && m.Fields[0].Number == 1 && m.Fields[1].Number == 2 && len(members(m)) == 2:
		return viewEntry
	}
	return viewPlain
}

func sizeOf(f *Field) int {
	n, err := strconv.Atoi(f.meta.params[paramSize])
	if err != nil || n < 0 || n > maxDescriptor {
		return 0
	}
	return n
}

func unitOf(m *meta) schema.Unit {
	for _, u := range []schema.Unit{schema.Second, schema.Millisecond, schema.Microsecond} {
		if u.String() == m.params[paramUnit] {
			return u
		}
	}
	return schema.Nanosecond
}

// member is what becomes one field of a struct: a field, or the fields of a
// oneof.
type member struct {
	field *Field
	oneof *Oneof
}

func (m member) name() string {
	if m.oneof != nil {
		return m.oneof.Name
	}
	return fieldName(m.field)
}

// fieldName is what flow calls a field.
func fieldName(f *Field) string {
	if name := f.meta.params[paramName]; name != "" {
		return name
	}
	return f.Name
}

// members returns those of a message, in the order of its declaration.
func members(m *Message) []member {
	list := make([]member, 0, len(m.Fields))
	seen := map[*Oneof]bool{}
	for _, f := range m.Fields {
		switch {
		case f.Oneof == nil || f.Oneof.synthetic():
			list = append(list, member{field: f})
		case !seen[f.Oneof]:
			seen[f.Oneof] = true
			list = append(list, member{oneof: f.Oneof})
		}
	}
	return list
}

// absence is what it means that a singular field is not in the data.
type absence uint8

const (
	absentNull    absence = iota // null
	absentZero                   // the zero of its type
	absentDefault                // the declared default
	absentError                  // the data is damaged
)

// absent returns what the absence of a field means. A message that must be
// there, by the meta option, is an empty one when it is not.
func absent(f *Field) absence {
	switch {
	case f.IsRequired():
		return absentError
	case f.Oneof != nil && !f.Oneof.synthetic():
		return absentNull
	case f.Label == Repeated:
		return absentZero // which cannot be told from an empty list
	case f.meta.params[paramDefault] != "":
		if f.meta.params[paramRequired] == "" {
			return absentNull
		}
		return absentDefault
	case f.HasDefault:
		return absentDefault
	case f.meta.params[paramRequired] != "":
		return absentZero
	case f.HasPresence():
		return absentNull
	}
	return absentZero
}
