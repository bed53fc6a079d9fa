package converters_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http/httptest"
	"runtime"
	"slices"
	"testing"

	"github.com/flowrecords/flow/connections/ocf"
	"github.com/flowrecords/flow/connections/parquetfile"
	"github.com/flowrecords/flow/connections/registry"
	"github.com/flowrecords/flow/connections/registry/registrytest"
	avroconv "github.com/flowrecords/flow/converters/avro"
	bytesconv "github.com/flowrecords/flow/converters/bytes"
	csvconv "github.com/flowrecords/flow/converters/csv"
	jsonconv "github.com/flowrecords/flow/converters/json"
	jsonschemaconv "github.com/flowrecords/flow/converters/jsonschema"
	primitiveconv "github.com/flowrecords/flow/converters/primitive"
	protobufconv "github.com/flowrecords/flow/converters/protobuf"
	stringconv "github.com/flowrecords/flow/converters/string"
	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/enginetest"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/avro"
	"github.com/flowrecords/flow/engine/record/protobuf"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
	"github.com/flowrecords/flow/engine/schema/jsonschema"
)

// reading is a way in which bytes from outside are read.
type reading struct {
	name string
	// seed is what it takes.
	seed []byte
	read func(data []byte) error
	// most is what it may allocate whatever it reads, beside a share for each byte.
	most int
}

// perByte is how much may be allocated for each byte that is there: small texts
// become large structures, such as the types of a schema.
const perByte = 2000

const (
	hostileType  = "struct shop.M{id int64, name string, raw bytes?, price decimal(12,2), at timestamp(us), tags array<string?>, attrs map<string, int64>, nums map<int32, string>, u union{string string, long int64}?, kind enum shop.E(A, B), inner struct shop.P{x float64, y uuid}, list array<array<int32>>}"
	hostileValue = `{"id":9007199254740993,"name":"ann","raw":"AP8=","price":12.34,"at":"2026-01-02T03:04:05.000006Z","tags":["a",null],"attrs":{"k":7},"nums":[[1,"x"]],"u":{"long":5},"kind":"B","inner":{"x":0.5,"y":"f81d4fae-7dec-11d0-a765-00a0c91e6bf6"},"list":[[1,2],[]]}`
	flatType     = "struct{id int64, name string?, price decimal(12,2), at timestamp}"
	flatValue    = `{"id":9007199254740993,"name":"ann","price":12.34,"at":"2026-01-02T03:04:05Z"}`
)

// hostile gathers the ways in which records, files and schemas are read.
type hostile struct {
	t    testing.TB
	conn *registry.Connection
	list []reading
}

func newHostile(t testing.TB) []reading {
	t.Helper()
	server := httptest.NewServer(registrytest.New())
	t.Cleanup(server.Close)
	cfg := registry.Defaults()
	cfg.URLs, cfg.Retries = []string{server.URL}, 0
	h := &hostile{t: t, conn: registry.New(cfg, engine.Env{})}
	h.converters()
	h.encodings()
	h.files()
	h.schemas()
	return h.list
}

func (h *hostile) must(err error) {
	h.t.Helper()
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *hostile) schema(text string) *schema.Schema {
	s, err := schema.Parse(text)
	h.must(err)
	return s
}

func (h *hostile) add(name string, seed []byte, most int, read func(data []byte) error) {
	h.list = append(h.list, reading{name: name, seed: seed, read: read, most: most})
}

const mib = 1 << 20

// use reads all of a record.
func use(enc record.Encoding, data []byte) error {
	if data == nil {
		return nil
	}
	d := record.NewDoc(record.NewProjection())
	d.Reset(enc, data)
	if err := d.Check(); err != nil {
		return err
	}
	_, err := enc.AppendJSON(nil, data)
	return err
}

