package bytesconv

import (
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.RunConverter(t, enginetest.ConverterCase{
		New: func(t *testing.T) engine.Converter {
			c, err := Factory().New(Defaults(), engine.Env{})
			if err != nil {
				t.Fatal(err)
			}
			return c
		},
		Examples: []enginetest.ConverterExample{
			{Name: "any bytes", Source: []byte("\x00\xff\n")},
			{Name: "empty", Source: []byte{}},
			{Name: "null text", Source: []byte("null")},
		},
	})
}

// TestAsItIs: no encoding is changed on the way out.
func TestAsItIs(t *testing.T) {
	t.Parallel()
	c, err := Factory().New(Defaults(), engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Decoded() != record.Opaque || c.NewDecoder() != nil {
		t.Error("bytes are read as something else")
	}
	for _, from := range []record.Encoding{record.JSON, record.Text, record.Opaque} {
		if c.NewEncoder(from) != nil {
			t.Errorf("%s is changed", from.Name())
		}
	}
}

// TestBytesWithASchema: they are base64 in typed JSON, and bytes outside.
func TestBytesWithASchema(t *testing.T) {
	t.Parallel()
	encode := converter{}.NewEncoder(record.JSONOf(schema.New(schema.Bytes).AsOptional()))
	for in, want := range map[string]string{`"AAH+"`: "\x00\x01\xfe", `""`: ""} {
		if got, err := encode(nil, []byte(in), nil); err != nil || got == nil || string(got) != want {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for _, in := range [][]byte{nil, []byte("null")} {
		if got, err := encode([]byte{}, in, nil); err != nil || got != nil {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	if got, err := encode(nil, []byte(`"%"`), nil); err == nil {
		t.Errorf("what is no base64 is written as %q", got)
	}
}
