// Package registeredtest checks what the converters of a schema registry have in
// common, with any registry: one within the process, or a real one.
package registeredtest

import (
	"context"
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/connections/registry/registrytest"
	"github.com/flowrecords/flow/converters/internal/registered"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
)

// Registry is what tests know of one.
type Registry struct {
	// URL is its base URL.
	URL string
	// GUIDs: it gives schemas a GUID.
	GUIDs bool
	// SetGUIDs makes it tell them elsewhere, or not at all. Nil: it cannot.
	SetGUIDs func(registrytest.GUIDs)
	// Unique returns a name that no other test uses.
	Unique func(t *testing.T) string
	// Down makes it unreachable until Up is called, which returns when it
	// answers again and knows what it knew. Nil: nobody may do that.
	Down, Up func(t *testing.T)
}

// Fake starts a registry within the process.
func Fake(t *testing.T) Registry {
	t.Helper()
	fake := registrytest.New()
	server := httptest.NewServer(fake)
	t.Cleanup(server.Close)
	return Registry{
		URL: server.URL, GUIDs: true, SetGUIDs: fake.SetGUIDs,
		Unique: func(t *testing.T) string { return strings.NewReplacer("/", "-", "#", "-", " ", "-").Replace(t.Name()) },
		Down:   func(*testing.T) { fake.SetDown(true) },
		Up:     func(*testing.T) { fake.SetDown(false) },
	}
}

// Server is a registry in a process of its own, which the test may break.
type Server interface {
	URL() string
	Kill() error
	Start(ctx context.Context) error
}

// Real is a real registry, with a source of names that no other test uses.
func Real(s Server, unique func(testing.TB) string) Registry {
	return Registry{
		URL:    s.URL(),
		Unique: func(t *testing.T) string { return unique(t) },
		Down: func(t *testing.T) {
			if err := s.Kill(); err != nil {
				t.Fatal(err)
			}
		},
		Up: func(t *testing.T) {
			if err := s.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
		},
	}
}

// Case is a converter with its samples.
type Case struct {
	// New makes a converter with these options, the others by default.
	New func(t *testing.T, o registered.Options) engine.Converter
	// From is the encoding of Values, whose schema is registered.
	From record.Encoding
	// Value is a record, in one line of typed JSON with every field.
	Value string
	// Wider is an encoding whose schema has an optional field more, and More a
	// value of it.
	Wider record.Encoding
	More  string
	// Other is an encoding of the same name whose schema does not go with that of
	// From, Odd a value of it, and Why what the error says of it.
	Other    record.Encoding
	Odd, Why string
}

// Run runs the suite.
func Run(t *testing.T, r Registry, c Case) {
	for _, tt := range []struct {
		name string
		test func(t *testing.T, w *world)
	}{
		{"there and back", thereAndBack},
		{"a wider schema", wider},
		{"an incompatible schema", incompatible},
		{"latest and by id", latest},
		{"by id with a header", headerByID},
		{"headers", headers},
		{"unknown id", unknown},
		{"outage", outage},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.test(t, &world{Registry: r, Case: c, topic: r.Unique(t)})
		})
	}
}

type world struct {
	Registry
	Case
	topic string
}

// connection returns one of its own, which knows nothing yet.
func (w *world) connection(t *testing.T) *registry.Connection {
	t.Helper()
	cfg := registry.Defaults()
	cfg.URLs, cfg.Retries = []string{w.URL}, 0
	return registry.New(cfg, engine.Env{})
}

func (w *world) open(t *testing.T, edit func(*registered.Options)) engine.Converter {
	t.Helper()
	conv := w.unopened(t, edit)
	if err := conv.(engine.Opener).Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	return conv
}

func (w *world) unopened(t *testing.T, edit func(*registered.Options)) engine.Converter {
	t.Helper()
	o := registered.Defaults()
	o.Registry = engine.ConnectionRef{Name: "connection.registry.main", Value: w.connection(t)}
	if edit != nil {
		edit(&o)
	}
	conv := w.New(t, o)
	t.Cleanup(func() { _ = conv.(engine.Opener).Close(t.Context()) })
	return conv
}

