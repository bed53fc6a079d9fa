package agree

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// Gen makes random schemas and values.
type Gen struct{ *rand.Rand }

// Generator returns one whose results depend on the seeds alone.
func Generator(seed, seed2 uint64) Gen { return Gen{rand.New(rand.NewPCG(seed, seed2))} }

var leaves = []schema.Type{
	schema.Any, schema.Bool, schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32, schema.Uint64,
	schema.Float32, schema.Float64, schema.String, schema.Bytes, schema.Decimal, schema.Date, schema.Time, schema.Timestamp,
	schema.LocalTimestamp, schema.Duration, schema.UUID, schema.Enum,
}

// Schema returns a schema of so many levels at most.
func (g Gen) Schema(depth int) *schema.Schema {
	s := &schema.Schema{Type: leaves[g.IntN(len(leaves))], Optional: g.IntN(3) == 0}
	if depth > 0 && g.IntN(3) == 0 {
		s.Type = schema.Array + schema.Type(g.IntN(4))
	}
	switch s.Type {
	case schema.Decimal:
		s.Precision, s.Scale = g.IntN(2)*20, g.IntN(5)
	case schema.Time, schema.Timestamp, schema.LocalTimestamp, schema.Duration:
		s.Unit = schema.Unit(g.IntN(4))
	case schema.Enum:
		s.Name, s.Symbols = "E", []string{"A", "B", "C"}
	case schema.Array:
		s.Elem = g.Schema(depth - 1)
	case schema.Map:
		s.Key, s.Elem = schema.New(schema.String), g.Schema(depth-1)
		if g.IntN(3) == 0 {
			s.Key = schema.New(schema.Int32)
		}
	case schema.Struct:
		return g.Struct(depth-1, s.Optional)
	case schema.Union:
		s.Branches = []schema.Branch{{Name: "a", Schema: required(g.Schema(depth - 1))}, {Name: "b", Schema: required(g.Schema(depth - 1))}}
	}
	return s
}

func required(s *schema.Schema) *schema.Schema { return s.AsRequired() }

// Struct returns a struct.
func (g Gen) Struct(depth int, optional bool) *schema.Schema {
	s := &schema.Schema{Type: schema.Struct, Optional: optional, Name: "S"}
	names := []string{"a", "b", "c", "d", "é\"", "f", "g", "h", "i", "j"}
	for i := range 1 + g.IntN(len(names)) {
		s.Fields = append(s.Fields, schema.F(names[i], g.Schema(depth)))
	}
	return s
}

// Value appends typed JSON text in its usual form.
func (g Gen) Value(dst []byte, s *schema.Schema) []byte {
	if s.Optional && g.IntN(3) == 0 {
		return append(dst, "null"...)
	}
	quoted := func(text string) []byte { return append(append(append(dst, '"'), text...), '"') }
	unit := func() int64 { return int64(time.Second) / s.Unit.PerSecond() }
	switch s.Type {
	case schema.Any:
		return append(dst, []string{"1", `"x"`, `{"a":[1,"2"],"b":null}`, "true"}[g.IntN(4)]...)
	case schema.Bool:
		return strconv.AppendBool(dst, g.IntN(2) == 0)
	case schema.Int8:
		return strconv.AppendInt(dst, int64(int8(g.Uint32())), 10)
	case schema.Int16:
		return strconv.AppendInt(dst, int64(int16(g.Uint32())), 10)
	case schema.Int32:
		return strconv.AppendInt(dst, int64(int32(g.Uint32())), 10)
	case schema.Int64:
		return strconv.AppendInt(dst, int64(g.Uint64()), 10)
	case schema.Uint8:
		return strconv.AppendUint(dst, uint64(uint8(g.Uint32())), 10)
	case schema.Uint16:
		return strconv.AppendUint(dst, uint64(uint16(g.Uint32())), 10)
	case schema.Uint32:
		return strconv.AppendUint(dst, uint64(g.Uint32()), 10)
	case schema.Uint64:
		return strconv.AppendUint(dst, g.Uint64(), 10)
	case schema.Float32, schema.Float64:
		if g.IntN(10) == 0 {
			return quoted([]string{"NaN", "Infinity", "-Infinity"}[g.IntN(3)])
		}
		out, _ := record.AppendFloat(dst, float64(g.IntN(2000)-1000)/8)
		return out
	case schema.String:
		return record.AppendQuoted(dst, []byte([]string{"", "text", "é\n\"", "null"}[g.IntN(4)]))
	case schema.Bytes:
		p := make([]byte, g.IntN(6))
		for i := range p {
			p[i] = byte(g.Uint32())
		}
		return quoted(base64.StdEncoding.EncodeToString(p))
	case schema.Decimal:
		text := strconv.FormatInt(g.Int64N(1e9)-5e8, 10)
		if s.Scale > 0 {
			text += "." + fmt.Sprintf("%0*d", s.Scale, g.IntN(10))
		}
		return append(dst, text...)
	case schema.Date:
		return append(schema.AppendDate(append(dst, '"'), g.Int64N(40000)-20000), '"')
	case schema.Time:
		n := g.Int64N(int64(24*time.Hour)) / unit() * unit()
		return append(schema.AppendTime(append(dst, '"'), n/1e9, int(n%1e9)), '"')
	case schema.Timestamp, schema.LocalTimestamp:
		n := g.Int64N(1e18) / unit() * unit()
		return append(schema.AppendTimestamp(append(dst, '"'), n/1e9, int(n%1e9), s.Type == schema.LocalTimestamp), '"')
	case schema.Duration:
		return quoted(time.Duration((g.Int64N(1e15) - 5e14) / unit() * unit()).String())
	case schema.UUID:
		return quoted(fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", g.Uint32(), uint16(g.Uint32()), uint16(g.Uint32()), uint16(g.Uint32()), g.Uint64()>>16))
	case schema.Enum:
		return quoted(s.Symbols[g.IntN(len(s.Symbols))])
	}
	return g.complex(dst, s)
}

func (g Gen) complex(dst []byte, s *schema.Schema) []byte {
	switch {
	case s.Type == schema.Array:
		dst = append(dst, '[')
		for i := range g.IntN(4) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = g.Value(dst, s.Elem)
		}
		return append(dst, ']')
	case s.Type == schema.Map && s.Key.Type == schema.String:
		dst = append(dst, '{')
		for i := range g.IntN(4) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = g.Value(append(dst, fmt.Sprintf(`"k%d":`, i)...), s.Elem)
		}
		return append(dst, '}')
	case s.Type == schema.Map:
		dst = append(dst, '[')
		for i := range g.IntN(4) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(g.Value(append(dst, fmt.Sprintf("[%d,", i)...), s.Elem), ']')
		}
		return append(dst, ']')
	case s.Type == schema.Union:
		b := s.Branches[g.IntN(2)]
		return append(g.Value(append(dst, fmt.Sprintf(`{%q:`, b.Name)...), b.Schema), '}')
	}
	dst = append(dst, '{')
	for i := range s.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(record.AppendQuoted(dst, []byte(s.Fields[i].Name)), ':')
		dst = g.Value(dst, s.Fields[i].Schema)
	}
	return append(dst, '}')
}
