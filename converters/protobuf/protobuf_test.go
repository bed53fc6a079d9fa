package protobufconv

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"net/http/httptest"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/connections/registry/registrytest"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func option(text string) engine.SchemaOption {
	return enginetest.SchemaText(text, engine.NotationProtobuf, engine.NotationType)
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

func given(t testing.TB, text string, edit func(*Config)) engine.Converter {
	t.Helper()
	c := Defaults()
	c.Schema = option(text)
	if edit != nil {
		edit(c)
	}
	return converterOf(t, c)
}

const person = `syntax = "proto3"; package p; message Person { string name = 1; optional int32 age = 2; }`

func TestConformance(t *testing.T) {
	t.Parallel()
	enginetest.RunConverter(t, enginetest.ConverterCase{
		New: func(t *testing.T) engine.Converter {
			return given(t, person, func(c *Config) { c.Strict = true })
		},
		Examples: []enginetest.ConverterExample{
			{Name: "person", Source: []byte("\x0a\x03Ann\x10\x2a")},
			{Name: "no age", Source: []byte("\x0a\x03Ann")},
			{Name: "empty", Source: []byte{}},
		},
		Garbage: [][]byte{[]byte("\x0a\x04Ann"), []byte("\x0a\x01\xff"), []byte("\x10"), []byte("\x0c"), []byte("\x00\x00")},
	})
}

const order = `syntax = "proto3";
package shop;
import "common/money.proto";
message Ping { int32 n = 1; }
message Order {
  int64 id = 1;
  common.Money price = 2;
  oneof payment { string card = 3; Cash cash = 4; }
  message Cash { int64 paid = 1; }
}
`

const money = `syntax = "proto3";
package common;
import "common/currency.proto";
message Money { int64 units = 1; Currency currency = 2; }
`

const currency = `syntax = "proto3";
package common;
enum Currency { NONE = 0; EUR = 1; }
`

// files are those that order imports.
func files() map[string]string {
	return map[string]string{"common/money.proto": money, "common/currency.proto": currency}
}

// world is a registry, and a connection to it.
func world(t testing.TB) (*registrytest.Registry, *registry.Connection, engine.ConnectionRef) {
	t.Helper()
	fake := registrytest.New()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	cfg := registry.Defaults()
	cfg.URLs, cfg.Retries = []string{server.URL}, 0
	conn := registry.New(cfg, engine.Env{})
	if err := conn.Acquire(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Release)
	return fake, conn, engine.ConnectionRef{Name: "connection.registry.main", Value: conn}
}

func opened(t testing.TB, c *Config) engine.Converter {
	t.Helper()
	conv := converterOf(t, c)
	if err := conv.(engine.Opener).Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conv.(engine.Opener).Close(t.Context()) })
	return conv
}

// TestReferences: a file with imports is registered with these as references,
// a reader finds them, and a record that nobody changed keeps the schema.
func TestReferences(t *testing.T) {
	t.Parallel()
	_, conn, ref := world(t)
	w := Defaults()
	w.Registry, w.Schema, w.Message, w.Imports = ref, option(order), "shop.Order", files()
	m := &engine.Meta{Context: t.Context(), Topic: "orders"}
	const text = `{"id":7,"price":{"units":3,"currency":"EUR"},"payment":{"cash":{"paid":5}}}`
	data, err := opened(t, w).NewEncoder(record.JSON)(nil, []byte(text), m)
	if err != nil {
		t.Fatal(err)
	}
	id := binary.BigEndian.Uint32(data[1:])
	if data[0] != 0 || data[5] != 2 || data[6] != 2 {
		t.Errorf("prefix %x, want the message [1]", data[:7])
	}
	s, err := conn.ByID(t.Context(), int(id))
	if err != nil || len(s.References) != 1 || s.References[0].Subject != "common/money.proto" || len(s.Uses) != 2 {
		t.Fatalf("%+v, %v", s, err)
	}
	r := Defaults()
	r.Registry = ref
	conv := opened(t, r)
	out, enc, err := conv.NewDecoder()(nil, data, m)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := enc.AppendJSON(nil, out); err != nil || string(got) != text {
		t.Errorf("%s, %v", got, err)
	}
	again, err := conv.NewEncoder(enc)(nil, out, &engine.Meta{Context: t.Context(), Topic: "copy"})
	if err != nil || hex.EncodeToString(again) != hex.EncodeToString(data) {
		t.Errorf("%x, %v, want %x", again, err, data)
	}
}