func (w *world) meta(t *testing.T, h *[]record.Header) *engine.Meta {
	return &engine.Meta{Context: t.Context(), Topic: w.topic, Headers: *h, AddHeader: func(name string, v []byte) {
		*h = append(*h, record.Header{Key: name, Value: append([]byte(nil), v...)})
	}}
}

// written encodes a value with a converter.
func (w *world) written(t *testing.T, c engine.Converter, enc record.Encoding, value string, h *[]record.Header) []byte {
	t.Helper()
	data, err := c.NewEncoder(enc)(nil, []byte(value), w.meta(t, h))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read returns what a new converter reads, as typed JSON.
func (w *world) read(t *testing.T, c engine.Converter, data []byte, h []record.Header) (string, error) {
	t.Helper()
	out, enc, err := c.NewDecoder()(nil, data, w.meta(t, &h))
	if err != nil {
		return "", err
	}
	if enc == nil {
		enc = c.Decoded()
	}
	text, err := enc.AppendJSON(nil, out)
	return string(text), err
}

func (w *world) want(t *testing.T, data []byte, h []record.Header, want string) {
	t.Helper()
	if got, err := w.read(t, w.open(t, nil), data, h); err != nil || got != want {
		t.Errorf("read %s, want %s: %v", got, want, err)
	}
}

func thereAndBack(t *testing.T, w *world) {
	for _, wire := range []string{registered.Prefix, registered.Header} {
		var h []record.Header
		c := w.open(t, func(o *registered.Options) { o.Wire = wire })
		if wire == registered.Header && !w.GUIDs {
			_, err := c.NewEncoder(w.From)(nil, []byte(w.Value), w.meta(t, &h))
			if _, fatal := errors.AsType[*engine.FatalError](err); !fatal || !strings.Contains(err.Error(), `use wire = "prefix"`) {
				t.Errorf("a registry without GUIDs: %v", err)
			}
			continue
		}
		data := w.written(t, c, w.From, w.Value, &h)
		if wire == registered.Prefix && (data[0] != 0 || len(h) > 0) || wire == registered.Header && (len(h) != 1 || h[0].Key != "__value_schema_id" || h[0].Value[0] != 1) {
			t.Errorf("%s: %x %v", wire, data, h)
		}
		w.want(t, data, h, w.Value)
		// What was read is written again without another schema.
		again := w.open(t, func(o *registered.Options) { o.AutoRegister, o.Wire = false, wire })
		value, enc, err := again.NewDecoder()(nil, data, w.meta(t, &h))
		if err != nil {
			t.Fatal(err)
		}
		h = nil
		if copied := w.written(t, again, enc, string(value), &h); string(copied) != string(data) {
			t.Errorf("%s: copied as %x, was %x", wire, copied, data)
		}
	}
}

func wider(t *testing.T, w *world) {
	var h []record.Header
	c := w.open(t, nil)
	first := w.written(t, c, w.From, w.Value, &h)
	second := w.written(t, c, w.Wider, w.More, &h)
	if string(first[:5]) == string(second[:5]) {
		t.Errorf("two schemas have the id %x", first[:5])
	}
	w.want(t, first, nil, w.Value)
	w.want(t, second, nil, w.More)
}

func incompatible(t *testing.T, w *world) {
	var h []record.Header
	c := w.open(t, nil)
	w.written(t, c, w.From, w.Value, &h)
	_, err := c.NewEncoder(w.Other)(nil, []byte(w.Odd), w.meta(t, &h))
	if !errors.Is(err, registry.ErrIncompatible) || !strings.Contains(err.Error(), w.Why) || !strings.Contains(err.Error(), "lower compatibility level") {
		t.Errorf("got %v, want %q", err, w.Why)
	}
	if _, away := errors.AsType[*engine.RetryError](err); away {
		t.Errorf("it would be tried for ever: %v", err)
	}
}

func latest(t *testing.T, w *world) {
	var h []record.Header
	c := w.open(t, nil)
	first := w.written(t, c, w.From, w.Value, &h)
	second := w.written(t, c, w.Wider, w.More, &h)
	newest := w.open(t, func(o *registered.Options) { o.UseLatest = true })
	if data := w.written(t, newest, w.From, w.Value, &h); string(data[:5]) != string(second[:5]) {
		t.Errorf("use_latest wrote %x, want the schema of %x", data, second[:5])
	}
	byID := w.open(t, func(o *registered.Options) { o.SchemaID = int(binary.BigEndian.Uint32(first[1:])) })
	if data := w.written(t, byID, w.From, w.Value, &h); string(data) != string(first) {
		t.Errorf("schema_id wrote %x, want %x", data, first)
	}
}

// headerByID: the registry is asked for the GUID of an id when the converter is
// opened, wherever it tells it. One without GUIDs is found out then, and one that
// is away is waited for.
func headerByID(t *testing.T, w *world) {
	var h []record.Header
	first := w.written(t, w.open(t, nil), w.From, w.Value, &h)
	byID := func(o *registered.Options) {
		o.SchemaID, o.Wire = int(binary.BigEndian.Uint32(first[1:])), registered.Header
	}
	kinds := []registrytest.GUIDs{registrytest.GUIDsEverywhere}
	if !w.GUIDs {
		kinds[0] = registrytest.NoGUIDs
	}
	if w.SetGUIDs != nil {
		kinds = []registrytest.GUIDs{registrytest.GUIDsEverywhere, registrytest.GUIDsOfVersions, registrytest.NoGUIDs}
		defer w.SetGUIDs(registrytest.GUIDsEverywhere)
	}
	for _, kind := range kinds {
		if w.SetGUIDs != nil {
			w.SetGUIDs(kind)
		}
		c, h := w.unopened(t, byID), []record.Header(nil)
		err := c.(engine.Opener).Open(t.Context())
		if kind == registrytest.NoGUIDs {
			if _, fatal := errors.AsType[*engine.FatalError](err); !fatal || !strings.Contains(err.Error(), `use wire = "prefix"`) {
				t.Errorf("a registry without GUIDs: %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		data := w.written(t, c, w.From, w.Value, &h)
		if len(h) != 1 || len(h[0].Value) < 17 || h[0].Value[0] != 1 {
			t.Fatalf("kind %d: headers %v", kind, h)
		}
		w.want(t, data, h, w.Value)
	}
	if w.Down == nil {
		return
	}
	if w.SetGUIDs != nil {
		w.SetGUIDs(registrytest.GUIDsOfVersions)
	}
	w.Down(t)
	opener := w.unopened(t, byID).(engine.Opener)
	for range 2 { // it is opened again and again
		if _, away := errors.AsType[*engine.RetryError](opener.Open(t.Context())); !away {
			t.Error("a registry that is away is not waited for")
		}
	}
	w.Up(t)
	if err := opener.Open(t.Context()); err != nil && w.GUIDs {
		t.Errorf("after the outage: %v", err)
	}
	if err := opener.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// headers: each header has a subject of its own, named by it or by an option.
func headers(t *testing.T, w *world) {
	meta := func(name string) *engine.Meta {
		return &engine.Meta{Context: t.Context(), Topic: w.topic, Header: true, Name: name}
	}
	own := w.topic + "-own"
	for _, tt := range []struct {
		edit          func(*registered.Options)
		name, subject string
	}{
		{nil, "trace", w.topic + "-header-trace"},
		{nil, "a b/ä", w.topic + "-header-a b/ä"},
		{func(o *registered.Options) { o.Subject = own }, "trace", own},
	} {
		c := w.open(t, tt.edit)
		data, err := c.NewEncoder(w.From)(nil, []byte(w.Value), meta(tt.name))
		if err != nil {
			t.Errorf("%s: %v", tt.subject, err)
			continue
		}
		conn := w.connection(t)
		if err := conn.Acquire(); err != nil {
			t.Fatal(err)
		}
		if s, err := conn.Latest(t.Context(), tt.subject); err != nil || s.ID != int(binary.BigEndian.Uint32(data[1:])) {
			t.Errorf("%s: %+v, %v", tt.subject, s, err)
		}
		if s, err := conn.Latest(t.Context(), w.topic+"-value"); !errors.Is(err, registry.ErrNotFound) {
			t.Errorf("values have the schema %+v, %v", s, err)
		}
		conn.Release()
		w.want(t, data, nil, w.Value)
	}
	// One working copy serves all headers of a record.
	encode := w.open(t, nil).NewEncoder(w.From)
	for _, name := range []string{"one", "two", "one"} {
		if _, err := encode(nil, []byte(w.Value), meta(name)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if w.GUIDs {
		_, err := w.open(t, func(o *registered.Options) { o.Wire = registered.Header }).NewEncoder(w.From)(nil, []byte(w.Value), meta("x"))
		if _, fatal := errors.AsType[*engine.FatalError](err); !fatal || !strings.Contains(err.Error(), "a header has no headers of its own") {
			t.Errorf("a header within a header: %v", err)
		}
	}
}

func unknown(t *testing.T, w *world) {
	_, err := w.read(t, w.open(t, nil), []byte("\x00\x7f\xff\xff\x00\x00"), nil)
	if _, away := errors.AsType[*engine.RetryError](err); err == nil || away || !strings.Contains(err.Error(), "the registry has no schema 2147483392") {
		t.Errorf("got %v", err)
	}
}

// outage: known schemas need no registry, others wait, none is lost.
func outage(t *testing.T, w *world) {
	if w.Down == nil {
		t.Skip("this registry is not ours to stop")
	}
	var h []record.Header
	c := w.open(t, nil)
	encode := c.NewEncoder(w.From)
	data, err := encode(nil, []byte(w.Value), w.meta(t, &h))
	if err != nil {
		t.Fatal(err)
	}
	reader, stranger := w.open(t, nil), w.open(t, nil)
	decode, lost := reader.NewDecoder(), stranger.NewDecoder()
	if _, _, err := decode(nil, data, w.meta(t, &h)); err != nil {
		t.Fatal(err)
	}
	more := c.NewEncoder(w.Wider)
	w.Down(t)
	// The outage is one: nobody answers.
	if resp, err := http.Get(w.URL + "/subjects"); err == nil {
		if resp.Body.Close(); resp.StatusCode < 500 {
			t.Fatalf("the registry answers with %s", resp.Status)
		}
	}
	if _, err := encode(nil, []byte(w.Value), w.meta(t, &h)); err != nil {
		t.Errorf("writing with a known schema: %v", err)
	}
	if _, _, err := decode(nil, data, w.meta(t, &h)); err != nil {
		t.Errorf("reading with a known schema: %v", err)
	}
	for name, err := range map[string]error{
		"writing": second(more(nil, []byte(w.More), w.meta(t, &h))),
		"reading": third(lost(nil, data, w.meta(t, &h))),
	} {
		if _, away := errors.AsType[*engine.RetryError](err); !away {
			t.Errorf("%s with a new schema: %v, want one that is tried again", name, err)
		}
	}
	w.Up(t)
	wide, err := more(nil, []byte(w.More), w.meta(t, &h))
	if err != nil {
		t.Fatalf("writing after the outage: %v", err)
	}
	w.want(t, wide, nil, w.More)
	if _, _, err := lost(nil, data, w.meta(t, &h)); err != nil {
		t.Errorf("reading after the outage: %v", err)
	}
}

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }
