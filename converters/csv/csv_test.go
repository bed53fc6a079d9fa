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
		{"columns", func(c *Config) { c.Columns = nil }},
		{"schema", func(c *Config) { c.Schema = enginetest.SchemaText("struct{a int64}") }},
		{"schema", func(c *Config) { c.Columns, c.Schema = nil, enginetest.SchemaText("int64") }},
		{"schema", func(c *Config) { c.Columns, c.Schema = nil, enginetest.SchemaText("struct{a array<int64>}") }},
		{"", func(c *Config) { c.Columns, c.Schema = nil, enginetest.SchemaText("struct{a int64}") }},
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

func typedOf(t testing.TB, types string) engine.Converter {
	t.Helper()
	return converterOf(t, func(c *Config) { c.Columns, c.Types, c.Schema = nil, nil, enginetest.SchemaText(types) })
}

// TestSchema: rows with a schema are values of its types, and are written back.
func TestSchema(t *testing.T) {
	t.Parallel()
	const types = `struct{id int64, name string, price decimal(10,2)?, at timestamp?, day date?, ok bool?, n int8?, kind enum(A, B)?, took duration?, raw bytes?, f float64?}`
	tests := []struct{ name, in, json, back, err string }{
		{name: "all", in: `9007199254740993,"a, b",12345678.90,2026-03-14T10:26:53.535+01:00,2026-03-14,yes,-3,B,90m,AP8=,1e3`,
			json: `{"id":9007199254740993,"name":"a, b","price":12345678.90,"at":"2026-03-14T09:26:53.535Z","day":"2026-03-14","ok":true,"n":-3,"kind":"B","took":"1h30m0s","raw":"AP8=","f":1000}`,
			back: `9007199254740993,"a, b",12345678.90,2026-03-14T09:26:53.535Z,2026-03-14,true,-3,B,1h30m0s,AP8=,1000`},
		{name: "nulls", in: "1,,,,,,,,,,", json: `{"id":1,"name":"","price":null,"at":null,"day":null,"ok":null,"n":null,"kind":null,"took":null,"raw":null,"f":null}`, back: `1,"",,,,,,,,,`},
		{name: "zeros and signs", in: "+007,x,-0.50,,,,,,,,.5", json: `{"id":7,"name":"x","price":-0.50,"at":null,"day":null,"ok":null,"n":null,"kind":null,"took":null,"raw":null,"f":0.5}`, back: "7,x,-0.50,,,,,,,,0.5"},
		{name: "null", in: ",x,,,,,,,,,", err: `column "id": it stands for a null`},
		{name: "too many digits", in: "1,x,1.001,,,,,,,,", err: `column "price"`},
		{name: "too large", in: "1,x,,,,,200,,,,", err: `column "n"`},
		{name: "no date", in: "1,x,,,2026-02-30,,,,,,", err: `column "day"`},
		{name: "no symbol", in: "1,x,,,,,,C,,,", err: `column "kind"`},
		{name: "no number", in: "true,x,,,,,,,,,", err: `column "id"`},
		{name: "fields", in: "1,x", err: "wrong number of fields: 2, the schema has 11"},
		{name: "not UTF-8", in: "1,\xff,,,,,,,,,", err: "UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := typedOf(t, types)
			enc := c.Decoded()
			out, _, err := c.NewDecoder()([]byte{}, []byte(tt.in), nil)
			if tt.err != "" {
				if err == nil || !strings.Contains(err.Error(), tt.err) || len(out) > 0 {
					t.Errorf("got %q, %v; want an error with %s", out, err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			text, err := enc.AppendJSON(nil, out)
			if err != nil || string(text) != tt.json {
				t.Errorf("got %s, %v; want %s", text, err, tt.json)
			}
			for from, src := range map[record.Encoding][]byte{enc: out, record.JSONOf(record.SchemaOf(enc)): text} {
				if back, err := c.NewEncoder(from)([]byte{}, src, nil); err != nil || string(back) != tt.back {
					t.Errorf("%s is written as %s, %v; want %s", from.Name(), back, err, tt.back)
				}
			}
		})
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
