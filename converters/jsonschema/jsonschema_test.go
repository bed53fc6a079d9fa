package jsonschemaconv

import (
	"encoding/json"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/connections/registry/registrytest"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func option(text string) engine.SchemaOption {
	return enginetest.SchemaText(text, engine.NotationJSONSchema, engine.NotationType)
}

// converterOf makes a converter, which is not open.
func converterOf(t testing.TB, c *Config) engine.Converter {
	t.Helper()
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	conv, err := Factory().New(c, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return conv
}

// given makes a converter with the option schema.
func given(t testing.TB, text string, edit func(*Config)) engine.Converter {
	t.Helper()
	c := Defaults()
	c.Schema = option(text)
	if edit != nil {
		edit(c)
	}
	return converterOf(t, c)
}

const order = `{"type":"object","title":"Order","properties":{"id":{"type":"integer"},"code":{"type":"string","pattern":"^[A-Z]+$"},"at":{"type":"string","format":"date-time"},"day":{"type":"string","format":"date"}},"required":["id"]}`

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.RunConverter(t, enginetest.ConverterCase{
		New: func(t *testing.T) engine.Converter {
			return given(t, `{"type":"object","properties":{"name":{"type":"string"},"age":{"type":["integer","null"],"minimum":0}},"required":["name"]}`, func(c *Config) { c.Validation = true })
		},
		Examples: []enginetest.ConverterExample{
			{Name: "as it is", Source: []byte(`{"age":1,"name":"Ann"}`)},
			{Name: "a null", Source: []byte(`{"name":"Ann","age":null}`)},
			{Name: "white space", Source: []byte(` { "name" : "Ann" } `)},
		},
		Garbage: [][]byte{{}, []byte(`{`), []byte(`{}`), []byte(`{"name":1}`), []byte(`{"name":"x","age":-1}`), []byte(`{"name":"x","extra":1}`)},
	})
}

