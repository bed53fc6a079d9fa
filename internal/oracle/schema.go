package oracle

import "math/big"

// Names of Connect's logical types.
const (
	DecimalName   = "org.apache.kafka.connect.data.Decimal"
	DateName      = "org.apache.kafka.connect.data.Date"
	TimeName      = "org.apache.kafka.connect.data.Time"
	TimestampName = "org.apache.kafka.connect.data.Timestamp"
)

// Schema is a schema of Connect with every attribute that it has. Absent ones
// are nil, since Connect tells an empty name from none. The fields stand in the
// order of the notation's sorted keys.
type Schema struct {
	Default *Value  `json:"default,omitempty"`
	Doc     *string `json:"doc,omitempty"`
	// Fields is not nil in a struct, and nil in all else.
	Fields     []Field           `json:"fields,omitzero"`
	Keys       *Schema           `json:"keys,omitempty"`
	Name       *string           `json:"name,omitempty"`
	Optional   bool              `json:"optional,omitempty"`
	Parameters map[string]string `json:"parameters,omitempty"`
	// Type is one of the kinds of Connect's own types.
	Type Kind `json:"type"`
	// Values is the schema of the elements of an array and of the values of a map.
	Values  *Schema `json:"values,omitempty"`
	Version *int    `json:"version,omitempty"`
}

// Field is a field of a struct's schema.
type Field struct {
	Name   string  `json:"name"`
	Schema *Schema `json:"schema"`
}

// Logical returns the schema's name where it is one of Connect's logical types
// on the type that this has, else "".
func (s *Schema) Logical() string {
	if s == nil || s.Name == nil {
		return ""
	}
	base := map[string]Kind{DecimalName: Bytes, DateName: Int32, TimeName: Int32, TimestampName: Int64}
	if t, ok := base[*s.Name]; ok && t == s.Type {
		return *s.Name
	}
	return ""
}

// Field returns the schema of a struct's field, or nil.
func (s *Schema) Field(name string) *Schema {
	if s == nil {
		return nil
	}
	for _, f := range s.Fields {
		if f.Name == name {
			return f.Schema
		}
	}
	return nil
}

// twos returns the two's complement of n, big-endian and as short as Java's
// BigInteger.toByteArray.
func twos(n *big.Int) []byte {
	size := n.BitLen()/8 + 1
	if n.Sign() < 0 {
		// -128 fits a byte and has a bit length of 8.
		size = new(big.Int).Not(n).BitLen()/8 + 1
		n = new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*size)))
	}
	return n.FillBytes(make([]byte, size))
}

func fromTwos(b []byte) *big.Int {
	n := new(big.Int).SetBytes(b)
	if len(b) > 0 && b[0]&0x80 != 0 {
		n.Sub(n, new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))))
	}
	return n
}