// converter adds one, with the value as its seed. Where schemas are in a
// registry, the prefix and the header that name one are hostile, too.
func (h *hostile) converter(name string, f engine.ConverterFactory, typ, value string, change func(config any)) {
	config := f.Defaults()
	change(config)
	c, err := f.New(config, engine.Env{})
	h.must(err)
	if o, ok := c.(engine.Opener); ok {
		h.must(o.Open(h.t.Context()))
		h.t.Cleanup(func() { h.must(o.Close(context.Background())) })
	}
	ctx := h.t.Context() // a fuzz target may not ask for it
	var named []record.Header
	seed := []byte(value)
	if encode := c.NewEncoder(record.JSONOf(h.schema(typ))); encode != nil {
		seed, err = encode(nil, []byte(value), &engine.Meta{Context: ctx, Topic: "t", AddHeader: func(name string, v []byte) {
			named = append(named, record.Header{Key: name, Value: bytes.Clone(v)})
		}})
		h.must(err)
	}
	decode := c.NewDecoder()
	read := func(data []byte, headers []record.Header) error {
		enc, out := c.Decoded(), data
		if decode != nil {
			var own record.Encoding
			var err error
			if out, own, err = decode(nil, data, &engine.Meta{Context: ctx, Topic: "t", Headers: headers}); err != nil {
				return err
			}
			if own != nil {
				enc = own
			}
		}
		return use(enc, out)
	}
	h.add(name, seed, 4*mib, func(data []byte) error { return read(data, named) })
	if len(named) > 0 {
		h.add(name+", its header", named[0].Value, 4*mib, func(data []byte) error { return read(seed, []record.Header{{Key: named[0].Key, Value: data}}) })
	}
}

func (h *hostile) converters() {
	text := func(typ string) engine.SchemaOption { return enginetest.SchemaText(typ, engine.NotationType) }
	ref := engine.ConnectionRef{Name: "connection.registry.main", Value: h.conn}
	h.converter("json", jsonconv.Factory(), hostileType, hostileValue, func(c any) { c.(*jsonconv.Config).Strict = true })
	h.converter("json of a schema", jsonconv.Factory(), hostileType, hostileValue, func(c any) { c.(*jsonconv.Config).Schema = text(hostileType) })
	for _, lenient := range []bool{false, true} {
		h.converter(fmt.Sprint("envelope, lenient ", lenient), jsonconv.Factory(), hostileType, hostileValue, func(c any) { c.(*jsonconv.Config).Form, c.(*jsonconv.Config).Lenient = "envelope", lenient })
	}
	h.converter("payload", jsonconv.Factory(), hostileType, hostileValue, func(c any) {
		c.(*jsonconv.Config).Form, c.(*jsonconv.Config).Schema = "payload", text(hostileType)
	})
	h.converter("bool", primitiveconv.Factory(), "bool", "true", func(c any) { c.(*primitiveconv.Config).Type = "bool" })
	for _, typ := range []string{"int16", "int32", "int64", "float32", "float64"} {
		h.converter(typ, primitiveconv.Factory(), typ, "7", func(c any) { c.(*primitiveconv.Config).Type = typ })
	}
	h.converter("string", stringconv.Factory(), "string", `"ä"`, func(any) {})
	h.converter("bytes", bytesconv.Factory(), "bytes", `"AP8="`, func(any) {})
	h.converter("csv", csvconv.Factory(), flatType, flatValue, func(c any) { c.(*csvconv.Config).Schema = text(flatType) })
	h.converter("csv without types", csvconv.Factory(), "struct{a string, b string}", `{"a":"x,y","b":"\"z\""}`, func(c any) { c.(*csvconv.Config).Columns, c.(*csvconv.Config).LazyQuotes = []string{"a", "b"}, true })
	for _, wire := range []string{"none", "prefix", "header"} {
		h.converter("avro, wire "+wire, avroconv.Factory(), hostileType, hostileValue, func(x any) {
			c := x.(*avroconv.Config)
			if c.Wire, c.Strict, c.Subject = wire, true, "avro"; wire == "none" {
				c.Schema = text(hostileType)
			} else {
				c.Registry = ref
			}
		})
		h.converter("protobuf, wire "+wire, protobufconv.Factory(), hostileType, hostileValue, func(x any) {
			c := x.(*protobufconv.Config)
			if c.Wire, c.Strict, c.Subject = wire, true, "protobuf"; wire == "none" {
				c.Schema = text(hostileType)
			} else {
				c.Registry = ref
			}
		})
		h.converter("json_schema, wire "+wire, jsonschemaconv.Factory(), hostileType, hostileValue, func(x any) {
			c := x.(*jsonschemaconv.Config)
			if c.Wire, c.Validation, c.Subject = wire, true, "json_schema"; wire == "none" {
				c.Schema = text(hostileType)
			} else {
				c.Registry = ref
			}
		})
	}
}