func TestReading(t *testing.T) {
	t.Parallel()
	drop := func(c *Config) { c.Additional = "drop" }
	for _, tt := range []struct {
		name, schema string
		edit         func(*Config)
		in, want     string // or of the error
	}{
		{"what needs no other form stays", `{"type":"object","properties":{"a":{"type":"integer"},"b":{"type":"string"}}}`, nil, `{"b": "x"}`, `{"b": "x"}`},
		{"a zone", order, nil, `{"id":1,"at":"2026-01-02T03:04:05+02:00","day":"2026-01-02"}`, `{"id":1,"code":null,"at":"2026-01-02T01:04:05Z","day":"2026-01-02"}`},
		{"no time", order, nil, `{"id":1,"at":"yesterday"}`, `error: at: `},
		{"missing", order, nil, `{"code":"A"}`, `error: id: `},
		{"an unknown member", order, nil, `{"id":1,"x":2}`, `error: x: no field of this name in the schema`},
		{"dropped", order, drop, `{"id":1,"x":2}`, `{"id":1,"code":null,"at":null,"day":null}`},
		{"dropped only so far", order, drop, `{"id":"1"}`, `error: id: `},
		{"lenient", order, func(c *Config) { c.Lenient = true }, `{"id":"1","x":2}`, `{"id":1,"code":null,"at":null,"day":null}`},
		{"a default", `{"type":"object","properties":{"a":{"type":"integer","default":7},"u":{"type":["string","boolean"]}}}`, nil, `{"u":true}`, `{"a":7,"u":{"boolean":true}}`},
		{"Connect's types", `{"type":"object","properties":{"d":{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.version":1,"connect.parameters":{"scale":"2"},"connect.index":1},"t":{"type":"integer","title":"org.apache.kafka.connect.data.Timestamp","connect.type":"int64","connect.version":1,"connect.index":0},"b":{"type":"string","connect.type":"bytes","connect.index":2}},"required":["d","t","b"]}`, nil, `{"d":"BNI=","t":1,"b":"AQI="}`, `{"t":"1970-01-01T00:00:00.001Z","d":12.34,"b":"AQI="}`},
		{"any keyword", order, func(c *Config) { c.Validation = true }, `{"id":1,"code":"a"}`, `error: not valid by its schema: at '/code': 'a' does not match pattern '^[A-Z]+$'`},
		{"a format", `{"type":"object","properties":{"m":{"type":"string","format":"email"}}}`, func(c *Config) { c.Validation = true }, `{"m":"x"}`, `error: not valid by its schema: at '/m': 'x' is not valid email`},
		{"a reader", order, func(c *Config) {
			c.ReaderSchema = option(`{"type":"object","properties":{"new":{"type":"string"},"id":{"type":"number"},"n":{"type":"integer","default":3}},"required":["id"]}`)
		}, `{"id":1,"code":"A"}`, `{"new":null,"id":1,"n":3}`},
		{"a type of flow's", "struct{id int64, day date, at timestamp(ms)?}", nil, `{"id":1,"day":"2026-01-02"}`, `{"id":1,"day":"2026-01-02","at":null}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := given(t, tt.schema, tt.edit)
			out, enc, err := c.NewDecoder()(nil, []byte(tt.in), &engine.Meta{})
			if reason, bad := strings.CutPrefix(tt.want, "error: "); bad {
				if err == nil || !strings.HasPrefix(err.Error(), reason) {
					t.Errorf("got %s, %v", out, err)
				}
				return
			}
			if err != nil || string(out) != tt.want {
				t.Errorf("got %s, %v", out, err)
			}
			if s := record.SchemaOf(enc); s == nil || s != c.(engine.Typed).Decodes() || schema.Check(s, out) != nil {
				t.Errorf("%s is not of %s", out, s)
			}
		})
	}
}

func TestWriting(t *testing.T) {
	t.Parallel()
	typed := func(text string) record.Encoding { return record.JSONOf(option(text).Schema) }
	for _, tt := range []struct {
		name, schema string
		edit         func(*Config)
		from         record.Encoding
		in, want     string // or of the error
	}{
		{"JSON without a schema", order, nil, record.JSON, `{"day":"2026-01-02","id":1}`, `{"id":1,"day":"2026-01-02"}`},
		{"JSON that does not fit", order, nil, record.JSON, `{"id":"x"}`, `error: id: `},
		{"a null where none may be", order, nil, typed("struct{id int64, code string?}"), `{"id":1,"code":null}`, `{"id":1}`},
		{"a null that must be", `{"type":"object","properties":{"a":{"type":["integer","null"]}},"required":["a"]}`, nil, typed("struct{a int32?}"), `{"a":null}`, `{"a":null}`},
		{"another schema", order, nil, typed("struct{id int32, day date, at timestamp(ms)}"), `{"id":1,"day":"2026-01-02","at":"2026-01-02T03:04:05.1Z"}`, `{"id":1,"at":"2026-01-02T03:04:05.1Z","day":"2026-01-02"}`},
		{"a schema that does not fit", order, nil, typed("struct{id string}"), `{"id":"1"}`, `error: the records do not fit the JSON Schema: id: `},
		{"leniently", order, func(c *Config) { c.Lenient = true }, typed("struct{id string, more int64}"), `{"id":"1","more":2}`, `{"id":1}`},
		{"not valid", order, func(c *Config) { c.Validation = true }, typed("struct{id int64, code string}"), `{"id":1,"code":"a"}`, `error: not valid by its schema: at '/code': `},
		{"dates as numbers", "struct{day date, at timestamp(ms), t time(ms)}", func(c *Config) { c.Connect = true }, typed("struct{day date, at timestamp(ms), t time(ms)}"), `{"day":"1970-01-02","at":"1970-01-01T00:00:01Z","t":"00:00:01"}`, `{"day":1,"at":1000,"t":1000}`},
		{"dates as text", "struct{day date, at timestamp(ms), t time(ms)}", func(c *Config) { c.Validation = true }, typed("struct{day date, at timestamp(ms), t time(ms)}"), `{"day":"1970-01-02","at":"1970-01-01T00:00:01Z","t":"00:00:01"}`, `{"day":"1970-01-02","at":"1970-01-01T00:00:01Z","t":"00:00:01"}`},
		{"decimals in base64", "struct{d decimal(9,2)}", func(c *Config) { c.Decimal = "base64" }, typed("struct{d decimal(9,2)}"), `{"d":12.34}`, `{"d":"BNI="}`},
		{"a text", `{"type":"string"}`, nil, record.Text, `a"b`, `"a\"b"`},
		{"bytes", `{"type":"string","connect.type":"bytes"}`, nil, record.Opaque, "\x01\x02", `"AQI="`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out, err := given(t, tt.schema, tt.edit).NewEncoder(tt.from)([]byte("x"), []byte(tt.in), &engine.Meta{})
			if reason, bad := strings.CutPrefix(tt.want, "error: "); bad {
				if err == nil || !strings.HasPrefix(err.Error(), reason) || string(out) != "x" {
					t.Errorf("got %s, %v", out, err)
				}
				return
			}
			if err != nil || string(out) != "x"+tt.want {
				t.Errorf("got %s, %v", out, err)
			}
		})
	}
}

// registryOf is one within the process, and a converter that uses it.
func registryOf(t *testing.T, edit func(*Config)) (*registry.Connection, engine.Converter) {
	t.Helper()
	server := httptest.NewServer(registrytest.New())
	t.Cleanup(server.Close)
	cfg := registry.Defaults()
	cfg.URLs = []string{server.URL}
	conn := registry.New(cfg, engine.Env{})
	if err := conn.Acquire(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Release)
	c := Defaults()
	c.Registry = engine.ConnectionRef{Name: "connection.registry.main", Value: conn}
	if edit != nil {
		edit(c)
	}
	return conn, converterOf(t, c)
}

// TestReferences: what a schema refers to comes from the registry, for types
// and for all other keywords, and stays with records that nothing changes.
func TestReferences(t *testing.T) {
	t.Parallel()
	conn, c := registryOf(t, func(c *Config) { c.Validation = true })
	ctx := t.Context()
	if _, err := conn.Register(ctx, "country", registry.Text{Type: registry.JSON, Text: `{"$id":"http://shop/country.json","type":"string","minLength":2}`}); err != nil {
		t.Fatal(err)
	}
	country := registry.Reference{Name: "country.json", Subject: "country", Version: 1}
	if _, err := conn.Register(ctx, "person", registry.Text{Type: registry.JSON, Text: `{"$id":"http://shop/person.json","definitions":{"P":{"type":"object","properties":{"land":{"$ref":"country.json"}},"required":["land"]}}}`, References: []registry.Reference{country}}); err != nil {
		t.Fatal(err)
	}
	text := `{"type":"object","properties":{"to":{"$ref":"person.json#/definitions/P"}},"required":["to"]}`
	id, err := conn.Register(ctx, "letter", registry.Text{Type: registry.JSON, Text: text, References: []registry.Reference{{Name: "person.json", Subject: "person", Version: 1}, country}})
	if err != nil {
		t.Fatal(err)
	}
	frame := "\x00\x00\x00\x00" + string(rune(id.ID))
	m := &engine.Meta{Context: ctx, Topic: "copies"}
	value, enc, err := c.NewDecoder()(nil, []byte(frame+`{"to":{"land":"DE"}}`), m)
	if err != nil || record.SchemaOf(enc).String() != "struct{to struct{land string}}" {
		t.Fatalf("%s, %v", record.SchemaOf(enc), err)
	}
	if _, _, err := c.NewDecoder()(nil, []byte(frame+`{"to":{"land":"D"}}`), m); err == nil || !strings.Contains(err.Error(), "at '/to/land': minLength: got 1, want 2") {
		t.Errorf("a keyword of the reference: %v", err)
	}
	// Another converter of the same registry writes it.
	cfg := Defaults()
	cfg.Registry = engine.ConnectionRef{Name: "connection.registry.main", Value: conn}
	out, err := converterOf(t, cfg).NewEncoder(enc)(nil, value, m)
	if err != nil || string(out) != frame+`{"to":{"land":"DE"}}` {
		t.Errorf("copied as %q, %v", out, err)
	}
	if s, err := conn.Latest(ctx, "copies-value"); err != nil || s.Text.Text != text || len(s.References) != 2 {
		t.Errorf("registered %+v, %v", s, err)
	}
}

// TestMadeSchema: what is registered for records that bring no JSON Schema.
func TestMadeSchema(t *testing.T) {
	t.Parallel()
	own := option("struct Order{id int32, price decimal(9,2), at timestamp(ms), note string?}").Schema
	for name, tt := range map[string]struct {
		edit func(*Config)
		want string
	}{
		"by default": {nil, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","title":"Order","additionalProperties":false,"properties":{` +
			`"id":{"type":"integer","connect.type":"int32","connect.index":0},` +
			`"price":{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.version":1,"connect.parameters":{"connect.decimal.precision":"9","scale":"2"},"connect.index":1},` +
			`"at":{"type":"string","format":"date-time","flow.type":"timestamp(ms)","connect.index":2},` +
			`"note":{"oneOf":[{"type":"null"},{"type":"string"}],"connect.index":3}},"required":["id","price","at"]}`},
		"as Connect does": {func(c *Config) { c.Connect, c.Open = true, true }, `{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","title":"Order","properties":{` +
			`"id":{"type":"integer","connect.type":"int32","connect.index":0},` +
			`"price":{"type":"number","title":"org.apache.kafka.connect.data.Decimal","connect.type":"bytes","connect.version":1,"connect.parameters":{"connect.decimal.precision":"9","scale":"2"},"connect.index":1},` +
			`"at":{"type":"integer","title":"org.apache.kafka.connect.data.Timestamp","connect.type":"int64","connect.version":1,"connect.index":2},` +
			`"note":{"oneOf":[{"type":"null"},{"type":"string"}],"connect.index":3}},"required":["id","price","at"]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, c := registryOf(t, tt.edit)
			in := `{"id":1,"price":1.00,"at":"2026-01-02T03:04:05.678Z","note":null}`
			m := &engine.Meta{Context: t.Context(), Topic: "orders"}
			data, err := c.NewEncoder(record.JSONOf(own))(nil, []byte(in), m)
			if err != nil {
				t.Fatal(err)
			}
			s, err := conn.Latest(t.Context(), "orders-value")
			if err != nil || s.Text.Text != tt.want {
				t.Errorf("registered %s, %v", s.Text.Text, err)
			}
			if out, _, err := c.NewDecoder()(nil, data, m); err != nil || string(out) != in {
				t.Errorf("read %s, %v", out, err)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	conn, c := registryOf(t, nil)
	id, err := conn.Register(t.Context(), "avro", registry.Text{Type: registry.Avro, Text: `"string"`})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"":         "an empty value is no JSON with a schema of a registry",
		`{"id":1}`: `value "json" reads`,
		"\x00\x00": "5 bytes are the least",
		"\x00\x00\x00\x00" + string(rune(id.ID)) + "{}": "of the type AVRO, not JSON",
	} {
		if _, _, err := c.NewDecoder()(nil, []byte(in), &engine.Meta{Context: t.Context()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	if _, err := c.NewEncoder(record.JSON)(nil, []byte(`{}`), &engine.Meta{Topic: "t"}); err == nil || !strings.Contains(err.Error(), "no schema to register") {
		t.Errorf("JSON without a schema: %v", err)
	}
}

func TestConfig(t *testing.T) {
	t.Parallel()
	ref := engine.ConnectionRef{Name: "connection.registry.x"}
	tests := []struct {
		name string
		edit func(*Config)
		want string
	}{
		{"nothing", func(*Config) {}, "no schema"},
		{"registry", func(c *Config) { c.Registry = ref }, ""},
		{"schema", func(c *Config) { c.Schema = option(order) }, ""},
		{"wire", func(c *Config) { c.Schema, c.Wire = option(order), "header" }, "wire is for a registry"},
		{"two", func(c *Config) { c.Registry, c.UseLatest, c.SchemaID = ref, true, 3 }, "several schemas to write"},
		{"none", func(c *Config) { c.Registry, c.Wire = ref, "none" }, "records would not say what they are"},
		{"reader alone", func(c *Config) { c.ReaderSchema = option(order) }, "reader_schema without a schema"},
		{"reader", func(c *Config) { c.Schema, c.ReaderSchema = option(`{"type":"string"}`), option(order) }, "records cannot be read so"},
		{"base64", func(c *Config) { c.Schema, c.Validation, c.Decimal = option(order), true, "base64" }, "decimals that are not of their schema"},
		{"pattern", func(c *Config) {
			c.Schema, c.Validation = option(`{"type":"string","pattern":"(?=a)"}`), true
		}, "values cannot be checked against the schema"},
	}
	for _, tt := range tests {
		c := Defaults()
		tt.edit(c)
		got, _ := json.Marshal(c.Validate())
		if tt.want == "" && string(got) != "null" || !strings.Contains(string(got), tt.want) {
			t.Errorf("%s: %s, want %q", tt.name, got, tt.want)
		}
	}
}
