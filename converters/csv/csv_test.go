package csvconv

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func converterOf(t testing.TB, edit func(*Config)) engine.Converter {
	t.Helper()
	c := Defaults()
	c.Columns = []string{"id", "name", "price", "ok"}
	c.Types = map[string]string{"id": "int", "price": "float", "ok": "bool"}
	if edit != nil {
		edit(c)
	}
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	conv, err := Factory().New(c, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return conv
}

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.RunConverter(t, enginetest.ConverterCase{
		New: func(t *testing.T) engine.Converter { return converterOf(t, nil) },
		Examples: []enginetest.ConverterExample{
			{
				Name: "row", Source: []byte(`7,"a ""b"", c",1.50,true`),
				Decoded: []byte(`{"id":7,"name":"a \"b\", c","price":1.50,"ok":true}`),
			},
			{
				Name: "null and empty are two things", Source: []byte(`,"",,`),
				Decoded: []byte(`{"id":null,"name":"","price":null,"ok":null}`),
			},
			{
				Name: "line end and newline within", Source: []byte("1,\"a\nb\",2,no\r\n"),
				Decoded: []byte(`{"id":1,"name":"a\nb","price":2,"ok":false}`), Encoded: []byte("1,\"a\nb\",2,false"),
			},
		},
		Garbage: [][]byte{
			[]byte("1,2"), []byte("1,2,3,true,5"), []byte("x,a,1,true"), []byte("1,a,y,true"), []byte("1,a,1,maybe"),
			[]byte(`1,"a,1,true`), []byte(`1,a"b,1,true`), []byte("1,\xff,1,true"), {},
		},
	})
}

func TestEncode(t *testing.T) {
	t.Parallel()
	null := func(c *Config) { c.Null = []string{"NULL", ""} }
	tests := []struct {
		name, in, want, err string
		edit                func(*Config)
		from                record.Encoding
	}{
		{name: "any order, some missing", in: `{"name":"x","id":1}`, want: "1,x,,"},
		{name: "nested", in: `{"name":{"a":[1]}}`, want: `,"{""a"":[1]}",,`},
		{name: "member that is no column", in: `{"other":1}`, err: `"other"`},
		{name: "ignored", in: `{"other":1,"id":2}`, want: "2,,,", edit: func(c *Config) { c.Extra = "ignore" }},
		{name: "null text", in: `{"id":null,"name":"NULL"}`, want: `NULL,"NULL",NULL,NULL`, edit: null},
		{name: "delimiter", in: `{"id":1,"name":"a;b,c"}`, want: `1;"a;b,c";;`, edit: func(c *Config) { c.Delimiter = ";" }},
		{name: "JSON null is no row", in: "null", err: "object"},
		{name: "array", in: "[1]", err: "object"},
		{name: "broken", in: `{"id":`, err: "JSON"},
		{name: "text", in: "x", from: record.Text, err: "text"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			from := tt.from
			if from == nil {
				from = record.JSON
			}
			got, err := converterOf(t, tt.edit).NewEncoder(from)([]byte{}, []byte(tt.in), nil)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) {
					t.Errorf("got %q, %v; want an error with %q", got, err, tt.err)
				}
				return
			}
			if err != nil || string(got) != tt.want {
				t.Errorf("got %q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := []struct {
		option string
		edit   func(*Config)
	}{
		{"", func(*Config) {}},
		{"delimiter", func(c *Config) { c.Delimiter = "" }},
		{"types", func(c *Config) { c.Types = map[string]string{"a": "decimal"} }},
		{"columns", func(c *Config) { c.Types = map[string]string{"z": "int"} }},
		{"columns", func(c *Config) { c.Columns = []string{"a", "a"} }},
	}
	for _, tt := range tests {
		c := Defaults()
		c.Columns = []string{"a", "b"}
		tt.edit(c)
		ps := c.Validate()
		switch {
		case tt.option == "" && len(ps) > 0:
			t.Errorf("the defaults have mistakes: %v", ps)
		case tt.option != "" && (len(ps) != 1 || ps[0].Option != tt.option || ps[0].Detail == ""):
			t.Errorf("want a mistake at %s, got %v", tt.option, ps)
		}
	}
}

// FuzzRoundTrip: what was decoded is written and read back as the same object.
func FuzzRoundTrip(f *testing.F) {
	f.Add([]byte(`7,"a ""b""",1.5,true`))
	f.Add([]byte(",,,"))
	f.Add([]byte("1,\"\n\",2,no\r\n"))
	f.Fuzz(func(t *testing.T, row []byte) {
		c := converterOf(t, nil)
		dec, enc := c.NewDecoder(), c.NewEncoder(record.JSON)
		object, _, err := dec([]byte{}, row, nil)
		if err != nil {
			return
		}
		back, err := enc([]byte{}, object, nil)
		if err != nil {
			t.Fatalf("%q: %v", object, err)
		}
		again, _, err := dec([]byte{}, back, nil)
		if err != nil || string(again) != string(object) {
			t.Errorf("%q is written as %q and read as %q, %v", object, back, again, err)
		}
	})
}
