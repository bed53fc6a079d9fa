package avroconv

import (
	"encoding/json"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/connections/registry/registrytest"
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/schema"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const order = `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"id","type":"long"},{"name":"amount","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"note","type":["null","string"],"default":null}]}`

func TestConformance(t *testing.T) {
	t.Parallel()
	person := `{"type":"record","name":"P","fields":[{"name":"name","type":"string"},{"name":"age","type":["null","int"],"default":null}]}`
	enginetest.RunConverter(t, enginetest.ConverterCase{
		New: func(t *testing.T) engine.Converter {
			return converterOf(t, nil, func(c *Config) { c.Schema, c.Strict = written(person), true })
		},
		Examples: []enginetest.ConverterExample{
			{Name: "person", Source: []byte("\x06Ann\x02\x54")},
			{Name: "null", Source: []byte("\x00\x00")},
		},
		Garbage: [][]byte{{}, []byte("\x06An"), []byte("\x02\xff\x00"), []byte("\x00\x04"), []byte("\x00\x00\x00")},
	})
}

// world is a registry, and a clock.
type world struct {
	fake *registrytest.Registry
	conn *registry.Connection
	now  time.Time
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := &world{fake: registrytest.New(), now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
	server := httptest.NewServer(w.fake)
	t.Cleanup(server.Close)
	cfg := registry.Defaults()
	cfg.URLs, cfg.Retries = []string{server.URL}, 0
	w.conn = registry.New(cfg, engine.Env{Now: func() time.Time { return w.now }})
	return w
}

// converterOf makes a converter and opens it.
func converterOf(t testing.TB, w *world, edit func(*Config)) engine.Converter {
	t.Helper()
	c := Defaults()
	env := engine.Env{}
	if w != nil {
		c.Registry = engine.ConnectionRef{Name: "connection.registry.main", Value: w.conn}
		env.Now = func() time.Time { return w.now }
	}
	if edit != nil {
		edit(c)
	}
	if ps := c.Validate(); len(ps) > 0 {
		t.Fatal(ps)
	}
	conv, err := Factory().New(c, env)
	if err != nil {
		t.Fatal(err)
	}
	o := conv.(engine.Opener)
	if err := o.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Close(t.Context()) })
	return conv
}

func encoding(t testing.TB, text string) *avro.Encoding {
	t.Helper()
	e, err := Defaults().encoding(written(text))
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func typed(t testing.TB, text string) record.Encoding {
	t.Helper()
	return record.JSONOf(encoding(t, text).Schema())
}

// headers are what an encoder adds.
type headers []record.Header

func (h *headers) meta(topic string, key bool) *engine.Meta {
	return &engine.Meta{Topic: topic, Key: key, AddHeader: func(name string, v []byte) {
		*h = append(*h, record.Header{Key: name, Value: append([]byte(nil), v...)})
	}}
}

// read returns a record as typed JSON text.
func read(t *testing.T, c engine.Converter, data []byte, m *engine.Meta) (string, *schema.Schema, error) {
	t.Helper()
	out, enc, err := c.NewDecoder()(nil, data, m)
	if err != nil {
		return "", nil, err
	}
	if enc == nil {
		enc = c.Decoded()
	}
	text, err := enc.AppendJSON(nil, out)
	return string(text), record.SchemaOf(enc), err
}

func TestThereAndBack(t *testing.T) {
	t.Parallel()
	in := `{"id":9007199254740993,"amount":12.50,"note":null}`
	for _, wire := range []string{"prefix", "header"} {
		for _, key := range []bool{false, true} {
			w := newWorld(t)
			c := converterOf(t, w, func(c *Config) { c.Wire = wire })
			var h headers
			data, err := c.NewEncoder(typed(t, order))(nil, []byte(in), h.meta("orders", key))
			if err != nil {
				t.Fatal(err)
			}
			if wire == "prefix" && (data[0] != 0 || data[4] != 1 || len(h) > 0) || wire == "header" && (len(h) != 1 || len(h[0].Value) != 17 || h[0].Value[0] != 1) {
				t.Errorf("%s: %x %v", wire, data, h)
			}
			subject := map[bool]string{false: "orders-value", true: "orders-key"}[key]
			if n := w.fake.Requests("POST /subjects/" + subject + "/versions"); n != 1 {
				t.Errorf("%d registrations of %s", n, subject)
			}
			// The reader does not care for its own option wire.
			got, s, err := read(t, converterOf(t, w, nil), data, &engine.Meta{Key: key, Headers: h})
			if err != nil || got != in || s.Name != "shop.Order" {
				t.Errorf("%s: %s %v %v", wire, got, s, err)
			}
		}
	}
}

func TestTombstones(t *testing.T) {
	t.Parallel()
	c := converterOf(t, newWorld(t), nil)
	if out, err := c.NewEncoder(record.JSON)(nil, nil, &engine.Meta{}); out != nil || err != nil {
		t.Errorf("%x %v", out, err)
	}
	if out, _, err := c.NewDecoder()(nil, nil, &engine.Meta{}); out != nil || err != nil {
		t.Errorf("%x %v", out, err)
	}
}

// TestOutage: known schemas need no registry, others wait, none is lost.
func TestOutage(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := converterOf(t, w, nil)
	m := &engine.Meta{Topic: "orders"}
	enc := c.NewEncoder(typed(t, order))
	in := []byte(`{"id":1,"amount":1,"note":"x"}`)
	w.fake.SetDown(true)
	_, err := enc(nil, in, m)
	if _, away := errors.AsType[*engine.RetryError](err); !away {
		t.Fatalf("writing: %v", err)
	}
	w.fake.SetDown(false)
	data, err := enc(nil, in, m)
	if err != nil {
		t.Fatal(err)
	}
	w.fake.SetDown(true)
	if _, err := enc(nil, in, m); err != nil {
		t.Errorf("writing what was registered: %v", err)
	}
	dec := converterOf(t, w, nil).NewDecoder()
	_, _, err = dec(nil, data, m)
	if _, away := errors.AsType[*engine.RetryError](err); !away {
		t.Fatalf("reading: %v", err)
	}
	w.fake.SetDown(false)
	if _, _, err = dec(nil, data, m); err != nil {
		t.Fatal(err)
	}
	w.fake.SetDown(true)
	if _, _, err = dec(nil, data, m); err != nil {
		t.Errorf("reading what was read: %v", err)
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	dec := converterOf(t, w, nil).NewDecoder()
	for in, want := range map[string]string{
		"":                         "an empty value",
		`{"id":1}`:                 `looks like JSON, which value "json" reads`,
		"\x00\x00\x00":             "5 bytes are the least",
		"\x00\x00\x00\x00\x4d\x02": "the registry has no schema 77",
		"\xc3\x01\x00\x00\x00\x00": "single-object",
	} {
		_, _, err := dec(nil, []byte(in), &engine.Meta{})
		_, away := errors.AsType[*engine.RetryError](err)
		if err == nil || away || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", in, err, want)
		}
	}
	if _, _, err := dec(nil, []byte{1}, &engine.Meta{Headers: []record.Header{{Key: registered.HeaderName(false), Value: []byte{7}}}}); err == nil || !strings.Contains(err.Error(), "GUID of 16 bytes") {
		t.Errorf("bad header: %v", err)
	}
}

// TestIncompatible: the error names the field, and the registry is not asked
// for each record.
func TestIncompatible(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := converterOf(t, w, nil)
	m := &engine.Meta{Topic: "orders"}
	if _, err := c.NewEncoder(typed(t, order))(nil, []byte(`{"id":1,"amount":1,"note":"x"}`), m); err != nil {
		t.Fatal(err)
	}
	next := strings.Replace(order, `"name":"id","type":"long"`, `"name":"id","type":"string"`, 1)
	enc := c.NewEncoder(typed(t, next))
	for range 5 {
		_, err := enc(nil, []byte(`{"id":"1","amount":1,"note":"x"}`), m)
		if !errors.Is(err, registry.ErrIncompatible) || !strings.Contains(err.Error(), "may not follow version 1 of the subject orders-value") ||
			!strings.Contains(err.Error(), "id: data has long and the reader's schema has string") || !strings.Contains(err.Error(), "lower compatibility level") {
			t.Fatal(err)
		}
	}
	if n := w.fake.Requests("POST /subjects/orders-value/versions"); n != 2 {
		t.Errorf("%d registrations", n)
	}
	w.now = w.now.Add(time.Minute)
	if _, err := enc(nil, []byte(`{"id":"1","amount":1,"note":"x"}`), m); err == nil || w.fake.Requests("POST /subjects/orders-value/versions") != 3 {
		t.Errorf("after a while it is not asked again: %v", err)
	}
}

func TestWhichSchema(t *testing.T) {
	t.Parallel()
	wider := strings.Replace(order, `"name":"note"`, `"name":"extra","type":"string","default":"e"},{"name":"note"`, 1)
	tests := []struct {
		name string
		edit func(*Config)
		from func(t testing.TB) record.Encoding
		in   string
		want string // what is read, or of the error
	}{
		{"schemaless and none", nil, func(testing.TB) record.Encoding { return record.JSON }, `{"id":1}`, "error: the record has no schema to register"},
		{"schemaless to latest", func(c *Config) { c.UseLatest = true }, func(testing.TB) record.Encoding { return record.JSON }, `{"id":1,"amount":2.5}`, `{"id":1,"amount":2.50,"extra":"e","note":null}`},
		{"schemaless that does not fit", func(c *Config) { c.UseLatest = true }, func(testing.TB) record.Encoding { return record.JSON }, `{"id":1,"amount":2.5,"x":1}`, "error: x: record shop.Order has no such field"},
		{"lenient", func(c *Config) { c.UseLatest, c.Lenient = true, true }, func(testing.TB) record.Encoding { return record.JSON }, `{"id":1,"amount":2.555,"x":1}`, `{"id":1,"amount":2.56,"extra":"e","note":null}`},
		{"typed to latest", func(c *Config) { c.UseLatest = true }, func(t testing.TB) record.Encoding { return typed(t, order) }, `{"id":1,"amount":2.5,"note":"n"}`, `{"id":1,"amount":2.50,"extra":"e","note":"n"}`},
		{"by id", func(c *Config) { c.SchemaID = 1 }, func(testing.TB) record.Encoding { return record.JSON }, `{"id":1,"amount":2.5}`, `{"id":1,"amount":2.50,"extra":"e","note":null}`},
		{"given", func(c *Config) { c.Schema = written(wider) }, func(testing.TB) record.Encoding { return record.JSON }, `{"id":1,"amount":2.5}`, `{"id":1,"amount":2.50,"extra":"e","note":null}`},
		{"not registered", func(c *Config) { c.AutoRegister = false }, func(t testing.TB) record.Encoding { return typed(t, order) }, `{"id":1,"amount":2.5,"note":"n"}`, "error: the subject orders-value does not have the schema of the record"},
		{"text", func(c *Config) { c.Schema, c.Subject = written(`"string"`), "texts" }, func(testing.TB) record.Encoding { return record.Text }, `a"b`, `"a\"b"`},
	}
	for _, tt := range tests {
		w := newWorld(t)
		if err := w.conn.Acquire(); err != nil {
			t.Fatal(err)
		}
		if _, err := w.conn.Register(t.Context(), "orders-value", registry.Text{Type: registry.Avro, Text: wider}); err != nil {
			t.Fatal(err)
		}
		w.conn.Release()
		data, err := converterOf(t, w, tt.edit).NewEncoder(tt.from(t))(nil, []byte(tt.in), &engine.Meta{Topic: "orders"})
		var got string
		if err != nil {
			got = "error: " + err.Error()
		} else if got, _, err = read(t, converterOf(t, w, nil), data, &engine.Meta{}); err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
		if got != tt.want && (!strings.HasPrefix(tt.want, "error: ") || !strings.HasPrefix(got, tt.want)) {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestCopy: Avro that nobody changes keeps its bytes and its schema's text.
func TestCopy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	spaced := strings.ReplaceAll(order, ",", " , ")
	var m headers
	data, err := converterOf(t, w, func(c *Config) { c.Schema = written(spaced) }).NewEncoder(record.JSON)(nil, []byte(`{"id":1,"amount":2.5}`), m.meta("a", false))
	if err != nil {
		t.Fatal(err)
	}
	c := converterOf(t, w, nil)
	value, enc, err := c.NewDecoder()(nil, data, &engine.Meta{Topic: "a"})
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.NewEncoder(enc)(nil, value, m.meta("b", false))
	if err != nil || string(again) != string(data) {
		t.Errorf("%x, want %x: %v", again, data, err)
	}
	// Edited, it is a new version with one field more.
	p := record.NewProjection()
	path, _ := record.ParsePath("total")
	id := p.Add(path)
	doc := record.NewDoc(p)
	doc.Reset(enc, value)
	if err := doc.Set(id, record.FloatValue(1.5)); err != nil {
		t.Fatal(err)
	}
	out, err := doc.AppendTo(nil)
	if err != nil {
		t.Fatal(err)
	}
	if again, err = c.NewEncoder(doc.Encoding())(nil, out, m.meta("a", false)); err != nil {
		t.Fatal(err)
	}
	got, _, err := read(t, c, again, &engine.Meta{})
	if err != nil || got != `{"id":1,"amount":2.50,"note":null,"total":1.5}` || again[4] != 2 {
		t.Errorf("%s (%x): %v", got, again, err)
	}
}

func TestReaderSchema(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	reader := `{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"note","type":["null","string"]},{"name":"number","aliases":["id"],"type":"double"},{"name":"new","type":"int","default":7}]}`
	c := converterOf(t, w, func(c *Config) { c.ReaderSchema = written(reader) })
	var h headers
	data, err := converterOf(t, w, nil).NewEncoder(typed(t, order))(nil, []byte(`{"id":3,"amount":1,"note":"n"}`), h.meta("orders", false))
	if err != nil {
		t.Fatal(err)
	}
	got, s, err := read(t, c, data, &engine.Meta{})
	if err != nil || got != `{"note":"n","number":3,"new":7}` || s != c.Decoded().(record.Schemed).Schema() || s != c.(engine.Typed).Decodes() {
		t.Errorf("%s %v", got, err)
	}
	if other, err := converterOf(t, w, nil).NewEncoder(typed(t, `"string"`))(nil, []byte(`"x"`), h.meta("other", false)); err != nil {
		t.Error(err)
	} else if _, _, err := read(t, c, other, &engine.Meta{}); err == nil || !strings.Contains(err.Error(), "data has string, and the reader's schema has record shop.Order") {
		t.Errorf("what cannot be read: %v", err)
	}
}

func TestSubjects(t *testing.T) {
	t.Parallel()
	tests := []struct {
		edit        func(*Config)
		topic, want string
	}{
		{func(c *Config) { c.SubjectStrategy = "record" }, "orders", "shop.Order"},
		{func(c *Config) { c.SubjectStrategy = "topic_record" }, "orders", "orders-shop.Order"},
		{func(c *Config) { c.Subject = "mine" }, "orders", "mine"},
		{nil, "", ""},
	}
	for _, tt := range tests {
		w := newWorld(t)
		_, err := converterOf(t, w, tt.edit).NewEncoder(typed(t, order))(nil, []byte(`{"id":3,"amount":1,"note":"n"}`), &engine.Meta{Topic: tt.topic})
		if tt.want == "" {
			if err == nil || !strings.Contains(err.Error(), "give the option subject") {
				t.Error(err)
			}
			continue
		}
		if n := w.fake.Requests("POST /subjects/" + tt.want + "/versions"); n != 1 || err != nil {
			t.Errorf("%s: %d requests, %v", tt.want, n, err)
		}
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
		{"schema", func(c *Config) { c.Schema = written(order) }, ""},
		{"wire", func(c *Config) { c.Schema, c.Wire = written(order), "header" }, "wire is for a registry"},
		{"two", func(c *Config) { c.Registry, c.UseLatest, c.SchemaID = ref, true, 3 }, "several schemas to write"},
		{"none", func(c *Config) { c.Registry, c.Wire = ref, "none" }, "records would not say what they are"},
		{"reader", func(c *Config) { c.Schema, c.ReaderSchema = written(`"string"`), written(order) }, "records cannot be read so"},
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

// written is a schema as a config gives it.
func written(text string) engine.SchemaOption {
	return enginetest.SchemaText(text, engine.NotationAvro, engine.NotationType)
}
