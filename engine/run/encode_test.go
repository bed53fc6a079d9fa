package run

import (
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

// plainText is a converter that writes JSON as it is, and marks all else.
type plainText struct{}

func (plainText) Decoded() record.Encoding  { return record.JSON }
func (plainText) NewDecoder() engine.Decode { return nil }

func (plainText) NewEncoder(from record.Encoding) engine.Encode {
	if record.IsJSON(from) {
		return nil
	}
	return func(dst, src []byte, _ *engine.Meta) ([]byte, error) {
		return append(append(dst, "c:"...), src...), nil
	}
}

// always is one that writes everything anew.
type always struct{ plainText }

func (always) NewEncoder(record.Encoding) engine.Encode {
	return plainText{}.NewEncoder(record.Opaque)
}

// TestInnerEncodings: what only flow reads leaves it as JSON, unless a converter
// writes it, and stays of its schema.
func TestInnerEncodings(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse("timestamp(ms)")
	if err != nil {
		t.Fatal(err)
	}
	inner, typed := record.Encoding(connectjson.Of(s, true)), record.JSONOf(s)
	for _, c := range []struct {
		name string
		conv engine.Converter
		from record.Encoding
		want string // "" is nothing to do
		as   record.Encoding
	}{
		{"no converter", nil, inner, `"1970-01-01T00:00:01Z"`, typed},
		{"no converter, JSON", nil, typed, "", nil},
		{"no converter, bytes", nil, nil, "", nil},
		{"JSON as it is", plainText{}, inner, `"1970-01-01T00:00:01Z"`, typed},
		{"JSON as it is, bytes", plainText{}, record.Opaque, "c:1000", record.Opaque},
		{"a converter of its own", always{}, inner, "c:1000", record.Opaque},
	} {
		k := copies{conv: c.conv}
		k.as = k.recode
		recode := k.pick(&engine.Column{Encoding: c.from})
		if recode == nil {
			if c.want != "" {
				t.Errorf("%s: nothing is done", c.name)
			}
			continue
		}
		got, as, err := recode(nil, []byte("1000"), c.from, &engine.Meta{})
		if err != nil || string(got) != c.want || as != c.as {
			t.Errorf("%s: %s of %v, %v, want %s of %v", c.name, got, as, err, c.want, c.as)
		}
		if got, _, err := recode(nil, nil, c.from, &engine.Meta{}); got != nil && c.as != record.Opaque || err != nil {
			t.Errorf("%s: a null is written as %q, %v", c.name, got, err)
		}
	}

	// Rows, which have no version, leave as JSON too.
	rows := row.Of(s)
	k := copies{}
	k.as = k.recode
	second, err := rows.Append(nil, []byte(`"1970-01-01T00:00:01Z"`))
	if err != nil {
		t.Fatal(err)
	}
	if got, as, err := k.recode(nil, second, rows, &engine.Meta{}); string(got) != `"1970-01-01T00:00:01Z"` || as != typed || err != nil {
		t.Errorf("a row is written as %q of %v, %v", got, as, err)
	}

	// In a column of several encodings the others stay what they are.
	k = copies{}
	k.as = k.recode
	mixed := &engine.Column{Encodings: []record.Encoding{record.Text, inner}, Spans: []engine.Span{{}, {}}}
	recode := k.pick(mixed)
	if recode == nil {
		t.Fatal("nothing is done with a column of which one record is to be written")
	}
	if got, as, err := recode(nil, []byte("x"), record.Text, &engine.Meta{}); string(got) != "x" || as != record.Text || err != nil {
		t.Errorf("a text becomes %q of %v, %v", got, as, err)
	}
}
