package connectjson_test

import (
	"testing"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/record/connectjson"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

const (
	orderType = "struct shop.Order{id int64, customer string, email string?, address string, status string, price decimal(10,2), quantity int32, weight float64, paid bool, " +
		"placed timestamp(ms), day date, comment string?, tags array<string>, lines array<struct shop.Line{sku string, count int32, amount decimal(10,2)}>}"
	order = `{"id":9007199254740993,"customer":"Margarete Österreicher","email":"margarete@example.com","address":"Lange Straße 12, 10115 Berlin","status":"shipped","price":1234.56,"quantity":3,"weight":12.75,"paid":true,` +
		`"placed":"2026-01-02T03:04:05.678Z","day":"2026-01-02","comment":null,"tags":["express","gift","fragile"],"lines":[{"sku":"A-100-200","count":1,"amount":1000.00},{"sku":"B-200-300","count":2,"amount":117.28}]}`
)

// BenchmarkDoc reads two paths, sets two and writes, over one record as typed
// JSON text and as a payload.
func BenchmarkDoc(b *testing.B) {
	s, err := schema.Parse(orderType)
	if err != nil {
		b.Fatal(err)
	}
	raw, err := connect.AppendPayload(nil, []byte(order), s, connect.Options{Numeric: true, KeepNulls: true})
	if err != nil {
		b.Fatal(err)
	}
	p := record.NewProjection()
	at := func(text string) record.PathID {
		path, err := record.ParsePath(text)
		if err != nil {
			b.Fatal(err)
		}
		return p.Add(path)
	}
	status, quantity, total, city := at("status"), at("quantity"), at("total"), at("city")
	for _, c := range []struct {
		name string
		enc  record.Encoding
		raw  []byte
	}{{"typed", record.JSONOf(s), []byte(order)}, {"payload", connectjson.Of(s, true), raw}} {
		d := record.NewDoc(p)
		var out []byte
		run := func(edit, write bool) func(b *testing.B) {
			return func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					d.Reset(c.enc, c.raw)
					v, err := d.Get(status)
					if err != nil || v.Kind() != record.String {
						b.Fatal(v, err)
					}
					n, err := d.Get(quantity)
					if err != nil {
						b.Fatal(err)
					}
					if edit {
						if err := d.Set(total, record.IntValue(2*n.Int())); err != nil {
							b.Fatal(err)
						}
						if err := d.Set(city, record.StringValue("Berlin")); err != nil {
							b.Fatal(err)
						}
					}
					if write {
						if out, err = d.AppendTo(out[:0]); err != nil {
							b.Fatal(err)
						}
					}
				}
			}
		}
		b.Run(c.name+"/read", run(false, false))
		b.Run(c.name+"/edit", run(true, true))
		b.Run(c.name+"/json", func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if out, err = c.enc.AppendJSON(out[:0], c.raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
