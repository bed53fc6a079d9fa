package protobuf_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/internal/agree"
	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

// data are records of Protobuf that are read and edited as typed JSON text is.
var data = agree.Case{
	New: func(s *schema.Schema) (record.Encoding, func(text []byte) ([]byte, error)) {
		e, w, err := ofSchema(s)
		if err != nil {
			panic(fmt.Sprintf("%s: %v", s, err))
		}
		// A message of no bytes is one, while nil is a null.
		return e, func(text []byte) ([]byte, error) { return w.Append([]byte{}, text) }
	},
	// Decimals have as many digits as their scale says.
	Canonical: func(s *schema.Schema, typed []byte) ([]byte, error) {
		if s.Type != schema.Struct {
			return typed, nil
		}
		e, w, err := ofSchema(s)
		if err != nil {
			return nil, err
		}
		out, err := w.Append(nil, typed)
		if err != nil {
			return nil, err
		}
		return e.AppendJSON(nil, out)
	},
}

// ofSchema returns the encoding of a schema, and what writes typed JSON text.
func ofSchema(s *schema.Schema) (*protobuf.Encoding, *protobuf.Writer, error) {
	m, err := protobuf.FromSchema(s, protobuf.FromOptions{Untyped: protobuf.UntypedJSON, Scrub: true})
	if err != nil {
		return nil, nil, err
	}
	e, err := protobuf.NewEncoding(m)
	if err != nil {
		return nil, nil, err
	}
	// A value of any type may be null, whatever the schema says.
	plain := func(s *schema.Schema) string { return strings.ReplaceAll(s.String(), "any?", "any") }
	if plain(e.Schema()) != plain(s) {
		return nil, nil, fmt.Errorf("%s comes back as %s", s, e.Schema())
	}
	w, err := e.NewWriter(s, protobuf.WriterOptions{})
	return e, w, err
}

// noName: a oneof has no option that could keep another name, so that it is not
// scrubbed.
func noName(err error) bool {
	return err != nil && strings.Contains(err.Error(), "is no name of a oneof")
}

// differ is data.Differ of what has a form in Protobuf.
func differ(a, b uint64) error {
	if _, _, err := ofSchema(agree.Generator(a, b).Struct(3, false)); noName(err) {
		return nil
	}
	return data.Differ(a, b)
}

func TestAgreesWithTypedJSON(t *testing.T) {
	t.Parallel()
	for seed := range uint64(600) {
		if err := differ(seed, 1); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func FuzzAgreesWithTypedJSON(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		if err := differ(a, b); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzHostile: no bytes make the reader or an edit panic.
func FuzzHostile(f *testing.F) {
	for seed := range uint64(20) {
		g := agree.Generator(seed, 3)
		s := g.Struct(3, false)
		_, w, err := ofSchema(s)
		if noName(err) {
			continue
		}
		if err != nil {
			f.Fatal(err)
		}
		raw, err := w.Append(nil, g.Value(nil, s))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed, raw)
	}
	f.Fuzz(func(t *testing.T, seed uint64, raw []byte) {
		g := agree.Generator(seed, 3)
		e, _, err := ofSchema(g.Struct(3, false))
		if noName(err) {
			t.Skip()
		}
		if err != nil {
			t.Fatal(err)
		}
		agree.Hostile(g, e, raw)
	})
}

// FuzzText: whatever JSON text is written, Protobuf's own library reads what
// comes out, it reads as typed JSON of the schema, and written again it is the
// same.
func FuzzText(f *testing.F) {
	var all []pair
	for i, m := range messages {
		all = append(all, load(f, m.file, m.name))
		f.Add(uint8(i), false, []byte(full))
		f.Add(uint8(i), true, []byte(`{"i32":null,"s":1,"unknown":{},"packed":[1.0,"2"],"byName":{"a":{"next":{}}},"at":"2024-01-01T00:00:00Z"}`))
	}
	f.Fuzz(func(t *testing.T, which uint8, lenient bool, text []byte) {
		p := all[int(which)%len(all)]
		w, err := p.ours.NewWriter(nil, protobuf.WriterOptions{Lenient: lenient})
		if err != nil {
			t.Fatal(err)
		}
		raw, err := w.Append([]byte("before"), text)
		if !bytes.HasPrefix(raw, []byte("before")) || err != nil && len(raw) != len("before") {
			t.Fatalf("what was there is gone: %q", raw)
		}
		if err != nil {
			return
		}
		raw = raw[len("before"):]
		if err := unmarshal(p, raw); err != nil {
			t.Fatalf("%s is written as %x: %v", text, raw, err)
		}
		typed, err := p.ours.AppendJSON(nil, raw)
		if err != nil {
			t.Fatalf("%s is written as %x: %v", text, raw, err)
		}
		if _, err := row.Of(p.ours.Schema()).Append(nil, typed); err != nil {
			t.Fatalf("%s is not of the schema: %v", typed, err)
		}
		strict, err := p.ours.NewWriter(p.ours.Schema(), protobuf.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		again, err := strict.Append(nil, typed)
		if err != nil {
			t.Fatalf("%s: %v", typed, err)
		}
		if back, err := p.ours.AppendJSON(nil, again); err != nil || !bytes.Equal(back, typed) {
			t.Fatalf("%s\nwritten and read is\n%s, %v", typed, back, err)
		}
	})
}

// TestWholeDecimal: a decimal reads as one whether it has a fraction or not,
// and keeps all its digits.
func TestWholeDecimal(t *testing.T) {
	t.Parallel()
	e, w, err := ofSchema(schema.NewStruct("S", schema.Field{Name: "a", Schema: schema.NewDecimal(0, 0)}))
	if err != nil {
		t.Fatal(err)
	}
	path, err := record.ParsePath("a")
	if err != nil {
		t.Fatal(err)
	}
	p := record.NewProjection()
	id := p.Add(path)
	d := record.NewDoc(p)
	for _, digits := range []string{"0", "-5", "9007199254740993", "123456789012345678901234567890"} {
		raw, err := w.Append(nil, []byte(`{"a":`+digits+`}`))
		if err != nil {
			t.Fatal(err)
		}
		d.Reset(e, raw)
		if v, err := d.Get(id); err != nil || v.Kind() != record.Float || v.String() != digits {
			t.Errorf("%s reads as %s %s, %v", digits, v.Kind(), v, err)
		}
	}
}
