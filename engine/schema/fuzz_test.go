package schema_test

import (
	"encoding/json"
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

func FuzzParse(f *testing.F) {
	for seed := range uint64(30) {
		f.Add(schematest.New(seed, schematest.Options{Recursive: seed%2 == 1}).Schema().String())
	}
	f.Add(`struct{a int8 = 5?}`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := schema.Parse(text)
		if err != nil {
			return
		}
		written := s.String()
		back, err := schema.Parse(written)
		if err != nil {
			t.Fatalf("%q written as %q: %v", text, written, err)
		}
		if !schema.EqualTypes(s, back) || back.String() != written {
			t.Errorf("%q written as %q came back as %q", text, written, back)
		}
		if s.Text() == "" {
			t.Error("no text")
		}
	})
}

func FuzzParseJSON(f *testing.F) {
	for seed := range uint64(30) {
		b, err := schematest.New(seed, schematest.Options{Recursive: seed%2 == 1}).Schema().MarshalJSON()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := schema.ParseJSON(text)
		if err != nil {
			return
		}
		if !json.Valid(text) {
			t.Fatalf("took what is no JSON")
		}
		written, err := s.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		back, err := schema.ParseJSON(written)
		if err != nil || !schema.Equal(s, back) || s.Fingerprint() != back.Fingerprint() {
			t.Errorf("written as %s, came back as %s, %v", written, back, err)
		}
	})
}

// FuzzCheck: what fits is JSON, converts to its own schema unchanged in
// meaning, and converting what does not fit never ends in a value that fits.
func FuzzCheck(f *testing.F) {
	for seed := range uint64(30) {
		g := schematest.New(seed, schematest.Options{})
		s := g.Schema()
		f.Add(s.String(), g.Value(s))
	}
	f.Fuzz(func(t *testing.T, typ string, text []byte) {
		s, err := schema.Parse(typ)
		if err != nil {
			return
		}
		fits := schema.Check(s, text) == nil
		if fits && !json.Valid(text) {
			t.Fatalf("took what is no JSON")
		}
		to := s.AsOptional().Clone()
		to.Name += "x" // so that the plan goes into the parts
		p, err := schema.NewPlan(s.AsOptional(), to, schema.Resolution)
		if err != nil {
			return
		}
		out, err := p.Append(nil, text)
		if fits && err != nil {
			t.Fatalf("fits, and does not convert: %v", err)
		}
		if fits {
			if err := schema.Check(to, out); err != nil {
				t.Errorf("%s became %s: %v", text, out, err)
			}
		}
	})
}
