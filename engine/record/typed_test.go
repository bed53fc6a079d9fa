package record

import (
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/schema"
)

func orderSchema(t testing.TB) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(`struct{id int64, price decimal(10,2), at timestamp(ms), day date, key bytes?, took duration, open time, kind enum(A, B), ` +
		`note string?, rate float64, small int8, lines array<struct{sku string, at timestamp}>, by map<string, timestamp>, of struct{x int32, at timestamp?}?}`)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

const orderText = `{"id":9007199254740993,"price":12345678.90,"at":"2026-03-14T09:26:53.535Z","day":"2026-03-14","key":"AP8=","took":"1h30m0s","open":"09:30:00.5","kind":"B",` +
	`"rate":"NaN","small":-3,"lines":[{"sku":"a","at":"2026-01-01T00:00:00.000000001Z"}],"by":{"me":"2026-01-02T00:00:00Z"},"of":null}`

func TestTypedRead(t *testing.T) {
	t.Parallel()
	tests := []struct {
		path, kind, text string
	}{
		{"id", "int", "9007199254740993"},
		{"price", "float", "12345678.90"},
		{"at", "time", "2026-03-14T09:26:53.535Z"},
		{"day", "time", "2026-03-14T00:00:00Z"},
		{"key", "bytes", "\x00\xff"},
		{"took", "duration", "1h30m0s"},
		{"open", "duration", "9h30m0.5s"},
		{"kind", "string", "B"},
		{"note", "null", ""},
		{"small", "int", "-3"},
		{"lines[0].at", "time", "2026-01-01T00:00:00.000000001Z"},
		{"lines[-1].sku", "string", "a"},
		{"lines[1].at", "missing", ""},
		{"by.me", "time", "2026-01-02T00:00:00Z"},
		{"by.you", "missing", ""},
		{"of", "null", ""},
		{"of.x", "missing", ""},
		{"other", "missing", ""},
		{"lines", "array", `[{"sku":"a","at":"2026-01-01T00:00:00.000000001Z"}]`},
	}
	p := NewProjection()
	var ids []PathID
	for _, tt := range tests {
		ids = append(ids, p.Add(mustPath(tt.path)))
	}
	d := NewDoc(p)
	enc := JSONOf(orderSchema(t))
	for range 2 {
		d.Reset(enc, []byte(orderText))
		for i, tt := range tests {
			v, err := d.Get(ids[i])
			if err != nil || v.Kind().String() != tt.kind || v.String() != tt.text {
				t.Errorf("%s: %s %q, %v; want %s %q", tt.path, v.Kind(), v, err, tt.kind, tt.text)
			}
		}
		if d.Encoding() != enc || d.Edited() {
			t.Errorf("reading changes the encoding to %v", d.Encoding())
		}
	}
}

func TestTypedReadRefuses(t *testing.T) {
	t.Parallel()
	p := NewProjection()
	at, key, id := p.Add(mustPath("at")), p.Add(mustPath("key")), p.Add(mustPath("id"))
	d := NewDoc(p)
	for _, tt := range []struct {
		text string
		id   PathID
		err  string
	}{
		{`{"at":5}`, at, "reading at: 5 is no timestamp"},
		{`{"at":"2026-02-30T00:00:00Z"}`, at, "reading at: "},
		{`{"key":"*"}`, key, "reading key: "},
		{`{"id":1.5}`, id, "reading id: 1.5 is no int64"},
		{`{"id":`, id, ""},
	} {
		d.Reset(JSONOf(orderSchema(t)), []byte(tt.text))
		if v, err := d.Get(tt.id); err == nil || !strings.HasPrefix(err.Error(), tt.err) {
			t.Errorf("%s: got %v, %v", tt.text, v, err)
		}
	}
}

// TestFits: what stands in typed JSON text as a value of a type fits it.
func TestFits(t *testing.T) {
	t.Parallel()
	tests := []struct {
		schema, text string
		want         bool
	}{
		{"float32", "0.1", true},
		{"float32", "10283.047", true},
		{"float32", "0.12345678901", false},
		{"struct{a float32?}", `{"a":0.1}`, true},
		{"decimal(*,-2)", "-20600", true},
		{"decimal(*,-2)", "-20650", false},
		{"decimal(*,-2)", "0", true},
		{"decimal(5,2)", "999.99", true},
		{"decimal(5,2)", "1000", false},
		{"struct{a any}", `{"a":null}`, true},
		{"array<any>", "[null,1]", true},
		{"array<int8>", "[null]", false},
	}
	for _, tt := range tests {
		s, err := schema.Parse(tt.schema)
		if err != nil {
			t.Fatal(err)
		}
		v, err := RawJSON([]byte(tt.text)).As(s)
		if got := v.Fits(s); err != nil || got != tt.want {
			t.Errorf("%s as %s: got %v, %v", tt.text, tt.schema, got, err)
		}
		if checked := schema.Check(s, []byte(tt.text)) == nil; checked && !tt.want && s.Type != schema.Float32 {
			t.Errorf("%s is %s by the schema's own check", tt.text, tt.schema)
		}
	}
}

