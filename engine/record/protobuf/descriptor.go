// Package protobuf reads and writes Protobuf: descriptors of messages, their
// conversion to and from flow's schemas, and data in Protobuf's binary form, as
// an encoding of records that is read without a map in between.
//
// A descriptor is Protobuf data itself (google.protobuf.FileDescriptorProto),
// which this package reads and writes on its own. The text of .proto files is
// only written here; reading it takes a compiler, whose output goes to ParseSet.
//
// Descriptors and data come from outside. Every length, number and depth that
// is read has a bound, and what is refused is an error that says where.
package protobuf

import (
	"fmt"
	"slices"
	"strings"
)

// Kind is the type of a field, numbered as in FieldDescriptorProto.Type.
type Kind uint8

// The kinds.
const (
	DoubleKind Kind = 1 + iota
	FloatKind
	Int64Kind
	Uint64Kind
	Int32Kind
	Fixed64Kind
	Fixed32Kind
	BoolKind
	StringKind
	GroupKind
	MessageKind
	BytesKind
	Uint32Kind
	EnumKind
	Sfixed32Kind
	Sfixed64Kind
	Sint32Kind
	Sint64Kind
)

var kindNames = [...]string{"", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group", "message", "bytes", "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64"}

// String returns the kind's name in .proto files.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}

// packable reports whether elements of the kind may stand side by side without
// a tag each.
func (k Kind) packable() bool {
	return k != StringKind && k != BytesKind && k != MessageKind && k != GroupKind
}

// Label is how often a field occurs, numbered as in FieldDescriptorProto.Label.
type Label uint8

// The labels.
const (
	Optional Label = 1 + iota // singular, whether it has presence or not
	Required
	Repeated
)

// Syntax is which rules a file follows, numbered as google.protobuf.Edition.
type Syntax int

// The syntaxes.
const (
	Proto2      Syntax = 998
	Proto3      Syntax = 999
	Edition2023 Syntax = 1000
	Edition2024 Syntax = 1001
)

// String returns what stands in the first line of a file: proto2, proto3, 2023.
func (s Syntax) String() string {
	switch s {
	case Proto2, Proto3:
		return fmt.Sprintf("proto%d", s-Proto2+2)
	}
	return fmt.Sprint(int(s-Edition2023) + 2023)
}

// Set is files that know all that they refer to. It is immutable.
type Set struct {
	// Files in an order in which each comes behind those that it imports.
	Files []*File

	messages map[string]*Message
	enums    map[string]*Enum
}

// File is one .proto file.
type File struct {
	Path     string
	Package  string
	Syntax   Syntax
	Imports  []string
	Messages []*Message
	Enums    []*Enum
	Options  []byte // FileOptions

	public, weak []int  // which Imports are
	rest         []byte // fields of no use here: services, extensions
	features     features
}

// Message is a message type.
type Message struct {
	Name    string // full
	Doc     string
	File    *File
	Parent  *Message // nil: declared in the file itself
	Fields  []*Field // as they are declared
	Oneofs  []*Oneof
	Nested  []*Message
	Enums   []*Enum
	Options []byte // MessageOptions
	// MapEntry: the message is only how a map field is written.
	MapEntry bool
	// Reserved numbers that no field may have any more.
	Reserved      []Range
	ReservedNames []string

	rest     []byte
	meta     meta
	features features
}

// Range is some numbers, from first to last.
type Range struct{ First, Last int }

// Oneof is fields of which at most one is there.
type Oneof struct {
	Name    string
	Doc     string
	Options []byte
	Fields  []*Field

	features features
}

// synthetic reports whether the oneof only says that a field is optional.
func (o *Oneof) synthetic() bool { return len(o.Fields) == 1 && o.Fields[0].Proto3Optional }

// Field is a field of a message.
type Field struct {
	Name     string
	Doc      string
	JSONName string
	Number   int
	Label    Label
	Kind     Kind
	Message  *Message // MessageKind, GroupKind
	Enum     *Enum    // EnumKind
	Oneof    *Oneof   // nil: none
	// Default of proto2 as descriptors write it; HasDefault tells an empty text.
	Default    string
	HasDefault bool
	// Proto3Optional: declared with optional in proto3.
	Proto3Optional bool
	Options        []byte // FieldOptions

	typeName string
	oneof    int // number of the oneof, -1: none
	rest     []byte
	meta     meta
	features features
	// packed says what the option of that name says: 0 nothing, 1 no, 2 yes.
	packed uint8
}

// Enum is an enum type.
type Enum struct {
	Name    string // full
	Doc     string
	File    *File
	Parent  *Message
	Values  []EnumValue
	Options []byte

	rest     []byte
	meta     meta
	features features
}

// EnumValue is one name of a number.
type EnumValue struct {
	Name    string
	Doc     string
	Number  int32
	Options []byte

	symbol string // what flow calls it, if not Name
}

// Message returns the message of that full name, nil if there is none.
func (s *Set) Message(name string) *Message { return s.messages[strings.TrimPrefix(name, ".")] }

// File returns the file of that path, nil if there is none.
func (s *Set) File(path string) *File {
	for _, f := range s.Files {
		if f.Path == path {
			return f
		}
	}
	return nil
}

// Field returns the field of that name, nil if there is none.
func (m *Message) Field(name string) *Field {
	for _, f := range m.Fields {
		if f.Name == name {
			return f
		}
	}
	return nil
}

// Index says where the message stands in its file: the number of the outermost
// message, then that of each one within. The entries of maps, which compilers
// declare beside the messages of the text, do not count: so does Confluent's
// Java, although some clients in other languages count them.
func (m *Message) Index() []int {
	if m.Parent != nil {
		return append(m.Parent.Index(), slices.Index(written(m.Parent.Nested), m))
	}
	return []int{slices.Index(m.File.Messages, m)}
}

// written are those that a text declares.
func written(list []*Message) []*Message {
	if !slices.ContainsFunc(list, func(m *Message) bool { return m.MapEntry }) {
		return list
	}
	return slices.DeleteFunc(slices.Clone(list), func(m *Message) bool { return m.MapEntry })
}

// At returns the message at such an index.
func (f *File) At(index []int) (*Message, error) {
	list := f.Messages
	var m *Message
	for _, i := range index {
		if i < 0 || i >= len(list) {
			return nil, fmt.Errorf("the file %s has no message %v", f.Path, index)
		}
		m = list[i]
		list = written(m.Nested)
	}
	if m == nil {
		return nil, fmt.Errorf("the file %s: no message is named", f.Path)
	}
	return m, nil
}

// IsMap reports whether the field is a map.
func (f *Field) IsMap() bool {
	return f.Label == Repeated && f.Kind == MessageKind && f.Message != nil && f.Message.MapEntry
}

// HasPresence reports whether a reader can tell that the field is not there
// from its zero.
func (f *Field) HasPresence() bool {
	return f.Label != Repeated && (f.Kind == MessageKind || f.Kind == GroupKind || f.Oneof != nil || f.features.presence != presenceImplicit)
}

// IsRequired reports whether data without the field is refused.
func (f *Field) IsRequired() bool {
	return f.Label == Required || f.Label != Repeated && f.features.presence == presenceRequired
}

// IsPacked reports whether elements are written side by side without tags.
func (f *Field) IsPacked() bool {
	return f.Label == Repeated && f.Kind.packable() && (f.packed == 2 || f.packed == 0 && f.features.repeated == repeatedPacked)
}

// IsDelimited reports whether the message is written as a group.
func (f *Field) IsDelimited() bool {
	return f.Kind == GroupKind || f.Kind == MessageKind && f.features.message == messageDelimited && !f.IsMap() && !f.Message.MapEntry
}

// ChecksUTF8 reports whether a text that is not UTF-8 is refused.
func (f *Field) ChecksUTF8() bool { return f.features.utf8 == utf8Verify }

// IsClosed reports whether numbers without a name count as if the field were
// not there.
func (e *Enum) IsClosed() bool { return e.features.enum == enumClosed }

// short returns a full name without what stands before it.
func short(name string) string { return name[strings.LastIndexByte(name, '.')+1:] }

// scope returns what stands before the last point of a full name.
func scope(name string) string {
	if i := strings.LastIndexByte(name, '.'); i >= 0 {
		return name[:i]
	}
	return ""
}

// Bounds of descriptors. They are far above what people declare.
const (
	maxDescriptor = 16 << 20
	maxTypeDepth  = 64
	maxItems      = 100_000 // fields, values and types in all
	maxNumber     = 1<<29 - 1
)
