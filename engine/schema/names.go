package schema

// typeNames are the types as text forms and errors write them.
var typeNames = [...]string{
	Any: "any", Bool: "bool", Int8: "int8", Int16: "int16", Int32: "int32", Int64: "int64",
	Uint8: "uint8", Uint16: "uint16", Uint32: "uint32", Uint64: "uint64",
	Float32: "float32", Float64: "float64", String: "string", Bytes: "bytes", Decimal: "decimal",
	Date: "date", Time: "time", Timestamp: "timestamp", LocalTimestamp: "local_timestamp",
	Duration: "duration", UUID: "uuid", Enum: "enum", Array: "array", Map: "map", Struct: "struct", Union: "union",
}

// Types returns all types in their order.
func Types() []Type {
	all := make([]Type, len(typeNames))
	for i := range all {
		all[i] = Type(i)
	}
	return all
}

// String returns the type's name as text forms write it: int64,
// local_timestamp.
func (t Type) String() string {
	if int(t) < len(typeNames) {
		return typeNames[t]
	}
	return "unknown"
}

// typeOf returns the type of that name.
func typeOf(name string) (Type, bool) {
	for t, n := range typeNames {
		if n == name {
			return Type(t), true
		}
	}
	return Any, false
}

// HasUnit reports whether values of the type are counted in a Unit.
func (t Type) HasUnit() bool {
	return t == Time || t == Timestamp || t == LocalTimestamp || t == Duration
}

// IsInt reports whether the type is one of the integers.
func (t Type) IsInt() bool { return t >= Int8 && t <= Uint64 }

// IsNumber reports whether the type is an integer, a float or Decimal.
func (t Type) IsNumber() bool { return t.IsInt() || t == Float32 || t == Float64 || t == Decimal }

// IsComplex reports whether the type is made of other schemas.
func (t Type) IsComplex() bool { return t >= Array && t <= Union }

var unitNames = [...]string{Nanosecond: "ns", Microsecond: "us", Millisecond: "ms", Second: "s"}

// String returns s, ms, us or ns.
func (u Unit) String() string {
	if int(u) < len(unitNames) {
		return unitNames[u]
	}
	return "unknown"
}

func unitOf(name string) (Unit, bool) {
	for u, n := range unitNames {
		if n == name {
			return Unit(u), true
		}
	}
	return 0, false
}

// PerSecond is how many of the unit are a second.
func (u Unit) PerSecond() int64 {
	switch u {
	case Microsecond:
		return 1e6
	case Millisecond:
		return 1e3
	case Second:
		return 1
	default:
		return 1e9
	}
}

// Digits is how many digits the unit has behind the second.
func (u Unit) Digits() int {
	switch u {
	case Microsecond:
		return 6
	case Millisecond:
		return 3
	case Second:
		return 0
	default:
		return 9
	}
}

// bits is the width of an integer type, and whether it has a sign.
func (t Type) bits() (bits int, signed bool) {
	switch t {
	case Int8, Int16, Int32, Int64:
		return 8 << (t - Int8), true
	case Uint8, Uint16, Uint32, Uint64:
		return 8 << (t - Uint8), false
	default:
		return 0, false
	}
}
