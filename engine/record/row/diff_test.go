package row_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

// gen makes random schemas and values.
type gen struct{ *rand.Rand }

var leaves = []schema.Type{
	schema.Any, schema.Bool, schema.Int8, schema.Int16, schema.Int32, schema.Int64, schema.Uint8, schema.Uint16, schema.Uint32, schema.Uint64,
	schema.Float32, schema.Float64, schema.String, schema.Bytes, schema.Decimal, schema.Date, schema.Time, schema.Timestamp,
	schema.LocalTimestamp, schema.Duration, schema.UUID, schema.Enum,
}

func (g gen) schema(depth int) *schema.Schema {
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
		s.Elem = g.schema(depth - 1)
	case schema.Map:
		s.Key, s.Elem = schema.New(schema.String), g.schema(depth-1)
		if g.IntN(3) == 0 {
			s.Key = schema.New(schema.Int32)
		}
	case schema.Struct:
		return g.structOf(depth-1, s.Optional)
	case schema.Union:
		s.Branches = []schema.Branch{{Name: "a", Schema: required(g.schema(depth - 1))}, {Name: "b", Schema: required(g.schema(depth - 1))}}
	}
	return s
}

func required(s *schema.Schema) *schema.Schema { return s.AsRequired() }

func (g gen) structOf(depth int, optional bool) *schema.Schema {
	s := &schema.Schema{Type: schema.Struct, Optional: optional, Name: "S"}
	names := []string{"a", "b", "c", "d", "é\"", "f", "g", "h", "i", "j"}
	for i := range 1 + g.IntN(len(names)) {
		s.Fields = append(s.Fields, schema.F(names[i], g.schema(depth)))
	}
	return s
}

// value appends typed JSON text in its usual form.
func (g gen) value(dst []byte, s *schema.Schema) []byte {
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

func (g gen) complex(dst []byte, s *schema.Schema) []byte {
	switch {
	case s.Type == schema.Array:
		dst = append(dst, '[')
		for i := range g.IntN(4) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = g.value(dst, s.Elem)
		}
		return append(dst, ']')
	case s.Type == schema.Map && s.Key.Type == schema.String:
		dst = append(dst, '{')
		for i := range g.IntN(4) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = g.value(append(dst, fmt.Sprintf(`"k%d":`, i)...), s.Elem)
		}
		return append(dst, '}')
	case s.Type == schema.Map:
		dst = append(dst, '[')
		for i := range g.IntN(4) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(g.value(append(dst, fmt.Sprintf("[%d,", i)...), s.Elem), ']')
		}
		return append(dst, ']')
	case s.Type == schema.Union:
		b := s.Branches[g.IntN(2)]
		return append(g.value(append(dst, fmt.Sprintf(`{%q:`, b.Name)...), b.Schema), '}')
	}
	dst = append(dst, '{')
	for i := range s.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(record.AppendQuoted(dst, []byte(s.Fields[i].Name)), ':')
		dst = g.value(dst, s.Fields[i].Schema)
	}
	return append(dst, '}')
}

// TestBothWays: a row is written as the text that it was made from.
func TestBothWays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5000) {
		g := gen{rand.New(rand.NewPCG(seed, 7))}
		s := g.schema(3)
		text := g.value(nil, s)
		if s.Type == schema.Struct && string(text) == "null" {
			continue // a row is there; what is not has no bytes
		}
		e := row.Of(s)
		raw, err := e.Append([]byte("before"), text)
		if err != nil {
			t.Fatalf("seed %d: %s as %s: %v", seed, text, s, err)
		}
		got, err := e.AppendJSON([]byte("before"), raw[len("before"):])
		if err != nil || string(got) != "before"+string(text) {
			t.Fatalf("seed %d: %s\n%s is read as\n%s, %v", seed, s, text, got, err)
		}
	}
}

// paths are those that edits name.
var paths = []string{"a", "b", "c", "z", "y", "a.a", "a.b", "b.a", "b.z", "c.a.b", "c.b", "d[0]", "e", "a[0].b", "b.k1", "b.k1.a", "a[-1]"}

type pair struct {
	p    *record.Projection
	ids  []record.PathID
	docs [2]*record.Doc
}

func newPair() *pair {
	x := &pair{p: record.NewProjection()}
	for _, text := range paths {
		path, err := record.ParsePath(text)
		if err != nil {
			panic(err)
		}
		x.ids = append(x.ids, x.p.Add(path))
	}
	x.docs = [2]*record.Doc{record.NewDoc(x.p), record.NewDoc(x.p)}
	return x
}

var values = []record.Value{
	record.NullValue(), record.IntValue(1), record.IntValue(1 << 60), record.IntValue(-200), record.FloatValue(1.5), record.FloatValue(0.1),
	record.StringValue("text"), record.StringValue("B"), record.StringValue("\"é\n"), record.BoolValue(true), record.BytesValue([]byte{0, 255}),
	record.TimeValue(time.Date(2024, 2, 29, 0, 0, 0, 0, time.UTC)), record.TimeValue(time.Date(2024, 2, 29, 1, 2, 3, 4, time.FixedZone("x", 3600))),
	record.DurationValue(90 * time.Minute), record.DurationValue(1), record.RawJSON([]byte(`{"a":1,"b":"x"}`)), record.RawJSON([]byte("[1,2]")),
	record.RawJSON([]byte("{}")), record.RawJSON([]byte("123456789012345678901234567890.5")), record.StringValue("f81d4fae-7dec-11d0-a765-00a0c91e6bf6"),
}

