package avro

import (
	"bytes"
	"testing"

	hamba "github.com/hamba/avro/v2"

	"github.com/flowrecords/flow/engine/record"
	"github.com/flowrecords/flow/engine/schema"
)

func pathOf(t testing.TB, p *record.Projection, text string) record.PathID {
	t.Helper()
	path, err := record.ParsePath(text)
	if err != nil {
		t.Fatal(err)
	}
	return p.Add(path)
}

// TestPaths: a path of Avro data reads as that of its typed JSON text.
func TestPaths(t *testing.T) {
	t.Parallel()
	paths := map[string][]string{
		"order": {"id", "status", "amount", "note", "maybe", "last", "tags", "tags[0]", "tags[1]", "tags[-1]", "tags[7]", "attrs", "attrs.p", "attrs.q", "attrs.zz", "at", "day",
			"customer", "customer.name", "customer.zz", "other", "other.status", "hash", "any", "any.int", "any.array", "any.array[1]", `any["shop.Customer"].name`, "nothing"},
		"recursive": {"v", "next.v", "next.next", "next.next.v", "all[0].v", "all[0].next", "all[1].v"},
		"logical":   {"a", "b", "c", "d", "e", "f", "g", "h", "i", "i.months", "i.days", "j", "k"},
		"connect":   {"i8", "i16", "ts", "dec", "named", "m", "m[0]", "m[1][1]"},
		"flow":      {"u8", "u32", "u64", "t", "d", "j", "j.a", "j.a[1]"},
		"odd":       {"a", "b", "c", "d", "e", "f", "f.string", "g"},
		"primitive": {"x"},
	}
	for _, v := range values {
		e := encodingOf(t, schemas[v.schema])
		data := write(t, e, v.text)
		p := record.NewProjection()
		ids := map[string]record.PathID{"": record.Root}
		for _, path := range paths[v.schema] {
			ids[path] = pathOf(t, p, path)
		}
		native, text := record.NewDoc(p), record.NewDoc(p)
		for range 2 {
			native.Reset(e, data)
			text.Reset(record.JSONOf(e.Schema()), []byte(v.text))
			for path, id := range ids {
				a, errA := native.Get(id)
				b, errB := text.Get(id)
				if errA != nil || errB != nil || a.Kind() != b.Kind() || !same(a, b) {
					t.Errorf("%s, path %q: %s %v (%v), and as JSON %s %v (%v)", v.schema, path, a.Kind(), a, errA, b.Kind(), b, errB)
				}
			}
		}
	}
}

func same(a, b record.Value) bool {
	x, errX := a.AppendJSON(nil)
	y, errY := b.AppendJSON(nil)
	return (errX == nil) == (errY == nil) && string(x) == string(y)
}

// TestEdits: edits are written as Avro, and say the same as edits of typed JSON
// text.
func TestEdits(t *testing.T) {
	t.Parallel()
	type edit func(d *record.Doc, id func(string) record.PathID) error
	set := func(path string, v record.Value) edit {
		return func(d *record.Doc, id func(string) record.PathID) error { return d.Set(id(path), v) }
	}
	del := func(path string) edit {
		return func(d *record.Doc, id func(string) record.PathID) error { return d.Delete(id(path)) }
	}
	rename := func(from, to string) edit {
		return func(d *record.Doc, id func(string) record.PathID) error { return d.Rename(id(from), id(to)) }
	}
	paths := []string{"id", "note", "total", "customer.name", "customer.age", "status", "tags", "at", "when", "amount", "other", "other.name", "flag", "day"}
	tests := map[string][]edit{
		"none":           {},
		"set":            {set("id", record.IntValue(99))},
		"set new":        {set("total", record.FloatValue(1.5)), set("flag", record.BoolValue(true))},
		"set null":       {set("id", record.NullValue())},
		"set optional":   {set("note", record.StringValue("changed"))},
		"set optional 2": {set("note", record.NullValue())},
		"set below":      {set("customer.name", record.StringValue("Bob")), set("customer.age", record.IntValue(7))},
		"other type":     {set("id", record.StringValue("x"))},
		"delete":         {del("status"), del("tags"), del("customer.name")},
		"rename":         {rename("at", "when"), rename("note", "total")},
		"mixed":          {set("total", record.IntValue(3)), del("amount"), set("id", record.IntValue(1)), rename("at", "when")},
		"decimal":        {set("amount", record.IntValue(3))},
		"below null":     {set("other.name", record.StringValue("New"))},
	}
	for name, edits := range tests {
		for _, v := range values[3:5] {
			e := encodingOf(t, schemas["order"])
			p := record.NewProjection()
			ids := map[string]record.PathID{}
			for _, path := range paths {
				ids[path] = pathOf(t, p, path)
			}
			native, text := record.NewDoc(p), record.NewDoc(p)
			native.Reset(e, write(t, e, v.text))
			text.Reset(record.JSONOf(e.Schema()), []byte(v.text))
			var failed bool
			for _, do := range edits {
				errA := do(native, func(s string) record.PathID { return ids[s] })
				errB := do(text, func(s string) record.PathID { return ids[s] })
				if (errA == nil) != (errB == nil) {
					t.Errorf("%s: %v, and as JSON %v", name, errA, errB)
				}
				failed = failed || errA != nil
			}
			if failed {
				continue
			}
			a, errA := native.AppendTo(nil)
			b, errB := text.AppendTo(nil)
			if errA != nil || errB != nil {
				t.Errorf("%s: %v, and as JSON %v", name, errA, errB)
				continue
			}
			got, err := native.Encoding().AppendJSON(nil, a)
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			// Avro keeps all digits of the scale.
			got = bytes.Replace(got, []byte(`"amount":3.00,`), []byte(`"amount":3,`), 1)
			sa, sb := record.SchemaOf(native.Encoding()), record.SchemaOf(text.Encoding())
			if string(got) != string(b) || !schema.Equal(sa, sb) {
				t.Errorf("%s (%s):\n%s, as JSON\n%s\nschema %s, as JSON %s", name, native.Encoding().Name(), got, b, sa, sb)
			}
			if _, ok := native.Encoding().(*Encoding); !ok && name != "below null" {
				t.Errorf("%s: the record has become %s", name, native.Encoding().Name())
			}
		}
	}
}

