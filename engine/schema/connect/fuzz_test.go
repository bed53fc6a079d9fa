package connect_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
	"github.com/flowrecords/flow/engine/schema/schematest"
)

// FuzzEnvelope: what is read fits its schema, and schema and value come back
// the same when written and read again.
func FuzzEnvelope(f *testing.F) {
	for seed := range uint64(40) {
		g := schematest.New(seed, schematest.Options{})
		s := g.Schema()
		node, err := connect.AppendSchema(nil, s, connect.Options{})
		if err != nil {
			f.Fatal(err)
		}
		payload, err := connect.AppendPayload(nil, g.Value(s), s, connect.Options{})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(connect.AppendEnvelope(nil, node, payload), seed%2 == 0)
	}
	f.Add([]byte(`{"schema":`+everyLogical+`,"payload":null}`), true)
	f.Fuzz(func(t *testing.T, text []byte, lenient bool) {
		var k connect.Cache
		o := connect.Options{Lenient: lenient, KeepNulls: true}
		typed, s, err := k.Decode(nil, text, o)
		if err != nil || s == nil {
			return
		}
		if err := schema.Check(s, typed); err != nil {
			t.Fatalf("%s is no %s: %v", typed, s, err)
		}
		again, _, err := k.Decode(nil, text, o) // by its beginning
		if err != nil || string(again) != string(typed) {
			t.Fatalf("%s, then %s, %v", typed, again, err)
		}
		node, err := connect.AppendSchema(nil, s, connect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		back, err := connect.ParseSchema(node)
		if err != nil || !schema.Equal(s, back) {
			t.Fatalf("%s came back as %s, %v", node, back, err)
		}
		payload, err := connect.AppendPayload(nil, typed, s, connect.Options{KeepNulls: true})
		if err != nil {
			t.Fatalf("%s of %s: %v", typed, s, err)
		}
		value, err := connect.AppendTyped(nil, payload, s, connect.Options{KeepNulls: true})
		if err != nil || string(value) != string(typed) {
			t.Fatalf("%s, as %s, came back as %s, %v", typed, payload, value, err)
		}
	})
}
