package avro_test

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
)

// TestWriterBranches: a branch of a union is written as the one that FromSchema
// made of it, whatever the names are.
func TestWriterBranches(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ schema, text, want string }{
		{`union{a int32, b any}`, `{"b":true}`, `{"b":true}`},
		{`union{b any, a int32}`, `{"a":1}`, `{"a":1}`},
		{`union{string int32, int string}`, `{"int":"x"}`, `{"int":"x"}`},
		{`union{a int64, b int32}`, `{"b":1}`, `{"b":1}`},
		{`union{a float64, b int64}`, `{"b":1}`, `{"b":1}`},
		{`union{int any, string int32}`, `{"string":1}`, `{"string":1}`},
	} {
		s, err := schema.Parse(c.schema)
		if err != nil {
			t.Fatal(err)
		}
		to, err := avro.FromSchema(s, avro.FromOptions{Untyped: true})
		if err != nil {
			t.Fatalf("%s: %v", c.schema, err)
		}
		w, err := avro.NewWriter(to, s, avro.WriterOptions{})
		if err != nil {
			t.Fatalf("%s: %v", c.schema, err)
		}
		e, err := avro.NewEncoding(to)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := w.Append(nil, []byte(c.text))
		if err != nil {
			t.Errorf("%s: %s: %v", c.schema, c.text, err)
			continue
		}
		if got, err := e.AppendJSON(nil, raw); err != nil || string(got) != c.want {
			t.Errorf("%s: %s is written as %s, %v, want %s", c.schema, c.text, got, err, c.want)
		}
	}
}

// TestWriterRenamesBranches: a union of another schema has names of its own for
// its branches, so that reading gives other values. That is asked for.
func TestWriterRenamesBranches(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse(`union{text string, number int32}`)
	if err != nil {
		t.Fatal(err)
	}
	to, err := avro.Parse([]byte(`["int","string"]`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := avro.NewWriter(to, s, avro.WriterOptions{}); err == nil || !strings.Contains(err.Error(), "the branch text is string in Avro") {
		t.Errorf("without lenient: %v", err)
	}
	w, err := avro.NewWriter(to, s, avro.WriterOptions{Lenient: true})
	if err != nil {
		t.Fatal(err)
	}
	raw, err := w.Append(nil, []byte(`{"text":"x"}`))
	if err != nil || string(raw) != "\x02\x02x" {
		t.Errorf("written as %q, %v", raw, err)
	}
}

// TestUnionThereAndBack: what FromSchema makes of a union is read as the same.
func TestUnionThereAndBack(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`union{text string, number int32}`,
		`union{text string}`,
		`union{text string}?`,
		`union{card struct Card{number string}, cash struct Cash{}, at timestamp(ms)}?`,
		`union{string int32, int string}`,
		`array<union{a bytes, b map<string, int64>}>`,
	} {
		s, err := schema.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		to, err := avro.FromSchema(s, avro.FromOptions{})
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		back, err := avro.Parse([]byte(to.Text()))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if got, err := avro.ToSchema(back); err != nil || !schema.EqualTypes(got, s) {
			t.Errorf("%s comes back as %s, %v, by %s", text, got, err, to.Text())
		}
	}
}
