package row_test

import (
	"strings"
	"testing"
	"time"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/internal/agree"
	"github.com/flowrecords/flow/engine/record/row"
	"github.com/flowrecords/flow/engine/schema"
)

func parsed(t testing.TB, text string) *schema.Schema {
	t.Helper()
	s, err := schema.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestBuilder(t *testing.T) {
	t.Parallel()
	e := row.Of(parsed(t, `struct{id int64, name string?, price decimal(10,2), at timestamp, day date, kind enum(A, B), n uint8 = 7, raw bytes?, ratio float64, took duration, on bool, items array<int32>}`))
	b, err := e.NewBuilder()
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 6, time.FixedZone("x", -7200))
	fill := func(dst []byte) ([]byte, error) {
		b.Begin(dst)
		b.Int(0, -5)
		b.Number(2, []byte("12345678.90"))
		b.Time(3, at)
		b.Time(4, at.Truncate(24*time.Hour).Add(2*time.Hour))
		b.Bytes(5, []byte("B"))
		b.Bytes(7, []byte{0})
		b.Int(8, 3)
		b.Duration(9, time.Minute)
		b.Bool(10, true)
		b.JSON(11, []byte("[1,2]"))
		return b.End()
	}
	raw, err := fill([]byte("before"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := e.AppendJSON(nil, raw[len("before"):])
	want := `{"id":-5,"name":null,"price":12345678.90,"at":"2026-01-02T05:04:05.000000006Z","day":"2026-01-02","kind":"B","n":7,"raw":"AA==","ratio":3,"took":"1m0s","on":true,"items":[1,2]}`
	if err != nil || string(got) != want {
		t.Errorf("got %s, %v\nwant %s", got, err, want)
	}
	for _, tt := range []struct {
		err  string
		fill func()
	}{
		{`field "id": it is null`, func() {}},
		{`field "id": a value of kind bool is no int64`, func() { b.Bool(0, true) }},
		{`field "kind": "C" is none of its symbols`, func() {
			b.Int(0, 1)
			b.Int(2, 1)
			b.Time(3, at)
			b.Time(4, time.Time{})
			b.Bytes(5, []byte("C"))
		}},
		{`field "n": 256 is beyond uint8`, func() {
			b.Int(0, 1)
			b.Int(2, 1)
			b.Time(3, at)
			b.Time(4, time.Time{})
			b.Bytes(5, []byte("A"))
			b.Int(6, 256)
		}},
		{"out of order", func() { b.Int(0, 1); b.Int(0, 1) }},
		{`field "price": no number`, func() { b.Int(0, 1); b.Number(2, []byte("x")) }},
	} {
		b.Begin([]byte("before"))
		tt.fill()
		dst, err := b.End()
		if err == nil || !strings.Contains(err.Error(), tt.err) || string(dst) != "before" {
			t.Errorf("got %q, %v; want %s", dst, err, tt.err)
		}
	}
	if _, err := row.Of(schema.New(schema.String)).NewBuilder(); err == nil {
		t.Error("a string has fields")
	}
}

// FuzzHostile: no bytes make the reader panic, or take memory beyond reason.
func FuzzHostile(f *testing.F) {
	for seed := range uint64(20) {
		g := agree.Generator(seed, 3)
		s := g.Struct(3, false)
		raw, err := row.Of(s).Append(nil, g.Value(nil, s))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(seed, raw)
	}
	f.Fuzz(func(t *testing.T, seed uint64, raw []byte) {
		g := agree.Generator(seed, 3)
		e := row.Of(g.Struct(3, false))
		if out, err := e.AppendJSON(nil, raw); err == nil {
			if err := record.ValidateJSON(out); err != nil {
				t.Fatalf("%q is written as %q: %v", raw, out, err)
			}
			if len(out) > 400*(len(raw)+100) {
				t.Errorf("%d bytes become %d", len(raw), len(out))
			}
		}
		agree.Hostile(g, e, raw)
	})
}

// TestNoFields: a struct without fields is no null, which is what no bytes are.
func TestNoFields(t *testing.T) {
	t.Parallel()
	for _, x := range [][2]string{
		{"struct{}", "{}"}, {"struct{}?", "{}"}, {"struct{a struct{}, b struct{}?}", `{"a":{},"b":{}}`}, {"struct{b struct{}?}", `{"b":null}`},
		{"array<struct{}?>", "[{},null,{}]"}, {"map<string, struct{}>", `{"k":{}}`}, {"union{a struct{}, b int64}", `{"a":{}}`},
	} {
		e := row.Of(parsed(t, x[0]))
		raw, err := e.Append(nil, []byte(x[1]))
		if err != nil || len(raw) == 0 {
			t.Errorf("%s of %s: %q, %v", x[1], x[0], raw, err)
			continue
		}
		if got, err := e.AppendJSON(nil, raw); err != nil || string(got) != x[1] {
			t.Errorf("%s of %s is read as %s, %v", x[1], x[0], got, err)
		}
	}
	// Nor is one that has lost them all.
	e := row.Of(parsed(t, "struct{a int64}"))
	raw, err := e.Append(nil, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	p := record.NewProjection()
	a := p.Add(record.Path{{Name: "a"}})
	d := record.NewDoc(p)
	d.Reset(e, raw)
	if err := d.Delete(a); err != nil {
		t.Fatal(err)
	}
	raw, err = d.AppendTo(nil)
	if err != nil || len(raw) == 0 {
		t.Fatalf("%q, %v", raw, err)
	}
	if got, err := d.Encoding().AppendJSON(nil, raw); err != nil || string(got) != "{}" {
		t.Errorf("%s, %v", got, err)
	}
}

const orderType = `struct{order_id string, ts timestamp(ms), status string, channel string, customer struct{id int64, email string, country string}, ` +
	`items array<struct{sku string, qty int32, price decimal(8,2)}>, currency string, price float64, quantity int64, card string, shipping float64, internal struct{host string, trace string}?, gift bool}`

const order = `{"order_id":"ord-00000007","ts":"2026-03-14T09:26:53.535Z","status":"paid","channel":"web","customer":{"id":1001,"email":"user1@example.com","country":"KR"},` +
	`"items":[{"sku":"SKU-0001","qty":2,"price":1.01},{"sku":"SKU-0042","qty":1,"price":5.00}],"currency":"EUR","price":1.50,"quantity":2,"card":"4111111111000001","shipping":4.99,` +
	`"internal":{"host":"a1","trace":"000000000001300d"},"gift":false}`

// BenchmarkMap reads 3 paths, sets 2, deletes 1, renames 1 and writes, over the
// same record in each encoding.
func BenchmarkMap(b *testing.B) {
	s := parsed(b, orderType)
	e := row.Of(s)
	raw, err := e.Append(nil, []byte(order))
	if err != nil {
		b.Fatal(err)
	}
	for _, x := range []struct {
		name string
		enc  record.Encoding
		raw  []byte
	}{{"json", record.JSON, []byte(order)}, {"typed", record.JSONOf(s), []byte(order)}, {"row", e, raw}} {
		b.Run(x.name, func(b *testing.B) {
			p := record.NewProjection()
			id := func(name string) record.PathID { return p.Add(record.Path{{Name: name}}) }
			price, quantity, card, total, currency, ccy, internal := id("price"), id("quantity"), id("card"), id("total"), id("currency"), id("ccy"), id("internal")
			d := record.NewDoc(p)
			var out []byte
			b.ReportAllocs()
			for b.Loop() {
				d.Reset(x.enc, x.raw)
				v, _ := d.Get(price)
				w, _ := d.Get(quantity)
				c, _ := d.Get(card)
				for _, err := range [...]error{d.Set(total, record.FloatValue(v.Float()*w.Float())), d.Set(card, record.TextValue(c.Text()[4:])), d.Rename(currency, ccy), d.Delete(internal)} {
					if err != nil {
						b.Fatal(err)
					}
				}
				if out, err = d.AppendTo(out[:0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
