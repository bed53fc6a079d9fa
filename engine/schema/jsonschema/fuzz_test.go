package jsonschema_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

// FuzzParse: what is read is valid, and comes back equal when it is written,
// schemas and payloads alike.
func FuzzParse(f *testing.F) {
	for seed := range uint64(40) {
		g := schematest.New(seed, schematest.Options{Recursive: seed%2 == 1})
		s := g.Schema()
		text, err := jsonschema.Append(nil, s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, g.Value(s))
	}
	f.Add([]byte(`{"allOf":[{"$ref":"#/$defs/B"}],"$defs":{"B":{"type":["object","null"],"properties":{"b":{"const":"x"}}}}}`), []byte(`{"b":"x"}`))
	f.Add([]byte(`{"oneOf":[{"$ref":"#/$defs/B"},{"type":"null"}],"$defs":{"B":{"$ref":"#"}}}`), []byte(`null`))
	f.Fuzz(func(t *testing.T, text, payload []byte) {
		s, err := jsonschema.Parse(text, nil)
		if err != nil {
			return
		}
		if err := s.Validate(); err != nil {
			t.Fatalf("not valid: %v", err)
		}
		written, err := jsonschema.Append(nil, s)
		if err != nil {
			t.Fatal(err)
		}
		back, err := jsonschema.Parse(written, nil)
		if err != nil {
			t.Fatalf("%s: %v", written, err)
		}
		if !schema.EqualTypes(s, back) {
			t.Fatalf("%s came back as %s\n%s", s, back, written)
		}
		o := jsonschema.Options{KeepNulls: true}
		typed, err := jsonschema.AppendTyped(nil, payload, s, o)
		if err != nil {
			return
		}
		if err := schema.Check(s, typed); err != nil {
			t.Fatalf("%s is no %s: %v", typed, s, err)
		}
		out, err := jsonschema.AppendPayload(nil, typed, s, o)
		if err != nil {
			t.Fatalf("%s of %s: %v", typed, s, err)
		}
		if again, err := jsonschema.AppendTyped(nil, out, s, o); err != nil || string(again) != string(typed) {
			t.Fatalf("%s, as %s, came back as %s, %v", typed, out, again, err)
		}
	})
}
