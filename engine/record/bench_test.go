package record

import (
	"encoding/json"
	"fmt"
	"runtime"
	"syscall"
	"testing"
	"unicode/utf8"
)

// orders are nested order events of about 350 bytes.
func orders() [][]byte {
	var out [][]byte
	for i := range 256 {
		out = append(out, fmt.Appendf(nil, `{"order_id":"ord-%08d","ts":"2026-03-14T09:26:%02d.535Z","status":"%s","channel":"web",`+
			`"customer":{"id":%d,"email":"user%d@example.com","country":"KR"},"items":[{"sku":"SKU-%04d","qty":%d,"price":%d.%02d},{"sku":"SKU-0042","qty":1,"price":5.00}],`+
			`"currency":"EUR","price":%d.50,"quantity":%d,"card":"4111111111%06d","shipping":4.99,"internal":{"host":"a1","trace":"%016x"},"gift":false}`,
			i*7, i%60, []string{"paid", "cancelled"}[i%2], 1000+i, i, i, i%9+1, i%100, i%100, i%200, i%5+1, i, i*77777))
	}
	return out
}

// cpuTime makes b report CPU time, which a busy machine disturbs less than the
// clock.
func cpuTime(b *testing.B) func() {
	runtime.LockOSThread()
	var start, end syscall.Rusage
	const thread = 1 // RUSAGE_THREAD
	_ = syscall.Getrusage(thread, &start)
	return func() {
		_ = syscall.Getrusage(thread, &end)
		runtime.UnlockOSThread()
		ns := end.Utime.Nano() + end.Stime.Nano() - start.Utime.Nano() - start.Stime.Nano()
		b.ReportMetric(float64(ns)/float64(b.N), "cpu-ns/op")
	}
}

var orderPaths = []string{"status", "price", "quantity", "currency", "card", "customer.email", "total", "ccy", "internal"}

func orderDoc() (*Doc, map[string]PathID) {
	p := NewProjection()
	ids := map[string]PathID{}
	for _, s := range orderPaths {
		ids[s] = p.Add(mustPath(s))
	}
	return NewDoc(p), ids
}

func BenchmarkIndex(b *testing.B) {
	in := orders()
	d, _ := orderDoc()
	b.SetBytes(int64(len(in[0])))
	b.ReportAllocs()
	defer cpuTime(b)()
	for i := 0; b.Loop(); i++ {
		d.Reset(JSON, in[i%len(in)])
		if err := d.Check(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPlainValid is what the standard library takes to check the same.
func BenchmarkPlainValid(b *testing.B) {
	in := orders()
	b.SetBytes(int64(len(in[0])))
	defer cpuTime(b)()
	for i := 0; b.Loop(); i++ {
		if raw := in[i%len(in)]; !utf8.Valid(raw) || !json.Valid(raw) {
			b.Fatal("invalid")
		}
	}
}

func BenchmarkValidate(b *testing.B) {
	in := orders()
	b.SetBytes(int64(len(in[0])))
	defer cpuTime(b)()
	for i := 0; b.Loop(); i++ {
		if err := ValidateJSON(in[i%len(in)]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkMap reads, computes, renames, masks and writes.
func BenchmarkMap(b *testing.B) {
	in := orders()
	d, byName := orderDoc()
	ids := mapIDs(byName)
	mask := make([]byte, 0, 16)
	var out []byte
	b.SetBytes(int64(len(in[0])))
	b.ReportAllocs()
	defer cpuTime(b)()
	for i := 0; b.Loop(); i++ {
		out = mapOrder(b, d, ids, mask, in[i%len(in)], out[:0])
	}
}

func mapIDs(ids map[string]PathID) [7]PathID {
	return [...]PathID{ids["price"], ids["quantity"], ids["card"], ids["total"], ids["currency"], ids["ccy"], ids["internal"]}
}

// mapOrder reads 3 paths, sets 2, deletes 1 and renames 1.
func mapOrder(t testing.TB, d *Doc, ids [7]PathID, maskBuf, raw, out []byte) []byte {
	d.Reset(JSON, raw)
	price, err1 := d.Get(ids[0])
	quantity, err2 := d.Get(ids[1])
	card, err3 := d.Get(ids[2])
	masked := append(append(maskBuf[:0], "************"...), card.Text()[12:]...)
	err4 := d.Set(ids[3], FloatValue(price.Float()*quantity.Float()))
	err5 := d.Set(ids[2], TextValue(masked))
	err6 := d.Rename(ids[4], ids[5])
	err7 := d.Delete(ids[6])
	out, err8 := d.AppendTo(out)
	for _, err := range [...]error{err1, err2, err3, err4, err5, err6, err7, err8} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

func BenchmarkGet(b *testing.B) {
	d, ids := orderDoc()
	d.Reset(JSON, orders()[1])
	id := ids["price"]
	sum := 0.0
	defer cpuTime(b)()
	for b.Loop() {
		v, err := d.Get(id)
		if err != nil {
			b.Fatal(err)
		}
		sum += v.Float()
	}
}

// BenchmarkKeyOrders has the same members in ever new orders, which no shape
// can learn.
func BenchmarkKeyOrders(b *testing.B) {
	members := []string{`"status":"paid"`, `"a":1`, `"price":2.5`, `"b":"xx"`, `"quantity":3`, `"c":null`, `"currency":"EUR"`, `"d":[1,2]`, `"card":"1234"`}
	var in [][]byte
	seed := uint32(7)
	for range 512 {
		raw := []byte{'{'}
		for i := range members {
			seed = seed*1664525 + 1013904223
			j := i + int(seed>>8)%(len(members)-i)
			members[i], members[j] = members[j], members[i]
			raw = append(append(raw, members[i]...), ',')
		}
		raw[len(raw)-1] = '}'
		in = append(in, raw)
	}
	d, _ := orderDoc()
	b.SetBytes(int64(len(in[0])))
	b.ReportAllocs()
	defer cpuTime(b)()
	for i := 0; b.Loop(); i++ {
		d.Reset(JSON, in[i%len(in)])
		if err := d.Check(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkAppendFloat(b *testing.B) {
	buf := make([]byte, 0, 32)
	defer cpuTime(b)()
	for i := 0; b.Loop(); i++ {
		buf, _ = AppendFloat(buf[:0], float64(i%100000)/100)
	}
}
