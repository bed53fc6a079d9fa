package primitiveconv

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// javaNaN is the one of all NaN that Java writes.
const javaNaN = 0x7ff8000000000000

// kind is one type of values.
type kind struct {
	schema *schema.Schema
	size   int
	// read appends the JSON text of size bytes.
	read func(dst, src []byte) ([]byte, error)
	// write appends the bytes of a value that is not null. rounds: a float may
	// lose digits. ok false: it is no such value.
	write func(dst []byte, v record.Value, rounds bool) (out []byte, ok bool)
}

var errBool = errors.New("a bool is one byte 0 or 1")

func kinds() map[string]*kind {
	ks := map[string]*kind{
		"bool": {
			schema: schema.New(schema.Bool),
			size:   1,
			read: func(dst, src []byte) ([]byte, error) {
				if src[0] > 1 {
					return dst, errBool
				}
				return strconv.AppendBool(dst, src[0] == 1), nil
			},
			write: func(dst []byte, v record.Value, _ bool) ([]byte, bool) {
				if v.Kind() != record.Bool {
					return dst, false
				}
				if v.Bool() {
					return append(dst, 1), true
				}
				return append(dst, 0), true
			},
		},
		"int16": {
			schema: schema.New(schema.Int16),
			size:   2,
			read: func(dst, src []byte) ([]byte, error) {
				return strconv.AppendInt(dst, int64(int16(binary.BigEndian.Uint16(src))), 10), nil
			},
			write: func(dst []byte, v record.Value, _ bool) ([]byte, bool) {
				i, ok := integer(v)
				return binary.BigEndian.AppendUint16(dst, uint16(i)), ok && i == int64(int16(i))
			},
		},
		"int32": {
			schema: schema.New(schema.Int32),
			size:   4,
			read: func(dst, src []byte) ([]byte, error) {
				return strconv.AppendInt(dst, int64(int32(binary.BigEndian.Uint32(src))), 10), nil
			},
			write: func(dst []byte, v record.Value, _ bool) ([]byte, bool) {
				i, ok := integer(v)
				return binary.BigEndian.AppendUint32(dst, uint32(i)), ok && i == int64(int32(i))
			},
		},
		"int64": {
			schema: schema.New(schema.Int64),
			size:   8,
			read: func(dst, src []byte) ([]byte, error) {
				return strconv.AppendInt(dst, int64(binary.BigEndian.Uint64(src)), 10), nil
			},
			write: func(dst []byte, v record.Value, _ bool) ([]byte, bool) {
				i, ok := integer(v)
				return binary.BigEndian.AppendUint64(dst, uint64(i)), ok
			},
		},
		"float32": {
			schema: schema.New(schema.Float32),
			size:   4,
			read: func(dst, src []byte) ([]byte, error) {
				return appendFloat(dst, float64(math.Float32frombits(binary.BigEndian.Uint32(src))), 32), nil
			},
			write: func(dst []byte, v record.Value, rounds bool) ([]byte, bool) {
				f, ok := float(v, 1<<24)
				n := float32(f)
				exact := float64(n) == f || math.IsNaN(f)
				return binary.BigEndian.AppendUint32(dst, math.Float32bits(n)), ok && (exact || rounds && !math.IsInf(float64(n), 0))
			},
		},
		"float64": {
			schema: schema.New(schema.Float64),
			size:   8,
			read: func(dst, src []byte) ([]byte, error) {
				return appendFloat(dst, math.Float64frombits(binary.BigEndian.Uint64(src)), 64), nil
			},
			write: func(dst []byte, v record.Value, _ bool) ([]byte, bool) {
				f, ok := float(v, 1<<53)
				if math.IsNaN(f) {
					return binary.BigEndian.AppendUint64(dst, javaNaN), ok
				}
				return binary.BigEndian.AppendUint64(dst, math.Float64bits(f)), ok
			},
		},
	}
	for _, k := range ks {
		k.schema = k.schema.AsOptional()
	}
	return ks
}

func integer(v record.Value) (int64, bool) {
	if v.Kind() != record.Int {
		return 0, false
	}
	return v.Int(), true
}

// float takes integers up to exact, which a float holds.
func float(v record.Value, exact int64) (float64, bool) {
	switch v.Kind() {
	case record.Float:
		return v.Float(), true
	case record.Int:
		i := v.Int()
		return float64(i), i >= -exact && i <= exact
	}
	return 0, false
}

// appendFloat appends a float as typed JSON has it.
func appendFloat(dst []byte, f float64, bits int) []byte {
	switch {
	case math.IsNaN(f):
		return append(dst, `"NaN"`...)
	case math.IsInf(f, 1):
		return append(dst, `"Infinity"`...)
	case math.IsInf(f, -1):
		return append(dst, `"-Infinity"`...)
	case f == 0 && math.Signbit(f):
		return append(dst, "-0.0"...)
	}
	format := byte('f')
	if a := math.Abs(f); a != 0 && (a < 1e-6 || a >= 1e21) {
		format = 'e'
	}
	return strconv.AppendFloat(dst, f, format, -1, bits)
}

type converter struct {
	name string
	kind *kind
}

func newConverter(config any, _ engine.Env) (engine.Converter, error) {
	name := config.(*Config).Type
	k := kinds()[name]
	if k == nil {
		return nil, fmt.Errorf("no type %q", name)
	}
	return &converter{name: name, kind: k}, nil
}

func (c *converter) Decoded() record.Encoding { return record.JSONOf(c.kind.schema) }

var _ engine.Typed = (*converter)(nil)

// Decodes implements engine.Typed.
func (c *converter) Decodes() *schema.Schema { return c.kind.schema }

// Encodes implements engine.Typed.
func (c *converter) Encodes() *schema.Schema { return c.kind.schema }

func (c *converter) NewDecoder() engine.Decode {
	return func(dst, src []byte, _ *engine.Meta) ([]byte, record.Encoding, error) {
		switch {
		case src == nil:
			return nil, nil, nil
		case len(src) != c.kind.size:
			return dst, nil, fmt.Errorf("%d bytes are no %s, which has %d", len(src), c.name, c.kind.size)
		}
		dst, err := c.kind.read(dst, src)
		return dst, nil, err
	}
}

func (c *converter) NewEncoder(from record.Encoding) engine.Encode {
	if from == nil {
		from = record.JSON
	}
	s := record.SchemaOf(from)
	decimal := s != nil && s.Type == schema.Decimal
	// Float64 is the kind of all floats, so that the digits of a Float32 look
	// as if they were lost.
	rounds := s == nil || s.Type == schema.Float32
	doc := record.NewDoc(record.NewProjection())
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		if src == nil {
			return nil, nil
		}
		doc.Reset(from, src)
		v, err := doc.Get(0)
		switch {
		case err != nil:
			return dst, err
		case v.Kind() == record.Null:
			return nil, nil
		}
		begin := len(dst)
		out, ok := c.kind.write(dst, v, rounds)
		if !ok || decimal {
			return dst[:begin], c.refuse(v)
		}
		return out, nil
	}
}

func (c *converter) refuse(v record.Value) error {
	what := "a value of type " + v.Kind().String()
	if k := v.Kind(); k == record.Int || k == record.Float || k == record.Bool {
		if text, err := v.AppendJSON(nil); err == nil && len(text) <= 40 {
			what = string(text)
		}
	}
	return fmt.Errorf("%s is no %s without loss: convert it before, as with a cast processor", what, c.name)
}