// TestTypedEdits names the text and the type that one edit leaves.
func TestTypedEdits(t *testing.T) {
	t.Parallel()
	const from, text = `struct{a int32, b struct{c string, at timestamp(ms)}, d int64 = 7}`, `{"a":1,"b":{"c":"x","at":"2026-01-01T00:00:00Z"}}`
	day, whole := schema.New(schema.Date), schema.NewStruct("", schema.F("a", schema.NewDecimal(3, 1)))
	noon := time.Date(2026, 1, 1, 12, 0, 0, 5_000_000, time.UTC)
	tests := []struct {
		name, text, schema string
		edit               func(d *Doc, id func(string) PathID) error
	}{
		{"fits", `{"a":5,"b":{"c":"x","at":"2026-01-01T00:00:00Z"}}`, `struct{a int32, b struct{c string, at timestamp(ms)}, d int64 = 7}`,
			func(d *Doc, id func(string) PathID) error { return d.Set(id("a"), IntValue(5)) }},
		{"beyond", `{"a":4294967296,"b":{"c":"x","at":"2026-01-01T00:00:00Z"}}`, `struct{a int64, b struct{c string, at timestamp(ms)}, d int64 = 7}`,
			func(d *Doc, id func(string) PathID) error { return d.Set(id("a"), IntValue(1<<32)) }},
		{"null", `{"a":null,"b":{"c":"x","at":"2026-01-01T00:00:00Z"}}`, `struct{a int32?, b struct{c string, at timestamp(ms)}, d int64 = 7}`,
			func(d *Doc, id func(string) PathID) error { return d.Set(id("a"), NullValue()) }},
		{"time that fits", `{"a":1,"b":{"c":"x","at":"2026-01-01T12:00:00.005Z"}}`, `struct{a int32, b struct{c string, at timestamp(ms)}, d int64 = 7}`,
			func(d *Doc, id func(string) PathID) error { return d.Set(id("b.at"), TimeValue(noon)) }},
		{"time that is finer", `{"a":1,"b":{"c":"x","at":"2026-01-01T12:00:00.005000001Z"}}`, `struct{a int32, b struct{c string, at timestamp}, d int64 = 7}`,
			func(d *Doc, id func(string) PathID) error { return d.Set(id("b.at"), TimeValue(noon.Add(1))) }},
		{"new", `{"a":1,"b":{"c":"x","at":"2026-01-01T00:00:00Z","n":"AQ=="},"z":{"y":1.5}}`,
			`struct{a int32, b struct{c string, at timestamp(ms), n bytes?}, d int64 = 7, z struct{y float64?}?}`,
			func(d *Doc, id func(string) PathID) error {
				if err := d.Set(id("b.n"), BytesValue([]byte{1})); err != nil {
					return err
				}
				return d.Set(id("z.y"), FloatValue(1.5))
			}},
		{"as", `{"a":1,"b":{"c":"x","at":"2026-01-01"}}`, `struct{a int32, b struct{c string, at date}, d int64 = 7}`,
			func(d *Doc, id func(string) PathID) error {
				return d.SetAs(id("b.at"), TimeValue(noon.Truncate(24*time.Hour)), day)
			}},
		{"delete", `{"b":{"c":"x"}}`, `struct{b struct{c string}}`,
			func(d *Doc, id func(string) PathID) error {
				for _, p := range []string{"a", "b.at", "d"} {
					if err := d.Delete(id(p)); err != nil {
						return err
					}
				}
				return nil
			}},
		{"rename", `{"z":1,"b":{"c":"x","at":"2026-01-01T00:00:00Z"}}`, `struct{z int32, b struct{c string, at timestamp(ms)}, d int64 = 7}`,
			func(d *Doc, id func(string) PathID) error { return d.Rename(id("a"), id("z")) }},
		{"rename what the text lacks", `{"b":{"c":"x","at":"2026-01-01T00:00:00Z"}}`, `struct{b struct{c string, at timestamp(ms)}, a int64 = 7}`,
			func(d *Doc, id func(string) PathID) error { return d.Rename(id("d"), id("a")) }},
		{"move", `{"a":1,"b":{"c":"x"},"z":"2026-01-01T00:00:00Z"}`, `struct{a int32, b struct{c string}, d int64 = 7, z timestamp(ms)?}`,
			func(d *Doc, id func(string) PathID) error { return d.Rename(id("b.at"), id("z")) }},
		{"keep", `{"b":{"at":"2026-01-01T00:00:00Z"}}`, `struct{b struct{at timestamp(ms)}, d int64 = 7}`,
			func(d *Doc, id func(string) PathID) error { return d.Keep([]PathID{id("b.at"), id("d")}) }},
		{"whole", `"2026-01-01T12:00:00.005Z"`, `timestamp`,
			func(d *Doc, id func(string) PathID) error { return d.Set(Root, TimeValue(noon)) }},
		{"whole as", `{"a":1}`, `struct{a decimal(3,1)}`,
			func(d *Doc, id func(string) PathID) error {
				return d.SetAs(Root, RawJSON([]byte(`{"a":1}`)), whole)
			}},
	}
	want := func(text string) *schema.Schema {
		s, err := schema.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			p := NewProjection()
			for _, path := range []string{"a", "b", "b.at", "b.n", "d", "z", "z.y"} {
				p.Add(mustPath(path))
			}
			id := func(text string) PathID { // the projection has all of them
				for i := range p.nodes {
					if p.Path(PathID(i)).String() == text {
						return PathID(i)
					}
				}
				panic(text)
			}
			d := NewDoc(p)
			enc := JSONOf(want(from))
			var first *schema.Schema
			for range 3 {
				d.Reset(enc, []byte(text))
				if err := tt.edit(d, id); err != nil {
					t.Fatal(err)
				}
				got, err := d.AppendTo(nil)
				if err != nil || string(got) != tt.text || !schema.Equal(d.Schema(), want(tt.schema)) {
					t.Errorf("got %s %s, %v; want %s %s", got, d.Schema(), err, tt.text, tt.schema)
				}
				if first == nil {
					first = d.Schema()
				}
				if d.Schema() != first {
					t.Error("the same edit gives another schema")
				}
			}
			other := NewDoc(p)
			other.Reset(enc, []byte(text))
			if err := tt.edit(other, id); err != nil || other.Schema() != first {
				t.Errorf("another Doc gives another schema, %v", err)
			}
		})
	}
}