const benchSchema = `{"type":"record","name":"Order","namespace":"shop","fields":[
	{"name":"id","type":"long"},{"name":"customer","type":{"type":"record","name":"Customer","fields":[{"name":"id","type":"long"},{"name":"name","type":"string"},{"name":"email","type":"string"},{"name":"country","type":"string"}]}},
	{"name":"status","type":"string"},{"name":"price","type":"double"},{"name":"quantity","type":"int"},{"name":"currency","type":"string"},{"name":"created","type":{"type":"long","logicalType":"timestamp-millis"}},
	{"name":"items","type":{"type":"array","items":{"type":"record","name":"Item","fields":[{"name":"sku","type":"string"},{"name":"qty","type":"int"},{"name":"price","type":"double"}]}}},
	{"name":"note","type":["null","string"],"default":null},{"name":"card","type":"string"}]}`

const benchValue = `{"id":123456,"customer":{"id":4711,"name":"Ann Example","email":"ann@example.com","country":"DE"},"status":"paid","price":19.99,"quantity":3,"currency":"EUR","created":"2026-01-02T03:04:05.678Z",` +
	`"items":[{"sku":"A-1","qty":1,"price":9.99},{"sku":"B-22","qty":2,"price":5}],"note":"leave at the door","card":"4111111111111111"}`

// benchDoc filters, sets two fields and writes.
func benchDoc(b *testing.B, e *Encoding, data []byte) {
	p := record.NewProjection()
	status, price, qty, total, card := pathOf(b, p, "status"), pathOf(b, p, "price"), pathOf(b, p, "quantity"), pathOf(b, p, "total"), pathOf(b, p, "card")
	d := record.NewDoc(p)
	out := make([]byte, 0, 1<<10)
	mask := record.StringValue("****")
	b.ReportAllocs()
	for b.Loop() {
		d.Reset(e, data)
		s, err := d.Get(status)
		if err != nil || string(s.Text()) != "paid" {
			b.Fatal(s, err)
		}
		x, _ := d.Get(price)
		q, _ := d.Get(qty)
		if err := d.Set(total, record.FloatValue(x.Float()*q.Float())); err != nil {
			b.Fatal(err)
		}
		if err := d.Set(card, mask); err != nil {
			b.Fatal(err)
		}
		if out, err = d.AppendTo(out[:0]); err != nil {
			b.Fatal(err)
		}
	}
	if _, ok := d.Encoding().(*Encoding); !ok {
		b.Fatalf("written as %s", d.Encoding().Name())
	}
}

func benchMap(b *testing.B, data []byte) {
	h, err := hamba.ParseWithCache(benchSchema, "", &hamba.SchemaCache{})
	if err != nil {
		b.Fatal(err)
	}
	to, err := hamba.ParseWithCache(benchSchema[:len(benchSchema)-2]+`,{"name":"total","type":["null","double"]}]}`, "", &hamba.SchemaCache{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		var m map[string]any
		if err := hamba.Unmarshal(h, data, &m); err != nil {
			b.Fatal(err)
		}
		if m["status"] != "paid" {
			b.Fatal(m)
		}
		m["total"] = m["price"].(float64) * float64(m["quantity"].(int))
		m["card"] = "****"
		if _, err := hamba.Marshal(to, m); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkOrder is decode, filter, set 2 and encode; maps is the same with
// hamba/avro.
func BenchmarkOrder(b *testing.B) {
	e := encodingOf(b, benchSchema)
	data := write(b, e, benchValue)
	b.Run("flow", func(b *testing.B) { benchDoc(b, e, data) })
	b.Run("maps", func(b *testing.B) { benchMap(b, data) })
	b.Run("json", func(b *testing.B) {
		out := make([]byte, 0, 1<<10)
		b.ReportAllocs()
		for b.Loop() {
			var err error
			if out, err = e.AppendJSON(out[:0], data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("from json", func(b *testing.B) {
		w, err := NewWriter(e.Avro(), e.Schema(), WriterOptions{})
		if err != nil {
			b.Fatal(err)
		}
		out := make([]byte, 0, 1<<10)
		b.ReportAllocs()
		for b.Loop() {
			if out, err = w.Append(out[:0], []byte(benchValue)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