// edit makes the same random edit of both; it returns what it was.
func (x *pair) edit(g gen) (what string, errs [2]error) {
	id, other, v := x.ids[g.IntN(len(x.ids))], x.ids[g.IntN(len(x.ids))], values[g.IntN(len(values))]
	op := g.IntN(11)
	var t *schema.Schema
	if op == 7 {
		t = g.schema(0)
	}
	for i, d := range x.docs {
		switch op {
		case 0, 1, 2, 3:
			what, errs[i] = fmt.Sprintf("set %s = %s", x.p.Path(id), v), d.Set(id, v)
		case 4, 5:
			what, errs[i] = fmt.Sprintf("delete %s", x.p.Path(id)), d.Delete(id)
		case 6:
			what, errs[i] = fmt.Sprintf("rename %s to %s", x.p.Path(id), x.p.Path(other)), d.Rename(id, other)
		case 7:
			what, errs[i] = fmt.Sprintf("set %s = %s as %s", x.p.Path(id), v, t), d.SetAs(id, v, t)
		case 8:
			what, errs[i] = fmt.Sprintf("keep %s and %s", x.p.Path(id), x.p.Path(other)), d.Keep([]record.PathID{id, other})
		default:
			// A copy from one place to another.
			w, err := d.Get(other)
			if err != nil {
				what, errs[i] = "get", err
				break
			}
			what, errs[i] = fmt.Sprintf("copy %s to %s", x.p.Path(other), x.p.Path(id)), d.Set(id, w)
		}
	}
	return what, errs
}

// agree checks that both read, and are written, the same.
func (x *pair) agree(g gen, log string) error {
	for range 3 {
		id := x.ids[g.IntN(len(x.ids))]
		a, errA := x.docs[0].Get(id)
		b, errB := x.docs[1].Get(id)
		if (errA == nil) != (errB == nil) || errA == nil && (a.Kind() != b.Kind() || a.Kind() == record.Float && a.Float() != b.Float() && !math.IsNaN(a.Float()) || a.Kind() != record.Float && a.String() != b.String()) {
			return fmt.Errorf("%s: %s reads as %s %v, %v and as %s %v, %v", log, x.p.Path(id), a.Kind(), a, errA, b.Kind(), b, errB)
		}
	}
	var texts [2][]byte
	var schemas [2]*schema.Schema
	for i, d := range x.docs {
		if schemas[i] = d.Schema(); d.IsNull() {
			continue
		}
		out, err := d.AppendTo([]byte{})
		if err != nil {
			return fmt.Errorf("%s: writing %s: %w", log, d.Encoding().Name(), err)
		}
		text, err := d.Encoding().AppendJSON(nil, out)
		if err != nil {
			return fmt.Errorf("%s: %s %q: %w", log, d.Encoding().Name(), out, err)
		}
		if schemas[i] != nil {
			// The text is of the schema that the record says it has, and rows
			// have every field in its order.
			e := row.Of(schemas[i])
			if out, err = e.Append(nil, text); err != nil {
				return fmt.Errorf("%s: %s is not of its schema %s: %w", log, text, schemas[i], err)
			}
			if text, err = e.AppendJSON(nil, out); err != nil {
				return err
			}
		}
		texts[i] = text
	}
	if !bytes.Equal(texts[0], texts[1]) {
		return fmt.Errorf("%s:\n%s and\n%s", log, texts[0], texts[1])
	}
	if (schemas[0] == nil) != (schemas[1] == nil) || schemas[0] != nil && !schema.Equal(schemas[0], schemas[1]) {
		return fmt.Errorf("%s: schemas %s and %s", log, schemas[0], schemas[1])
	}
	return nil
}

// differ runs a script of edits over a row and the same value as typed JSON.
func differ(seed, seed2 uint64) error {
	g := gen{rand.New(rand.NewPCG(seed, seed2))}
	s := g.structOf(3, false)
	e := row.Of(s)
	x := newPair()
	for range 3 { // the same Docs again and again: what is remembered must be right
		text := g.value(nil, s)
		raw, err := e.Append(nil, text)
		if err != nil {
			return err
		}
		x.docs[0].Reset(e, raw)
		x.docs[1].Reset(record.JSONOf(s), text)
		log := fmt.Sprintf("%s\n%s", s, text)
		for range g.IntN(8) {
			mark := g.IntN(6) == 0
			if mark {
				x.docs[0].Mark()
				x.docs[1].Mark()
			}
			what, errs := x.edit(g)
			log += "\n" + what
			if (errs[0] == nil) != (errs[1] == nil) {
				return fmt.Errorf("%s: %v and %v", log, errs[0], errs[1])
			}
			if errs[0] != nil {
				log += fmt.Sprintf(" (%v)", errs[0])
			}
			if mark {
				log += " (taken back)"
				x.docs[0].Rollback()
				x.docs[1].Rollback()
			}
			if g.IntN(3) > 0 {
				continue
			}
			if err := x.agree(g, log); err != nil {
				return err
			}
		}
		if err := x.agree(g, log); err != nil {
			return err
		}
	}
	return nil
}

func TestRowsAgreeWithTypedJSON(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		if err := differ(seed, 1); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func FuzzRowsAgreeWithTypedJSON(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		if err := differ(a, b); err != nil {
			t.Fatal(err)
		}
	})
}
