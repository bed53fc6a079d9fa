package avroconv

import (
	"testing"

	"github.com/flowrecords/flow/engine"
)

// BenchmarkRegistered reads and writes a record as it is, so that what is
// measured is finding its schema and framing it.
func BenchmarkRegistered(b *testing.B) {
	for _, wire := range []string{"prefix", "header"} {
		b.Run(wire, func(b *testing.B) {
			w := newWorld(b)
			c := converterOf(b, w, func(c *Config) { c.Wire = wire })
			var h headers
			data, err := c.NewEncoder(typed(b, order))(nil, []byte(`{"id":1,"amount":12.50,"note":"as it is"}`), h.meta("orders", false))
			if err != nil {
				b.Fatal(err)
			}
			in := &engine.Meta{Topic: "orders", Headers: h}
			out := &engine.Meta{Topic: "orders", AddHeader: func(string, []byte) {}}
			decode := c.NewDecoder()
			value, enc, err := decode(nil, data, in)
			if err != nil {
				b.Fatal(err)
			}
			encode := c.NewEncoder(enc)
			var written []byte
			b.ReportAllocs()
			for b.Loop() {
				if value, _, err = decode(value[:0], data, in); err != nil {
					b.Fatal(err)
				}
				if written, err = encode(written[:0], value, out); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