// TestNested: a record may be a message within another one.
func TestNested(t *testing.T) {
	t.Parallel()
	_, _, ref := world(t)
	for message, want := range map[string]string{"shop.Order.Cash": "040200", "shop.Ping": "00"} {
		w := Defaults()
		w.Registry, w.Schema, w.Message, w.Imports = ref, option(order), message, files()
		m := &engine.Meta{Context: t.Context(), Topic: "orders"}
		in := `{"paid":5}`
		if message == "shop.Ping" {
			in = `{"n":5}`
		}
		data, err := opened(t, w).NewEncoder(record.JSON)(nil, []byte(in), m)
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(data[5:]); got != want+"0805" {
			t.Errorf("%s: %s, want %s", message, got, want)
		}
		r := Defaults()
		r.Registry = ref
		out, enc, err := opened(t, r).NewDecoder()(nil, data, m)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := enc.AppendJSON(nil, out); err != nil || string(got) != in {
			t.Errorf("%s, %v", got, err)
		}
	}
}

// TestDamaged: what a record says of its message may be anything.
func TestDamaged(t *testing.T) {
	t.Parallel()
	_, conn, ref := world(t)
	stored, err := conn.Register(t.Context(), "x", registry.Text{Type: registry.Protobuf, Text: person})
	if err != nil {
		t.Fatal(err)
	}
	head := binary.BigEndian.AppendUint32([]byte{0}, uint32(stored.ID))
	r := Defaults()
	r.Registry = ref
	decode := opened(t, r).NewDecoder()
	for tail, want := range map[string]string{
		"":                 "behind the schema's id: the index of the message is damaged",
		"\x01":             "behind the schema's id: the index of the message is damaged",
		"\xff\xff\xff\x7f": "behind the schema's id: the index of the message is damaged",
		"\x02":             "behind the schema's id: the index of the message is damaged",
		"\x02\x04":         "has no message [2]",
		"\x04\x00\x00":     "has no message [0 0]",
	} {
		if _, _, err := decode(nil, append(head, tail...), &engine.Meta{Context: t.Context()}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%x: %v, want %s", tail, err, want)
		}
	}
	if _, _, err := decode(nil, []byte("\x0a\x03Ann"), &engine.Meta{Context: t.Context()}); err == nil || !strings.Contains(err.Error(), "0xa instead of 0") {
		t.Error(err)
	}
}

// TestReader: records are read as another message, by the numbers of fields.
func TestReader(t *testing.T) {
	t.Parallel()
	reader := func(c *Config) {
		c.ReaderSchema = option(`syntax = "proto3"; package q; message First {} message Human { optional int32 years = 2; string full_name = 1; repeated string tags = 3; }`)
		c.ReaderMessage = "q.Human"
	}
	conv := given(t, person, reader)
	if conv.NewDecoder() != nil || conv.(engine.Typed).Decodes().Name != "q.Human" {
		t.Error("data needs a copy, or its schema is not known")
	}
	if got, err := conv.Decoded().AppendJSON(nil, []byte("\x0a\x03Ann\x10\x2a")); err != nil || string(got) != `{"years":42,"full_name":"Ann","tags":[]}` {
		t.Errorf("%s, %v", got, err)
	}
	bad := Defaults()
	bad.Schema, bad.ReaderSchema = option(person), option(`syntax = "proto3"; message Human { int32 name = 1; }`)
	if ps := bad.Validate(); len(ps) != 1 || ps[0].Option != "reader_schema" || !strings.Contains(ps[0].Detail, "name: number 1 is string in one schema and int32 in the other") {
		t.Error(ps)
	}
}