func (h *hostile) encodings() {
	s := h.schema(hostileType)
	e := row.Of(s)
	raw, err := e.Append(nil, []byte(hostileValue))
	h.must(err)
	h.add("row", raw, 4*mib, func(data []byte) error { return use(e, data) })
	h.add("typed JSON", []byte(hostileValue), 4*mib, func(data []byte) error {
		_, err := schema.Convert(nil, data, s, s.AsOptional())
		return err
	})
	writer, err := avro.FromSchema(s, avro.FromOptions{})
	h.must(err)
	reader, err := avro.FromSchema(h.schema(`struct shop.M{name bytes, id float64, more array<string> = ["d"], u union{string bytes, double float64}?, list array<array<int64>>, kind enum shop.E(B, A, C), attrs map<string, float32>}`), avro.FromOptions{})
	h.must(err)
	w, err := avro.NewWriter(writer, s, avro.WriterOptions{})
	h.must(err)
	raw, err = w.Append(nil, []byte(hostileValue))
	h.must(err)
	v, err := avro.NewResolver(writer, reader)
	h.must(err)
	h.add("avro by a reader's schema", raw, 4*mib, func(data []byte) error {
		_, err := v.Append(nil, data)
		return err
	})
	empty, err := avro.Parse([]byte(`{"type":"array","items":{"type":"record","name":"E","fields":[{"name":"a_long_name_of_a_field_without_bytes","type":"null"}]}}`))
	h.must(err)
	none, err := avro.NewEncoding(empty)
	h.must(err)
	// The bound of elements that take no bytes, as text.
	h.add("avro without bytes", []byte{6, 0}, 64*mib, func(data []byte) error { return use(none, data) })
}

