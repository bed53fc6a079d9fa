package primitiveconv

import (
	"encoding/hex"
	"math"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

func make1(t testing.TB, name string) engine.Converter {
	t.Helper()
	c, err := Factory().New(&Config{Type: name}, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var texts = map[string][][2]string{
	"bool":    {{"00", "false"}, {"01", "true"}},
	"int16":   {{"0000", "0"}, {"7fff", "32767"}, {"8000", "-32768"}, {"ffff", "-1"}},
	"int32":   {{"00011170", "70000"}, {"80000000", "-2147483648"}},
	"int64":   {{"7fffffffffffffff", "9223372036854775807"}, {"8000000000000000", "-9223372036854775808"}, {"0020000000000001", "9007199254740993"}},
	"float32": {{"3fc00000", "1.5"}, {"3dcccccd", "0.1"}, {"80000000", "-0.0"}, {"7fc00000", `"NaN"`}, {"ff800000", `"-Infinity"`}, {"00000001", "1e-45"}, {"7f7fffff", "3.4028235e+38"}},
	"float64": {{"4002000000000000", "2.25"}, {"7ff0000000000000", `"Infinity"`}, {"3fb999999999999a", "0.1"}, {"7fefffffffffffff", "1.7976931348623157e+308"}, {"4008000000000000", "3"}},
}

func TestConformance(t *testing.T) {
	t.Parallel()
	for name, list := range texts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			size := len(list[0][0]) / 2
			c := enginetest.ConverterCase{
				New:     func(t *testing.T) engine.Converter { return make1(t, name) },
				Garbage: [][]byte{{}, make([]byte, size+1), make([]byte, size-1), make([]byte, 16)},
			}
			if name == "bool" {
				c.Garbage = append(c.Garbage, []byte{2}, []byte("t"))
			}
			for _, e := range list {
				b, err := hex.DecodeString(e[0])
				if err != nil {
					t.Fatal(err)
				}
				c.Examples = append(c.Examples, enginetest.ConverterExample{Name: e[1], Source: b, Decoded: []byte(e[1])})
				if err := schema.Check(make1(t, name).(engine.Typed).Decodes(), []byte(e[1])); err != nil {
					t.Errorf("%s is no typed JSON: %v", e[1], err)
				}
			}
			enginetest.RunConverter(t, c)
		})
	}
}

func TestEncode(t *testing.T) {
	t.Parallel()
	of := func(text string) record.Encoding {
		s, err := schema.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return record.JSONOf(s)
	}
	for _, c := range []struct {
		to        string
		from      record.Encoding
		in        string
		want, err string
	}{
		{"int16", record.JSON, "300", "012c", ""},
		{"int16", nil, " 300 ", "012c", ""},
		{"int16", of("int64"), "300", "012c", ""},
		{"int16", record.JSON, "70000", "", "70000 is no int16 without loss: convert it before, as with a cast processor"},
		{"int32", record.JSON, "5.0", "", "5.0 is no int32 without loss: convert it before, as with a cast processor"},
		{"int32", record.JSON, "3000000000", "", "3000000000 is no int32 without loss: convert it before, as with a cast processor"},
		{"int32", of("date"), `"2026-01-02"`, "", "a value of type time is no int32 without loss: convert it before, as with a cast processor"},
		{"int64", of("uint64"), "18446744073709551615", "", "18446744073709551615 is no int64 without loss: convert it before, as with a cast processor"},
		{"int64", record.Text, "5", "", "a value of type string is no int64 without loss: convert it before, as with a cast processor"},
		{"int64", record.JSON, `{"a":1}`, "", "a value of type object is no int64 without loss: convert it before, as with a cast processor"},
		{"float32", record.JSON, "0.1", "3dcccccd", ""},
		{"float32", of("float32"), "0.1", "3dcccccd", ""},
		{"float32", of("float64"), "0.5", "3f000000", ""},
		{"float32", of("float64"), "0.1", "", "0.1 is no float32 without loss: convert it before, as with a cast processor"},
		{"float32", record.JSON, "16777217", "", "16777217 is no float32 without loss: convert it before, as with a cast processor"},
		{"float32", record.JSON, "1e39", "", "1e39 is no float32 without loss: convert it before, as with a cast processor"},
		{"float64", record.JSON, "3", "4008000000000000", ""},
		{"float64", record.JSON, "9007199254740993", "", "9007199254740993 is no float64 without loss: convert it before, as with a cast processor"},
		{"float64", of("decimal(4,2)"), "12.34", "", "12.34 is no float64 without loss: convert it before, as with a cast processor"},
		{"bool", record.JSON, "true", "01", ""},
		{"bool", record.JSON, "1", "", "1 is no bool without loss: convert it before, as with a cast processor"},
		{"bool", record.JSON, "null", "", ""},
	} {
		got, err := make1(t, c.to).NewEncoder(c.from)([]byte{}, []byte(c.in), nil)
		switch {
		case c.err != "":
			if err == nil || err.Error() != c.err {
				t.Errorf("%s as %s: got %x, %v, want %s", c.in, c.to, got, err, c.err)
			}
		case err != nil || hex.EncodeToString(got) != c.want || (got == nil) != (c.in == "null"):
			t.Errorf("%s as %s: got %x, %v, want %s", c.in, c.to, got, err, c.want)
		}
	}
}

// FuzzBothWays: bytes that are read are written again, but for which NaN it was.
func FuzzBothWays(f *testing.F) {
	for name, list := range texts {
		for _, e := range list {
			b, _ := hex.DecodeString(e[0])
			f.Add(name, b)
		}
	}
	f.Fuzz(func(t *testing.T, name string, src []byte) {
		if _, known := texts[name]; !known || src == nil {
			return
		}
		c := make1(t, name)
		text, _, err := c.NewDecoder()([]byte{}, src, nil)
		if err != nil {
			return
		}
		if err := schema.Check(c.(engine.Typed).Decodes(), text); err != nil {
			t.Fatalf("%x became %s: %v", src, text, err)
		}
		back, err := c.NewEncoder(c.Decoded())([]byte{}, text, nil)
		if err != nil {
			t.Fatalf("%s cannot be written: %v", text, err)
		}
		if string(back) != string(src) && string(text) != `"NaN"` {
			t.Errorf("%x became %s became %x", src, text, back)
		}
		if string(text) == `"NaN"` && len(back) == 8 && !math.IsNaN(math.Float64frombits(uint64(back[0])<<56|uint64(back[1])<<48)) {
			t.Errorf("NaN became %x", back)
		}
	})
}
