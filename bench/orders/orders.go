// Package orders makes the order events that flow's demo and benchmarks move:
// nested JSON of about 350 bytes, the same for the same seed.
package orders

import (
	"fmt"
	"math/rand/v2"
	"strconv"
)

var (
	countries = []string{"KR", "JP", "DE", "FR", "US", "BR", "GB", "IN"}
	products  = []string{"lamp", "desk", "chair", "kettle", "book", "phone", "mug", "bike"}
	channels  = []string{"web", "app", "store", "partner"}
	names     = []string{"Ada", "Björn", "Chen", "Dana", "Eun-ji", "Farid", "Gwen", "Hana"}
)

// Generator appends one order after the other.
type Generator struct {
	rand *rand.Rand
	next int
}

// New returns a generator; the same seed gives the same orders.
func New(seed uint64) *Generator {
	return &Generator{rand: rand.New(rand.NewPCG(seed, 0x666c6f77))}
}

// Append appends the next order without a newline. Half of the orders are
// paid, the other half are open or cancelled.
func (g *Generator) Append(dst []byte) []byte {
	r, n := g.rand, g.next
	g.next++
	status := "paid"
	if r.IntN(2) == 1 {
		status = [...]string{"open", "cancelled"}[r.IntN(2)]
	}
	name := names[r.IntN(len(names))]
	dst = fmt.Appendf(dst, `{"order_id":"ord-%08d","created":"2026-%02d-%02dT%02d:%02d:%02dZ","status":%q,"channel":%q`,
		n, 1+r.IntN(12), 1+r.IntN(28), r.IntN(24), r.IntN(60), r.IntN(60), status, channels[r.IntN(len(channels))])
	dst = fmt.Appendf(dst, `,"customer":{"id":%d,"name":%q,"email":"%s.%d@example.com","country":%q,"card":"%04d%04d%04d%04d"}`,
		100000+r.IntN(900000), name, ascii(name), r.IntN(1000), countries[r.IntN(len(countries))],
		4000+r.IntN(1000), r.IntN(10000), r.IntN(10000), r.IntN(10000))
	dst = fmt.Appendf(dst, `,"items":[{"sku":"%s-%03d","gift":%t},{"sku":"%s-%03d","gift":%t}]`,
		products[r.IntN(len(products))], r.IntN(1000), r.IntN(2) == 0,
		products[r.IntN(len(products))], r.IntN(1000), r.IntN(2) == 0)
	dst = append(dst, `,"price":`...)
	dst = strconv.AppendFloat(dst, float64(100+r.IntN(90000))/100, 'f', 2, 64)
	dst = fmt.Appendf(dst, `,"quantity":%d,"currency":"EUR","internal":{"trace":"%016x"}}`, 1+r.IntN(9), r.Uint64())
	return dst
}

// ascii is the name as it stands in an address.
func ascii(name string) string {
	b := make([]byte, 0, len(name))
	for _, c := range name {
		if c < 128 && c != '-' {
			b = append(b, byte(c)|0x20)
		}
	}
	return string(b)
}

// Lines returns n orders, one a line.
func Lines(seed uint64, n int) []byte {
	g := New(seed)
	b := make([]byte, 0, n*360)
	for range n {
		b = append(g.Append(b), '\n')
	}
	return b
}
