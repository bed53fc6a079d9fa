package jsonschemaconv

import (
	"bytes"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

// TestMadeSchemasTakeTheirValues: whatever records are, the JSON Schema that is
// made for them takes what they are written as, by the judgement of a validator
// that knows nothing of flow, and reading gives the same record.
func TestMadeSchemasTakeTheirValues(t *testing.T) {
	t.Parallel()
	var types []schema.Type
	for _, ty := range schema.Types() {
		if ty != schema.Union { // whose JSON does not say which branch it is
			types = append(types, ty)
		}
	}
	for seed := range uint64(300) {
		g := schematest.New(seed, schematest.Options{Types: types, Recursive: seed%3 == 0})
		s := g.Schema()
		c := Defaults()
		c.Schema, c.Validation, c.Connect = engine.SchemaOption{Schema: s}, true, seed%2 == 0
		conv := converterOf(t, c)
		encode, decode := conv.NewEncoder(record.JSONOf(s)), conv.NewDecoder()
		for range 3 {
			v := g.Value(s)
			if bytes.Contains(v, []byte("Infinity")) || bytes.Contains(v, []byte("NaN")) {
				continue // JSON Schema has no number that is none
			}
			data, err := encode(nil, v, &engine.Meta{})
			if err != nil {
				t.Fatalf("seed %d: %s: %s: %v", seed, s, v, err)
			}
			back, _, err := decode(nil, data, &engine.Meta{})
			if err != nil || string(back) != string(v) {
				t.Fatalf("seed %d: %s: %s, written as %s, came back as %s: %v", seed, s, v, data, back, err)
			}
		}
	}
}
