package protobuf

import (
	"strconv"

	"github.com/flowrecords/flow/engine/limits"
	"github.com/flowrecords/flow/engine/schema"
)

// fields makes the fields of a message.
func (f *fromConverter) fields(m *Message, s *schema.Schema) error {
	numbers := f.numbers(m, s)
	// Types that are declared in the message must not have a field's name.
	for i := range s.Fields {
		name := s.Fields[i].Name
		if !validName(name) {
			name = scrub(name)
		}
		f.names[qualified(m.Name, name)] = true
	}
	seen := map[string]bool{}
	for i := range s.Fields {
		x := &s.Fields[i]
		err := f.within(x.Name, func() error {
			name, err := f.identifier(x.Name)
			switch {
			case err != nil:
				return err
			case seen[name]:
				return f.fail("two fields have the name %s in Protobuf", name)
			}
			seen[name] = true
			if x.Schema.Type == schema.Union && wrapperKind(x.Schema) == "" {
				return f.oneof(m, x.Schema, name, x.Name, x.Doc, numbers)
			}
			n := &Field{Name: name, Doc: x.Doc, Number: numbers.of(x.Tag, x.Name, x.Schema)}
			if name != x.Name {
				n.meta.set(paramName, x.Name)
			}
			m.Fields = append(m.Fields, n)
			return f.field(m, n, x.Schema)
		})
		if err != nil {
			return err
		}
	}
	return f.jsonNames(m)
}

// jsonNames refuses what compilers of proto3 refuse: fields of one name in
// Protobuf's JSON.
func (f *fromConverter) jsonNames(m *Message) error {
	names := make(map[string]string, len(m.Fields))
	for _, x := range m.Fields {
		name := jsonName(x.Name)
		if other, taken := names[name]; taken {
			return f.fail("the fields %s and %s have the name %s in Protobuf's JSON, and a message has each but once: rename one of them", other, x.Name, name)
		}
		names[name] = x.Name
	}
	return nil
}

