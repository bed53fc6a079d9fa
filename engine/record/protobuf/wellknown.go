package protobuf

import "strings"

// The files of well-known types, as far as messages that FromSchema makes use
// them.
const (
	fileTimestamp = "google/protobuf/timestamp.proto"
	fileDuration  = "google/protobuf/duration.proto"
	fileStruct    = "google/protobuf/struct.proto"
	fileWrappers  = "google/protobuf/wrappers.proto"
	fileDate      = "google/type/date.proto"
	fileTimeOfDay = "google/type/timeofday.proto"
	fileDecimal   = "confluent/type/decimal.proto"
)

// wellKnownPath returns the file of a well-known type.
func wellKnownPath(name string) string {
	switch name {
	case nameTimestamp:
		return fileTimestamp
	case nameDuration:
		return fileDuration
	case nameValue, nameStruct, nameListValue:
		return fileStruct
	case nameDate:
		return fileDate
	case nameTimeOfDay:
		return fileTimeOfDay
	case nameDecimal:
		return fileDecimal
	}
	return fileWrappers
}

// wellKnownFile makes the descriptor of such a file; nil for any other.
func wellKnownFile(path string) *File {
	scalar := func(name string, number int, kind Kind) *Field {
		return &Field{Name: name, Number: number, Label: Optional, Kind: kind, oneof: -1}
	}
	of := func(name string, number int, label Label, typeName string) *Field {
		return &Field{Name: name, Number: number, Label: label, typeName: "." + typeName, Kind: MessageKind, oneof: -1}
	}
	f := &File{Path: path, Package: "google.protobuf", Syntax: Proto3}
	message := func(name string, fields ...*Field) *Message {
		m := &Message{Name: name, Fields: fields}
		f.Messages = append(f.Messages, m)
		return m
	}
	switch path {
	case fileTimestamp:
		message(nameTimestamp, scalar("seconds", 1, Int64Kind), scalar("nanos", 2, Int32Kind))
	case fileDuration:
		message(nameDuration, scalar("seconds", 1, Int64Kind), scalar("nanos", 2, Int32Kind))
	case fileStruct:
		s := message(nameStruct, of("fields", 1, Repeated, nameStruct+".FieldsEntry"))
		s.Nested = []*Message{{Name: nameStruct + ".FieldsEntry", Options: appendVarintField(nil, 7, 1), Fields: []*Field{scalar("key", 1, StringKind), of("value", 2, Optional, nameValue)}}}
		null := scalar("null_value", 1, EnumKind)
		null.typeName = ".google.protobuf.NullValue"
		v := message(nameValue, null, scalar("number_value", 2, DoubleKind), scalar("string_value", 3, StringKind), scalar("bool_value", 4, BoolKind),
			of("struct_value", 5, Optional, nameStruct), of("list_value", 6, Optional, nameListValue))
		v.Oneofs = []*Oneof{{Name: "kind"}}
		for _, x := range v.Fields {
			x.Oneof, x.oneof = v.Oneofs[0], 0
		}
		message(nameListValue, of("values", 1, Repeated, nameValue))
		f.Enums = []*Enum{{Name: "google.protobuf.NullValue", Values: []EnumValue{{Name: "NULL_VALUE"}}}}
	case fileWrappers:
		for _, name := range []string{"DoubleValue", "FloatValue", "Int64Value", "UInt64Value", "Int32Value", "UInt32Value", "BoolValue", "StringValue", "BytesValue"} {
			message("google.protobuf."+name, scalar("value", 1, wrappers["google.protobuf."+name]))
		}
	case fileDate:
		f.Package = "google.type"
		message(nameDate, scalar("year", 1, Int32Kind), scalar("month", 2, Int32Kind), scalar("day", 3, Int32Kind))
	case fileTimeOfDay:
		f.Package = "google.type"
		message(nameTimeOfDay, scalar("hours", 1, Int32Kind), scalar("minutes", 2, Int32Kind), scalar("seconds", 3, Int32Kind), scalar("nanos", 4, Int32Kind))
	case fileDecimal:
		f.Package = "confluent.type"
		message(nameDecimal, scalar("value", 1, BytesKind), scalar("precision", 2, Uint32Kind), scalar("scale", 3, Int32Kind))
	default:
		return nil
	}
	return f
}

// IsWellKnown reports whether every registry and compiler knows the file, so
// that who imports it need not bring it along.
func IsWellKnown(path string) bool {
	return strings.HasPrefix(path, "google/protobuf/") || strings.HasPrefix(path, "google/type/") || strings.HasPrefix(path, "confluent/")
}
