package jsonconv

import (
	"strings"
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

func with(t testing.TB, change func(c *Config)) *converter {
	t.Helper()
	config := Defaults()
	change(config)
	if ps := config.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	c, err := newConverter(config, engine.Env{})
	if err != nil {
		t.Fatal(err)
	}
	return c.(*converter)
}

func parse(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const orderNode = `{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"},` +
	`{"type":"bytes","optional":true,"name":"org.apache.kafka.connect.data.Decimal","version":1,"parameters":{"scale":"2"},"field":"price"},` +
	`{"type":"int64","optional":true,"name":"org.apache.kafka.connect.data.Timestamp","version":1,"field":"at"},` +
	`{"type":"string","optional":true,"default":"new","field":"state"}],"optional":false,"name":"shop.Order"}`

const orderText = "struct shop.Order{id int64, price decimal(*,2)?, at timestamp(ms)?, state string? = \"new\"}"

func TestEnvelopeConformance(t *testing.T) {
	t.Parallel()
	enginetest.RunConverter(t, enginetest.ConverterCase{
		New: func(t *testing.T) engine.Converter {
			return with(t, func(c *Config) { c.Form, c.Schemaless = formEnvelope, "null" })
		},
		Examples: []enginetest.ConverterExample{
			{Name: "order", Source: []byte(`{"schema":` + orderNode + `,"payload":{"id":9007199254740993,"price":12.34,"at":1700000000123,"state":null}}`), Decoded: []byte(`{"id":9007199254740993,"price":12.34,"at":1700000000123,"state":null}`)},
			{Name: "another form", Source: []byte(`{"schema":` + orderNode + `,"payload":{ "price":"BNI=", "id":1}}`), Decoded: []byte(`{"id":1,"price":12.34,"at":null,"state":"new"}`), Encoded: []byte(`{"schema":` + orderNode + `,"payload":{"id":1,"price":12.34,"at":null,"state":"new"}}`)},
			{Name: "null", Source: []byte(`{"schema":{"type":"string","optional":true},"payload":null}`), Decoded: []byte("null")},
			{Name: "other order and spaces", Source: []byte(` { "payload" : 1 , "schema" : { "optional" : false , "type" : "int8" } } `), Decoded: []byte("1"), Encoded: []byte(`{"schema":{"type":"int8","optional":false},"payload":1}`)},
			{Name: "schemaless", Source: []byte(`{"schema":null,"payload":{"a":[1,null]}}`), Decoded: []byte(`{"a":[1,null]}`)},
			{Name: "microseconds", Source: []byte(`{"schema":{"type":"int64","optional":false,"parameters":{"flow.type":"timestamp(us)"}},"payload":1}`), Decoded: []byte("1")},
		},
		Garbage: [][]byte{{}, []byte("null"), []byte(`{"id":1}`), []byte(`{"schema":{"type":"int8"},"payload":300}`), []byte(`{"schema":{"type":"int8"},"payload":1} x`), []byte(`{"schema":{"type":"int128"},"payload":1}`)},
	})
}

// TestForms: what is read and written with each of the options.
func TestForms(t *testing.T) {
	t.Parallel()
	envelope := func(payload string) string { return `{"schema":` + orderNode + `,"payload":` + payload + `}` }
	for _, c := range []struct {
		name   string
		change func(c *Config)
		in     string
		want   string // what is read
		typ    string
		err    string
	}{
		{"envelope", func(c *Config) { c.Form = formEnvelope }, envelope(`{"id":1,"price":"BNI=","at":0,"state":"x"}`), `{"id":1,"price":12.34,"at":"1970-01-01T00:00:00Z","state":"x"}`, orderText, ""},
		{"absent members", func(c *Config) { c.Form = formEnvelope }, envelope(`{"id":1}`), `{"id":1,"price":null,"at":null,"state":"new"}`, orderText, ""},
		{"a null stays", func(c *Config) { c.Form = formEnvelope }, envelope(`{"id":1,"state":null}`), `{"id":1,"price":null,"at":null,"state":null}`, orderText, ""},
		{"a null is the default", func(c *Config) { c.Form, c.Replace = formEnvelope, true }, envelope(`{"id":1,"state":null}`), `{"id":1,"price":null,"at":null,"state":"new"}`, orderText, ""},
		{"strict", func(c *Config) { c.Form = formEnvelope }, envelope(`{"id":"1"}`), "", "", `id: "1" is not of type int64`},
		{"lenient", func(c *Config) { c.Form, c.Lenient = formEnvelope, true }, envelope(`{"id":"1","at":"2026-01-02T03:04:05Z","x":1}`), `{"id":1,"price":null,"at":"2026-01-02T03:04:05Z","state":"new"}`, orderText, ""},
		{"plain in an envelope", func(c *Config) { c.Form = formEnvelope }, `{"id":1}`, "", "", `no envelope of Kafka Connect: an object with exactly "schema" and "payload" is expected; for plain JSON switch the envelope off`},
		{"another schema", func(c *Config) { c.Form, c.Schema = formEnvelope, written("struct{id int64, more string = \"m\"}") }, `{"schema":{"type":"struct","fields":[{"type":"int32","field":"id"},{"type":"int8","field":"gone"}]},"payload":{"id":7,"gone":1}}`, `{"id":7,"more":"m"}`, `struct{id int64, more string = "m"}`, ""},
		{"a schema that does not fit", func(c *Config) { c.Form, c.Schema = formEnvelope, written("struct{id int32}") }, `{"schema":{"type":"struct","fields":[{"type":"string","field":"id"}]},"payload":{"id":"7"}}`, "", "", "id"},
		{"payload", func(c *Config) { c.Form, c.Schema = formPayload, written(orderNode) }, `{"id":1,"price":"BNI=","at":0}`, `{"id":1,"price":12.34,"at":"1970-01-01T00:00:00Z","state":"new"}`, orderText, ""},
		{"envelope as payload", func(c *Config) { c.Form, c.Schema = formPayload, written(orderText) }, envelope(`{"id":1}`), "", "", "schema: no field of this name in the schema"},
		{"plain", func(c *Config) { c.Schema = written(orderText) }, `{"id":1,"price":12.34,"at":"2026-01-02T03:04:05Z"}`, `{"id":1,"price":12.34,"at":"2026-01-02T03:04:05Z"}`, orderText, ""},
		{"plain, not of the schema", func(c *Config) { c.Schema = written(orderText) }, `{"id":1,"at":5}`, "", "", "at"},
	} {
		conv := with(t, c.change)
		got, enc, err := conv.NewDecoder()([]byte{}, []byte(c.in), &engine.Meta{})
		if c.err != "" {
			if err == nil || !strings.HasPrefix(err.Error(), c.err) {
				t.Errorf("%s: got %s, %v, want %s", c.name, got, err, c.err)
			}
			continue
		}
		if enc == nil {
			enc = conv.Decoded()
		}
		if err == nil {
			got, err = enc.AppendJSON(nil, got)
		}
		if err != nil || string(got) != c.want || record.SchemaOf(enc).String() != c.typ {
			t.Errorf("%s: got %s of %v, %v, want %s", c.name, got, record.SchemaOf(enc), err, c.want)
		}
	}
}

func TestWriting(t *testing.T) {
	t.Parallel()
	node := func(payload string) string { return `{"schema":` + orderNode + `,"payload":` + payload + `}` }
	order := record.JSONOf(parse(t, orderText))
	for _, c := range []struct {
		name   string
		change func(c *Config)
		from   record.Encoding
		in     string
		want   string
		err    string
	}{
		{"envelope", func(c *Config) { c.Form = formEnvelope }, order, `{"id":1,"price":12.34,"at":"1970-01-01T00:00:00Z","state":null}`, node(`{"id":1,"price":12.34,"at":0,"state":null}`), ""},
		{"base64", func(c *Config) { c.Form, c.Decimal = formEnvelope, "base64" }, order, `{"id":1,"price":12.34}`, node(`{"id":1,"price":"BNI=","at":null,"state":"new"}`), ""},
		{"a null is the default", func(c *Config) { c.Form, c.Replace = formEnvelope, true }, order, `{"id":1,"state":null}`, node(`{"id":1,"price":null,"at":null,"state":"new"}`), ""},
		{"no schema", func(c *Config) { c.Form = formEnvelope }, record.JSON, `{"id":1}`, "", `the value has no schema, which an envelope of Kafka Connect needs: give the converter a schema, set schemaless = "null", or write form = "payload"`},
		{"schema null", func(c *Config) { c.Form, c.Schemaless = formEnvelope, "null" }, nil, `{"id":1}`, `{"schema":null,"payload":{"id":1}}`, ""},
		{"schema null and no JSON", func(c *Config) { c.Form, c.Schemaless = formEnvelope, "null" }, record.JSON, `{"id":`, "", "invalid JSON"},
		{"plain JSON of a schema", func(c *Config) { c.Form, c.Schema = formEnvelope, written(orderText) }, record.JSON, `{"price": 1.5, "id": 1}`, node(`{"id":1,"price":1.50,"at":null,"state":"new"}`), ""},
		{"plain JSON not of the schema", func(c *Config) { c.Form, c.Schema = formEnvelope, written(orderText) }, record.JSON, `{"id":"1"}`, "", "id"},
		{"another schema", func(c *Config) { c.Form, c.Schema = formEnvelope, written("int64") }, record.JSONOf(parse(t, "int8")), `5`, `{"schema":{"type":"int64","optional":false},"payload":5}`, ""},
		{"a schema that does not fit", func(c *Config) { c.Form, c.Schema = formEnvelope, written("int8") }, record.JSONOf(parse(t, "string")), `"5"`, "", ""},
		{"text", func(c *Config) { c.Form = formEnvelope }, record.Text, "a\"b", `{"schema":{"type":"string","optional":true},"payload":"a\"b"}`, ""},
		{"bytes", func(c *Config) { c.Form = formEnvelope }, record.Opaque, "\x00\xff\x10", `{"schema":{"type":"bytes","optional":true},"payload":"AP8Q"}`, ""},
		{"a type within itself", func(c *Config) { c.Form = formEnvelope }, record.JSONOf(parse(t, "struct N{next N?}")), `{"next":null}`, "", "next.next: struct N is within itself"},
		{"payload", func(c *Config) { c.Form = formPayload }, order, `{"id":1,"at":"1970-01-01T00:00:01Z","state":"x"}`, `{"id":1,"price":null,"at":1000,"state":"x"}`, ""},
		{"payload without schema", func(c *Config) { c.Form = formPayload }, record.JSON, `{"id": 1}`, `{"id": 1}`, ""},
		{"plain", func(*Config) {}, order, `{"id":1,"price":null,"at":"1970-01-01T00:00:01Z","state":"x"}`, `{"id":1,"price":null,"at":"1970-01-01T00:00:01Z","state":"x"}`, ""},
		{"plain to a schema", func(c *Config) { c.Schema = written("struct{id int64}") }, order, `{"id":1,"at":"1970-01-01T00:00:01Z"}`, `{"id":1}`, ""},
		{"plain JSON to a schema", func(c *Config) { c.Schema = written("struct{id int64}") }, record.JSON, `{"id":"x"}`, "", "id"},
	} {
		conv := with(t, c.change)
		for _, from := range sources(c.from, c.in) {
			encode := conv.NewEncoder(from.enc)
			if encode == nil {
				encode = func(dst, src []byte, _ *engine.Meta) ([]byte, error) { return append(dst, src...), nil }
			}
			got, err := encode([]byte("x"), from.raw, &engine.Meta{})
			switch {
			case c.want == "":
				if err == nil || !strings.HasPrefix(err.Error(), c.err) || string(got) != "x" {
					t.Errorf("%s: got %s, %v, want %s", c.name, got, err, c.err)
				}
			case err != nil || string(got) != "x"+c.want:
				t.Errorf("%s: got %s, %v, want %s", c.name, got, err, c.want)
			}
		}
	}
}

type source struct {
	enc record.Encoding
	raw []byte
}

// sources are a record, twice, and what it is as a payload with decimals of both
// kinds, if it can be one.
func sources(enc record.Encoding, text string) []source {
	list := []source{{enc, []byte(text)}, {enc, []byte(text)}}
	s := record.SchemaOf(enc)
	if s == nil {
		return list
	}
	for _, numeric := range []bool{true, false} {
		raw, err := connect.AppendPayload(nil, []byte(text), s, connect.Options{Numeric: numeric, KeepNulls: true, FillIn: true})
		if err == nil {
			list = append(list, source{connectjson.Of(s, numeric), raw})
		}
	}
	return list
}

// TestOneSchema: envelopes of one schema have one encoding, in all working
// copies and however the schema is written.
func TestOneSchema(t *testing.T) {
	t.Parallel()
	c := with(t, func(c *Config) { c.Form = formEnvelope })
	var first record.Encoding
	for i, text := range []string{`{"schema":{"type":"int8","optional":false},"payload":1}`, `{"schema":{"optional":false,"type":"int8"},"payload":2}`, `{"payload":3,"schema":{"type":"int8"}}`} {
		_, enc, err := c.NewDecoder()([]byte{}, []byte(text), nil)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = enc
		} else if enc != first {
			t.Errorf("%s has another encoding", text)
		}
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		config Config
		want   []string
	}{
		{Config{Form: formPlain, Schemaless: "error", Decimal: "number"}, nil},
		{Config{Form: formPlain, Schemaless: "null", Decimal: "base64", Lenient: true, Replace: true}, []string{"schemaless", "decimal", "lenient", "replace_null_with_default"}},
		{Config{Form: formPayload, Schemaless: "null", Decimal: "base64", Lenient: true, Replace: true}, []string{"schemaless"}},
	} {
		ps := c.config.Validate()
		if len(ps) != len(c.want) {
			t.Errorf("%+v: %v", c.config, ps)
			continue
		}
		for i, p := range ps {
			if p.Option != c.want[i] {
				t.Errorf("%+v: %v, want %s", c.config, p, c.want[i])
			}
		}
	}
}

// FuzzEnvelope: what is read is of its schema, and is written so that it is read
// as the same.
func FuzzEnvelope(f *testing.F) {
	f.Add([]byte(`{"schema":`+orderNode+`,"payload":{"id":1,"price":"BNI=","at":0,"state":null}}`), true)
	f.Add([]byte(`{"schema":null,"payload":[1]}`), false)
	f.Fuzz(func(t *testing.T, text []byte, lenient bool) {
		if text == nil {
			return
		}
		c := with(t, func(c *Config) { c.Form, c.Schemaless, c.Lenient = formEnvelope, "null", lenient })
		decode := c.NewDecoder()
		value, enc, err := decode([]byte{}, text, nil)
		if err != nil {
			return
		}
		if s := record.SchemaOf(enc); s != nil {
			typed, err := enc.AppendJSON(nil, value)
			if err == nil {
				err = schema.Check(s, typed)
			}
			if err != nil {
				t.Fatalf("%s was read as %s, which is %s: %v", text, value, typed, err)
			}
			doc := record.NewDoc(record.NewProjection())
			doc.Reset(enc, value)
			if err := doc.Check(); err != nil {
				t.Fatalf("%s was read as %s: %v", text, value, err)
			}
		}
		out, err := c.NewEncoder(enc)([]byte{}, value, nil)
		if err != nil {
			t.Fatalf("%s cannot be written: %v", value, err)
		}
		again, encAgain, err := decode([]byte{}, out, nil)
		if err != nil || string(again) != string(value) || encAgain != enc {
			t.Fatalf("%s was written as %s and read as %s, %v", value, out, again, err)
		}
	})
}

// written is a schema as a config gives it.
func written(text string) engine.SchemaOption {
	return enginetest.SchemaText(text, engine.NotationType, engine.NotationConnect)
}