// oneof makes the fields of a union.
func (f *fromConverter) oneof(m *Message, s *schema.Schema, name, own, doc string, numbers *numbering) error {
	if name != own {
		return f.fail("%q is no name of a oneof in Protobuf", own)
	}
	o := &Oneof{Name: name, Doc: doc}
	if len(s.Branches) == 0 {
		return f.fail("a union without branches")
	}
	m.Oneofs = append(m.Oneofs, o)
	for i := range s.Branches {
		b := &s.Branches[i]
		err := f.within(b.Name, func() error {
			// Branches are called after types, of which the last part will do.
			fieldName := scrub(short(b.Name))
			for n := 2; m.Field(fieldName) != nil || fieldName == name || f.names[qualified(m.Name, fieldName)]; n++ {
				fieldName = scrub(short(b.Name)) + "_" + strconv.Itoa(n)
			}
			x := &Field{Name: fieldName, Number: numbers.of(b.Tag, b.Name, b.Schema), Label: Optional, Oneof: o, oneof: len(m.Oneofs) - 1}
			f.names[qualified(m.Name, fieldName)] = true
			if fieldName != b.Name {
				x.meta.set(paramName, b.Name)
			}
			if i == 0 && !s.Optional {
				x.meta.set(paramRequired, "true")
			}
			o.Fields = append(o.Fields, x)
			m.Fields = append(m.Fields, x)
			x.JSONName = b.Schema.Parameters[paramJSONName]
			if b.Schema.Type == schema.Array || b.Schema.Type == schema.Map || b.Schema.Type == schema.Union {
				return f.wrapped(m, x, b.Schema)
			}
			return f.value(m, x, b.Schema)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// wrapperKind returns the well-known type that stands for a schema by its
// parameters; empty if none does.
func wrapperKind(s *schema.Schema) string {
	k := s.Parameters[paramKind]
	if k == nameValue || k == nameStruct || k == nameListValue || wrappers[k] != 0 {
		return k
	}
	return ""
}

// field fills a field with its label.
func (f *fromConverter) field(m *Message, x *Field, s *schema.Schema) error {
	x.Label, x.JSONName = Optional, s.Parameters[paramJSONName]
	if x.oneof = -1; wrapperKind(s) != "" {
		if err := f.value(m, x, s); err != nil {
			return err
		}
		f.presence(x, s)
		return nil
	}
	switch {
	case s.Type == schema.Union, (s.Type == schema.Array || s.Type == schema.Map) && s.Optional:
		if err := f.wrapped(m, x, s); err != nil {
			return err
		}
		f.presence(x, s)
		return nil
	case s.Type == schema.Array:
		x.Label = Repeated
		if err := f.within("[]", func() error { return f.element(m, x, s.Elem) }); err != nil {
			return err
		}
		if x.Kind.packable() {
			x.packed = 2
			if s.Parameters[paramPacked] == "false" {
				x.packed = 1
			}
		}
		f.params(&x.meta, s)
		f.keepDefault(x, s)
		return nil
	case s.Type == schema.Map:
		f.params(&x.meta, s)
		f.keepDefault(x, s)
		return f.mapOf(m, x, s)
	}
	if err := f.value(m, x, s); err != nil {
		return err
	}
	f.presence(x, s)
	return nil
}

// element fills a field with one element of what is repeated.
func (f *fromConverter) element(m *Message, x *Field, s *schema.Schema) error {
	if k := wrapperKind(s); k != "" && (k != nameValue) == !s.Optional {
		return f.value(m, x, s)
	}
	if s.Type != schema.Any && s.Optional || s.Type == schema.Array || s.Type == schema.Map || s.Type == schema.Union {
		return f.around(m, x, s)
	}
	return f.value(m, x, s)
}

// presence says what it means when a singular field is not there.
func (f *fromConverter) presence(x *Field, s *schema.Schema) {
	message := x.Kind == MessageKind
	switch {
	case s.Type == schema.Any:
		if !message {
			x.Proto3Optional = s.Optional
			f.implicit = f.implicit || !s.Optional
		}
	case s.Parameters[paramPresence] == "required" && !s.Optional:
		x.Label = Required
		f.required = true
	case s.Optional || s.Default != nil:
		x.Proto3Optional = !message
		if !s.Optional {
			x.meta.set(paramRequired, "true")
		}
	case message:
		x.meta.set(paramRequired, "true")
	default:
		f.implicit = true
	}
	f.keepDefault(x, s)
}

// keepDefault keeps the default. A file of proto2 says it in its own way: see
// nativeDefault.
func (f *fromConverter) keepDefault(x *Field, s *schema.Schema) {
	if s.Default != nil && string(s.Default) != "null" {
		x.meta.set(paramDefault, string(s.Default))
	}
}

// value fills a field with the type of one value, not null.
func (f *fromConverter) value(m *Message, x *Field, s *schema.Schema) error {
	k := s.Parameters[paramKind]
	if wrapperKind(s) != "" && f.fitsWrapper(k, s) {
		f.use(x, k)
		return nil
	}
	f.params(&x.meta, s)
	if s.Name != "" && s.Type != schema.Struct && s.Type != schema.Enum {
		x.meta.set("flow.type_name", s.Name)
	}
	unit := func() {
		if s.Unit != schema.Nanosecond {
			x.meta.set(paramUnit, s.Unit.String())
		}
	}
	switch s.Type {
	case schema.Any:
		switch f.o.Untyped {
		case UntypedJSON:
			x.Kind = StringKind
			x.meta.set(paramFlowType, "json")
		case UntypedValue:
			f.use(x, nameValue)
		default:
			return f.fail("the type is not known, and Protobuf needs one: declare it, or choose what untyped values become")
		}
	case schema.Int8, schema.Int16:
		x.Kind = Int32Kind
		x.meta.set(paramConnectType, s.Type.String())
	case schema.Uint8, schema.Uint16:
		x.Kind = Uint32Kind
		x.meta.set(paramFlowType, s.Type.String())
	case schema.Bytes:
		if x.Kind = BytesKind; s.Size > 0 {
			x.meta.set(paramSize, strconv.Itoa(s.Size))
		}
	case schema.Decimal:
		if s.Scale > limits.DecimalDigits || s.Scale < -limits.DecimalDigits {
			return f.fail("a decimal of the scale %d", s.Scale)
		}
		f.use(x, nameDecimal)
		x.meta.set(paramScale, strconv.Itoa(s.Scale))
		if s.Precision > 0 {
			x.meta.set(paramPrecision, strconv.Itoa(s.Precision))
		}
	case schema.Date:
		f.use(x, nameDate)
	case schema.Time:
		f.use(x, nameTimeOfDay)
		unit()
	case schema.Timestamp:
		f.use(x, nameTimestamp)
		unit()
	case schema.Duration:
		f.use(x, nameDuration)
		unit()
	case schema.LocalTimestamp:
		x.Kind = Int64Kind
		x.meta.set(paramFlowType, "local_timestamp")
		unit()
	case schema.UUID:
		x.Kind = StringKind
		x.meta.set(paramFlowType, "uuid")
	case schema.Enum:
		return f.enum(m, x, s)
	case schema.Struct:
		return f.structOf(m, x, s)
	default:
		x.Kind = defaultKinds[s.Type]
		for kind, t := range plainTypes {
			if kind.String() == k && t == s.Type {
				x.Kind = kind
			}
		}
		if x.Kind == 0 {
			return f.fail("Protobuf has no form of %s here", s.Type)
		}
	}
	return nil
}

func (f *fromConverter) fitsWrapper(k string, s *schema.Schema) bool {
	switch k {
	case nameValue:
		return s.Type == schema.Any
	case nameStruct:
		return s.Type == schema.Map && s.Key.Type == schema.String && s.Elem.Type == schema.Any
	case nameListValue:
		return s.Type == schema.Array && s.Elem.Type == schema.Any
	}
	return plainTypes[wrappers[k]] == s.Type && s.Size == 0
}
