package connectjson_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/record/internal/agree"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

// payloads are read and edited as typed JSON text is, and are byte for byte what
// the typed text is as a payload.
func payloads(numeric bool) *agree.Case {
	o := connect.Options{Numeric: numeric, KeepNulls: true}
	return &agree.Case{
		New: func(s *schema.Schema) (record.Encoding, func(text []byte) ([]byte, error)) {
			return connectjson.Of(s, numeric), func(text []byte) ([]byte, error) { return connect.AppendPayload(nil, text, s, o) }
		},
		Written: func(enc record.Encoding, out, typed []byte) error {
			e, ok := enc.(*connectjson.Encoding)
			if !ok {
				return nil
			}
			want, err := connect.AppendPayload(nil, typed, e.Schema(), o)
			if err != nil || !bytes.Equal(out, want) {
				return fmt.Errorf("written as %s, not as %s, %v", out, want, err)
			}
			return nil
		},
		Canonical: func(s *schema.Schema, typed []byte) ([]byte, error) {
			out, err := connect.AppendPayload(nil, typed, s, o)
			if err != nil {
				return nil, err
			}
			return connect.AppendTyped(nil, out, s, o)
		},
	}
}

func TestAgreesWithTypedJSON(t *testing.T) {
	t.Parallel()
	for _, numeric := range []bool{true, false} {
		c := payloads(numeric)
		for seed := range uint64(1500) {
			if err := c.Differ(seed, 1); err != nil {
				t.Fatalf("seed %d, numbers %v: %v", seed, numeric, err)
			}
		}
	}
}

func FuzzAgreesWithTypedJSON(f *testing.F) {
	f.Add(uint64(1), uint64(2), true)
	f.Fuzz(func(t *testing.T, a, b uint64, numeric bool) {
		if err := payloads(numeric).Differ(a, b); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzHostile: no bytes make the reader panic, and what it takes is a payload of
// the schema in the one form.
func FuzzHostile(f *testing.F) {
	f.Add(uint64(1), []byte(`{"a":1}`), true)
	for seed := range uint64(20) {
		g := agree.Generator(seed, 3)
		s := g.Struct(3, false)
		raw, err := connect.AppendPayload(nil, g.Value(nil, s), s, connect.Options{Numeric: seed%2 == 0, KeepNulls: true})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed, raw, seed%2 == 0)
	}
	f.Fuzz(func(t *testing.T, seed uint64, raw []byte, numeric bool) {
		g := agree.Generator(seed, 3)
		s := g.Struct(3, false)
		e := connectjson.Of(s, numeric)
		d := record.NewDoc(record.NewProjection())
		d.Reset(e, raw)
		if d.Check() == nil && raw != nil {
			typed, err := e.AppendJSON(nil, raw)
			if err != nil {
				t.Fatalf("%s of %s is taken: %v", raw, s, err)
			}
			again, err := connect.AppendPayload(nil, typed, s, connect.Options{Numeric: numeric, KeepNulls: true})
			if err != nil || !bytes.Equal(again, raw) {
				t.Fatalf("%s of %s is taken, and is written as %s, %v", raw, s, again, err)
			}
		}
		agree.Hostile(g, e, raw)
	})
}