// toTheEnd reads all of a file.
func toTheEnd(next func() ([]byte, error)) error {
	for {
		if _, err := next(); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func (h *hostile) files() {
	s := h.schema(hostileType)
	a, err := avro.FromSchema(s, avro.FromOptions{})
	h.must(err)
	w, err := avro.NewWriter(a, s, avro.WriterOptions{})
	h.must(err)
	one, err := w.Append(nil, []byte(hostileValue))
	h.must(err)
	for _, codec := range ocf.Codecs {
		head := &ocf.Header{Schema: a, Codec: codec}
		f, err := ocf.NewWriter(head, 0)
		h.must(err)
		file, err := f.AppendBlock(ocf.AppendHeader(nil, head), 2, slices.Concat(one, one))
		h.must(err)
		f.Close()
		for from, name := range []string{"Avro file, ", "Avro file from the second record on, "} {
			// Blocks, as they are packed and unpacked, and what the codec keeps.
			h.add(name+codec, file, 24*mib, func(data []byte) error {
				r, err := ocf.NewReader(bufio.NewReader(bytes.NewReader(data)), 4*mib)
				if err != nil {
					return err
				}
				defer r.Close()
				if err := r.Skip(int64(from)); err != nil {
					return err
				}
				return toTheEnd(r.Next)
			})
		}
	}
	p, err := parquetfile.FromSchema(s, parquetfile.Options{JSON: true})
	h.must(err)
	pk, err := p.NewPacker()
	h.must(err)
	rows, err := pk.Append(nil, []byte(hostileValue))
	h.must(err)
	var file bytes.Buffer
	f, err := parquetfile.NewWriter(&file, p, parquetfile.WriterOptions{})
	h.must(err)
	h.must(f.Write(rows))
	h.must(f.Close())
	h.add("Parquet file", file.Bytes(), 64*mib, func(data []byte) error {
		r, err := parquetfile.NewReader(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return err
		}
		defer r.Close()
		return toTheEnd(r.Next)
	})
}

func (h *hostile) schemas() {
	s := h.schema(hostileType)
	a, err := avro.FromSchema(s, avro.FromOptions{})
	h.must(err)
	h.add("schema of Avro", []byte(a.Text()), 4*mib, func(data []byte) error {
		a, err := avro.Parse(data)
		if err == nil {
			_, err = avro.ToSchema(a)
		}
		return err
	})
	text, err := connect.AppendSchema(nil, s, connect.Options{})
	h.must(err)
	h.add("schema of an envelope", text, 4*mib, func(data []byte) error {
		_, err := connect.ParseSchema(data)
		return err
	})
	text, err = jsonschema.Append(nil, s)
	h.must(err)
	h.add("JSON Schema", text, 4*mib, func(data []byte) error {
		_, err := jsonschema.Parse(data, nil)
		return err
	})
	text, err = s.MarshalJSON()
	h.must(err)
	h.add("schema as JSON", text, 4*mib, func(data []byte) error {
		_, err := schema.ParseJSON(data)
		return err
	})
	h.add("type", []byte(hostileType), 4*mib, func(data []byte) error {
		_, err := schema.Parse(string(data))
		return err
	})
	m, err := protobuf.FromSchema(h.schema("struct shop.M{id int64, tags array<string>, attrs map<string, int64>, kind enum shop.E(A, B), inner struct shop.P{x float64}}"), protobuf.FromOptions{})
	h.must(err)
	h.add("descriptors", m.File.Marshal(), 4*mib, func(data []byte) error {
		set, err := protobuf.ParseFiles(data)
		if err == nil {
			if m := set.Message("shop.M"); m != nil {
				_, err = protobuf.ToSchema(m)
			}
		}
		return err
	})
}

// within reads data and fails if that takes more memory than it may.
func (r *reading) within(t testing.TB, data []byte) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_ = r.read(data)
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > uint64(r.most+perByte*len(data)) {
		t.Errorf("%s: %d bytes took %d of memory: %q", r.name, len(data), took, data[:min(len(data), 300)])
	}
}

// claims are lengths and counts as formats write them, that nothing fills.
var claims = [][]byte{
	binary.AppendVarint(nil, math.MaxInt64), binary.AppendVarint(nil, math.MinInt64), binary.AppendVarint(nil, 1<<28), binary.AppendVarint(nil, -1),
	binary.AppendUvarint(nil, math.MaxUint64), binary.AppendUvarint(nil, 1<<28), {0x7f, 0xff, 0xff, 0xff}, {0xff, 0xff, 0xff, 0x7f},
}

// TestHostileClaims puts lengths that nothing fills into what each decoder
// takes, and cuts it short there. It measures what is allocated, so it runs
// alone.
func TestHostileClaims(t *testing.T) {
	for _, r := range newHostile(t) {
		if err := r.read(r.seed); err != nil {
			t.Errorf("%s: %v", r.name, err)
		}
		places := 150
		if r.most > 4*mib {
			places = 40
		}
		step := max(1, len(r.seed)/places)
		for at := 0; at <= len(r.seed) && !t.Failed(); at += step {
			r.within(t, r.seed[:at:at])
			for _, c := range claims {
				r.within(t, slices.Concat(r.seed[:at], c, r.seed[min(len(r.seed), at+len(c)):])) // instead
				r.within(t, slices.Concat(r.seed[:at], c))
			}
		}
	}
}

// FuzzDecoders: no decoder panics, or takes memory for what is not there.
func FuzzDecoders(f *testing.F) {
	list := newHostile(f)
	for i := range list {
		f.Add(i, list[i].seed)
	}
	f.Fuzz(func(t *testing.T, which int, data []byte) {
		r := &list[uint(which)%uint(len(list))]
		r.within(t, data)
	})
}
