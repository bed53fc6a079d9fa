package redact

import (
	"regexp"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

// TestTyped: fields of records with a schema are found, and keep their types.
func TestTyped(t *testing.T) {
	t.Parallel()
	const from = `struct{password string, n struct{password int64?, at date}, list array<struct{password bool}>, by map<string, string>, mail string, card int64}`
	const text = `{"password":"secret","n":{"password":7,"at":"2026-01-02"},"list":[{"password":true}],"by":{"password":"x","y":"z"},"mail":"to me@example.com","card":4111111111111111}`
	for _, tt := range []struct{ mode, text, schema string }{
		{"replace", `{"password":"[redacted]","n":{"password":null,"at":"2026-01-02"},"list":[{"password":false}],"by":{"password":"[redacted]","y":"z"},"mail":"to [redacted]","card":0}`, from},
		{"remove", `{"n":{"at":"2026-01-02"},"list":[{}],"by":{"y":"z"},"mail":"to ","card":0}`, `struct{n struct{at date}, list array<struct{}>, by map<string, string>, mail string, card int64}`},
	} {
		s, err := schema.Parse(from)
		if err != nil {
			t.Fatal(err)
		}
		c := Defaults()
		c.Mode, c.Fields, c.Values = tt.mode, []engine.Pattern{{Regexp: regexp.MustCompile("password")}}, []string{"email", "card"}
		l := record.NewLayout()
		p := newRedact(c)
		b, err := p.Bind(l)
		if err != nil {
			t.Fatal(err)
		}
		r := record.NewRecord(l)
		r.Value.Reset(record.JSONOf(s), []byte(text))
		if _, err := b.Step(r); err != nil {
			t.Fatal(err)
		}
		out, err := r.Value.AppendTo(nil)
		said, _ := p.schemas(engine.Schemas{Value: s})
		if err != nil || string(out) != tt.text || r.Value.Schema().String() != tt.schema || !schema.Equal(said.Value, r.Value.Schema()) {
			t.Errorf("%s: got %s of %s, %v; said %s", tt.mode, out, r.Value.Schema(), err, said.Value)
		}
	}
}
