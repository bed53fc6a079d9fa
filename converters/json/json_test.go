package jsonconv

import (
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func plainConverter(t testing.TB, strict bool) engine.Converter {
	t.Helper()
	config := Defaults()
	config.Strict = strict
	c, err := Factory().New(config, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var texts = []enginetest.ConverterExample{
	{Name: "object", Source: []byte(`{"b":1.50,"a":[null,"é\n"]}`)},
	{Name: "white space", Source: []byte(" {\n} ")},
	{Name: "null text", Source: []byte("null")},
	{Name: "digits", Source: []byte("123456789012345678901234567890.10")},
	{Name: "string", Source: []byte(`"x"`)},
	{Name: "duplicate names", Source: []byte(`{"a":1,"a":2}`)},
}

func TestConformance(t *testing.T) {
	t.Parallel()
	t.Run("lenient", func(t *testing.T) {
		t.Parallel()
		enginetest.RunConverter(t, enginetest.ConverterCase{
			New:      func(t *testing.T) engine.Converter { return plainConverter(t, false) },
			Examples: append(texts, enginetest.ConverterExample{Name: "broken", Source: []byte(`{"a":`)}),
		})
	})
	t.Run("strict", func(t *testing.T) {
		t.Parallel()
		enginetest.RunConverter(t, enginetest.ConverterCase{
			New:      func(t *testing.T) engine.Converter { return plainConverter(t, true) },
			Examples: texts,
			Garbage: [][]byte{
				{}, []byte(`{"a":`), []byte("01"), []byte(`"\x"`), []byte("\"\xff\""), []byte("{} {}"), []byte("NaN"), []byte("\xef\xbb\xbf{}"),
			},
		})
	})
}

func TestEncode(t *testing.T) {
	t.Parallel()
	tests := []struct {
		from      record.Encoding
		in, want  string
		wantError bool
	}{
		{from: record.Text, in: "a\"b\n\u00e9", want: `"a\"b\né"`},
		{from: record.Text, in: "", want: `""`},
		{from: record.Text, in: "null", want: `"null"`},
		{from: record.Text, in: "\xff", wantError: true},
		{from: record.Opaque, in: "\x00\xff\x10", want: `"AP8Q"`},
		{from: record.Opaque, in: "", want: `""`},
	}
	for _, tt := range tests {
		got, err := plainConverter(t, false).NewEncoder(tt.from)(nil, []byte(tt.in), nil)
		if string(got) != tt.want || (err != nil) != tt.wantError {
			t.Errorf("%s %q: got %q, %v; want %q", tt.from.Name(), tt.in, got, err, tt.want)
		}
		if err == nil && record.ValidateJSON(got) != nil {
			t.Errorf("%s %q: %q is no JSON", tt.from.Name(), tt.in, got)
		}
	}
}

// TestNothingToDo: bytes that stay as they are cost nothing.
func TestNothingToDo(t *testing.T) {
	t.Parallel()
	c := plainConverter(t, false)
	if c.NewDecoder() != nil || c.NewEncoder(record.JSON) != nil {
		t.Error("JSON is copied")
	}
}

func FuzzStrict(f *testing.F) {
	for _, e := range texts {
		f.Add(e.Source)
	}
	f.Fuzz(func(t *testing.T, p []byte) {
		c := plainConverter(t, true)
		out, _, err := c.NewDecoder()(nil, p, nil)
		if err != nil {
			return
		}
		doc := record.NewDoc(record.NewProjection())
		doc.Reset(record.JSON, out)
		if err := doc.Check(); err != nil {
			t.Errorf("strict took %q, which is then refused: %v", p, err)
		}
	})
}