// TestTypedEditsAreBounded: values from outside make ever new types.
func TestTypedEditsAreBounded(t *testing.T) {
	t.Parallel()
	p := NewProjection()
	a := p.Add(mustPath("a"))
	d := NewDoc(p)
	enc := JSONOf(schema.NewStruct("", schema.F("a", schema.New(schema.String))))
	for i := range 1000 {
		d.Reset(enc, []byte(`{"a":"x"}`))
		if err := d.SetAs(a, NullValue(), &schema.Schema{Type: schema.Decimal, Scale: i, Optional: true}); err != nil {
			t.Fatal(err)
		}
		if s := d.Schema(); s.Fields[0].Schema.Scale != i {
			t.Fatalf("%d: %s", i, s)
		}
	}
	if len(d.forms) > maxForms || len(d.formOf(enc).steps) > maxSteps {
		t.Errorf("%d forms and %d steps are kept", len(d.forms), len(d.formOf(enc).steps))
	}
}

func BenchmarkMapTyped(b *testing.B) {
	in := orders()
	s, err := schema.Parse(`struct{order_id string, ts timestamp(ms), status string, channel string, customer any, items any, currency string, price float64, quantity int64, card string, shipping float64, internal any, gift bool}`)
	if err != nil {
		b.Fatal(err)
	}
	d, byName := orderDoc()
	ids := mapIDs(byName)
	enc := JSONOf(s)
	var out []byte
	b.ReportAllocs()
	defer cpuTime(b)()
	for i := 0; b.Loop(); i++ {
		d.Reset(enc, in[i%len(in)])
		price, _ := d.Get(ids[0])
		quantity, _ := d.Get(ids[1])
		card, _ := d.Get(ids[2])
		for _, err := range [...]error{
			d.Set(ids[3], FloatValue(price.Float()*quantity.Float())), d.Set(ids[2], TextValue(card.Text()[4:])),
			d.Rename(ids[4], ids[5]), d.Delete(ids[6]),
		} {
			if err != nil {
				b.Fatal(err)
			}
		}
		if out, err = d.AppendTo(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
}

// TestStructDefault: the default of a struct stays one of its type when a field
// changes, and a record that lacks the struct keeps what it read there.
func TestStructDefault(t *testing.T) {
	t.Parallel()
	const from = `struct{s struct{a int32, b string? = "own", c bool?} = {"a":1,"b":"two","c":true}, e int8}`
	text := schema.New(schema.String)
	for _, tt := range []struct {
		name, schema, text string
		edit               func(d *Doc, id func(string) PathID) error
	}{
		{"set", `struct{s struct{a string, b string? = "own", c bool?}, e int8}`, `{"e":1,"s":{"a":"x","b":"two","c":true}}`,
			func(d *Doc, id func(string) PathID) error { return d.SetAs(id("s.a"), StringValue("x"), text) }},
		{"set with a default of its own", `struct{s struct{a int32, b int64?, c bool?} = {"a":1,"c":true}, e int8}`, `{"e":1,"s":{"a":1,"b":7,"c":true}}`,
			func(d *Doc, id func(string) PathID) error { return d.Set(id("s.b"), IntValue(7)) }},
		{"new", `struct{s struct{a int32, b string? = "own", c bool?, n int64?} = {"a":1,"b":"two","c":true}, e int8}`, `{"e":1,"s":{"a":1,"b":"two","c":true,"n":7}}`,
			func(d *Doc, id func(string) PathID) error { return d.Set(id("s.n"), IntValue(7)) }},
		{"delete", `struct{s struct{a int32, b string? = "own"} = {"a":1,"b":"two"}, e int8}`, `{"e":1}`,
			func(d *Doc, id func(string) PathID) error { return d.Delete(id("s.c")) }},
		{"rename", `struct{s struct{z int32, b string? = "own", c bool?} = {"z":1,"b":"two","c":true}, e int8}`, `{"e":1}`,
			func(d *Doc, id func(string) PathID) error { return d.Rename(id("s.a"), id("s.z")) }},
	} {
		s, err := schema.Parse(from)
		if err != nil {
			t.Fatal(err)
		}
		p := NewProjection()
		ids := make(map[string]PathID)
		for _, path := range []string{"s.a", "s.b", "s.c", "s.n", "s.z"} {
			ids[path] = p.Add(mustPath(path))
		}
		d := NewDoc(p)
		d.Reset(JSONOf(s), []byte(`{"e":1}`))
		if err := tt.edit(d, func(path string) PathID { return ids[path] }); err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		want, err := schema.Parse(tt.schema)
		if err != nil {
			t.Fatal(err)
		}
		if out, err := d.AppendTo(nil); err != nil || string(out) != tt.text {
			t.Errorf("%s: got %s, %v", tt.name, out, err)
		}
		if got := d.Schema(); !schema.Equal(got, want) || got.Validate() != nil {
			t.Errorf("%s: got %s, %v", tt.name, got, got.Validate())
		}
	}
}

// TestMoveOfNothing: a field of a parent that is null moves in the schema, so
// that all records have one.
func TestMoveOfNothing(t *testing.T) {
	t.Parallel()
	s, err := schema.Parse("struct{s struct{a int32}?, e int8}")
	if err != nil {
		t.Fatal(err)
	}
	p := NewProjection()
	from, to := p.Add(mustPath("s.a")), p.Add(mustPath("a"))
	d := NewDoc(p)
	var schemas []*schema.Schema
	for _, text := range []string{`{"s":{"a":1},"e":1}`, `{"s":null,"e":1}`} {
		d.Reset(JSONOf(s), []byte(text))
		if err := d.Rename(from, to); err != nil {
			t.Fatal(err)
		}
		schemas = append(schemas, d.Schema())
	}
	if schemas[0] != schemas[1] || schemas[0].String() != "struct{s struct{}?, e int8, a int32?}" {
		t.Errorf("got %s and %s", schemas[0], schemas[1])
	}
}

// TestFloatIsNoUint64: what is read as a float stays one, whichever way its
// digits are written, so that all encodings say the same of an edit.
func TestFloatIsNoUint64(t *testing.T) {
	t.Parallel()
	float, whole := &schema.Schema{Type: schema.Float64}, &schema.Schema{Type: schema.Uint64}
	for _, text := range []string{"53", "16866758143701949854", "18446744073709551615"} {
		v, err := RawJSON([]byte(text)).As(float)
		if err != nil || v.Kind() != Float || v.Fits(whole) {
			t.Errorf("%s, a float, reads as %s and fits uint64: %t, %v", text, v.Kind(), v.Fits(whole), err)
		}
		v, err = RawJSON([]byte(text)).As(whole)
		if err != nil || !v.Fits(whole) || v.String() != text {
			t.Errorf("%s, a uint64, reads as %s and does not fit: %v", text, v, err)
		}
	}
}
