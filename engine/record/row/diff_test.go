package row_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/internal/agree"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

// TestBothWays: a row is written as the text that it was made from.
func TestBothWays(t *testing.T) {
	t.Parallel()
	for seed := range uint64(5000) {
		g := agree.Generator(seed, 7)
		s := g.Schema(3)
		text := g.Value(nil, s)
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

var rows = agree.Case{New: func(s *schema.Schema) (record.Encoding, func(text []byte) ([]byte, error)) {
	e := row.Of(s)
	return e, func(text []byte) ([]byte, error) { return e.Append(nil, text) }
}}

func TestRowsAgreeWithTypedJSON(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3000) {
		if err := rows.Differ(seed, 1); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

func FuzzRowsAgreeWithTypedJSON(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	f.Fuzz(func(t *testing.T, a, b uint64) {
		if err := rows.Differ(a, b); err != nil {
			t.Fatal(err)
		}
	})
}
