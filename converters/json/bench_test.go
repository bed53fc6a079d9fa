package jsonconv

import (
	"testing"

	"github.com/flowrecords/flow/engine"
	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
	"github.com/flowrecords/flow/engine/schema/connect"
)

const (
	benchSchema = "struct shop.Order{id int64, customer string, email string?, address string, status string, price decimal(10,2), quantity int32, weight float64, paid bool, " +
		"placed timestamp(ms), day date, comment string?, tags array<string>, lines array<struct shop.Line{sku string, count int32, amount decimal(10,2)}>}"
	benchTyped = `{"id":9007199254740993,"customer":"Margarete Österreicher","email":"margarete@example.com","address":"Lange Straße 12, 10115 Berlin","status":"shipped","price":1234.56,"quantity":3,"weight":12.75,"paid":true,` +
		`"placed":"2026-01-02T03:04:05.678Z","day":"2026-01-02","comment":null,"tags":["express","gift","fragile"],"lines":[{"sku":"A-100-200","count":1,"amount":1000.00},{"sku":"B-200-300","count":2,"amount":117.28}]}`
)

// BenchmarkEnvelope reads and writes one order as plain JSON, checked and
// copied, and in an envelope.
func BenchmarkEnvelope(b *testing.B) {
	s, err := schema.Parse(benchSchema)
	if err != nil {
		b.Fatal(err)
	}
	for _, decimal := range []string{"number", "base64"} {
		config := Defaults()
		config.Form, config.Decimal = formEnvelope, decimal
		payload, err := connect.AppendPayload(nil, []byte(benchTyped), s, config.options())
		if err != nil {
			b.Fatal(err)
		}
		node, err := connect.AppendSchema(nil, s, config.options())
		if err != nil {
			b.Fatal(err)
		}
		b.Run("plain/"+decimal, func(b *testing.B) {
			plain := Defaults()
			plain.Strict = true
			bothWays(b, plain, payload)
		})
		b.Run("envelope/"+decimal, func(b *testing.B) { bothWays(b, config, connect.AppendEnvelope(nil, node, payload)) })
	}
}

func bothWays(b *testing.B, config *Config, text []byte) {
	c, err := newConverter(config, engine.Env{})
	if err != nil {
		b.Fatal(err)
	}
	decode := c.NewDecoder()
	var to record.Encoding
	var encode engine.Encode
	value, out := []byte{}, []byte{}
	m := &engine.Meta{}
	b.ReportAllocs()
	for b.Loop() {
		var enc record.Encoding
		if value, enc, err = decode(value[:0], text, m); err != nil {
			b.Fatal(err)
		}
		if enc == nil {
			enc = c.Decoded()
		}
		if to != enc {
			to, encode = enc, c.NewEncoder(enc)
		}
		if encode == nil {
			out = append(out[:0], value...)
		} else if out, err = encode(out[:0], value, m); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	if string(out) != string(text) {
		b.Errorf("%s became %s", text, out)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/1000, "us/op")
}
