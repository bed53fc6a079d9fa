package stringconv

import (
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

func newConverter(t testing.TB, strict bool) engine.Converter {
	t.Helper()
	c, err := Factory().New(&Config{Strict: strict}, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConformance(t *testing.T) {
	t.Parallel()
	examples := []enginetest.ConverterExample{
		{Name: "text", Source: []byte("hello")},
		{Name: "empty", Source: []byte{}},
		{Name: "null text", Source: []byte("null")},
		{Name: "quotes", Source: []byte(`"a"`)},
		{Name: "lines", Source: []byte("a\r\nb\x00é")},
	}
	t.Run("lenient", func(t *testing.T) {
		t.Parallel()
		enginetest.RunConverter(t, enginetest.ConverterCase{
			New:      func(t *testing.T) engine.Converter { return newConverter(t, false) },
			Examples: append(examples, enginetest.ConverterExample{Name: "not UTF-8", Source: []byte("\xff")}),
		})
	})
	t.Run("strict", func(t *testing.T) {
		t.Parallel()
		enginetest.RunConverter(t, enginetest.ConverterCase{
			New:      func(t *testing.T) engine.Converter { return newConverter(t, true) },
			Examples: examples,
			Garbage:  [][]byte{{0xff}, []byte("a\xc3"), []byte("\xed\xa0\x80")},
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
		{from: record.JSON, in: `"abc"`, want: "abc"},
		{from: record.JSON, in: ` "a\"\u00e9\n" `, want: "a\"é\n"},
		{from: record.JSON, in: `""`, want: ""},
		{from: record.JSON, in: "1.50", want: "1.50"},
		{from: record.JSON, in: `{"a": 1}`, want: `{"a": 1}`},
		{from: record.JSON, in: "null", want: "null"},
		{from: record.JSON, in: "true", want: "true"},
		{from: record.JSON, in: `{"a":`, wantError: true},
		{from: record.JSON, in: `"a`, wantError: true},
		{from: record.JSON, in: "", wantError: true},
	}
	for _, tt := range tests {
		got, err := newConverter(t, false).NewEncoder(tt.from)(nil, []byte(tt.in), nil)
		if string(got) != tt.want || (err != nil) != tt.wantError || err == nil && got == nil {
			t.Errorf("%q: got %q (null: %v), %v; want %q", tt.in, got, got == nil, err, tt.want)
		}
	}
	c := newConverter(t, false)
	if c.NewDecoder() != nil || c.NewEncoder(record.Text) != nil || c.NewEncoder(record.Opaque) != nil {
		t.Error("text is copied")
	}
	if _, err := newConverter(t, true).NewEncoder(record.Opaque)(nil, []byte{0xff}, nil); err == nil {
		t.Error("strict writes what is not UTF-8")
	}
}

// TestValuesWithASchema: their own text is written.
func TestValuesWithASchema(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ typ, in, want string }{
		{"string", `"a\"b"`, `a"b`},
		{"date", `"2026-01-02"`, "2026-01-02"},
		{"time(ms)", `"03:04:05.006"`, "03:04:05.006"},
		{"timestamp(ms)", `"2026-01-02T03:04:05.006Z"`, "2026-01-02T03:04:05.006Z"},
		{"decimal(10,2)", "12.30", "12.30"},
		{"float64", `"NaN"`, "NaN"},
		{"bytes", `"AAH+"`, "\x00\x01\xfe"},
		{"struct{a int8}", `{"a":1}`, `{"a":1}`},
	} {
		s, err := schema.Parse(c.typ)
		if err != nil {
			t.Fatal(err)
		}
		encode := newConverter(t, false).NewEncoder(record.JSONOf(s.AsOptional()))
		if got, err := encode(nil, []byte(c.in), nil); err != nil || string(got) != c.want {
			t.Errorf("%s %s: %q, %v", c.typ, c.in, got, err)
		}
		if got, err := encode(nil, []byte("null"), nil); err != nil || got != nil {
			t.Errorf("%s null: %q, %v", c.typ, got, err)
		}
	}
}