func TestValidate(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		edit func(*Config)
		want string // option: part of the detail
	}{
		{"nothing", func(*Config) {}, ": Protobuf data cannot be read or written without its schema"},
		{"a mistake", func(c *Config) { c.Schema = option("syntax = \"proto3\";\nmessage M { int32 x = ; }") }, "schema: schema.proto:2:23: syntax error"},
		{"a missing import", func(c *Config) { c.Schema = option(order) }, "schema: schema.proto:3:8: the imported file common/money.proto is not there: add it with imports = { \"common/money.proto\" = file("},
		{"a missing import of an import", func(c *Config) { c.Schema, c.Imports = option(order), map[string]string{"common/money.proto": money} }, "schema: common/money.proto:3:8: the imported file common/currency.proto is not there"},
		{"a mistake in an import", func(c *Config) {
			c.Schema, c.Imports = option(order), map[string]string{"common/money.proto": "syntax = \"proto3\";\nmessage {}"}
		}, "schema: common/money.proto:2:9: syntax error"},
		{"an import that nothing imports", func(c *Config) { c.Schema, c.Imports = option(person), files() }, "imports: Neither schema nor reader_schema imports common/currency.proto"},
		{"an import that only a mistake hides", func(c *Config) { c.Schema, c.Imports = option("message"), files() }, "schema: "},
		{"a missing message", func(c *Config) { c.Schema, c.Message = option(person), "p.Nobody" }, "schema: the file declares no message p.Nobody; the first one is p.Person"},
		{"no message", func(c *Config) { c.Schema = option(currency) }, "schema: the file declares no message"},
		{"a reader alone", func(c *Config) { c.ReaderSchema = option(person) }, "reader_schema: It is as what records are read"},
		{"what Protobuf cannot carry", func(c *Config) { c.Schema = option("struct a.M{x any}") }, "schema: writing a Protobuf schema: x: the type is not known"},
		{"a name", func(c *Config) { c.Schema = option(`struct a.M{"a-b" int32}`) }, `schema: writing a Protobuf schema: a-b: "a-b" is no name in Protobuf`},
		{"a registry's option", func(c *Config) { c.Schema, c.UseLatest = option(person), true }, "use_latest: Name a registry"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := Defaults()
			tt.edit(c)
			var all []string
			for _, p := range c.Validate() {
				all = append(all, p.Option+": "+strings.TrimPrefix(p.Detail, "Correct the option "+p.Option+": "))
			}
			if got := strings.Join(all, "\n"); !strings.Contains(got, tt.want) {
				t.Errorf("%s\nwant %s", got, tt.want)
			}
		})
	}
}

// TestSerialized: a registry may give a descriptor instead of a text.
func TestSerialized(t *testing.T) {
	t.Parallel()
	_, conn, ref := world(t)
	w := Defaults()
	w.Registry, w.Subject = ref, "serialized"
	conv := given(t, person, nil).(*converter)
	text := base64.StdEncoding.EncodeToString(conv.given.file.Marshal())
	stored, err := conn.Register(t.Context(), "serialized", registry.Text{Type: registry.Protobuf, Text: text})
	if err != nil {
		t.Fatal(err)
	}
	data := append(binary.BigEndian.AppendUint32([]byte{0}, uint32(stored.ID)), "\x00\x0a\x03Ann"...)
	out, enc, err := opened(t, w).NewDecoder()(nil, data, &engine.Meta{Context: t.Context()})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := enc.AppendJSON(nil, out); err != nil || string(got) != `{"name":"Ann","age":null}` {
		t.Errorf("%s, %v", got, err)
	}
}
